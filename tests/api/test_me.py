"""Who am I, what may I do, where and until when: as it is now, not as it was when the token was made."""

import time

import pytest

from harness.assignments import appointed, end
from harness.client import problem
from harness.judged import UNTOLD
from harness.people import People
from harness.sweep import sweep
from harness.waiting import PATIENCE_SECONDS

PATH = "/v1/me"


@pytest.fixture(scope="module")
def people(own_api):
    return People(own_api)


def me(api, token, **options):
    answer = api.get(PATH, token=token, **options)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_a_client_that_acts_for_itself(own_api):
    one = me(own_api, "provincial_coordinator")
    client = own_api.client("provincial_coordinator")["client_id"]
    assert (one["subject"], one["kind"], one["user"]) == (client, "client", None)
    assert one["client"] == {"id": client, "name": "test provincial_coordinator", "allowed_region": None}
    assert "assignments:write" in one["scopes"] and "admin" not in one["scopes"]
    charge, = one["assignments"]
    assert (charge["role"], charge["region_code"], charge["region_name"], charge["in_force"]) == (
        "provincial_coordinator", "19", "Kepulauan Bangka Belitung", True)
    assert sorted(charge["scopes"]) == sorted(one["scopes"])


def test_a_person_through_an_app(own_api, people):
    person = people.user("library_manager", name="Bu Ani")
    people.assign(person["id"], "regency_facilitator", region="19.02", starts_on=5, ends_on=9)
    people.assign(person["id"], "portal", starts_on=-9, ends_on=-1)
    app = people.app(name="Aplikasi pustakawan", allowed_region="19.01", allowed_scopes=["published:read", "libraries:write"])
    one = me(own_api, people.token(person, app))
    assert one["subject"] == one["user"]["id"] == person["id"] and one["kind"] == "user"
    assert one["user"]["name"] == "Bu Ani" and one["user"]["language"] == "id"
    assert one["client"] == {"id": app["client_id"], "name": "Aplikasi pustakawan", "allowed_region": "19.01"}
    assert sorted(one["scopes"]) == ["libraries:write", "published:read"]
    now, later = one["assignments"]
    assert (now["role"], now["in_force"], now["library_name"] is None) == ("library_manager", True, False)
    assert sorted(now["scopes"]) == ["libraries:write", "published:read"]
    assert (later["role"], later["in_force"], later["region_code"]) == ("regency_facilitator", False, "19.02") and later["ends_on"]
    other = me(own_api, people.token(person))
    assert other["client"]["id"] != app["client_id"] and "figures:write" in other["scopes"], "another app, another answer"
    assert other["user"]["username"] == person["username"]
    narrow = me(own_api, people.token(person, scope="published:read"))
    assert person["username"] not in str(narrow) and narrow["user"]["username"] is None  # a user name may be an address
    assert narrow["scopes"] == ["published:read"] == narrow["assignments"][0]["scopes"]


def test_somebody_without_any_right(own_api, people):
    """No scope is needed to learn that one has none; the own account is everybody's, as far as they handed it to the app."""
    person = people.user()
    token = people.token(person)
    one = me(own_api, token)
    assert one["scopes"] == ["account:read", "account:write"] and one["assignments"] == []
    assert me(own_api, people.token(person, scope="published:read account:write"))["scopes"] == ["account:write"]
    assert me(own_api, people.token(person, scope="published:read"))["scopes"] == []
    problem(own_api.get("/v1/regions/19", token=token), 403, "insufficient_scope")


@pytest.mark.one_process
def test_what_is_given_and_taken_shows_at_once(own_api, people):
    person = people.user()
    token = people.token(person)
    before = own_api.get(PATH, token=token)
    assert own_api.get(PATH, token=token, headers={"If-None-Match": before.headers["ETag"]}).status_code == 304
    given = appointed(own_api, "team_member", holder=person["id"], region_code="19.01")
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not me(own_api, token)["assignments"] and time.monotonic() < deadline:
        time.sleep(0.05)
    after = own_api.get(PATH, token=token, headers={"If-None-Match": before.headers["ETag"]})
    assert after.status_code == 200 and [one["id"] for one in after.json()["assignments"]] == [given["id"]]
    assert "teams:write" in after.json()["scopes"]
    assert end(own_api, given["id"]).status_code == 200
    while me(own_api, token)["assignments"] and time.monotonic() < deadline:
        time.sleep(0.05)
    assert me(own_api, token)["assignments"] == []


