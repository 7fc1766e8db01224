"""Personal data: the list, the subject's document, restriction, erasure, requests and purges (Law 27/2022)."""

import datetime
import json

import pytest

from harness import programs, users
from harness.client import problem
from harness.people import People
from harness.rights import assert_refused

CONTACT = {"phone": "0812-7777-1234", "email": "budi.rahasia@example.id", "address": "Jalan Rahasia 7", "purpose": "Pendampingan"}
TODAY = (datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(hours=7)).date()


def day(days):
    return (TODAY + datetime.timedelta(days=days)).isoformat()


@pytest.fixture(scope="module")
def people(api):
    return People(api)


@pytest.fixture
def user(people):
    """Somebody who facilitates in Bangka, with an account and a token."""
    one = people.user("regency_facilitator", name="Siti Akun")
    return {**one, "token": people.token(one)}


@pytest.fixture
def known(api):
    """Somebody who took part in everything, in Bangka, with a contact."""
    one = programs.person(api, position="Pustakawan")
    assert api.put(f"/v1/people/{one['id']}/contact", json=CONTACT, token="national_admin").status_code == 201
    programs.participant(api, programs.training(api), person_id=one["id"])
    return one


def restrict(api, one, token="regency_facilitator", **fields):
    return api.post(f"/v1/people/{one['id']}/restriction", json={"reason": "Diminta", **fields}, token=token)


def erase(api, one, token="regency_facilitator", what="people", **fields):
    return api.post(f"/v1/{what}/{one['id']}/erasure", json={"reason": "Diminta", **fields}, token=token)


class TestCategories:
    def test_everybody_reads_what_is_kept(self, api):
        found = list(api.pages("/v1/personal-data/categories?limit=3", token="public_app"))
        assert [one["code"] for one in found] == sorted(one["code"] for one in found)
        contact = next(one for one in found if one["code"] == "contact")
        assert contact["retention_months"] == 24 and "person_contact.phone" in contact["stored_in"]
        assert all(one["purpose"]["id"] and one["purpose"]["en"] and "27/2022" in one["legal_reference"] for one in found)
        assert "contact,Kontak orang" in api.get("/v1/personal-data/categories?format=csv").text


class TestContactKeeping:
    def test_ground_and_end(self, api):
        one = programs.person(api)
        path = f"/v1/people/{one['id']}/contact"
        put = api.put(path, json=CONTACT, token="national_admin").json()
        assert put["legal_basis"] == "public_task" and put["retain_until"] > day(720)
        put = api.put(path, json={**CONTACT, "legal_basis": "consent", "retain_until": day(30)}, token="national_admin").json()
        assert (put["legal_basis"], put["retain_until"]) == ("consent", day(30))
        office = f"/v1/organizations/{programs.organization(api)['id']}/contact"
        assert api.put(office, json=CONTACT, token="national_admin").json()["retain_until"] > day(1800)
        assert api.get(office, token="national_admin").json()["collected_at"] is not None


