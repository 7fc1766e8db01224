"""Who did what from where: request ids, security events, and what an erasure leaves of kept answers."""

import pathlib
import re
import uuid

import pytest
from harness.browser import Browser
from harness.client import problem
from harness.people import People

ROOT = pathlib.Path(__file__).resolve().parents[2]
FROM = {"X-Forwarded-For": "203.0.113.77"}
NETWORK = "203.0.113.0/24"


@pytest.fixture(scope="module")
def people(own_api):
    return People(own_api)


def lines_of(api, request_id):
    return [line for line in api.service.log_lines() if line.get("request_id") == request_id]


def test_the_callers_id_stands_beside_ours(own_api, own_database):
    """Two actors who choose one id have two of ours; what is longer than 128 characters or not safe is kept nowhere."""
    ids = []
    for role in ("national_admin", "provincial_coordinator"):
        answer = own_api.post("/v1/organizations", json={"name": f"Dinas {uuid.uuid4()}", "sector": "media", "region_code": "19"}, token=role,
                              headers={"X-Request-Id": "mine-" + "x" * 123})
        assert answer.status_code == 201
        ids.append(answer.headers["X-Request-Id"])
        assert lines_of(own_api, ids[-1])[-1]["caller_request_id"] == "mine-" + "x" * 123
    assert len({*ids}) == 2 and not any("mine" in one for one in ids)
    with own_database.cursor() as cursor:
        cursor.execute("SELECT request_id, count(DISTINCT actor), min(caller_request_id) FROM audit WHERE request_id = ANY (%s) GROUP BY 1", (ids,))
        assert sorted(cursor.fetchall()) == sorted((one, 1, "mine-" + "x" * 123) for one in ids)
    rows = own_api.get(f"/v1/audit?request_id={ids[0]}", token="national_admin").json()["items"]
    assert {row["caller_request_id"] for row in rows} == {"mine-" + "x" * 123}
    for bad in ("x" * 129, "a b", 'a"b', "a\\b"):
        answer = own_api.get("/v1/regions/19", headers={"X-Request-Id": bad})
        assert lines_of(own_api, answer.headers["X-Request-Id"])[-1]["caller_request_id"] is None


class TestSecurityEvents:
    def told(self, api, event, answer):
        """The event's line, with the request's id and the network it came from."""
        lines = [line for line in api.service.log_lines() if line["event"] == event]
        assert lines, event
        assert (lines[-1]["request_id"], lines[-1]["network"]) == (answer.headers["X-Request-Id"], NETWORK), lines[-1]
        assert "203.0.113.77" not in api.service.log_text()

    def test_tokens(self, own_api):
        self.told(own_api, "token_refused", own_api.get("/v1/regions/19", token=None, headers={**FROM, "Authorization": "Bearer a.b.c"}))
        key = "tpbis_k_" + "A" * 43 + "AAAAAA"
        self.told(own_api, "api_key_refused", own_api.get("/v1/regions/19", token=None, headers={**FROM, "Authorization": f"Bearer {key}"}))

    def test_clients_and_grants(self, own_api, people):
        client = own_api.client("portal")["client_id"]
        self.told(own_api, "client_refused", own_api.post("/oauth2/token", data={"grant_type": "client_credentials"}, auth=(client, "wrong"), token=None,
                                                          headers=FROM))
        self.told(own_api, "grant_refused", own_api.post("/oauth2/token", token=None, headers=FROM, data={
            "grant_type": "refresh_token", "refresh_token": "x" * 86, "client_id": people.default_app["client_id"]}))

    def test_logins(self, own_api, people):
        user, browser = people.user("portal"), Browser(own_api)
        ours = browser.request
        browser.request = lambda method, path, data=None, headers=None: ours(method, path, data, {**FROM, **(headers or {})})
        page = browser.open(people.default_app)
        answer = browser.log_in(page, user, password="not this one at all")
        self.told(own_api, "login_refused", answer)
        answer = browser.log_in(browser.open(people.default_app), user)
        self.told(own_api, "login", answer)
        self.told(own_api, "code_issued", browser.consent(answer))

    def test_whoever_finds_out_about_accounts(self, own_api, people):
        """A refusal that tells of an account out of sight leaves no row in the audit; the log has who asked."""
        admin = people.user("national_admin")
        token, person = people.token(admin), own_api.post("/v1/people", json={"name": "Siti", "region_code": "19.01"}, token="national_admin").json()["id"]
        taken = {"username": f"u{uuid.uuid4().hex[:12]}", "name": "Siti", "person_id": person}
        assert own_api.post("/v1/users", json=taken, token="national_admin", once=True).status_code == 201
        for event, fields in (("username_taken", {"person_id": None}), ("person_has_account", {"username": f"u{uuid.uuid4().hex[:12]}"})):
            answer = own_api.post("/v1/users", json={**taken, **fields}, token=token, once=True, headers=FROM)
            problem(answer, 409, event)
            self.told(own_api, event, answer)
            assert lines_of(own_api, answer.headers["X-Request-Id"])[0]["user"] == admin["id"]
        assert taken["username"] not in own_api.service.log_text()

    def test_every_event_of_this_kind_says_so(self):
        """In the source: what tells of a login, a token, a client, a grant, a code, a key or a link is written by log_security()."""
        kind = re.compile(r"login|token_|client_|grant_|code_|api_key_refused|authorize_|scope_refused|session|logout|second_factor|revoked")
        plain = re.compile(r'log_event\(\s*LOG_\w+,\s*"(\w+)"')
        for path in [*ROOT.glob("api/**/*.c"), *ROOT.glob("auth/*.c")]:
            for event in plain.findall(path.read_text()):
                assert not kind.search(event) or event == "token_not_signed", f"{path.name}: {event}"


