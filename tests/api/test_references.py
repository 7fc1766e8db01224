"""Whoever names a record in a body must be allowed to know it: every member of every body that refers to something, tried by every role
with a record that is not theirs to know and with one that is not there. The answers are the same, and nothing is seen afterwards that was
not seen before."""

import uuid

import pytest

from harness import programs
from harness.bodies import Bodies
from harness.client import problem
from harness.rights import CHARGED, OWN_VILLAGE
from harness.users import charge, invite

LIMITED = sorted(role for role, place in CHARGED.items() if place)
HIDDEN_KINDS = {"person", "user", "client"}  # of which not every record is published
UNKNOWN = {"region": "99.01", "program": "tidak-ada", "phase": "tidak-ada", "client": "c_tidak_ada"}


@pytest.fixture(scope="module")
def api(own_api):
    return own_api


@pytest.fixture(scope="module")
def given(api):
    """A record of each kind that everybody may name (or that the member's own rules get to see later)."""
    library = api.service.cluster.library_at(api.service.database, OWN_VILLAGE)
    return {"region": "19.01", "library": library, "organization": programs.organization(api)["id"], "program": "tpbis", "phase": "tpbis-2019"}


@pytest.fixture(scope="module")
def hidden(api):
    """Records of which the limited roles know nothing: an unpublished person of Kota Bekasi, an analyst's account, an application."""
    person = programs.person(api, region_code="32.73")["id"]
    put = api.put(f"/v1/people/{person}/contact", token="national_admin", json={"phone": "0811", "purpose": "uji"})
    assert put.status_code in (200, 201, 204), put.text
    user = invite(api, email="rahasia@example.id")
    with api.service.cluster.connect(api.service.database) as database:
        charge(database, user, "national_analyst")
    return {"person": person, "user": user["id"], "client": api.client("national_admin")["client_id"]}


def writes(contract):
    """(method, template, operation, media type, schema) of every operation behind a token that takes a body."""
    for template, methods in contract.document["paths"].items():
        for method, operation in methods.items():
            if method in ("post", "put", "patch") and operation.get("security"):
                for media, content in contract.resolve(operation.get("requestBody", {})).get("content", {}).items():
                    if media.startswith("application/") and media.endswith("json"):
                        yield method.upper(), template, operation["operationId"], media, content["schema"]
                        break


def pointer(path):
    return "".join("/" + ("0" if step == "*" else step) for step in path)


class Attempt:
    """One member of one operation, with a record of one's choice in it."""

    def __init__(self, api, given, write, path, kind):
        self.api, self.bodies, self.path, self.kind = api, Bodies(api.contract, given), path, kind
        self.method, self.template, self.operation, self.media, self.schema = write

    def send(self, role, value):
        headers = {"Content-Type": self.media, **({"If-Match": "*"} if self.method != "POST" else {})}
        return self.api.request(self.method, self.api.contract.address(self.template), token=role, once=True, headers=headers,
                                json=self.bodies.make(self.schema, self.path, value))

    def unknown(self):
        return "99.01.01.2001" if self.path[-1] == "village_code" else UNKNOWN.get(self.kind, str(uuid.uuid4()))


def attempts(api, given):
    bodies = Bodies(api.contract, given)
    return [Attempt(api, given, write, path, kind) for write in writes(api.contract) for path, kind in bodies.references(write[4])
            if not (write[0] == "POST" and path == ("id",))]


def seen(api, hidden, role):
    """What that caller sees of the hidden records, and of the places where they might come up."""
    paths = [f"/v1/people/{hidden['person']}", f"/v1/people/{hidden['person']}/contact", f"/v1/users/{hidden['user']}",
             f"/v1/clients/{hidden['client']}", f"/v1/people/{hidden['person']}/personal-data", "/v1/people?within=32.73", "/v1/users?limit=500"]
    answers = [api.get(path, token=role) for path in paths]
    assert not any(value in answer.text for answer in answers for value in ("0811", "rahasia")), role
    return [(answer.status_code, answer.json() if answer.ok else answer.json()["code"]) for answer in answers]