class TestDocument:
    def test_of_a_person(self, api, known, database):
        answer = api.get(f"/v1/people/{known['id']}/personal-data", token="national_admin")
        body = answer.json()
        assert answer.status_code == 200 and body["account"] is None
        assert answer.headers["Cache-Control"] == "no-store"
        assert (body["person"]["name"], body["person"]["purpose"]) == (known["name"], "actor")
        assert body["person"]["contact"]["phone"] == CONTACT["phone"] and len(body["person"]["trainings"]) == 1
        assert {"create_person", "put_person_contact"} <= {entry["operation"] for entry in body["record"]}
        with database.cursor() as cursor:
            cursor.execute("SELECT operation FROM audit WHERE table_name = 'person' AND action = 'read' AND row_key ->> 'id' = %s", (known["id"],))
            assert cursor.fetchall() == [("get_person_personal_data",)]

    def test_of_ones_own(self, api, people, user, known):
        people.sql("UPDATE app_user SET person_id = %s, email = 'siti@example.id' WHERE id = %s", known["id"], user["id"])
        body = api.get("/v1/me/personal-data", token=user["token"]).json()
        assert (body["account"]["username"], body["account"]["email"]) == (user["username"], "siti@example.id")
        assert body["account"]["assignments"][0]["role"] == "regency_facilitator"
        assert body["person"]["id"] == known["id"] and body["person"]["contact"]["email"] == CONTACT["email"]
        assert len(body["categories"]) == 10
        again = api.get("/v1/me/personal-data", token=user["token"]).json()
        reads = [(entry["operation"], entry["what"]) for entry in again["record"] if entry["action"] == "read"]
        assert reads == 2 * [("get_my_personal_data", "person"), ("get_my_personal_data", "app_user")]
        same = api.get(f"/v1/users/{user['id']}/personal-data", token="national_admin").json()
        assert same["account"] == body["account"] and same["person"] == body["person"]

    def test_a_tie_shows_its_holder_nobody_before_the_nation_confirms_it(self, api, people, known):
        """Otherwise whoever writes a region would read everybody there by an account of their own making."""
        made = users.invite(api, token="regency_facilitator", person_id=known["id"])
        people.sql("UPDATE app_user SET status = 'active' WHERE id = %s", made["id"])
        token = people.forged_token(made)
        assert restrict(api, known, reason="Rahasia").status_code == 200

        def shown():
            body = api.get("/v1/me/personal-data", token=token).json()
            return body["person"], [one["reason"] for one in body["requests"]], {entry["what"] for entry in body["record"]}
        person, reasons, record = shown()
        assert person is None and not reasons and record == {"app_user"}
        reads = "SELECT count(*) FROM audit WHERE action = 'read' AND table_name = 'person' AND row_key ->> 'id' = %s AND operation = 'get_my_personal_data'"
        assert people.sql(reads, known["id"])[0] == 0  # who was not shown was not read
        path = f"/v1/users/{made['id']}"
        for writer, seen in (("regency_facilitator", None), ("national_admin", known["id"]), ("regency_facilitator", known["id"])):
            assert api.patch(path, {"person_id": known["id"]}, etag="*", token=writer).status_code == 200
            assert (shown()[0] or {}).get("id") == seen
        assert "person_contact" in shown()[2]
        other = programs.person(api)
        assert api.patch(path, {"person_id": other["id"]}, etag="*", token="regency_facilitator").status_code == 200
        assert shown()[0] is None

    def test_nobody_is_tied_whose_data_are_restricted(self, api, known):
        assert restrict(api, known).status_code == 200
        body = users.body_of(person_id=known["id"])
        for token in ("regency_facilitator", "national_admin"):
            problem(api.post(users.PATH, token=token, json=body), 409, "person_restricted")

    def test_a_client_is_nobody(self, api):
        for token in ("portal", "national_admin"):
            problem(api.get("/v1/me/personal-data", token=token), 403, "person_needed")
            problem(api.post("/v1/me/personal-data/requests", json={"kind": "access", "reason": "x"}, token=token), 403, "person_needed")
            problem(api.get("/v1/me/personal-data/requests", token=token), 403, "person_needed")

    def test_a_login_is_all_that_it_needs(self, api, people):
        """Whoever is charged with nothing, or not any more, reads, corrects and asks; through an app that may do little else."""
        app = people.app(allowed_scopes=["published:read"])
        for former in (people.user(), people.user("regency_facilitator", starts_on=-9, ends_on=-1)):
            token = people.token(former, app, scope="account:read account:write")
            assert api.get("/v1/me/personal-data", token=token).json()["account"]["username"] == former["username"]
            made = api.post("/v1/me/personal-data/requests", json={"kind": "erasure", "reason": "x"}, token=token)
            assert made.status_code == 201, made.text
            assert [one["id"] for one in api.get("/v1/me/personal-data/requests", token=token).json()["items"]] == [made.json()["id"]]
            assert api.get(f"/v1/me/personal-data/requests/{made.json()['id']}", token=token).status_code == 200
            assert api.patch("/v1/me", {"language": "en"}, etag="*", token=token).status_code == 200
            problem(api.get("/v1/regions/19", token=token), 403, "insufficient_scope")

    def test_what_is_published_is_not_the_account(self, api, people):
        """A token that its user gave to read what is published neither reads nor writes what is kept about the user."""
        user = people.user("national_admin")
        people.sql("UPDATE app_user SET email = 'siti@example.id', phone = '0812-1' WHERE id = %s", user["id"])
        rest = " ".join(sorted(people.default_app["scopes"] - {"account:read", "account:write"}))
        for scope in ("published:read", rest, None):
            token = people.log_in(user, scope=scope or "published:read account:read")["access_token"]
            if scope:
                problem(api.get("/v1/me/personal-data", token=token), 403, "insufficient_scope")
                problem(api.get("/v1/me/personal-data/requests", token=token), 403, "insufficient_scope")
                mine = api.get("/v1/me", token=token).json()["user"]
                assert (mine["id"], mine["email"], mine["phone"], mine["person_id"]) == (user["id"], None, None, None)
            else:
                assert api.get("/v1/me", token=token).json()["user"]["email"] == "siti@example.id"
            problem(api.patch("/v1/me", {"name": "Lain"}, etag="*", token=token), 403, "insufficient_scope")
            problem(api.post("/v1/me/personal-data/requests", json={"kind": "erasure", "reason": "x"}, token=token), 403, "insufficient_scope")
            problem(api.post("/v1/me/password", json={"current_password": "x", "new_password": "y"}, token=token), 403, "insufficient_scope")

    def test_only_the_own(self, api, people, user):
        other = people.user("regency_facilitator", name="Orang Lain Sekali")
        text = api.get("/v1/me/personal-data", token=user["token"]).text
        assert other["username"] not in text and "Orang Lain Sekali" not in text
        for path in (f"/v1/users/{other['id']}/personal-data", f"/v1/users/{user['id']}/personal-data"):
            problem(api.get(path, token=user["token"]), 403, "insufficient_scope")

    def test_an_administrator_of_less_than_the_nation(self, api, people, known, user):
        """The scope alone is not enough: who holds it through an app that reaches one province reads nobody."""
        app = people.app(allowed_region="19")
        admin = people.token(people.user("national_admin"), app=app)
        for path in (f"/v1/people/{known['id']}/personal-data", f"/v1/users/{user['id']}/personal-data", "/v1/personal-data/requests",
                     "/v1/personal-data/purges"):
            assert_refused(api.get(path, token=admin))
        assert_refused(erase(api, user, admin, "users"))
        mine = api.post("/v1/me/personal-data/requests", json={"kind": "access", "reason": "x"}, token=user["token"]).json()
        path = f"/v1/personal-data/requests/{mine['id']}"
        assert_refused(api.get(path, token=admin))
        assert_refused(api.patch(path, {"status": "done"}, etag="*", token=admin))


