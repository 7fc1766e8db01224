"""The second factor at the login pages: set up, entered, replayed, guessed, recovered; what a login without it is worth; and the recent
login that administration asks for."""

import json
import re
import time

import pytest
from harness import factor
from harness.browser import Browser, Page, sent_back
from harness.client import problem
from harness.rights import EVERYBODY, assert_refused
from harness.tokens import SCOPES, Forger, unb64

ADMIN_WRITE = "/v1/users"


@pytest.fixture(scope="module")
def people(own_api):
    return own_api.people


@pytest.fixture
def browser(own_api):
    return Browser(own_api)


def last_step_forgotten(people, user):
    people.sql("UPDATE user_factor SET last_step = 0 WHERE user_id = %s", user["id"])


def password_page(people, browser, user, **changes):
    return browser.enter_password(browser.open(people.default_app, scope="published:read", **changes), user)


def owing(people):
    """A facilitator who has no factor yet."""
    user = people.user("regency_facilitator")
    people.sql("DELETE FROM user_factor WHERE user_id = %s", user["id"])
    del user["totp_secret"]
    return user


class TestSetUp:
    def test_who_gives_rights_sets_it_up_before_any_code(self, own_api, people, browser):
        user = owing(people)
        page = password_page(people, browser, user)
        shown = Page(page)
        assert page.status_code == 200 and shown.buttons == ["confirm", "deny"] and "<svg" in page.text
        code = shown.inputs["code"]
        assert (code["inputmode"], code["autocomplete"]) == ("numeric", "one-time-code")
        secret = factor.secret_on(page)
        assert " ".join(secret[i:i + 4] for i in range(0, 32, 4)) in page.text  # to be typed
        assert "script-src" not in page.headers["Content-Security-Policy"] and "<script" not in page.text
        # neither the consent form nor another visit leads past it, and the secret stays the same
        assert factor.secret_on(browser.send(page, "allow")) == secret
        assert factor.secret_on(browser.request("GET", "/oauth2/authorize?" + browser.query)) == secret

        wrong = browser.send(page, "confirm", code="000000")
        assert wrong.status_code == 403 and factor.secret_on(wrong) == secret
        assert sent_back(browser.open(people.default_app, prompt="none"), people.default_app)["error"] == "login_required"
        page = password_page(people, browser, user)
        secret = factor.secret_on(page)
        codes_page = browser.send(page, "confirm", code=factor.code_of(secret))
        codes = codes_of(codes_page)
        assert codes_page.status_code == 200 and len(codes) == 10 and len(set(codes)) == 10
        assert "no-store" in codes_page.headers["Cache-Control"]
        sent_back(browser.consent(browser.send(codes_page, "kept")), people.default_app)

        stored = people.sql("SELECT (SELECT row_to_json(f)::text FROM user_factor f WHERE f.user_id = %s) || "
                            "(SELECT string_agg(c.hash::text, ' ') FROM user_recovery_code c WHERE c.user_id = %s)", user["id"], user["id"])[0]
        audited = people.sql("SELECT string_agg(coalesce(before::text, '') || coalesce(after::text, ''), ' ') FROM audit "
                             "WHERE table_name IN ('user_factor', 'user_recovery_code') AND row_key ->> 'user_id' = %s", user["id"])[0]
        assert '"secret"' not in audited and '"hash"' not in audited
        for text in (secret, *codes, *(one.replace("-", "") for one in codes)):
            assert text not in stored + audited

    def test_codes_that_were_not_kept_are_made_again(self, people, browser):
        user = owing(people)
        page = password_page(people, browser, user)
        first = codes_of(browser.send(page, "confirm", code=factor.code_of(factor.secret_on(page))))
        page = browser.request("GET", "/oauth2/authorize?" + browser.query)
        assert Page(page).buttons == ["codes"]
        again = browser.send(page, "codes")
        assert len(codes_of(again)) == 10 and not set(first) & set(codes_of(again))

    def test_it_is_offered_to_all_and_asked_by_acr_values(self, own_api, people, browser):
        user = people.user("library_manager")
        consent = password_page(people, browser, user, prompt="consent")
        assert Page(consent).buttons[:2] == ["allow", "deny"]
        offered = browser.send(consent, "set_up")
        assert Page(offered).buttons == ["confirm", "later"]
        assert Page(browser.send(offered, "later")).buttons[:2] == ["allow", "deny"]
        app = people.app()
        tokens = people.log_in(user, app, acr_values="urn:example:other " + factor.SECOND_FACTOR)
        assert claims_of(tokens)["acr"] == factor.SECOND_FACTOR and claims_of(tokens)["amr"] == ["pwd", "otp", "mfa"]
        plain = people.log_in(people.user("library_manager"), app, acr_values="urn:tpbis:acr:password")
        assert claims_of(plain)["acr"] == "urn:tpbis:acr:password" and claims_of(plain)["amr"] == ["pwd"]


