"""What apps do with refresh tokens: turn them over, lose an answer, and lose one to a thief."""

import base64
import hashlib

import pytest
from harness.client import problem
from harness.logins import dies, race, sid, status
from harness.people import People
from harness.tokens import oauth_error, unb64

pytestmark = pytest.mark.one_process  # what ends is dead within a second elsewhere: test_two_processes.py


@pytest.fixture(scope="module")
def people(own_api):
    return People(own_api)


@pytest.fixture(scope="module")
def user(people):
    return people.user("regency_facilitator")


@pytest.fixture(scope="module")
def confidential(people):
    return people.app("confidential")

def age(people, old, time):
    """The turn of that refresh token was so much longer ago."""
    people.sql("UPDATE oauth_refresh SET rotated_at = rotated_at - %s::interval WHERE previous_hash = %s", time,
               hashlib.sha256(old.encode()).digest())


def refresh_from(api, app, token, address):
    """A refresh as the proxy passes it on."""
    secret = {"auth": (app["client_id"], app["client_secret"])} if "client_secret" in app else {}
    return api.post("/oauth2/token", token=None, headers={"X-Forwarded-For": address}, **secret,
                    data={"grant_type": "refresh_token", "refresh_token": token, **({} if secret else {"client_id": app["client_id"]})})


