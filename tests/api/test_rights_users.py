"""Who may administer whose account: written from the programme's table of rights, not from the contract. The nation administers all;
a provincial coordinator and a regency facilitator those below them, in their own place, and what they made themselves."""

import uuid

import pytest

from harness.client import problem
from harness.rights import EVERYBODY, OWN_VILLAGE, assert_refused, try_row
from harness.users import PATH, body_of, charge, invite

ADMINISTRATORS = {"national_admin", "provincial_coordinator", "regency_facilitator"}
READS = {"list_users", "get_user", "list_user_sessions", "list_my_sessions"}
OWN = {"change_my_password", "update_me", "list_my_sessions", "end_my_session", "remove_my_factor"}  # of whoever is a person
WRITES = {"create_user", "update_user", "invite_user", "reset_user_password", "disable_user", "enable_user", "change_my_password", "update_me",
          "end_user_session", "end_my_session", "reset_user_factor", "remove_my_factor"}
NATIONAL = {"disable_user", "enable_user", "reset_user_factor"}

# Somebody charged with this, where, until when (None: no end).
CHARGES = {
    "admin": [("national_admin", None)], "analyst": [("national_analyst", None)],
    "coordinator": [("provincial_coordinator", "19")], "coordinator elsewhere": [("provincial_coordinator", "73")],
    "facilitator": [("regency_facilitator", "19.01")], "facilitator next door": [("regency_facilitator", "19.02")],
    "facilitator elsewhere": [("regency_facilitator", "73.08")],
    "manager": [("library_manager", "library")], "member of the province": [("team_member", "19")],
    "manager and member of the province": [("library_manager", "library"), ("team_member", "19")],
    "manager and admin": [("library_manager", "library"), ("national_admin", None)],
    "nobody": [],
}
SEEN = {
    "provincial_coordinator": {"coordinator", "facilitator", "facilitator next door", "manager", "member of the province",
                               "manager and member of the province", "manager and admin"},
    "regency_facilitator": {"facilitator", "manager", "manager and member of the province", "manager and admin"},
}
BELOW = {
    "provincial_coordinator": {"facilitator", "facilitator next door", "manager", "member of the province",
                               "manager and member of the province"},
    "regency_facilitator": {"manager"},
}


@pytest.fixture(scope="module")
def api(own_api):
    return own_api


@pytest.fixture(scope="module")
def accounts(own_api):
    """An account of each sort, as its holder opened it."""
    with own_api.service.owner.cursor() as cursor:
        cursor.execute("INSERT INTO role_scope (role, scope) SELECT unnest(%s), 'assignments:write' ON CONFLICT DO NOTHING",
                       (sorted(ADMINISTRATORS),))
        library = own_api.service.cluster.library_at(own_api.service.database, OWN_VILLAGE)
        made = {}
        for sort, charges in CHARGES.items():
            made[sort] = invite(own_api, name=f"Nama {sort}")
            cursor.execute("SELECT user_password_set(%s, '$argon2id$x', 'test')", (made[sort]["id"],))
            for role, place in charges:
                charge(own_api.service.owner, made[sort], role, **({"library": library} if place == "library" else {"region": place}))
    return made


def attempt(api, operation, role, one, hands=False):
    """`hands`: so that the account comes into other hands, by a link in the answer or another phone."""
    path = f"{PATH}/{one['id']}"
    if operation == "update_user":
        etag = api.get(path, token="national_admin").headers["ETag"]
        return api.patch(path, {"phone": uuid.uuid4().hex} if hands else {"name": uuid.uuid4().hex}, etag, token=role)
    body = {"disable_user": {"reason": "uji"}, "enable_user": None}.get(operation, {"delivery": "answer" if hands else "mail"})
    where = {"invite_user": "invitation", "reset_user_password": "password-reset", "disable_user": "disable", "enable_user": "enable"}
    return api.post(f"{path}/{where[operation]}", token=role, json=body)


def may(operation, role, sort):
    """True, False (refused), or None (there is no such account for this caller)."""
    if role == "national_admin":
        return True
    if role not in ADMINISTRATORS or operation in NATIONAL:
        return False
    return None if sort not in SEEN[role] else sort in BELOW[role]


@pytest.mark.parametrize("role", sorted(EVERYBODY))
@pytest.mark.parametrize("operation", sorted(WRITES - OWN - {"create_user", "end_user_session", "reset_user_factor"}))
def test_row(api, accounts, operation, role):
    def judge(answer, sort):
        expected = may(operation, role, sort)
        if expected is None:
            problem(answer, 404, "not_found")
        elif not expected:
            assert_refused(answer)
        elif answer.status_code != 200:
            assert answer.json()["code"] in ("user_status", "mail_impossible"), answer.text  # this service sends none
        if operation == "disable_user" and role == "national_admin":
            assert api.post(f"{PATH}/{accounts[sort]['id']}/enable", token="national_admin", once=True).status_code == 200

    try_row([(sort,) for sort in sorted(CHARGES)], lambda sort: attempt(api, operation, role, accounts[sort]), judge,
            lambda sort: may(operation, role, sort))


@pytest.mark.parametrize("role", sorted(ADMINISTRATORS))
@pytest.mark.parametrize("operation", ["reset_user_password", "update_user"])
def test_what_brings_it_into_other_hands(api, accounts, operation, role):
    """Of accounts that the nation made: the nation alone."""
    for sort in sorted(CHARGES):
        answer = attempt(api, operation, role, accounts[sort], hands=True)
        if role == "national_admin":
            assert answer.status_code == 200, sort
        elif sort in BELOW[role]:
            problem(answer, 403, "account_not_own")
        else:
            assert not may(operation, role, sort) and answer.status_code in (403, 404), sort


