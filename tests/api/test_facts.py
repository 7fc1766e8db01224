"""What a new installation answers before anybody has written anything: the facts it is born with."""

import pytest

from harness.client import problem
from harness.libraries import BANGKA, BELITUNG, KAPUK
from harness.sources import S0, S1, S3

TEAM = "/v1/tim-sinergi"
MEMBERS = ["penanggung_jawab", "ketua", "sekretaris"] + ["anggota"] * 5
SECTORS = ["library_agency", "media", "planning_agency", "reading_community", "university", "village_empowerment"]


def answered(api, path):
    answer = api.get(path)
    assert answer.status_code == 200, answer.text
    return answer.json()


def measures(api, path):
    return {row["measure"]: row for row in answered(api, path)["measures"]}


@pytest.fixture(scope="module")
def team(own_api):
    (found,) = answered(own_api, f"{TEAM}?within=19")["items"]
    return found


def members(api, team, day=None):
    found = list(api.pages(f"{TEAM}/{team['id']}/members" + (f"?as_of={day}" if day else "")))
    return sorted(found, key=lambda one: (MEMBERS.index(one["role"]), one["organization"]["sector"]))


# ---- programmes ----------------------------------------------------------------------------------------------------


def test_programmes_and_phases(own_api):
    programs = {one["slug"]: one for one in own_api.pages("/v1/programs")}
    assert set(programs) == {"perpuseru", "tpbis"} and programs["tpbis"]["sdgs"] == [2, 4, 5, 8]
    assert "'Goal 9'" in programs["tpbis"]["note"] and "UU 43/2007 (perpustakaan)" in programs["tpbis"]["legal_basis"]
    assert [one["name"] for one in programs["perpuseru"]["organizations"]] == ["Coca-Cola Foundation Indonesia", "Bill & Melinda Gates Foundation"]
    assert [one["id"] for one in own_api.pages("/v1/phases")] == [
        "perpuseru-1", "perpuseru-2", "tpbis-2018", "tpbis-2019", "tpbis-2020-2022", "tpbis-2023", "tpbis-2024", "tpbis-2025", "tpbis-2026"]
    assert [one["id"] for one in own_api.pages("/v1/programs/perpuseru/phases")] == ["perpuseru-1", "perpuseru-2"]
    phase = answered(own_api, "/v1/phases/tpbis-2018")
    assert (phase["starts_on"], phase["starts_on_precision"], phase["status"], phase["funding_sources"]) == ("2018-01-01", "year", "closed", ["apbn"])
    open_phases = [one["id"] for one in own_api.pages("/v1/phases?status=open")]
    assert open_phases == ["tpbis-2026"]
    assert answered(own_api, "/v1/phases/tpbis-2026")["published_figures"] == []


def test_contradictions_are_told_not_settled(own_api):
    figures = answered(own_api, "/v1/programs/perpuseru")["published_figures"]
    assert {(one["source"], one["value"], one["as_of_precision"]) for one in figures if one["measure"] == "provinces"} == {
        (S0, 18, "year"), (S1, 19, "unknown"), (S3, 21, "month")}
    villages = [(one["value"], one["source"]) for one in answered(own_api, "/v1/programs/tpbis")["published_figures"]
                if one["measure"] == "villages" and "with replication" in one["scope"]]
    assert sorted(villages) == [(3505, "press"), (3535, "press (another report)")]
    plm = {one["measure"]: one for one in answered(own_api, "/v1/phases/tpbis-2023")["published_figures"]}
    assert (plm["plm_participants"]["value"], plm["plm_village_libraries"]["value"]) == (309, 266)
    assert "disagrees with itself" in plm["plm_participants"]["note"]


# ---- target, recorded, published --------------------------------------------------------------------------------------


def test_progress_of_2019(own_api):
    found = measures(own_api, "/v1/phases/tpbis-2019/progress")
    villages = found["villages"]
    assert (villages["target"], villages["recorded"]) == (300, 17) and "allocation" in villages["target_note"]
    (published,) = villages["published"]
    assert {name: published[name] for name in ("value", "unit", "as_of", "as_of_precision", "source", "region_code")} == {
        "value": 300, "unit": "desa/kelurahan", "as_of": "2019-01-01", "as_of_precision": "year", "source": S3, "region_code": None}
    assert (found["village_libraries"]["recorded"], found["village_libraries"]["published"], found["village_libraries"]["target"]) == (17, [], None)
    assert (found["regencies"]["target"], found["regencies"]["recorded"], found["regencies"]["published"][0]["value"]) == (None, 3, 60)
    assert (found["replications"]["recorded"], found["people_trained"]["recorded"]) == (0, 0)  # none of them is on record
    # what was published and is not computed stays so
    reported = measures(own_api, "/v1/phases/tpbis-2023/progress")["plm_participants"]
    assert (reported["target"], reported["recorded"], reported["published"][0]["value"]) == (None, None, 309)


