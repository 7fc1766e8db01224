"""Access tokens from outside: how a client gets one, what it is worth, and what stands about it in public."""

import base64
import contextlib
import hashlib
import json
import time
import uuid
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from harness.client import problem
from harness.tokens import SCOPES, Forger, ask, b64, grant, oauth_error, refused, unb64, use
from harness.waiting import PATIENCE_SECONDS, everywhere

WAIT_SECONDS = PATIENCE_SECONDS  # a suspension counts within two; the rest is a slow machine


@pytest.fixture(scope="module")
def forger(api):
    return Forger(api)


class TestTokenEndpoint:
    def test_basic(self, api, forger):
        answer = grant(api, api.client("portal"))
        assert answer.status_code == 200 and answer.headers["Cache-Control"] == "no-store"
        body = answer.json()
        assert body["token_type"] == "Bearer" and body["expires_in"] == 600 and body["scope"] == "published:read"
        header, claims, signature = body["access_token"].split(".")
        assert json.loads(unb64(header)) == forger.header
        claims = json.loads(unb64(claims))
        client_id = api.client("portal")["client_id"]
        assert set(claims) == {"iss", "aud", "sub", "client_id", "iat", "exp", "jti", "scope"}
        assert claims["sub"] == claims["client_id"] == client_id
        assert claims["iss"] == api.issuer and claims["aud"] == api.audience and claims["scope"] == "published:read"
        assert claims["exp"] - claims["iat"] == 600 and abs(claims["iat"] - time.time()) < 30
        assert uuid.UUID(claims["jti"]).version == 7
        assert len(unb64(signature)) == 64
        assert use(api, body["access_token"]).status_code == 200

    def test_credentials_in_the_body(self, api):
        client = api.client("portal")
        answer = ask(api, {"grant_type": "client_credentials", "client_id": client["client_id"],
                           "client_secret": client["client_secret"]})
        assert answer.status_code == 200
        assert use(api, answer.json()["access_token"]).status_code == 200

    def test_every_token_is_another(self, api):
        tokens = {grant(api, api.client("portal")).json()["access_token"] for _ in range(3)}
        assert len(tokens) == 3

    def test_no_scope_means_all_that_is_allowed(self, api):
        granted = grant(api, api.client("provincial_coordinator")).json()["scope"].split(" ")
        assert len(granted) == len(set(granted)) and set(granted) <= SCOPES
        assert {"published:read", "libraries:write", "reports:approve"} <= set(granted)
        assert not {"admin", "programs:write", "audit:read"} & set(granted)
        empty = grant(api, api.client("provincial_coordinator"), scope="").json()["scope"]
        assert set(empty.split(" ")) == set(granted)  # RFC 6749 3.2: without a value is as if left out

    def test_less_than_allowed(self, api):
        body = grant(api, api.client("provincial_coordinator"), scope="published:read").json()
        assert body["scope"] == "published:read"
        refusal = api.post("/v1/libraries", token=body["access_token"], json={
            "name": "X", "kind": "tbm", "region_code": "19.01.06.2002"})
        problem(refusal, 403, "insufficient_scope")
        assert 'error="insufficient_scope"' in refusal.headers["WWW-Authenticate"]

    @pytest.mark.parametrize("scope", [
        "admin", "published:read admin", "unknown:scope", "published:read unknown:scope", "Published:Read",
        "published:read  published:read", " published:read", "published:read ", "published:read,contacts:read", "*",
        "published:*", "\"published:read\""])
    def test_scope_not_allowed(self, api, scope):
        oauth_error(grant(api, api.client("portal"), scope=scope), 400, "invalid_scope")

    def test_wrong_credentials(self, api):
        client, other = api.client("portal"), api.client("integration")
        for name, secret in [
                (client["client_id"], "wrong"), (client["client_id"], ""),
                (client["client_id"], client["client_secret"] + "A"), (client["client_id"], client["client_secret"][:-1]),
                (client["client_id"], client["client_secret"].swapcase()), (client["client_id"], other["client_secret"]),
                (client["client_id"].upper(), client["client_secret"]), ("c_unknown", client["client_secret"]),
                ("", client["client_secret"]), ("", ""), ("' OR 1=1 --", "x"), ("a" * 5000, "b"), ("c_x", "s" * 5000),
                ("\u00e9", "\u00e9"), ("c\x00d", "x")]:
            wrong = {"client_id": name, "client_secret": secret}
            answer = ask(api, {"grant_type": "client_credentials", **wrong})
            if "\x00" in name:
                assert answer.status_code in (400, 401)
                continue
            oauth_error(answer, 401, "invalid_client")
            assert not secret or len(secret) < 8 or secret not in answer.text

    def test_wrong_basic(self, api):
        client = api.client("portal")
        good = base64.b64encode(f"{client['client_id']}:{client['client_secret']}".encode()).decode()
        for value in ("Basic", "Basic !", "Basic " + good[:-6], "Basic " + good + "=", "Bearer " + good,
                      "Basic " + base64.b64encode(b"no colon").decode(), "Basic " + base64.b64encode(b":").decode(),
                      "Basic " + base64.b64encode(f"{client['client_id']}:wrong".encode()).decode(), "Digest x"):
            answer = ask(api, {"grant_type": "client_credentials"}, headers={"Authorization": value})
            oauth_error(answer, 401, "invalid_client")
        control = ask(api, {"grant_type": "client_credentials"}, headers={"Authorization": "Basic " + good})
        assert control.status_code == 200
        control = ask(api, {"grant_type": "client_credentials"}, headers={"Authorization": "basic " + good})
        assert control.status_code == 200  # a scheme's case does not matter, RFC 9110 11.1

    def test_no_credentials(self, api):
        oauth_error(ask(api, {"grant_type": "client_credentials"}), 401, "invalid_client")
        only_id = {"grant_type": "client_credentials", "client_id": api.client("portal")["client_id"]}
        oauth_error(ask(api, only_id), 401, "invalid_client")

    def test_grant_types(self, api):
        client = api.client("portal")
        oauth_error(ask(api, {"scope": "published:read"}, client), 400, "invalid_request")
        oauth_error(ask(api, "", client, headers={"Content-Type": "application/x-www-form-urlencoded"}), 400,
                    "invalid_request")
        for grant_type in ("password", "implicit", "CLIENT_CREDENTIALS", "x"):
            oauth_error(ask(api, {"grant_type": grant_type}, client), 400, "unsupported_grant_type")

    @pytest.mark.parametrize("name, value", [
        ("grant_type", "client_credentials"), ("scope", "published:read"), ("client_id", None), ("client_secret", None)])
    def test_duplicate_parameters(self, api, name, value):
        client = api.client("portal")
        form = [("grant_type", "client_credentials"), ("scope", "published:read"), ("client_id", client["client_id"]),
                ("client_secret", client["client_secret"])]
        assert ask(api, form).status_code == 200
        oauth_error(ask(api, form + [(name, value or client[name])]), 400, "invalid_request")

    def test_two_ways_at_once(self, api):
        client = api.client("portal")
        form = {"grant_type": "client_credentials", "client_id": client["client_id"],
                "client_secret": client["client_secret"]}
        oauth_error(ask(api, form, client), 400, "invalid_request")
        other = {"grant_type": "client_credentials", "client_id": api.client("integration")["client_id"]}
        assert ask(api, other, client).status_code in (400, 401)

    def test_query_and_json_are_no_form(self, api):
        client = api.client("portal")
        auth = (client["client_id"], client["client_secret"])
        # refused by a gate in front of the operation, so in the form of every other problem
        answer = api.session.post(api.address + "/oauth2/token?grant_type=client_credentials", auth=auth, timeout=30,
                                  data={"scope": "published:read"}, headers={"Accept-Language": "en"})
        problem(answer, 400, "invalid_parameter")
        answer = api.post("/oauth2/token", token=None, json={"grant_type": "client_credentials"}, auth=auth)
        problem(answer, 415, "unsupported_media_type")

    def test_secrets_are_in_no_log(self, api):
        client = api.client("portal")
        assert grant(api, client).status_code == 200
        marker = "Marker-" + uuid.uuid4().hex
        ask(api, {"grant_type": "client_credentials", "client_id": client["client_id"], "client_secret": marker})
        token = grant(api, client).json()["access_token"]
        use(api, token)
        refused(api, token[:-8] + "AAAAAAAA")
        log = api.service.log_text()
        for secret in (client["client_secret"], marker, token, token.split(".")[2]):
            assert secret not in log
        events = [line for line in api.service.log_lines() if line["event"] == "client_refused"]
        assert any(line.get("client") == client["client_id"] for line in events)


