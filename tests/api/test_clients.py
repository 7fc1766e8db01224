"""Clients: how they are registered, what is refused, and that a secret is seen once and a suspension holds at once."""

import json
import re
import time
import uuid

import pytest

from harness import libraries
from harness.client import problem
from harness.machines import OWNER, PATH, assign, client, credentials, path_of, secret, sound
from harness.tokens import SCOPES, grant, oauth_error, refused, use
from harness.waiting import PATIENCE_SECONDS

SECONDS = PATIENCE_SECONDS  # a change holds within two; the rest is a slow machine


def eventually(question):
    end = time.monotonic() + SECONDS
    while not question():
        assert time.monotonic() < end, "not in time"
        time.sleep(0.05)


def tag_of(api, one):
    return api.get(path_of(one), token="national_admin").headers["ETag"]


def change(api, one, **fields):
    return api.patch(path_of(one), fields, etag=tag_of(api, one), token="national_admin")


def post(api, path, body=None, token="national_admin"):
    return api.post(path, json=body, token=token) if body is not None else api.post(path, token=token)


def token_of(api, one, text=None):
    answer = grant(api, credentials(one, text))
    assert answer.status_code == 200, answer.text
    return answer.json()["access_token"]


class TestRegistering:
    def test_what_was_sent_comes_back(self, api):
        sent = {"name": "Portal Literasi", "type": "confidential", **OWNER, "homepage": "https://portal.example.id",
                "redirect_uris": ["https://portal.example.id/callback", "http://127.0.0.1/callback"],
                "allowed_scopes": ["published:read", "contacts:read"], "allowed_region": "19"}
        answer = api.post(PATH, json=sent, token="national_admin")
        assert answer.status_code == 201, answer.text
        made = answer.json()
        assert {name: made[name] for name in sent} == sent
        assert (made["status"], made["suspended_reason"], made["terms_version"]) == ("active", None, None)
        assert made["id"].startswith("c_") and sound(made.pop("client_secret"), "s")
        assert answer.headers["Location"] == path_of(made) and answer.headers["Cache-Control"] == "no-store"
        single = api.get(answer.headers["Location"], token="national_admin")
        assert single.json() == made and single.headers["ETag"] == answer.headers["ETag"]

    def test_its_secret_opens(self, api, database):
        made = client(api)
        oauth_error(grant(api, credentials(made)), 400, "invalid_scope")  # nobody has charged it with anything
        assign(database, made)
        assert use(api, token_of(api, made)).status_code == 200

    def test_a_public_one_has_no_secret(self, api, database):
        made = client(api, "public", redirect_uris=["id.example.app:/callback"])
        assert made["client_secret"] is None
        assert api.get(path_of(made) + "/secrets", token="national_admin").json()["items"] == []
        problem(secret(api, made), 409, "client_public")
        with pytest.raises(Exception, match="client_public"), database.cursor() as cursor:
            cursor.execute("INSERT INTO client_secret (client_id, hash) VALUES (%s, sha256('x'))", (made["id"],))
        database.rollback()

    def test_the_secret_is_kept_nowhere(self, api, database):
        made = client(api)
        with database.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM client_secret WHERE hash = sha256(%s::text::bytea)", (made["client_secret"],))
            assert cursor.fetchone()[0] == 1
            cursor.execute("SELECT count(*) FROM audit WHERE (coalesce(before, '{}') || coalesce(after, '{}'))::text LIKE ANY (%s)",
                           ([f"%{made['client_secret']}%", "%pemilik@example.id%"],))
            assert cursor.fetchone()[0] == 0
        assert made["client_secret"] not in api.service.log_text() and "pemilik@" not in api.service.log_text()

    @pytest.mark.parametrize("uri,why", [
        ("http://portal.example.id/callback", "loopback"), ("http://127.0.0.1.example.id/", "loopback"),
        ("http://localhost.example.id/", "loopback"), ("https://portal.example.id/callback#here", "fragment"),
        ("https://*.example.id/callback", "wildcard"), ("https://portal.example.id@evil.example/", "userinfo"),
        ("https://user:pass@portal.example.id/", "userinfo"), ("https:///callback", "host"), ("https://Portal.example.id/", "host"),
        ("https://portal.example.id:x/", "host"), ("javascript:alert(1)", "scheme"), ("data:text/html,x", "scheme"),
        ("app:/callback", "scheme"), ("myapp://callback", "scheme"), ("/callback", "scheme"), ("portal.example.id/callback", "scheme"),
        ("https://portal.example.id/a b", "characters"), ("https://portal.example.id/é", "characters"),
        ("https://portal.example.id\\evil.example/", "characters"), ("https://portal.example.id/<", "characters")])
    def test_redirect_uris_refused(self, api, uri, why):
        body = {"name": "X", "type": "public", **OWNER, "redirect_uris": ["https://good.example.id/", uri]}
        refusal = problem(api.post(PATH, json=body, token="national_admin"), 409, "redirect_uri_invalid")
        assert f"({why})" in refusal["detail"]

    @pytest.mark.parametrize("uri", [
        "https://portal.example.id", "https://portal.example.id:8443/a/b?c=d", "https://[2001:db8::1]/x", "http://127.0.0.1/callback",
        "http://127.0.0.1:5173/callback", "http://[::1]:80/callback", "http://localhost:3000/callback",
        "id.example.app:/oauth", "com.example.app://callback"])
    def test_redirect_uris_taken(self, api, uri):
        assert client(api, "public", redirect_uris=[uri])["redirect_uris"] == [uri]

    def test_the_same_rules_for_changes(self, api):
        made = client(api, redirect_uris=["https://a.example.id/"])
        problem(change(api, made, redirect_uris=["https://a.example.id/#x"]), 409, "redirect_uri_invalid")
        problem(change(api, made, allowed_scopes=["libraries:fly"]), 409, "scope_unknown")
        problem(change(api, made, allowed_region="99"), 422, "reference_unknown")
        problem(change(api, made, owner_email="kita@x y"), 422, "invalid_body")
        problem(change(api, made, homepage="ftp://x"), 422, "invalid_body")
        assert api.get(path_of(made), token="national_admin").json()["redirect_uris"] == ["https://a.example.id/"]

    def test_what_is_refused(self, api):
        good = {"name": "X", "type": "confidential", **OWNER}
        problem(api.post(PATH, json={**good, "allowed_scopes": ["Admin"]}, token="national_admin"), 409, "scope_unknown")
        problem(api.post(PATH, json={**good, "allowed_region": "97"}, token="national_admin"), 422, "reference_unknown")
        for fields in ({"type": "secret"}, {"owner_email": None}, {"name": " "}, {"status": "active"}, {"id": str(uuid.uuid4())}):
            problem(api.post(PATH, json={**good, **fields}, token="national_admin"), 422, "invalid_body")


