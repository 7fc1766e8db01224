"""Nobody gets into somebody else's account by appointing them, nor waits in an account of the own making for the rights it will be given."""

import uuid

import pytest

from harness.assignments import PATH as ASSIGNMENTS
from harness.assignments import appoint, appointed, change, end
from harness.browser import Browser, Page
from harness.client import problem
from harness.rights import OWN_VILLAGE
from harness.users import PASSWORD, PATH, charge, invite, token_of

FACILITATOR, COORDINATOR = "regency_facilitator", "provincial_coordinator"  # of 19.01 and of 19


@pytest.fixture(scope="module")
def api(own_api):
    return own_api


@pytest.fixture(scope="module")
def village(own_api):
    return own_api.service.cluster.library_at(own_api.service.database, OWN_VILLAGE)


def shown(api, one, token=FACILITATOR):
    """The account as that caller sees it, or None."""
    answer = api.get(f"{PATH}/{one['id']}", token=token)
    if answer.status_code == 200:
        return answer.json()
    problem(answer, 404, "not_found")
    return None


def listed(api, query, token=FACILITATOR):
    return {one["id"] for one in api.pages(f"{PATH}?{query}", token=token)}


def link(api, one, kind="invitation", token=FACILITATOR, delivery="answer"):
    return api.post(f"{PATH}/{one['id']}/{kind}", token=token, once=True, json={"delivery": delivery})


def open_account(api, made, password=PASSWORD):
    """Sets the password at the page of the link, as its holder would."""
    return api.session.post(api.turn() + "/account/password", data={"token": token_of(made), "password": password, "again": password})


def can_log_in(api, one, password=PASSWORD):
    browser = Browser(api)
    answer = browser.log_in(browser.open(api.people.default_app, scope="published:read"), {"username": one["username"], "password": password})
    return answer.status_code == 303 or not Page(answer).alert


# ---- somebody else's account -----------------------------------------------------------------------------------------

def strangers(api, database):
    """Accounts that the facilitator has nothing to do with: just invited, of a former official, of officials elsewhere and above."""
    made = {sort: invite(api, email=f"{uuid.uuid4().hex}@example.id", phone="0811") for sort in ("invited", "former", "coordinator", "admin", "analyst")}
    charge(database, made["former"], COORDINATOR, region="33", ends_on="2021-01-01")
    charge(database, made["coordinator"], COORDINATOR, region="19")
    charge(database, made["admin"], "national_admin")
    charge(database, made["analyst"], "national_analyst")
    with database.cursor() as cursor:
        for sort in ("former", "coordinator", "admin", "analyst"):
            cursor.execute("SELECT user_password_set(%s, '$argon2id$x', 'test')", (made[sort]["id"],))
    return made


def test_an_account_out_of_sight_is_not_appointed(api, own_database, village):
    for sort, one in strangers(api, own_database).items():
        assert shown(api, one) is None
        body = problem(appoint(api, "library_manager", token=FACILITATOR, holder=one["id"], library_id=village), 422, "reference_unknown")
        nobody = problem(appoint(api, "library_manager", token=FACILITATOR, holder=str(uuid.uuid4()), library_id=village), 422, "reference_unknown")
        assert [fault["pointer"] for fault in body["errors"]] == ["/user_id"]
        assert {**body, "request_id": ""} == {**nobody, "request_id": ""}, sort
        assert shown(api, one) is None and one["id"] not in listed(api, "limit=500")
        for kind in ("invitation", "password-reset"):
            problem(link(api, one, kind), 404, "not_found")
        problem(api.patch(f"{PATH}/{one['id']}", {"email": "thief@example.id"}, etag="*", token=FACILITATOR), 404, "not_found")
    assert link(api, one, "password-reset", token="national_admin").status_code == 200


def test_the_nation_charges_whom_it_will(api, own_database, village):
    for one in strangers(api, own_database).values():
        appointed(api, "library_manager", holder=one["id"], library_id=village)
        assert shown(api, one)["contact_hidden"] is False  # charged in reach, by somebody else


