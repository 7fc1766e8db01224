"""Accounts of people: invited, found, changed, disabled; by whom, and what is never shown."""

import base64
import hashlib
import re
import threading
import time
import uuid

import pytest

from harness import programs
from harness.client import problem
from harness.people import People
from harness.users import PATH, body_of, charge, etag, invite, token_of
from harness.waiting import until


@pytest.fixture(scope="module")
def api(own_api):
    return own_api


@pytest.fixture
def database(own_database):
    return own_database


def get(api, one, token="national_admin"):
    return api.get(f"{PATH}/{one['id']}", token=token)


class TestInvitation:
    def test_made(self, api, database):
        answer = api.post(PATH, token="national_admin", json=body_of(email="siti@example.id", phone="0812", language="en"))
        assert answer.status_code == 201
        one = answer.json()
        assert answer.headers["Location"] == f"{PATH}/{one['id']}" and answer.headers["Cache-Control"] == "no-store"
        assert one["status"] == "invited" and one["language"] == "en" and one["email"] == "siti@example.id"
        link = one["link"]
        assert link["url"].startswith(api.service.base_url + "/account/password?token=tpl_")
        assert (link["kind"], link["delivery"], link["state"], link["sent_at"]) == ("invitation", "answer", "shown", None)
        assert len(base64.urlsafe_b64decode(token_of(link)[4:] + "=")) == 32
        with database.cursor() as cursor:
            cursor.execute("SELECT encode(hash, 'hex'), expires_at - created_at = '72 hours' FROM user_link WHERE user_id = %s", (one["id"],))
            assert cursor.fetchone() == (hashlib.sha256(token_of(link).encode()).hexdigest(), True)

    def test_shown_once(self, api, database):
        one = invite(api)
        again = get(api, one)
        assert again.json()["link"] == {**one["link"], "url": None}
        token = token_of(one["link"])
        with database.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM audit WHERE audit::text LIKE %s", (f"%{token[4:]}%",))
            assert cursor.fetchone() == (0,)
            cursor.execute("SELECT after FROM audit WHERE table_name = 'user_link' AND row_key ->> 'user_id' = %s", (one["id"],))
            assert set(cursor.fetchone()[0]["hash"]) == {"digest"}
        assert token not in api.service.log_text() and one["username"] not in api.service.log_text()

    def test_a_repeated_request_makes_one(self, api):
        body = body_of(id=str(uuid.uuid4()))
        first = api.post(PATH, token="national_admin", json=body)
        second = api.post(PATH, token="national_admin", json=body)
        assert (first.status_code, second.status_code) == (201, 200)
        assert second.json()["link"]["url"] is None
        problem(api.post(PATH, token="national_admin", json={**body, "name": "Lain"}), 409, "id_taken")

    def test_names_are_taken_once(self, api):
        one = invite(api)
        refusal = problem(api.post(PATH, token="national_admin", json=body_of(username=one["username"])), 409, "username_taken")
        assert refusal["errors"][0]["pointer"] == "/username"

    def test_one_account_a_person(self, api):
        person = programs.person(api)["id"]
        invite(api, person_id=person)
        problem(api.post(PATH, token="national_admin", json=body_of(person_id=person)), 409, "person_has_account")
        problem(api.post(PATH, token="national_admin", json=body_of(person_id=str(uuid.uuid4()))), 422, "reference_unknown")

    @pytest.mark.parametrize("username", ["ab", "Siti", "siti aminah", "-siti", "s" * 121, "si\nti"])
    def test_names_that_cannot_be(self, api, username):
        problem(api.post(PATH, token="national_admin", json=body_of(username=username)), 422, "invalid_body")

    def test_another_link_kills_the_first(self, api, database):
        one = invite(api)
        answer = api.post(f"{PATH}/{one['id']}/invitation", token="national_admin", json={})
        assert answer.status_code == 200 and answer.headers["Cache-Control"] == "no-store"
        with database.cursor() as cursor:
            for link, alive in ((one["link"], 0), (answer.json()["link"], 1)):
                cursor.execute("SELECT count(*) FROM user_link_open(%s)", (token_of(link),))
                assert cursor.fetchone() == (alive,)

    def test_mail_needs_a_server_and_an_address(self, api):
        problem(api.post(PATH, token="national_admin", json=body_of(email="a@example.id", delivery="mail")), 409, "mail_impossible")
        one = invite(api, email="a@example.id")
        problem(api.post(f"{PATH}/{one['id']}/invitation", token="national_admin", json={"delivery": "mail"}), 409, "mail_impossible")