class TestReading:
    def test_lists_show_no_owner(self, api):
        made = client(api)
        listed = [item for item in api.pages(f"{PATH}?limit=50", token="national_admin") if item["id"] == made["id"]]
        [item] = listed
        whole = api.get(path_of(made), token="national_admin").json()
        assert item == {name: value for name, value in whole.items() if not name.startswith("owner_")}
        assert OWNER["owner_email"] not in api.get(f"{PATH}?format=csv", token="national_admin").text

    def test_every_read_of_the_owner_is_on_record(self, api, database):
        made = client(api)

        def reads():
            with database.cursor() as cursor:
                cursor.execute("SELECT client_id, operation, request_id FROM audit WHERE action = 'read' AND table_name = 'client' "
                               "AND row_key ->> 'id' = %s", (made["id"],))
                return cursor.fetchall()
        assert reads() == []
        answer = api.get(path_of(made), token="national_admin")
        assert reads() == [(api.client("national_admin")["client_id"], "get_client", answer.headers["X-Request-Id"])]
        again = api.get(path_of(made), token="national_admin", headers={"If-None-Match": answer.headers["ETag"]})
        assert again.status_code == 304 and len(reads()) == 2
        problem(api.get(PATH + "/c_nobody", token="national_admin"), 404, "not_found")

    def test_filters_and_orders(self, api):
        first, second = client(api), client(api, "public")
        assert post(api, path_of(first) + "/suspend", {"reason": "uji"}).status_code == 200

        def found(query):
            both = (first["id"], second["id"])
            return [both.index(item["id"]) for item in api.pages(f"{PATH}?limit=2{query and '&' + query}", token="national_admin")
                    if item["id"] in both]
        assert found("") == [0, 1] and found("sort=updated_at") == [1, 0]
        assert found("type=public") == [1] and found("type=confidential") == [0]
        assert found("status=suspended") == [0] and found("status=active") == [1]
        assert found("terms_current=true") == [0, 1] and found("terms_current=false") == []
        assert found(f"updated_since={first['created_at']}") == [0, 1] and found("updated_since=2999-01-01T00:00:00Z") == []
        assert api.get(f"{PATH}?limit=1&count=exact&fields=id", token="national_admin").json()["total"] >= 2
        rows = libraries.rows_of(api.get(f"{PATH}?format=csv", token="national_admin").text)
        assert {first["id"], second["id"]} <= {row["id"] for row in rows}
        page = api.get(PATH, token="national_admin")
        assert api.get(PATH, token="national_admin", headers={"If-None-Match": page.headers["ETag"]}).status_code == 304


