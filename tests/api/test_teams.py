"""Tim Sinergi: teams as they are and as they were, what they lack, their decrees and policies."""

import uuid

import pytest

from harness.client import problem
from harness.libraries import rows_of
from harness.teams import PATH, add, change, join, made, show, team

@pytest.fixture(scope="module")
def world(own_api):
    """A province's team since 2019 with members, one of a kabupaten, one that was dissolved, one nobody knows the beginning of."""
    api = own_api
    teams = {"province": team(api, "73", name="Tim Sinergi Sulsel", formed_on="2019-01-01"),
             "regency": team(api, "73.08", formed_on="2020-01-01", token="national_admin"),
             "gone": team(api, "73.09", formed_on="2019-01-01"),
             "old": team(api, "72", origin="historical", source="S0", undocumented=["formed_on", "decree"], formed_on=None)}
    province = teams["province"]["id"]
    for role, sector, name in (("penanggung_jawab", "library_agency", "Dinas Perpustakaan"), ("ketua", "library_agency", "Dinas Perpustakaan"),
                               ("anggota", "planning_agency", "Bappeda"), ("anggota", "university", "Universitas Hasanuddin")):
        join(api, province, role=role, organization={"name": name, "sector": sector}, starts_on="2019-01-01")
    join(api, province, role="sekretaris", starts_on="2019-01-01", ends_on="2020-06-30", end_reason="resigned",
         organization={"name": "Harian Fajar", "sector": "media"})
    assert change(api, f"{PATH}/{teams['gone']['id']}", dissolved_on="2021-12-31").status_code == 200
    return {name: one["id"] for name, one in teams.items()}


# ---- one team ----------------------------------------------------------------------------------------------

def test_a_new_team(own_api):
    answer = own_api.post(PATH, token="national_admin", json={"region_code": "62", "formed_on": "2024-03-01"})
    body = made(answer)
    assert answer.headers["Location"] == f"{PATH}/{body['id']}" and own_api.get(answer.headers["Location"]).json() == body
    assert (body["name"], body["level"], body["status"], body["member_count"]) == ("Tim Sinergi Kalimantan Tengah", "province", "active", 0)
    assert (body["coordinator"], body["decree"], body["max_members"]) == (None, None, 10)
    assert body["sectors"] == {"present": [], "missing": ["library_agency", "planning_agency", "village_empowerment", "university",
                                                          "reading_community", "media", "private_sector"]}
    assert body["vacancies"] == ["penanggung_jawab", "ketua", "sekretaris"]
    assert (body["next_meeting_due"], body["meeting_overdue"]) == ("2024-06-01", True)
    problem(own_api.post(PATH, token="national_admin", json={"region_code": "62"}), 409, "team_exists")


def test_the_same_body_again_makes_no_second_team(own_api):
    body = {"id": str(uuid.uuid4()), "region_code": "64", "formed_on": "2024-01-01"}
    first = own_api.post(PATH, token="national_admin", json=body)
    again = own_api.post(PATH, token="national_admin", json=body)
    assert (first.status_code, again.status_code) == (201, 200) and first.json() == again.json()
    problem(own_api.post(PATH, token="national_admin", json={**body, "region_code": "65"}), 409, "id_taken")


@pytest.mark.parametrize("body,status,code", [
    ({}, 422, "invalid_body"),
    ({"region_code": "19.01.01"}, 422, "invalid_body"),
    ({"region_code": "99"}, 422, "reference_unknown"),
    ({"region_code": "61", "formed_on": "2999-01-01"}, 409, "date_in_future"),
    ({"region_code": "61", "origin": "historical"}, 409, "source_required"),
    ({"region_code": "61", "formed_on": "2019-01-01", "formed_on_precision": "year"}, 409, "team_undocumented"),
    ({"region_code": "61", "undocumented": ["decree"]}, 409, "team_undocumented"),
])
def test_what_no_team_can_be(own_api, body, status, code):
    problem(own_api.post(PATH, token="national_admin", json=body), status, code)


def test_a_record_of_the_past_invents_nothing(own_api, world):
    body = show(own_api, world["old"])
    assert (body["formed_on"], body["origin"], body["source"], body["undocumented"]) == (None, "historical", "S0", ["formed_on", "decree"])
    assert (body["next_meeting_due"], body["meeting_overdue"]) == (None, False)
    problem(own_api.post(PATH, token="provincial_coordinator", json={"region_code": "19.05", "origin": "historical", "source": "S9"}), 403,
            "historical_needs_nation")