class TestRefresh:
    def test_it_turns_over(self, own_api, people, user):
        first = people.log_in(user)
        second = people.refresh(people.default_app, first["refresh_token"]).json()
        third = people.refresh(people.default_app, second["refresh_token"]).json()
        assert len({first["refresh_token"], second["refresh_token"], third["refresh_token"]}) == 3
        assert third["scope"] == first["scope"] and status(own_api, third["access_token"]) == 200

    def test_a_lost_answer_is_given_again(self, own_api, people, user):
        first = people.log_in(user)["refresh_token"]
        second = people.refresh(people.default_app, first).json()
        again = people.refresh(people.default_app, first).json()
        assert again["refresh_token"] == second["refresh_token"]
        assert status(own_api, again["access_token"]) == status(own_api, second["access_token"]) == 200
        assert people.refresh(people.default_app, again["refresh_token"]).status_code == 200

    def test_racing_refreshes_get_one_successor(self, own_api, people, user):
        first = people.log_in(user)["refresh_token"]
        answers = race(lambda: people.refresh(people.default_app, first), 6)
        assert [answer.status_code for answer in answers] == [200] * 6
        assert len({answer.json()["refresh_token"] for answer in answers}) == 1
        assert people.refresh(people.default_app, answers[0].json()["refresh_token"]).status_code == 200

    def test_a_lost_answer_is_given_again_however_late(self, own_api, people, user):
        """An app learns that an answer got lost when it gives up waiting: while the successor was never used, it comes again."""
        first = people.log_in(user)["refresh_token"]
        second = people.refresh(people.default_app, first).json()
        for _ in range(4):
            age(people, first, "9 days")
            again = people.refresh(people.default_app, first)
            assert again.status_code == 200 and again.json()["refresh_token"] == second["refresh_token"]
        assert people.refresh(people.default_app, second["refresh_token"]).status_code == 200

    def test_an_old_one_ends_the_login(self, own_api, people, user):
        """Whose successor was used: the answer did arrive, and somebody else has the old one."""
        first = people.log_in(user)
        second = people.refresh(people.default_app, first["refresh_token"]).json()
        third = people.refresh(people.default_app, second["refresh_token"]).json()
        oauth_error(people.refresh(people.default_app, first["refresh_token"]), 400, "invalid_grant")
        oauth_error(people.refresh(people.default_app, third["refresh_token"]), 400, "invalid_grant")
        dies(own_api, third["access_token"])
        assert "refresh token used twice" in people.sql("SELECT string_agg(reason, ' ') FROM oauth_revocation")[0]

    ELSEWHERE = pytest.mark.parametrize("addresses", [
        ("203.0.113.7", "198.51.100.7"), ("2001:db8:1::1", "2001:db8:2::1"), ("203.0.113.7", "2001:db8:1::1")])

    @ELSEWHERE
    def test_a_phone_that_lost_an_answer_on_its_way_elsewhere_ends_nothing(self, own_api, people, user, addresses):
        """Nobody has used the successor: the app is refused and logs in again, as often as it asks, and what was given out goes on."""
        first = people.log_in(user)["refresh_token"]
        second = refresh_from(own_api, people.default_app, first, addresses[0]).json()
        for _ in range(2):
            oauth_error(refresh_from(own_api, people.default_app, first, addresses[1]), 400, "invalid_grant")
        assert status(own_api, second["access_token"]) == 200
        assert people.sql("SELECT count(*) FROM oauth_revocation WHERE id = %s", sid(second))[0] == 0
        assert any(line["event"] == "grant_refused" and line["reason"] == "elsewhere" for line in own_api.service.log_lines())

    @ELSEWHERE
    def test_from_elsewhere_an_app_without_a_secret_repeats_nothing(self, own_api, people, user, addresses):
        """And once the successor is used as well, two have the login: it ends for both."""
        first = people.log_in(user)["refresh_token"]
        second = refresh_from(own_api, people.default_app, first, addresses[0]).json()
        oauth_error(refresh_from(own_api, people.default_app, first, addresses[1]), 400, "invalid_grant")
        oauth_error(refresh_from(own_api, people.default_app, second["refresh_token"], addresses[0]), 400, "invalid_grant")
        dies(own_api, second["access_token"])

    @ELSEWHERE
    def test_a_phone_that_comes_back_ends_nothing(self, own_api, people, user, addresses):
        """Refused elsewhere, it is given nothing where it was before either: the token it would use next is one that is watched."""
        first = people.log_in(user)["refresh_token"]
        second = refresh_from(own_api, people.default_app, first, addresses[0]).json()  # an answer that gets lost
        for address in (addresses[1], addresses[0], addresses[0]):
            oauth_error(refresh_from(own_api, people.default_app, first, address), 400, "invalid_grant")
        assert status(own_api, second["access_token"]) == 200
        assert people.sql("SELECT count(*) FROM oauth_revocation WHERE id = %s", sid(second))[0] == 0

    @pytest.mark.parametrize("addresses", [("203.0.113.7", "203.0.113.200"), ("2001:db8:1:1::1", "2001:db8:1:2::1")])
    def test_from_nearby_it_does(self, own_api, people, user, addresses):
        first = people.log_in(user)["refresh_token"]
        second = refresh_from(own_api, people.default_app, first, addresses[0]).json()
        again = refresh_from(own_api, people.default_app, first, addresses[1])
        assert again.json()["refresh_token"] == second["refresh_token"]
        assert refresh_from(own_api, people.default_app, second["refresh_token"], "198.51.100.7").status_code == 200  # a next turn, from anywhere

    def test_a_client_that_proves_who_it_is_repeats_from_anywhere(self, own_api, people, user, confidential):
        first = people.log_in(user, confidential)["refresh_token"]
        second = refresh_from(own_api, confidential, first, "203.0.113.7").json()
        for turn in range(5):
            again = refresh_from(own_api, confidential, first, "198.51.100.7")
            assert again.json()["refresh_token"] == second["refresh_token"]
            first, second = second["refresh_token"], refresh_from(own_api, confidential, second["refresh_token"], "203.0.113.7").json()
            age(people, first, "1 minute")

    def test_two_who_share_a_login_are_found_out(self, own_api, people, user):
        """Holder and thief in one network take turns, each time the other's token is not used yet: after three turns it is no accident."""
        old = people.log_in(user)["refresh_token"]
        for turn in range(4):
            holder = people.refresh(people.default_app, old).json()
            age(people, old, "2 seconds")
            thief = people.refresh(people.default_app, old)
            if turn < 3:
                assert thief.json()["refresh_token"] == holder["refresh_token"]
                old = holder["refresh_token"]
        oauth_error(thief, 400, "invalid_grant")
        assert status(own_api, holder["access_token"]) == 200  # it may be a very bad line, and the login ends nowhere yet
        oauth_error(people.refresh(people.default_app, holder["refresh_token"]), 400, "invalid_grant")
        dies(own_api, holder["access_token"])

    def test_a_bad_line_is_no_thief(self, own_api, people, user):
        """Answers that get lost now and then, and requests of one app that race each other at every turn, end nothing."""
        old = people.log_in(user)["refresh_token"]
        for turn in range(9):
            new = people.refresh(people.default_app, old).json()["refresh_token"]
            if turn % 4 != 3:
                age(people, old, "1 minute")
                assert people.refresh(people.default_app, old).status_code == 200
            old = new
        for _ in range(5):
            new = people.refresh(people.default_app, old).json()["refresh_token"]
            age(people, old, "-1 hour")  # as if it were just now, however slow the machine
            assert people.refresh(people.default_app, old).json()["refresh_token"] == new
            old = new

    def test_what_was_never_ours_ends_nothing(self, own_api, people, user):
        token = people.log_in(user)["refresh_token"]
        body = bytearray(unb64(token.removeprefix("tpbis_r_")))
        forged = []
        for at in (0, 15, 16, 47, 48, 63):  # the grant, the secret, the mark
            changed = bytearray(body)
            changed[at] ^= 1
            forged.append("tpbis_r_" + base64.urlsafe_b64encode(changed).rstrip(b"=").decode())
        for text in [*forged, token[:-1], token + "A", token.upper(), "tpbis_r_", "x"]:
            oauth_error(people.refresh(people.default_app, text), 400, "invalid_grant")
        assert people.refresh(people.default_app, token).status_code == 200

    def test_another_client(self, own_api, people, user):
        token = people.log_in(user)["refresh_token"]
        oauth_error(people.refresh(people.app(), token), 400, "invalid_grant")
        assert people.refresh(people.default_app, token).status_code == 200

    def test_less_may_be_asked_for(self, own_api, people, user):
        token = people.log_in(user, scope="published:read libraries:write")["refresh_token"]
        oauth_error(people.refresh(people.default_app, token, scope="published:read admin"), 400, "invalid_scope")
        oauth_error(people.refresh(people.default_app, token, scope="no:such"), 400, "invalid_scope")
        less = people.refresh(people.default_app, token, scope="published:read").json()
        assert less["scope"] == "published:read"
        problem(own_api.post("/v1/libraries", token=less["access_token"], json={}), 403, "insufficient_scope")
        assert people.refresh(people.default_app, less["refresh_token"]).json()["scope"] == "published:read libraries:write"

    @pytest.mark.parametrize("change", [
        "UPDATE oauth_refresh SET expires_at = now() - interval '1 second' WHERE grant_id = %s",
        "UPDATE oauth_grant SET created_at = now() - interval '91 days', expires_at = now() - interval '1 second' WHERE id = %s"])
    def test_its_ends(self, own_api, people, user, change):
        tokens = people.log_in(user)
        people.sql(change, sid(tokens))
        oauth_error(people.refresh(people.default_app, tokens["refresh_token"]), 400, "invalid_grant")

    def test_thirty_days_unused_and_ninety_in_all(self, own_api, people, user):
        tokens = people.log_in(user)
        idle, whole = people.sql("SELECT r.expires_at - now(), g.expires_at - now() FROM oauth_refresh r JOIN oauth_grant g "
                                 "ON g.id = r.grant_id WHERE g.id = %s", sid(tokens))
        assert 29 < idle.total_seconds() / 86400 <= 30 and 89 < whole.total_seconds() / 86400 <= 90
        people.sql("UPDATE oauth_grant SET expires_at = now() + interval '5 days' WHERE id = %s", sid(tokens))
        assert people.refresh(people.default_app, tokens["refresh_token"]).status_code == 200
        assert people.sql("SELECT r.expires_at = g.expires_at FROM oauth_refresh r JOIN oauth_grant g ON g.id = r.grant_id "
                          "WHERE g.id = %s", sid(tokens))[0]

    def test_a_disabled_user(self, own_api, people):
        somebody = people.user("portal")
        tokens = people.log_in(somebody)
        people.sql("UPDATE app_user SET status = 'disabled' WHERE id = %s", somebody["id"])
        oauth_error(people.refresh(people.default_app, tokens["refresh_token"]), 400, "invalid_grant")
        dies(own_api, tokens["access_token"])

    def test_all_logins_of_a_user_end(self, own_api, people):
        somebody = people.user("portal")
        one, other, kept = (people.log_in(somebody) for _ in range(3))
        assert people.sql("SELECT user_sessions_end(%s, 'test', %s)", somebody["id"], sid(kept))[0] == 2
        for tokens in (one, other):
            dies(own_api, tokens["access_token"])
            oauth_error(people.refresh(people.default_app, tokens["refresh_token"]), 400, "invalid_grant")
        assert people.refresh(people.default_app, kept["refresh_token"]).status_code == 200