def codes_of(page):
    return re.findall(r"<li><code>([a-z2-7]{4}(?:-[a-z2-7]{4}){3})</code>", page.text)


def claims_of(tokens):
    return json.loads(unb64(tokens["access_token"].split(".")[1]))


class TestEntry:
    def test_each_code_counts_once(self, own_api, people, browser):
        user = people.user("regency_facilitator")
        code = factor.code_of(user["totp_secret"])
        page = password_page(people, browser, user)
        assert Page(page).buttons == ["code", "recovery", "switch"]
        assert "code" in sent_back(browser.consent(browser.send(page, "code", code=code[:3] + " " + code[3:])), people.default_app)
        other = Browser(own_api)
        again = other.send(password_page(people, other, user), "code", code=code)
        assert again.status_code == 403 and "used before" in Page(again).alert
        last_step_forgotten(people, user)
        assert other.send(again, "code", code=factor.code_of(user["totp_secret"], offset=-3)).status_code == 403

    def test_guesses_are_counted_by_account(self, own_api, people):
        user = people.user("regency_facilitator")
        answers = []
        for _ in range(7):  # a browser each: the account counts
            browser = Browser(own_api)
            answers.append(browser.send(password_page(people, browser, user), "code", code="000000").status_code)
        assert answers[0] == 403 and 429 in answers

    def test_recovery_codes_work_once_and_new_ones_void_the_old(self, own_api, people, browser):
        user = owing(people)
        page = password_page(people, browser, user)
        user["totp_secret"] = factor.secret_on(page)
        codes = codes_of(browser.send(page, "confirm", code=factor.code_of(user["totp_secret"])))
        people.sql("UPDATE user_factor SET codes_kept = true WHERE user_id = %s", user["id"])
        one = Browser(own_api)
        consent = one.send(password_page(people, one, user, prompt="consent"), "recovery", recovery=codes[0].replace("-", " ").upper())
        assert Page(consent).buttons[:2] == ["allow", "deny"]
        two = Browser(own_api)
        assert two.send(password_page(people, two, user), "recovery", recovery=codes[0]).status_code == 403
        fresh = codes_of(one.send(consent, "codes"))
        assert len(fresh) == 10
        assert two.send(password_page(people, two, user), "recovery", recovery=codes[1]).status_code == 403

    def test_a_secret_of_another_account_does_not_open(self, own_api, people, browser):
        """Whoever may write the database and has a factor of their own cannot put it in an administrator's place."""
        mine, theirs = people.user("regency_facilitator"), people.user("national_admin")
        people.sql("UPDATE user_factor f SET secret = m.secret FROM user_factor m WHERE m.user_id = %s AND f.user_id = %s",
                   mine["id"], theirs["id"])
        assert browser.send(password_page(people, browser, theirs), "code",
                            code=factor.code_of(mine["totp_secret"])).status_code == 503


class TestWorth:
    def test_a_charge_given_later_waits_for_a_login_with_the_factor(self, own_api, people):
        user = people.user("library_manager")
        tokens = people.log_in(user)
        library = own_api.get("/v1/libraries?limit=1", token=tokens["access_token"])
        assert library.status_code == 200
        people.assign(user["id"], "regency_facilitator")
        time.sleep(2.5)  # the watch
        refused = own_api.get("/v1/assignments", token=tokens["access_token"])
        problem(refused, 403, "second_factor_required")
        assert f'error="insufficient_user_authentication", acr_values="{factor.SECOND_FACTOR}"' in refused.headers["WWW-Authenticate"]
        assert own_api.get("/v1/libraries?limit=1", token=tokens["access_token"]).status_code == 200
        with_factor = people.log_in(user)
        assert own_api.get("/v1/assignments", token=with_factor["access_token"]).status_code == 200

    def test_introspection_and_refresh_keep_the_login(self, own_api, people):
        app = people.app(type="confidential")
        tokens = people.log_in(people.user("regency_facilitator"), app)
        people.sql("UPDATE oauth_grant SET authenticated_at = now() - interval '1 hour' WHERE client_id = %s", app["client_id"])
        fresh = people.refresh(app, tokens["refresh_token"]).json()
        assert abs(claims_of(fresh)["auth_time"] - (time.time() - 3600)) < 120
        for token in (fresh["access_token"], fresh["refresh_token"]):
            told = people.ask(app, "/oauth2/introspect", token=token).json()
            assert told["acr"] == factor.SECOND_FACTOR and told["amr"] == ["pwd", "otp", "mfa"]
            assert told["auth_time"] == claims_of(fresh)["auth_time"]


