"""/oauth2/authorize as browsers see it: what is refused and to whom it is said, logging in, consent, and what protects them."""

import re
from urllib.parse import parse_qsl, urlsplit

import pytest
from harness.browser import Browser, Page, sent_back
from harness.client import problem
from harness.people import People

REFUSE = [  # what is wrong, and the error that the app is told (RFC 6749 4.1.2.1)
    ({"response_type": ...}, "invalid_request"),
    ({"response_type": ""}, "invalid_request"),  # without a value is omitted (3.1)
    ({"response_type": "token"}, "unsupported_response_type"),  # no implicit grant (RFC 9700 2.1.2)
    ({"response_type": "code id_token"}, "unsupported_response_type"),
    ({"response_mode": "fragment"}, "invalid_request"),
    ({"code_challenge": ...}, "invalid_request"),
    ({"code_challenge": "short"}, "invalid_request"),
    ({"code_challenge": "a" * 42 + "="}, "invalid_request"),
    ({"code_challenge_method": "plain"}, "invalid_request"),
    ({"code_challenge_method": ...}, "invalid_request"),  # then it would be plain
    ({"scope": "no:such"}, "invalid_scope"),
    ({"scope": "published:read  contacts:read"}, "invalid_scope"),
    ({"scope": '"'}, "invalid_scope"),
    ({"request": "eyJ"}, "request_not_supported"),
    ({"request_uri": "https://elsewhere.example"}, "request_uri_not_supported"),
    ({"resource": "https://elsewhere.example"}, "invalid_target"),
    ({"max_age": "soon"}, "invalid_request"),
    ({"prompt": "none login"}, "invalid_request"),
    ({"prompt": "none"}, "login_required"),
]
OPEN_REDIRECTS = ["https://evil.example/callback", "https://app.example.id/callback/", "https://app.example.id/callback?x=1",
                  "https://app.example.id/callback#x", "https://app.example.id/Callback", "https://app.example.id:443/callback",
                  "https://app.example.id@evil.example/callback", "https://app.example.id.evil.example/callback",
                  "https://app.example.id/callback/../x", "http://app.example.id/callback", "//app.example.id/callback",
                  "javascript:alert(1)", "data:text/html,x", "https://app.example.id/callback%0d%0aX: y", ""]


@pytest.fixture(scope="module")
def people(own_api):
    return People(own_api)


@pytest.fixture
def browser(own_api):
    return Browser(own_api)


@pytest.fixture(scope="module")
def user(people):
    return people.user("regency_facilitator", name="Siti <Aminah>")