class TestStatus:
    def test_a_reset_is_for_active_accounts(self, api, database):
        one = invite(api)
        problem(api.post(f"{PATH}/{one['id']}/password-reset", token="national_admin", json={}), 409, "user_status")
        activate(database, one)
        problem(api.post(f"{PATH}/{one['id']}/invitation", token="national_admin", json={}), 409, "user_status")
        answer = api.post(f"{PATH}/{one['id']}/password-reset", token="national_admin", json={"delivery": "answer"})
        assert answer.status_code == 200 and answer.json()["link"]["kind"] == "reset"
        assert answer.headers["Cache-Control"] == "no-store"
        with database.cursor() as cursor:
            cursor.execute("SELECT expires_at - created_at = '1 hour' FROM user_link WHERE user_id = %s", (one["id"],))
            assert cursor.fetchone() == (True,)
            cursor.execute("SELECT count(*) FROM user_password WHERE user_id = %s", (one["id"],))
            assert cursor.fetchone() == (1,)

    def test_disabled_and_enabled(self, api, database):
        one = invite(api)
        answer = api.post(f"{PATH}/{one['id']}/disable", token="national_admin", json={"reason": "Pindah tugas"})
        assert answer.status_code == 200
        assert (answer.json()["status"], answer.json()["disabled_reason"], answer.json()["link"]) == ("disabled", "Pindah tugas", None)
        problem(api.post(f"{PATH}/{one['id']}/disable", token="national_admin", json={"reason": "lagi"}), 409, "user_status")
        problem(api.post(f"{PATH}/{one['id']}/invitation", token="national_admin", json={}), 409, "user_status")
        answer = api.post(f"{PATH}/{one['id']}/enable", token="national_admin")
        assert (answer.json()["status"], answer.json()["disabled_reason"]) == ("invited", None)
        problem(api.post(f"{PATH}/{one['id']}/enable", token="national_admin"), 409, "user_status")
        activate(database, one)
        api.post(f"{PATH}/{one['id']}/disable", token="national_admin", json={"reason": "Cuti"})
        assert api.post(f"{PATH}/{one['id']}/enable", token="national_admin").json()["status"] == "active"

    def test_a_disabled_users_tokens_die(self, api):
        people = People(api)
        user = people.user("national_analyst")
        token = people.log_in(user)["access_token"]
        assert api.get("/v1/regions/19", token=token).status_code == 200
        assert api.post(f"{PATH}/{user['id']}/disable", token="national_admin", json={"reason": "uji"}).status_code == 200
        until(lambda: {api.get("/v1/regions/19", token=token).status_code for _ in range(4)} == {401})
        for _ in range(4):
            problem(api.get("/v1/regions/19", token=token), 401, "invalid_token")
        assert api.post(f"{PATH}/{user['id']}/enable", token="national_admin").status_code == 200
        problem(api.get("/v1/regions/19", token=token), 401, "invalid_token")  # what was ended stays ended

    def test_a_reason_is_needed(self, api):
        problem(api.post(f"{PATH}/{invite(api)['id']}/disable", token="national_admin", json={}), 422, "invalid_body")

    @pytest.mark.parametrize("what", ["invitation", "password-reset", "disable", "enable"])
    def test_unknown(self, api, what):
        body = {"disable": {"reason": "x"}, "enable": None}.get(what, {})
        problem(api.post(f"{PATH}/{uuid.uuid4()}/{what}", token="national_admin", json=body), 404, "not_found")
        assert api.post(f"{PATH}/x/{what}", token="national_admin", json=body).status_code == 400


