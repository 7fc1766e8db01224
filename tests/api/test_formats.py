"""The same data in every format, and what every answer carries besides: negotiation, streams, gzip, HEAD, OPTIONS, CORS,
languages, request ids, safety headers."""

import gzip
import http.client
import json
import re

import pytest
import requests

from harness.client import problem
from harness.libraries import KAPUK, follow_links, ids, made, path_of, rows_of

LIST = "/v1/libraries?kind=tbm"
JSON, CSV, GEOJSON = "application/json", "text/csv", "application/geo+json"
AWKWARD = ['=SUM(A1:A9)', '+62717', '-1+2', '@cmd', '\t=tab', 'komma, "kutip"', 'dua\nbaris', 'dua\r\nbaris', '"', "'", ';', ' spasi ',
           'Ümlaut ☕ 𝔘', '-', '=', 'NULL', '\\N', '<b>&amp;</b>', '0012', '1e5', 'a\u2028b']


def as_name(text):
    """On one line, and with a letter: what a name must have."""
    line = re.sub(r"[\t\r\n\u2028]+", " ", text)
    return line if re.search(r"\w", line) else line + "A"


@pytest.fixture(scope="module", autouse=True)
def world(own_api):
    """Texts that are hard on a format, points on every side of the earth, and one library with everything."""
    libraries = [made(own_api, name=as_name(text), address=text) for text in AWKWARD]
    for latitude, longitude in ((-2.5, 106.25), (90, -180), (-90, 180), (0, 0), (-0.000001, 1e-7)):
        libraries.append(made(own_api, name="Titik", latitude=latitude, longitude=longitude))
    libraries.append(made(own_api, name="Lengkap", npp="1901062L2000001", applications=[
        {"name": "Inlislite", "version": "3.2"}, {"name": 'a,"b"', "version": None}], internet_mbps=0.1, computers=0, staff_count=2147483647,
        phone="+62 717 1", email="a@b.id", contact_public=True, website="https://b.id/?a=1&b=2", postal_code="00123", founded_on="2001-02-03"))
    return libraries


def whole(api, **options):
    return list(api.pages(LIST + "&limit=7", **options))


# ---- Accept and format ------------------------------------------------------------------------------------

@pytest.mark.parametrize("accept,media", [
    (None, JSON), ("*/*", JSON), ("application/*", JSON), ("application/json", JSON), ("text/csv", CSV), ("text/*", CSV), (GEOJSON, GEOJSON),
    ("TEXT/CSV", CSV), ("text/csv;q=0.5, application/json;q=0.4", CSV), ("text/csv;q=0.4, application/json;q=0.5", JSON),
    ("application/json;q=0, */*", GEOJSON), ("application/*;q=0.2, text/csv;q=0.1", JSON), ("application/geo+json, application/json", GEOJSON),
    ("text/html, application/xhtml+xml, */*;q=0.8", JSON), ("text/csv; charset=utf-8", CSV), ("text/csv;q=1.000", CSV), ("", JSON),
    ("image/png, text/csv;q=0.001", CSV), ("application/json;q=x, text/csv;q=0.1", CSV),
])
def test_accept(own_api, accept, media):
    answer = own_api.get(LIST + "&limit=1", headers={"Accept": accept})
    assert answer.status_code == 200 and answer.headers["Content-Type"].split(";")[0] == media


@pytest.mark.parametrize("accept", ["text/html", "image/*", "application/json;q=0", "*/*;q=0", "application/xml, text/html;q=0.9", "text/csv;q=0", "text/csv;q=0, application/geo+json"])
def test_not_acceptable(own_api, accept):
    answer = own_api.get("/v1/regions?limit=1", headers={"Accept": accept})
    detail = problem(answer, 406, "not_acceptable")["detail"]
    assert "application/json" in detail and "text/csv" in detail and "geo+json" not in detail


def test_format_wins_over_accept(own_api):
    for name, media in (("json", JSON), ("csv", CSV), ("geojson", GEOJSON)):
        answer = own_api.get(f"{LIST}&limit=1&format={name}", headers={"Accept": "image/png"})
        assert answer.status_code == 200 and answer.headers["Content-Type"].split(";")[0] == media
    for path in ("/v1/regions?format=geojson", "/v1/regions?format=xml", LIST + "&format=csv&format=json"):
        problem(own_api.get(path), 400, "invalid_parameter")


