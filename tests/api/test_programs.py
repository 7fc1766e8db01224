"""Programmes and phases: what they are, what they aim at, and how far they have come."""

import pytest

from harness import programs
from harness.client import problem

FIGURE = {"measure": "village_libraries", "value": 300, "unit": "libraries", "scope": "desa/kelurahan", "as_of": "2019-12-31",
          "as_of_precision": "year", "source": "S4"}


def progress(api, phase, within=None):
    answer = api.get(f"/v1/phases/{phase}/progress" + (f"?within={within}" if within else ""))
    assert answer.status_code == 200, answer.text
    return {row["measure"]: row for row in answer.json()["measures"]}


def recorded(api, phase, within=None):
    return {measure: row["recorded"] for measure, row in progress(api, phase, within).items() if row["recorded"]}


class TestProgram:
    def test_what_was_sent_comes_back(self, api):
        partner = programs.organization(api, region_code=None, sector="foundation")
        slug = f"uji-{programs.word()}"
        sent = {"slug": slug, "name": "PerpuSeru uji", "description": "Perpustakaan yang berubah", "started_on": "2011-11-01",
                "started_on_precision": "month", "ended_on": "2018-07-31", "ended_on_precision": "month",
                "legal_basis": ["UU 43/2007"], "sdgs": [4, 5], "source": "S0", "note": "Uji"}
        made = programs.post(api, "/v1/programs", {**sent, "organizations": [{"organization_id": partner["id"], "role": "funder"}],
                                                   "published_figures": [FIGURE]})
        assert {name: made[name] for name in sent} == sent
        assert made["organizations"] == [{"organization_id": partner["id"], "name": partner["name"], "role": "funder"}]
        assert made["published_figures"] == [{**FIGURE, "region_code": None, "note": None}]
        assert api.get(f"/v1/programs/{slug}").json() == made
        assert slug in [item["slug"] for item in api.pages("/v1/programs?limit=2")]

    def test_a_slug_is_taken_once(self, api):
        slug = programs.program(api)["slug"]
        problem(api.post("/v1/programs", json={"slug": slug, "name": "X"}, token="national_admin"), 409, "slug_taken")
        phase = programs.phase(api, program=slug)["slug"]
        problem(api.post("/v1/phases", json={"slug": phase, "name": "X", "program": slug}, token="national_admin"), 409, "slug_taken")

    def test_a_period_in_its_order(self, api):
        body = {"slug": f"uji-{programs.word()}", "name": "X", "started_on": "2020-01-01", "ended_on": "2019-01-01"}
        problem(api.post("/v1/programs", json=body, token="national_admin"), 409, "period_reversed")
        path = "/v1/programs/" + programs.program(api, started_on="2020-01-01")["slug"]
        problem(programs.change(api, path, ended_on="2019-01-01"), 409, "period_reversed")
        path = "/v1/phases/" + programs.phase(api, starts_on="2020-01-01")["slug"]
        problem(programs.change(api, path, ends_on="2019-01-01"), 409, "period_reversed")

    def test_a_list_is_replaced_whole_and_only_a_change_makes_a_version(self, api):
        first, second = programs.organization(api), programs.organization(api)
        path = "/v1/programs/" + programs.program(api, organizations=[{"organization_id": first["id"], "role": "partner"}])["slug"]
        tag = programs.tag_of(api, path)
        same = api.patch(path, {"organizations": [{"organization_id": first["id"], "role": "partner"}]}, etag=tag, token="national_admin")
        assert same.status_code == 200 and same.headers["ETag"] == tag
        other = programs.change(api, path, organizations=[{"organization_id": second["id"], "role": "partner"}])
        assert [member["organization_id"] for member in other.json()["organizations"]] == [second["id"]]
        assert other.headers["ETag"] != tag
        problem(api.patch(path, {"name": "X"}, etag=tag, token="national_admin"), 412, "precondition_failed")
        assert programs.change(api, path, organizations=[]).json()["organizations"] == []

    def test_partners_are_there(self, api):
        body = {"slug": f"uji-{programs.word()}", "name": "X", "organizations": [
            {"organization_id": "01a1fdc3-0000-7000-8000-000000000000", "role": "partner"}]}
        problem(api.post("/v1/programs", json=body, token="national_admin"), 422, "reference_unknown")
        assert api.get("/v1/programs/" + body["slug"]).status_code == 404  # nothing of it was stored