def test_nobody(own_api, people):
    problem(own_api.get(PATH, token=None), 401, "unauthorized")
    person = people.user("portal")
    token = people.token(person)
    assert own_api.get(PATH, token=token).status_code == 200
    people.sql("UPDATE app_user SET status = 'disabled', disabled_reason = 'uji' WHERE id = %s", person["id"])
    deadline = time.monotonic() + PATIENCE_SECONDS
    while (answer := own_api.get(PATH, token=token)).status_code == 200 and time.monotonic() < deadline:
        time.sleep(0.05)
    problem(answer, 401, "invalid_token")
    problem(own_api.get(PATH + "?user=x", token="portal"), 400, "invalid_parameter")


def test_a_person_corrects_what_is_kept(own_api, people):
    """One's own account and nobody else's, whatever one's role; the username and the person stay the administrators'."""
    user, other = people.user("library_manager"), people.user("library_manager")
    token = people.token(user)
    first = me(own_api, token)
    tag = own_api.get(PATH, token=token).headers["ETag"]
    answer = own_api.patch(PATH, {"name": "Siti Baru", "phone": "0812-1", "email": "baru@example.id", "language": "en",
                                  "current_password": user["password"]}, etag=tag, token=token)
    assert answer.status_code == 200, answer.text
    assert answer.json()["user"] == {**first["user"], "name": "Siti Baru", "phone": "0812-1", "email": "baru@example.id", "language": "en"}
    problem(own_api.patch(PATH, {"name": "X"}, etag=tag, token=token), 412, "precondition_failed")
    answer = own_api.patch(PATH, {"phone": None, "current_password": user["password"]}, etag=answer.headers["ETag"], token=token)
    assert answer.json()["user"]["phone"] is None and answer.json()["user"]["name"] == "Siti Baru"
    for field in ("username", "person_id", "status"):
        problem(own_api.patch(PATH, {field: "x"}, etag="*", token=token), 422, "invalid_body")
    assert me(own_api, people.token(other))["user"]["name"] == other["name"]
    problem(own_api.patch(PATH, {"name": "Mesin"}, etag="*", token="portal"), 403, "person_needed")


@pytest.mark.parametrize("change", [{"email": "lain@example.id"}, {"email": None}, {"phone": "0812-2"}, {"phone": None, "name": "Siti"}])
def test_where_one_is_reached_needs_the_password(own_api, people, change):
    """A token alone, however it was come by, moves no mail and no call to somebody else; guessing is slowed as at the login."""
    user = people.user("library_manager")
    people.sql("UPDATE app_user SET email = 'lama@example.id', phone = '0812-1' WHERE id = %s", user["id"])
    token = people.token(user)
    before = me(own_api, token)["user"]
    refusal = problem(own_api.patch(PATH, change, etag="*", token=token), 422, "invalid_body")
    assert [(one["pointer"], one["code"]) for one in refusal["errors"]] == [("/current_password", "required")]
    for _ in range(12):
        answer = own_api.patch(PATH, {**change, "current_password": "bukan kata sandinya"}, etag="*", token=token)
        if answer.status_code == 429:
            break
        problem(answer, 403, "wrong_login")
    problem(answer, 429, "login_throttled")
    assert int(answer.headers["Retry-After"]) > 0 and me(own_api, token)["user"] == before
    people.sql("SELECT login_forget(%s)", user["username"])
    answer = own_api.patch(PATH, {**change, "current_password": user["password"]}, etag="*", token=token)
    assert answer.status_code == 200, answer.text
    assert answer.json()["user"] == {**before, **change}
    log = own_api.service.log_text()
    assert user["password"] not in log and "bukan kata sandinya" not in log
    assert people.sql("SELECT count(*) FROM audit WHERE (coalesce(before, '{}') || coalesce(after, '{}'))::text LIKE %s", f"%{user['password']}%")[0] == 0


def test_what_reaches_nobody_needs_none(own_api, people):
    token = people.token(people.user())
    assert own_api.patch(PATH, {"name": "Siti", "language": "en"}, etag="*", token=token).status_code == 200


@pytest.mark.parametrize("change", [{}, {"name": "Siti"}])
def test_a_password_that_is_shown_is_judged(own_api, people, change):
    user = people.user()
    token = people.token(user)
    problem(own_api.patch(PATH, {**change, "current_password": "bukan kata sandinya"}, etag="*", token=token), 403, "wrong_login")
    assert own_api.patch(PATH, {**change, "current_password": user["password"]}, etag="*", token=token).status_code == 200