def test_as_of(own_api, world):
    province = world["province"]
    assert (show(own_api, province)["member_count"], show(own_api, province, "?as_of=2019-06-17")["member_count"]) == (4, 5)
    before = show(own_api, province, "?as_of=2018-11-27")
    assert (before["status"], before["member_count"], before["vacancies"], before["sectors"]) == ("not_formed", 0, [], {"present": [], "missing": []})
    then, now = show(own_api, province, "?as_of=2020-06-30"), show(own_api, province, "?as_of=2020-07-01")
    assert then["vacancies"] == [] and now["vacancies"] == ["sekretaris"]
    assert "media" in then["sectors"]["present"] and "media" in now["sectors"]["missing"]
    assert (then["meeting_overdue"], show(own_api, province, "?as_of=2019-04-01")["meeting_overdue"]) == (True, False)


def test_dissolving(own_api, world):
    gone = show(own_api, world["gone"])
    assert (gone["status"], gone["dissolved_on"], gone["meeting_overdue"], gone["vacancies"]) == ("dissolved", "2021-12-31", False, [])
    assert show(own_api, world["gone"], "?as_of=2021-12-31")["status"] == "active"
    path = f"{PATH}/{world['gone']}"
    problem(change(own_api, path, dissolved_on="2018-01-01"), 409, "period_reversed")
    problem(change(own_api, path, dissolved_on="2999-01-01"), 409, "date_in_future")
    problem(add(own_api, world["gone"], "members", name="Terlambat", starts_on="2022-01-01", organization={"name": "B", "sector": "bank"}), 409, "team_not_live")
    again = team(own_api, "73.09", formed_on="2022-01-01")
    problem(change(own_api, path, dissolved_on=None), 409, "team_exists")
    assert {one["id"] for one in own_api.pages(PATH + "?region=73.09")} == {world["gone"], again["id"]}


def test_change_needs_the_tag(own_api, world):
    path = f"{PATH}/{world['regency']}"
    problem(own_api.patch(path, {"name": "Tim Bone"}, token="national_admin"), 428, "precondition_required")
    problem(own_api.patch(path, {"name": "Tim Bone"}, etag='"999.x"', token="national_admin"), 412, "precondition_failed")
    assert change(own_api, path, name="Tim Sinergi Bone").json()["name"] == "Tim Sinergi Bone"
    problem(change(own_api, path, name=""), 422, "invalid_body")
    problem(own_api.patch(path, {"name": "x"}, etag='"1.x"', token="national_admin", headers={"Content-Type": "text/plain"}), 415, "unsupported_media_type")
    problem(own_api.patch(f"{PATH}/{uuid.uuid4()}", {"name": "x"}, etag='"1.x"', token="national_admin"), 404, "not_found")
    problem(own_api.patch(f"{PATH}/x", {"name": "x"}, etag='"1.x"', token="national_admin"), 400, "invalid_parameter")


@pytest.mark.one_process
def test_polling_costs_a_304(own_api, world):
    for path in (PATH, f"{PATH}/{world['province']}", f"{PATH}/{world['province']}?as_of=2020-01-01", "/v1/team-policies"):
        tag = own_api.get(path).headers["ETag"]
        assert own_api.get(path, headers={"If-None-Match": tag}).status_code == 304
    tag = own_api.get(f"{PATH}/{world['regency']}").headers["ETag"]
    join(own_api, world["regency"], starts_on="2020-01-01")
    assert own_api.get(f"{PATH}/{world['regency']}", headers={"If-None-Match": tag}).status_code == 200


# ---- the list ----------------------------------------------------------------------------------------------

def ids(api, query):
    return {one["id"] for one in api.pages(PATH + query)}


