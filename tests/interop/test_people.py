"""A person logs in from an app that is made of openid-client: code with PKCE, refresh, revocation, introspection."""

from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest
import requests
from harness.browser import Browser

SCOPE = "published:read"


def use(api, token):
    return requests.get(api.address + "/v1/regions/19", headers={"Authorization": "Bearer " + token}, timeout=20).status_code


def register(node, app):
    method = "client_secret_basic" if "client_secret" in app else "none"
    node("register", metadata={"client_id": app["client_id"], "redirect_uris": [app["redirect_uri"]],
                               "token_endpoint_auth_method": method, **({"client_secret": app["client_secret"]} if "client_secret" in app else {})})


def sent_to(node, app):
    address = node("authorize", redirect_uri=app["redirect_uri"], scope=SCOPE)["url"]
    return urlsplit(address)


def log_in(api, node, app, user):
    """From the app's own address for the browser to what the browser is sent back to."""
    browser, address = Browser(api), sent_to(node, app)
    browser.query = address.query
    answer = browser.consent(browser.log_in(browser.request("GET", f"{address.path}?{address.query}"), user))
    assert answer.status_code == 303, answer.text
    return answer.headers["Location"]


@pytest.fixture(params=["public", "confidential"])
def app(request, api):
    return api.people.app(type=request.param)


@pytest.fixture
def user(api):
    return api.people.user("regency_facilitator")


def test_log_in_use_refresh_and_revoke(node, api, app, user):
    register(node, app)
    granted = node("callback", url=log_in(api, node, app, user))
    assert "access_token" in granted, granted
    assert use(api, granted["access_token"]) == 200
    claims = node("verify", token=granted["access_token"], audience=api.audience)["payload"]
    assert claims["sub"] == user["id"] and claims["client_id"] == app["client_id"]

    again = node("refresh", token=granted["refresh_token"])
    assert again["refresh_token"] != granted["refresh_token"] and use(api, again["access_token"]) == 200
    assert node("revoke", token=again["refresh_token"]) == {}
    assert node("refresh", token=again["refresh_token"])["error"] == "invalid_grant"


def test_introspection_tells_a_confidential_client_of_its_tokens(node, api, user):
    app = api.people.app(type="confidential")
    register(node, app)
    granted = node("callback", url=log_in(api, node, app, user))
    told = node("introspect", token=granted["access_token"])
    assert told["active"] is True and told["sub"] == user["id"] and told["scope"] == SCOPE
    assert node("introspect", token="not-a-token") == {"active": False}


def test_a_code_works_once(node, api, app, user):
    register(node, app)
    back = log_in(api, node, app, user)
    assert "access_token" in node("callback", url=back)
    assert node("callback", url=back)["error"] == "invalid_grant"


@pytest.mark.parametrize("change", [{"state": "other"}, {"iss": "https://attacker.example.id"}])
def test_the_library_sees_what_an_attacker_changed(node, api, app, user, change):
    """state, and iss (RFC 9207), are there to be checked."""
    register(node, app)
    back = urlsplit(log_in(api, node, app, user))
    changed = {**dict(parse_qsl(back.query)), **change}
    assert node("callback", url=back._replace(query=urlencode(changed)).geturl())["error"] == "RPError"


def test_the_verifier_of_another_login_is_no_proof(node, api, app, user):
    register(node, app)
    back = urlsplit(log_in(api, node, app, user))
    stolen = dict(parse_qsl(back.query))
    other = dict(parse_qsl(sent_to(node, app).query))  # a second login begins: another verifier, another state
    swapped = back._replace(query=urlencode({**stolen, "state": other["state"]})).geturl()
    assert node("callback", url=swapped)["error"] == "invalid_grant"
