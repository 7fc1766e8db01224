"""Participations: once in a phase, state by state, and for ever who, when and why."""

import datetime
import threading
import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest

from harness import libraries, programs
from harness.client import problem

TODAY = (datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(hours=7)).date()
YESTERDAY, TOMORROW = TODAY - datetime.timedelta(days=1), TODAY + datetime.timedelta(days=1)
NEXT = {"nominated": {"confirmed", "withdrawn"}, "confirmed": {"active", "withdrawn"}, "active": {"graduated", "withdrawn"},
        "graduated": set(), "withdrawn": set()}


def path_of(one):
    return f"/v1/participations/{one['id']}"


def history(api, one, token="national_admin"):
    return list(api.pages(path_of(one) + "/history?limit=2", token=token))


def past(api, status, **fields):
    return programs.participation(api, origin="historical", source="S3", status=status, **fields)


class TestNomination:
    def test_by_the_province(self, api):
        phase, library = programs.phase(api)["id"], programs.library(api)["id"]
        one = programs.participation(api, "provincial_coordinator", phase_id=phase, library_id=library, support="book_grant",
                                     reason="Gedung siap", note="Listrik 900 W")
        assert (one["status"], one["status_on"], one["joined_on"], one["origin"]) == ("nominated", str(TODAY), None, "recorded")
        [step] = history(api, one)
        assert (step["from"], step["to"], step["on"], step["note"]) == (None, "nominated", str(TODAY), "Gedung siap")
        assert step["actor"]

    def test_once_in_a_phase(self, api):
        one = programs.participation(api)
        body = {"phase_id": one["phase_id"], "library_id": one["library_id"], "support": "full"}
        problem(api.post("/v1/participations", json=body, token="national_admin"), 409, "participation_exists")
        programs.participation(api, library_id=one["library_id"])  # in another phase it may

    def test_sixteen_at_once_leave_one(self, api):
        body = {"phase_id": programs.phase(api)["id"], "library_id": programs.library(api)["id"], "support": "full"}
        api.token("national_admin")
        start = threading.Barrier(16)

        def nominate(_):
            start.wait()
            return api.post("/v1/participations", json=body, token="national_admin")
        with ThreadPoolExecutor(16) as pool:
            answers = list(pool.map(nominate, range(16)))
        assert sorted(answer.status_code for answer in answers) == [201] + [409] * 15
        assert {answer.json()["code"] for answer in answers if answer.status_code == 409} == {"participation_exists"}
        assert api.get(f"/v1/participations?phase={body['phase_id']}&count=exact").json()["total"] == 1

    def test_an_own_id_and_again(self, api):
        body = {"id": str(uuid.uuid4()), "phase_id": programs.phase(api)["id"], "library_id": programs.library(api)["id"], "support": "full"}
        assert api.post("/v1/participations", json=body, token="national_admin").status_code == 201
        again = api.post("/v1/participations", json=body, token="national_admin")
        assert again.status_code == 200 and again.json()["id"] == body["id"]
        problem(api.post("/v1/participations", json={**body, "support": "book_grant"}, token="national_admin"), 409, "id_taken")

    @pytest.mark.parametrize("fields", [{"status": "confirmed"}, {"status": "withdrawn"}, {"joined_on": "2020-01-01"}, {"ended_on": "2020-01-01"}])
    def test_it_begins_as_nominated(self, api, fields):
        body = {"phase_id": programs.phase(api)["id"], "library_id": programs.library(api)["id"], "support": "full", **fields}
        problem(api.post("/v1/participations", json=body, token="national_admin"), 409, "participation_beginning")

    def test_what_it_names_is_there(self, api):
        phase, library, nobody = programs.phase(api)["id"], programs.library(api)["id"], str(uuid.uuid4())

        def nominate(token="national_admin", **fields):
            return api.post("/v1/participations", json={"phase_id": phase, "library_id": library, "support": "full", **fields}, token=token)
        problem(nominate(phase_id="tidak-ada"), 422, "reference_unknown")
        problem(nominate(library_id=nobody), 422, "reference_unknown")
        problem(nominate(token="provincial_coordinator", library_id=nobody), 422, "reference_unknown")
        problem(nominate(proposed_by_team_id=nobody), 422, "reference_unknown")

    def test_not_in_a_closed_phase_nor_of_a_closed_library(self, api):
        closed = programs.phase(api, status="closed")["id"]
        library = programs.library(api)
        body = {"phase_id": closed, "library_id": library["id"], "support": "full"}
        assert closed in problem(api.post("/v1/participations", json=body, token="national_admin"), 409, "phase_closed")["detail"]
        assert libraries.close(api, library).status_code == 204
        body["phase_id"] = programs.phase(api)["id"]
        problem(api.post("/v1/participations", json=body, token="national_admin"), 409, "library_closed")
        programs.participation(api, phase_id=closed, library_id=library["id"], origin="historical", source="S3", status="graduated")

    def test_not_tomorrow(self, api):
        body = {"phase_id": programs.phase(api)["id"], "library_id": programs.library(api)["id"], "support": "full", "on": str(TOMORROW)}
        problem(api.post("/v1/participations", json=body, token="national_admin"), 409, "date_in_future")