class TestPhase:
    def test_its_id_is_its_slug(self, api):
        slug = programs.program(api)["slug"]
        sent = {"slug": f"uji-{programs.word()}", "program": slug, "name": "Fase", "starts_on": "2019-01-01", "ends_on": "2019-12-31",
                "status": "closed", "funding_sources": ["apbn", "csr"], "source": "S3", "note": None,
                "starts_on_precision": "year", "ends_on_precision": "year"}
        made = programs.post(api, "/v1/phases", {**sent, "targets": [{"measure": "village_libraries", "value": 300, "note": "alokasi"}],
                                                 "published_figures": [FIGURE]})
        assert made["id"] == sent["slug"] and {name: made[name] for name in sent} == sent
        assert made["targets"] == [{"measure": "village_libraries", "value": 300, "note": "alokasi"}]
        assert api.get("/v1/phases/" + made["id"]).json() == made
        assert list(api.pages(f"/v1/programs/{slug}/phases")) == [made] == list(api.pages(f"/v1/phases?program={slug}"))

    def test_filters_and_orders(self, api):
        slug = programs.program(api)["slug"]
        for year, status in ((2021, "open"), (2019, "closed"), (None, "planned"), (2020, "closed")):
            programs.phase(api, program=slug, status=status, starts_on=year and f"{year}-01-01")
        assert [p["starts_on"] for p in api.pages(f"/v1/phases?program={slug}&limit=1")] == [
            None, "2019-01-01", "2020-01-01", "2021-01-01"]
        assert {p["starts_on"] for p in api.pages(f"/v1/phases?program={slug}&status=open,planned")} == {None, "2021-01-01"}
        assert len(list(api.pages(f"/v1/phases?program={slug}&sort=updated_at&limit=3"))) == 4
        assert not list(api.pages(f"/v1/phases?program={slug}&updated_since=2999-01-01T00:00:00Z"))
        assert api.get(f"/v1/phases?program={slug}&count=exact").json()["total"] == 4

    def test_a_change(self, api):
        one = programs.phase(api, note="Uji", starts_on="2025-01-01", targets=[{"measure": "tbm", "value": 3}])
        answer = programs.change(api, "/v1/phases/" + one["id"], status="closed", note=None, funding_sources=["apbn"])
        assert answer.status_code == 200, answer.text
        assert answer.json() == {**one, "status": "closed", "note": None, "funding_sources": ["apbn"],
                                 "updated_at": answer.json()["updated_at"]}
        more = programs.change(api, "/v1/phases/" + one["id"], targets=[{"measure": "tbm", "value": 4}], published_figures=[FIGURE])
        assert more.json()["targets"] == [{"measure": "tbm", "value": 4, "note": None}]
        assert [figure["value"] for figure in more.json()["published_figures"]] == [300]

    def test_its_programme_is_there(self, api):
        body = {"slug": f"uji-{programs.word()}", "program": "tidak-ada", "name": "X"}
        problem(api.post("/v1/phases", json=body, token="national_admin"), 422, "reference_unknown")

    def test_what_a_body_may_not_say(self, api):
        body = {"slug": "Uji Besar", "program": "tpbis", "name": "X", "funding_sources": ["judi"], "targets": [{"measure": "x"}]}
        faults = {(e["pointer"], e["code"]) for e in problem(api.post("/v1/phases", json=body, token="national_admin"), 422,
                                                             "invalid_body")["errors"]}
        assert {("/slug", "pattern"), ("/funding_sources/0", "enum"), ("/targets/0/value", "required")} <= faults
        twice = {"slug": f"uji-{programs.word()}", "program": programs.program(api)["slug"], "name": "X",
                 "targets": [{"measure": "tbm", "value": 1}, {"measure": "tbm", "value": 2}]}
        [fault] = problem(api.post("/v1/phases", json=twice, token="national_admin"), 422, "invalid_body")["errors"]
        assert fault["pointer"] == "/targets"