class TestRestriction:
    def test_only_kept(self, api, known, database):
        member = programs.facilitator(api)
        person = {"id": member["person_id"], "name": member["name"] or api.get(f"/v1/people/{member['person_id']}").json()["name"]}
        assert api.put(f"/v1/people/{person['id']}/contact", json=CONTACT, token="national_admin").status_code == 201
        path = f"/v1/people/{person['id']}"
        assert api.get(path, token="portal").json()["restricted"] is False
        answer = restrict(api, person, kind="objection", reference="PDP-1", until=day(10))
        assert answer.status_code == 200, answer.text
        assert {name: answer.json()[name] for name in ("kind", "status", "reference", "until", "person_id")} == {
            "kind": "objection", "status": "done", "reference": "PDP-1", "until": day(10), "person_id": person["id"]}
        problem(api.get(path, token="portal"), 404, "not_found")
        for query in (f"/v1/people?q={person['name']}", f"/v1/facilitators?q={person['name']}",
                      f"/v1/trainings/{member['training_id']}/participants", f"/v1/facilitators?q={person['name']}&format=csv"):
            assert person["name"] not in api.get(query, token="portal").text, query
        assert api.get(path, token="regency_facilitator").json()["restricted"] is True
        for token in ("regency_facilitator", "national_admin"):
            problem(api.get(path + "/contact", token=token), 409, "person_restricted")
            problem(api.put(path + "/contact", json=CONTACT, token=token), 409, "person_restricted")
        problem(api.post(f"/v1/trainings/{programs.training(api)['id']}/participants", json={"role": "staf", "person_id": person["id"]},
                         token="national_admin"), 409, "person_restricted")
        assert programs.change(api, path, name="Nama Benar").status_code == 200
        assert api.delete(path + "/restriction", token="regency_facilitator").status_code == 204
        assert api.get(path, token="portal").json()["name"] == "Nama Benar"
        assert api.get(path + "/contact", token="national_admin").json()["phone"] == CONTACT["phone"]
        assert api.delete(path + "/restriction", token="regency_facilitator").status_code == 204

    def test_a_member_of_a_team(self, api, known):
        """The membership stands, without the name and the contact."""
        teams = list(api.pages("/v1/tim-sinergi?within=19.01&level=regency"))
        team = teams[0]["id"] if teams else programs.post(api, "/v1/tim-sinergi", {"region_code": "19.01", "formed_on": "2020-01-01"})["id"]
        office = programs.organization(api)["id"]
        path = f"/v1/tim-sinergi/{team}/members"
        member = programs.post(api, path, {"person_id": known["id"], "organization_id": office, "starts_on": "2020-01-01", "role": "anggota"})
        path = f"{path}/{member['id']}"
        assert api.get(path + "/contact", token="regency_facilitator").json()["phone"] == CONTACT["phone"]
        assert restrict(api, known, until=None).status_code == 200
        assert api.get(path).json()["name"] is None
        problem(api.get(path + "/contact", token="regency_facilitator"), 409, "person_restricted")
        assert api.delete(f"/v1/people/{known['id']}/restriction", token="national_admin").status_code == 204
        programs.change(api, path, ends_on="2021-01-01", end_reason="resigned")
        problem(api.get(path + "/contact", token="regency_facilitator"), 404, "not_found")

    def test_not_into_the_past(self, api, known):
        problem(restrict(api, known, until=day(-1)), 409, "period_reversed")
        problem(restrict(api, known, received_on=day(1)), 409, "date_in_future")
        assert api.get(f"/v1/people/{known['id']}", token="national_admin").json()["restricted"] is False