class TestTransitions:
    def test_the_whole_way(self, api):
        one = programs.participation(api, on="2026-01-05")
        for to, on in (("confirmed", "2026-02-01"), ("active", "2026-02-01"), ("graduated", "2026-11-01")):
            answer = programs.transit(api, one, to, on=on, note=f"Karena {to}")
            assert answer.status_code == 200, answer.text
            assert (answer.json()["status"], answer.json()["status_on"]) == (to, on)
        body = answer.json()
        assert (body["joined_on"], body["ended_on"]) == ("2026-02-01", "2026-11-01")
        assert [(s["from"], s["to"], s["on"], s["note"]) for s in history(api, one)] == [
            (None, "nominated", "2026-01-05", None), ("nominated", "confirmed", "2026-02-01", "Karena confirmed"),
            ("confirmed", "active", "2026-02-01", "Karena active"), ("active", "graduated", "2026-11-01", "Karena graduated")]
        assert answer.headers["ETag"] == programs.tag_of(api, path_of(one))

    @pytest.mark.parametrize("start", sorted(NEXT))
    def test_every_other_step_is_refused(self, api, start):
        one = past(api, start)
        for to in sorted(set(NEXT) - NEXT[start]):
            told = problem(programs.transit(api, one, to), 409, "participation_transition")
            assert start in told["detail"] and all(may in told["detail"] for may in NEXT[start])
        assert len(history(api, one)) == 1
        for to in sorted(NEXT[start]):
            assert programs.transit(api, past(api, start), to).status_code == 200

    def test_its_days(self, api):
        one = programs.participation(api, on="2026-03-10")
        problem(programs.transit(api, one, "confirmed", on=str(TOMORROW)), 409, "date_in_future")
        told = problem(programs.transit(api, one, "confirmed", on="2026-03-09"), 409, "date_before_previous")
        assert "2026-03-10" in told["detail"]
        assert programs.transit(api, one, "confirmed", on="2026-03-10").status_code == 200
        assert programs.transit(api, one, "active").json()["status_on"] == str(TODAY)

    def test_sixteen_at_once_step_once(self, api):
        one = programs.participation(api)
        api.token("national_admin")
        with ThreadPoolExecutor(16) as pool:
            answers = list(pool.map(lambda _: programs.transit(api, one, "confirmed"), range(16)))
        assert sorted(answer.status_code for answer in answers) == [200] + [409] * 15
        assert len(history(api, one)) == 2

    def test_nobody_is_lost(self, api):
        problem(programs.transit(api, {"id": str(uuid.uuid4())}, "confirmed"), 404, "not_found")
        told = problem(programs.transit(api, programs.participation(api), "selesai"), 422, "invalid_body")
        assert told["errors"][0]["pointer"] == "/to"