class TestChanging:
    def test_a_change(self, api):
        made = client(api, redirect_uris=["https://a.example.id/"], allowed_scopes=["published:read"])
        answer = change(api, made, name="Lain", redirect_uris=[], allowed_scopes=["published:read", "audit:read"], homepage="https://b.example.id")
        assert answer.status_code == 200, answer.text
        made.pop("client_secret")
        assert answer.json() == {**made, "name": "Lain", "redirect_uris": [], "allowed_scopes": ["published:read", "audit:read"],
                                 "homepage": "https://b.example.id", "updated_at": answer.json()["updated_at"]}

    def test_the_least_is_what_is_not_named(self, api, database):
        """Neither a new client nor one whose list is emptied may do more than read what is published, whoever uses it."""
        made = client(api, redirect_uris=["https://a.example.id/"])
        assert made["allowed_scopes"] == ["published:read"]
        assign(database, made, "national_admin")
        assert grant(api, credentials(made)).json()["scope"] == "published:read"
        oauth_error(grant(api, credentials(made), scope="admin"), 400, "invalid_scope")
        assert change(api, made, allowed_scopes=["admin", "audit:read"]).json()["allowed_scopes"] == ["admin", "audit:read"]
        assert change(api, made, allowed_scopes=None).json()["allowed_scopes"] == ["published:read"]
        assert client(api, allowed_scopes=["account:read"])["allowed_scopes"] == ["account:read"]  # allowed, and needless

    def test_what_becomes_of_a_client_that_had_no_list(self, database, root):
        """It keeps what it was made for; what an app is not given but by name, it has no more."""
        migration = (root / "db/migrations/0100_name_scopes_of_clients.sql").read_text(encoding="utf-8")
        update = re.search(r"^UPDATE client .*?;", migration, re.S | re.M)[0]
        with database.cursor() as cursor:
            cursor.execute("BEGIN; ALTER TABLE client ALTER allowed_scopes DROP NOT NULL; ALTER TABLE client DISABLE TRIGGER guard; "
                           "INSERT INTO client (id, name, redirect_uris, allowed_scopes) VALUES ('uji.mesin', 'x', '{}', NULL), "
                           "('uji.admin', 'x', '{}', NULL), ('uji.aplikasi', 'x', '{https://a.example.id/}', NULL), "
                           "('uji.lama', 'x', '{https://a.example.id/}', '{libraries:write}'), ('uji.kosong', 'x', '{}', NULL); "
                           "INSERT INTO assignment (client_id, role, national) VALUES ('uji.mesin', 'integration', true), ('uji.admin', 'national_admin', true)")
            cursor.execute(update)
            cursor.execute("SELECT id, allowed_scopes FROM client WHERE id LIKE 'uji.%'")
            kept = {name: set(scopes) for name, scopes in cursor.fetchall()}
            cursor.execute("ROLLBACK")
        everything = SCOPES - {"account:read", "account:write"}
        assert kept == {"uji.mesin": {"published:read", "statistics:write"}, "uji.admin": everything, "uji.aplikasi": everything - {"admin", "audit:read"},
                        "uji.lama": {"libraries:write"}, "uji.kosong": {"published:read"}}

    def test_needs_what_was_read(self, api):
        made = client(api)
        problem(api.patch(path_of(made), {"name": "X"}, token="national_admin"), 428, "precondition_required")
        old = tag_of(api, made)
        assert change(api, made, name="Y").status_code == 200
        problem(api.patch(path_of(made), {"name": "Z"}, etag=old, token="national_admin"), 412, "precondition_failed")
        problem(api.patch(PATH + "/c_nobody", {"name": "Z"}, etag=old, token="national_admin"), 404, "not_found")

    def test_the_type_stays(self, api, database):
        made = client(api)
        problem(api.patch(path_of(made), {"type": "public"}, etag=tag_of(api, made), token="national_admin"), 422, "invalid_body")
        with pytest.raises(Exception, match="never changes"), database.cursor() as cursor:
            cursor.execute("UPDATE client SET type = 'public' WHERE id = %s", (made["id"],))
        database.rollback()

    def test_narrower_scopes_hold_at_once(self, api, database):
        made = client(api)
        assign(database, made, "national_analyst")
        token = token_of(api, made)
        assert use(api, token).status_code == 200
        assert change(api, made, allowed_scopes=["reports:verify"]).status_code == 200
        eventually(lambda: use(api, token).status_code == 403)


