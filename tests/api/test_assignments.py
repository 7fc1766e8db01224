"""Assignments: who may appoint whom and where, the days, what has ended, and the last national administrator."""

import datetime
import json
import uuid
import zoneinfo

import pytest

from harness.assignments import PATH, appoint, appointed, change, end, user
from harness.client import problem
from harness.people import People
from harness.waiting import everywhere, until

TODAY = datetime.datetime.now(zoneinfo.ZoneInfo("Asia/Jakarta")).date()


def day(offset):
    return (TODAY + datetime.timedelta(days=offset)).isoformat()


@pytest.fixture(scope="module")
def places(own_api):
    """Libraries by their kind and place."""
    with own_api.service.owner.cursor() as cursor:
        found = {}
        for name, code in (("bangka", "19.01.06.2002"), ("belitung", "19.02.01.1001"), ("sulsel", "73.08.01.1001")):
            cursor.execute("SELECT id FROM library WHERE place = %s", (code,))
            row = cursor.fetchone()
            found[name] = str(row[0]) if row else None
    for name, code in (("bangka", "19.01.06.2002"), ("belitung", "19.02.01.1001"), ("sulsel", "73.08.01.1001")):
        if not found[name]:
            found[name] = own_api.post("/v1/libraries", token="national_admin", json={
                "name": f"Uji {name}", "kind": "village", "region_code": code}).json()["id"]
    for name, kind, code in (("regency", "regency", "19.01"), ("provincial", "provincial", "19")):
        answer = own_api.post("/v1/libraries", token="national_admin", json={"name": f"Uji {kind}", "kind": kind, "region_code": code})
        assert answer.status_code == 201, answer.text
        found[name] = answer.json()["id"]
    return found


# ---- who appoints whom, where --------------------------------------------------------------------------------

COORDINATOR, FACILITATOR = "provincial_coordinator", "regency_facilitator"  # of 19 and of 19.01
APPOINTMENTS = [  # appointer, role, place, what happens
    (COORDINATOR, "regency_facilitator", {"region_code": "19.01"}, None),
    (COORDINATOR, "regency_facilitator", {"region_code": "19.02"}, None),
    (COORDINATOR, "regency_facilitator", {"region_code": "73.08"}, "out_of_reach"),
    (COORDINATOR, "team_member", {"region_code": "19"}, None),
    (COORDINATOR, "team_member", {"region_code": "19.02"}, None),
    (COORDINATOR, "team_member", {"region_code": "73"}, "out_of_reach"),
    (COORDINATOR, "library_manager", {"library_id": "belitung"}, None),
    (COORDINATOR, "library_manager", {"library_id": "regency"}, None),
    (COORDINATOR, "library_manager", {"library_id": "provincial"}, "out_of_reach"),
    (COORDINATOR, "library_manager", {"library_id": "sulsel"}, "out_of_reach"),
    (COORDINATOR, "provincial_coordinator", {"region_code": "19"}, "delegation_missing"),
    (COORDINATOR, "integration", {"region_code": "19.01"}, "delegation_missing"),
    (COORDINATOR, "portal", {"region_code": "19"}, "delegation_missing"),
    (COORDINATOR, "national_admin", {}, "out_of_reach"),
    (COORDINATOR, "national_admin", {"region_code": "19"}, "delegation_missing"),
    (FACILITATOR, "library_manager", {"library_id": "bangka"}, None),
    (FACILITATOR, "library_manager", {"library_id": "belitung"}, "out_of_reach"),
    (FACILITATOR, "library_manager", {"library_id": "regency"}, "out_of_reach"),
    (FACILITATOR, "team_member", {"region_code": "19.01"}, None),
    (FACILITATOR, "team_member", {"region_code": "19"}, "out_of_reach"),
    (FACILITATOR, "regency_facilitator", {"region_code": "19.01"}, "delegation_missing"),
    (FACILITATOR, "regency_facilitator", {"region_code": "19.02"}, "out_of_reach"),
    (FACILITATOR, "provincial_coordinator", {"region_code": "19"}, "out_of_reach"),
]