# ---- an account of one's own making ------------------------------------------------------------------------------------

def test_who_made_an_account_does_not_follow_it_upward(api):
    """The facilitator invites somebody and sets the password; then the nation charges the account with a province."""
    one = invite(api, token=FACILITATOR, email="titip@example.id", phone="0812", delivery="answer")
    assert open_account(api, one["link"]).status_code == 200 and can_log_in(api, one)
    user = {**one, "password": PASSWORD}
    tokens = api.people.log_in(user, scope="published:read")
    appointed(api, COORDINATOR, holder=one["id"], region_code="32")

    assert not can_log_in(api, one)
    problem(api.get("/v1/me", token=tokens["access_token"]), 401, "invalid_token")
    assert api.people.refresh(api.people.default_app, tokens["refresh_token"]).status_code == 400
    now = api.get(f"{PATH}/{one['id']}", token="national_admin").json()
    assert (now["status"], now["link"]) == ("invited", None)  # this service sends no mail
    seen = shown(api, one)
    assert seen["contact_hidden"] and (seen["email"], seen["phone"], seen["username"]) == (None, None, None) and seen["name"] == one["name"]
    for kind in ("invitation", "password-reset"):
        problem(link(api, one, kind), 403, "out_of_reach")
    problem(api.patch(f"{PATH}/{one['id']}", {"email": "thief@example.id"}, etag="*", token=FACILITATOR), 403, "out_of_reach")
    again = link(api, one, token="national_admin").json()
    assert open_account(api, again["link"], PASSWORD + " baru").status_code == 200 and can_log_in(api, one, PASSWORD + " baru")
    appointed(api, "team_member", holder=one["id"], region_code="33")  # what the nation opened stays open
    assert can_log_in(api, one, PASSWORD + " baru")


def test_a_link_that_is_out_dies(api):
    one = invite(api, token=FACILITATOR, delivery="answer")
    appointed(api, COORDINATOR, holder=one["id"], region_code="32")
    assert open_account(api, one["link"]).status_code == 410


def test_a_password_that_a_link_opened_stays_somebody_elses(api):
    """Changing it by oneself, once it was opened, makes it nobody else's."""
    one = invite(api, token=FACILITATOR, delivery="answer")
    open_account(api, one["link"])
    api.people.assign(one["id"], "team_member", region="19.01")
    token = api.people.log_in({**one, "password": PASSWORD})["access_token"]
    changed = api.post("/v1/me/password", token=token, once=True, json={"current_password": PASSWORD, "new_password": PASSWORD + " dua"})
    assert changed.status_code == 204, changed.text
    appointed(api, COORDINATOR, holder=one["id"], region_code="32")
    assert not can_log_in(api, one, PASSWORD + " dua")


def told(api, one):
    """What the account's address was told, from the first on."""
    return api.people.sql("SELECT array_agg(m.kind ORDER BY m.created_at) FROM user_mail m WHERE m.user_id = %s AND m.address = %s AND m.next_try_at IS NOT NULL",
                          one["id"], one["email"])[0] or []


def test_others_accounts_get_their_link_by_mail(api, own_database, village):
    """A former coordinator who manages a library: the facilitator administers the account, but takes it into no other hands."""
    one = invite(api, email="mantan@example.id")
    charge(own_database, one, COORDINATOR, region="33", ends_on="2021-01-01")
    charge(own_database, one, "library_manager", library=village)
    path = f"{PATH}/{one['id']}"
    problem(link(api, one), 403, "account_not_own")
    with own_database.cursor() as cursor:
        cursor.execute("SELECT user_password_set(%s, '$argon2id$x', 'test')", (one["id"],))
    problem(link(api, one, "password-reset"), 403, "account_not_own")
    problem(api.post(f"{path}/password-reset", token=FACILITATOR, once=True, json={}), 403, "account_not_own")  # where no mail is sent
    problem(link(api, one, "password-reset", delivery="mail"), 409, "mail_impossible")
    for fields in ({"email": "thief@example.id"}, {"phone": "0812"}, {"email": None, "name": "Lain"}):
        problem(api.patch(path, fields, etag="*", token=FACILITATOR), 403, "account_not_own")
    assert api.patch(path, {"name": "Nama Lain", "language": "en"}, etag="*", token=FACILITATOR).status_code == 200
    now = api.get(path, token="national_admin").json()
    assert (now["email"], now["phone"], now["link"]) == ("mantan@example.id", None, None)
    assert link(api, one, "password-reset", token="national_admin").status_code == 200