@pytest.mark.one_process
class TestRate:
    def test_its_own(self, api, database):
        """More, or less, than everybody's: in force within seconds, and seen by the client itself."""
        made = client(api, rate_per_minute=1234)
        assert made["rate_per_minute"] == 1234
        assign(database, made)
        token = token_of(api, made)
        assert "1234" in use(api, token).headers["RateLimit-Policy"]
        assert change(api, made, rate_per_minute=4321).json()["rate_per_minute"] == 4321
        eventually(lambda: "4321" in use(api, token).headers["RateLimit-Policy"])
        assert change(api, made, rate_per_minute=None).json()["rate_per_minute"] is None
        for wrong in (0, -1, 1.5, 10000001):
            problem(change(api, made, rate_per_minute=wrong), 422, "invalid_body")


@pytest.mark.one_process
class TestSuspension:
    def test_suspended_and_reinstated(self, api, database):
        made = client(api)
        assign(database, made)
        token = token_of(api, made)
        assert use(api, token).status_code == 200
        answer = post(api, path_of(made) + "/suspend", {"reason": "Rahasia bocor"})
        assert answer.status_code == 200
        assert (answer.json()["status"], answer.json()["suspended_reason"]) == ("suspended", "Rahasia bocor")
        eventually(lambda: use(api, token).status_code == 401)
        refused(api, token)
        oauth_error(grant(api, credentials(made)), 401, "invalid_client")
        again = problem(post(api, path_of(made) + "/suspend", {"reason": "lagi"}), 409, "client_status_same")
        assert "suspended" in again["detail"]
        answer = post(api, path_of(made) + "/reinstate")
        assert (answer.json()["status"], answer.json()["suspended_reason"]) == ("active", None)
        eventually(lambda: use(api, token).status_code == 200)
        problem(post(api, path_of(made) + "/reinstate"), 409, "client_status_same")

    def test_says_why(self, api):
        problem(post(api, path_of(client(api)) + "/suspend", {}), 422, "invalid_body")
        for step, body in (("suspend", {"reason": "x"}), ("reinstate", None)):
            problem(post(api, f"{PATH}/c_nobody/{step}", body), 404, "not_found")


class TestSentAgain:
    """An answer was lost: the same key gives the same secret, and there is one client, one secret, one key."""

    def test_the_same_secret(self, api):
        body = {"name": "Ulang", "type": "confidential", **OWNER}
        headers = {"Idempotency-Key": str(uuid.uuid4())}
        first = api.post(PATH, json=body, token="national_admin", headers=headers)
        again = api.post(PATH, json=body, token="national_admin", headers=headers)
        assert first.status_code == again.status_code == 201 and first.json() == again.json()
        assert again.headers["Idempotent-Replayed"] == "true" and again.headers["Cache-Control"] == "no-store"
        assert sound(again.json()["client_secret"], "s")
        for path, member in (("/secrets", "client_secret"), ("/api-keys", "api_key")):
            headers = {"Idempotency-Key": str(uuid.uuid4())}
            made = [api.post(path_of(first.json()) + path, json={"name": "x"} if member == "api_key" else {}, token="national_admin",
                             headers=headers).json()[member] for _ in range(2)]
            assert made[0] == made[1]
            assert len(api.get(path_of(first.json()) + path, token="national_admin").json()["items"]) == (2 if member == "client_secret" else 1)

    def test_it_is_not_kept_in_the_clear(self, api, database):
        answer = api.post(PATH, json={"name": "Ulang", "type": "confidential", **OWNER}, token="national_admin",
                          headers={"Idempotency-Key": str(uuid.uuid4())})
        secret_text = answer.json()["client_secret"]
        with database.cursor() as cursor:
            cursor.execute("SELECT count(*), count(*) FILTER (WHERE strpos(encode(i::text::bytea, 'escape'), %s) > 0 "
                           "OR strpos(i::text, encode(%s::text::bytea, 'hex')) > 0) FROM idempotency i", (secret_text, secret_text))
            kept, clear = cursor.fetchone()
            assert kept > 0 and clear == 0


