"""Pages: every row once, in order, whatever happens between two of them; and cursors that cannot be bent."""

import base64
import hashlib
import http.client
import json
import re

import pytest

from harness.client import problem
from harness.libraries import NATIONAL, change, close, follow_links, ids, made

NEAR = "-1.85,106.11"


@pytest.fixture(scope="module", autouse=True)
def world(own_api):
    """TBM that share a place, a name, an instant of change or a point, so that every order has ties."""
    libraries = [made(own_api, name=f"TBM {name}", region_code=f"19.01.06.{place}",
                      latitude=-1.85 - (i % 4) / 100, longitude=106.11)
                 for i, (name, place) in enumerate([("Sama", 2002)] * 4 + [("Sama", 2001)] * 3 +
                                                   [("Éntong", 2002), ("entong", 2002), ("Entong", 2003), ("Z", 2004), ("a,\"b\"", 2004)])]
    with own_api.service.owner.cursor() as cursor:
        cursor.execute("UPDATE library SET website = 'https://tbm.example.id' WHERE id = ANY (%s::uuid[])",
                       (ids(libraries[:6]),))  # one instant for six of them
    return libraries


ORDERS = [
    ("/v1/libraries?within=19&sort=region", lambda i: (i["region_code"] or "", i["id"])),
    ("/v1/libraries?sort=region", lambda i: (i["region_code"] or "", i["id"])),
    ("/v1/libraries?within=19&sort=name", lambda i: (i["name"].encode(), i["id"])),
    ("/v1/libraries?within=19&sort=updated_at", lambda i: (i["updated_at"], i["id"])),
    (f"/v1/libraries?near={NEAR}&radius_km=5", lambda i: (i["distance_km"], i["id"])),
    (f"/v1/libraries?near={NEAR}&radius_km=5&sort=distance", lambda i: (i["distance_km"], i["id"])),
    (f"/v1/libraries?near={NEAR}&radius_km=5&sort=name", lambda i: (i["name"].encode(), i["id"])),
    ("/v1/libraries?within=19&as_of=2026-11-01", lambda i: (i["region_code"] or "", i["id"])),
    ("/v1/libraries?within=19&as_of=2026-11-01&sort=name", lambda i: (i["name"].encode(), i["id"])),
    ("/v1/regions?within=19.02&sort=code", lambda i: i["code"]),
    ("/v1/regions?within=19.02&sort=name", lambda i: (i["name"].encode(), i["code"])),
    ("/v1/regions?within=19.02&sort=updated_at", lambda i: (i["updated_at"], i["code"])),
    (f"/v1/libraries/{NATIONAL}/descendants?kind=regency,village", lambda i: (i["region_code"], i["id"])),
]


def items_of(api, path):
    return list(api.pages(path + ("&" if "?" in path else "?") + "limit=500"))


@pytest.mark.parametrize("path,key", ORDERS, ids=[path for path, _ in ORDERS])
def test_every_row_once_and_in_order(own_api, path, key):
    whole = items_of(own_api, path)
    assert len(whole) > 10
    assert [key(item) for item in whole] == sorted(key(item) for item in whole)
    assert len({json.dumps(item, sort_keys=True) for item in whole}) == len(whole)
    for limit in (1, 4, len(whole) - 1, len(whole), len(whole) + 1):
        if limit == 1 and len(whole) > 40:
            continue
        assert list(own_api.pages(f"{path}&limit={limit}")) == whole, limit


@pytest.mark.parametrize("path", ["/v1/libraries?within=19.01", "/v1/regions?parent=19", "/v1/libraries?kind=village&within=19"])
def test_next_is_null_only_at_the_end(own_api, path):
    count = len(items_of(own_api, path))
    exact = own_api.get(f"{path}&limit={count}")
    assert exact.json()["next"] is None and "Link" not in exact.headers and len(exact.json()["items"]) == count
    short = own_api.get(f"{path}&limit={count - 1}")
    assert short.json()["next"] and short.headers["Link"]
    last = own_api.get(f"{path}&limit={count - 1}&cursor={short.json()['next']}").json()
    assert len(last["items"]) == 1 and last["next"] is None


def test_an_empty_list_ends_at_once(own_api):
    assert own_api.get("/v1/libraries?q=tidakadasamasekali").json() == {"items": [], "next": None}


def test_fifty_unless_told(own_api):
    page = own_api.get("/v1/regions?level=district").json()
    assert len(page["items"]) == 50 and page["next"]