class TestRequests:
    @pytest.mark.parametrize("changes,error", REFUSE, ids=lambda value: str(value)[:50])
    def test_refusals_go_to_the_app(self, people, browser, changes, error):
        back = sent_back(browser.open(people.default_app, **{"state": "a b&c=d", **changes}), people.default_app)
        assert back["error"] == error and back["state"] == "a b&c=d" and back["iss"] == browser.api.issuer
        assert back["error_description"] and "code" not in back

    def test_a_repeated_parameter(self, own_api, people, browser):
        browser.open(people.default_app)
        answer = browser.request("GET", "/oauth2/authorize?" + browser.query + "&scope=admin&scope=admin")
        assert sent_back(answer, people.default_app)["error"] == "invalid_request"
        for name in ("client_id", "redirect_uri", "state"):  # nobody knows what to believe
            value = dict(parse_qsl(browser.query))[name]
            answer = browser.request("GET", f"/oauth2/authorize?{browser.query}&{name}={value}")
            assert answer.status_code == 400 and Page(answer).alert

    @pytest.mark.parametrize("uri", OPEN_REDIRECTS)
    def test_no_open_redirect(self, people, browser, uri):
        answer = browser.open(people.default_app, redirect_uri=uri)
        assert answer.status_code == 400 and "Location" not in answer.headers
        assert "not registered" in Page(answer).alert and "<a" not in answer.text

    def test_the_redirect_uri_is_required(self, people, browser):
        assert browser.open(people.default_app, redirect_uri=...).status_code == 400

    @pytest.mark.parametrize("client", [..., "", "c_nobody", "x" * 300, "c'; DROP TABLE client"])
    def test_an_unknown_client(self, people, browser, client):
        answer = browser.open(people.default_app, client_id=client)
        assert answer.status_code == 400 and "Location" not in answer.headers and "not registered" in Page(answer).alert

    def test_a_suspended_client(self, people, browser):
        app = people.app()
        people.sql("UPDATE client SET status = 'suspended' WHERE id = %s", app["client_id"])
        assert browser.open(app).status_code == 400

    def test_scopes_beyond_the_apps(self, people, browser):
        app = people.app(allowed_scopes=["published:read"])
        assert sent_back(browser.open(app, scope="published:read admin"), app)["error"] == "invalid_scope"

    def test_unknown_parameters_are_ignored(self, people, browser):
        assert browser.open(people.default_app, nonce="n", display="page").status_code == 200

    @pytest.mark.parametrize("registered,asked,good", [
        ("http://127.0.0.1/cb", "http://127.0.0.1:51234/cb", True),
        ("http://127.0.0.1:8000/cb", "http://127.0.0.1:9/cb", True),
        ("http://[::1]/cb", "http://[::1]:51234/cb", True),
        ("http://127.0.0.1/cb", "http://127.0.0.1:51234/other", False),
        ("http://127.0.0.1/cb", "http://127.0.0.1:65535/cb", True),
        ("http://127.0.0.1/cb", "http://127.0.0.1:65536/cb", False),
        ("http://127.0.0.1/cb", "http://127.0.0.1:0/cb", False),
        ("http://127.0.0.1/cb", "http://127.0.0.1:05555/cb", False),
        ("http://127.0.0.1/cb", "http://127.0.0.1:x/cb", False),
        ("http://127.0.0.1/cb", "http://127.0.0.1:/cb", False),
        ("http://127.0.0.1/cb", "http://127.0.0.1.evil.example/cb", False),
        ("http://127.0.0.1/cb", "http://127.0.0.1:80@evil.example/cb", False),
        ("http://127.0.0.1/cb", "http://localhost:51234/cb", False),
        ("http://127.0.0.1/cb", "http://[::1]:51234/cb", False),
        ("id.example.app:/cb", "id.example.app:/cb", True),
        ("id.example.app:/cb", "id.example.app:/cb2", False),
    ])
    def test_apps_on_the_device(self, people, browser, registered, asked, good):
        answer = browser.open(people.app(redirect_uris=[registered]), redirect_uri=asked)
        assert answer.status_code == (200 if good else 400), answer.text

    def test_what_is_no_form(self, own_api, people, browser):
        browser.open(people.default_app)
        path = "/oauth2/authorize?" + browser.query
        problem(own_api.post(path, token=None, json={}), 415, "unsupported_media_type")
        problem(own_api.post(path, token=None, data={"username": "x" * 9000}), 413, "body_too_large")
        assert browser.request("POST", path, data={"action": ["login", "deny"]}).status_code == 400
        assert browser.send(browser.open(people.default_app), "dance").status_code == 400