def test_progress_within_a_region(own_api):
    for region, villages in (("19", 17), ("19.01", 6), ("19.02", 6), ("19.06", 5), ("73", 0)):
        row = measures(own_api, f"/v1/phases/tpbis-2019/progress?within={region}")["villages"]
        assert (row["target"], row["recorded"], row["published"]) == (None, villages, [])
    sulawesi = measures(own_api, "/v1/phases/tpbis-2018/progress?within=73")
    assert (sulawesi["regencies"]["recorded"], sulawesi["villages"]["recorded"]) == (3, 0)
    assert measures(own_api, "/v1/phases/tpbis-2018/progress")["regencies"]["published"][0]["value"] == 60


# ---- participations and replications -----------------------------------------------------------------------------------


def test_participations(own_api):
    found = list(own_api.pages("/v1/participations?phase=tpbis-2019&within=19&expand=library"))
    assert len(found) == 20
    assert {(one["support"], one["status"], one["origin"], one["source"]) for one in found if one["library"]["kind"] == "village"} == {
        ("full", "confirmed", "historical", S3)}
    (maros,) = own_api.pages("/v1/participations?phase=tpbis-2018&within=73.09")
    assert "Inlislite and Kunang-kunang" in maros["note"] and maros["joined_on"] is None
    (step,) = own_api.pages(f"/v1/participations/{maros['id']}/history")
    assert (step["from"], step["to"], step["on"]) == (None, "active", None)


def test_replications_of_the_past(own_api):
    found = list(own_api.pages("/v1/replications?within=19&origin=historical"))
    assert len(found) == 17 and {one["status"] for one in found} == {"training"}
    assert all(one["undocumented"] == ["commitment", "approval", "facilitator"] and one["source"] == S3 for one in found)
    assert [one["village_code"] for one in own_api.pages(f"/v1/replications?library={KAPUK}")] == ["19.01.06.2002"]
    (kapuk,) = [one for one in found if one["library_id"] == KAPUK]
    assert (kapuk["replicator_id"], kapuk["status_on"], kapuk["status_on_precision"]) == (BANGKA, "2019-01-01", "year")


def test_a_replicated_village_is_not_replicated_again(own_api):
    body = {"program": "tpbis", "replicator_id": BANGKA, "village_code": "19.01.06.2002"}
    problem(own_api.post("/v1/replications", token="regency_facilitator", json=body), 409, "village_already_replicated")
    new = own_api.post("/v1/replications", token="regency_facilitator", json={**body, "village_code": "19.01.06.2003"})
    assert new.status_code == 201, new.text  # the kabupaten's library takes part, so it may replicate
    elsewhere = {**body, "replicator_id": BELITUNG, "village_code": "19.02.05.2004"}
    problem(own_api.post("/v1/replications", token="regency_facilitator", json=elsewhere), 403, "out_of_reach")


# ---- Tim Sinergi ---------------------------------------------------------------------------------------------------------


def test_who_was_in_the_team(own_api, team):
    assert members(own_api, team, "2018-11-27") == []
    then = members(own_api, team, "2019-06-17")
    assert [one["role"] for one in then] == MEMBERS and {one["organization"]["sector"] for one in then} == set(SECTORS)
    assert all(one["name"] is None and one["person_id"] is None and one["position"] for one in then)
    last, first = members(own_api, team, "2019-06-30"), members(own_api, team, "2019-07-01")
    assert len(last) == len(first) == 8
    (left,), (came,) = ([one for one in some if one not in others and one["organization"]["sector"] == "planning_agency"]
                        for some, others in ((last, first), (first, last)))
    assert came["replaces_id"] == left["id"] and (came["starts_on"], came["starts_on_precision"]) == ("2019-07-01", "unknown")
    assert (left["ends_on"], left["ends_on_precision"], left["end_reason"]) == ("2019-06-30", "unknown", None)
    assert {one["id"] for one in first} ^ {one["id"] for one in last} == {left["id"], came["id"]}


def test_the_team(own_api, team):
    on = {day: answered(own_api, f"{TEAM}/{team['id']}?as_of={day}") for day in ("2018-11-27", "2019-06-17", "2019-07-01")}
    assert [one["member_count"] for one in on.values()] == [0, 8, 8]
    assert on["2018-11-27"]["status"] != "active" and on["2018-11-27"]["decree"] is None
    then = on["2019-06-17"]
    assert (then["status"], then["max_members"], then["decree"]["kind"], then["decree"]["number"]) == ("active", 10, "sk_kepala_dinas", None)
    assert (then["sectors"], then["vacancies"]) == ({"present": SECTORS, "missing": ["private_sector"]}, [])
    assert (team["origin"], team["source"], team["formed_on"], team["coordinator"]) == ("historical", S3, "2018-11-28", None)


def test_what_the_team_planned(own_api, team):
    meetings = list(own_api.pages(f"{TEAM}/{team['id']}/meetings"))
    assert [(one["kind"], one["status"], one["planned_for"], one["planned_for_precision"], one["held_on"]) for one in meetings] == [
        ("stakeholder", "planned", "2019-07-01", "month", None), ("stakeholder", "planned", "2019-08-01", "month", None)]
    plan = list(own_api.pages(f"{TEAM}/{team['id']}/work-plan"))
    assert sorted(one["kind"] for one in plan) == ["advocacy", "legal_basis", "monitoring"]
    (decree,) = own_api.pages(f"{TEAM}/{team['id']}/decrees")
    assert (decree["signed_on"], decree["valid_from"], decree["origin"]) == (None, "2018-11-28", "historical")