@pytest.mark.parametrize("appointer,role,place,code", APPOINTMENTS)
def test_delegation_goes_downward(own_api, places, appointer, role, place, code):
    body = {name: places.get(value, value) for name, value in place.items()}
    answer = appoint(own_api, role, token=appointer, **body)
    if code:
        refused = problem(answer, 403, code)
        if code == "delegation_missing":
            assert role in refused["detail"] and "national_admin" in refused["detail"]
    else:
        assert answer.status_code == 201, answer.text
        made = answer.json()
        assert made["in_force"] and made["starts_on"] == TODAY.isoformat() and made["ends_on"] is None
        assert made["appointed_by"] == own_api.client(appointer)["client_id"]
        # whoever may give it may also end it, and nobody else below
        assert change(own_api, made["id"], token=appointer, ends_on=day(30)).status_code == 200
        assert end(own_api, made["id"], token=appointer).status_code == 200


@pytest.mark.parametrize("role,place", [
    ("national_admin", {}), ("national_analyst", {}), ("provincial_coordinator", {"region_code": "73"}),
    ("regency_facilitator", {"region_code": "73.08"}), ("team_member", {"region_code": "73.08"}),
    ("library_manager", {"library_id": "provincial"}), ("integration", {"region_code": "73.08.01.1001"}), ("portal", {}),
    ("public_app", {})])
def test_the_nation_appoints_everybody(own_api, places, role, place):
    body = {name: places.get(value, value) for name, value in place.items()}
    appointed(own_api, role, **body)
    client = own_api.service.cluster.make_client(own_api.service.database, "portal")["client_id"]
    appointed(own_api, role, client_id=client, **(body or {"national": True})) if role != "portal" else None


@pytest.mark.parametrize("role,place", [
    ("national_admin", {"region_code": "19"}), ("national_analyst", {"library_id": "bangka"}), ("provincial_coordinator", {"region_code": "19.01"}),
    ("provincial_coordinator", {}), ("regency_facilitator", {"region_code": "19"}), ("regency_facilitator", {"region_code": "19.01.06"}),
    ("team_member", {"region_code": "19.01.06"}), ("team_member", {}), ("library_manager", {"region_code": "19.01"}), ("library_manager", {})])
def test_a_role_stands_where_it_may(own_api, places, role, place):
    body = {name: places.get(value, value) for name, value in place.items()}
    problem(appoint(own_api, role, **body), 409, "assignment_place_mismatch")


def test_nobody_appoints_themselves(own_api, places):
    me = {role: own_api.client(role)["client_id"] for role in ("national_admin", COORDINATOR, FACILITATOR)}
    problem(appoint(own_api, "national_analyst", client_id=me["national_admin"]), 403, "assignment_self")
    problem(appoint(own_api, "library_manager", token=COORDINATOR, client_id=me[COORDINATOR], library_id=places["bangka"]), 403, "assignment_self")
    own = next(own_api.pages(f"{PATH}?client={me[FACILITATOR]}", token=FACILITATOR))
    problem(change(own_api, own["id"], token=FACILITATOR, ends_on=day(900)), 403, "assignment_self")
    problem(end(own_api, own["id"], token=FACILITATOR), 403, "assignment_self")
    # nor whoever appointed them
    above = next(own_api.pages(f"{PATH}?client={me[COORDINATOR]}", token="national_admin"))
    problem(end(own_api, above["id"], token=FACILITATOR), 404, "not_found")
    problem(own_api.get(f"{PATH}/{above['id']}", token=FACILITATOR), 404, "not_found")


def test_applications_are_the_nations(own_api):
    client = own_api.service.cluster.make_client(own_api.service.database, "portal")["client_id"]
    problem(appoint(own_api, "team_member", token=COORDINATOR, client_id=client, region_code="19"), 422, "reference_unknown")
    made = appointed(own_api, "team_member", client_id=client, region_code="19")
    problem(end(own_api, made["id"], token=COORDINATOR), 403, "assignment_client_nation")


@pytest.mark.parametrize("role", ["national_analyst", "team_member", "library_manager", "integration", "portal", "public_app"])
def test_others_appoint_nobody(own_api, role):
    problem(appoint(own_api, "portal", token=role), 403, "insufficient_scope")
    problem(own_api.get(PATH, token=role), 403, "insufficient_scope")


