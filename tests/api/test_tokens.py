"""Access tokens from outside: how a client gets one, and that nothing else opens the door.

The forgeries are made here with another library than the service's, from its own key file, so that most of them
are perfect but for one thing. Rule: every forgery stands beside a control that differs in that one thing and passes.
"""

import base64
import contextlib
import hashlib
import hmac
import json
import time
import uuid
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from harness.client import problem

PATH = "/v1/regions/19"  # any operation that needs a token
WAIT_SECONDS = 10  # a suspension counts within two; the rest is a slow machine
SCOPES = {  # values.md: what no other test of this file may learn from the service
    "published:read", "contacts:read", "libraries:write", "programs:write", "participations:write", "trainings:write",
    "trainings:certify", "replications:write", "replications:approve", "teams:write", "figures:write",
    "statistics:write", "reports:verify", "reports:approve", "audit:read", "admin"}


def b64(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def unb64(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def as_json(value):
    return value if isinstance(value, bytes) else json.dumps(value, separators=(",", ":")).encode()


def thumbprint(key):
    """RFC 7638 of a P-256 key."""
    numbers = key.public_key().public_numbers()
    x, y = (b64(number.to_bytes(32, "big")) for number in (numbers.x, numbers.y))
    return b64(hashlib.sha256(f'{{"crv":"P-256","kty":"EC","x":"{x}","y":"{y}"}}'.encode()).digest())


def ecdsa(key, data, digest=hashes.SHA256, size=32):
    r, s = decode_dss_signature(key.sign(data, ec.ECDSA(digest())))
    return r.to_bytes(size, "big") + s.to_bytes(size, "big")


class Forger:
    """The service's own key, and the header and claims that the service would write."""

    def __init__(self, api):
        path = min(Path(api.keys_dir).glob("*.pem"), key=lambda file: file.name)
        self.key = serialization.load_pem_private_key(path.read_bytes(), None)
        self.public_pem = self.key.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
        self.kid = thumbprint(self.key)
        self.header = {"alg": "ES256", "kid": self.kid, "typ": "JWT"}
        self.api, self.client_id = api, api.client("portal")["client_id"]

    def claims(self, **changes):
        """A change to `...` leaves the claim out."""
        now = int(time.time())
        claims = {"iss": self.api.issuer, "aud": self.api.audience, "sub": self.client_id, "client_id": self.client_id,
                  "iat": now, "exp": now + 300, "jti": str(uuid.uuid4()), "scope": "published:read", **changes}
        return {name: value for name, value in claims.items() if value is not ...}

    def headers(self, **changes):
        return {name: value for name, value in {**self.header, **changes}.items() if value is not ...}

    def input(self, header=None, claims=None):
        return (b64(as_json(header or self.header)) + "." + b64(as_json(claims or self.claims()))).encode()

    def token(self, header=None, claims=None, key=None):
        data = self.input(header, claims)
        return data.decode() + "." + b64(ecdsa(key or self.key, data))


@pytest.fixture(scope="module")
def forger(api):
    return Forger(api)


def use(api, token):
    return api.get(PATH, token=None, headers={"Authorization": "Bearer " + token})


def refused(api, token):
    answer = use(api, token)
    problem(answer, 401, "invalid_token")
    challenge = answer.headers["WWW-Authenticate"]
    assert challenge.startswith("Bearer ") and 'error="invalid_token"' in challenge
    return answer


def ask(api, data, client=None, **options):
    """A request to the token endpoint; `client` by Basic."""
    auth = (client["client_id"], client["client_secret"]) if client else None
    return api.post("/oauth2/token", token=None, data=data, auth=auth, **options)


def grant(api, client, **more):
    return ask(api, {"grant_type": "client_credentials", **more}, client)


def oauth_error(answer, status, error):
    assert answer.status_code == status, answer.text
    assert answer.headers["Content-Type"].split(";")[0] == "application/json"
    assert answer.headers["Cache-Control"] == "no-store"
    body = answer.json()
    assert body["error"] == error and body["error_description"]
    if status == 401:
        assert answer.headers["WWW-Authenticate"].startswith("Basic ")


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
        for grant_type in ("password", "authorization_code", "refresh_token", "CLIENT_CREDENTIALS", "x"):
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


class TestForgeries:
    def test_control(self, api, forger):
        assert use(api, forger.token()).status_code == 200
        now = int(time.time())
        for claims in (forger.claims(aud=["other", api.audience]), forger.claims(nbf=now + 30),
                       forger.claims(iat=now + 30), forger.claims(more={"nested": [1]})):
            assert use(api, forger.token(claims=claims)).status_code == 200

    def test_no_token(self, api):
        answer = api.get(PATH, token=None)
        problem(answer, 401, "unauthorized")
        assert answer.headers["WWW-Authenticate"].startswith("Bearer ")
        assert "error=" not in answer.headers["WWW-Authenticate"]  # RFC 6750 3.1

    def test_other_schemes(self, api, forger):
        for value in ("Basic " + base64.b64encode(b"a:b").decode(), forger.token(), "Token " + forger.token(), "Bearer",
                      "Bearer,"  + forger.token()):
            answer = api.get(PATH, token=None, headers={"Authorization": value})
            assert answer.status_code == 401 and "WWW-Authenticate" in answer.headers

    def test_a_token_counts_in_the_header_only(self, api, forger):
        for path in (f"{PATH}?access_token={forger.token()}", f"{PATH}?token={forger.token()}"):
            assert api.get(path, token=None).status_code == 401

    def test_shape(self, api, forger):
        header, claims, signature = forger.token().split(".")
        for token in ("x", ".", "..", "...", "a.b.c", f"{header}.{claims}", f"{header}.{claims}.", f".{claims}.{signature}",
                      f"{header}..{signature}", f"{header}.{claims}.{signature}.", f".{header}.{claims}.{signature}",
                      f"{header}.{claims}.{signature}.{signature}", f"{header}=.{claims}.{signature}",
                      f"{header}.{claims}.{signature}==", f"{header}.{claims}.{signature[:-1]}+",
                      f"{header}.{claims}.{signature}%20", f"{header} .{claims}.{signature}",
                      f"{header}.{claims}.{signature[:-2]}", f"{header}.{claims}.{signature}AA"):
            refused(api, token)

    def test_oversize(self, api, forger):
        assert use(api, forger.token(claims=forger.claims(more="x" * 2000))).status_code == 200
        refused(api, forger.token(claims=forger.claims(more="x" * 4000)))

    def test_algorithm_none(self, api, forger):
        for name in ("none", "None", "NONE", "nOnE"):
            data = forger.input(forger.headers(alg=name)).decode()
            for signature in ("", "AA", b64(b"\0" * 64), forger.token().split(".")[2]):
                refused(api, f"{data}.{signature}")

    def test_public_key_as_hmac_secret(self, api, forger):
        numbers = api.get("/.well-known/jwks.json", token=None).content
        for secret in (forger.public_pem, forger.public_pem.rstrip(b"\n"), numbers, b""):
            for name, digest in (("HS256", "sha256"), ("HS384", "sha384"), ("HS512", "sha512"), ("ES256", "sha256")):
                data = forger.input(forger.headers(alg=name))
                refused(api, data.decode() + "." + b64(hmac.new(secret, data, digest).digest()))

    @pytest.mark.parametrize("name", ["es256", "Es256", "ES256 ", "ES384", "ES512", "RS256", "PS256", "EdDSA", "HS256", ""])
    def test_other_name_of_the_algorithm(self, api, forger, name):
        refused(api, forger.token(header=forger.headers(alg=name)))

    def test_other_kinds_of_keys(self, api, forger):
        p384 = ec.generate_private_key(ec.SECP384R1())
        data = forger.input(forger.headers(alg="ES384"))
        refused(api, data.decode() + "." + b64(ecdsa(p384, data, hashes.SHA384, 48)))
        k1 = ec.generate_private_key(ec.SECP256K1())
        refused(api, forger.token(key=k1))
        rsa_key = rsa.generate_private_key(65537, 2048)
        data = forger.input(forger.headers(alg="RS256"))
        refused(api, data.decode() + "." + b64(rsa_key.sign(data, PKCS1v15(), hashes.SHA256())))

    def test_foreign_key(self, api, forger):
        foreign = ec.generate_private_key(ec.SECP256R1())
        refused(api, forger.token(key=foreign))
        refused(api, forger.token(key=foreign, header=forger.headers(kid=thumbprint(foreign))))
        numbers = foreign.public_key().public_numbers()
        jwk = {"kty": "EC", "crv": "P-256", "x": b64(numbers.x.to_bytes(32, "big")), "y": b64(numbers.y.to_bytes(32, "big"))}
        refused(api, forger.token(key=foreign, header=forger.headers(jwk=jwk)))
        refused(api, forger.token(key=foreign, header=forger.headers(jwk=jwk, kid=thumbprint(foreign))))

    @pytest.mark.parametrize("kid", [..., "", "unknown", "../../dev/null", "' OR '1'='1", 1, None, [], {}])
    def test_kid(self, api, forger, kid):
        refused(api, forger.token(header=forger.headers(kid=kid)))

    def test_header(self, api, forger):
        good = json.dumps(forger.header, separators=(",", ":"))
        for header in (
                forger.headers(typ=...), forger.headers(typ="at+jwt"), forger.headers(typ="jwt"), forger.headers(typ=None),
                forger.headers(alg=...), forger.headers(alg=None), forger.headers(alg=["ES256"]), forger.headers(crit=["exp"]),
                forger.headers(crit=[]), forger.headers(b64=False), forger.headers(jku="http://127.0.0.1/"),
                forger.headers(x5u="http://127.0.0.1/"), forger.headers(zip="DEF"), forger.headers(enc="A128GCM"),
                {"header": forger.header}, [forger.header], good[:-1].encode() + b',"alg":"ES256"}',
                b'{"alg":"none",' + good[1:].encode(), good[:-1].encode() + b',"kid":"x"}', good.encode() + b"{}",
                b"\xef\xbb\xbf" + good.encode(), b"garbage", b"{", b"null", b"1", b'""', b"\xff\xfe", b"[" * 2500,
                b'{"a":' * 500):
            refused(api, forger.token(header=header))

    def test_tampered(self, api, forger):
        header, claims, signature = forger.token().split(".")
        more = b64(as_json(forger.claims(scope="admin published:read")))
        refused(api, f"{header}.{more}.{signature}")
        other = b64(as_json(forger.claims(sub=api.client("national_admin")["client_id"],
                                          client_id=api.client("national_admin")["client_id"])))
        refused(api, f"{header}.{other}.{signature}")
        for place in (0, 20, 43, 84, 85):
            wrong = signature[:place] + ("A" if signature[place] != "A" else "Q") + signature[place + 1:]
            refused(api, f"{header}.{claims}.{wrong}")
        last = signature[-1]  # four spare bits: another spelling of the same bytes is another token
        refused(api, f"{header}.{claims}.{signature[:-1]}{chr(ord(last) + 1)}")
        for raw in (b"\0" * 64, b"\xff" * 64, unb64(signature) + b"\0", unb64(signature)[:-1], b"\0",
                    unb64(signature)[32:] + unb64(signature)[:32]):
            refused(api, f"{header}.{claims}.{b64(raw)}")
        der = forger.key.sign(f"{header}.{claims}".encode(), ec.ECDSA(hashes.SHA256()))
        refused(api, f"{header}.{claims}.{b64(der)}")

    @pytest.mark.parametrize("name, values", [
        ("exp", [..., None, "soon", "9999999999", 9999999999.0, 1e300, True, [], {}, -1, 0, 1]),
        ("nbf", [None, "1", 1.5, True, [], 9999999999]),
        ("iat", [..., None, "1", 1.5, True, 9999999999]),
        ("iss", [..., None, "", "https://evil.example", 1, []]),
        ("aud", [..., None, "", "other", [], ["other"], 1, {}, [1]]),
        ("sub", [..., None, "", 1, [], "somebody else", "x" * 100]),
        ("client_id", [..., None, "", 1, []]),
        ("jti", [..., None, 1]),
        ("scope", [..., None, "", 1, ["published:read"], "published:read  admin"])])
    def test_claims(self, api, forger, name, values):
        for value in values:
            refused(api, forger.token(claims=forger.claims(**{name: value})))

    def test_near_misses(self, api, forger):
        now = int(time.time())
        for changes in ({"exp": now}, {"exp": now - 1}, {"nbf": now + 120}, {"iat": now + 120}, {"iss": api.issuer + "/"},
                        {"iss": [api.issuer]}, {"aud": api.audience.upper()}, {"aud": api.audience + " "},
                        {"aud": [[api.audience]]}, {"aud": {api.audience: 1}}, {"aud": [api.audience, 1]},
                        {"exp": float(now + 300)}, {"exp": str(now + 300)}):
            refused(api, forger.token(claims=forger.claims(**changes)))

    def test_payload(self, api, forger):
        good = as_json(forger.claims())
        assert use(api, forger.token(claims=good)).status_code == 200
        for payload in (good[:-1] + b',"exp":9999999999}', good[:-1] + b',"scope":"admin"}', good[:-1] + b',"s\\u0075b":"x"}',
                        good[:-1] + b',"more":{"a":1,"a":2}}', b"[" + good + b"]", good + b"{}", good + b"\0", b"garbage",
                        b"{}", b"null", b"1", b'"x"', b"\xff", b"[" * 2500):
            refused(api, forger.token(claims=payload))

    def test_a_client_that_does_not_exist(self, api, forger):
        refused(api, forger.token(claims=forger.claims(sub="c_nobody", client_id="c_nobody")))

    def test_another_subject(self, api, forger):
        refused(api, forger.token(claims=forger.claims(sub=api.client("national_admin")["client_id"])))

    def test_a_token_gives_no_more_than_its_client_has(self, api, forger):
        everything = forger.token(claims=forger.claims(scope=" ".join(sorted(SCOPES))))
        assert use(api, everything).status_code == 200
        refusal = api.post("/v1/libraries", token=everything, json={
            "name": "X", "kind": "tbm", "region_code": "19.01.06.2002"})
        problem(refusal, 403, "insufficient_scope")

    def test_expiry_ends_a_remembered_token(self, api, forger):
        token = forger.token(claims=forger.claims(exp=int(time.time()) + 2))
        assert use(api, token).status_code == 200
        time.sleep(2.1)
        refused(api, token)


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
        start = time.monotonic()
        while use(api, token).status_code != status:
            assert time.monotonic() - start < WAIT_SECONDS
            time.sleep(0.02)

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
        assert len(unb64(client["client_secret"])) == 32


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
        assert body["grant_types_supported"] == ["client_credentials"]
        assert set(body["token_endpoint_auth_methods_supported"]) == {"client_secret_basic", "client_secret_post"}
        assert set(body["scopes_supported"]) == SCOPES

    def test_the_key_file_is_private(self, api):
        files = list(Path(api.keys_dir).glob("*.pem"))
        assert files and all(file.stat().st_mode & 0o777 == 0o600 for file in files)