def test_filters(own_api, world):
    everybody = set(world.values())
    assert ids(own_api, "?within=73") >= {world["province"], world["regency"], world["gone"]} and world["old"] not in ids(own_api, "?within=73")
    assert ids(own_api, "?region=73") == {world["province"]}
    assert world["regency"] in ids(own_api, "?level=regency") and world["province"] not in ids(own_api, "?level=regency")
    assert world["gone"] in ids(own_api, "?status=dissolved") and world["gone"] not in ids(own_api, "?status=active")
    assert ids(own_api, "?status=active,dissolved,not_formed") >= everybody
    assert ids(own_api, "?q=sulsel") == {world["province"]}
    assert world["province"] in ids(own_api, "?missing_sector=media") and world["province"] not in ids(own_api, "?missing_sector=university")
    assert world["province"] in ids(own_api, "?vacancy=sekretaris") and world["province"] not in ids(own_api, "?vacancy=ketua")
    assert world["province"] in ids(own_api, "?meeting_overdue=true") and world["old"] in ids(own_api, "?meeting_overdue=false")
    assert world["old"] in ids(own_api, "?as_of=2018-12-31") and world["province"] not in ids(own_api, "?as_of=2018-12-31")
    assert world["gone"] in ids(own_api, "?as_of=2021-12-31&within=73.09") and world["gone"] not in ids(own_api, "?as_of=2022-01-01&within=73.09")
    assert ids(own_api, "?updated_since=2999-01-01T00:00:00Z") == set()
    problem(own_api.get(PATH + "?vacancy=anggota"), 400, "invalid_parameter")


def test_orders_and_pages(own_api, world):
    for sort, key in (("region", lambda t: (t["region_code"], t["id"])), ("name", lambda t: (t["name"].encode(), t["id"])),
                      ("updated_at", lambda t: (t["updated_at"], t["id"]))):
        whole = list(own_api.pages(f"{PATH}?sort={sort}"))
        assert len(whole) >= 4 and whole == sorted(whole, key=key)
        assert list(own_api.pages(f"{PATH}?sort={sort}&limit=2")) == whole
    assert own_api.get(PATH + "?within=73&count=exact&limit=1").json()["total"] == len(list(own_api.pages(PATH + "?within=73")))


def test_shapes(own_api, world):
    one = own_api.get(PATH + "?region=73.08&expand=region&fields=id,region").json()["items"][0]
    assert set(one) == {"id", "region"} and (one["region"]["province"]["code"], one["region"]["regency"]["code"]) == ("73", "73.08")
    assert one["region"]["district"] is None
    assert show(own_api, world["province"], "?expand=region")["region"]["regency"] is None
    answer = own_api.get(PATH + "?within=73&format=csv")
    rows = rows_of(answer.text)
    assert {row["id"] for row in rows} == ids(own_api, "?within=73") and "coordinator.organization.name" in rows[0]
    problem(own_api.get(PATH, headers={"Accept": "application/geo+json"}), 406, "not_acceptable")
    problem(own_api.get(f"{PATH}/{world['province']}", headers={"Accept": "text/csv"}), 406, "not_acceptable")
    problem(own_api.get(f"{PATH}/{uuid.uuid4()}"), 404, "not_found")
    problem(own_api.get(f"{PATH}/{world['province']}?colour=red"), 400, "invalid_parameter")


# ---- decrees -------------------------------------------------------------------------------------------------

def test_the_strongest_decree_in_force(own_api):
    one = team(own_api, "61", formed_on="2018-11-28")["id"]
    weak = made(add(own_api, one, "decrees", kind="sk_kepala_dinas", number="1/2018", signed_on="2018-11-28", issued_by="Kepala Dinas"))
    strong = made(add(own_api, one, "decrees", kind="sk_gubernur", number="188/2020", signed_on="2020-02-01", valid_from="2020-03-01",
                      valid_until="2022-12-31", max_members=26))
    top = made(add(own_api, one, "decrees", kind="sk_kepala_perpusnas", number="5/2021", signed_on="2021-01-01", valid_until="2021-06-30"))
    for day, decree, most in (("2018-11-27", None, 10), ("2018-11-28", weak, 10), ("2020-02-29", weak, 10), ("2020-03-01", strong, 26),
                              ("2021-06-30", top, 26), ("2021-07-01", strong, 26), ("2023-01-01", weak, 10)):
        body = show(own_api, one, f"?as_of={day}")
        assert (body["decree"] and body["decree"]["id"], body["max_members"]) == (decree and decree["id"], most), day
        assert {d["id"] for d in own_api.pages(f"{PATH}/{one}/decrees?as_of={day}")} >= ({decree["id"]} if decree else set())
    whole = list(own_api.pages(f"{PATH}/{one}/decrees"))
    assert [d["kind"] for d in whole] == ["sk_kepala_dinas", "sk_gubernur", "sk_kepala_perpusnas"]
    assert list(own_api.pages(f"{PATH}/{one}/decrees?limit=1")) == whole
    assert [d["id"] for d in own_api.pages(f"{PATH}/{one}/decrees?sort=updated_at&updated_since=2020-01-01T00:00:00Z")] == [d["id"] for d in whole]
    assert own_api.get(f"{PATH}/{one}/decrees/{strong['id']}").json() == strong
    # about to expire
    assert [d["id"] for d in own_api.pages(f"{PATH}/{one}/decrees?as_of=2021-05-01&expiring_before=2021-07-01")] == [top["id"]]
    assert one in ids(own_api, "?as_of=2022-11-01&decree_expiring_before=2023-02-01") and one not in ids(own_api, "?as_of=2022-11-01&decree_expiring_before=2022-12-31")
    assert one not in ids(own_api, "?decree_expiring_before=2999-01-01")