class TestSecrets:
    def test_two_at_once_and_no_third(self, api, database):
        made = client(api)
        assign(database, made)
        answer = secret(api, made, expires_at="2999-01-01T00:00:00Z")
        assert answer.status_code == 201, answer.text
        second = answer.json()
        assert answer.headers["Location"] == f"{path_of(made)}/secrets/{second['id']}"
        assert answer.headers["Cache-Control"] == "no-store" and sound(second["client_secret"], "s")
        assert token_of(api, made) and token_of(api, made, second["client_secret"])
        problem(secret(api, made), 409, "too_many_secrets")
        listed = api.get(path_of(made) + "/secrets", token="national_admin")
        assert [set(item) for item in listed.json()["items"]] == [{"id", "created_at", "expires_at"}] * 2
        assert listed.json()["items"][1]["expires_at"] == "2999-01-01T00:00:00Z"
        again = api.get(path_of(made) + "/secrets", token="national_admin", headers={"If-None-Match": listed.headers["ETag"]})
        assert again.status_code == 304

        first = listed.json()["items"][0]["id"]
        assert api.delete(f"{path_of(made)}/secrets/{first}", token="national_admin").status_code == 204
        oauth_error(grant(api, credentials(made)), 401, "invalid_client")
        assert token_of(api, made, second["client_secret"])
        assert secret(api, made).status_code == 201
        problem(api.delete(f"{path_of(made)}/secrets/{first}", token="national_admin"), 404, "not_found")

    def test_of_another_client(self, api):
        mine, other = client(api), client(api)
        [item] = api.get(path_of(other) + "/secrets", token="national_admin").json()["items"]
        problem(api.delete(f"{path_of(mine)}/secrets/{item['id']}", token="national_admin"), 404, "not_found")
        assert len(api.get(path_of(other) + "/secrets", token="national_admin").json()["items"]) == 1

    def test_it_ends(self, api, database):
        made = client(api)
        problem(secret(api, made, expires_at="2020-01-01T00:00:00Z"), 409, "expiry_past")
        ended = secret(api, made, expires_at="2999-01-01T00:00:00Z").json()
        with database.cursor() as cursor:
            cursor.execute("UPDATE client_secret SET created_at = now() - interval '2 days', expires_at = now() - interval '1 day' "
                           "WHERE id = %s", (ended["id"],))
        database.commit()
        oauth_error(grant(api, credentials(made, ended["client_secret"])), 401, "invalid_client")
        assert secret(api, made).status_code == 201  # what has ended makes room
        ids = [item["id"] for item in api.get(path_of(made) + "/secrets", token="national_admin").json()["items"]]
        assert len(ids) == 2 and ended["id"] not in ids

    def test_of_nobody(self, api):
        problem(api.get(PATH + "/c_nobody/secrets", token="national_admin"), 404, "not_found")
        problem(secret(api, {"id": "c_nobody"}), 404, "not_found")
        problem(api.delete(f"{PATH}/c_nobody/secrets/{uuid.uuid4()}", token="national_admin"), 404, "not_found")


class TestTerms:
    def test_the_version_in_force_is_accepted(self, fresh):
        api = fresh(terms_version="2026-11")
        good = {"name": "X", "type": "confidential", **OWNER}
        for fields in ({}, {"terms_version": "2025-01"}):
            refusal = problem(api.post(PATH, json={**good, **fields}, token="national_admin"), 409, "terms_not_accepted")
            assert "2026-11" in refusal["detail"]
        made = client(api, terms_version="2026-11")
        assert made["terms_current"] is True and made["terms_accepted_at"] is not None
        problem(change(api, made, terms_version="2025-01"), 409, "terms_not_accepted")
        assert change(api, made, name="Y").json()["terms_accepted_at"] == made["terms_accepted_at"]
        assert change(api, made, terms_version="2026-11").json()["terms_accepted_at"] > made["terms_accepted_at"]
        current = [item["id"] for item in api.pages(f"{PATH}?terms_current=true", token="national_admin")]
        older = [item["id"] for item in api.pages(f"{PATH}?terms_current=false", token="national_admin")]
        assert current == [made["id"]] and api.client("portal")["client_id"] in older

    def test_without_terms_anything_is_recorded(self, api):
        made = client(api, terms_version="perjanjian 2024")
        assert made["terms_version"] == "perjanjian 2024" and made["terms_current"] is True


