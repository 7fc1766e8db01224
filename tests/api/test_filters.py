"""What a list leaves out and what it shows: every filter by what it must and must not match, and the shape of the items."""

import math
import time
import uuid
from datetime import datetime, timedelta, timezone

import pytest

from harness.client import problem
from harness.libraries import (BANGKA, BANGKA_BELITUNG, BELITUNG, KAPUK, NATIONAL, change, close, ids, made, move, path_of,
                               rows_of)

POINTS = {"Pusat": (-2.1, 106.1), "Dekat": (-2.1, 106.15), "Sedang": (-2.3, 106.1), "Jauh": (-2.9, 108.2), "Kutub": (-90, 0),
          "Timur": (0.01, 179.99), "Barat": (0.01, -179.99)}


@pytest.fixture(scope="module")
def places(own_api):
    return {name: made(own_api, name=f"TBM {name}", latitude=point[0], longitude=point[1]) for name, point in POINTS.items()}


def listed(api, query):
    return list(api.pages(f"/v1/libraries?{query}"))


def fault_of(answer):
    """What is wrong with the one parameter that is."""
    faults = problem(answer, 400, "invalid_parameter")["errors"]
    assert len({fault["parameter"] for fault in faults}) == 1, faults
    return faults[0]["parameter"], faults[0]["code"]


# ---- names ------------------------------------------------------------------------------------------------

@pytest.fixture(scope="module")
def named(own_api):
    names = ["Taman Baca Pélangi Séjahtera", "TAMAN BACA PELANGI", "Taman Bacaan Mélati", "Baca-Baca (Kopi & Buku) 45", "Ruang Œuvre", "TBM Jum\u2019at",
             "TBM Sitio-tio"]
    return {name: made(own_api, name=name)["id"] for name in names}


@pytest.mark.parametrize("q,found", [
    ("pelangi", [0, 1]), ("PELANGI", [0, 1]), ("p%C3%A9langi", [0, 1]), ("P%C3%89LANGI", [0, 1]), ("pe%CC%81langi", [0, 1]),
    ("pel", [0, 1]), ("elangi", []), ("sejahtera%20pelangi", [0]), ("pelangi%20sejahtera", [0]), ("pelangi%20melati", []),
    ("tam%20bac%20mel", [2]), ("taman+baca+melati", [2]), ("baca%20kopi", [3]), ("kopi%26buku", [3]), ("45", [3]),
    ("%28kopi%29", [3]), ("kopi%20%26%20buku", [3]), ("kopi%20%7C%20melati", []), ("%21melati%20taman", [2]), ("oeuvre", [4]),
    ("'%20OR%201%3D1%20--", []), ("pelangi%3A*", [0, 1]), ("%26%20%7C%20%21", []), ("---", []), ("%25", []), ("_", []),
    ("bacabaca", [3]), ("baca-baca", [0, 1, 2, 3]), ("baca%20baca", [0, 1, 2, 3]), ("jumat", [5]), ("jum'at", [5]), ("jum%20at", [5]), ("JUM%60AT", [5]),
    ("jum%CA%BCa", [5]), ("sitiotio", [6]), ("sitio-tio", [6]), ("sitio%E2%80%90tio", [6]), ("sitio%20tio", [6]), ("tio", [6]), ("itio", []),
])
def test_words_of_a_name(own_api, named, q, found):
    names = list(named)
    got = {item["name"] for item in listed(own_api, f"kind=tbm&q={q}")} & set(names)
    assert got == {names[i] for i in found}


def test_words_that_are_none_match_nothing(own_api, named):
    for q in ("%26%20%7C", "---", "%E3%80%82"):
        assert listed(own_api, f"q={q}") == []
        assert own_api.get(f"/v1/regions?q={q}").json()["items"] == []


@pytest.mark.parametrize("q", ["", "%20", "a" * 201])
def test_no_words_at_all_are_refused(own_api, q):
    for path in ("/v1/libraries", "/v1/regions"):
        assert fault_of(own_api.get(f"{path}?q={q}"))[0] == "q"


# ---- places -----------------------------------------------------------------------------------------------

@pytest.mark.parametrize("code", ["19", "19.01", "19.01.06", "19.01.06.2002"])
def test_within_is_the_region_and_all_below(own_api, code):
    inside = {item["id"] for item in listed(own_api, "limit=500")
              if item["region_code"] and (item["region_code"] + ".").startswith(code + ".")}
    assert inside and set(ids(listed(own_api, f"within={code}"))) == inside


