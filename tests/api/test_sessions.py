"""Where people are logged in: they see it and end it, and so do administrators; what is ended is dead at once, everywhere."""

import pytest

from harness.browser import Browser, sent_back
from harness.client import problem
from harness.logins import dies, sid
from harness.people import People
from harness.rights import assert_refused
from harness.sweep import NOBODY, sweep
from harness.tokens import oauth_error

MINE = "/v1/me/sessions"


@pytest.fixture(scope="module")
def people(own_api):
    return People(own_api)


def listed(api, token, path=MINE):
    answer = api.get(path, token=token)
    assert answer.status_code == 200, answer.text
    return answer.json()["items"]


class TestOwn:
    def test_they_are_told_apart(self, own_api, people):
        person, app = people.user("portal"), people.app(name="Aplikasi kedua", allowed_scopes=["published:read"])
        one, other = people.log_in(person), people.log_in(person, app, scope="published:read account:read")
        first, second = listed(own_api, one["access_token"])
        assert (first["id"], second["id"]) == (sid(one), sid(other))
        assert (first["current"], second["current"]) == (True, False)
        assert second["client"] == {"id": app["client_id"], "name": "Aplikasi kedua"}
        assert second["scopes"] == ["published:read", "account:read"] and second["network"] == "127.0.0.0/24"
        assert first["last_used_at"] == first["created_at"] < first["expires_at"]
        assert people.refresh(people.default_app, one["refresh_token"]).status_code == 200
        again = listed(own_api, one["access_token"])[0]
        assert again["last_used_at"] > again["created_at"]
        assert [session["current"] for session in listed(own_api, other["access_token"])] == [False, True]

    @pytest.mark.parametrize("address,network", [("203.0.113.77", "203.0.113.0/24"), ("2001:db8:5:6:7::8", "2001:db8:5::/48")])
    def test_from_where_is_told_coarsely(self, own_api, people, address, network):
        person, browser, app = people.user("portal"), Browser(own_api), people.default_app
        browser.session.headers["X-Forwarded-For"] = address
        back = sent_back(browser.consent(browser.log_in(browser.open(app), person)), app)
        token = people.exchange(app, back["code"], browser.verifier).json()["access_token"]
        assert listed(own_api, people.token(person))[0]["network"] == network
        assert people.sql("SELECT count(*) FROM audit WHERE (coalesce(before, '{}') || coalesce(after, '{}'))::text LIKE %s",
                          f"%{network}%")[0] == 0
        own = own_api.get("/v1/me/personal-data", token=people.token(person)).json()["account"]["sessions"]
        assert network in {session["network"] for session in own} and token

    def test_one_is_ended(self, own_api, people):
        person = people.user("portal")
        kept, lost = people.log_in(person), people.log_in(person)
        assert own_api.delete(f"{MINE}/{sid(lost)}", token=kept["access_token"]).status_code == 204
        dies(own_api, lost["access_token"])
        oauth_error(people.refresh(people.default_app, lost["refresh_token"]), 400, "invalid_grant")
        assert [session["id"] for session in listed(own_api, kept["access_token"])] == [sid(kept)]
        problem(own_api.delete(f"{MINE}/{sid(lost)}", token=kept["access_token"]), 404, "not_found")
        assert people.refresh(people.default_app, kept["refresh_token"]).status_code == 200
        assert people.sql("SELECT reason FROM oauth_revocation WHERE id = %s", sid(lost))[0] == "ended by the user"

    def test_the_one_of_this_very_token(self, own_api, people):
        tokens = people.log_in(people.user("portal"))
        assert own_api.delete(f"{MINE}/{sid(tokens)}", token=tokens["access_token"]).status_code == 204
        dies(own_api, tokens["access_token"])

    def test_nobody_elses(self, own_api, people):
        token, other = people.token(people.user("national_admin")), people.log_in(people.user("portal"))
        problem(own_api.delete(f"{MINE}/{sid(other)}", token=token), 404, "not_found")
        assert sid(other) not in {session["id"] for session in listed(own_api, token)}
        assert own_api.get("/v1/me", token=other["access_token"]).status_code == 200

    def test_it_needs_what_the_user_agreed_to(self, own_api, people):
        person = people.user()  # charged with nothing
        reader = people.log_in(person, scope="published:read account:read")
        assert len(listed(own_api, reader["access_token"])) == 1
        problem(own_api.delete(f"{MINE}/{sid(reader)}", token=reader["access_token"]), 403, "insufficient_scope")
        problem(own_api.get(MINE, token=people.token(person, scope="published:read")), 403, "insufficient_scope")

    def test_those_that_are_over_are_not_shown(self, own_api, people):
        person = people.user("portal")
        old, unused, now = people.log_in(person), people.log_in(person), people.log_in(person)
        people.sql("UPDATE oauth_refresh SET expires_at = now() - interval '1 second' WHERE grant_id = %s", sid(unused))
        people.sql("SELECT oauth_grant_end(%s, 'test')", sid(old))
        assert [session["id"] for session in listed(own_api, now["access_token"])] == [sid(now)]

    def test_pages(self, own_api, people):
        person = people.user("portal")
        tokens = [people.log_in(person) for _ in range(3)]
        pages = list(own_api.pages(MINE + "?limit=1", token=tokens[0]["access_token"]))
        assert [page["id"] for page in pages] == [sid(one) for one in tokens]

    def test_what_the_engine_owes(self, own_api, contract, people):
        person = people.user("portal")
        tokens, other = people.log_in(person), people.log_in(person)
        one = f"{MINE}/{sid(other)}"
        sweep(own_api, "GET", MINE, contract.find("GET", MINE), token=tokens["access_token"])
        sweep(own_api, "DELETE", one, contract.find("DELETE", one), token=tokens["access_token"], lost=f"{MINE}/{NOBODY}")