def activate(database, one):
    """As if the link had been used."""
    with database.cursor() as cursor:
        cursor.execute("SELECT user_password_set(%s, '$argon2id$x', 'test')", (one["id"],))


class TestChange:
    def test_merge_patch(self, api):
        one = invite(api, email="a@example.id", phone="0812")
        answer = api.patch(f"{PATH}/{one['id']}", {"name": "Siti A.", "phone": None, "language": "en"}, etag(api, one), token="national_admin")
        assert answer.status_code == 200
        now = answer.json()
        assert (now["name"], now["email"], now["phone"], now["language"]) == ("Siti A.", "a@example.id", None, "en")
        problem(api.patch(f"{PATH}/{one['id']}", {"name": "x"}, '"1.x"', token="national_admin"), 412, "precondition_failed")
        problem(api.patch(f"{PATH}/{one['id']}", {"name": "x"}, token="national_admin"), 428, "precondition_required")

    def test_the_user_name_stays(self, api):
        one = invite(api)
        problem(api.patch(f"{PATH}/{one['id']}", {"username": "lain"}, etag(api, one), token="national_admin"), 422, "invalid_body")

    def test_a_person_of_its_own(self, api):
        person, one, other = programs.person(api)["id"], invite(api), invite(api)
        assert api.patch(f"{PATH}/{one['id']}", {"person_id": person}, etag(api, one), token="national_admin").json()["person_id"] == person
        problem(api.patch(f"{PATH}/{other['id']}", {"person_id": person}, etag(api, other), token="national_admin"), 409, "person_has_account")
        problem(api.patch(f"{PATH}/{other['id']}", {"person_id": str(uuid.uuid4())}, etag(api, other), token="national_admin"), 422, "reference_unknown")


def test_nobody_administers_their_own_account(api, database):
    """A token alone changes nothing of its own account: /v1/me asks for the password. Over all that is done to an account."""
    people = People(api)
    admin = people.user("national_admin")
    people.sql("UPDATE app_user SET email = 'admin@example.id' WHERE id = %s", admin["id"])
    token, body = people.token(admin), {"email": "thief@example.id", "delivery": "answer", "reason": "uji"}
    tried = set()
    for template, methods in api.contract.document["paths"].items():
        if not re.match(r"/v1/users/\{\w+\}", template):
            continue
        path = re.sub(r"\{\w+\}", admin["id"], template)
        for method, operation in methods.items():
            if method not in ("post", "put", "patch", "delete"):
                continue
            kinds = operation.get("requestBody", {}).get("content", {})
            names = [api.contract.resolve(kind["schema"]).get("properties", {}) for kind in kinds.values()]
            fields = {name: value for name, value in body.items() if name in names[0]} if names else None
            headers = {"If-Match": "*"} if method in ("put", "patch") else {}
            answer = api.request(method.upper(), path, token=token, once=True, json=fields, headers=headers)
            assert problem(answer, 409, "own_account"), operation["operationId"]
            tried.add(operation["operationId"])
    assert tried >= {"update_user", "invite_user", "reset_user_password", "disable_user", "enable_user", "reset_user_factor", "erase_user_data", "end_user_session"}
    assert people.sql("SELECT email, status FROM app_user WHERE id = %s", admin["id"]) == ("admin@example.id", "active")
    assert people.sql("SELECT count(*) FROM user_link WHERE user_id = %s", admin["id"]) == (0,)


def test_who_will_stand_beside_or_above_is_not_below(api, database):
    """An account that is charged with more from some day on is not the coordinator's to change or to get a link for today."""
    facilitator, promoted = invite(api), invite(api)
    for one in (facilitator, promoted):
        charge(database, one, "regency_facilitator", region="19.01")
    charge(database, promoted, "provincial_coordinator", region="19", starts_on="2099-01-01")
    def attempts(one):
        return (api.post(f"{PATH}/{one['id']}/invitation", token="provincial_coordinator", json={"delivery": "mail"}),
                api.patch(f"{PATH}/{one['id']}", {"language": "en"}, etag="*", token="provincial_coordinator"))
    for answer in attempts(promoted):
        problem(answer, 403, "out_of_reach")
    invited, changed = attempts(facilitator)
    problem(invited, 409, "mail_impossible")  # this service sends none
    assert changed.status_code == 200