class TestCommandLine:
    """For the first client and for emergencies, when the API cannot be used or trusted."""

    def run(self, cluster, service, *words, check=True):
        return cluster.run(service.database, "client", *words, check=check)

    def test_a_public_app(self, api, cluster, service):
        done = self.run(cluster, service, "create", "--name", "Aplikasi", "--type", "public", "--redirect-uri", "id.example.app:/cb",
                        "--redirect-uri", "http://127.0.0.1/cb", "--scope", "published:read", "--scope", "contacts:read",
                        "--owner-name", "Dinas", "--owner-email", "a@example.id")
        made = json.loads(done.stdout)
        assert made["client_secret"] is None
        one = api.get(f"{PATH}/{made['client_id']}", token="national_admin").json()
        assert (one["type"], one["redirect_uris"], one["allowed_scopes"]) == (
            "public", ["id.example.app:/cb", "http://127.0.0.1/cb"], ["published:read", "contacts:read"])
        assert (one["owner_name"], one["owner_email"]) == ("Dinas", "a@example.id")

    def test_the_old_form(self, api, cluster, service):
        made = json.loads(self.run(cluster, service, "create", "--name", "Portal", "--role", "portal").stdout)
        answer = grant(api, made)
        assert answer.status_code == 200 and use(api, answer.json()["access_token"]).status_code == 200
        one = api.get(f"{PATH}/{made['client_id']}", token="national_admin").json()
        assert (one["type"], one["allowed_scopes"], one["redirect_uris"]) == ("confidential", ["published:read"], [])

    @pytest.mark.parametrize("words,said", [
        (["--name", "x", "--type", "secret", "--role", "portal"], "type: must be"),
        (["--name", "x", "--type", "public", "--region", "19"], "a role must be given"),
        (["--name", "x", "--role", "portal", "--redirect-uri", "http://a.example.id"], "redirect_uri_invalid"),
        (["--name", "x", "--role", "portal", "--scope", "root"], "scope_unknown"),
        (["--name", "x", "--role", "portal", "--owner-email", "nobody"], "invalid_body")])
    def test_refused(self, cluster, service, database, words, said):
        with database.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM client")
            before = cursor.fetchone()
            done = self.run(cluster, service, "create", *words, check=False)
            assert done.returncode == 1 and said in done.stderr and not done.stdout
            cursor.execute("SELECT count(*) FROM client")
            assert cursor.fetchone() == before

    @pytest.mark.parametrize("words", [
        [], ["make"], ["create"], ["create", "--name", "x"], ["create", "--name", "x", "--role"], ["create", "--name", "x", "--name", "y"],
        ["create", "--colour", "red"], ["suspend"], ["suspend", "c_x"], ["suspend", "c_x", "--reason"], ["reinstate"], ["reinstate", "a", "b"]])
    def test_used_wrongly(self, cluster, service, words):
        done = self.run(cluster, service, *words, check=False)
        assert done.returncode == 2 and done.stderr and not done.stdout

    def test_suspended_and_reinstated(self, api, cluster, service, database):
        made = client(api)
        assign(database, made)
        token = token_of(api, made)
        assert use(api, token).status_code == 200
        self.run(cluster, service, "suspend", made["id"], "--reason", "Rahasia bocor")
        eventually(lambda: use(api, token).status_code == 401)
        one = api.get(path_of(made), token="national_admin").json()
        assert (one["status"], one["suspended_reason"]) == ("suspended", "Rahasia bocor")
        with database.cursor() as cursor:
            cursor.execute("SELECT actor, operation FROM audit WHERE table_name = 'client' AND row_key ->> 'id' = %s AND action = 'update' "
                           "ORDER BY id DESC LIMIT 1", (made["id"],))
            assert cursor.fetchone() == ("command line", "client_suspend")
        self.run(cluster, service, "reinstate", made["id"])
        eventually(lambda: use(api, token).status_code == 200)
        for words in (["suspend", "c_nobody", "--reason", "x"], ["reinstate", "c_nobody"], ["reinstate", "no one"]):
            done = self.run(cluster, service, *words, check=False)
            assert done.returncode == 1 and "no such client" in done.stderr