@pytest.mark.parametrize("sort", ["region", "name", "updated_at"])
def test_rows_that_come_and_go_between_pages(own_api, sort):
    """What is there throughout, and keeps its place in the order, is listed exactly once."""
    path = f"/v1/libraries?within=19.01.06&sort={sort}"
    stable = set(ids(items_of(own_api, path)))
    passing = [made(own_api, name=name, region_code=place)["id"]
               for name, place in (("AAA", "19.01.06.2001"), ("zzz", "19.01.06.2004"), ("TBM Sama", "19.01.06.2002"))]
    seen, cursor, turn = [], "", 0
    while cursor is not None:
        page = own_api.get(f"{path}&limit=2" + (f"&cursor={cursor}" if cursor else "")).json()
        seen += ids(page["items"])
        cursor = page["next"]
        turn += 1
        if turn in (2, 4, 5):
            assert close(own_api, passing.pop()).status_code == 204
            made(own_api, name=f"{'AZz'[turn % 3]}TBM sisipan", region_code="19.01.06.2001")
    assert len(seen) == len(set(seen))
    assert stable <= set(seen)


# ---- limit ------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("limit,code", [("0", "minimum"), ("-1", "minimum"), ("501", "maximum"), ("99999999999999999999", None),
                                        ("abc", "type"), ("", None), ("1.5", "type"), ("%205", "type"), ("0x10", "type"),
                                        ("1;2", "type"), ("5,6", "type"), ("%2B5", "type"), ("NaN", "type"), ("true", "type")])
def test_limits_that_are_none(own_api, limit, code):
    [fault] = problem(own_api.get(f"/v1/regions?limit={limit}"), 400, "invalid_parameter")["errors"]
    assert fault["parameter"] == "limit" and (code is None or fault["code"] == code), fault


@pytest.mark.parametrize("limit,count", [("1", 1), ("500", 500), ("10", 10)])
def test_limits(own_api, limit, count):
    assert len(own_api.get(f"/v1/regions?limit={limit}").json()["items"]) == count


@pytest.mark.parametrize("limit", ["1e1", "1E1", "10.0", "010"])
def test_another_way_to_write_ten_is_ten_or_refused(own_api, limit):
    answer = own_api.get(f"/v1/regions?limit={limit}")
    assert answer.status_code == 400 or len(answer.json()["items"]) == 10, limit


# ---- cursors ----------------------------------------------------------------------------------------------

FIRST = "/v1/libraries?within=19&limit=3"


@pytest.fixture(scope="module")
def cursor(own_api):
    return own_api.get(FIRST).json()["next"]


def test_a_cursor_is_good_for_its_own_list_only(own_api, cursor):
    assert own_api.get(f"{FIRST}&cursor={cursor}").status_code == 200
    for other in ("/v1/libraries?limit=3", "/v1/libraries?within=19.01&limit=3", FIRST + "&kind=village", FIRST + "&sort=name",
                  FIRST + "&sort=updated_at", FIRST + "&as_of=2026-01-01", FIRST + "&deleted=include", FIRST + "&q=desa",
                  FIRST + f"&near={NEAR}", FIRST + "&has_location=false", FIRST + "&status=active", "/v1/regions?within=19",
                  f"/v1/libraries/{NATIONAL}/descendants?limit=3"):
        problem(own_api.get(f"{other}&cursor={cursor}"), 400, "invalid_cursor")


def test_a_cursor_of_one_library_is_not_good_for_another(own_api):
    cursor = own_api.get(f"/v1/libraries/{NATIONAL}/descendants?limit=1").json()["next"]
    other = own_api.get("/v1/libraries?kind=provincial").json()["items"][0]["id"]
    problem(own_api.get(f"/v1/libraries/{other}/descendants?limit=1&cursor={cursor}"), 400, "invalid_cursor")


def test_near_and_radius_belong_to_the_cursor(own_api):
    path = f"/v1/libraries?near={NEAR}&radius_km=5&limit=2"
    cursor = own_api.get(path).json()["next"]
    for other in (path.replace("106.11", "106.12"), path.replace("radius_km=5", "radius_km=6")):
        problem(own_api.get(f"{other}&cursor={cursor}"), 400, "invalid_cursor")