def test_whose_link_was_shown_hears_of_it(api, own_database):
    """Whoever took it, once an hour; but an account that nobody opened yet is no way to fill a mailbox."""
    one = invite(api, email=f"{uuid.uuid4().hex}@example.id")
    assert told(api, one) == ["link_shown"]
    with own_database.cursor() as cursor:
        cursor.execute("SELECT user_password_set(%s, '$argon2id$x', 'test')", (one["id"],))
    again = lambda: link(api, one, "password-reset", token="national_admin")  # noqa: E731
    assert again().status_code == 200 and told(api, one) == ["link_shown"]
    api.people.sql("UPDATE user_mail SET created_at = created_at - interval '61 minutes' WHERE user_id = %s", one["id"])
    assert again().status_code == 200 and told(api, one) == 2 * ["link_shown"]
    others = [invite(api, email=one["email"].upper()) for _ in range(5)]
    assert [told(api, other) for other in others] == 3 * [["link_shown"]] + 2 * [[]]
    api.people.sql("UPDATE user_mail SET created_at = created_at - interval '61 minutes' WHERE user_id = %s", one["id"])
    assert again().status_code == 200 and told(api, one) == 3 * ["link_shown"]  # in use: whatever else went there


def test_what_the_maker_could_give_closes_nothing(api, village):
    one = invite(api, token=FACILITATOR, delivery="answer")
    open_account(api, one["link"])
    appointed(api, "library_manager", token=FACILITATOR, holder=one["id"], library_id=village)
    assert can_log_in(api, one)
    assert shown(api, one)["contact_hidden"] is False and link(api, one, "password-reset").status_code == 200
    appointed(api, "team_member", holder=one["id"], region_code="19.01")  # by the nation: still below, still in reach
    assert shown(api, one)["contact_hidden"] is False and can_log_in(api, one)
    problem(link(api, one, "password-reset"), 403, "account_not_own")  # no longer the maker's alone


def opened_by_somebody(api, role, region, **days):
    """An account that somebody with that role invited, and that a browser knows; and who invited it."""
    opener = api.people.user()
    api.people.assign(opener["id"], role, region=region, **days)
    one = {**invite(api, email=f"{uuid.uuid4().hex}@example.id", delivery="answer"), "password": PASSWORD}
    assert open_account(api, one["link"]).status_code == 200
    api.people.sql("UPDATE user_password SET opened_by = %s WHERE user_id = %s", opener["id"], one["id"])
    api.people.set_up_factor(one)
    api.people.log_in(one, scope="published:read")
    return one, opener


def state(api, one):
    """Its status, how many passwords, second factors and known browsers it has, and of what it was told."""
    return api.people.sql(
        "SELECT status, (SELECT count(*) FROM user_password p WHERE p.user_id = u.id), (SELECT count(*) FROM user_factor f WHERE f.user_id = u.id), "
        "(SELECT count(*) FROM login_device d WHERE d.user_id = u.id), (SELECT array_agg(m.kind ORDER BY m.kind) FROM user_mail m WHERE m.user_id = u.id) "
        "FROM app_user u WHERE u.id = %s", one["id"])