class TestThePast:
    """Records of the past begin anywhere, with a source; what comes after obeys every rule."""

    def test_it_begins_anywhere(self, api):
        one = past(api, "graduated", joined_on="2019-01-01", joined_on_precision="year", ended_on="2019-12-31", note="3 komputer, 1 server")
        assert (one["status"], one["joined_on"], one["joined_on_precision"], one["status_on"]) == ("graduated", "2019-01-01", "year", "2019-12-31")
        assert history(api, one)[0]["to"] == "graduated"
        unknown = past(api, "active")
        assert unknown["status_on"] is None and unknown["joined_on"] is None
        assert history(api, unknown)[0]["on"] is None

    def test_with_its_source(self, api):
        body = {"phase_id": programs.phase(api)["id"], "library_id": programs.library(api)["id"], "support": "full", "origin": "historical"}
        problem(api.post("/v1/participations", json=body, token="national_admin"), 409, "source_required")
        problem(programs.change(api, path_of(past(api, "active")), source=None), 409, "source_required")

    def test_not_of_the_future(self, api):
        body = {"phase_id": programs.phase(api)["id"], "library_id": programs.library(api)["id"], "support": "full",
                "origin": "historical", "source": "S3", "joined_on": str(TOMORROW)}
        problem(api.post("/v1/participations", json=body, token="national_admin"), 409, "date_in_future")
        body |= {"joined_on": "2020-01-02", "ended_on": "2020-01-01"}
        problem(api.post("/v1/participations", json=body, token="national_admin"), 409, "period_reversed")

    def test_afterwards_as_everybody(self, api):
        one = past(api, "active", on="2019-06-01")
        problem(programs.transit(api, one, "graduated", on="2019-05-31"), 409, "date_before_previous")
        assert programs.transit(api, one, "graduated", on="2019-12-01").json()["ended_on"] == "2019-12-01"


class TestNotes:
    """Notes are for those who write there; those of records of the past for everybody."""

    def test_by_reach(self, api):
        here = programs.participation(api, note="Rahasia dapur", reason="Karena perlu")
        there = programs.participation(api, library_id=programs.library(api, place="73.08")["id"], note="Rahasia dapur")
        for one, role, seen in ((here, "portal", False), (here, "integration", False), (here, "team_member", False),
                                (here, "national_analyst", False), (here, "provincial_coordinator", True),
                                (here, "regency_facilitator", True), (here, "national_admin", True),
                                (there, "provincial_coordinator", False), (there, "national_admin", True)):
            assert api.get(path_of(one), token=role).json()["note"] == ("Rahasia dapur" if seen else None), role
            [item] = api.pages(f"/v1/participations?phase={one['phase_id']}", token=role)
            assert item["note"] == ("Rahasia dapur" if seen else None), role
        assert history(api, here, "portal")[0]["note"] is None
        assert history(api, here, "regency_facilitator")[0]["note"] == "Karena perlu"

    def test_of_the_past(self, api):
        assert api.get(path_of(past(api, "active", note="3 komputer")), token="portal").json()["note"] == "3 komputer"


