"""Who may do what, where, with replications and visits.

Written from the programme's table: a kabupaten's facilitator proposes and advances replications to its villages; the province approves (and
rejects) those of its kabupaten, the nation those of a province; the nation does everything. Visits are written by whoever writes the
library, and by a Tim Sinergi as its own."""

import pytest

from harness import programs
from harness import replications as r
from harness.rights import BANGKA, BELITUNG, EVERYBODY, SPOTS, SULSEL, WRITES_VILLAGES, assert_refused, reaches, stage, try_row, who  # noqa: F401

READS = {"list_replications", "get_replication", "list_replication_history", "list_replication_facilitators", "list_lineage",
         "list_visits", "get_visit"}
ADVANCES = {"create_replication", "update_replication", "put_replication_facilitator", "delete_replication_facilitator"}
VISITS = {"create_visit", "update_visit"}
WRITES = ADVANCES | VISITS | {"move_replication"}

MOVES = {"committed": "advance", "cancelled": "advance", "approved": "approve", "rejected": "approve", "training": "advance",
         "mentoring": "advance", "active": "advance", "independent": "advance", "lapsed": "advance"}
BEFORE = {"committed": "proposed", "cancelled": "proposed", "approved": "committed", "rejected": "proposed", "training": "approved",
          "mentoring": "training", "active": "mentoring", "independent": "active", "lapsed": "active"}


def allowed(operation, role, place):
    if operation in VISITS:
        return role in WRITES_VILLAGES and reaches(role, place)
    if operation == "approve":
        return role in ("national_admin", "provincial_coordinator") and reaches(role, place)
    return role in ("national_admin", "regency_facilitator") and reaches(role, place)  # ADVANCES and advance


@pytest.fixture(scope="module")
def replication(own_api):
    return r.proposed(own_api)


@pytest.mark.parametrize("role", sorted(EVERYBODY))
@pytest.mark.parametrize("operation", sorted(READS))
def test_published_data_know_no_reach(own_api, replication, operation, role):
    one = replication["id"]
    visit = programs.post(own_api, "/v1/visits", {"library_id": programs.library(own_api)["id"], "kind": "mentoring"})["id"] \
        if operation == "get_visit" else None
    path = {"list_replications": "/v1/replications?within=73", "get_replication": f"/v1/replications/{one}",
            "list_replication_history": f"/v1/replications/{one}/history",
            "list_replication_facilitators": f"/v1/replications/{one}/facilitators",
            "list_lineage": f"/v1/libraries/{replication['replicator_id']}/lineage", "list_visits": "/v1/visits",
            "get_visit": f"/v1/visits/{visit}"}[operation]
    assert own_api.get(path, token=role).status_code == 200


def attempt(api, stage, operation, role, place):  # noqa: F811
    def shared(what, make):
        return stage.get((what, place), make)

    def proposed():
        library, phase = r.replicator(api, place)
        return r.proposed(api, replicator_id=library["id"], phase_id=phase["id"], village_code=code)

    code = SPOTS[place]
    if operation == "create_replication":
        library, phase = shared("replicator", lambda: r.replicator(api, place))
        return r.propose(api, role, replicator_id=library["id"], phase_id=phase["id"], village_code=code)
    if operation in VISITS:
        body = {"library_id": shared("library", lambda: programs.library(api, "village", place))["id"], "kind": "mentoring"}
        if operation == "create_visit":
            return api.post("/v1/visits", json=body, token=role)
        path = f"/v1/visits/{shared('visit', lambda: programs.post(api, '/v1/visits', body))['id']}"
        return api.patch(path, {"findings": programs.word()}, etag=programs.tag_of(api, path), token=role)
    path = f"/v1/replications/{shared('replication', proposed)['id']}"
    if operation == "update_replication":
        return api.patch(path, {"note": programs.word()}, etag=programs.tag_of(api, path), token=role)
    person = f"{path}/facilitators/{shared('facilitator', lambda: programs.facilitator(api, place))['person_id']}"
    if operation == "delete_replication_facilitator":
        assert api.put(person, json={}, token="national_admin").status_code in (200, 201)
        return api.delete(person, token=role)
    return api.put(person, json={}, token=role)


@pytest.mark.parametrize("role", sorted(EVERYBODY))
@pytest.mark.parametrize("operation", sorted(ADVANCES | VISITS))
def test_row(own_api, stage, operation, role):  # noqa: F811
    def judge(answer, place):
        if allowed(operation, role, place):
            assert answer.status_code < 300, answer.text
            if operation == "create_replication":
                stage.spend()
        else:
            assert_refused(answer)
        stage.keep()

    try_row([(place,) for place in (BANGKA, BELITUNG, SULSEL)], lambda place: attempt(own_api, stage, operation, role, place),
            judge, lambda place: allowed(operation, role, place))


@pytest.mark.parametrize("place", [BANGKA, BELITUNG, SULSEL])
@pytest.mark.parametrize("to", sorted(MOVES))
def test_transitions(own_api, to, place):
    """Every role tries, those who may not first; what GET says about it beforehand is what happens."""
    one = r.at(own_api, BEFORE[to], place, SPOTS[place])
    for role in sorted(EVERYBODY, key=lambda role: allowed(MOVES[to], role, place)):
        [shown] = [t for t in own_api.get(f"/v1/replications/{one['id']}", token=role).json()["allowed_transitions"] if t["to"] == to]
        more = {"on": "2024-07-01", **({"commitment": r.COMMITMENT} if to == "committed" else {})}
        if to == "active":
            programs.participant(own_api, programs.training(own_api), library_id=one["library_id"], role="pengelola")
        answer = r.step(own_api, one, to, role, **more)
        codes = {m["code"] for m in shown["missing"]} - {"replication_commitment_missing", "replication_manager_missing"}
        if allowed(MOVES[to], role, place):
            assert not codes and answer.status_code == 200, answer.text
            return
        assert_refused(answer, "replication_needs_province")
        assert answer.json()["code"] in codes or role in ("portal", "public_app", "integration", "library_manager", "national_analyst",
                                                          "team_member"), (role, codes, answer.text)
        assert codes, role


@pytest.mark.parametrize("to", ["approved", "rejected"])
def test_a_province_is_approved_by_the_nation(own_api, to):
    phase = programs.phase(own_api)
    one = r.proposed(own_api, replicator_id=programs.libraries.BANGKA_BELITUNG, phase_id=phase["id"])
    one = r.stepped(own_api, one, "committed", commitment=r.COMMITMENT)
    for role in ("regency_facilitator", "provincial_coordinator"):
        assert_refused(r.step(own_api, one, to, role), "replication_needs_nation")
    r.stepped(own_api, one, to)


def test_nobody_proposes_for_the_library_above(own_api):
    """A kabupaten's facilitator proposes for libraries of the kabupaten, not for the province's."""
    phase = programs.phase(own_api)
    assert_refused(r.propose(own_api, "regency_facilitator", replicator_id=programs.libraries.BANGKA_BELITUNG, phase_id=phase["id"]))