@pytest.mark.parametrize("fate", ["charge ended", "charge ended today", "disabled"])
def test_who_left_shuts_nobody_out(api, village, fate):
    """An opener is judged by what they could give when they opened the account, whatever has become of them since."""
    one, opener = opened_by_somebody(api, COORDINATOR, "19", starts_on=-100)
    untouched = state(api, one)
    assert untouched == ("active", 1, 1, 1, ["link_shown"])
    if fate == "charge ended":
        api.people.sql("UPDATE user_password SET opened_at = now() - interval '50 days' WHERE user_id = %s", one["id"])
        api.people.sql("UPDATE assignment SET ends_on = today() - 20 WHERE user_id = %s", opener["id"])
    elif fate == "charge ended today":
        [given] = api.pages(f"{ASSIGNMENTS}?user={opener['id']}", token="national_admin")
        assert end(api, given["id"]).status_code == 200
    else:
        assert api.post(f"{PATH}/{opener['id']}/disable", token="national_admin", json={"reason": "pindah"}).status_code == 200
    for role, region in (("library_manager", None), ("team_member", "19.01"), ("regency_facilitator", "19.02")):
        appointed(api, role, holder=one["id"], **({"region_code": region} if region else {"library_id": village}))
        assert state(api, one) == untouched, role
    appointed(api, COORDINATOR, holder=one["id"], region_code="19")  # more than that one could ever give
    assert state(api, one) == ("invited", 0, 0, 0, ["account_closed", "link_shown"])
    assert not can_log_in(api, one)


def test_an_opener_who_had_no_charge_any_more_counts_for_nothing(api, village):
    """What they could give before the day of the opening is no help, nor is what they could give after it and can no more."""
    for days, opened in (({"starts_on": -100, "ends_on": -20}, 10), ({"starts_on": -30, "ends_on": -20}, 50)):
        one, _ = opened_by_somebody(api, COORDINATOR, "19", **days)
        api.people.sql("UPDATE user_password SET opened_at = now() - %s * interval '1 day' WHERE user_id = %s", opened, one["id"])
        appointed(api, "library_manager", holder=one["id"], library_id=village)
        assert state(api, one)[0] == "invited", days


def test_who_set_an_address_is_remembered(api):
    """Whoever set it last, by whichever way; other changes leave it, and no address is nobody's."""
    def setter():
        return api.people.sql("SELECT email_by, email_at IS NOT NULL FROM app_user WHERE id = %s", one["id"])
    facilitator, nation = (api.client(role)["client_id"] for role in (FACILITATOR, "national_admin"))
    one = {**invite(api, token=FACILITATOR, email="satu@example.id", delivery="answer"), "password": PASSWORD}
    assert setter() == (facilitator, True)
    for token, fields, expected in (("national_admin", {"name": "Nama Lain", "email": "satu@example.id"}, facilitator),
                                    ("national_admin", {"email": "dua@example.id"}, nation),
                                    (FACILITATOR, {"phone": "0811"}, nation), (FACILITATOR, {"email": "tiga@example.id"}, facilitator)):
        assert api.patch(f"{PATH}/{one['id']}", fields, etag="*", token=token).status_code == 200
        assert setter() == (expected, True), fields
    made = link(api, one).json()["link"]
    assert open_account(api, made).status_code == 200
    own = {"email": "empat@example.id", "current_password": PASSWORD}
    assert api.patch("/v1/me", own, etag="*", token=api.people.token(one)).status_code == 200
    assert setter() == (one["id"], True)
    assert api.patch(f"{PATH}/{one['id']}", {"email": None}, etag="*", token="national_admin").status_code == 200
    assert setter() == (None, False)


# ---- sight by one's own appointment ---------------------------------------------------------------------------------------