def test_within_includes_the_region_itself_and_no_neighbour(own_api):
    assert BANGKA in ids(listed(own_api, "within=19.01")) and BELITUNG not in ids(listed(own_api, "within=19.01"))
    assert BANGKA_BELITUNG in ids(listed(own_api, "within=19")) and NATIONAL not in ids(listed(own_api, "within=19"))
    codes = \
        [item["code"] for item in own_api.pages("/v1/regions?within=19.01.01&limit=500")]
    assert "19.01.01" in codes and all(code == "19.01.01" or code.startswith("19.01.01.") for code in codes)


def test_region_is_exactly_that_one(own_api):
    assert ids(listed(own_api, "region=19.01")) == [BANGKA]
    assert {item["region_code"] for item in listed(own_api, "region=19.01.06.2002")} == {"19.01.06.2002"}


@pytest.mark.parametrize("code", ["1", "19.", "19.1", "19.01.6", "19.01.06.02", "19.01.06.2002.1", "%2019", "19%00", "xx", "19%2F", "19.01.06.2002%0A"])
@pytest.mark.parametrize("parameter", ["within", "region"])
def test_what_is_no_code(own_api, parameter, code):
    assert own_api.get(f"/v1/libraries?{parameter}={code}").status_code == 400


@pytest.mark.parametrize("code", ["1901", "190106", "1901062002"])
def test_an_undotted_code_is_named_as_such(own_api, code):
    for path in (f"/v1/libraries?within={code}", f"/v1/libraries?region={code}", f"/v1/regions?within={code}", f"/v1/regions/{code}"):
        assert fault_of(own_api.get(path))[1] == "undotted_code"


def haversine(a, b):
    (lat1, lon1), (lat2, lon2) = (tuple(map(math.radians, point)) for point in (a, b))
    h = math.sin((lat2 - lat1) / 2) ** 2 + math.cos(lat1) * math.cos(lat2) * math.sin((lon2 - lon1) / 2) ** 2
    return 2 * 6371.0088 * math.asin(math.sqrt(h))


@pytest.mark.parametrize("centre", [(-2.1, 106.1), (0, 180), (0, -180), (-90, 123), (-2.5, 107)])
@pytest.mark.parametrize("radius", [1, 30, 400, 20000])
def test_near_is_by_distance(own_api, places, centre, radius):
    items = [i for i in listed(own_api, f"near={centre[0]},{centre[1]}&radius_km={radius}")]
    expected = sorted((haversine(centre, POINTS[name]), library["id"]) for name, library in places.items())
    expected = [(distance, id) for distance, id in expected if distance <= radius]
    assert set(ids(items)) == {id for _, id in expected}
    for item, (distance, _) in zip(items, expected):
        assert item["distance_km"] == pytest.approx(distance, rel=1e-6, abs=1e-6)
    assert [item["distance_km"] for item in items] == sorted(item["distance_km"] for item in items)


def test_near_is_twenty_five_kilometres_unless_told(own_api, places):
    found = ids(listed(own_api, "near=-2.1,106.1"))
    assert places["Dekat"]["id"] in found and places["Sedang"]["id"] in ids(listed(own_api, "near=-2.1,106.1&radius_km=23"))
    assert all(item["distance_km"] <= 25 for item in listed(own_api, "near=-2.1,106.1"))
    assert "distance_km" not in own_api.get("/v1/libraries?limit=1").json()["items"][0]


@pytest.mark.parametrize("near", ["", "1", "1,2,3", "91,0", "-91,0", "0,181", "0,-181", "a,b", "1,", ",1", "nan,nan", "inf,0", "1 ,2", "1;2"])
def test_what_is_no_point(own_api, near):
    assert fault_of(own_api.get(f"/v1/libraries?near={near.replace(' ', '%20')}"))[0] == "near"


@pytest.mark.parametrize("radius", ["0", "-1", "20001", "", "x", "NaN", "1e999", "Infinity"])
def test_what_is_no_radius(own_api, radius):
    assert fault_of(own_api.get(f"/v1/libraries?near=0,0&radius_km={radius}"))[0] == "radius_km"