class TestOfOthers:
    def test_an_administrator_sees_them_and_ends_one(self, own_api, people):
        person = people.user("portal")
        kept, lost = people.log_in(person), people.log_in(person)
        path = f"/v1/users/{person['id']}/sessions"
        assert [session["id"] for session in listed(own_api, "national_admin", path)] == [sid(kept), sid(lost)]
        assert own_api.delete(f"{path}/{sid(lost)}", token="national_admin").status_code == 204
        dies(own_api, lost["access_token"])
        oauth_error(people.refresh(people.default_app, lost["refresh_token"]), 400, "invalid_grant")
        assert own_api.get("/v1/me", token=kept["access_token"]).status_code == 200
        reason, actor = people.sql("SELECT r.reason, a.actor FROM oauth_revocation r JOIN audit a ON a.table_name = 'oauth_revocation' "
                                   "AND a.row_key ->> 'id' = r.id::text "
                                   "WHERE r.id = %s", sid(lost))
        assert (reason, actor) == ("ended by an administrator", own_api.client("national_admin")["client_id"])

    def test_each_account_has_its_own(self, own_api, people):
        one, other = people.user("portal"), people.user("portal")
        tokens = people.log_in(one)
        problem(own_api.delete(f"/v1/users/{other['id']}/sessions/{sid(tokens)}", token="national_admin"), 404, "not_found")
        problem(own_api.get(f"/v1/users/{NOBODY}/sessions", token="national_admin"), 404, "not_found")
        assert own_api.get("/v1/me", token=tokens["access_token"]).status_code == 200

    def test_an_administrator_of_less_than_the_nation(self, own_api, people):
        """The scope alone is not enough."""
        person = people.user("portal")
        tokens = people.log_in(person)
        admin = people.token(people.user("national_admin"), app=people.app(allowed_region="19"))
        assert_refused(own_api.get(f"/v1/users/{person['id']}/sessions", token=admin))
        assert_refused(own_api.delete(f"/v1/users/{person['id']}/sessions/{sid(tokens)}", token=admin))