class TestList:
    def test_filters(self, api):
        phase = programs.phase(api)["id"]
        places = [("village", "19.01"), ("regency", "19.01"), ("village", "19.02"), ("village", "73.08")]
        made = [past(api, status, phase_id=phase, support=support, library_id=programs.library(api, kind, place)["id"])
                for (kind, place), status, support in zip(places, ("active", "graduated", "active", "withdrawn"),
                                                          ("full", "book_grant", "full", "self_replication"))]

        def found(query):
            items = list(api.pages(f"/v1/participations?phase={phase}&limit=1{query and '&' + query}"))
            assert [item["id"] for item in items] == sorted(item["id"] for item in items)
            return {made.index(next(one for one in made if one["id"] == item["id"])) for item in items}
        assert found("") == {0, 1, 2, 3} and found("within=19.01") == {0, 1} and found("within=19") == {0, 1, 2}
        assert found("status=active,withdrawn") == {0, 2, 3} and found("support=full") == {0, 2}
        assert found("kind=regency") == {1} and found(f"library={made[2]['library_id']}") == {2}
        assert found("updated_since=2999-01-01T00:00:00Z") == set()
        assert [item["id"] for item in api.pages(f"/v1/participations?phase={phase}&sort=updated_at&limit=1")] == [one["id"] for one in made]
        table = libraries.rows_of(api.get(f"/v1/participations?phase={phase}&format=csv&fields=id,status").text)
        assert [row["status"] for row in table] == ["active", "graduated", "active", "withdrawn"]

    def test_expand(self, api):
        one = programs.participation(api)
        for path in (path_of(one), f"/v1/participations?phase={one['phase_id']}"):
            body = api.get(path + ("&" if "?" in path else "?") + "expand=phase,library,region").json()
            body = body.get("items", [body])[0]
            assert body["phase"]["id"] == one["phase_id"] and body["library"]["id"] == one["library_id"]
            assert body["region"]["province"]["code"] == "19" and body["region"]["regency"]["code"] == "19.01"

    def test_as_of(self, api):
        one = programs.participation(api, on="2026-01-05")
        for to, on in (("confirmed", "2026-02-01"), ("active", "2026-03-01"), ("withdrawn", "2026-04-01")):
            assert programs.transit(api, one, to, on=on).status_code == 200

        def on(day, more=""):
            return [item["status"] for item in api.pages(f"/v1/participations?phase={one['phase_id']}&as_of={day}{more}")]
        assert on("2026-01-04") == [] and on("2026-01-05") == ["nominated"] and on("2026-02-28") == ["confirmed"]
        assert on("2026-03-01") == ["active"] and on(TODAY) == ["withdrawn"]
        assert on("2026-03-15", "&status=active") == ["active"] and on("2026-03-15", "&status=withdrawn") == []
        assert on("2026-03-15", "&within=19.01") == ["active"] and on("2026-03-15", "&within=19.02") == []

    def test_as_of_follows_a_library_that_moved(self, api):
        library = libraries.made(api, kind="tbm", region_code="19.01.06.2002", founded_on="2015-03-01")
        one = past(api, "active", library_id=library["id"], on="2020-01-01")
        assert libraries.move(api, library, region_code="19.02.05.2003", supervisor_id=None, effective_on="2022-07-01").status_code == 200
        path = f"/v1/participations?phase={one['phase_id']}"
        assert len(list(api.pages(path + "&within=19.01&as_of=2021-12-31"))) == 1
        assert not list(api.pages(path + "&within=19.02&as_of=2021-12-31"))
        assert len(list(api.pages(path + "&within=19.02"))) == 1 and not list(api.pages(path + "&within=19.01"))

    def test_a_change(self, api):
        one = programs.participation(api, note="lama")
        answer = programs.change(api, path_of(one), support="regional_expansion", note=None)
        assert answer.status_code == 200 and (answer.json()["support"], answer.json()["note"]) == ("regional_expansion", None)
        problem(programs.change(api, path_of(one), proposed_by_team_id=str(uuid.uuid4())), 422, "reference_unknown")


class TestWorkPlan:
    def test_of_the_library_itself(self, api, cluster, service):
        own = cluster.library_at(service.database, "19.01.06.2002")
        one = programs.participation(api, library_id=own)
        path = path_of(one) + "/work-plan"
        made = programs.post(api, path, {"title": "Kelas komputer", "kind": "network", "due_on": "2027-03-01"}, "library_manager")
        assert (made["participation_id"], made["status"], made["result"]) == (one["id"], "planned", None)
        answer = programs.change(api, f"{path}/{made['id']}", "library_manager", status="done", result="24 peserta")
        assert answer.status_code == 200 and answer.json()["result"] == "24 peserta"
        second = programs.post(api, path, {"title": "Rapat", "kind": "meeting"})
        assert [item["id"] for item in api.pages(path + "?limit=1")] == [made["id"], second["id"]]
        gone = api.delete(f"{path}/{second['id']}", token="library_manager",
                          headers={"If-Match": programs.tag_of(api, f"{path}/{second['id']}")})
        assert gone.status_code == 204 and api.get(f"{path}/{second['id']}").status_code == 404

    def test_an_entry_belongs_to_its_plan(self, api):
        one, other = programs.participation(api), programs.participation(api)
        made = programs.post(api, path_of(one) + "/work-plan", {"title": "Uji", "kind": "policy"})
        wrong = f"{path_of(other)}/work-plan/{made['id']}"
        problem(api.get(wrong), 404, "not_found")
        problem(api.patch(wrong, {"title": "X"}, token="national_admin", headers={"If-Match": "*"}), 404, "not_found")
        problem(api.delete(wrong, token="national_admin", headers={"If-Match": "*"}), 404, "not_found")

    def test_an_own_id_and_again(self, api):
        path = path_of(programs.participation(api)) + "/work-plan"
        body = {"id": str(uuid.uuid4()), "title": "Uji", "kind": "policy"}
        assert api.post(path, json=body, token="national_admin").status_code == 201
        assert api.post(path, json=body, token="national_admin").status_code == 200
        problem(api.post(path, json={**body, "title": "Lain"}, token="national_admin"), 409, "id_taken")