def test_an_appointer_whose_own_days_are_over(own_api):
    """The rights of the appointer are asked at each request, not once."""
    cluster, database = own_api.service.cluster, own_api.service.database
    client = cluster.make_client(database, COORDINATOR, region="19")
    answer = own_api.post("/oauth2/token", data={"grant_type": "client_credentials"}, auth=(client["client_id"], client["client_secret"]), token=None)
    token = answer.json()["access_token"]
    one = appointed(own_api, "team_member", token=token, region_code="19.01")
    mine = next(own_api.pages(f"{PATH}?client={client['client_id']}", token="national_admin"))
    assert end(own_api, mine["id"]).status_code == 200
    everywhere(own_api, lambda: own_api.get(PATH, token=token).status_code, 403)
    problem(appoint(own_api, "team_member", token=token, region_code="19.02"), 403, "insufficient_scope")
    problem(end(own_api, one["id"], token=token), 403, "insufficient_scope")


# ---- what is asked of a body --------------------------------------------------------------------------------------

def test_unknown_holders_and_places(own_api):
    problem(appoint(own_api, "portal", holder=str(uuid.uuid4())), 422, "reference_unknown")
    problem(appoint(own_api, "portal", client_id="c_nobody"), 422, "reference_unknown")
    problem(appoint(own_api, "library_manager", library_id=str(uuid.uuid4())), 422, "reference_unknown")
    problem(appoint(own_api, "portal", region_code="99"), 422, "reference_unknown")
    gone = user(own_api)
    with own_api.service.owner.cursor() as cursor:
        cursor.execute("UPDATE app_user SET status = 'erased', erased_at = now(), name = NULL WHERE id = %s", (gone,))
    problem(appoint(own_api, "portal", holder=gone), 422, "reference_unknown")


def test_a_closed_library_gets_no_manager(own_api):
    library = own_api.post("/v1/libraries", token="national_admin", json={"name": "Tutup", "kind": "tbm", "region_code": "19.01.07.2004"})
    path = f"/v1/libraries/{library.json()['id']}"
    assert own_api.delete(path, headers={"If-Match": library.headers["ETag"]}, token="national_admin").status_code == 204
    problem(appoint(own_api, "library_manager", library_id=library.json()["id"]), 409, "library_closed")


def test_one_holder_and_one_place(own_api):
    holder = user(own_api)
    for body in ({"role": "portal", "national": True}, {"role": "portal", "user_id": holder}, {"user_id": holder, "national": True},
                 {"role": "portal", "user_id": holder, "national": True, "region_code": "19"}, {"role": "king", "user_id": holder, "national": True},
                 {"role": "portal", "user_id": holder, "national": False},
                 {"role": "portal", "user_id": holder, "client_id": own_api.client("portal")["client_id"], "region_code": "19"}):
        problem(own_api.post(PATH, token="national_admin", json=body), 422, "invalid_body")


def test_the_same_request_again(own_api):
    body = {"id": "01a1fdc3-5794-7ad4-bf33-412c110bd3ca", "user_id": user(own_api), "role": "portal", "region_code": "19"}
    assert own_api.post(PATH, token="national_admin", json=body).status_code == 201
    again = own_api.post(PATH, token="national_admin", json=body)
    assert again.status_code == 200 and again.json()["id"] == body["id"]
    problem(own_api.post(PATH, token="national_admin", json=body | {"role": "integration"}), 409, "id_taken")


# ---- days -------------------------------------------------------------------------------------------------------------