def test_an_own_appointment_opens_nothing(api, own_database, village):
    """Somebody whom another's charge brought into sight, long ago: the own charge that is left shows a name."""
    one = invite(api, email="rahasia@example.id", phone="0813")
    with own_database.cursor() as cursor:
        cursor.execute("INSERT INTO assignment (user_id, role, library_id, starts_on, appointed_by) VALUES (%s, 'library_manager', %s, '2020-01-01', %s)",
                       (one["id"], village, api.client(FACILITATOR)["client_id"]))
        cursor.execute("SELECT user_password_set(%s, '$argon2id$x', 'test')", (one["id"],))
    seen = shown(api, one)
    assert seen["contact_hidden"] and (seen["email"], seen["phone"], seen["username"]) == (None, None, None) and seen["name"]
    assert one["id"] in listed(api, "limit=500") and one["id"] not in listed(api, f"username={one['username']}")
    assert one["username"] not in api.get(f"{PATH}?limit=500&format=csv", token=FACILITATOR).text
    problem(link(api, one, "password-reset"), 403, "out_of_reach")
    problem(api.patch(f"{PATH}/{one['id']}", {"email": "thief@example.id"}, etag="*", token=FACILITATOR), 403, "out_of_reach")
    assert one["id"] in listed(api, f"username={one['username']}", "national_admin")


def test_two_who_do_not_see_a_contact_show_it_to_nobody(api, village):
    """What each of them gives opens nothing for the other, for a third, or a way to a link; what the nation gives does."""
    one = invite(api, token=FACILITATOR, email="rahasia@example.id", phone="0813")
    appointed(api, "team_member", holder=one["id"], region_code="32")
    other = api.people.token(api.people.user(FACILITATOR, region="19.01"))
    seeing = (FACILITATOR, other, COORDINATOR)
    for token, role, where in ((FACILITATOR, "library_manager", {"library_id": village}), (other, "team_member", {"region_code": "19.01"}),
                               (COORDINATOR, "team_member", {"region_code": "19"})):
        appointed(api, role, token=token, holder=one["id"], **where)
        for reader in seeing:
            seen = shown(api, one, reader)
            assert seen is None or seen["contact_hidden"] and (seen["email"], seen["phone"], seen["username"]) == (None, None, None), (role, reader)
            assert one["id"] not in listed(api, f"username={one['username']}", reader)
            assert link(api, one, token=reader).status_code in (403, 404)
    appointed(api, "regency_facilitator", holder=one["id"], region_code="19.01")
    assert all(shown(api, one, reader)["email"] == "rahasia@example.id" for reader in seeing)


def test_who_sees_a_contact_shows_it_where_they_appoint(api, village):
    """The maker of an account to whoever is in that place; so do those to whom it was shown."""
    one = invite(api, token=COORDINATOR, email="terang@example.id")
    appointed(api, "team_member", token=COORDINATOR, holder=one["id"], region_code="19.01")
    assert shown(api, one)["email"] == "terang@example.id"
    neighbour = api.people.token(api.people.user(FACILITATOR, region="19.02"))
    assert shown(api, one, neighbour) is None
    appointed(api, "library_manager", token=FACILITATOR, holder=one["id"], library_id=village)
    assert shown(api, one, COORDINATOR)["email"] == "terang@example.id"
    appointed(api, "team_member", token=COORDINATOR, holder=one["id"], region_code="19.02")
    assert shown(api, one, neighbour)["email"] == "terang@example.id"


def test_where_else_somebody_is_charged_is_not_told(api):
    one = invite(api, token=FACILITATOR)
    appointed(api, "team_member", holder=one["id"], region_code="32")
    assert one["id"] not in listed(api, "within=32") and one["id"] in listed(api, "within=32", "national_admin")
    appointed(api, "team_member", holder=one["id"], region_code="19.01")
    assert one["id"] in listed(api, "within=19")


def test_who_appointed_is_told_to_those_who_know_them(api, own_database):
    by_nation = appointed(api, "team_member", region_code="19.01")
    assert by_nation["appointed_by"] == api.client("national_admin")["client_id"]
    path = f"{ASSIGNMENTS}/{by_nation['id']}"
    assert api.get(path, token=FACILITATOR).json()["appointed_by"] is None
    mine = appointed(api, "team_member", token=FACILITATOR, region_code="19.01")
    assert api.get(f"{ASSIGNMENTS}/{mine['id']}", token=FACILITATOR).json()["appointed_by"] == api.client(FACILITATOR)["client_id"]


# ---- days ---------------------------------------------------------------------------------------------------------------------