@pytest.mark.parametrize("more", ["fields=id", "expand=region", "expand=region,supervisor", "count=exact", "format=csv", "limit=7"])
def test_what_shapes_a_page_may_change_on_the_way(own_api, cursor, more):
    path = FIRST.replace("&limit=3", "") if more.startswith("limit") else FIRST
    assert own_api.get(f"{path}&{more}&cursor={cursor}").status_code == 200


def test_damaged_cursors(own_api, cursor):
    damaged = [cursor[:-1], cursor[1:], cursor + "A", cursor * 2, "A", "AAAA", "-" * 64, cursor.swapcase(), cursor[:22]]
    for at in range(0, len(cursor), 5):
        damaged.append(cursor[:at] + ("A" if cursor[at] != "A" else "B") + cursor[at + 1:])
    for bent in damaged:
        answer = own_api.get(f"{FIRST}&cursor={bent}")
        # the last character may hold bits that mean nothing
        assert answer.status_code == 400 and answer.json()["code"] == "invalid_cursor", (bent, answer.text)


@pytest.mark.parametrize("value", ["", "%00", "a%20b", "*", "ü", "x" * 2049, "%22"])
def test_what_is_no_cursor(own_api, value):
    assert own_api.get(f"{FIRST}&cursor={value}").status_code == 400


def unpad(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def raw(cursor):
    return base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))


MARK_BYTES = 16
ORDERED = ["/v1/regions?sort=code", "/v1/regions?sort=name", "/v1/regions?sort=updated_at", "/v1/libraries?within=19&sort=updated_at",
           "/v1/libraries?within=19", "/v1/libraries?near=-1.85,106.11"]
CELLS = [b"x", b"'", b"\xff\xfe", b"", b"NULL", b"{}", b"1e999", b"999999-99-99", b"not-a-uuid", b"\\", b"a" * 600, b"NaN",
         b"infinity", b"294277-01-01", b"4714-01-01 BC", b"-1", b"12:34", b"a\0b", b"kanarikursor"]


@pytest.mark.parametrize("path", ORDERED)
def test_forged_cursors_never_reach_the_database(own_api, cluster, path):
    """Their form is no secret; the key of their mark is. Nothing of them, then, stands in the database's log."""
    genuine = raw(own_api.get(path + "&limit=1").json()["next"])
    before, keys = len(cluster.log_lines()), 1 if "sort=code" in path else 2
    for cell in CELLS:
        body = b"".join(str(len(one)).encode() + b":" + one for one in [cell] * keys)
        for mark in (genuine[:MARK_BYTES], hashlib.sha256(body).digest()[:MARK_BYTES], bytes(MARK_BYTES)):
            for more in ("&limit=1", "&limit=1&count=exact", "&format=csv&limit=2", "&format=csv"):
                problem(own_api.get(f"{path}{more}&cursor={unpad(mark + body)}"), 400, "invalid_cursor")
    for body in (b"", b"1:1" * 9, b"99999999999999999999:x", genuine[MARK_BYTES:] + b"1:x"):
        problem(own_api.get(f"{path}&limit=1&cursor={unpad(genuine[:MARK_BYTES] + body)}"), 400, "invalid_cursor")
    assert not [line for line in cluster.log_lines()[before:] if "kanarikursor" in line or "invalid input syntax" in line]


def test_cursors_outlive_the_process_that_made_them(fresh):
    api = fresh()
    page = api.get("/v1/regions?parent=19&limit=2").json()
    after = api.get(f"/v1/regions?parent=19&limit=2&cursor={page['next']}").json()
    assert api.service.stop() == 0
    api.service.start()
    assert api.get(f"/v1/regions?parent=19&limit=2&cursor={page['next']}").json() == after


# ---- Link, count ------------------------------------------------------------------------------------------

@pytest.mark.parametrize("query", ["within=19&kind=village,tbm&limit=4", "limit=4&q=perpustakaan%20desa&fields=id,name",
                                   "within=19&limit=5&count=exact&expand=region,supervisor", f"near={NEAR}&radius_km=5&limit=3",
                                   "within=19&limit=6&updated_since=2026-01-01T00%3A00%3A00%2B07%3A00", "q=%C3%A9ntong&limit=1"])
def test_the_link_is_the_next_page(own_api, query):
    pages = list(follow_links(own_api, f"/v1/libraries?{query}"))
    items = [item for page in pages for item in page.json()["items"]]
    assert len(pages) > 1 and items == list(own_api.pages(f"/v1/libraries?{query}"))
    for page in pages:
        assert ("Link" in page.headers) == (page.json()["next"] is not None)