def test_what_means_nothing_without_near(own_api):
    assert fault_of(own_api.get("/v1/libraries?radius_km=5")) == ("radius_km", "needs")
    assert fault_of(own_api.get("/v1/libraries?sort=distance")) == ("sort", "needs")


def test_has_location(own_api, places):
    with_place = ids(listed(own_api, "has_location=true"))
    without = ids(listed(own_api, "has_location=false"))
    assert set(with_place) >= {library["id"] for library in places.values()} and KAPUK in without
    assert not set(with_place) & set(without) and len(with_place) + len(without) == len(listed(own_api, "limit=500"))
    for value in ("yes", "1", "TRUE", ""):
        assert fault_of(own_api.get(f"/v1/libraries?has_location={value}"))[0] == "has_location"


# ---- kinds, statuses, keys --------------------------------------------------------------------------------

def test_kinds_and_statuses(own_api):
    planned = made(own_api, status="planned")["id"]
    asleep = made(own_api, status="inactive")["id"]
    gone = made(own_api, founded_on="2020-01-01")["id"]
    assert close(own_api, gone, on="2024-05-31").status_code == 204
    assert {item["kind"] for item in listed(own_api, "kind=village")} == {"village"}
    assert {item["kind"] for item in listed(own_api, "kind=national,tbm")} == {"national", "tbm"}
    assert {item["kind"] for item in listed(own_api, "kind=tbm,regency,tbm")} == {"tbm", "regency"}
    assert planned in ids(listed(own_api, "status=planned")) and asleep not in ids(listed(own_api, "status=planned"))
    assert set(ids(listed(own_api, "status=inactive,planned"))) >= {planned, asleep}
    assert {item["status"] for item in listed(own_api, "status=closed")} == {"closed"}
    assert gone in ids(listed(own_api, "status=closed,active")) and gone not in ids(listed(own_api, "kind=tbm"))
    assert {planned, asleep} <= set(ids(listed(own_api, "kind=tbm")))


@pytest.mark.parametrize("query", ["kind=", "kind=desa", "kind=village,", "kind=,village", "kind=village,desa", "kind=Village",
                                   "kind=village;tbm", "kind=village%20,tbm", "status=open", "status=", "expand=", "expand=all",
                                   "expand=region,", "sort=", "sort=id", "sort=-name", "fields=", "fields=id,", "deleted=yes", "deleted=",
                                   "supervisor=x", "supervisor=", "npp=", "npp=1", "npp=0", "identifier=", "identifier=onesearch", "identifier=:x",
                                   "as_of=", "as_of=2021-02-30", "as_of=2021-1-1", "as_of=today", "as_of=2021-01-01T00:00:00Z",
                                   "updated_since=", "updated_since=2026-01-01", "updated_since=2026-01-01T00:00:00",
                                   "updated_since=2026-01-01T00:00:00+07:00", "format=", "format=xml", "format=JSON", "count=", "limit", "q",
                                   "kind=" + ",".join(["village"] * 7)])
def test_a_value_that_is_none_is_refused_by_name(own_api, query):
    name, _ = fault_of(own_api.get(f"/v1/libraries?{query}"))
    assert name == query.partition("=")[0]


@pytest.mark.parametrize("query", ["", "&", "kind=village&", "&kind=village", "kind=village&&q=a"])
def test_nothing_between_ampersands_is_passed_over(own_api, query):
    assert own_api.get(f"/v1/libraries?{query}").status_code == 200


@pytest.mark.parametrize("query", ["=", "=1", "Kind=village", "kind[]=village", "kind.=a"])
def test_stray_names_are_refused(own_api, query):
    answer = own_api.get(f"/v1/libraries?{query}")
    assert answer.status_code == 400, answer.text


def test_every_fault_of_a_query_is_named_at_once(own_api):
    body = problem(own_api.get("/v1/libraries?witin=19&kind=x&limit=0&limit=5&near=1&sort=distance&fields=nama,id"), 400, "invalid_parameter")
    assert {(fault["parameter"], fault["code"]) for fault in body["errors"]} >= {
        ("witin", "unknown_parameter"), ("kind", "enum"), ("limit", "minimum"), ("limit", "duplicate_parameter"), ("near", "format"),
        ("sort", "needs"), ("fields", "enum")}


