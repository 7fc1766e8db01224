"""Who may do what, where: every operation as every role, inside and outside its reach, and without a token.

The expected cells are written from the programme's table of rights, not from the contract: for each operation the
roles that may do it, and how far down from the nation they may do it. Everything else is refused."""

import uuid

import pytest

from harness.client import problem
from harness.rights import (BANGKA, BELITUNG, EVERYBODY, OWN_LIBRARY, SPOTS, SULSEL, WRITERS_BY_KIND, assert_refused, decided,
                            reaches, stage, try_row, who)  # noqa: F401

# What a library role may do at its own library besides.
OWN = {
    "update_library": {"library_manager"}, "get_library_contact": {"library_manager"},
    "put_identifier": {"library_manager", "integration"},
    "delete_identifier": {"library_manager", "integration"},
}
READS = {"list_regions", "get_region", "list_libraries", "get_library", "list_ancestors",
         "list_descendants", "list_placements", "list_identifiers", "list_enumerations"}
WRITES = {"create_library", "update_library", "delete_library", "move_library", "put_identifier",
          "delete_identifier", "get_library_contact"}


def allowed(operation, role, kind, place):
    if operation in READS:
        return True
    if place == OWN_LIBRARY and role in OWN.get(operation, set()):
        return True
    return role in WRITERS_BY_KIND[kind] and reaches(role, place)


@pytest.fixture(scope="module")
def admin(api):
    """Makes libraries as the nation does."""
    def make(kind, place):
        region = {"village": SPOTS.get(place), "tbm": SPOTS.get(place), "regency": place, "provincial": place[:2]}[kind]
        answer = api.post("/v1/libraries", token="national_admin", once=True, json={
            "name": f"Uji hak {uuid.uuid4().hex[:8]}", "kind": kind, "region_code": region, "founded_on": "2012-01-01",
            "phone": "0717000000"})
        assert answer.status_code == 201, answer.text
        return answer.json()["id"]
    return make


@pytest.fixture(scope="module")
def own_library(cluster, service):
    return cluster.library_at(service.database, "19.01.06.2002")


class Attempt:
    """Does one operation at one library, with everything about the request right except, perhaps, the caller."""

    def __init__(self, api, role, library, region):
        self.api, self.role, self.library, self.region = api, role, library, region
        self.path = f"/v1/libraries/{library}"

    def etag(self):
        return {"If-Match": self.api.get(self.path, token="national_admin").headers["ETag"]}

    def create_library(self):
        return self.api.post("/v1/libraries", token=self.role, json={
            "name": "Uji hak", "kind": self.kind, "region_code": self.region})

    def update_library(self):
        return self.api.patch(self.path, {"website": f"https://{uuid.uuid4().hex}.example.id"}, token=self.role,
                              headers=self.etag())

    def delete_library(self):
        return self.api.delete(self.path, token=self.role, headers=self.etag())

    def move_library(self):
        return self.api.post(self.path + "/moves", token=self.role, json={
            "region_code": self.region, "supervisor_id": None, "effective_on": "2020-05-01", "reason": "uji"})

    def put_identifier(self):
        return self.api.put(self.path + "/identifiers/other", token=self.role, json={"value": uuid.uuid4().hex})

    def delete_identifier(self):
        self.api.put(self.path + "/identifiers/onesearch", token="national_admin", json={"value": uuid.uuid4().hex})
        return self.api.delete(self.path + "/identifiers/onesearch", token=self.role)

    def get_library_contact(self):
        return self.api.get(self.path + "/contact", token=self.role)


def test_every_operation_has_its_row(contract):
    behind_a_token = {operation["operationId"] for _, operation in contract.operations() if operation["security"]}
    rows = decided()
    assert behind_a_token == set(rows)
    assert not {operation: oracles for operation, oracles in rows.items() if len(oracles) > 1}


@pytest.mark.parametrize("role", sorted(EVERYBODY))
@pytest.mark.parametrize("operation", sorted(READS))
def test_published_data_know_no_reach(api, own_library, operation, role):
    paths = {
        "list_regions": "/v1/regions?limit=1", "get_region": "/v1/regions/73.08", "list_libraries": "/v1/libraries?within=73",
        "get_library": f"/v1/libraries/{own_library}", "list_enumerations": "/v1/enumerations",
        "list_ancestors": f"/v1/libraries/{own_library}/ancestors",
        "list_descendants": f"/v1/libraries/{own_library}/descendants",
        "list_placements": f"/v1/libraries/{own_library}/placements",
        "list_identifiers": f"/v1/libraries/{own_library}/identifiers",
    }
    assert api.get(paths[operation], token=role).status_code == 200


CELLS = [("village", BANGKA), ("village", BELITUNG), ("village", SULSEL), ("tbm", BANGKA), ("regency", BANGKA), ("regency", SULSEL),
         ("provincial", "19.01")]
SPENDS = {"delete_library", "move_library"}


@pytest.mark.parametrize("role", sorted(EVERYBODY))
@pytest.mark.parametrize("operation", sorted(WRITES))
def test_row(api, admin, own_library, stage, operation, role):  # noqa: F811
    def attempt(kind, place):
        region = {"village": SPOTS.get(place, "19.01.06.2002"), "tbm": SPOTS.get(place), "regency": place,
                  "provincial": place[:2]}[kind]
        library = None
        if operation != "create_library":
            library = own_library if place == OWN_LIBRARY else stage.get((kind, place), lambda: admin(kind, place))
        one = Attempt(api, role, library, region)
        one.kind = kind
        return getattr(one, operation)()

    def judge(answer, kind, place):
        if not allowed(operation, role, kind, place):
            assert_refused(answer)
        elif place == OWN_LIBRARY and operation == "move_library":
            # stands since 2019: moving it to 2020 is allowed once, then too early
            assert answer.status_code < 300 or answer.json()["code"] == "date_before_previous", answer.text
        else:
            assert answer.status_code < 300, answer.text
            if operation in SPENDS:
                stage.spend()
        stage.keep()

    cells = CELLS + [("village", OWN_LIBRARY)] * (operation not in ("create_library", "delete_library"))
    try_row(cells, attempt, judge, lambda kind, place: allowed(operation, role, kind, place))


def test_a_move_needs_both_places(api, admin):
    """A facilitator may not push a library out of the kabupaten, nor pull one in."""
    for start, end in ((BANGKA, BELITUNG), (BELITUNG, BANGKA)):
        library = admin("village", start)
        body = {"region_code": SPOTS[end], "supervisor_id": None, "effective_on": "2020-05-01", "reason": "uji"}
        problem(api.post(f"/v1/libraries/{library}/moves", json=body, token="regency_facilitator"), 403, "out_of_reach")


def test_without_a_token(api, contract):
    """Every operation behind a token asks for one, whatever else is wrong with the request."""
    for route_parameters, pattern, operations in contract.routes:
        for method, operation in operations.items():
            if not operation["security"]:
                continue
            path = pattern.pattern[1:-1].replace("\\", "").replace("[^/]+", "x")
            answer = api.request(method, path, token=None)
            assert "Bearer" in answer.headers["WWW-Authenticate"], (path, route_parameters)
            problem(answer, 401, "unauthorized")