class TestRecentLogin:
    def test_who_administers_has_logged_in_lately(self, own_api, people):
        user, forger = people.user("national_admin"), Forger(own_api)

        def token(age):
            return forger.token(claims=forger.claims(sub=user["id"], client_id=people.default_app["client_id"],
                                                     scope=" ".join(sorted(SCOPES)), auth_time=int(time.time()) - age, amr=["pwd", "mfa"]))

        body = {"username": f"lately-{user['id'][:13]}@example.id", "name": "Siti"}
        refused = own_api.post(ADMIN_WRITE, token=token(1900), json=body)
        problem(refused, 401, "recent_login_required")
        assert 'error="insufficient_user_authentication", max_age="1800"' in refused.headers["WWW-Authenticate"]
        assert own_api.get(ADMIN_WRITE + "?limit=1", token=token(1900)).status_code == 200  # reading a list does not ask for it
        person = own_api.post("/v1/people", json={"name": "Siti", "region_code": "19.01"}, token="national_admin").json()
        for path in (f"/v1/people/{person['id']}", f"/v1/users/{user['id']}"):  # but all that is held about somebody does
            problem(own_api.get(path + "/personal-data", token=token(1900)), 401, "recent_login_required")
            assert own_api.get(path + "/personal-data", token=token(1000)).status_code == 200
        assert own_api.get("/v1/me/personal-data", token=token(1900)).status_code == 200  # one's own is no administration
        assert own_api.post(ADMIN_WRITE, token=token(1000), json=body).status_code == 201

    def test_machines_are_not_asked(self, own_api):
        answer = own_api.post(ADMIN_WRITE, token="national_admin", json={"username": f"m{time.time_ns()}", "name": "Mesin"})
        assert answer.status_code == 201


class TestItsEnd:
    def test_a_reset_ends_sessions_and_is_on_record(self, own_api, people, browser):
        user = people.user("regency_facilitator")
        people.sql("UPDATE app_user SET email = %s WHERE id = %s", user["username"], user["id"])
        people.log_in(user)
        path = f"/v1/users/{user['id']}/second-factor"
        for role in sorted(set(EVERYBODY) - {"national_admin"}):
            assert_refused(own_api.delete(path, token=role))
        assert own_api.delete(path, token="national_admin").status_code == 204
        problem(own_api.delete(path, token="national_admin"), 404, "not_found")
        assert Page(password_page(people, browser, user)).buttons == ["confirm", "deny"]
        assert people.sql("SELECT count(*) FROM audit WHERE table_name = 'user_factor' AND action = 'delete' AND operation = 'reset_user_factor' "
                          "AND row_key ->> 'user_id' = %s", user["id"])[0] == 1
        assert people.sql("SELECT count(*) FROM oauth_grant g WHERE g.user_id = %s AND NOT EXISTS "
                          "(SELECT FROM oauth_revocation r WHERE r.id = g.id)", user["id"])[0] == 0
        assert people.sql("SELECT address FROM user_mail WHERE user_id = %s AND kind = 'factor_reset'", user["id"]) == (user["username"],)

    def test_who_need_not_have_one_may_remove_it(self, own_api, people):
        user = people.set_up_factor(people.user("library_manager"))
        token = people.token(user)
        shown = own_api.get("/v1/me", token=token).json()["user"]["second_factor"]
        assert shown["needed"] is False and shown["set_up_at"] and shown["recovery_codes_left"] == 0
        assert own_api.delete("/v1/me/second-factor", token=token).status_code == 204
        problem(own_api.delete("/v1/me/second-factor", token=token), 404, "not_found")
        assert own_api.get("/v1/me", token=token).json()["user"]["second_factor"]["set_up_at"] is None
        problem(own_api.delete("/v1/me/second-factor", token=people.token(people.user("national_admin"))), 409, "second_factor_kept")

    def test_the_command_for_the_last_administrator(self, own_api, people, browser):
        admin = people.user("national_admin")
        service = own_api.service
        service.cluster.run(service.database, "user", "reset-factor", "--username", admin["username"])
        assert Page(password_page(people, browser, admin)).buttons == ["confirm", "deny"]
