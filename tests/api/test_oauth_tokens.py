"""What apps do with codes and refresh tokens: exchange, turn over, revoke, look; and what happens to who steals one."""

import base64
import hashlib
import json
import re
import time

import pytest
from harness.browser import Browser, sent_back
from harness.client import problem
from harness.logins import WAIT_SECONDS, dies, race, sid, status
from harness.people import People
from harness.tokens import SCOPES, oauth_error, unb64

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


def code_for(api, user, app, **changes):
    browser = Browser(api)
    back = sent_back(browser.consent(browser.log_in(browser.open(app, **changes), user)), app)
    return back["code"], browser.verifier


class TestCodes:
    def test_tokens(self, own_api, people, user):
        tokens = people.log_in(user, scope="published:read libraries:write")
        assert set(tokens) == {"access_token", "token_type", "expires_in", "scope", "refresh_token"}
        assert tokens["token_type"] == "Bearer" and tokens["expires_in"] == 600
        assert re.fullmatch(r"tpbis_r_[A-Za-z0-9_-]{86}", tokens["refresh_token"])
        claims = json.loads(unb64(tokens["access_token"].split(".")[1]))
        assert claims["sub"] == user["id"] and claims["client_id"] == people.default_app["client_id"] and claims["sid"]
        assert claims["scope"] == tokens["scope"] == "published:read libraries:write"
        assert status(own_api, tokens["access_token"]) == 200

    def test_nothing_is_stored_in_the_clear(self, own_api, people, user, own_database):
        code, verifier = code_for(own_api, user, people.default_app)
        token = people.exchange(people.default_app, code, verifier).json()["refresh_token"]
        with own_database.cursor() as cursor:
            cursor.execute("SELECT query_to_xml('SELECT * FROM oauth_code', true, true, '')::text || "
                           "query_to_xml('SELECT * FROM oauth_refresh', true, true, '')::text || "
                           "query_to_xml('SELECT * FROM oauth_grant', true, true, '')::text || "
                           "query_to_xml('SELECT * FROM login_session', true, true, '')::text || "
                           "query_to_xml('SELECT * FROM audit', true, true, '')::text")
            text = cursor.fetchone()[0]
        secret = unb64(token.removeprefix("tpbis_r_"))[16:48]
        assert len(text) > 1000
        for form in (code, token, secret.hex(), base64.b64encode(secret).decode(), verifier):
            assert form not in text
        digest = hashlib.sha256(token.encode()).digest()
        assert base64.b64encode(digest).decode() in text.replace("\n", "")

    @pytest.mark.parametrize("wrong", [
        {"code_verifier": "x" * 43}, {"code_verifier": "short"}, {"code_verifier": "x" * 129}, {"code_verifier": "ü" * 43},
        {"code": "x" * 43}, {"code": "x"}, {"redirect_uri": "https://app.example.id/other"}])
    def test_refused(self, own_api, people, user, wrong):
        code, verifier = code_for(own_api, user, people.default_app)
        oauth_error(people.exchange(people.default_app, code, verifier, **wrong), 400, "invalid_grant")
        assert people.exchange(people.default_app, code, verifier).status_code == 200  # a wrong try spoils nothing

    @pytest.mark.parametrize("wrong", [{"code": ...}, {"code": ""}, {"code_verifier": ...}])
    def test_what_is_missing(self, own_api, people, user, wrong):
        code, verifier = code_for(own_api, user, people.default_app)
        oauth_error(people.exchange(people.default_app, code, verifier, **wrong), 400, "invalid_request")

    def test_the_redirect_uri_need_not_come_again(self, own_api, people, user):  # OAuth 2.1
        code, verifier = code_for(own_api, user, people.default_app)
        assert people.exchange(people.default_app, code, verifier, redirect_uri=...).status_code == 200

    def test_another_clients_code(self, own_api, people, user):
        code, verifier = code_for(own_api, user, people.default_app)
        oauth_error(people.exchange(people.app(), code, verifier), 400, "invalid_grant")

    def test_a_minute_is_all(self, own_api, people, user):
        code, verifier = code_for(own_api, user, people.default_app)
        people.sql("UPDATE oauth_code SET created_at = now() - interval '61 seconds', expires_at = now() - interval '1 second' "
                   "WHERE grant_id IS NULL")
        oauth_error(people.exchange(people.default_app, code, verifier), 400, "invalid_grant")

    @pytest.mark.parametrize("with_verifier", [True, False])
    def test_a_stolen_code_ends_what_it_gave(self, own_api, people, user, with_verifier):
        code, verifier = code_for(own_api, user, people.default_app)
        tokens = people.exchange(people.default_app, code, verifier).json()
        assert status(own_api, tokens["access_token"]) == 200
        oauth_error(people.exchange(people.default_app, code, verifier if with_verifier else "x" * 43), 400, "invalid_grant")
        dies(own_api, tokens["access_token"])
        oauth_error(people.refresh(people.default_app, tokens["refresh_token"]), 400, "invalid_grant")

    def test_two_at_once_get_one_grant(self, own_api, people, user):
        code, verifier = code_for(own_api, user, people.default_app)
        answers = race(lambda: people.exchange(people.default_app, code, verifier), 4)
        assert sorted(answer.status_code for answer in answers) == [200, 400, 400, 400]
        token = next(answer for answer in answers if answer.status_code == 200).json()["access_token"]
        dies(own_api, token)  # somebody else had the code too

    def test_who_is_disabled_meanwhile(self, own_api, people):
        somebody = people.user("portal")
        code, verifier = code_for(own_api, somebody, people.default_app)
        people.sql("UPDATE app_user SET status = 'disabled' WHERE id = %s", somebody["id"])
        oauth_error(people.exchange(people.default_app, code, verifier), 400, "invalid_grant")

    def test_other_resources(self, own_api, people, user):
        code, verifier = code_for(own_api, user, people.default_app, resource=own_api.issuer + "/")
        oauth_error(people.exchange(people.default_app, code, verifier, resource="https://x.example"), 400, "invalid_target")
        assert people.exchange(people.default_app, code, verifier, resource=own_api.issuer).status_code == 200