def test_what_is_given_stays_within_the_givers_own_days(api, own_database, village):
    """Whoever is charged until a day gives nothing beyond it, and nothing in the past; so do changes."""
    cluster, database = api.service.cluster, api.service.database
    client = cluster.make_client(database, FACILITATOR, region="19.01")
    with own_database.cursor() as cursor:
        cursor.execute("UPDATE assignment SET ends_on = today() + 30 WHERE client_id = %s", (client["client_id"],))
        cursor.execute("SELECT today()::text, (today() - 1)::text, (today() + 10)::text, (today() + 30)::text, (today() + 31)::text")
        today, yesterday, soon, last, after = cursor.fetchone()
    token = api.post("/oauth2/token", data={"grant_type": "client_credentials"}, auth=(client["client_id"], client["client_secret"]),
                     token=None).json()["access_token"]

    def give(**days):
        return appoint(api, "library_manager", token=token, library_id=village, **days)
    for days in ({}, {"ends_on": after}, {"starts_on": after, "ends_on": "2099-12-31"}, {"starts_on": yesterday, "ends_on": last},
                 {"starts_on": "2011-01-01", "ends_on": soon}, {"starts_on": soon}):
        body = problem(give(**days), 409, "assignment_days")
        assert f"does not begin before {today} and does not end after {last};" in body["detail"], days
    for days in ({"ends_on": last}, {"starts_on": soon, "ends_on": last}):
        assert give(**days).status_code == 201, days
    one = appointed(api, "library_manager", token=token, library_id=village, starts_on=soon, ends_on=last)
    for fields in ({"starts_on": "2001-01-01"}, {"ends_on": None}, {"ends_on": after}, {"starts_on": yesterday, "ends_on": soon}):
        problem(change(api, one["id"], token=token, **fields), 409, "assignment_days")
    assert change(api, one["id"], token=token, note="SK 2").status_code == 200
    with own_database.cursor() as cursor:  # whose own days have no end, gives none either
        cursor.execute("UPDATE assignment SET ends_on = NULL WHERE client_id = %s", (client["client_id"],))
    body = problem(give(starts_on=yesterday), 409, "assignment_days")
    assert body["detail"] == f"What you give does not begin before {today}; days outside are the National Library's."
    assert change(api, one["id"], token=token, starts_on=today, ends_on=soon).status_code == 200
    assert end(api, one["id"], token=token).status_code == 200
    nation = appointed(api, "library_manager", library_id=village, starts_on="2011-01-01", ends_on="2099-12-31")
    assert change(api, nation["id"], ends_on=None).status_code == 200


def test_what_somebody_gave_is_listed(api, own_database):
    """After a charge was ended for cause: what its holder gave, for those who may end it."""
    cluster, database = api.service.cluster, api.service.database
    client = cluster.make_client(database, FACILITATOR, region="19.02")
    token = api.post("/oauth2/token", data={"grant_type": "client_credentials"}, auth=(client["client_id"], client["client_secret"]),
                     token=None).json()["access_token"]
    given = {appointed(api, "team_member", token=token, region_code="19.02")["id"] for _ in range(2)}
    with own_database.cursor() as cursor:
        cursor.execute("SELECT id FROM assignment WHERE client_id = %s", (client["client_id"],))
        assert end(api, str(cursor.fetchone()[0])).status_code == 200
    query = f"{ASSIGNMENTS}?appointed_by={client['client_id']}"
    assert {one["id"] for one in api.pages(query, token="national_admin")} == given
    assert list(api.pages(query, token=FACILITATOR)) == []  # whom it does not know
    for one in given:
        assert end(api, one).status_code == 200


def test_a_coordinator_ends_what_a_facilitator_gave(api):
    user = api.people.user(FACILITATOR, region="19.02")
    token = api.people.token(user)
    given = appointed(api, "team_member", token=token, region_code="19.02")
    assert [one["id"] for one in api.pages(f"{ASSIGNMENTS}?appointed_by={user['id']}", token=COORDINATOR)] == [given["id"]]
    assert end(api, given["id"], token=COORDINATOR).status_code == 200
