"""Passwords: set by a one-time link in the browser, changed by their holder, judged by how easily they are guessed."""

import concurrent.futures
import json
import re

import pytest
import requests

from harness.client import problem
from harness.people import People
from harness.users import PASSWORD, PATH, invite, token_of
from harness.waiting import until

PAGE = "/account/password"
OTHER = "bulan kertas empat sungai"


@pytest.fixture(scope="module")
def api(own_api):
    return own_api


@pytest.fixture(scope="module")
def people(own_api):
    return People(own_api)


def show(api, token, **headers):
    return api.get(PAGE, params={"token": token}, token=None, headers=headers)


def send(api, token, password=PASSWORD, again=None):
    return api.post(PAGE, data={"token": token, "password": password, "again": password if again is None else again}, token=None)


def opened(api, **fields):
    """An account whose holder set a password by its link."""
    one = invite(api, **fields)
    answer = send(api, token_of(one["link"]))
    assert answer.status_code == 200, answer.text
    return one


def status(api, one):
    return api.get(f"{PATH}/{one['id']}", token="national_admin").json()["status"]


class TestPage:
    def test_sets_the_first_password(self, api, own_database):
        one = invite(api, name="Siti <b>")
        page = show(api, token_of(one["link"]))
        assert page.status_code == 200 and page.headers["Content-Type"].startswith("text/html")
        assert one["username"] in page.text and "Buat kata sandi" in page.text and "<html lang=\"id\"" in page.text
        assert len(re.findall(r'type="password"', page.text)) == 2 and "autocomplete=\"new-password\"" in page.text
        assert set(re.findall(r'for="(\w+)"', page.text)) == set(re.findall(r' id="(password|again)"', page.text))
        done = send(api, token_of(one["link"]))
        assert done.status_code == 200 and "Kata sandi tersimpan" in done.text and PASSWORD not in done.text
        assert status(api, one) == "active"
        with own_database.cursor() as cursor:
            cursor.execute("SELECT hash FROM user_password WHERE user_id = %s", (one["id"],))
            [stored] = cursor.fetchone()
            assert stored.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
            cursor.execute("SELECT actor, operation FROM audit WHERE table_name = 'user_password' AND row_key ->> 'user_id' = %s", (one["id"],))
            assert cursor.fetchall() == [(one["id"], "set_account_password")]

    def test_nothing_is_kept_or_sent_elsewhere(self, api):
        one = invite(api)
        for page in (show(api, token_of(one["link"])), send(api, token_of(one["link"]), "pendek"), show(api, "tpl_x")):
            policy = page.headers["Content-Security-Policy"]
            assert "default-src 'none'" in policy and "frame-ancestors 'none'" in policy and "form-action 'self'" in policy
            assert page.headers["Cache-Control"] == "no-store" and page.headers["Referrer-Policy"] == "no-referrer"
            assert "<script" not in page.text and "http" not in page.text.replace(api.service.base_url, "")
        log = api.service.log_text()
        assert token_of(one["link"]) not in log and "pendek" not in log and PASSWORD not in log

    @pytest.mark.parametrize("damage", ["%00", "%ff", "%zz"])
    def test_a_password_that_is_no_text_is_about_the_password(self, api, damage):
        one = invite(api, language="en")
        form = f"token={token_of(one['link'])}&password=rawa{damage}&again=rawa{damage}&"
        answer = api.post(PAGE, data=form, token=None, headers={"Content-Type": "application/x-www-form-urlencoded"})
        assert answer.status_code == 422 and "a character that cannot be used" in answer.text
        assert send(api, token_of(one["link"])).status_code == 200  # the link is as good as before
        dead = api.post(PAGE, data=f"token=tpl_x{damage}&password=a", token=None, headers={"Content-Type": "application/x-www-form-urlencoded"})
        assert dead.status_code == 410

    def test_works_once(self, api):
        one = opened(api)
        token = token_of(one["link"])
        assert show(api, token).status_code == 410
        again = send(api, token, OTHER)
        assert again.status_code == 410 and "This link does not work" in again.text

    def test_speaks_english(self, api):
        one = invite(api, language="en")
        assert "Choose a password" in show(api, token_of(one["link"])).text
        assert "at least 12 characters" in send(api, token_of(one["link"]), "short").text
        assert "This link does not work" in show(api, "tpl_x").text
        assert "Tautan tidak berlaku" in show(api, "tpl_x", **{"Accept-Language": "id"}).text

    @pytest.mark.parametrize("token", ["", "tpl_", "x" * 200, "tpl_" + "A" * 43])
    def test_no_link(self, api, token):
        assert show(api, token).status_code == 410
        assert send(api, token).status_code == 410

    def test_no_token_at_all(self, api):
        assert api.get(PAGE, token=None).status_code == 410
        assert api.post(PAGE, data={"password": PASSWORD}, token=None).status_code == 410
        one = invite(api)
        form = f"token={token_of(one['link'])}&token=x&password=a&again=a"
        twice = api.post(PAGE, data=form, token=None, headers={"Content-Type": "application/x-www-form-urlencoded"})
        assert twice.status_code == 410 and status(api, one) == "invited"

    def test_too_old(self, api, own_database):
        one = invite(api)
        with own_database.cursor() as cursor:
            cursor.execute("UPDATE user_link SET expires_at = now() WHERE user_id = %s", (one["id"],))
        assert show(api, token_of(one["link"])).status_code == 410
        assert send(api, token_of(one["link"])).status_code == 410 and status(api, one) == "invited"

    def test_of_a_disabled_account(self, api):
        one = invite(api)
        api.post(f"{PATH}/{one['id']}/disable", token="national_admin", json={"reason": "uji"})
        assert send(api, token_of(one["link"])).status_code == 410 and status(api, one) == "disabled"

    def test_a_reset(self, api, people, own_database):
        """The old password works until then; sessions end with it."""
        one = opened(api)
        people.assign(one["id"], "national_analyst")
        api.post(f"{PATH}/{one['id']}/password-reset", token="national_admin", json={})
        assert change(api, people.forged_token(one), PASSWORD, PASSWORD).status_code == 204
        link = api.post(f"{PATH}/{one['id']}/password-reset", token="national_admin", json={}).json()["link"]
        page = show(api, token_of(link))
        assert page.status_code == 200 and "Kata sandi baru" in page.text
        with own_database.cursor() as cursor:
            cursor.execute("SELECT login_session_begin(sha256(%s::text::bytea), %s, 600)", (one["id"], one["id"]))
            assert send(api, token_of(link), OTHER).status_code == 200
            cursor.execute("SELECT count(*) FROM login_session WHERE user_id = %s", (one["id"],))
            assert cursor.fetchone() == (0,)
        problem(change(api, people.forged_token(one), PASSWORD, "apa saja yang panjang"), 403, "wrong_login")


