"""Nobody reads of a person by putting them somewhere: not by a training, a team, a visit or an account."""

import uuid

import pytest

from harness import libraries, programs
from harness import replications as r
from harness.client import problem
from harness.rights import OWN_VILLAGE
from harness.teams import PATH as TEAMS
from harness.teams import add, join, team
from harness.users import PATH as USERS
from harness.users import body_of, invite

FACILITATOR, COORDINATOR = "regency_facilitator", "provincial_coordinator"  # of 19.01 and of 19
HEAD = {"organization": {"name": "Bappeda Uji", "sector": "planning_agency"}}
PHONE = "0811-rahasia"


@pytest.fixture(scope="module")
def api(own_api):
    return own_api


@pytest.fixture(scope="module")
def own_team(api):
    return team(api, "19.01", formed_on="2018-01-01")["id"]


def with_contact(api, one):
    answer = api.put(f"/v1/people/{one}/contact", token="national_admin", json={"phone": PHONE, "email": "rahasia@example.id", "purpose": "uji"})
    assert answer.status_code in (200, 201, 204), answer.text
    return one


def stranger(api, region="32.73"):
    """Somebody unpublished, elsewhere, who can be reached."""
    return with_contact(api, programs.person(api, region_code=region)["id"])


def celebrity(api):
    """Somebody published, elsewhere, who can be reached."""
    return with_contact(api, programs.facilitator(api, "73.08")["person_id"])


def sees_nothing(api, one, token=FACILITATOR):
    for path in (f"/v1/people/{one}", f"/v1/people/{one}/contact"):
        problem(api.get(path, token=token), 404, "not_found")
    answer = api.get(f"/v1/people/{one}/personal-data", token=token)
    assert answer.status_code in (403, 404) and PHONE not in answer.text


def test_a_stranger_is_put_nowhere(api, own_team):
    one = stranger(api)
    sees_nothing(api, one)
    training = programs.training(api, region_code="19.01")
    library = api.service.cluster.library_at(api.service.database, OWN_VILLAGE)
    leaving = join(api, own_team)
    named = join(api, own_team)
    attempts = [
        api.post(f"/v1/trainings/{training['id']}/participants", token=FACILITATOR, json={"person_id": one, "role": "staf"}),
        add(api, own_team, "members", token=FACILITATOR, person_id=one, **HEAD),
        add(api, own_team, "substitutions", token=FACILITATOR, leaving_member_id=leaving["id"], on="2020-05-01", reason="moved_office",
            member={"person_id": one, **HEAD}),
        api.patch(f"{TEAMS}/{own_team}/members/{named['id']}", {"person_id": one, "name": None}, etag="*", token=FACILITATOR),
        api.post("/v1/visits", token=FACILITATOR, json={"library_id": library, "kind": "mentoring", "person_id": one}),
        api.post(USERS, token=FACILITATOR, json=body_of(person_id=one)),
    ]
    for answer in attempts:
        body = problem(answer, 422, "reference_unknown")
        assert [fault["pointer"].endswith("/person_id") for fault in body["errors"]] == [True]
    sees_nothing(api, one)
    assert one not in api.get("/v1/people?limit=500&within=32").text


def test_an_own_membership_opens_no_contact(api, own_team):
    """Of somebody who is known to everybody, but not the facilitator's: the name, as before."""
    one = celebrity(api)
    member = join(api, own_team, token=FACILITATOR, person_id=one, name=...)
    assert member["person_id"] == one
    problem(api.get(f"{TEAMS}/{own_team}/members/{member['id']}/contact", token=FACILITATOR), 403, "out_of_reach")
    problem(api.get(f"/v1/people/{one}/contact", token=FACILITATOR), 403, "out_of_reach")
    named = join(api, own_team, token=FACILITATOR)
    other = celebrity(api)
    answer = api.patch(f"{TEAMS}/{own_team}/members/{named['id']}", {"person_id": other, "name": None}, etag="*", token=FACILITATOR)
    assert answer.status_code == 200, answer.text
    problem(api.get(f"{TEAMS}/{own_team}/members/{named['id']}/contact", token=FACILITATOR), 403, "out_of_reach")
    third = celebrity(api)
    answer = add(api, own_team, "substitutions", token=FACILITATOR, leaving_member_id=member["id"], on="2020-05-01", reason="moved_office",
                 member={"person_id": third, **HEAD})
    assert answer.status_code == 201, answer.text
    problem(api.get(f"{TEAMS}/{own_team}/members/{answer.json()['member_id']}/contact", token=FACILITATOR), 403, "out_of_reach")


