"""Trainings: who took part, who was certified, and whose names are for everybody."""

import datetime
import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest

from harness import libraries, programs
from harness.client import problem

TODAY = (datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(hours=7)).date()
TOMORROW = TODAY + datetime.timedelta(days=1)


def path_of(one):
    if "training_id" in one:
        return f"/v1/trainings/{one['training_id']}/participants/{one['id']}"
    return f"/v1/trainings/{one['id']}"


def facilitators(api, query="", token="portal"):
    return {item["id"]: item for item in api.pages("/v1/facilitators?limit=500" + query, token=token)}


class TestTraining:
    def test_what_was_sent_comes_back(self, api):
        phase, organizer = programs.phase(api)["id"], programs.organization(api)["id"]
        sent = {"kind": "fasilitator", "title": "Bimtek fasilitator", "starts_on": "2026-09-01", "ends_on": "2026-09-05",
                "region_code": "19.01", "place": "Sungailiat", "organizer_id": organizer, "phase_id": phase, "note": "Uji"}
        made = programs.post(api, "/v1/trainings", sent, "regency_facilitator")
        assert {name: made[name] for name in sent} == sent and made["origin"] == "recorded"
        assert (made["participants_count"], made["attended_count"], made["certified_count"]) == (0, 0, 0)
        assert api.get(path_of(made), token="regency_facilitator").json() == made
        seen = api.get(path_of(made) + "?expand=phase,organizer,region", token="portal").json()
        assert seen["note"] is None and seen["region"]["regency"]["code"] == "19.01"
        assert seen["phase"]["id"] == phase and seen["organizer"]["id"] == organizer

    def test_its_dates(self, api):
        body = {"kind": "tik", "title": "Uji", "region_code": "19.01"}
        problem(api.post("/v1/trainings", json=body, token="national_admin"), 409, "training_date_required")
        problem(api.post("/v1/trainings", json={**body, "origin": "historical"}, token="national_admin"), 409, "source_required")
        problem(api.post("/v1/trainings", json={**body, "starts_on": "2026-02-02", "ends_on": "2026-02-01"}, token="national_admin"),
                409, "period_reversed")
        ahead = programs.training(api, starts_on=str(TOMORROW), ends_on=None)
        assert ahead["starts_on"] == str(TOMORROW)
        undated = programs.training(api, starts_on=None, ends_on=None, origin="historical", source="S0")
        assert undated["starts_on"] is None
        problem(programs.change(api, path_of(ahead), starts_on=None), 409, "training_date_required")

    def test_a_change(self, api):
        one = programs.training(api, note="lama")
        answer = programs.change(api, path_of(one), "provincial_coordinator", place="Balai desa", note=None, region_code="19.02")
        assert answer.status_code == 200, answer.text
        assert answer.json() == {**one, "place": "Balai desa", "note": None, "region_code": "19.02",
                                 "updated_at": answer.json()["updated_at"]}

    def test_what_it_names_is_there(self, api):
        body = {"kind": "tik", "title": "Uji", "starts_on": "2026-01-01"}
        for field, value, code in (("phase_id", "tidak-ada", "reference_unknown"), ("organizer_id", str(uuid.uuid4()), "reference_unknown"),
                                   ("region_code", "99", "reference_unknown")):
            problem(api.post("/v1/trainings", json={**body, field: value}, token="national_admin"), 422, code)
        one = programs.training(api)
        problem(programs.change(api, path_of(one), region_code="19.99"), 422, "reference_unknown")

    def test_an_own_id_and_again(self, api):
        body = {"id": str(uuid.uuid4()), "kind": "tik", "title": "Uji", "starts_on": "2026-01-01"}
        assert api.post("/v1/trainings", json=body, token="national_admin").status_code == 201
        assert api.post("/v1/trainings", json=body, token="national_admin").status_code == 200
        problem(api.post("/v1/trainings", json={**body, "title": "Lain"}, token="national_admin"), 409, "id_taken")

    def test_filters_and_orders(self, api):
        phase, organizer = programs.phase(api)["id"], programs.organization(api)["id"]
        made = [programs.training(api, phase_id=phase, starts_on=day, ends_on=None, region_code=place, kind=kind, organizer_id=by)
                for day, place, kind, by in (("2024-03-01", "19.01", "tik", None), ("2024-01-01", "19", "sim", organizer),
                                             ("2024-02-01", "73.08", "tik", None))]

        def found(query):
            return [made.index(next(m for m in made if m["id"] == item["id"]))
                    for item in api.pages(f"/v1/trainings?phase={phase}&limit=1{query and '&' + query}")]
        assert found("") == [1, 2, 0] and found("sort=updated_at") == [0, 1, 2] and found("within=19") == [1, 0]
        assert found("within=19.01") == [0] and found("kind=tik") == [2, 0] and found(f"organizer={organizer}") == [1]
        assert found("updated_since=2999-01-01T00:00:00Z") == []