class TestLogin:
    def test_the_whole_road(self, people, browser, user):
        app = people.default_app
        page = browser.open(app, scope="published:read libraries:write")
        assert page.status_code == 200 and Page(page).title.startswith("Sign in")
        consent = browser.log_in(page, user)
        assert consent.status_code == 200 and Page(consent).buttons[:3] == ["allow", "deny", "switch"]
        assert "Siti &lt;Aminah&gt;" in consent.text and "<Aminah>" not in consent.text
        assert "add, change, move and close libraries" in consent.text and "manage users" not in consent.text
        back = sent_back(browser.send(consent, "allow"), app)
        assert back["state"] == dict(parse_qsl(browser.query))["state"] and back["iss"] == browser.api.issuer
        answer = people.exchange(app, back["code"], browser.verifier)
        assert answer.status_code == 200 and answer.json()["scope"] == "published:read libraries:write"

    def test_nothing_asked_is_the_least(self, people):
        """Whatever the app may have and whoever logs in."""
        app, admin = people.app(), people.user("national_admin")
        browser = Browser(people.api)
        back = sent_back(browser.consent(browser.log_in(browser.open(app), admin)), app)
        tokens = people.exchange(app, back["code"], browser.verifier).json()
        assert tokens["scope"] == "published:read"
        problem(people.api.get("/v1/audit", token=tokens["access_token"]), 403, "insufficient_scope")

    def test_the_account_is_the_persons_to_give(self, people):
        """Any app may ask, with its words on the page; of everything else it gets what it was registered for."""
        app, person = people.app(allowed_scopes=["published:read"]), people.user()
        browser = Browser(people.api)
        consent = browser.log_in(browser.open(app, scope="published:read account:read"), person)
        assert "all personal data held about you" in consent.text and "end your logins" not in consent.text
        back = sent_back(browser.send(consent, "allow"), app)
        assert people.exchange(app, back["code"], browser.verifier).json()["scope"] == "published:read account:read"
        assert sent_back(browser.open(app, scope="published:read contacts:read"), app)["error"] == "invalid_scope"

    def test_a_wrong_password(self, people, browser, user):
        page = browser.open(people.default_app, prompt="consent")
        answer = browser.log_in(page, user, "not the password")
        shown = Page(answer)
        assert answer.status_code == 403 and "wrong" in shown.alert and shown.inputs["username"]["value"] == user["username"]
        assert "value" not in shown.inputs["password"] and "not the password" not in answer.text
        assert shown.inputs["password"]["aria-invalid"] == "true"
        unknown = browser.log_in(answer, {"username": "nobody@example.id"}, "not the password")
        assert Page(unknown).alert == shown.alert  # nobody learns who has an account
        assert browser.log_in(unknown, user).status_code == 200  # and it goes on from there

    def test_too_many_wrong_passwords(self, people, browser):
        victim = people.user("portal")
        answer = browser.open(people.default_app)
        for _ in range(12):
            answer = browser.log_in(answer, victim, "a wrong password")
            if answer.status_code == 429:
                break
        assert answer.status_code == 429 and int(answer.headers["Retry-After"]) > 0 and "Too many" in Page(answer).alert

    @pytest.mark.parametrize("status", ["invited", "disabled"])
    def test_who_may_not_log_in(self, people, browser, status):
        somebody = people.user("portal")
        people.sql("UPDATE app_user SET status = %s WHERE id = %s", status, somebody["id"])
        assert browser.log_in(browser.open(people.default_app), somebody).status_code == 403

    def test_saying_no(self, people, browser, user):
        app = people.app()
        back = sent_back(browser.send(browser.log_in(browser.open(app), user), "deny"), app)
        assert back["error"] == "access_denied" and back["state"] and back["iss"]

    def test_another_account(self, people, browser, user):
        app = people.app()
        page = browser.send(browser.log_in(browser.open(app), user), "switch")
        assert page.status_code == 200 and "password" in Page(page).inputs
        other = people.user("portal", name="Budi")
        assert "Budi" in browser.log_in(page, other).text

    def test_consent_is_asked_once(self, people, browser, user):
        app = people.app()
        sent_back(browser.consent(browser.log_in(browser.open(app, scope="published:read"), user)), app)
        assert "code" in sent_back(browser.open(app, scope="published:read"), app)  # a session, and consent
        assert "code" in sent_back(browser.open(app, scope="published:read", prompt="none"), app)
        assert Page(browser.open(app, scope="published:read contacts:read")).buttons[:3] == ["allow", "deny", "switch"]  # more
        assert sent_back(browser.open(app, scope="contacts:read", prompt="none"), app)["error"] == "consent_required"
        assert Page(browser.open(app, scope="published:read", prompt="consent")).buttons[:3] == ["allow", "deny", "switch"]
        assert Page(browser.open(app, scope="published:read", prompt="login")).buttons == ["login"]
        assert "code" in sent_back(browser.log_in(browser.open(app, scope="published:read", max_age="0", prompt="login"), user), app)

    def test_an_app_on_the_device_never_gets_a_code_unseen(self, people, browser, user):
        app = people.app(redirect_uris=["id.example.app:/cb"])
        sent_back(browser.consent(browser.log_in(browser.open(app), user)), app)
        assert Page(browser.open(app)).buttons[:3] == ["allow", "deny", "switch"]

    def test_an_old_session(self, people, browser, user):
        app = people.app()
        sent_back(browser.consent(browser.log_in(browser.open(app), user)), app)
        people.sql("UPDATE login_session SET created_at = now() - interval '60 seconds' WHERE user_id = %s", user["id"])
        assert Page(browser.open(app, max_age="30")).buttons == ["login"]
        people.sql("UPDATE login_session SET created_at = now() - interval '1 hour', expires_at = now() - interval '1 second' "
                   "WHERE user_id = %s", user["id"])
        assert Page(browser.open(app)).buttons == ["login"]

    def test_who_is_disabled_between_login_and_consent(self, people, browser):
        somebody, app = people.user("portal"), people.app()
        page = browser.log_in(browser.open(app), somebody)
        people.sql("UPDATE app_user SET status = 'disabled' WHERE id = %s", somebody["id"])
        assert browser.send(page, "allow").status_code == 403

    def test_head_gives_no_code(self, people, browser, user):
        app = people.app()
        sent_back(browser.consent(browser.log_in(browser.open(app), user)), app)
        answer = browser.open(app, method="HEAD")
        assert answer.status_code == 200 and not answer.content and "Location" not in answer.headers

    def test_without_scopes_nothing_is_asked_for_that_cannot_be(self, people, browser, user):
        app = people.app(allowed_scopes=["admin"])
        assert sent_back(browser.log_in(browser.open(app), user), app)["error"] == "invalid_scope"