class TestReading:
    def test_lists_show_no_address(self, api):
        one = invite(api, email="rahasia-surel@example.id", phone="0899-rahasia", name="Namarupa Unik")
        for path in (f"{PATH}?q=namarupa", f"{PATH}?username={one['username']}", f"{PATH}?q=namarupa&format=csv"):
            answer = api.get(path, token="national_admin")
            assert answer.status_code == 200 and one["id"] in answer.text
            assert "rahasia" not in answer.text

    def test_every_read_of_an_address_is_on_record(self, api, database):
        one = invite(api, email="a@example.id")
        answer = get(api, one)
        assert answer.json()["email"] == "a@example.id"
        with database.cursor() as cursor:
            cursor.execute("SELECT client_id, operation, request_id FROM audit WHERE action = 'read' AND table_name = 'app_user' "
                           "AND row_key ->> 'id' = %s", (one["id"],))
            assert cursor.fetchall() == [(api.client("national_admin")["client_id"], "get_user", answer.headers["X-Request-Id"])]
        again = api.get(f"{PATH}/{one['id']}", token="national_admin", headers={"If-None-Match": answer.headers["ETag"]})
        assert again.status_code == 304

    def test_the_audit_has_digests(self, api, database):
        one = invite(api, email="digest@example.id", phone="0855")
        with database.cursor() as cursor:
            cursor.execute("SELECT after FROM audit WHERE table_name = 'app_user' AND row_key ->> 'id' = %s AND action = 'insert'", (one["id"],))
            after = cursor.fetchone()[0]
        assert all(set(after[private]) == {"digest"} for private in ("username", "name", "email", "phone"))

    def test_filters(self, api, database):
        person = programs.person(api)["id"]
        invited, active = invite(api, person_id=person), invite(api)
        activate(database, active)
        charge(database, active, "regency_facilitator", region="73.08")
        ids = lambda query: {one["id"] for one in api.pages(f"{PATH}?{query}", token="national_admin")}  # noqa: E731
        assert invited["id"] in ids("status=invited") and active["id"] not in ids("status=invited,disabled")
        assert ids(f"person={person}") == {invited["id"]}
        assert active["id"] in ids("within=73") & ids("within=73.08") and active["id"] not in ids("within=19")
        assert invited["id"] not in ids("within=73")
        assert active["id"] in ids(f"updated_since={active['created_at']}&sort=updated_at")
        assert ids("limit=1") == ids("limit=500") >= {invited["id"], active["id"]}
        assert api.get(f"{PATH}?count=exact&limit=1", token="national_admin").json()["total"] == len(ids("limit=500"))

    def test_the_erased_are_tombstones(self, api, database):
        one = invite(api)
        with database.cursor() as cursor:
            cursor.execute("UPDATE app_user SET name = NULL, email = NULL, status = 'erased', erased_at = now() WHERE id = %s", (one["id"],))
        problem(get(api, one), 404, "not_found")
        assert one["id"] not in [item["id"] for item in api.pages(PATH + "?limit=500", token="national_admin")]
        [stone] = [item for item in api.pages(PATH + "?limit=500&deleted=include", token="national_admin") if item["id"] == one["id"]]
        assert set(stone) == {"id", "deleted_at"}

    def test_unknown(self, api):
        problem(get(api, {"id": str(uuid.uuid4())}), 404, "not_found")