class TestJudged:
    @pytest.mark.parametrize("password,why", [
        ("pendek", "paling pendek 12"), ("a" * 11, "paling pendek 12"), ("ü" * 11, "paling pendek 12"), ("x " * 65, "paling panjang 128"),
        ("aaaaaaaaaaaaaa", "ditebak"), ("abcabcabcabc", "ditebak"), ("123456789012", "ditebak"), ("qwertyuiopasdf", "ditebak"),
        ("9876543210987", "ditebak"), ("Perpustakaan123", "ditebak"), ("bismillah2026", "ditebak"), ("p4ssw0rd2026!!", "ditebak"),
        ("indonesiaindonesia", "ditebak"), ("administrator", "ditebak"), ("1qaz2wsx3edc", "ditebak"), ("rahasia12345!", "ditebak"),
        ("perpustakaannasional", "ditebak"), ("sayangsayang99", "ditebak"),
    ])
    def test_refused(self, api, password, why):
        one = invite(api)
        answer = send(api, token_of(one["link"]), password)
        assert answer.status_code == 422 and why in answer.text and 'role="alert"' in answer.text
        assert status(api, one) == "invited"

    @pytest.mark.parametrize("password", ["siti-aminah@example.id", "siti-aminah2026", "SITI AMINAH 1990", "sitiaminah1990"])
    def test_ones_own_name(self, api, password):
        one = next((item for item in api.pages(PATH + "?username=siti-aminah@example.id", token="national_admin")), None)
        one = one or invite(api, username="siti-aminah@example.id")
        link = api.post(f"{PATH}/{one['id']}/invitation", token="national_admin", json={}).json()["link"]
        answer = send(api, token_of(link), password)
        assert answer.status_code == 422 and "nama Anda" in answer.text

    @pytest.mark.parametrize("password", ["rawa teduh kuda laut", "ü" * 5 + "é" + "ömsŋħ" + "äp", "kX9#mQ2$vL7!", "x" + "ab1 " * 31 + "9q!"])
    def test_taken(self, api, password):
        """No rules of composition."""
        one = invite(api)
        assert send(api, token_of(one["link"]), password).status_code == 200

    def test_both_must_agree(self, api):
        one = invite(api)
        answer = send(api, token_of(one["link"]), PASSWORD, OTHER)
        assert answer.status_code == 422 and "tidak sama" in answer.text