def test_a_resource_without_another_format(own_api):
    for path in (path_of(KAPUK), "/v1/regions/19", "/v1/enumerations", path_of(KAPUK) + "/placements"):
        problem(own_api.get(path, headers={"Accept": "text/csv"}), 406, "not_acceptable")
        problem(own_api.get(path + "?format=json"), 400, "invalid_parameter")


# ---- CSV --------------------------------------------------------------------------------------------------

def test_csv_header_of_an_empty_list(own_api):
    answer = own_api.get(LIST + "&q=tidakadasamasekali&format=csv")
    assert answer.text.count("\r\n") == 1 and answer.text.startswith("\ufeffid,npp,name,")


# ---- GeoJSON ----------------------------------------------------------------------------------------------

def test_geojson_is_what_rfc_7946_says(own_api):
    items = {item["id"]: item for item in whole(own_api)}
    collection = own_api.get(LIST + "&format=geojson").json()
    assert collection["type"] == "FeatureCollection" and {f["id"] for f in collection["features"]} == set(items)
    for feature in collection["features"]:
        item = dict(items[feature["id"]])
        longitude, latitude = item.pop("longitude"), item.pop("latitude")
        assert feature["type"] == "Feature"
        assert feature["geometry"] == (None if latitude is None else {"type": "Point", "coordinates": [longitude, latitude]})
        item.pop("id")
        assert feature["properties"] == item
    page = own_api.get(LIST + "&format=geojson&limit=2&count=exact").json()
    assert len(page["features"]) == 2 and page["next"] and page["total"] == len(items)
    assert own_api.get(LIST + "&q=tidakadasamasekali&format=geojson").json()["features"] == []


# ---- whole lists, in every format -------------------------------------------------------------------------

@pytest.mark.parametrize("more", ["", "&sort=name", "&sort=updated_at", "&fields=id,name", "&expand=region,supervisor", "&near=-2.5,106.25&radius_km=400",
                                  "&as_of=2026-01-01"])