class TestNotices:
    """Of changes of contact: they are told to whom they concern, and fill nobody's mailbox."""

    def refused(self, answer):
        refusal = problem(answer, 429, "contact_limited")
        assert answer.headers["Retry-After"] in refusal["detail"] and 86000 < int(answer.headers["Retry-After"]) <= 86400

    def test_five_changes_a_day(self, api):
        """Of one account by one maker; what waits for an address already is told once."""
        people = People(api)
        user = people.user("library_manager")
        addresses = [f"{uuid.uuid4().hex}@example.id" for _ in range(3)]
        people.sql("UPDATE app_user SET email = %s WHERE id = %s", addresses[2], user["id"])
        token = people.token(user)

        def change(**fields):
            return api.patch("/v1/me", {**fields, "current_password": user["password"]}, etag="*", token=token)
        for n in range(3):
            assert change(email=addresses[n % 2]).status_code == 200
        assert change(phone="0811").status_code == change(phone="0812").status_code == 200
        self.refused(change(email=addresses[1]))
        self.refused(change(phone="0813"))
        assert change(name="Nama Lain").status_code == 200
        notices = "SELECT count(*) FROM (SELECT FROM user_mail WHERE user_id = %s AND next_try_at IS NOT NULL GROUP BY kind, address HAVING count(*) > 1) twice"
        assert people.sql(notices, user["id"])[0] == 0
        assert people.sql("SELECT count(*) FROM user_mail WHERE user_id = %s AND next_try_at IS NOT NULL", user["id"])[0] == 7
        assert change(email=addresses[2]).status_code == 200  # the way back is open
        self.refused(change(email=addresses[0]))
        answer = api.patch(f"{PATH}/{user['id']}", {"email": addresses[1]}, etag="*", token="national_admin")
        assert answer.status_code == 200  # somebody who helps is not kept out by what others did
        people.sql("UPDATE user_mail SET created_at = created_at - interval '25 hours' WHERE user_id = %s", user["id"])
        assert change(email=addresses[0]).status_code == 200

    def test_no_address_is_given_to_account_after_account(self, api, database):
        victim, accounts = f"{uuid.uuid4().hex}@example.id", [invite(api) for _ in range(6)]
        for one in accounts:
            activate(database, one)
        answers = [api.patch(f"{PATH}/{one['id']}", {"email": victim}, etag="*", token="national_admin") for one in accounts]
        assert [answer.status_code for answer in answers[:5]] == 5 * [200]
        self.refused(answers[5])
        assert get(api, accounts[5]).json()["email"] is None