@pytest.mark.parametrize("query", ["kind=village&kind=tbm", "q=a&q=a", "limit=1&limit=1", "within=19&within=19", "fields=id&fields=name"])
def test_a_parameter_stands_once(own_api, query):
    assert fault_of(own_api.get(f"/v1/libraries?{query}"))[1] == "duplicate_parameter"


def test_a_single_thing_takes_no_filters(own_api):
    for path in (path_of(KAPUK) + "?within=19", "/v1/regions/19?level=province", "/v1/enumerations?limit=1", path_of(KAPUK) + "/placements?as_of=2020-01-01",
                 path_of(KAPUK) + "/ancestors?limit=1", "/health/live?x=1"):
        assert fault_of(own_api.get(path))[1] == "unknown_parameter", path


def test_npp_identifier_and_supervisor(own_api):
    library = made(own_api, npp="1901062T2000001")
    for scheme, value in (("onesearch", "IOS:1:2"), ("other", "a b,c&d=é")):
        answer = own_api.put(f"{path_of(library)}/identifiers/{scheme}", json={"value": value}, token="national_admin")
        assert answer.status_code == 201, answer.text
    assert ids(listed(own_api, "npp=1901062T2000001")) == [library["id"]] and listed(own_api, "npp=1901062T2000002") == []
    assert ids(listed(own_api, "identifier=onesearch:IOS:1:2")) == [library["id"]]
    assert ids(listed(own_api, "identifier=other:a%20b%2Cc%26d%3D%C3%A9")) == [library["id"]]
    assert ids(listed(own_api, "identifier=onesearch:ios:1:2")) == [library["id"]]  # the case is the scheme's own matter
    for other in ("other:IOS:1:2", "other:A%20b%2Cc%26d%3D%C3%A9", "onesearch:IOS", "nosuch:IOS:1:2"):
        answer = own_api.get(f"/v1/libraries?identifier={other}")
        assert answer.status_code == 400 or answer.json()["items"] == []
    below = listed(own_api, f"supervisor={BANGKA}")
    assert below and {item["supervisor_id"] for item in below} == {BANGKA}
    assert ids(listed(own_api, f"supervisor={BANGKA.upper()}")) == ids(below)


# ---- time -------------------------------------------------------------------------------------------------

def stamp(moment):
    return moment.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def test_updated_since_and_tombstones(own_api):
    before = made(own_api)
    gone = made(own_api, founded_on="2020-01-01")
    time.sleep(0.01)
    mark = datetime.now(timezone.utc)
    time.sleep(0.01)
    after = made(own_api)
    assert close(own_api, gone).status_code == 204
    items = listed(own_api, f"updated_since={stamp(mark)}&sort=updated_at")
    assert ids(items) == [after["id"]]
    items = listed(own_api, f"updated_since={stamp(mark)}&sort=updated_at&deleted=include")
    assert ids(items) == [after["id"], gone["id"]]
    assert set(items[1]) == {"id", "deleted_at"} and stamp(mark) < items[1]["deleted_at"] <= stamp(datetime.now(timezone.utc))
    assert items[1]["deleted_at"] > items[0]["updated_at"]
    # at that very instant counts, and any offset is the same instant
    exact = own_api.get(path_of(after)).json()["updated_at"]
    assert ids(listed(own_api, f"updated_since={exact}&kind=tbm")) == [after["id"]]
    jakarta = (datetime.fromisoformat(exact.replace("Z", "+00:00")) + timedelta(hours=7)).strftime("%Y-%m-%dT%H:%M:%S.%f%%2B07:00")
    assert ids(listed(own_api, f"updated_since={jakarta}&kind=tbm")) == [after["id"]]
    assert change(own_api, before, website="https://a.example.id").status_code == 200
    assert before["id"] in ids(listed(own_api, f"updated_since={stamp(mark)}"))
    # its tombstone in every format, and among the others by region
    rows = {row["id"]: row for row in rows_of(own_api.get("/v1/libraries?kind=tbm&deleted=include&format=csv").text)}
    assert rows[gone["id"]]["deleted_at"] and not rows[gone["id"]]["name"] and not rows[after["id"]]["deleted_at"]
    features = {f["id"]: f for f in own_api.get("/v1/libraries?kind=tbm&deleted=include&format=geojson").json()["features"]}
    assert set(features[gone["id"]]["properties"]) == {"deleted_at"} and features[gone["id"]]["geometry"] is None