class TestClients:
    def test_a_confidential_client_proves_itself(self, own_api, people, user, confidential):
        code, verifier = code_for(own_api, user, confidential)
        naked = {"client_id": confidential["client_id"]}
        form = {"grant_type": "authorization_code", "code": code, "code_verifier": verifier}
        oauth_error(own_api.post("/oauth2/token", token=None, data={**form, **naked}), 401, "invalid_client")
        oauth_error(own_api.post("/oauth2/token", token=None, data=form, auth=(confidential["client_id"], "x")), 401, "invalid_client")
        assert people.ask(confidential, **form).status_code == 200

    def test_a_public_client_has_no_secret(self, own_api, people):
        app = people.app()
        oauth_error(own_api.post("/oauth2/token", token=None, data={"grant_type": "refresh_token", "refresh_token": "x"},
                                 auth=(app["client_id"], "secret")), 401, "invalid_client")
        oauth_error(people.ask(app, grant_type="client_credentials"), 400, "unauthorized_client")

    def test_no_password_grant(self, own_api, people, user):
        oauth_error(people.ask(people.default_app, grant_type="password", username=user["username"],
                               password=user["password"]), 400, "unsupported_grant_type")

    def test_a_suspended_client(self, own_api, people, user):
        app = people.app()
        tokens = people.log_in(user, app)
        people.sql("UPDATE client SET status = 'suspended' WHERE id = %s", app["client_id"])
        oauth_error(people.refresh(app, tokens["refresh_token"]), 401, "invalid_client")
        dies(own_api, tokens["access_token"])
        people.sql("UPDATE client SET status = 'active' WHERE id = %s", app["client_id"])
        assert people.refresh(app, tokens["refresh_token"]).status_code == 200