class TestMailLimits:
    """Nobody's mailbox is filled by way of us, and nobody who fills one keeps its holder from it: an hour between two mails for an account,
    six a day to an address, and places among them for the nation and for the holder."""

    @pytest.fixture
    def mailing(self, fresh):
        return fresh(smtp_url="smtp://127.0.0.1:1", smtp_from="tpbis@example.id")

    def refused(self, answer):
        refusal = problem(answer, 429, "mail_limited")
        assert answer.headers["Retry-After"] in refusal["detail"]
        return int(answer.headers["Retry-After"])

    def again(self, api, one, token="national_admin", **fields):
        return api.post(f"{PATH}/{one['id']}/invitation", token=token, json={"delivery": "mail", **fields})

    def test_one_an_hour_for_an_account(self, mailing):
        api = mailing
        one = invite(api, email="siti@example.id", delivery="mail")
        assert 3500 < self.refused(self.again(api, one)) <= 3600
        assert api.patch(f"{PATH}/{one['id']}", {"email": "lain@example.id"}, etag="*", token="national_admin").status_code == 200
        assert get(api, one).json()["link"] is None  # it was for the address of before
        self.refused(self.again(api, one))  # whatever its address is by now
        assert self.again(api, one, delivery="answer").status_code == 200
        api.people.sql("UPDATE user_mail SET created_at = created_at - interval '61 minutes'")
        assert self.again(api, one).status_code == 200
        assert api.people.sql("SELECT array_agg(kind ORDER BY kind) FROM user_mail")[0] == ["invitation", "invitation", "link_shown"]

    def test_five_a_day_to_an_address(self, mailing):
        api = mailing
        for at in range(5):
            invite(api, email="Siti@Example.id" if at % 2 else "siti@example.id", delivery="mail")
        body = body_of(email="SITI@example.id", delivery="mail")
        assert 86000 < self.refused(api.post(PATH, token="national_admin", json=body)) <= 86400
        assert api.get(PATH + "?username=" + body["username"], token="national_admin").json()["items"] == []  # nothing was made
        assert invite(api, email="budi@example.id", delivery="mail")["link"]["state"] == "waiting"
        api.people.sql("UPDATE user_mail SET created_at = created_at - interval '25 hours' WHERE address = 'siti@example.id'")
        assert api.post(PATH, token="national_admin", json=body).status_code == 201

    def test_one_caller_has_a_share(self, mailing):
        """Three of an address; callers who do not act for the nation have four together, whoever of them asks."""
        api, siti = mailing, {"email": "siti@example.id", "delivery": "mail"}
        for at in range(3):
            invite(api, token="regency_facilitator", **{**siti, "email": "Siti@Example.id" if at % 2 else siti["email"]})
        assert 86000 < self.refused(api.post(PATH, token="regency_facilitator", json=body_of(**siti))) <= 86400
        assert invite(api, token="regency_facilitator", email="budi@example.id", delivery="mail")["link"]["state"] == "waiting"
        invite(api, token="provincial_coordinator", **siti)
        self.refused(api.post(PATH, token="provincial_coordinator", json=body_of(**siti)))
        invite(api, **siti)  # the nation's place
        self.refused(api.post(PATH, token="national_admin", json=body_of(**siti)))

    @pytest.mark.parametrize("asker", ["national_admin", "provincial_coordinator"])
    def test_the_holder_keeps_a_place(self, mailing, asker):
        """Of the accounts that have the address, the one that has had it the longest, whoever asks for its password; and not twice."""
        api, siti = mailing, {"email": "siti@example.id", "delivery": "mail"}

        def account(name):
            user = api.people.user("regency_facilitator", name=name, username=f"{name}-{uuid.uuid4().hex}")
            api.people.sql("UPDATE app_user SET email = %s WHERE id = %s", siti["email"], user["id"])
            return f"{PATH}/{user['id']}/password-reset"
        holder, other = account("pemegang"), account("peniru")
        inviters = ["regency_facilitator"] * 3 + ["provincial_coordinator"] + ["national_admin"] * (asker == "national_admin")
        for token in inviters:
            invite(api, token=token, **siti)
        ask = {"token": asker, "json": {"delivery": "mail"}}
        self.refused(api.post(other, **ask))
        assert api.post(holder, **ask).json()["link"]["state"] == "waiting"
        api.people.sql("UPDATE user_mail SET created_at = created_at - interval '61 minutes'")
        assert 82000 < self.refused(api.post(holder, **ask)) < 83000
        if asker != "national_admin":
            invite(api, **siti)  # the nation's place is left

    def test_notices_keep_no_link_from_an_address(self, mailing):
        """Whoever gives an address to accounts of theirs does not use up what its owner is sent."""
        api = mailing
        for _ in range(5):
            api.people.sql("UPDATE app_user SET email = 'siti@example.id' WHERE id = %s", api.people.user("library_manager")["id"])
        assert api.people.sql("SELECT count(*) FROM user_mail WHERE kind = 'address_taken'")[0] == 5
        assert invite(api, email="siti@example.id", delivery="mail")["link"]["state"] == "waiting"

    def test_at_once_too(self, mailing):
        """Askers for one address wait for each other, in whichever process they are."""
        api = mailing
        answers = []
        bodies = [body_of(email="siti@example.id", delivery="mail") for _ in range(9)]
        threads = [threading.Thread(target=lambda body=body: answers.append(
            api.post(PATH, token="national_admin", json=body, headers={"Idempotency-Key": str(uuid.uuid4())}).status_code)) for body in bodies]
        api.token("national_admin")
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(answers) == 5 * [201] + 4 * [429]