def test_a_reopened_library_is_no_tombstone(own_api):
    library = made(own_api, founded_on="2020-01-01")
    assert close(own_api, library).status_code == 204
    assert change(own_api, library, status="active").status_code == 200
    [item] = [i for i in listed(own_api, "kind=tbm&deleted=include") if i["id"] == library["id"]]
    assert item["status"] == "active" and item["closed_on"] is None


def test_as_of_dates_place_supervisor_and_existence(own_api):
    library = made(own_api, founded_on="2018-01-01", supervisor_id=BANGKA)
    assert move(own_api, library, region_code="19.02.05.2003", supervisor_id=BELITUNG, effective_on="2022-07-01").status_code == 200
    assert close(own_api, library, on="2024-03-31").status_code == 204

    def at(day, more=""):
        return [item for item in listed(own_api, f"kind=tbm&as_of={day}{more}") if item["id"] == library["id"]]
    assert at("2017-12-31") == [] and at("2024-04-01") == []
    for day, region, supervisor in (("2018-01-01", "19.01.06.2002", BANGKA), ("2022-06-30", "19.01.06.2002", BANGKA),
                                    ("2022-07-01", "19.02.05.2003", BELITUNG), ("2024-03-31", "19.02.05.2003", BELITUNG)):
        [item] = at(day, "&expand=region,supervisor")
        assert (item["region_code"], item["supervisor_id"]) == (region, supervisor)
        assert item["region"]["code"] == region and item["supervisor"]["id"] == supervisor
        assert at(day, f"&within={region[:5]}&supervisor={supervisor}") and not at(day, f"&supervisor={NATIONAL}")
    # the hierarchy on that day
    path = path_of(library)
    assert ids(own_api.get(path + "/ancestors?as_of=2020-01-01").json()["items"]) == [BANGKA, BANGKA_BELITUNG, NATIONAL]
    assert ids(own_api.get(path + "/ancestors?as_of=2023-01-01").json()["items"])[0] == BELITUNG
    assert library["id"] in ids(own_api.pages(f"{path_of(BANGKA)}/descendants?as_of=2020-01-01"))
    assert library["id"] not in ids(own_api.pages(f"{path_of(BANGKA)}/descendants?as_of=2023-01-01"))
    assert library["id"] in ids(own_api.pages(f"{path_of(NATIONAL)}/descendants?as_of=2023-01-01&limit=7"))
    assert library["id"] not in ids(own_api.pages(f"{path_of(BELITUNG)}/descendants"))


def test_ancestors_and_descendants(own_api):
    assert ids(own_api.get(path_of(KAPUK) + "/ancestors").json()["items"]) == [BANGKA, BANGKA_BELITUNG, NATIONAL]
    assert own_api.get(path_of(NATIONAL) + "/ancestors").json() == {"items": [], "next": None}
    below = list(own_api.pages(path_of(BANGKA_BELITUNG) + "/descendants?limit=5"))
    assert {item["id"] for item in below if item["kind"] != "tbm"} == {
        item["id"] for item in listed(own_api, "within=19&kind=regency,village")}
    assert {item["kind"] for item in own_api.pages(path_of(NATIONAL) + "/descendants?kind=regency&expand=region")} == {"regency"}
    assert own_api.get(path_of(KAPUK) + "/descendants").json()["items"] == []
    for part in ("ancestors", "descendants", "placements", "identifiers"):
        problem(own_api.get(f"/v1/libraries/{uuid.uuid4()}/{part}"), 404, "not_found")
        assert fault_of(own_api.get(f"/v1/libraries/19.01/{part}"))[0] == "id"


# ---- the shape of an item ---------------------------------------------------------------------------------