class TestRevoke:
    def test_a_refresh_token_ends_the_login(self, own_api, people, user):
        tokens, other = people.log_in(user), people.log_in(user)
        answer = people.ask(people.default_app, "/oauth2/revoke", token=tokens["refresh_token"], token_type_hint="access_token")
        assert answer.status_code == 200 and not answer.content and answer.headers["Cache-Control"] == "no-store"
        dies(own_api, tokens["access_token"])
        oauth_error(people.refresh(people.default_app, tokens["refresh_token"]), 400, "invalid_grant")
        assert status(own_api, other["access_token"]) == 200

    def test_logging_out_of_the_app_logs_out_of_the_page(self, own_api, people, user):
        app, browser = people.app(), Browser(own_api)
        back = sent_back(browser.consent(browser.log_in(browser.open(app), user)), app)
        tokens = people.exchange(app, back["code"], browser.verifier).json()
        assert "code" in sent_back(browser.open(app), app)
        people.ask(app, "/oauth2/revoke", token=tokens["refresh_token"])
        assert browser.open(app).status_code == 200  # the next person at this computer logs in

    def test_an_access_token_ends_alone(self, own_api, people, user):
        tokens = people.log_in(user)
        assert people.ask(people.default_app, "/oauth2/revoke", token=tokens["access_token"]).status_code == 200
        dies(own_api, tokens["access_token"])
        assert status(own_api, people.refresh(people.default_app, tokens["refresh_token"]).json()["access_token"]) == 200

    def test_a_machines_own_token(self, own_api, people):
        client = people.cluster.make_client(people.database, "portal")
        token = people.ask(client, grant_type="client_credentials").json()["access_token"]
        assert status(own_api, token) == 200
        assert people.ask(client, "/oauth2/revoke", token=token).status_code == 200
        dies(own_api, token)

    @pytest.mark.parametrize("token", ["x", "tpbis_r_" + "A" * 86, "a.b.c"])
    def test_what_is_none_is_none_already(self, own_api, people, token):
        assert people.ask(people.default_app, "/oauth2/revoke", token=token).status_code == 200

    def test_another_clients(self, own_api, people, user):
        tokens, stranger = people.log_in(user), people.app()
        for kind in ("refresh_token", "access_token"):
            oauth_error(people.ask(stranger, "/oauth2/revoke", token=tokens[kind]), 400, "invalid_grant")
        assert status(own_api, tokens["access_token"]) == 200

    def test_refusals(self, own_api, people, confidential):
        refusals(own_api, people, "/oauth2/revoke", confidential)


class TestIntrospect:
    def look(self, people, client, token):
        answer = people.ask(client, "/oauth2/introspect", token=token)
        assert answer.status_code == 200 and answer.headers["Cache-Control"] == "no-store"
        return answer.json()

    def test_its_own_tokens(self, own_api, people, user, confidential):
        tokens = people.log_in(user, confidential, scope="published:read admin")
        seen = self.look(people, confidential, tokens["access_token"])
        assert seen["active"] and seen["sub"] == user["id"]
        assert seen["client_id"] == confidential["client_id"] and seen["iss"] == own_api.issuer and seen["aud"] == own_api.audience
        assert seen["scope"] == "published:read"  # what it is good for now, not what was agreed to
        assert seen["token_type"] == "Bearer" and seen["exp"] - seen["iat"] == 600 and seen["sid"] == sid(tokens)
        refresh = self.look(people, confidential, tokens["refresh_token"])
        assert refresh["active"] and refresh["sub"] == user["id"] and refresh["sid"] == sid(tokens) and "token_type" not in refresh
        assert 29 * 86400 < refresh["exp"] - time.time() <= 30 * 86400

    def test_the_user_name_goes_with_the_account(self, people, user, confidential):
        for scope, shown in (("published:read", None), ("published:read account:read", user["username"])):
            tokens = people.log_in(user, confidential, scope=scope)
            for kind in ("access_token", "refresh_token"):
                assert self.look(people, confidential, tokens[kind]).get("username") == shown, (scope, kind)

    def test_of_others_nothing(self, own_api, people, user, confidential):
        tokens = people.log_in(user)
        for kind in ("access_token", "refresh_token"):
            assert self.look(people, confidential, tokens[kind]) == {"active": False}
        admin = people.cluster.make_client(people.database, "national_admin")
        assert self.look(people, admin, tokens["access_token"])["sub"] == user["id"]
        assert self.look(people, admin, tokens["refresh_token"])["active"]

    def test_what_is_not_in_force(self, own_api, people, confidential):
        somebody = people.user("portal")
        tokens = people.log_in(somebody, confidential)
        old = tokens["refresh_token"]
        tokens = people.refresh(confidential, old).json()
        for text in ("x", "tpbis_r_" + "A" * 86, "a.b.c", old, tokens["access_token"] + "A"):
            assert self.look(people, confidential, text) == {"active": False}
        people.sql("UPDATE app_user SET status = 'disabled' WHERE id = %s", somebody["id"])
        end = time.monotonic() + WAIT_SECONDS
        while self.look(people, confidential, tokens["access_token"])["active"]:
            assert time.monotonic() < end
        assert not self.look(people, confidential, tokens["refresh_token"])["active"]

    def test_a_revoked_one(self, own_api, people, user, confidential):
        tokens = people.log_in(user, confidential)
        people.ask(confidential, "/oauth2/revoke", token=tokens["refresh_token"])
        for kind in ("access_token", "refresh_token"):
            assert self.look(people, confidential, tokens[kind]) == {"active": False}

    def test_a_machines_own(self, own_api, people):
        client = people.cluster.make_client(people.database, "portal")
        token = people.ask(client, grant_type="client_credentials").json()["access_token"]
        seen = self.look(people, client, token)
        assert seen["active"] and seen["sub"] == client["client_id"] and "username" not in seen and "sid" not in seen

    def test_refusals(self, own_api, people, user, confidential):
        oauth_error(people.ask(people.default_app, "/oauth2/introspect", token="x"), 401, "invalid_client")  # it keeps no secret
        refusals(own_api, people, "/oauth2/introspect", confidential)