class TestErasure:
    def test_a_request_is_not_of_tomorrow(self, api):
        one = programs.person(api)
        tomorrow = str(datetime.date.today() + datetime.timedelta(days=2))
        problem(erase(api, one, token="national_admin", received_on=tomorrow), 409, "date_in_future")
        assert api.get(f"/v1/people/{one['id']}", token="national_admin").json()["name"]

    def test_of_a_person(self, api, known, database):
        training = api.get(f"/v1/people/{known['id']}/personal-data", token="national_admin").json()["person"]["trainings"][0]["training_id"]
        answer = erase(api, known, reference="PDP-2", received_on=day(-1))
        assert answer.status_code == 200, answer.text
        assert answer.json()["counts"] == {"contacts": 1, "trainings": 1, "teams": 0, "replications": 0, "visits": 0}
        assert answer.json()["received_on"] == day(-1)
        problem(api.get(f"/v1/people/{known['id']}", token="national_admin"), 404, "not_found")
        problem(api.get(f"/v1/people/{known['id']}/personal-data", token="national_admin"), 404, "not_found")
        problem(restrict(api, known), 404, "not_found")
        assert api.get(f"/v1/trainings/{training}").json()["attended_count"] == 1
        again = erase(api, known, reference="PDP-3")
        assert again.status_code == 200 and again.json() == answer.json()
        with database.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM audit WHERE row_key ->> 'id' = %s AND coalesce(before, after) IS NOT NULL", (known["id"],))
            assert cursor.fetchone()[0] == 0

    def test_asked_again_it_tells_what_somebody_else_wrote_to_nobody_but_the_nation(self, api, people, known):
        made = erase(api, known, reason="Diminta ibunya", reference="PDP-5").json()
        others = [people.token(people.user("regency_facilitator")), "provincial_coordinator"]
        for token in others:
            again = erase(api, known, token, reason="Lain", reference="PDP-6")
            assert again.status_code == 200 and again.json() == {**made, "reason": None, "reference": None}
        for token in ("regency_facilitator", "national_admin"):
            assert erase(api, known, token, reason="Lain").json() == made

    def test_after_a_delete(self, api):
        """Erased by DELETE, asked for again by letter: on record, though nothing was left to do."""
        one = programs.person(api)
        path = f"/v1/people/{one['id']}"
        assert api.delete(path, token="regency_facilitator", headers={"If-Match": programs.tag_of(api, path)}).status_code == 204
        assert erase(api, one).json()["counts"]["contacts"] == 0

    def test_of_an_account(self, api, people, user, database):
        token = user["token"]
        assert api.get("/v1/me/personal-data", token=token).status_code == 200
        asked = api.post("/v1/me/personal-data/requests", json={"kind": "erasure", "reason": "Saya Siti Akun, hapus"}, token=token).json()
        answer = erase(api, user, "national_admin", "users", reference="PDP-4")
        assert answer.status_code == 200 and answer.json()["counts"] == {"assignments": 1}
        assert erase(api, user, "national_admin", "users").json() == answer.json()
        problem(api.get("/v1/me/personal-data", token=token), 401, "invalid_token")
        problem(api.get(f"/v1/users/{user['id']}/personal-data", token="national_admin"), 404, "not_found")
        mine = api.get(f"/v1/personal-data/requests/{asked['id']}", token="national_admin").json()
        assert (mine["status"], mine["reason"]) == ("done", None)
        with database.cursor() as cursor:
            cursor.execute("SELECT name, email, status, username FROM app_user WHERE id = %s", (user["id"],))
            assert cursor.fetchone() == (None, None, "erased", "erased-" + user["id"])
            cursor.execute("SELECT count(*) FROM audit WHERE row_key ->> 'id' IN (%s, %s) AND coalesce(before, after) IS NOT NULL",
                           (user["id"], asked["id"]))
            assert cursor.fetchone()[0] == 0