class TestStanding:
    """What the database says counts for tokens that are already out."""

    @pytest.fixture
    def client(self, service, cluster):
        return cluster.make_client(service.database, "portal")

    @staticmethod
    def change(database, statement, *values):
        with contextlib.closing(database.cursor()) as cursor:
            cursor.execute(statement, values)
            assert cursor.rowcount > 0

    @staticmethod
    def until(api, token, status):
        everywhere(api, lambda: use(api, token).status_code, status)

    def test_suspension(self, api, database, client):
        token = grant(api, client).json()["access_token"]
        assert use(api, token).status_code == 200
        self.change(database, "UPDATE client SET status = 'suspended' WHERE id = %s", client["client_id"])
        self.until(api, token, 401)
        refused(api, token)
        oauth_error(grant(api, client), 401, "invalid_client")
        self.change(database, "UPDATE client SET status = 'active' WHERE id = %s", client["client_id"])
        self.until(api, token, 200)
        assert grant(api, client).status_code == 200

    def test_assignments_are_dated(self, api, database, client):
        token = grant(api, client).json()["access_token"]
        set_days = "UPDATE assignment SET starts_on = today() + %s, ends_on = today() + %s WHERE client_id = %s"
        for first, last, status in [(-9, -1, 403), (-9, 0, 200), (1, 9, 403), (0, 0, 200)]:
            self.change(database, set_days, first, last, client["client_id"])
            self.until(api, token, status)
            answer = grant(api, client)
            if status == 200:
                assert answer.json()["scope"] == "published:read"
            else:  # a client without an assignment in force has nothing, what is published included
                oauth_error(answer, 400, "invalid_scope")

    def test_allowed_scopes_narrow_a_role(self, api, database, cluster, service):
        client = cluster.make_client(service.database, "regency_facilitator", region="19.01")
        token = grant(api, client).json()["access_token"]
        self.change(database, "UPDATE client SET allowed_scopes = '{published:read}' WHERE id = %s", client["client_id"])
        assert grant(api, client).json()["scope"] == "published:read"
        oauth_error(grant(api, client, scope="libraries:write"), 400, "invalid_scope")
        deadline = time.monotonic() + WAIT_SECONDS
        while (answer := api.post("/v1/libraries", token=token, json={})).status_code != 403:  # never valid
            assert answer.status_code == 422 and time.monotonic() < deadline
            time.sleep(0.02)
        problem(answer, 403, "insufficient_scope")

    def test_two_secrets_while_one_replaces_the_other(self, api, database, client):
        new = {"client_id": client["client_id"], "client_secret": "n" + uuid.uuid4().hex * 2}
        self.change(database, "INSERT INTO client_secret (client_id, hash) VALUES (%s, %s)", client["client_id"],
                    hashlib.sha256(new["client_secret"].encode()).digest())
        assert grant(api, client).status_code == grant(api, new).status_code == 200
        self.change(database, "UPDATE client_secret SET created_at = now() - interval '2 days', "
                    "expires_at = now() - interval '1 second' WHERE client_id = %s AND hash = %s", client["client_id"],
                    hashlib.sha256(client["client_secret"].encode()).digest())
        oauth_error(grant(api, client), 401, "invalid_client")
        assert grant(api, new).status_code == 200

    def test_the_secret_is_stored_hashed(self, database, client):
        with contextlib.closing(database.cursor()) as cursor:
            cursor.execute("SELECT hash FROM client_secret WHERE client_id = %s", (client["client_id"],))
            assert [bytes(row[0]) for row in cursor] == [hashlib.sha256(client["client_secret"].encode()).digest()]
        assert len(unb64(client["client_secret"][8:-6])) == 32