@pytest.mark.parametrize("role", sorted(EVERYBODY))
def test_who_is_seen(api, accounts, role):
    if role not in ADMINISTRATORS:
        assert_refused(api.get(PATH, token=role))
        assert_refused(api.get(f"{PATH}/{accounts['manager']['id']}", token=role))
        return
    listed = {one["id"] for one in api.pages(PATH + "?limit=500", token=role)}
    for sort, one in accounts.items():
        seen = role == "national_admin" or sort in SEEN[role]
        assert (one["id"] in listed) == seen, sort
        answer = api.get(f"{PATH}/{one['id']}", token=role)
        if seen:
            assert answer.status_code == 200, sort
        else:
            problem(answer, 404, "not_found")


@pytest.mark.parametrize("role", sorted(EVERYBODY))
def test_who_invites(api, accounts, role):
    """And administers what it made, while nobody charged it with anything."""
    answer = api.post(PATH, token=role, json=body_of())
    if role not in ADMINISTRATORS:
        assert_refused(answer)
        return
    assert answer.status_code == 201, answer.text
    one = answer.json()
    assert api.get(f"{PATH}/{one['id']}", token=role).status_code == 200
    assert one["id"] in {item["id"] for item in api.pages(PATH + "?limit=500", token=role)}
    assert attempt(api, "update_user", role, one, hands=True).status_code == 200
    assert attempt(api, "invite_user", role, one, hands=True).status_code == 200


@pytest.mark.parametrize("role", sorted(EVERYBODY))
def test_whose_account_is_ones_own(api, role):
    """Whoever is a person's: machines are told so, whatever they may do else."""
    problem(api.post("/v1/me/password", token=role, json={"current_password": "x", "new_password": "y"}), 403, "person_needed")
    problem(api.patch("/v1/me", {"language": "en"}, etag="*", token=role), 403, "person_needed")
    problem(api.get("/v1/me/sessions", token=role), 403, "person_needed")
    problem(api.delete(f"/v1/me/sessions/{uuid.uuid4()}", token=role), 403, "person_needed")


@pytest.mark.parametrize("role", sorted(EVERYBODY))
def test_who_sees_and_ends_logins_of_others(api, role):
    """The nation's administrators, as they alone disable."""
    person = api.people.user("portal")
    api.people.token(person)
    path = f"{PATH}/{person['id']}/sessions"
    [session] = api.get(path, token="national_admin").json()["items"]
    answers = api.get(path, token=role), api.delete(f"{path}/{session['id']}", token=role)
    if role == "national_admin":
        assert [answer.status_code for answer in answers] == [200, 204]
    else:
        for answer in answers:
            assert_refused(answer)


def test_what_one_made_is_out_of_reach_when_it_rises(api, accounts, own_database):
    one = invite(api, token="regency_facilitator")
    charge(own_database, one, "provincial_coordinator", region="19")
    assert_refused(attempt(api, "update_user", "regency_facilitator", one))
    assert_refused(attempt(api, "reset_user_password", "regency_facilitator", one))
    assert attempt(api, "update_user", "national_admin", one).status_code == 200


def test_a_charge_that_is_to_come_counts_and_one_long_past_does_not(api, accounts, own_database):
    coming, past, lately = (invite(api) for _ in range(3))
    charge(own_database, coming, "regency_facilitator", region="19.01", starts_on="2099-01-01")
    charge(own_database, past, "regency_facilitator", region="19.01", ends_on="2022-01-01")
    charge(own_database, lately, "regency_facilitator", region="19.01")
    with own_database.cursor() as cursor:
        cursor.execute("UPDATE assignment SET ends_on = today() - 1 WHERE user_id = %s", (lately["id"],))
    assert api.get(f"{PATH}/{coming['id']}", token="provincial_coordinator").status_code == 200
    assert attempt(api, "update_user", "provincial_coordinator", coming).status_code == 200
    problem(api.get(f"{PATH}/{past['id']}", token="provincial_coordinator"), 404, "not_found")
    assert api.get(f"{PATH}/{lately['id']}", token="provincial_coordinator").status_code == 200
    assert_refused(attempt(api, "update_user", "provincial_coordinator", lately))  # without a charge, of who made it


def test_whose_account_it_may_be(api, accounts, own_database):
    """An account shows its holder all that is held about its person: nobody ties one to somebody whose region they do not write, known
    to everybody or not."""
    people = {}
    with own_database.cursor() as cursor:
        for region, published in (("19.01", False), ("73.08", False), ("73.09", True)):
            cursor.execute("INSERT INTO person (name, region_code, facilitates) VALUES ('Orang', %s, %s) RETURNING id", (region, published))
            people[region] = str(cursor.fetchone()[0])
    problem(api.post(PATH, token="provincial_coordinator", json=body_of(person_id=people["73.08"])), 422, "reference_unknown")
    assert_refused(api.post(PATH, token="provincial_coordinator", json=body_of(person_id=people["73.09"])))
    one = invite(api, token="provincial_coordinator", person_id=people["19.01"])
    etag = api.get(f"{PATH}/{one['id']}", token="provincial_coordinator").headers["ETag"]
    problem(api.patch(f"{PATH}/{one['id']}", {"person_id": people["73.08"]}, etag, token="provincial_coordinator"), 422, "reference_unknown")
    assert_refused(api.patch(f"{PATH}/{one['id']}", {"person_id": people["73.09"]}, etag, token="provincial_coordinator"))
    assert api.patch(f"{PATH}/{one['id']}", {"person_id": None}, etag, token="provincial_coordinator").status_code == 200
