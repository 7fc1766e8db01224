"""Regions: all that the pinned edition has, by every filter, and codes that were retired."""

import re

import pytest

from harness.client import problem
from harness.libraries import ids, rows_of

LEVELS = {"province": 38, "regency": 514, "district": 7285, "village": 83762}
TYPES = {"provinsi": 38, "kabupaten": 415, "kota": 93, "kabupaten_administrasi": 1, "kota_administrasi": 5, "kecamatan": 7285,
         "kelurahan": 8496, "desa": 75252, "desa_adat": 14}
PARTS = {"province": 1, "regency": 2, "district": 3, "village": 4}


def total(api, query):
    return api.get(f"/v1/regions?{query}&count=exact&limit=1").json()["total"]


@pytest.mark.parametrize("level,count", LEVELS.items())
def test_counts_by_level(api, level, count):
    assert total(api, f"level={level}") == count


@pytest.mark.parametrize("kind,count", TYPES.items())
def test_counts_by_type(api, kind, count):
    assert total(api, f"type={kind}") == count


def test_the_counts_agree(api):
    assert sum(TYPES.values()) == sum(LEVELS.values()) == total(api, "sort=code")
    assert total(api, "type=kota&level=regency") == TYPES["kota"] and total(api, "type=kota&level=village") == 0


@pytest.mark.parametrize("level,kinds", [("province", {"provinsi"}), ("regency", {"kabupaten", "kota", "kabupaten_administrasi", "kota_administrasi"}),
                                         ("district", {"kecamatan"}), ("village", {"kelurahan", "desa", "desa_adat"})])
def test_each_level_has_its_types(api, level, kinds):
    sample = [item for within in ("19", "31", "91") for item in api.pages(f"/v1/regions?level={level}&within={within}&limit=500")]
    assert {item["type"] for item in sample} <= kinds and {item["level"] for item in sample} == {level}
    for item in sample:
        assert item["code"].count(".") == PARTS[level] - 1
        assert item["parent_code"] == (item["code"].rpartition(".")[0] or None)


def test_the_block_of_a_code_says_its_type(api):
    """01 to 69 kabupaten, 71 to 99 kota; 1xxx kelurahan, 2xxx desa, 3xxx desa adat."""
    for item in api.pages("/v1/regions?level=regency&limit=500&fields=code,type"):
        kota = item["type"].startswith("kota")
        assert (71 <= int(item["code"][3:]) <= 99) == kota and (1 <= int(item["code"][3:]) <= 69) == (not kota), item
    block = {"1": "kelurahan", "2": "desa", "3": "desa_adat"}
    for item in api.pages("/v1/regions?within=91&level=village&limit=500&fields=code,type"):
        assert item["type"] == block[item["code"][9]], item


SIGNS = "'\u2019\u02bc\u02bb`\u00b4\u2010\u2011-"


@pytest.fixture(scope="module")
def signed(api):
    """One code for each name that has an apostrophe or a hyphen."""
    rows = rows_of(api.get("/v1/regions?format=csv&fields=code,name").text)
    assert sum(bool(re.search(f"[{SIGNS}]", row["name"])) for row in rows) > 850
    return {row["name"]: row["code"] for row in rows if re.search(f"[{SIGNS}]", row["name"])}


@pytest.mark.parametrize("spell", [lambda name: name, lambda name: re.sub(f"[{SIGNS}]", "", name), lambda name: re.sub(f"[{SIGNS}]", " ", name),
                                   lambda name: re.sub(f"[{SIGNS}]", "\u2019", name), lambda name: re.sub(f"[{SIGNS}]", "\u2011", name).upper(),
                                   lambda name: re.findall(rf"[^{SIGNS}]*\w[^{SIGNS}]*", name)[-1]],
                         ids=["as it is", "without signs", "blanks", "apostrophes", "hyphens", "the last part"])
def test_names_are_found_however_their_signs_are_typed(api, signed, spell):
    missed = {name: code for name, code in signed.items()
              if not any(item["code"] == code for item in api.get("/v1/regions", params={"q": spell(name), "within": code}).json()["items"])}
    assert not missed


def test_an_apostrophe_makes_no_two_words(api):
    assert "Danau Sarang Elang" not in [item["name"] for item in api.pages("/v1/regions?q=sa'dan&limit=500")]


def test_one_region(api):
    region = api.get("/v1/regions/19.01.06.2002").json()
    assert {name: region[name] for name in ("code", "name", "level", "type", "parent_code", "valid_to", "successors")} == {
        "code": "19.01.06.2002", "name": "Kapuk", "level": "village", "type": "desa", "parent_code": "19.01.06", "valid_to": None, "successors": []}
    assert api.get("/v1/regions/31").json()["parent_code"] is None
    for code in ("99", "19.99", "19.01.06.2999"):
        problem(api.get(f"/v1/regions/{code}"), 404, "not_found")
    for code in ("1", "019", "19.1", "19.01.6", "19.01.06.02", "19.01.06.2002.", ".19", "19..01", "19.01.06.20021", "ab", "19,01", "%31%39.01.", "-19"):
        problem(api.get(f"/v1/regions/{code}"), 400, "invalid_parameter")