def test_days(own_api):
    holder = user(own_api)
    problem(appoint(own_api, "portal", holder=holder, starts_on=day(2), ends_on=day(1)), 409, "period_reversed")
    problem(appoint(own_api, "portal", holder=holder, ends_on=day(-1)), 409, "period_reversed")
    one = appointed(own_api, "portal", holder=holder, starts_on=day(-20), ends_on=day(10))
    assert one["in_force"]
    for first, last in ((day(10), None), (day(-30), day(-20)), (None, day(3))):
        body = {name: value for name, value in (("starts_on", first), ("ends_on", last)) if value}
        problem(appoint(own_api, "portal", holder=holder, **body), 409, "assignment_exists")
    later = appointed(own_api, "portal", holder=holder, starts_on=day(11))
    assert not later["in_force"]
    problem(change(own_api, one["id"], ends_on=day(11)), 409, "assignment_exists")
    problem(change(own_api, one["id"], starts_on=day(-19)), 409, "assignment_begun")
    problem(change(own_api, one["id"], ends_on=day(-21)), 409, "period_reversed")
    assert change(own_api, later["id"], starts_on=day(12), note="SK 1/2026").json()["note"] == "SK 1/2026"
    problem(own_api.patch(f"{PATH}/{one['id']}", {"ends_on": None}, token="national_admin"), 428, "precondition_required")
    problem(own_api.patch(f"{PATH}/{one['id']}", {"ends_on": None}, etag='"999.x"', token="national_admin"), 412, "precondition_failed")
    problem(end(own_api, one["id"], headers={"If-Match": '"999.x"'}), 412, "precondition_failed")


def test_what_has_ended_stays(own_api):
    one = appointed(own_api, "portal", starts_on=day(-20))
    ended = end(own_api, one["id"], json={"note": "pindah tugas"})
    assert ended.status_code == 200 and ended.json()["ends_on"] == day(-1) and not ended.json()["in_force"]
    assert ended.json()["note"] == "pindah tugas" and ended.json()["starts_on"] == day(-20)
    problem(end(own_api, one["id"]), 409, "assignment_ended")
    problem(change(own_api, one["id"], ends_on=None), 409, "assignment_ended")
    for first in (0, 5):  # ended before anybody had it
        one = appointed(own_api, "portal", starts_on=day(first))
        ended = end(own_api, one["id"]).json()
        assert (ended["starts_on"], ended["ends_on"], ended["in_force"]) == (day(first), day(first - 1), False)
        problem(end(own_api, one["id"]), 409, "assignment_ended")
        appointed(own_api, "portal", holder=one["user_id"])


def test_an_unknown_assignment(own_api):
    nobody = str(uuid.uuid4())
    problem(own_api.get(f"{PATH}/{nobody}", token="national_admin"), 404, "not_found")
    problem(end(own_api, nobody), 404, "not_found")
    problem(own_api.patch(f"{PATH}/{nobody}", {"ends_on": None}, etag="*", token="national_admin"), 404, "not_found")


# ---- the last national administrator -----------------------------------------------------------------------------------

def test_the_last_national_administrator_stays(own_api, own_database):
    """The client of the tests is one; a second, who cannot act, counts for nothing."""
    with own_database.cursor() as cursor:
        cursor.execute("SELECT id FROM assignment WHERE role = 'national_admin' AND ends_on IS NULL AND client_id IS DISTINCT FROM %s",
                       (own_api.client("national_admin")["client_id"],))
        for (one,) in cursor.fetchall():
            assert end(own_api, one).status_code == 200
        cursor.execute("SELECT id FROM assignment WHERE client_id = %s", (own_api.client("national_admin")["client_id"],))
        own = str(cursor.fetchone()[0])
    second = own_api.service.cluster.make_client(own_api.service.database, "national_admin")
    answer = own_api.post("/oauth2/token", data={"grant_type": "client_credentials"},
                          auth=(second["client_id"], second["client_secret"]), token=None)
    other = answer.json()["access_token"]
    sleeping = appointed(own_api, "national_admin", holder=user(own_api, status="invited"))
    theirs = next(own_api.pages(f"{PATH}?client={second['client_id']}", token="national_admin"))
    assert end(own_api, theirs["id"]).status_code == 200
    problem(end(own_api, own, token=other), 403, "insufficient_scope")

    theirs = appointed(own_api, "national_admin", client_id=second["client_id"], ends_on=day(30))  # only for a while: no successor
    until(lambda: all(own_api.get("/v1/clients", token=other).status_code == 200 for _ in own_api.service.addresses))
    problem(end(own_api, own, token=other), 409, "assignment_last_admin")
    problem(change(own_api, own, token=other, ends_on=day(900)), 409, "assignment_last_admin")
    with own_database.cursor() as cursor:
        with pytest.raises(Exception, match="assignment_last_admin"):
            cursor.execute("UPDATE client SET status = 'suspended' WHERE id = %s", (own_api.client("national_admin")["client_id"],))
        cursor.execute("UPDATE app_user SET status = 'active' WHERE id = %s", (sleeping["user_id"],))
        cursor.execute("UPDATE client SET status = 'suspended' WHERE id = %s", (own_api.client("national_admin")["client_id"],))
        with pytest.raises(Exception, match="assignment_last_admin"):
            cursor.execute("UPDATE app_user SET status = 'disabled', disabled_reason = 'x' WHERE id = %s", (sleeping["user_id"],))
        with pytest.raises(Exception, match="assignment_last_admin"):
            cursor.execute("UPDATE assignment SET ends_on = today() WHERE id = %s", (sleeping["id"],))
        cursor.execute("UPDATE client SET status = 'active' WHERE id = %s", (own_api.client("national_admin")["client_id"],))
        with pytest.raises(Exception, match="keeps its rows"):
            cursor.execute("DELETE FROM assignment WHERE id = %s", (own,))