def change(api, token, current, new):
    return api.post("/v1/me/password", token=token, json={"current_password": current, "new_password": new})


class TestChange:
    @pytest.fixture
    def holder(self, api, people):
        one = opened(api)
        people.assign(one["id"], "national_analyst")
        return one

    def test_by_its_holder(self, api, people, holder, own_database):
        with own_database.cursor() as cursor:
            cursor.execute("SELECT login_session_begin(sha256(%s::text::bytea), %s, 600)", (holder["id"], holder["id"]))
            assert change(api, people.forged_token(holder), PASSWORD, OTHER).status_code == 204
            cursor.execute("SELECT count(*) FROM login_session WHERE user_id = %s", (holder["id"],))
            assert cursor.fetchone() == (0,)
        problem(change(api, people.forged_token(holder), PASSWORD, "lima enam tujuh delapan"), 403, "wrong_login")
        assert change(api, people.forged_token(holder), OTHER, PASSWORD).status_code == 204

    def test_others_are_logged_out_and_this_one_not(self, api, people, holder):
        """Really logged in three times: tokens and refresh tokens of the others end, in every process."""
        holder = {**holder, "password": PASSWORD}
        app = people.default_app
        here, elsewhere = people.log_in(holder, app), people.log_in(holder, app)
        assert change(api, here["access_token"], PASSWORD, OTHER).status_code == 204
        until(lambda: {api.get("/v1/regions/19", token=elsewhere["access_token"]).status_code for _ in range(4)} == {401})
        for _ in range(4):
            problem(api.get("/v1/regions/19", token=elsewhere["access_token"]), 401, "invalid_token")
            assert api.get("/v1/regions/19", token=here["access_token"]).status_code == 200
        assert people.refresh(app, elsewhere["refresh_token"]).status_code == 400
        assert people.refresh(app, here["refresh_token"]).status_code == 200
        assert people.log_in({**holder, "password": OTHER}, app)["access_token"]

    def test_is_judged(self, api, people, holder):
        refusal = problem(change(api, people.forged_token(holder), PASSWORD, "Perpustakaan2026"), 422, "invalid_body")
        assert refusal["errors"] == [{"pointer": "/new_password", "code": "common_password", "detail": refusal["errors"][0]["detail"]}]
        refusal = problem(change(api, people.forged_token(holder), PASSWORD, "pendek"), 422, "invalid_body")
        assert refusal["errors"][0]["code"] == "min_length" and "12" in refusal["errors"][0]["detail"]
        refusal = problem(change(api, people.forged_token(holder), PASSWORD, "sitiaminah 1990"), 422, "invalid_body")
        assert refusal["errors"][0]["code"] == "like_account"

    def test_wrong_ones_are_counted(self, api, people, holder):
        for _ in range(6):
            problem(change(api, people.forged_token(holder), "salah sekali ini", OTHER), 403, "wrong_login")
        answer = change(api, people.forged_token(holder), PASSWORD, OTHER)
        refusal = problem(answer, 429, "login_throttled")
        assert 1 <= int(answer.headers["Retry-After"]) <= 2 and answer.headers["Retry-After"] in refusal["detail"]

    def test_right_ones_are_not(self, api, people, holder):
        """However often, and a wrong one between them is forgiven."""
        for turn in range(8):
            current, new = (PASSWORD, OTHER) if turn % 2 == 0 else (OTHER, PASSWORD)
            if turn == 4:
                problem(change(api, people.forged_token(holder), "salah sekali ini", OTHER), 403, "wrong_login")
            assert change(api, people.forged_token(holder), current, new).status_code == 204

    def test_is_for_people(self, api):
        problem(change(api, "national_admin", PASSWORD, OTHER), 403, "person_needed")

    def test_leaves_no_trace(self, api, people, holder, own_database):
        assert change(api, people.forged_token(holder), PASSWORD, OTHER).status_code == 204
        with own_database.cursor() as cursor:
            cursor.execute("SELECT before, after FROM audit WHERE table_name = 'user_password' AND row_key ->> 'user_id' = %s "
                           "AND action = 'update'", (holder["id"],))
            before, after = cursor.fetchone()
        assert set(after["hash"]) == set(before["hash"]) == {"digest"} and before != after
        assert OTHER not in api.service.log_text() and PASSWORD not in api.service.log_text()