def test_whom_the_nation_or_their_region_put_there_can_be_reached(api, own_team):
    far, near = stranger(api), stranger(api, "19.02")
    for one, token in ((far, "national_admin"), (near, COORDINATOR)):
        member = join(api, own_team, token=token, person_id=one, name=...)
        for path in (f"{TEAMS}/{own_team}/members/{member['id']}/contact", f"/v1/people/{one}/contact"):
            answer = api.get(path, token=FACILITATOR)
            assert answer.status_code == 200 and answer.json()["phone"] == PHONE, path


def test_a_person_begins_where_the_writer_may(api):
    """In region and library alike."""
    elsewhere = programs.library(api, place="73.08")["id"]
    near = libraries.made(api, kind="village", region_code="19.01.07.2004", founded_on="2012-01-01")["id"]
    for body in ({"region_code": "19.01", "library_id": elsewhere}, {"library_id": elsewhere}, {"region_code": "73.08", "library_id": near}):
        problem(api.post("/v1/people", token=FACILITATOR, json={"name": "X", **body}), 403, "out_of_reach")
    assert api.post("/v1/people", token=FACILITATOR, json={"name": "X", "region_code": "19.01", "library_id": near}).status_code == 201


# ---- ids in what all clients read ------------------------------------------------------------------------------------------

def test_a_visit_does_not_tell_who_is_unpublished(api):
    library = api.service.cluster.library_at(api.service.database, OWN_VILLAGE)
    hidden, published = programs.person(api)["id"], programs.facilitator(api)["person_id"]
    for one, shown in ((hidden, None), (published, published)):
        visit = programs.post(api, "/v1/visits", {"library_id": library, "kind": "mentoring", "person_id": one})
        for token, expected in (("portal", shown), ("library_manager", shown), (FACILITATOR, one), ("national_admin", one)):
            assert api.get(f"/v1/visits/{visit['id']}", token=token).json()["person_id"] == expected, token
            [listed] = [item for item in api.pages(f"/v1/visits?library={library}", token=token) if item["id"] == visit["id"]]
            assert listed["person_id"] == expected


def test_a_member_whose_data_are_restricted_is_not_named(api, own_team):
    one = programs.person(api)["id"]
    member = join(api, own_team, person_id=one, name=...)
    assert member["person_id"] == one
    answer = api.post(f"/v1/people/{one}/restriction", token="national_admin", json={"reason": "diminta"})
    assert answer.status_code in (200, 201), answer.text
    [listed] = [item for item in api.pages(f"{TEAMS}/{own_team}/members") if item["id"] == member["id"]]
    assert (listed["person_id"], listed["name"]) == (None, None)


def test_who_mentored_and_is_certified_no_more_is_not_named(api):
    one, him = r.proposed(api), programs.facilitator(api)
    path = f"/v1/replications/{one['id']}/facilitators"
    assert api.put(f"{path}/{him['person_id']}", json={}, token="national_admin").status_code == 201
    people = lambda token: [(item["person_id"], bool(item["name"])) for item in api.pages(path, token=token)]  # noqa: E731
    mentored = lambda token: [item["id"] for item in api.pages(f"/v1/replications?facilitator={him['person_id']}", token=token)]  # noqa: E731
    assert people("portal") == [(him["person_id"], True)] and mentored("portal") == [one["id"]]
    certificate = f"/v1/trainings/{him['training_id']}/participants/{him['id']}/certification"
    assert api.delete(certificate, token="national_admin").status_code == 204
    assert people("portal") == [] and people(FACILITATOR) == people("national_admin") == [(him["person_id"], False)]
    assert mentored("portal") == [] and mentored(FACILITATOR) == mentored("national_admin") == [one["id"]]  # nor found by the filter


def test_no_filter_finds_a_person_for_who_may_not_know_of_one(api, contract):
    """Every filter of the contract that takes a person's id, of one whose data are restricted and who takes part in all that can be filtered."""
    one, him, user = r.proposed(api), programs.facilitator(api), api.people.user("portal")
    assert api.put(f"/v1/replications/{one['id']}/facilitators/{him['person_id']}", json={}, token="national_admin").status_code == 201
    api.people.sql("UPDATE app_user SET person_id = %s WHERE id = %s", him["person_id"], user["id"])
    assert api.post(f"/v1/people/{him['person_id']}/restriction", token="national_admin", json={"reason": "diminta"}).ok
    tried = []
    for path, methods in contract.document["paths"].items():
        operation = contract.resolve(methods.get("get", {}))
        for parameter in map(contract.resolve, operation.get("parameters", [])):
            if parameter["in"] != "query" or parameter["name"] not in ("facilitator", "person"):
                continue
            tried.append(operation["operationId"])
            query = f"{path}?{parameter['name']}={him['person_id']}"
            assert api.get(query, token="national_admin").json()["items"], "what it is about can be found"
            for token in ("portal", "public_app"):
                answer = api.get(query, token=token)
                assert answer.status_code == 403 or answer.json()["items"] == [], (query, token)
    assert sorted(tried) == ["list_personal_data_requests", "list_replications", "list_users"]