@pytest.mark.parametrize("body,status,code", [
    ({"kind": "sk_bupati", "number": "1", "signed_on": "2020-01-01"}, 409, "decree_kind_mismatch"),
    ({"kind": "sk_gubernur", "signed_on": "2020-01-01"}, 409, "decree_incomplete"),
    ({"kind": "sk_gubernur", "number": "1"}, 409, "decree_incomplete"),
    ({"kind": "sk_gubernur", "number": "1", "signed_on": "2999-01-01"}, 409, "date_in_future"),
    ({"kind": "sk_gubernur", "number": "1", "signed_on": "2020-01-01", "valid_until": "2019-01-01"}, 409, "period_reversed"),
    ({"kind": "sk_gubernur", "number": "1", "signed_on": "2020-01-01", "replaces_id": str(uuid.uuid4())}, 422, "reference_unknown"),
    ({"kind": "sk_gubernur", "origin": "historical"}, 409, "source_required"),
    ({"kind": "sk_gubernur", "number": "1", "signed_on": "2020-01-01", "max_members": 0}, 422, "invalid_body"),
    ({"kind": "sk_presiden", "number": "1", "signed_on": "2020-01-01"}, 422, "invalid_body"),
])
def test_what_no_decree_can_be(own_api, world, body, status, code):
    problem(add(own_api, world["province"], "decrees", **body), status, code)


def test_a_decree_that_replaces_another(own_api, world):
    one = team(own_api, "63", formed_on="2018-01-01")["id"]
    first = made(add(own_api, one, "decrees", kind="sk_gubernur", number="1", signed_on="2018-01-01"))
    problem(add(own_api, one, "decrees", kind="sk_gubernur", number="1", signed_on="2019-01-01"), 409, "decree_exists")
    problem(add(own_api, one, "decrees", kind="sk_gubernur", number="2", signed_on="2018-01-01", replaces_id=first["id"]), 409, "date_before_previous")
    second = made(add(own_api, one, "decrees", kind="sk_gubernur", number="2", signed_on="2020-01-01", replaces_id=first["id"]))
    problem(add(own_api, world["province"], "decrees", kind="sk_gubernur", number="9", signed_on="2021-01-01", replaces_id=first["id"]), 409, "decree_unknown")
    path = f"{PATH}/{one}/decrees/{first['id']}"
    assert own_api.get(path).json()["valid_until"] == "2019-12-31"
    assert change(own_api, f"{PATH}/{one}/decrees/{second['id']}", issued_by="Gubernur", valid_until=None).json()["issued_by"] == "Gubernur"
    problem(change(own_api, path, valid_until="2017-01-01"), 409, "period_reversed")
    problem(own_api.patch(path, {"number": "9"}, token="national_admin"), 428, "precondition_required")
    problem(own_api.patch(path, {"number": "9"}, etag='"99.x"', token="national_admin"), 412, "precondition_failed")
    past = made(add(own_api, one, "decrees", kind="sk_kepala_dinas", origin="historical", source="S3"))
    assert (past["number"], past["signed_on"], past["source"]) == (None, None, "S3")


# ---- policies ------------------------------------------------------------------------------------------------