class TestParticipants:
    def test_a_person_or_a_name(self, api):
        one = programs.training(api)
        path = path_of(one) + "/participants"
        person = programs.person(api, library_id=programs.library(api)["id"], region_code=None)
        known = programs.participant(api, one, person_id=person["id"])
        assert (known["name"], known["library_id"]) == (person["name"], person["library_id"])
        named = programs.participant(api, one, name="Rahmat")
        assert (named["person_id"], named["name"], named["attended"]) == (None, "Rahmat", True)
        for body in ({"role": "staf"}, {"role": "staf", "name": "X", "person_id": person["id"]}):
            problem(api.post(path, json=body, token="national_admin"), 422, "invalid_body")
        assert [item["id"] for item in api.pages(path + "?limit=1", token="national_admin")] == [known["id"], named["id"]]
        assert [item["id"] for item in api.pages(path + "?role=staf", token="national_admin")] == []
        assert api.get(path_of(one)).json()["attended_count"] == 2

    def test_once(self, api):
        one, person = programs.training(api), programs.person(api)["id"]
        body = {"role": "staf", "person_id": person}
        with ThreadPoolExecutor(8) as pool:
            api.token("national_admin")
            answers = list(pool.map(lambda _: api.post(path_of(one) + "/participants", json=body, token="national_admin"), range(8)))
        assert sorted(answer.status_code for answer in answers) == [201] + [409] * 7
        assert {answer.json()["code"] for answer in answers if answer.status_code == 409} == {"participant_exists"}

    def test_what_it_names_is_there(self, api):
        path = path_of(programs.training(api)) + "/participants"
        problem(api.post(path, json={"role": "staf", "person_id": str(uuid.uuid4())}, token="national_admin"), 422, "reference_unknown")
        problem(api.post(path, json={"role": "staf", "name": "X", "library_id": str(uuid.uuid4())}, token="national_admin"), 422,
                "reference_unknown")
        one = programs.participant(api, programs.training(api))
        problem(programs.change(api, path_of(one), library_id=str(uuid.uuid4())), 422, "reference_unknown")

    def test_nobody_attends_before_it_begins(self, api):
        ahead = programs.training(api, starts_on=str(TOMORROW), ends_on=None)
        body = {"role": "staf", "name": "X", "attended": True}
        assert str(TOMORROW) in problem(api.post(path_of(ahead) + "/participants", json=body, token="national_admin"), 409,
                                        "training_not_begun")["detail"]
        one = programs.participant(api, ahead, attended=False)
        problem(programs.change(api, path_of(one), attended=True), 409, "training_not_begun")
        held = programs.training(api)
        programs.participant(api, held)
        problem(programs.change(api, path_of(held), starts_on=str(TOMORROW), ends_on=None), 409, "training_not_begun")

    def test_an_own_id_and_again(self, api):
        path = path_of(programs.training(api)) + "/participants"
        body = {"id": str(uuid.uuid4()), "role": "staf", "name": "X"}
        assert api.post(path, json=body, token="national_admin").status_code == 201
        assert api.post(path, json=body, token="national_admin").status_code == 200

    def test_taken_off(self, api):
        """Whoever did not attend goes; of one who did, the name goes and the count stays."""
        training = programs.training(api)
        absent, present = programs.participant(api, training, attended=False), programs.participant(api, training)
        for one in (absent, present):
            gone = api.delete(path_of(one), token="national_admin", headers={"If-Match": programs.tag_of(api, path_of(one))})
            assert gone.status_code == 204
        problem(api.get(path_of(absent), token="national_admin"), 404, "not_found")
        left = api.get(path_of(present), token="national_admin").json()
        assert (left["name"], left["attended"]) == (None, True)
        assert api.get(path_of(training)).json()["attended_count"] == 1
        one = programs.facilitator(api)
        problem(api.delete(path_of(one), token="national_admin", headers={"If-Match": programs.tag_of(api, path_of(one))}), 409,
                "participant_certified")