class TestClientCreate:
    def faults(self, cluster, service, *words):
        done = cluster.run(service.database, "client", "create", *words, check=False)
        assert done.returncode != 0 and "client_secret" not in done.stdout
        return done.stderr

    def test_every_fault_is_named(self, cluster, service, database):
        with contextlib.closing(database.cursor()) as cursor:
            cursor.execute("SELECT count(*) FROM client")
            before = cursor.fetchone()
            said = self.faults(cluster, service, "--name", "x", "--role", "king", "--region", "99")
            assert "role: there is no role king" in said and "region: no region 99" in said
            said = self.faults(cluster, service, "--name", "x", "--role", "library_manager", "--library",
                               "0193a5c0-0000-7000-8000-000000000001")
            assert "library: there is no library" in said
            for role, where in [("provincial_coordinator", ["--region", "19.01"]), ("provincial_coordinator", []),
                                ("regency_facilitator", ["--region", "19"]), ("national_admin", ["--region", "19"]),
                                ("library_manager", ["--region", "19.01.06.2002"]), ("team_member", [])]:
                assert f"the role {role} is for" in self.faults(cluster, service, "--name", "x", "--role", role, *where)
            cursor.execute("SELECT count(*) FROM client")
            assert cursor.fetchone() == before


class TestDocuments:
    def test_jwks(self, api, forger):
        answer = api.get("/.well-known/jwks.json", token=None)
        assert answer.status_code == 200
        [key] = answer.json()["keys"]
        numbers = forger.key.public_key().public_numbers()
        assert key == {"kty": "EC", "crv": "P-256", "use": "sig", "alg": "ES256", "kid": forger.kid,
                       "x": b64(numbers.x.to_bytes(32, "big")), "y": b64(numbers.y.to_bytes(32, "big"))}

    def test_a_token_verifies_with_what_is_published(self, api):
        [key] = api.get("/.well-known/jwks.json", token=None).json()["keys"]
        public = ec.EllipticCurvePublicNumbers(int.from_bytes(unb64(key["x"]), "big"), int.from_bytes(unb64(key["y"]), "big"),
                                               ec.SECP256R1()).public_key()
        data, _, signature = grant(api, api.client("portal")).json()["access_token"].rpartition(".")
        raw = unb64(signature)
        der = encode_dss_signature(int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big"))
        public.verify(der, data.encode(), ec.ECDSA(hashes.SHA256()))

    def test_metadata(self, api):
        answer = api.get("/.well-known/oauth-authorization-server", token=None)
        assert answer.status_code == 200
        body = answer.json()
        assert body["issuer"] == api.issuer
        assert body["token_endpoint"] == api.base_url + "/oauth2/token"
        assert body["jwks_uri"] == api.base_url + "/.well-known/jwks.json"
        assert body["grant_types_supported"] == ["authorization_code", "refresh_token", "client_credentials"]
        assert set(body["token_endpoint_auth_methods_supported"]) == {"client_secret_basic", "client_secret_post", "none"}
        assert set(body["scopes_supported"]) == SCOPES

    def test_the_key_file_is_private(self, api):
        files = list(Path(api.keys_dir).glob("*.pem"))
        assert files and all(file.stat().st_mode & 0o777 == 0o600 for file in files)