class TestProgress:
    """Target, recorded, published: each what it is, none of them mixed."""

    def test_unmixed(self, api):
        phase = programs.phase(api, targets=[{"measure": "village_libraries", "value": 300}], published_figures=[
            FIGURE, {**FIGURE, "value": 310, "source": "S2"}, {**FIGURE, "measure": "activities", "value": 8635, "unit": "activities"}])["id"]
        for _ in range(2):
            programs.participation(api, phase_id=phase, origin="historical", source="S3", status="active")
        rows = progress(api, phase)
        assert (rows["village_libraries"]["target"], rows["village_libraries"]["recorded"]) == (300, 2)
        assert [(f["value"], f["source"]) for f in rows["village_libraries"]["published"]] == [(300, "S4"), (310, "S2")]
        assert (rows["activities"]["target"], rows["activities"]["recorded"]) == (None, None)
        assert rows["regency_libraries"]["published"] == [] and rows["regency_libraries"]["recorded"] == 0

    def test_who_counts(self, api):
        """From being confirmed on; not the nominated, not the withdrawn."""
        phase = programs.phase(api)["id"]
        steps = {"nominated": (), "confirmed": ("confirmed",), "active": ("confirmed", "active"),
                 "graduated": ("confirmed", "active", "graduated"), "withdrawn": ("confirmed", "withdrawn")}
        for status, path in steps.items():
            one = programs.participation(api, phase_id=phase)
            for step in path:
                assert programs.transit(api, one, step).json()["status"] == step
            assert api.get(f"/v1/participations/{one['id']}").json()["status"] == status
        assert recorded(api, phase) == {"provinces": 1, "regencies": 1, "villages": 1, "libraries": 3, "village_libraries": 3}

    def test_within_a_region(self, api):
        phase = programs.phase(api, targets=[{"measure": "libraries", "value": 9}], published_figures=[
            {**FIGURE, "region_code": "19"}, {**FIGURE, "region_code": "19.02", "value": 6}, FIGURE])["id"]
        for kind, place in (("village", "19.01"), ("village", "19.02"), ("regency", "19.01"), ("provincial", "19"), ("tbm", "73.08")):
            programs.participation(api, phase_id=phase, library_id=programs.library(api, kind, place)["id"], origin="historical",
                                   source="uji", status="graduated")
        assert recorded(api, phase) == {"provinces": 2, "regencies": 3, "villages": 3, "libraries": 5, "village_libraries": 2,
                                        "regency_libraries": 1, "provincial_libraries": 1, "tbm": 1}
        assert recorded(api, phase, "19.01") == {"provinces": 1, "regencies": 1, "villages": 1, "libraries": 2,
                                                 "village_libraries": 1, "regency_libraries": 1}
        rows = progress(api, phase, "19")
        assert rows["libraries"]["target"] is None and rows["libraries"]["recorded"] == 4
        assert [f["value"] for f in rows["village_libraries"]["published"]] == [300, 6]
        assert recorded(api, phase, "11") == {}

    def test_people(self, api):
        phase = programs.phase(api)["id"]
        first, second = (programs.training(api, phase_id=phase) for _ in range(2))
        known = programs.person(api)["id"]
        programs.participant(api, first, person_id=known)
        programs.participant(api, second, person_id=known)  # the same person counts once
        programs.participant(api, first, role="staf")
        programs.participant(api, first, attended=False)
        office = programs.library(api, "regency", "19.02")["id"]
        one = programs.participant(api, first, role="fasilitator", library_id=office)
        assert recorded(api, phase) == {"people_trained": 3, "managers_trained": 1, "staff_trained": 1, "facilitators_trained": 1}
        assert programs.certify(api, one).status_code == 201
        assert recorded(api, phase)["facilitators_certified"] == 1
        assert recorded(api, phase, "19.02") == {"people_trained": 1, "facilitators_trained": 1, "facilitators_certified": 1}

    def test_a_poll_is_304_until_something_is_recorded(self, api):
        phase = programs.phase(api)["id"]
        path = f"/v1/phases/{phase}/progress?within=19"
        tag = api.get(path).headers["ETag"]
        assert api.get(path, headers={"If-None-Match": tag}).status_code == 304
        programs.participation(api, phase_id=phase, origin="historical", source="uji", status="active")
        assert api.get(path, headers={"If-None-Match": tag}).status_code == 200


@pytest.mark.parametrize("path", ["/v1/programs", "/v1/phases"])
def test_only_the_nation_writes(api, path):
    body = {"slug": f"uji-{programs.word()}", "name": "X", **({"program": "tpbis"} if path == "/v1/phases" else {})}
    problem(api.post(path, json=body, token="provincial_coordinator"), 403, "insufficient_scope")