class TestRequests:
    def test_asked_and_answered(self, api, user):
        made = programs.post(api, "/v1/me/personal-data/requests", {"kind": "correction", "reason": "Nama salah"}, user["token"])
        assert (made["status"], made["user_id"], made["answered_at"]) == ("open", user["id"], None)
        due = datetime.datetime.fromisoformat(made["due_at"]) - datetime.datetime.fromisoformat(made["created_at"])
        assert due == datetime.timedelta(hours=72)
        own = "/v1/me/personal-data/requests"
        assert [one["id"] for one in api.pages(own, token=user["token"])] == [made["id"]]
        path = f"/v1/personal-data/requests/{made['id']}"
        done = programs.change(api, path, status="done")
        assert done.status_code == 200 and done.json()["answered_at"]
        assert api.get(f"{own}/{made['id']}", token=user["token"]).json()["status"] == "done"
        assert programs.change(api, path, status="open").json()["answered_at"] is None
        assert programs.change(api, path, status="refused").json()["status"] == "refused"

    def test_others_do_not_see_them(self, api, people, user):
        made = programs.post(api, "/v1/me/personal-data/requests", {"kind": "access", "reason": "x"}, user["token"])
        other = people.token(people.user("regency_facilitator"))
        problem(api.get(f"/v1/me/personal-data/requests/{made['id']}", token=other), 404, "not_found")
        assert api.get("/v1/me/personal-data/requests", token=other).json()["items"] == []

    def test_the_register(self, api, known, user):
        mine = programs.post(api, "/v1/me/personal-data/requests", {"kind": "access", "reason": "x"}, user["token"])["id"]
        held = restrict(api, known).json()["id"]

        def found(query):
            return [one["id"] for one in api.pages(f"/v1/personal-data/requests?limit=50&{query}", token="national_admin")]
        assert found(f"user={user['id']}") == [mine] and found(f"person={known['id']}") == [held]
        assert mine in found("status=open&kind=access") and mine not in found("status=done") and held in found("kind=restriction")
        assert held in api.get("/v1/personal-data/requests?format=csv", token="national_admin").text
        problem(programs.change(api, f"/v1/personal-data/requests/{held}", status="refused"), 409, "request_carried_out")