def test_a_stream_is_the_union_of_its_pages(own_api, more):
    path = LIST + more
    items = list(own_api.pages(path + "&limit=7"))
    assert items
    streamed = own_api.get(path + "&format=csv")
    assert "Link" not in streamed.headers and [row["id"] for row in rows_of(streamed.content.decode())] == ids(items)
    pages = list(follow_links(own_api, path + "&format=csv&limit=7"))
    assert len(pages) == -(-len(items) // 7)
    header = pages[0].content.split(b"\r\n")[0] + b"\r\n"
    assert streamed.content == header + b"".join(page.content.removeprefix(header) for page in pages)
    places = own_api.get(path + "&format=geojson").json()["features"]
    assert places == [f for page in follow_links(own_api, path + "&format=geojson&limit=7") for f in page.json()["features"]]
    assert [feature["id"] for feature in places] == ids(items)


def test_a_long_stream(own_api):
    """More than one batch, and the last one full: no row at a seam is lost or doubled."""
    for query, count in (("within=33", None), ("level=district", 7285)):
        rows = rows_of(own_api.get(f"/v1/regions?{query}&format=csv").text)
        codes = [row["code"] for row in rows]
        assert codes == sorted(set(codes)) and len(codes) == (count or len(list(own_api.pages(f"/v1/regions?{query}&limit=500"))))


def test_a_stream_goes_on_from_a_cursor(own_api):
    page = own_api.get("/v1/regions?level=district&limit=500&fields=code").json()
    rest = rows_of(own_api.get(f"/v1/regions?level=district&format=csv&cursor={page['next']}").text)
    assert len(rest) == 7285 - 500 and rest[0]["code"] > page["items"][-1]["code"]


# ---- gzip -------------------------------------------------------------------------------------------------

def raw(api, method, path, **headers):
    """Without the courtesies of an HTTP library: the body as it came."""
    connection = http.client.HTTPConnection("127.0.0.1", api.service.port, timeout=30)
    headers = {"Authorization": "Bearer " + api.token(), "Accept-Language": "en", **{k.replace("_", "-"): v for k, v in headers.items()}}
    try:
        connection.request(method, path, headers=headers)
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read()
    finally:
        connection.close()


@pytest.mark.parametrize("path", ["/v1/regions?limit=100", "/v1/regions?level=regency&format=csv", LIST + "&format=geojson", "/v1/enumerations", "/openapi.json",
                                  "/problems", path_of(KAPUK) + "?expand=region,supervisor", "/metrics"])
def test_gzip_is_the_same_in_fewer_bytes(own_api, path):
    _, plain_headers, plain = raw(own_api, "GET", path, Accept_Encoding="identity")
    _, headers, packed = raw(own_api, "GET", path, Accept_Encoding="gzip")
    assert headers["Content-Encoding"] == "gzip" and "Content-Encoding" not in plain_headers
    assert len(packed) < len(plain) * 0.7
    assert gzip.decompress(packed) == plain or path == "/metrics"
    assert "Accept-Encoding" in headers["Vary"] and headers["Content-Type"] == plain_headers["Content-Type"]
    if plain_headers["ETag"]:
        tag, packed_tag = plain_headers["ETag"], headers["ETag"]
        assert packed_tag == tag[:-1] + '-gz"' and not tag.endswith('-gz"')
        for have, encoding in ((tag, "gzip"), (packed_tag, "identity"), (packed_tag, "gzip")):
            assert raw(own_api, "GET", path, Accept_Encoding=encoding, If_None_Match=have)[0] == 304, (have, encoding)


@pytest.mark.parametrize("accepted,packed", [("gzip;q=0", False), ("identity", False), ("br, deflate", False), ("*", True), ("gzip;q=0.1", True),
                                             ("identity;q=1, gzip;q=0.5", False), ("GZIP", True), ("br, gzip;q=0.8, *;q=0", True), ("", False)])
def test_accept_encoding(own_api, accepted, packed):
    _, headers, _ = raw(own_api, "GET", "/v1/regions?limit=100", Accept_Encoding=accepted)
    assert (headers["Content-Encoding"] == "gzip") == packed


def test_small_and_refused_answers_are_not_packed(own_api):
    for path in ("/health/live", "/v1/regions/19?fields=code", "/v1/regions/99"):
        status, headers, body = raw(own_api, "GET", path, Accept_Encoding="gzip")
        assert "Content-Encoding" not in headers and json.loads(body), path
        assert '-gz"' not in headers.get("ETag", "")


def test_the_answer_of_a_write_says_what_it_is(own_api):
    """Its tag is that of the bytes that were sent."""
    long = "Jalan " + "panjang " * 100
    answer = own_api.post("/v1/libraries", json={"name": "Panjang", "kind": "tbm", "region_code": "19.01.06.2002", "address": long.strip()},
                          token="national_admin", headers={"Accept-Encoding": "gzip"})
    assert answer.status_code == 201 and answer.json()["address"] == long.strip()
    assert answer.headers["ETag"].endswith('-gz"') == (answer.headers.get("Content-Encoding") == "gzip")
    again = own_api.get(path_of(answer.json()), headers={"If-None-Match": answer.headers["ETag"]})
    assert again.status_code == 304, "the tag of the answer is the tag of the thing"


# ---- HEAD, OPTIONS, methods -------------------------------------------------------------------------------

@pytest.mark.parametrize("path", ["/v1/regions?limit=3", "/v1/regions/19", path_of(KAPUK), LIST + "&format=csv&limit=2", LIST + "&limit=2&format=geojson",
                                  "/v1/regions?level=district&format=csv", "/v1/enumerations", "/health/live", "/health/ready", "/openapi.json", "/problems",
                                  "/problems/not_found", "/.well-known/jwks.json", "/docs", "/v1/regions/99", "/v1/regions?limit=0", "/nosuch"])
def test_head_is_get_without_the_body(own_api, path):
    for encoding in ("identity", "gzip"):
        get_status, get_headers, _ = raw(own_api, "GET", path, Accept_Encoding=encoding, X_Edge_Request_Id="sama")
        status, headers, body = raw(own_api, "HEAD", path, Accept_Encoding=encoding, X_Edge_Request_Id="sama")
        assert (status, body) == (get_status, b"")
        ignored = {"date", "transfer-encoding", "content-length", "connection"} if "Transfer-Encoding" in get_headers else {"date"}
        names = lambda all: {name.lower(): value for name, value in all.items() if name.lower() not in ignored}  # noqa: E731
        assert names(headers) == names(get_headers)


@pytest.mark.parametrize("path,allow", [("/v1/libraries", "GET, HEAD, POST"), (path_of(KAPUK), "GET, HEAD, PATCH, DELETE"), ("/v1/regions", "GET, HEAD"),
                                        (path_of(KAPUK) + "/moves", "POST"), (path_of(KAPUK) + "/identifiers/npsn", "PUT, DELETE"), ("/oauth2/token", "POST"),
                                        ("/health/live", "GET, HEAD")])
def test_options_and_allow(own_api, path, allow):
    expected = set(allow.split(", ")) | {"OPTIONS"}
    answer = own_api.request("OPTIONS", path, token=None)
    assert answer.status_code == 204 and answer.content == b"" and set(answer.headers["Allow"].split(", ")) == expected
    assert "Access-Control-Allow-Origin" not in answer.headers
    for method in {"GET", "POST", "PUT", "PATCH", "DELETE"} - expected:
        answer = own_api.request(method, path, token=None)
        body = problem(answer, 405, "method_not_allowed")
        assert set(answer.headers["Allow"].split(", ")) == expected and all(name in body["detail"] for name in expected - {"OPTIONS"})


def test_unknown_addresses(own_api):
    problem(own_api.get("/docs/nosuch.txt", token=None), 404, "not_found")
    assert own_api.get("/docs/index.html", token=None).content == own_api.get("/docs", token=None).content
    for path in ("/", "/v1", "/v1/", "/v1/library", "/v1/libraries/", "/v2/libraries", "/v1/libraries/x/y/z/w", "/v1//libraries", "/V1/libraries", "/docs/"):
        assert own_api.get(path, token=None).status_code in (400, 404), path
    problem(own_api.get("/v1/library", token=None), 404, "not_found")
    problem(own_api.request("OPTIONS", "/v1/library", token=None), 404, "not_found")


# ---- CORS -------------------------------------------------------------------------------------------------

def test_cors(own_api):
    for origin in ("https://portal.example.id", "http://localhost:3000"):
        preflight = own_api.request("OPTIONS", path_of(KAPUK), token=None, headers={
            "Origin": origin, "Access-Control-Request-Method": "PATCH", "Access-Control-Request-Headers": "authorization, if-match, content-type"})
        assert preflight.status_code == 204 and preflight.headers["Access-Control-Allow-Origin"] == origin
        assert "PATCH" in preflight.headers["Access-Control-Allow-Methods"]
        allowed = preflight.headers["Access-Control-Allow-Headers"].lower()
        assert all(name in allowed for name in ("authorization", "if-match", "content-type", "if-none-match", "x-request-id"))
        for path, status in (("/v1/regions/19", 200), ("/v1/regions/99", 404), ("/v1/regions?limit=0", 400)):
            answer = own_api.get(path, headers={"Origin": origin})
            assert answer.status_code == status and answer.headers["Access-Control-Allow-Origin"] == origin and "Origin" in answer.headers["Vary"]
            assert {"ETag", "Link", "Location", "Retry-After", "X-Request-Id"} <= set(answer.headers["Access-Control-Expose-Headers"].split(", "))
            assert "Access-Control-Allow-Credentials" not in answer.headers
        assert own_api.get("/v1/regions/19", token=None, headers={"Origin": origin}).headers["Access-Control-Allow-Origin"] == origin
        tag = own_api.get("/v1/regions/19").headers["ETag"]
        assert own_api.get("/v1/regions/19", headers={"Origin": origin, "If-None-Match": tag}).headers["Access-Control-Allow-Origin"] == origin


@pytest.mark.parametrize("origin", ["https://evil.example", "https://portal.example.id.evil.example", "http://portal.example.id", "https://portal.example.id:8443",
                                    "null", "https://PORTAL.example.id", "https://portal.example.id,http://localhost:3000", "*", ""])
def test_other_origins_get_nothing(own_api, origin):
    for answer in (own_api.get("/v1/regions/19", headers={"Origin": origin}),
                   own_api.request("OPTIONS", "/v1/regions/19", token=None, headers={"Origin": origin, "Access-Control-Request-Method": "GET"})):
        assert answer.status_code < 300 and not [name for name in answer.headers if name.lower().startswith("access-control-")]


def test_cors_for_everybody_and_for_nobody(fresh):
    open_to_all, closed = fresh(cors_origins="*"), fresh()
    assert open_to_all.get("/v1/regions/19", headers={"Origin": "https://any.example"}).headers["Access-Control-Allow-Origin"] == "*"
    assert "Access-Control-Allow-Origin" not in closed.get("/v1/regions/19", headers={"Origin": "https://any.example"}).headers


# ---- languages, ids, safety -------------------------------------------------------------------------------

@pytest.mark.parametrize("accepted,language", [("", "id"), ("en", "en"), ("en-GB", "en"), ("id", "id"), ("id-ID, en;q=0.5", "id"), ("en;q=0.5, id;q=0.4", "en"),
                                               ("fr", "id"), ("fr, en;q=0.1", "en"), ("*", "id"), ("en;q=0", "id"), ("EN-us", "en"), ("in", "id"), ("eng", "id")])
def test_the_language_of_a_problem(own_api, accepted, language):
    answer = own_api.get("/v1/regions/19?x=1&kind=village", headers={"Accept-Language": accepted})
    body = answer.json()
    assert answer.headers["Content-Language"] == language and "Accept-Language" in answer.headers["Vary"]
    assert body["title"] == {"id": "Parameter salah", "en": "Invalid parameter"}[language]
    assert body["errors"][0]["detail"] == {"id": "parameter tidak dikenal", "en": "is not a known parameter"}[language]


def test_indonesian_is_the_default(own_api):
    answer = requests.get(own_api.address + "/v1/regions/19", timeout=10)
    assert answer.status_code == 401 and answer.json()["title"] == "Perlu masuk"


def logged(api, request_id):
    return [line for line in api.service.log_lines() if line.get("request_id") == request_id]


@pytest.mark.parametrize("sent", ["abc", "a-b_c.d:e/f", "x" * 128, "550e8400-e29b-41d4-a716-446655440000"])
def test_a_request_id_of_our_own_proxy_is_taken(own_api, sent):
    for path in ("/v1/regions/19", "/v1/regions/99", "/nosuch"):
        answer = own_api.get(path, headers={"X-Edge-Request-Id": sent})
        assert answer.headers["X-Request-Id"] == sent
    assert len(logged(own_api, sent)) == 3
    assert own_api.get("/v1/regions/99", headers={"X-Edge-Request-Id": sent}).json()["request_id"] == sent


@pytest.mark.parametrize("sent", [None, "", "x" * 129, "a b", 'a"b', "a\\b", "a\tb", "é".encode()])
def test_an_unsafe_request_id_is_replaced(own_api, sent):
    answer = own_api.get("/v1/regions/19", headers={"X-Edge-Request-Id": sent} if sent is not None else {})
    made_id = answer.headers["X-Request-Id"]
    assert re.fullmatch(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", made_id)
    [line] = logged(own_api, made_id)
    assert (line["status"], line["method"], line["operation"], line["path"]) == (200, "GET", "get_region", "/v1/regions/19")
    assert own_api.get("/v1/regions/19").headers["X-Request-Id"] != made_id


def test_a_trace_is_taken_or_made_for_the_log(own_api):
    trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
    own_api.get("/v1/regions/19", headers={"traceparent": trace, "X-Edge-Request-Id": "trace-1"})
    assert logged(own_api, "trace-1")[0]["traceparent"] == trace
    for number, bad in enumerate(("x", trace.upper(), trace[:-1], trace + "0", 'a"' + trace[2:], "00-" + "0" * 32 + trace[35:], trace[:36] + "0" * 16 + "-01",
                                  "ff" + trace[2:], trace.replace("-", "0"))):
        own_api.get("/v1/regions/19", headers={"traceparent": bad, "X-Edge-Request-Id": f"trace-bad-{number}"})
        made = logged(own_api, f"trace-bad-{number}")[0]["traceparent"]
        assert re.fullmatch(r"00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-00", made) and made != bad


def test_the_log_has_one_line_a_request_and_nothing_private(own_api):
    own_api.get("/v1/libraries?q=rahasiasekali&format=csv", headers={"X-Edge-Request-Id": "log-1"})
    own_api.post("/v1/libraries", data='{"phone": "0717-rahasia"', headers={"X-Edge-Request-Id": "log-2", "Content-Type": "application/json"}, token="national_admin")
    assert len(logged(own_api, "log-1")) == 1 and len(logged(own_api, "log-2")) == 1
    [line] = logged(own_api, "log-2")
    assert line["problem"] == "invalid_json" and line["status"] == 400 and line["client"] == own_api.client("national_admin")["client_id"]
    text = own_api.service.log_text()
    assert "rahasia" not in text and own_api.token() not in text and "Bearer" not in text


@pytest.mark.parametrize("path", ["/v1/regions/19", "/v1/regions?limit=1", LIST + "&format=csv", "/v1/regions/99", "/nosuch", "/health/live", "/openapi.json", "/docs",
                                  "/problems", "/problems/not_found", "/metrics", "/.well-known/jwks.json", "/v1/enumerations"])
def test_headers_that_keep_a_browser_safe(own_api, path):
    for accept in ("*/*", "text/html, */*;q=0.1"):
        answer = own_api.get(path, headers={"Accept": accept})
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        policy = answer.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy and "frame-ancestors 'none'" in policy and "unsafe" not in policy
        assert {"Accept", "Accept-Encoding", "Accept-Language", "Authorization", "Origin"} <= set(answer.headers["Vary"].split(", "))
        assert answer.headers["Cache-Control"] in (
            ["no-store"] if answer.status_code >= 400 else ["public, max-age=300"] if "jwks" in path else ["private, no-cache", "no-store"])
        assert answer.headers["X-Request-Id"] and "Server" not in answer.headers


def test_what_is_about_people_is_not_kept_and_can_be_changed_all_the_same(own_api):
    """Of an account the tag still tells what was read, for the change and for asking again."""
    for path in ("/v1/users?limit=1", "/v1/users?limit=1&format=csv", "/v1/assignments?limit=1", "/v1/clients?limit=1", "/v1/audit?limit=1", "/v1/me"):
        answer = own_api.get(path, token="national_admin")
        assert answer.status_code == 200 and answer.headers["Cache-Control"] == "no-store", path
    account = own_api.post("/v1/users", token="national_admin", json={"username": "disimpan@example.id", "name": "Siti", "delivery": "answer"}).json()
    path = f"/v1/users/{account['id']}"
    answer = own_api.get(path, token="national_admin")
    assert answer.headers["Cache-Control"] == "no-store"
    again = own_api.get(path, token="national_admin", headers={"If-None-Match": answer.headers["ETag"]})
    assert (again.status_code, again.headers["Cache-Control"]) == (304, "no-store")
    assert own_api.patch(path, {"language": "en"}, etag=answer.headers["ETag"], token="national_admin").status_code == 200


def test_what_may_be_kept(own_api):
    assert own_api.get("/v1/regions/19").headers["Cache-Control"] == "private, no-cache"
    assert own_api.get(path_of(KAPUK) + "/contact", token="national_admin").headers["Cache-Control"] == "no-store"
    for path in ("/health/live", "/health/ready", "/metrics"):
        assert own_api.get(path).headers["Cache-Control"] == "no-store"
    assert made(own_api)
    answer = own_api.post("/v1/libraries", json={"name": "x", "kind": "tbm", "region_code": "19.01.06.2002"}, token="national_admin")
    assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("asked", ["format=csv", "format=csv&limit=2", "format=geojson"])
def test_a_total_is_refused_where_none_can_stand(own_api, asked):
    [fault] = problem(own_api.get(f"{LIST}&count=exact&{asked}"), 400, "invalid_parameter")["errors"]
    assert (fault["parameter"], fault["code"]) == ("count", "not_allowed")