def get_raw(api, target):
    """A GET of exactly these bytes: no library may tidy them."""
    connection = http.client.HTTPConnection("127.0.0.1", api.service.port, timeout=30)
    try:
        connection.request("GET", target, headers={"Authorization": "Bearer " + api.token(), "Accept-Language": "en"})
        answer = connection.getresponse()
        return answer.status, answer.headers, json.loads(answer.read())
    finally:
        connection.close()


@pytest.mark.parametrize("given", ["&cursor=", "&cur%73or=", "&%63ursor=", "&q=%3Cb%3E&%63ursor="])
def test_the_link_names_one_cursor_however_it_was_written(own_api, given):
    path = "/v1/regions?parent=19&limit=2" if "q=" not in given else "/v1/regions?level=village&q=%3Cb%3E&limit=2"
    _, _, page = get_raw(own_api, path)
    status, headers, page = get_raw(own_api, path.replace("&q=%3Cb%3E", "") + given + page["next"])
    assert status == 200, page
    target = headers["Link"].partition("<")[2].partition(">")[0]
    assert target.lower().count("ursor=") + target.lower().count("cur%73or=") == 1, target
    assert get_raw(own_api, target)[0] == 200


def test_the_link_stays_one_address(own_api):
    """A client that writes < > or quotes without encoding them is either refused or gets a Link that can be read."""
    for character in ("<", ">", '"', "\\", "^", "`", "{", "|", "}"):
        status, headers, page = get_raw(own_api, f"/v1/regions?level=village&limit=1&q=a{character}")
        if status == 200:
            target = re.fullmatch(r'<([^<>"]*)>; rel="next"', headers["Link"]).group(1)
            assert get_raw(own_api, target)[0] == 200, target
        else:
            assert status == 400, (character, page)


FILTERED = ["", "within=19", "within=19.01.06.2002", "kind=village", "kind=village,tbm", "status=active", "status=active,planned,closed",
            "q=desa", "q=tbm%20sama", f"near={NEAR}", f"near={NEAR}&radius_km=1.2", "has_location=true", "has_location=false",
            "as_of=2020-01-01", "as_of=2018-12-31&within=19", "updated_since=2026-01-01T00:00:00Z", "deleted=include",
            f"supervisor={NATIONAL}", "region=19.01.06.2002", "npp=1901062D2000001", "identifier=onesearch:X",
            "within=19&expand=region,supervisor", "kind=tbm&sort=name", "kind=tbm&sort=updated_at"]


@pytest.mark.parametrize("filters", FILTERED)
def test_count_is_the_real_count(own_api, filters):
    path = f"/v1/libraries?{filters}".rstrip("?")
    join = "&" if filters else "?"
    real = len(list(own_api.pages(f"{path}{join}limit=100")))
    page = own_api.get(f"{path}{join}count=exact&limit=2").json()
    assert page["total"] == real
    if page["next"]:
        later = own_api.get(f"{path}{join}count=exact&limit=2&cursor={page['next']}").json()
        assert later["total"] == real, "of all pages, not of those that follow"
    assert "total" not in own_api.get(f"{path}{join}limit=2").json()


@pytest.mark.parametrize("filters,real", [("level=province", 38), ("level=regency", 514), ("type=kota", 98 - 5), ("level=district", 7285),
                                          ("parent=19", 7), ("within=19.01.06", None), ("q=kapuk", None), ("level=village", 83762)])
def test_count_of_regions(own_api, filters, real):
    total = own_api.get(f"/v1/regions?{filters}&count=exact&limit=1").json()["total"]
    assert total == (real if real else len(items_of(own_api, f"/v1/regions?{filters}")))


def test_count_takes_one_value(own_api):
    problem(own_api.get("/v1/regions?count=roughly"), 400, "invalid_parameter")


def test_a_change_moves_a_row_to_the_end_of_updated_at(own_api, world):
    """Who follows updated_at from page to page also meets what changes on the way."""
    path = "/v1/libraries?within=19&sort=updated_at&limit=3"
    first = own_api.get(path).json()
    assert change(own_api, first["items"][0], website="https://baru.example.id").status_code == 200
    rest, cursor = [], first["next"]
    while cursor:
        page = own_api.get(f"{path}&cursor={cursor}").json()
        rest, cursor = rest + ids(page["items"]), page["next"]
    assert rest[-1] == first["items"][0]["id"] and len(rest) == len(set(rest))