def test_fields(own_api):
    assert own_api.get("/v1/libraries?fields=name,id&limit=1").json()["items"][0].keys() == {"name", "id"}
    assert own_api.get(path_of(KAPUK) + "?fields=npp").json() == {"npp": None}
    assert own_api.get("/v1/regions/19?fields=name,code").json() == {"code": "19", "name": own_api.get("/v1/regions/19").json()["name"]}
    assert all(item.keys() == {"starts_on"} for item in own_api.get(path_of(KAPUK) + "/placements?fields=starts_on").json()["items"])
    assert own_api.get("/v1/libraries?fields=id,id&limit=1").json()["items"][0].keys() == {"id"}
    item = own_api.get("/v1/libraries?fields=id,region&expand=region,supervisor&region=19.01").json()["items"][0]
    assert item.keys() == {"id", "region"} and item["region"]["province"]["code"] == "19"
    assert rows_of(own_api.get("/v1/regions?fields=name,code&format=csv&limit=2").text)[0].keys() == {"code", "name"}
    feature = own_api.get("/v1/libraries?fields=name&format=geojson&limit=1").json()["features"][0]
    assert feature["id"] and feature["properties"].keys() == {"name"}
    for wrong in ("nama", "id,nama", "region.code", "@place", "row_version", "*", "ID"):
        assert fault_of(own_api.get(f"/v1/libraries?fields={wrong}")) == ("fields", "enum")
    assert fault_of(own_api.get("/v1/libraries?fields=" + ",".join(["id"] * 65)))[0] == "fields"


def test_fields_change_nothing_of_a_library_but_what_is_shown(own_api):
    """The tag's version is the row's, whatever is shown: a tag of a part is good for If-Match."""
    library = made(own_api)
    part = own_api.get(path_of(library) + "?fields=id")
    assert part.headers["ETag"].split(".")[0] == own_api.get(path_of(library)).headers["ETag"].split(".")[0]
    assert own_api.patch(path_of(library), {"servers": 1}, etag=part.headers["ETag"], token="national_admin").status_code == 200


def test_expand(own_api):
    def region_of(library):
        return own_api.get(path_of(library) + "?expand=region").json()["region"]
    village = region_of(KAPUK)
    assert {level: village[level]["code"] for level in ("province", "regency", "district", "village")} == {
        "province": "19", "regency": "19.01", "district": "19.01.06", "village": "19.01.06.2002"}
    assert (village["code"], village["name"], village["type"]) == ("19.01.06.2002", "Kapuk", "desa")
    assert village["regency"]["type"] == "kabupaten" and village["province"]["type"] == "provinsi"
    regency = region_of(BANGKA)
    assert regency["regency"]["code"] == "19.01" and regency["district"] is None and regency["village"] is None
    assert region_of(NATIONAL) is None
    supervisor = own_api.get(path_of(KAPUK) + "?expand=supervisor").json()
    assert supervisor["supervisor"] == {"id": BANGKA, "name": "Perpustakaan Kabupaten Bangka", "kind": "regency", "region_code": "19.01"}
    assert "region" not in supervisor and "region" not in own_api.get(path_of(KAPUK)).json()
    assert own_api.get(path_of(NATIONAL) + "?expand=supervisor").json()["supervisor"] is None
    by_list = {item["id"]: item for item in own_api.pages("/v1/libraries?expand=region,supervisor&within=19")}
    assert by_list[KAPUK]["region"] == village and by_list[KAPUK]["supervisor"] == supervisor["supervisor"]
    [row] = rows_of(own_api.get("/v1/libraries?region=19.01&kind=regency&expand=region,supervisor&format=csv").text)
    assert row["region.province.code"] == "19" and row["region.district.code"] == "" and row["supervisor.id"] == BANGKA_BELITUNG
    below = own_api.get(path_of(BANGKA) + "/descendants?expand=region&limit=1").json()["items"][0]
    assert below["region"]["regency"]["code"] == "19.01"
    assert fault_of(own_api.get(path_of(BANGKA) + "/descendants?expand=supervisor")) == ("expand", "enum")


def test_a_whole_item(own_api):
    """Every member is there; what is absent is null and never an empty word."""
    item = own_api.get(path_of(KAPUK)).json()
    assert set(item) == {
        "id", "npp", "name", "kind", "status", "region_code", "supervisor_id", "address", "postal_code", "latitude", "longitude", "phone",
        "email", "contact_public", "website", "founded_on", "computers", "servers", "internet_mbps", "staff_count", "titles", "copies",
        "digital_titles", "applications", "identifiers", "closed_on", "created_at", "updated_at"}
    assert not [name for name, value in item.items() if value in ("", "-", "0")]
    assert item["created_at"].endswith("Z") and item["applications"] == [] and item["npp"] is None
    assert own_api.get(f"/v1/libraries?region=19.01.06.2002&kind=village").json()["items"] == [item]