class TestProtection:
    def test_headers(self, people, browser):
        answer = browser.open(people.default_app)
        policy = answer.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy and "frame-ancestors 'none'" in policy and "base-uri 'none'" in policy
        assert "form-action 'self' https://app.example.id;" in policy and "unsafe" not in policy
        assert answer.headers["X-Frame-Options"] == "DENY" and answer.headers["Referrer-Policy"] == "no-referrer"
        assert answer.headers["Cache-Control"] == "no-store" and answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
        cookie = answer.headers["Set-Cookie"]
        value, *attributes = cookie.split("; ")
        assert re.fullmatch(r"tpbis_login=[A-Za-z0-9_-]{43}", value) and sorted(attributes) == ["HttpOnly", "Path=/", "SameSite=Lax"]

    def test_the_cookie_behind_tls(self, own_api, cluster, directory, contract, fresh):
        api = fresh(base_url="https://api.example.id")
        browser = Browser(api)
        cookie = browser.open(People(api).app()).headers["Set-Cookie"]
        value, *attributes = cookie.split("; ")
        assert re.fullmatch(r"__Host-tpbis_login=[A-Za-z0-9_-]{43}", value)
        assert sorted(attributes) == ["HttpOnly", "Path=/", "SameSite=Lax", "Secure"]

    def test_no_script_and_nothing_from_elsewhere(self, people, browser, user):
        for answer in (page := browser.open(people.app()), browser.log_in(page, user)):
            tags = Page(answer).tags
            assert not {"script", "img", "iframe", "link", "object"} & {tag for tag, _ in tags}
            assert not [name for _, attributes in tags for name in attributes if name.startswith("on") or name == "style"]

    def test_every_field_has_a_label_and_a_purpose(self, people, browser):
        page = Page(browser.open(people.default_app))
        labels = {attributes["for"] for tag, attributes in page.tags if tag == "label"}
        assert labels == {"username", "password"}
        assert page.inputs["username"]["autocomplete"] == "username"
        assert page.inputs["password"]["autocomplete"] == "current-password" and page.inputs["password"]["type"] == "password"

    def test_forms_of_other_browsers_and_requests(self, own_api, people, browser, user):
        page = browser.open(people.default_app)
        stranger = Browser(own_api)
        stranger.open(people.default_app)
        stranger.query = browser.query
        refused = stranger.log_in(page, user)  # the victim's cookie is another one
        assert refused.status_code == 403 and "expired" in Page(refused).alert and "Location" not in refused.headers
        browser.query = browser.query.replace("state=", "state=x")
        assert browser.log_in(page, user).status_code == 403  # another request than the form was made for

    @pytest.mark.parametrize("token", [None, "", "x" * 43])
    def test_forms_without_the_token(self, people, browser, user, token):
        browser.open(people.default_app)
        fields = {"action": "login", "username": user["username"], "password": user["password"]}
        fields |= {"form_token": token} if token is not None else {}
        assert browser.request("POST", "/oauth2/authorize?" + browser.query, data=fields).status_code == 403

    def test_forms_without_the_cookie(self, people, browser, user):
        page = browser.open(people.default_app)
        browser.session.cookies.clear()
        assert browser.log_in(page, user).status_code == 403

    def test_consent_cannot_be_forged(self, people, browser, user):
        app = people.app()
        consent = browser.log_in(browser.open(app), user)
        for headers in ({"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}):
            refused = browser.send(consent, "allow", headers=headers)
            assert refused.status_code == 403 and "Location" not in refused.headers
        login_token = Page(browser.open(app, prompt="login")).form_token
        assert login_token != Page(consent).form_token

    def test_logging_in_changes_the_cookie(self, people, browser, user):
        page = browser.open(people.default_app)
        before = browser.session.cookies["tpbis_login"]
        browser.log_in(page, user)
        assert browser.session.cookies["tpbis_login"] != before  # else somebody could have planted it

    def test_what_the_app_sends_is_shown_as_text(self, people, browser):
        answer = browser.open(people.default_app, login_hint='"><script>alert(1)</script>', state="<b>")
        assert "<script>" not in answer.text and "&quot;&gt;&lt;script&gt;" in answer.text

    def test_nothing_secret_is_logged(self, own_api, people, browser, user):
        app = people.default_app
        page = browser.open(app, login_hint="hint-in-the-query")
        browser.log_in(page, user, "a-wrong-password-here")
        back = sent_back(browser.consent(browser.log_in(page, user)), app)
        tokens = people.exchange(app, back["code"], browser.verifier).json()
        log = own_api.service.log_text()
        for secret in (back["code"], back["state"], browser.verifier, user["password"], user["username"], "a-wrong-password-here",
                       "hint-in-the-query", tokens["access_token"], tokens["refresh_token"],
                       browser.session.cookies["tpbis_login"]):
            assert secret not in log


class TestLanguages:
    @pytest.mark.parametrize("accept,locales,expected", [
        ("id", None, "id"), ("en", None, "en"), ("fr", None, "id"), ("en", "id", "id"), ("id", "en-GB fr", "en"), ("en", "fr", "en")])
    def test_the_language(self, own_api, people, accept, locales, expected):
        browser = Browser(own_api, accept)
        answer = browser.open(people.default_app, **({"ui_locales": locales} if locales else {}))
        assert Page(answer).language == answer.headers["Content-Language"] == expected
        assert ("Masuk ke TPBIS" in answer.text) == (expected == "id")

    def test_the_other_language_is_a_link_away(self, own_api, people, user):
        browser = Browser(own_api, "id")
        answer = browser.open(people.default_app, prompt="consent")
        link = next(attributes for tag, attributes in Page(answer).tags if tag == "a")
        assert link["lang"] == "en"
        browser.query = link["href"].removeprefix("?")
        english = browser.request("GET", "/oauth2/authorize" + link["href"])
        assert Page(english).language == "en"
        assert Page(browser.log_in(english, user)).language == "en"

    def test_consent_and_faults_in_indonesian(self, own_api, people, user):
        browser = Browser(own_api, "id")
        consent = browser.log_in(browser.open(people.app()), user)
        assert "Izinkan aplikasi ini?" in consent.text and "membaca semua data" in consent.text
        assert "tidak terdaftar" in browser.open(people.default_app, redirect_uri="https://evil.example/").text

    def test_every_scope_has_words(self, own_api, root):
        words = re.findall(r'^SCOPE\("([^"]+)"', (root / "api/handlers/scopes.def").read_text(encoding="utf-8"), re.M)
        assert words == own_api.get("/.well-known/oauth-authorization-server", token=None).json()["scopes_supported"]


class TestUnavailable:
    def test_pages_say_when_to_come_back(self, fresh):
        api = fresh(statement_timeout_ms=400)
        people, browser = People(api), Browser(api)
        page = browser.open(people.default_app)
        with people.cluster.connect(people.database) as lock, lock.cursor() as cursor:
            lock.autocommit = False
            cursor.execute("LOCK TABLE client IN ACCESS EXCLUSIVE MODE")
            answer = browser.open(people.default_app)
            assert answer.status_code == 503 and int(answer.headers["Retry-After"]) > 0 and "busy" in Page(answer).title
            lock.rollback()
        assert page.status_code == browser.open(people.default_app).status_code == 200

    def test_a_login_that_cannot_be_checked(self, fresh):
        api = fresh()
        people, browser = People(api), Browser(api)
        user = people.user("portal")
        page = browser.open(people.default_app)
        with people.cluster.connect(people.database) as lock, lock.cursor() as cursor:
            lock.autocommit = False
            cursor.execute("LOCK TABLE login_throttle IN ACCESS EXCLUSIVE MODE")
            answer = browser.log_in(page, user)
            assert answer.status_code == 503 and int(answer.headers["Retry-After"]) > 0 and "busy" in Page(answer).alert
            lock.rollback()
        assert browser.log_in(page, user).status_code == 200


def test_parameters_of_a_redirect_uri_stay(people, browser, user):
    app = people.app(redirect_uris=["https://app.example.id/callback?tenant=7"])
    answer = browser.consent(browser.log_in(browser.open(app), user))
    assert sent_back(answer, app)["tenant"] == "7" and urlsplit(answer.headers["Location"]).fragment == ""