class TestPurge:
    """The command, on a database of its own."""

    def run(self, api, *words, **options):
        return api.service.cluster.run(api.service.database, "purge", *words, **options)

    def test_dry_run_and_run(self, own_api, own_database):
        old, young = programs.person(own_api), programs.person(own_api)
        with own_database.cursor() as cursor:
            cursor.execute("UPDATE person SET retain_until = '2024-01-01' WHERE id = %s", (old["id"],))
        for _ in range(2):
            report = json.loads(self.run(own_api, "--dry-run").stdout)
            assert report["run"] is False and report["categories"]["actor"] == {"due": 1, "removed": 1, "extended": 0, "failed": 0}
            assert own_api.get(f"/v1/people/{old['id']}", token="national_admin").status_code == 200
        assert own_api.get("/v1/personal-data/purges", token="national_admin").json()["items"] == []
        report = json.loads(self.run(own_api, "--run").stdout)
        assert report["run"] is True and report["categories"]["actor"]["removed"] == 1
        problem(own_api.get(f"/v1/people/{old['id']}", token="national_admin"), 404, "not_found")
        assert own_api.get(f"/v1/people/{young['id']}", token="national_admin").status_code == 200
        kept = list(own_api.pages("/v1/personal-data/purges?limit=4", token="national_admin"))
        assert {one["category"]: one["removed_count"] for one in kept} == {
            name: counts["removed"] for name, counts in report["categories"].items()}
        [actor] = own_api.get("/v1/personal-data/purges?category=actor", token="national_admin").json()["items"]
        assert actor["due_count"] == 1
        with own_database.cursor() as cursor:
            cursor.execute("SELECT DISTINCT actor, operation FROM audit WHERE table_name = 'personal_data_purge'")
            assert cursor.fetchall() == [("command line", "purge")]
        assert old["name"] not in json.dumps(report)

    def test_what_cannot_be_purged_is_told(self, own_api, own_database):
        """A record that stays is counted, the others go, and the command has not succeeded."""
        stuck, other = sorted(programs.person(own_api)["id"] for _ in range(2))
        with own_database.cursor() as cursor:
            cursor.execute("UPDATE person SET retain_until = '2024-01-01' WHERE id = ANY (%s::uuid[])", ([stuck, other],))
            cursor.execute(f"ALTER TABLE person ADD CONSTRAINT person_stays_check CHECK (id <> '{stuck}' OR erased_at IS NULL) NOT VALID")
        try:
            answer = self.run(own_api, "--run", check=False)
        finally:
            with own_database.cursor() as cursor:
                cursor.execute("ALTER TABLE person DROP CONSTRAINT person_stays_check")
        assert answer.returncode == 1 and "cannot be purged" in answer.stderr
        assert json.loads(answer.stdout)["categories"]["actor"] == {"due": 2, "removed": 1, "extended": 0, "failed": 1}
        assert own_api.get(f"/v1/people/{stuck}", token="national_admin").status_code == 200
        problem(own_api.get(f"/v1/people/{other}", token="national_admin"), 404, "not_found")

    @pytest.mark.parametrize("words", [(), ("--now",), ("--run", "--dry-run"), ("--run", "x")])
    def test_used_wrongly(self, own_api, own_database, words):
        answer = self.run(own_api, *words, check=False)
        assert answer.returncode == 2 and "--dry-run" in answer.stderr


def test_the_page_tells_all(api, root):
    """db/PRIVACY.md has a line for every category, with every column of it."""
    page = (root / "db/PRIVACY.md").read_text("utf-8")
    for one in api.pages("/v1/personal-data/categories"):
        [line] = [line for line in page.splitlines() if line.startswith(f"| `{one['code']}` |")]
        assert all(f"`{place}`" in line for place in one["stored_in"]), line