def alike(one, other):
    """The same answer but for the id of the request."""
    return [{**answer.json(), "request_id": None, "status": answer.status_code} for answer in (one, other)]


def test_the_walk_finds_what_there_is(api, given):
    found = {(one.operation, pointer(one.path), one.kind) for one in attempts(api, given)}
    assert len(found) > 60
    assert {("create_substitution", "/member/person_id", "person"), ("create_team_meeting", "/organizations/0/id", "organization"),
            ("create_assignment", "/user_id", "user"), ("create_assignment", "/client_id", "client"), ("update_client", "/allowed_region", "region"),
            ("create_library", "/supervisor_id", "library"), ("update_team_task", "/responsible_member_id", "team_member")} <= found
    assert {kind for _, _, kind in found} >= HIDDEN_KINDS


def test_a_record_that_is_not_there(api, given):
    """The nation may know everything, so what it may not name is not there."""
    for one in attempts(api, given):
        body = problem(one.send("national_admin", one.unknown()), 422, "reference_unknown")
        assert {"pointer": pointer(one.path), "code": "reference", "detail": "is unknown, or not yours to know"} in body["errors"], one.operation


@pytest.mark.parametrize("role", LIMITED)
def test_a_record_that_is_not_ones_to_know(api, given, hidden, role):
    before, refused = seen(api, hidden, role), 0
    for one in attempts(api, given):
        if one.kind not in HIDDEN_KINDS:
            continue
        answers = [one.send(role, value) for value in (one.unknown(), hidden[one.kind])]
        first, second = alike(*answers)
        assert first == second, one.operation
        assert first["code"] in ("reference_unknown", "insufficient_scope"), (one.operation, first)
        refused += first["code"] == "reference_unknown"
    assert seen(api, hidden, role) == before
    assert bool(refused) == (role in ("provincial_coordinator", "regency_facilitator", "team_member"))


def test_every_fault_is_named(api, given):
    """All members that name what is unknown, in one answer, lists too; what is known is not among them."""
    nobody = [str(uuid.uuid4()) for _ in range(3)]
    body = {"kind": "internal", "planned_for": "2020-01-01", "region_code": "99",
            "organizations": [{"id": nobody[0]}, {"id": given["organization"]}, {"id": nobody[1]}, {"name": "X", "sector": "bank"}, {"id": nobody[2]}]}
    answer = problem(api.post(f"/v1/tim-sinergi/{uuid.uuid4()}/meetings", json=body, token="national_admin"), 422, "reference_unknown")
    assert [fault["pointer"] for fault in answer["errors"]] == ["/region_code", "/organizations/0/id", "/organizations/2/id", "/organizations/4/id"]


def test_nothing_is_named_by_null(api):
    one = programs.person(api, organization_id=programs.organization(api)["id"])
    assert programs.change(api, f"/v1/people/{one['id']}", organization_id=None, library_id=None).status_code == 200


def test_what_is_in_reach_and_what_is_published_may_be_named(api, given):
    near = programs.person(api, region_code="19.01")["id"]
    published = programs.facilitator(api, "73.08")["person_id"]
    training = programs.training(api, region_code="19.01")
    for person in (near, published):
        programs.participant(api, training, token="regency_facilitator", person_id=person, role="staf")


def test_oneself_may_be_named(api):
    me = api.client("regency_facilitator")["client_id"]
    problem(api.post("/v1/assignments", token="regency_facilitator", json={"client_id": me, "role": "team_member", "region_code": "19.01"}),
            403, "assignment_self")


def test_the_erased_are_not_there(api):
    one, training = programs.person(api), programs.training(api)
    assert api.post(f"/v1/people/{one['id']}/erasure", token="national_admin", json={"reason": "diminta"}).status_code == 200
    problem(api.post(f"/v1/trainings/{training['id']}/participants", token="national_admin", json={"person_id": one["id"], "role": "staf"}),
            422, "reference_unknown")