class TestCommandLine:
    def run(self, api, *words, check=True):
        return api.service.cluster.run(api.service.database, "user", *words, check=check, base_url=api.service.base_url)

    def test_the_first_administrator(self, api, people):
        told = json.loads(self.run(api, "create", "--username", "admin.pertama", "--name", "Admin Pertama", "--role", "national_admin").stdout)
        assert set(told) == {"user_id", "link"} and told["link"].startswith(api.service.base_url + PAGE)
        assert send(api, token_of({"url": told["link"]})).status_code == 200
        token = people.forged_token({"id": told["user_id"]})
        assert api.get(PATH, token=token).status_code == 200

    def test_in_one_place(self, api, people):
        told = json.loads(self.run(api, "create", "--username", "fasilitator.uji", "--name", "F", "--role", "regency_facilitator",
                                   "--region", "19.01", "--email", "f@example.id").stdout)
        one = api.get(f"{PATH}/{told['user_id']}", token="national_admin").json()
        assert one["email"] == "f@example.id" and one["status"] == "invited"
        assert told["user_id"] in [item["id"] for item in api.pages(PATH + "?within=19.01", token="national_admin")]

    def test_reset_and_disable(self, api):
        one = opened(api)
        told = json.loads(self.run(api, "reset", "--username", one["username"].upper()).stdout)
        assert told["user_id"] == one["id"] and send(api, token_of({"url": told["link"]}), OTHER).status_code == 200
        assert json.loads(self.run(api, "disable", "--username", one["username"], "--reason", "uji").stdout) == {"user_id": one["id"]}
        assert status(api, one) == "disabled"

    @pytest.mark.parametrize("words,exit_status,why", [
        ((), 2, "usage"), (("rename",), 2, "usage"), (("create", "--username", "abc"), 2, "--name is needed"),
        (("create", "--username"), 2, "needs a value"), (("reset", "--username", "a", "--username", "b"), 2, "given twice"),
        (("reset", "--username", "a", "--reason", "b"), 2, "unknown option"),
        (("reset", "--username", "tidak-ada"), 1, "not_found"), (("disable", "--username", "tidak-ada", "--reason", "x"), 1, "not_found"),
        (("create", "--username", "x y", "--name", "X"), 1, "app_user_username_check"),
        (("create", "--username", "uji.peran", "--name", "X", "--role", "raja"), 1, "role"),
    ])
    def test_faults_are_named(self, api, words, exit_status, why):
        result = self.run(api, *words, check=False)
        assert result.returncode == exit_status and why in result.stderr and not result.stdout

    def test_all_or_nothing(self, api):
        assert self.run(api, "create", "--username", "uji.gagal", "--name", "X", "--role", "regency_facilitator", "--region", "99.99",
                        check=False).returncode == 1
        assert not list(api.pages(PATH + "?username=uji.gagal", token="national_admin"))


def test_too_many_at_once(api):
    """Two are worked on, 64 wait, the others are asked to come again; their links still work."""
    links = [token_of(invite(api)["link"]) for _ in range(100)]
    with concurrent.futures.ThreadPoolExecutor(100) as pool:
        answers = list(pool.map(lambda token: (token, requests.post(
            api.address + PAGE, data={"token": token, "password": PASSWORD, "again": PASSWORD}, timeout=60)), links))
    outcomes = {answer.status_code for _, answer in answers}
    assert outcomes <= {200, 503} and 503 in outcomes, outcomes
    token, busy = next(pair for pair in answers if pair[1].status_code == 503)
    assert busy.headers["Retry-After"] == "2" and "sibuk" in busy.text and token in busy.text
    api.contract.check("POST", PAGE, busy)
    assert send(api, token).status_code == 200