# ---- lists -------------------------------------------------------------------------------------------------------------

def test_lists_show_what_is_in_reach(own_api, places):
    near = appointed(own_api, "library_manager", library_id=places["bangka"])
    far = appointed(own_api, "library_manager", library_id=places["sulsel"])
    ids = {role: {one["id"] for one in own_api.pages(f"{PATH}?limit=5", token=role)} for role in ("national_admin", COORDINATOR, FACILITATOR)}
    assert ids["national_admin"] > ids[COORDINATOR] > ids[FACILITATOR]
    assert near["id"] in ids[FACILITATOR] and far["id"] not in ids[COORDINATOR] and far["id"] in ids["national_admin"]
    for one in own_api.pages(f"{PATH}?expand=library", token=FACILITATOR):
        assert (one["region_code"] or one["library"]["region_code"]).startswith("19.01")


def test_filters(own_api, places):
    holder, since = user(own_api, name="Bu Ani"), appointed(own_api, "portal")["updated_at"]
    past = appointed(own_api, "library_manager", holder=holder, library_id=places["belitung"], starts_on=day(-60), ends_on=day(-30))
    now = appointed(own_api, "team_member", holder=holder, region_code="19.02", starts_on=day(-40))

    def found(query):
        return [one["id"] for one in own_api.pages(f"{PATH}?{query}", token="national_admin")]

    assert found(f"user={holder}") == [past["id"], now["id"]]
    assert found(f"user={holder}&role=team_member,portal") == [now["id"]]
    assert past["id"] in found(f"library={places['belitung']}") and now["id"] not in found(f"library={places['belitung']}")
    assert {past["id"], now["id"]} <= set(found("within=19.02")) and past["id"] not in found("within=19.01")
    assert found(f"user={holder}&as_of={day(-35)}") == [past["id"], now["id"]] and found(f"user={holder}&as_of={day(-30)}")[0] == past["id"]
    assert found(f"user={holder}&as_of={day(0)}") == [now["id"]] and found(f"user={holder}&as_of={day(-50)}") == [past["id"]]
    assert {past["id"], now["id"]} <= set(found(f"updated_since={since}&sort=updated_at"))
    client = own_api.client("portal")["client_id"]
    assert [one["role"] for one in own_api.pages(f"{PATH}?client={client}&expand=client,user,region,library", token="national_admin")] == ["portal"]
    one = own_api.get(f"{PATH}/{past['id']}?expand=user,client,region,library", token="national_admin").json()
    assert one["user"]["name"] == "Bu Ani" and one["client"] is None and one["region"] is None and one["library"]["id"] == places["belitung"]
    table = own_api.get(f"{PATH}?format=csv&user={holder}&fields=id,role", token="national_admin")
    assert table.text.splitlines() == ["\ufeffid,role", f"{past['id']},library_manager", f"{now['id']},team_member"]