class TestNames:
    """Names of trainees are for those whose region and role need them."""

    def test_by_reach(self, api, cluster, service):
        own = cluster.library_at(service.database, "19.01.06.2002")
        here = programs.participant(api, programs.training(api), name="Peserta sini")
        mine = programs.participant(api, programs.training(api, region_code=None), name="Peserta sini", library_id=own)
        there = programs.participant(api, programs.training(api, region_code="73.08"), name="Peserta sini")
        readers = {"national_admin": {"here", "mine", "there"}, "provincial_coordinator": {"here", "mine"},
                   "regency_facilitator": {"here", "mine"}, "library_manager": {"mine"}, "team_member": set(), "integration": set(),
                   "national_analyst": set(), "portal": set(), "public_app": set()}
        for role, known in readers.items():
            for which, one in (("here", here), ("mine", mine), ("there", there)):
                expected = "Peserta sini" if which in known else None
                assert api.get(path_of(one), token=role).json()["name"] == expected, (role, which)
                [item] = api.pages(f"/v1/trainings/{one['training_id']}/participants", token=role)
                assert item["name"] == expected, (role, which)
                text = api.get(f"/v1/trainings/{one['training_id']}/participants?format=csv", token=role).text
                assert ("Peserta sini" in text) == (expected is not None)

    def test_a_certified_facilitator_is_for_everybody(self, api):
        one = programs.facilitator(api, place="73.08")
        seen = api.get(path_of(one), token="public_app").json()
        assert seen["name"] and seen["person_id"] == one["person_id"]

    def test_a_narrower_token_sees_less(self, api):
        """What counts is what the token may do, not who holds it."""
        one = programs.participant(api, programs.training(api), name="Peserta sini")
        client = api.client("national_admin")
        answer = api.post("/oauth2/token", data={"grant_type": "client_credentials", "scope": "published:read"},
                          auth=(client["client_id"], client["client_secret"]), token=None)
        whole = api.get(path_of(one), token="national_admin")
        narrow = answer.json()["access_token"]
        assert api.get(path_of(one), token=narrow).json()["name"] is None
        assert whole.json()["name"] == "Peserta sini"
        assert api.get(path_of(one), token=narrow, headers={"If-None-Match": whole.headers["ETag"]}).status_code == 200