class TestDocuments:
    def test_server_metadata(self, own_api):  # RFC 8414
        body = own_api.get("/.well-known/oauth-authorization-server", token=None).json()
        for name, path in {"authorization_endpoint": "authorize", "token_endpoint": "token", "revocation_endpoint": "revoke",
                           "introspection_endpoint": "introspect"}.items():
            assert body[name] == f"{own_api.issuer}/oauth2/{path}"
        assert body["code_challenge_methods_supported"] == ["S256"] and body["response_types_supported"] == ["code"]
        assert body["authorization_response_iss_parameter_supported"] is True
        assert set(body["scopes_supported"]) >= SCOPES

    def test_resource_metadata(self, own_api):  # RFC 9728
        challenge = own_api.get("/v1/regions/19", token=None).headers["WWW-Authenticate"]
        address = re.search(r'resource_metadata="([^"]+)"', challenge).group(1)
        assert address == own_api.issuer + "/.well-known/oauth-protected-resource"
        answer = own_api.get("/.well-known/oauth-protected-resource", token=None)
        body = answer.json()
        assert body["resource"] == own_api.issuer and body["authorization_servers"] == [own_api.issuer]
        assert body["bearer_methods_supported"] == ["header"]
        assert own_api.get("/.well-known/oauth-protected-resource", token=None,
                           headers={"If-None-Match": answer.headers["ETag"]}).status_code == 304

    def test_browser_apps_may_ask(self, own_api):
        for path in ("/oauth2/token", "/oauth2/revoke"):
            answer = own_api.request("OPTIONS", path, token=None, headers={
                "Origin": "https://portal.example.id", "Access-Control-Request-Method": "POST"})
            assert answer.headers["Access-Control-Allow-Origin"] == "https://portal.example.id"

    def test_every_challenge_names_the_metadata(self, own_api, people):
        somebody = people.user()
        for answer in (own_api.get("/v1/regions/19", token="a.b.c"),
                       own_api.get("/v1/regions/19", token=people.token(somebody))):
            assert "resource_metadata=" in answer.headers["WWW-Authenticate"]


class TestElsewhere:
    def test_another_process_hears_of_it(self, own_api, people, user, directory, contract):
        from harness.service import Service
        other = Service(people.cluster, people.database, directory / "second-oauth", keys=own_api.keys_dir,
                        base_url=own_api.issuer)
        try:
            second = type(own_api)(other, own_api.clients, contract)
            tokens = people.log_in(user)
            assert status(second, tokens["access_token"]) == 200
            people.ask(people.default_app, "/oauth2/revoke", token=tokens["refresh_token"])
            dies(second, tokens["access_token"])
            oauth_error(People(second).refresh(people.default_app, tokens["refresh_token"]), 400, "invalid_grant")
        finally:
            assert other.stop() == 0


def refusals(api, people, path, client):
    """What every endpoint for apps refuses alike."""
    auth = (client["client_id"], client["client_secret"])
    oauth_error(people.ask(client, path, token=""), 400, "invalid_request")
    oauth_error(api.post(path, token=None, data=[("token", "a"), ("token", "b")], auth=auth), 400, "invalid_request")
    oauth_error(api.post(path, token=None, data={"token": "x", "client_id": client["client_id"]}), 401, "invalid_client")
    oauth_error(api.post(path, token=None, data={"token": "x"}), 401, "invalid_client")
    oauth_error(api.post(path, token=None, data={"token": "x"}, auth=("c_nobody", "x")), 401, "invalid_client")
    problem(api.post(path + "?token=x", token=None, data={"token": "x"}, auth=auth), 400, "invalid_parameter")
    problem(api.post(path, token=None, json={"token": "x"}, auth=auth), 415, "unsupported_media_type")
    problem(api.post(path, token=None, data={"token": "x" * 9000}, auth=auth), 413, "body_too_large")