class TestForgottenAnswers:
    """A kept answer is not given once somebody was erased, or their data restricted, after its request began."""

    def made(self, api):
        person = api.post("/v1/people", json={"name": f"Siti {uuid.uuid4().hex}", "region_code": "19.01"}, token="national_admin").json()
        training = api.post("/v1/trainings", json={"phase_id": api.get("/v1/phases?limit=1").json()["items"][0]["id"], "kind": "tik",
                                                   "title": "Bimtek", "starts_on": "2024-05-01", "region_code": "19.01"}, token="national_admin")
        assert training.status_code == 201, training.text
        return person, training.json()

    def send(self, api, training, person, key):
        return api.post(f"/v1/trainings/{training['id']}/participants", json={"person_id": person["id"], "role": "staf"}, token="national_admin",
                        headers={"Idempotency-Key": key})

    @pytest.mark.parametrize("what", ["erasure", "restriction"])
    def test_the_name_is_not_given_again(self, own_api, own_database, what):
        person, training = self.made(own_api)
        other, _ = self.made(own_api)
        key, key_of_other = str(uuid.uuid4()), str(uuid.uuid4())
        first = self.send(own_api, training, person, key)
        assert first.status_code == 201 and first.json()["name"] == person["name"]
        assert self.send(own_api, training, person, key).headers["Idempotent-Replayed"] == "true"
        assert own_api.post(f"/v1/people/{person['id']}/{what}", json={"reason": "Diminta"}, token="national_admin").status_code == 200
        again = self.send(own_api, training, person, key)
        problem(again, 409, "idempotency_forgotten")
        assert person["name"] not in again.text
        with own_database.cursor() as cursor:  # nor done again
            cursor.execute("SELECT count(*) FROM training_participant WHERE training_id = %s", (training["id"],))
            assert cursor.fetchone() == (1,)
            cursor.execute("SELECT purge_idempotency(100)")
            cursor.execute("SELECT count(*) FROM idempotency WHERE answer <> '' AND idempotency_outlived(seen, created_at)")
            assert cursor.fetchone() == (0,), "the answer itself is gone"
        problem(self.send(own_api, training, person, key), 409, "idempotency_forgotten")
        after = self.send(own_api, training, other, key_of_other)
        assert after.status_code == 201 and self.send(own_api, training, other, key_of_other).headers["Idempotent-Replayed"] == "true"

    def test_an_answer_that_was_being_made_meanwhile(self, own_api, own_database):
        """Its request began before the erasure was over, so it may have read the name, and is not given again either."""
        person, training = self.made(own_api)
        other, _ = self.made(own_api)
        key = str(uuid.uuid4())
        assert self.send(own_api, training, other, key).status_code == 201
        with own_database.cursor() as cursor:
            cursor.execute("UPDATE idempotency SET seen = pg_current_snapshot() WHERE created_at = (SELECT max(created_at) FROM idempotency)")
        assert self.send(own_api, training, other, key).headers["Idempotent-Replayed"] == "true"
        assert own_api.post(f"/v1/people/{person['id']}/erasure", json={"reason": "Diminta"}, token="national_admin").status_code == 200
        problem(self.send(own_api, training, other, key), 409, "idempotency_forgotten")