@pytest.mark.parametrize("thing", ["participation", "replication"])
def test_a_history_tells_who_acted_to_those_it_concerns(api, thing):
    if thing == "participation":
        path = f"/v1/participations/{programs.participation(api, library_id=programs.library(api)['id'])['id']}/history"
    else:
        path = f"/v1/replications/{r.proposed(api)['id']}/history"
    admin = api.client("national_admin")["client_id"]
    for token, expected in (("portal", None), ("public_app", None), (FACILITATOR, admin), ("national_admin", admin)):
        assert {step["actor"] for step in api.pages(path, token=token)} == {expected}, token


# ---- what was read ----------------------------------------------------------------------------------------------------------

def test_the_document_of_an_account_is_read_of_its_person_too(api, own_database):
    one = stranger(api)
    user = invite(api, person_id=one)
    api.people.assign(user["id"], "portal")
    with own_database.cursor() as cursor:
        cursor.execute("SELECT user_password_set(%s, %s, 'test')", (user["id"], "$argon2id$x"))
    answer = api.get(f"/v1/users/{user['id']}/personal-data", token="national_admin")
    assert answer.status_code == 200 and answer.json()["person"]["contact"]["phone"] == PHONE
    with own_database.cursor() as cursor:
        cursor.execute("SELECT table_name, row_key ->> 'id' FROM audit WHERE action = 'read' AND request_id = %s ORDER BY 1",
                       (answer.headers["X-Request-Id"],))
        assert cursor.fetchall() == [("app_user", user["id"]), ("person", one)]


# ---- the same request again -----------------------------------------------------------------------------------------------

def test_a_repetition_shows_nothing_that_is_gone(api, own_database):
    """With an id of its own, after what it made was erased, moved out of reach, deleted, or named below another parent."""
    token = FACILITATOR
    one = {"id": str(uuid.uuid4()), "name": "X", "region_code": "19.01"}
    assert [api.post("/v1/people", token=token, json=one, once=True).status_code for _ in range(2)] == [201, 200]
    moved = {**one, "id": str(uuid.uuid4())}
    assert api.post("/v1/people", token=token, json=moved, once=True).status_code == 201
    assert programs.change(api, f"/v1/people/{moved['id']}", region_code="73.08").status_code == 200
    problem(api.post("/v1/people", token=token, json=moved, once=True), 409, "id_taken")
    assert api.post(f"/v1/people/{one['id']}/erasure", token="national_admin", json={"reason": "diminta"}).status_code == 200
    problem(api.post("/v1/people", token=token, json=one, once=True), 409, "id_taken")

    training, other = programs.training(api), programs.training(api)
    participant = {"id": str(uuid.uuid4()), "name": "Y", "role": "staf"}
    path = f"/v1/trainings/{training['id']}/participants"
    assert [api.post(path, token=token, json=participant, once=True).status_code for _ in range(2)] == [201, 200]
    problem(api.post(f"/v1/trainings/{other['id']}/participants", token=token, json=participant, once=True), 409, "id_taken")
    assert api.delete(f"{path}/{participant['id']}", token=token, headers={"If-Match": "*"}).status_code == 204
    problem(api.post(path, token=token, json=participant, once=True), 409, "id_taken")
    again = {**participant, "id": str(uuid.uuid4())}
    assert api.post(path, token=token, json=again, once=True).status_code == 201
    assert programs.change(api, f"/v1/trainings/{training['id']}", region_code="73.08").status_code == 200
    problem(api.post(path, token=token, json=again, once=True), 403, "out_of_reach")


def test_a_repetition_reads_an_account_as_it_is_read(api, own_database):
    body = body_of(id=str(uuid.uuid4()), email="a@example.id")
    assert api.post(USERS, token=FACILITATOR, json=body, once=True).status_code == 201
    again = api.post(USERS, token=FACILITATOR, json=body, once=True)
    assert again.status_code == 200 and again.json()["email"] == "a@example.id"
    with own_database.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM audit WHERE action = 'read' AND table_name = 'app_user' AND request_id = %s", (again.headers["X-Request-Id"],))
        assert cursor.fetchone() == (1,)
    assert api.patch(f"{USERS}/{body['id']}", {"email": "b@example.id"}, etag="*", token="national_admin").status_code == 200
    api.people.assign(body["id"], "team_member", region="32")
    again = api.post(USERS, token=FACILITATOR, json=body, once=True).json()
    assert (again["email"], again["username"], again["contact_hidden"]) == (None, None, True)