@pytest.mark.parametrize("parent", ["19", "19.01", "19.01.06"])
def test_parent_is_directly_below(api, parent):
    children = list(api.pages(f"/v1/regions?parent={parent}&limit=3"))
    below = list(api.pages(f"/v1/regions?within={parent}&limit=500"))
    assert children == [item for item in below if item["parent_code"] == parent] and children
    assert below[0]["code"] == parent and all(re.match(re.escape(parent) + r"(\.|$)", item["code"]) for item in below)
    assert api.get("/v1/regions?parent=19.01.06.2002").json()["items"] == []


def test_filters_together(api):
    items = list(api.pages("/v1/regions?within=19&level=village&type=kelurahan&q=air&sort=name"))
    assert items and all(item["type"] == "kelurahan" and item["code"].startswith("19.") and "air" in item["name"].lower() for item in items)
    assert [item["name"] for item in items] == sorted(item["name"] for item in items)
    assert api.get("/v1/regions?within=19&parent=31.71").json()["items"] == []


def test_names_are_no_keys(api):
    codes = [item["code"] for item in api.pages("/v1/regions?q=kapuk&level=village")]
    assert len(codes) > 3 and "19.01.06.2002" in codes


@pytest.fixture(scope="module")
def retired(own_api):
    """A code of the earlier edition that is no longer in force, one with a certain successor, and when it went."""
    with own_api.service.owner.cursor() as cursor:
        cursor.execute("SELECT r.code, r.valid_to::text, s.successor_code FROM region r JOIN region_successor s USING (code)"
                       " WHERE r.valid_to < today() AND r.level = 'village' ORDER BY r.code LIMIT 1")
        with_successor = cursor.fetchone()
        cursor.execute("SELECT r.code, r.valid_to::text FROM region r WHERE r.valid_to < today()"
                       " AND NOT EXISTS (SELECT FROM region_successor s WHERE s.code = r.code) ORDER BY r.code LIMIT 1")
        return with_successor, cursor.fetchone()


def test_a_retired_code_is_not_lost(own_api, retired):
    (code, last, successor), (other, _) = retired
    region = own_api.get(f"/v1/regions/{code}").json()
    assert region["valid_to"] == last and region["successors"] == [successor]
    assert own_api.get(f"/v1/regions/{other}").json()["successors"] == []
    now = own_api.get(f"/v1/regions/{successor}").json()
    assert now["valid_to"] is None


def test_as_of_shows_what_was_in_force(own_api, retired):
    (code, last, successor), _ = retired

    def codes(query):
        return [item["code"] for item in own_api.pages(f"/v1/regions?within={code}&{query}")]
    [fault] = problem(own_api.get(f"/v1/regions?within={code}"), 400, "invalid_parameter")["errors"]
    assert (fault["parameter"], fault["code"]) == ("within", "replaced") and successor in fault["detail"]
    assert codes(f"as_of={last}") == [code]
    assert codes("as_of=2026-11-21") == []
    before = own_api.get(f"/v1/regions?level=village&as_of={last}&count=exact&limit=1").json()["total"]
    assert before != LEVELS["village"] and abs(before - LEVELS["village"]) < 1000


def test_a_retired_code_comes_as_a_tombstone(own_api, retired):
    (code, last, _), _ = retired
    [item] = own_api.get(f"/v1/regions?within={code}&deleted=include").json()["items"]
    assert set(item) == {"code", "deleted_at"} and item["code"] == code and last <= item["deleted_at"][:10]
    [row] = rows_of(own_api.get(f"/v1/regions?within={code}&deleted=include&format=csv").text)
    assert row["code"] == code and row["deleted_at"] and not row["name"]
    everything = own_api.get("/v1/regions?deleted=include&count=exact&limit=1").json()["total"]
    assert everything > sum(LEVELS.values())


def test_libraries_of_a_region(api):
    """A region leads to its libraries with its own code."""
    code = api.get("/v1/regions?parent=19&q=belitung%20timur").json()["items"][0]["code"]
    assert code == "19.06" and len(ids(api.pages(f"/v1/libraries?within={code}&kind=village"))) >= 5


def test_where_the_data_comes_from(api):
    assert "idn-area-data 4.0.1" in api.get("/openapi.json", token=None).json()["info"]["description"]
    assert "Open Database License" in api.get("/openapi.json", token=None).json()["info"]["description"]