def test_an_assignment_moves_with_its_library(own_api):
    library = own_api.post("/v1/libraries", token="national_admin", json={
        "name": "Pindah", "kind": "tbm", "region_code": "19.01.07.2004", "founded_on": "2012-01-01"}).json()["id"]
    one = appointed(own_api, "library_manager", library_id=library)
    assert own_api.get(f"{PATH}/{one['id']}", token=FACILITATOR).status_code == 200
    moved = own_api.post(f"/v1/libraries/{library}/moves", token="national_admin", json={
        "region_code": "73.08.01.1001", "supervisor_id": None, "effective_on": "2020-05-01", "reason": "uji"})
    assert moved.status_code in (200, 201), moved.text
    problem(own_api.get(f"{PATH}/{one['id']}", token=FACILITATOR), 404, "not_found")
    assert one["id"] in {found["id"] for found in own_api.pages(f"{PATH}?within=73.08", token="national_admin")}


# ---- two charges of one person ------------------------------------------------------------------------------------------

def test_each_charge_appoints_in_its_own_place(own_api, places):
    """A coordinator of one province who is a facilitator elsewhere does there what a facilitator does, and nothing between."""
    people = People(own_api)
    person = people.user(COORDINATOR, region="19")
    people.assign(person["id"], FACILITATOR, region="73.08")
    people.assign(person["id"], COORDINATOR, region="32", starts_on=-9, ends_on=-1)
    token = people.token(person)
    problem(appoint(own_api, FACILITATOR, token=token, region_code="73.08"), 403, "delegation_missing")
    appointed(own_api, FACILITATOR, token=token, region_code="19.02")
    appointed(own_api, "library_manager", token=token, library_id=places["sulsel"])
    answer = own_api.post("/v1/libraries", token="national_admin", json={"name": "Uji", "kind": "regency", "region_code": "73.08"})
    problem(appoint(own_api, "library_manager", token=token, library_id=answer.json()["id"]), 403, "out_of_reach")
    between, over = appointed(own_api, "portal", region_code="33"), appointed(own_api, "portal", region_code="32")
    listed = {one["id"] for one in own_api.pages(f"{PATH}?limit=100", token=token)}
    assert listed and not {between["id"], over["id"]} & listed
    problem(own_api.get(f"{PATH}/{between['id']}", token=token), 404, "not_found")
    mine = {one["user_id"] for one in own_api.pages(f"{PATH}?user={person['id']}", token=token)}
    assert mine == {person["id"]}
    problem(appoint(own_api, "team_member", token=token, holder=person["id"], region_code="19"), 403, "assignment_self")


# ---- in an emergency ----------------------------------------------------------------------------------------------------

def test_the_command_line(own_api, own_database):
    cluster, database = own_api.service.cluster, own_api.service.database

    def run(*words):
        return cluster.run(database, "assignment", *words, check=False)

    holder = user(own_api)
    with own_database.cursor() as cursor:
        cursor.execute("SELECT username FROM app_user WHERE id = %s", (holder,))
        name = cursor.fetchone()[0]
    made = json.loads(run("create", "--holder", name, "--role", "national_admin", "--until", day(3)).stdout)
    assert (made["holder"], made["role"], made["ends_on"]) == (holder, "national_admin", day(3))
    one = own_api.get(f"{PATH}/{made['id']}", token="national_admin").json()
    assert one["national"] and one["appointed_by"] == "command line"
    region = json.loads(run("create", "--holder", holder, "--role", "regency_facilitator", "--region", "19.01").stdout)
    assert region["ends_on"] is None
    assert json.loads(run("end", "--id", made["id"]).stdout)["ends_on"] == day(-1)
    assert [json.loads(line)["id"] for line in run("end", "--holder", name).stdout.splitlines()] == [region["id"]]
    assert run("end", "--holder", name).returncode == 1
    for words, code in ((("--role", "regency_facilitator"), "assignment_place_mismatch"), (("--role", "portal", "--region", "99"), "region_unknown")):
        refused = run("create", "--holder", holder, *words)
        assert refused.returncode == 1 and code in refused.stderr, refused.stderr
    refused = run("create", "--holder", "nobody", "--role", "portal")
    assert refused.returncode == 1 and "reference_unknown" in refused.stderr
    for words in ((), ("create", "--holder", holder), ("end",), ("end", "--id", "x", "--holder", "y"), ("end", "--role", "portal", "--id", "x"),
                  ("create", "--holder", holder, "--role", "portal", "--colour", "red"), ("move",)):
        assert run(*words).returncode == 2
