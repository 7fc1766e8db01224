"""A machine's token, asked for by openid-client and checked by jose."""

import base64
import hashlib
import json
import time

import pytest
import requests

PUBLIC = "/v1/regions/19"


def registered(node, api, role, **metadata):
    client = api.client(role)
    node("register", metadata={"client_id": client["client_id"], "client_secret": client["client_secret"],
                               "token_endpoint_auth_method": "client_secret_basic", **metadata})
    return client


def use(api, token):
    return requests.get(api.address + PUBLIC, headers={"Authorization": "Bearer " + token}, timeout=20)


def test_the_metadata_are_as_discovery_wants_them(node, api):
    metadata = node("discover", url=api.base_url + "/.well-known/oauth-authorization-server")
    assert metadata["issuer"] == api.issuer and metadata["token_endpoint"].startswith(api.base_url)


def test_a_token_is_asked_for_used_and_verified(node, api):
    client = registered(node, api, "portal")
    granted = node("client_credentials", scope="published:read")
    assert granted["token_type"].lower() == "bearer" and granted["scope"] == "published:read"
    assert use(api, granted["access_token"]).status_code == 200
    verified = node("verify", token=granted["access_token"], audience=api.audience)
    assert verified["payload"]["client_id"] == client["client_id"] and verified["protectedHeader"]["alg"] == "ES256"


def test_a_wrong_secret_and_too_much_are_refused(node, api):
    client = registered(node, api, "portal")
    assert node("client_credentials", scope="admin")["error"] == "invalid_scope"
    node("register", metadata={"client_id": client["client_id"], "client_secret": "x" * 43})
    assert node("client_credentials")["error"] == "invalid_client"


def test_jose_refuses_what_is_not_ours(node, api):
    registered(node, api, "portal")
    token = node("client_credentials")["access_token"]
    head, body, signature = token.split(".")
    flipped = ("A" if signature[0] != "A" else "B") + signature[1:]
    assert node("verify", token=f"{head}.{body}.{flipped}", audience=api.audience)["error"] == "ERR_JWS_SIGNATURE_VERIFICATION_FAILED"
    assert node("verify", token=token, audience="somebody-else")["error"] == "ERR_JWT_CLAIM_VALIDATION_FAILED"


FORGERIES = [("ES256", None), ("none", None), ("HS256", "jwk"), ("HS256", "x" * 43), ("ES384", None), ("RS256", None)]


@pytest.mark.parametrize("algorithm,secret", FORGERIES)
def test_what_jose_forges_is_refused_here(node, api, algorithm, secret):
    client = registered(node, api, "national_admin")
    jwk = requests.get(api.address + "/.well-known/jwks.json", timeout=20).json()["keys"][0]
    now = int(time.time())
    claims = {"iss": api.issuer, "aud": api.audience, "sub": client["client_id"], "client_id": client["client_id"],
              "iat": now, "exp": now + 300, "jti": "forged", "scope": "published:read"}
    forged = node("forge", claims=claims, header={"alg": algorithm, "typ": "JWT", "kid": jwk["kid"]},
                  secret=json.dumps(jwk) if secret == "jwk" else secret)
    assert "token" in forged, forged
    answer = use(api, forged["token"])
    assert answer.status_code == 401 and answer.json()["code"] == "invalid_token"


def test_the_kid_is_the_thumbprint_that_rfc_7638_says(api):
    for jwk in requests.get(api.address + "/.well-known/jwks.json", timeout=20).json()["keys"]:
        text = json.dumps({name: jwk[name] for name in ("crv", "kty", "x", "y")}, separators=(",", ":"), sort_keys=True)
        digest = hashlib.sha256(text.encode()).digest()
        assert jwk["kid"] == base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