def test_what_the_engine_owes_of_a_correction(own_api, contract, people):
    token = people.token(people.user("portal"))
    operation = contract.find("PATCH", PATH)
    sweep(own_api, "PATCH", PATH, operation, token=token)
    problem(own_api.patch(PATH, {"language": "en"}, token=token), 428, "precondition_required")


# ---- may I ----------------------------------------------------------------------------------------------------------------

def can(api, token, operation, **where):
    answer = api.get(PATH + "/can", token=token, params={"operation": operation, **where})
    assert answer.status_code == 200, answer.text
    return answer.json()


def gated():
    """The operations whose gate or write asks the caller's reach, from the contract and the statements themselves."""
    from unit.openapi import tiny  # which finds the compiler
    from compiler.contract import check_contract
    from compiler.source import Documents, Report
    parts = [str(tiny.ROOT / part) for part in ("openapi", "db/queries", "db/migrations", "db/functions")]
    operations, checks = (check_contract(Documents(Report()), *parts)[place] for place in (3, 6))
    return {operation.id for operation in operations for role in ("gate", "write") if role in operation.statements
            and any(name.startswith("reach") for name in checks.by_name[operation.statements[role]].uses())}


def test_of_what_the_reach_decides_nobody_is_told_yes_elsewhere(own_api):
    """(The oracles of rights hold every answer against what the request itself then gets: harness.judged.)"""
    known, unjudged = gated(), set()
    assert {"put_certification", "create_assignment", "move_replication", "disable_user", "update_library"} <= known
    for role in ("provincial_coordinator", "regency_facilitator", "team_member", "library_manager"):
        for operation in known:
            said = can(own_api, role, operation, region="73.08")
            assert said["allowed"] is not True and said["place_matters"], (role, operation, said)
            if said["reason"] == "not_judged":
                assert said["allowed"] is None and said["roles"] == []
                unjudged.add(operation)
            else:
                assert said["allowed"] is False
    assert unjudged == UNTOLD
    assert all(can(own_api, "national_admin", operation, region="73.08")["allowed"] is True for operation in known)


def test_what_is_the_nations_is_told_without_a_place(own_api, people):
    user = people.user()
    people.sql("SELECT set_config('session_replication_role', 'replica', true); "  # the rules of assignments would not have it
               "INSERT INTO assignment (user_id, role, region_code) VALUES (%s, 'national_admin', '19')", user["id"])
    token = people.token(user)
    assert can(own_api, token, "create_program")["reason"] == "out_of_reach"
    assert can(own_api, token, "create_library")["allowed"] and can(own_api, token, "create_library", region="73")["reason"] == "out_of_reach"


def test_it_says_why(own_api, people):
    missing = can(own_api, "portal", "create_library", region="19.01.07.2004")
    assert (missing["allowed"], missing["reason"], missing["scopes"]) == (False, "scope_missing", ["libraries:write"])
    assert "regency_facilitator" in missing["roles"] and "portal" not in missing["roles"] and missing["other_days"] == []
    far = can(own_api, "regency_facilitator", "create_library", region="73.08.01.1001")
    assert (far["reason"], far["other_days"]) == ("out_of_reach", []) and can(own_api, "regency_facilitator", "create_library")["allowed"]
    assert can(own_api, "national_admin", "create_library", region="99")["reason"] == "place_unknown"
    assert can(own_api, "national_admin", "update_library", library="01a1fdc3-5794-7ad4-bf33-412c110bd3cb")["reason"] == "place_unknown"
    assert can(own_api, "portal", "list_regions") == {"operation": "list_regions", "allowed": True, "reason": None, "place_matters": False,
                                                      "scopes": ["published:read"], "roles": [], "other_days": []}
    assert can(own_api, "portal", "get_me")["allowed"]
    assert can(own_api, "portal", "list_audit")["roles"] == ["national_admin"]
    problem(own_api.get(PATH + "/can?operation=fly", token="portal"), 400, "invalid_parameter")
    problem(own_api.get(PATH + "/can", token="portal"), 400, "invalid_parameter")
    person = people.user("portal")
    people.assign(person["id"], "regency_facilitator", region="19.01", starts_on=-9, ends_on=-1)
    people.assign(person["id"], "regency_facilitator", region="19.02", starts_on=5)
    said = can(own_api, people.token(person), "create_library", region="19.01.07.2004")
    assert said["reason"] == "scope_missing" and [one["role"] for one in said["other_days"]] == ["regency_facilitator"]
    assert said["other_days"][0]["ends_on"] and len(can(own_api, people.token(person), "create_library")["other_days"]) == 2
