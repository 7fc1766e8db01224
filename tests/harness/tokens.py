"""Tokens for the tests: asking for one properly, and forging one.

The forgeries are made with another library than the service's, from its own key file, so that each is perfect but
for one thing.
"""

import base64
import hashlib
import json
import time
import uuid
from pathlib import Path

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from harness.client import problem

PATH = "/v1/regions/19"  # any operation that needs a token
SCOPES = {  # values.md: what the tests may not learn from the service
    "published:read", "contacts:read", "libraries:write", "programs:write", "participations:write", "trainings:write",
    "trainings:certify", "replications:write", "replications:approve", "teams:write", "figures:write",
    "statistics:write", "reports:verify", "reports:approve", "assignments:write", "people:erase", "account:read", "account:write",
    "audit:read", "admin"}


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