class TestCertification:
    def test_by_the_province_not_by_the_kabupaten(self, api):
        one = programs.participant(api, programs.training(api), "regency_facilitator", role="fasilitator",
                                   library_id=programs.library(api, "regency", "19.01")["id"])
        problem(programs.certify(api, one, "regency_facilitator"), 403, "insufficient_scope")
        elsewhere = programs.participant(api, programs.training(api), role="fasilitator",
                                         library_id=programs.library(api, "regency", "73.08")["id"])
        problem(programs.certify(api, elsewhere, "provincial_coordinator"), 403, "out_of_reach")
        done = programs.certify(api, one, "provincial_coordinator", certificate_until="2027-05-04")
        assert done.status_code == 201, done.text
        assert (done.json()["certified_on"], done.json()["certificate_until"]) == ("2024-05-05", "2027-05-04")
        assert api.get(f"/v1/trainings/{one['training_id']}").json()["certified_count"] == 1

    def test_a_name_becomes_a_person(self, api):
        library = programs.library(api, "regency", "19.02")
        one = programs.participant(api, programs.training(api), role="fasilitator", name="Dewi Uji", library_id=library["id"])
        done = programs.certify(api, one).json()
        person = api.get(f"/v1/people/{done['person_id']}", token="public_app").json()
        assert (person["name"], person["library_id"], person["region_code"], person["published"]) == (
            "Dewi Uji", library["id"], "19.02", True)
        trainee = programs.participant(api, programs.training(api), role="pengelola")
        assert programs.certify(api, trainee).json()["person_id"] is None  # a manager's certificate publishes nobody

    def test_what_it_asks_for(self, api):
        absent = programs.participant(api, programs.training(api), attended=False)
        problem(programs.certify(api, absent), 409, "participant_not_attended")
        homeless = programs.participant(api, programs.training(api), role="fasilitator")
        problem(programs.certify(api, homeless), 409, "certificate_library_required")
        one = programs.participant(api, programs.training(api))
        problem(programs.certify(api, one, certified_on="2024-04-30"), 409, "training_not_begun")
        problem(programs.certify(api, one, certified_on=str(TOMORROW)), 409, "date_in_future")
        problem(programs.certify(api, one, certificate_until="2024-05-04"), 409, "period_reversed")
        master = programs.participant(api, programs.training(api), role="master_trainer")
        assert programs.certify(api, master).status_code == 201  # stands above the libraries

    def test_it_holds_what_it_stands_on(self, api):
        one = programs.facilitator(api)
        for fields in ({"attended": False}, {"role": "staf"}):
            problem(programs.change(api, path_of(one), **fields), 409, "participant_certified")
        assert api.delete(path_of(one) + "/certification", token="national_admin").status_code == 204
        assert programs.change(api, path_of(one), attended=False).status_code == 200

    def test_withdrawn_it_publishes_nobody(self, api):
        one = programs.facilitator(api)
        person = f"/v1/people/{one['person_id']}"
        assert api.get(person).status_code == 200 and one["person_id"] in facilitators(api)
        assert api.delete(path_of(one) + "/certification", token="national_admin").status_code == 204
        problem(api.get(person), 404, "not_found")
        assert one["person_id"] not in facilitators(api)


class TestFacilitators:
    def test_valid_on_a_day(self, api):
        one = programs.facilitator(api, certificate_until="2025-05-04")["person_id"]
        for day, valid in (("2024-05-04", False), ("2024-05-05", True), ("2025-05-04", True), ("2025-05-05", False)):
            assert (one in facilitators(api, f"&on={day}")) == valid, day
        assert one not in facilitators(api)

    def test_by_region_role_and_library(self, api):
        bangka, belitung = programs.facilitator(api, "19.01"), programs.facilitator(api, "19.02")
        ids = {bangka["person_id"], belitung["person_id"]}
        assert ids <= set(facilitators(api, "&within=19")) and not ids & set(facilitators(api, "&within=73"))
        assert set(facilitators(api, "&within=19.02")) & ids == {belitung["person_id"]}
        assert set(facilitators(api, f"&library={bangka['library_id']}")) == {bangka["person_id"]}
        assert not ids & set(facilitators(api, "&role=master_trainer"))
        seen = api.get("/v1/facilitators?within=19.02&expand=library,region").json()["items"][0]
        assert seen["library"]["kind"] == "regency" and seen["region"]["province"]["code"] == "19"
        names = [item["name"] for item in api.pages("/v1/facilitators?within=19&limit=1")]
        assert names == sorted(names) and facilitators(api, f"&q={names[0]}")
        assert len(libraries.rows_of(api.get("/v1/facilitators?within=19&format=csv").text)) == len(names)

    def test_one_row_a_person(self, api):
        """The certificate that stands highest and lasts longest."""
        person = programs.person(api, library_id=programs.library(api, "regency", "19.01")["id"])["id"]
        for role, until in (("fasilitator", "2029-01-01"), ("fasilitator", "2028-01-01"), ("master_trainer", "2027-01-01")):
            one = programs.participant(api, programs.training(api), person_id=person, role=role)
            assert programs.certify(api, one, certificate_until=until).status_code == 201
        seen = facilitators(api)[person]
        assert (seen["role"], seen["certificate_until"], seen["villages_mentored"]) == ("master_trainer", "2027-01-01", 0)
        later = facilitators(api, "&on=2027-01-02")[person]
        assert (later["role"], later["certificate_until"]) == ("fasilitator", "2029-01-01")

    @pytest.mark.parametrize("role", ["portal", "public_app"])
    def test_for_everybody(self, api, role):
        one = programs.facilitator(api)
        assert facilitators(api, token=role)[one["person_id"]]["library_id"] == one["library_id"]