def test_policies(own_api):
    assert [(p["level"], p["max_members"], p["starts_on"]) for p in own_api.pages("/v1/team-policies?level=province")] == [("province", 10, None)]
    assert [p["max_members"] for p in own_api.pages("/v1/team-policies?level=regency&as_of=2020-01-01")] == [None]
    one = team(own_api, "74", formed_on="2015-01-01")["id"]
    body = {"level": "regency", "starts_on": "2030-01-01", "max_members": 26, "wanted_sectors": ["library_agency", "media"], "meeting_interval_months": 6}
    problem(own_api.post("/v1/team-policies", token="provincial_coordinator", json=body), 403, "out_of_reach")
    problem(own_api.post("/v1/team-policies", token="portal", json=body), 403, "insufficient_scope")
    answer = own_api.post("/v1/team-policies", token="national_admin", json=body)
    assert made(answer)["wanted_sectors"] == ["library_agency", "media"] and own_api.get(answer.headers["Location"]).json() == answer.json()
    assert [p["ends_on"] for p in own_api.pages("/v1/team-policies?level=regency&limit=1&sort=starts_on")] == ["2029-12-31", None]
    assert len(list(own_api.pages("/v1/team-policies?sort=updated_at&updated_since=2020-01-01T00:00:00Z"))) == 3
    problem(own_api.post("/v1/team-policies", token="national_admin", json=body), 409, "date_before_previous")
    problem(own_api.post("/v1/team-policies", token="national_admin", json={**body, "max_members": 0}), 422, "invalid_body")
    for _ in range(3):
        join(own_api, one, starts_on="2016-01-01")
    problem(own_api.post("/v1/team-policies", token="national_admin", json={**body, "level": "province", "max_members": 2}), 409, "team_full")
    assert [p["max_members"] for p in own_api.pages("/v1/team-policies?level=province")] == [10]
    for bad, status, code in ((b"{", 400, "invalid_json"), (b"x" * 70000, 413, "body_too_large")):
        problem(own_api.post("/v1/team-policies", token="national_admin", data=bad, headers={"Content-Type": "application/json"}), status, code)
    problem(own_api.get("/v1/team-policies", headers={"Accept": "text/html"}), 406, "not_acceptable")
    problem(own_api.get(f"/v1/team-policies/{uuid.uuid4()}"), 404, "not_found")
    assert own_api.get("/v1/team-policies?format=csv").text.startswith("\ufeffid,level,")


# ---- manners ---------------------------------------------------------------------------------------------------

def test_what_both_collections_refuse(own_api, world):
    json_type = {"Content-Type": "application/json"}
    policy = {"id": str(uuid.uuid4()), "level": "regency", "starts_on": "2040-01-01", "max_members": None, "wanted_sectors": [], "meeting_interval_months": None}
    assert [own_api.post("/v1/team-policies", token="national_admin", json=policy).status_code for _ in range(2)] == [201, 200]
    for path, body in ((PATH, {"region_code": "61"}), ("/v1/team-policies", policy)):
        problem(own_api.post(path, token="national_admin", data=b"{", headers=json_type), 400, "invalid_json")
        problem(own_api.post(path, token="national_admin", data=b"x" * 70000, headers=json_type), 413, "body_too_large")
        problem(own_api.post(path, token="national_admin", data=b"x", headers={"Content-Type": "text/plain"}), 415, "unsupported_media_type")
        problem(own_api.post(path, token="national_admin", json=body, headers={"Accept": "text/csv"}), 406, "not_acceptable")
    single = f"/v1/team-policies/{policy['id']}"
    assert own_api.get(single, headers={"If-None-Match": own_api.get(single).headers["ETag"]}).status_code == 304
    problem(own_api.get(single + "?x=1"), 400, "invalid_parameter")
    problem(own_api.get(single, headers={"Accept": "text/csv"}), 406, "not_acceptable")
    problem(own_api.get("/v1/team-policies?level=village"), 400, "invalid_parameter")
    path = f"{PATH}/{world['regency']}"
    tag = own_api.get(path).headers["ETag"]
    problem(own_api.patch(path, {"name": "x"}, etag=tag, token="national_admin", headers={"Accept": "text/csv"}), 406, "not_acceptable")
    problem(own_api.request("PATCH", path, data=b"x" * 70000, token="national_admin", headers={**json_type, "If-Match": tag}), 413, "body_too_large")


def test_reading_needs_a_scope(own_api, contract):
    """A token without published:read opens nothing."""
    client = own_api.client("national_admin")
    answer = own_api.post("/oauth2/token", data={"grant_type": "client_credentials", "scope": "contacts:read"},
                          auth=(client["client_id"], client["client_secret"]), token=None)
    token = answer.json()["access_token"]
    for path, methods in contract.document["paths"].items():
        if path.startswith((PATH, "/v1/team-policies")) and not path.endswith("/contact"):
            problem(own_api.get(path.replace("{", "").replace("}", ""), token=token), 403, "insufficient_scope")
            problem(own_api.get(path.replace("{", "").replace("}", ""), token=None), 401, "unauthorized")
