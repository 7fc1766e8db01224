"""Faults that were once in the service, each as the shortest request that shows it."""

import base64
import uuid
from urllib.parse import quote

import pytest
from harness.client import problem
from harness.libraries import NATIONAL, change, close, create, made, path_of, rows_of, tag_of
from harness.wire import Wire

OUTSIDE = "19.02.01.2010"  # not in 19.01
LONG = "漢" * 295  # with its prefix below near the most characters a name may have, in the most bytes


def identifier(api, library, value, method="PUT", **headers):
    body = {"json": {"value": value}} if method == "PUT" else {}
    return api.request(method, path_of(library) + "/identifiers/npsn", token="national_admin", headers=headers, **body)


def test_a_refusal_names_libraries_however_long_their_names(own_api):
    supervisor = made(own_api, kind="district", region_code="19.01.06")
    for number in range(6):
        made(own_api, name=f"A{number} {LONG}", supervisor_id=supervisor["id"])
    detail = problem(close(own_api, supervisor), 409, "library_has_dependents")["detail"]
    assert all(f"A{number} 漢" in detail for number in range(5)) and "… (+1)" in detail, detail


def test_a_long_name_out_of_reach_is_named_whole(own_api):
    library = made(own_api, kind="village", region_code=OUTSIDE, name=f"B {LONG}")
    refused = change(own_api, library, token="regency_facilitator", computers=1)
    assert f"B {LONG}" in problem(refused, 403, "out_of_reach")["detail"]


@pytest.mark.parametrize("radius", ["1e-320", "4.9e-324", "0.0001"])
def test_the_smallest_radius_finds_nothing_and_does_not_fail(own_api, radius):
    answer = own_api.get(f"/v1/libraries?near=-2,106&radius_km={radius}")
    assert answer.status_code == 200 and answer.json()["items"] == []


def test_a_manager_reopens_a_library_no_more_than_closes_it(own_api):
    manager_of = own_api.service.cluster.library_at(own_api.service.database, "19.01.06.2002")
    try:
        assert close(own_api, manager_of).status_code == 204
        problem(change(own_api, manager_of, token="library_manager", status="active"), 403, "out_of_reach")
        assert change(own_api, manager_of, token="library_manager", address="Jl. 1").json()["status"] == "closed"
    finally:
        assert change(own_api, manager_of, token="regency_facilitator", status="active").json()["status"] == "active"
    assert change(own_api, manager_of, token="library_manager", status="inactive", address=None).status_code == 200
    assert change(own_api, manager_of, token="library_manager", status="active").status_code == 200


def test_if_match_of_an_identifier_is_heard(own_api):
    library, value = made(own_api), uuid.uuid4().hex
    problem(identifier(own_api, library, value, **{"If-Match": '"1.x"'}), 412, "precondition_failed")  # there is none
    first = identifier(own_api, library, value)
    assert first.status_code == 201
    second = identifier(own_api, library, value + "a", **{"If-Match": first.headers["ETag"]})
    assert second.status_code == 200 and second.headers["ETag"] != first.headers["ETag"]
    problem(identifier(own_api, library, value + "b", **{"If-Match": first.headers["ETag"]}), 412, "precondition_failed")
    problem(identifier(own_api, library, value, "DELETE", **{"If-Match": first.headers["ETag"]}), 412, "precondition_failed")
    assert identifier(own_api, library, value, "DELETE", **{"If-Match": second.headers["ETag"]}).status_code == 204


@pytest.mark.parametrize("website", ["javascript:alert(1)", "data:text/html,x", "ftp://a.example.id"])
def test_a_website_is_one_that_a_portal_can_link_to(own_api, website):
    library = made(own_api)
    body = problem(change(own_api, library, website=website), 422, "invalid_body")
    assert [(fault["pointer"], fault["code"]) for fault in body["errors"]] == [("/website", "pattern")]
    assert tag_of(own_api, library)


def raw(api, *requests):
    """What comes back on one connection for these requests, each a request line with header lines."""
    host = f"Host: a\r\nAuthorization: Bearer {api.token()}\r\n"
    with Wire(api.service.port) as wire:
        wire.send("".join(f"{request}\r\n{host}\r\n" for request in requests).encode())
        return wire.rest()


LIVE = "GET /health/live HTTP/1.1\r\nConnection: close"


def test_nothing_stands_between_head_and_the_next_answer(own_api):
    first, second, body = raw(own_api, "HEAD /v1/libraries?limit=1 HTTP/1.1", LIVE).split(b"\r\n\r\n")
    assert first.startswith(b"HTTP/1.1 200 ") and second.startswith(b"HTTP/1.1 200 ") and body == b'{"status":"live"}'


@pytest.mark.parametrize("path", ["/v1/libraries?format=csv", "/v1/libraries?format=geojson"])
def test_no_answer_stands_behind_head_of_a_stream(own_api, path):
    received = raw(own_api, f"HEAD {path} HTTP/1.1", LIVE)  # the last chunk may follow the header, so nothing else does
    assert received.count(b"HTTP/1.1 ") == 1 and b"\r\nConnection: close\r\n" in received


def test_white_space_behind_a_header_is_no_part_of_it(own_api):
    received = raw(own_api, "GET /v1/regions/19 HTTP/1.1\r\nConnection: close \r\nIf-None-Match: * \t")
    assert received.startswith(b"HTTP/1.1 304 ")
    with Wire(own_api.service.port) as wire:
        wire.send(f"GET /v1/regions/19 HTTP/1.1\r\nHost: a \r\nConnection: close\r\nAuthorization: Bearer {own_api.token()} \t\r\n\r\n".encode())
        assert wire.rest().startswith(b"HTTP/1.1 200 ")


def test_a_secret_ends_where_it_ends(own_api):
    client = own_api.client("portal")
    pair = f"{client['client_id']}:{client['client_secret']}\0x".encode()
    answer = own_api.post("/oauth2/token", data={"grant_type": "client_credentials"}, token=None,
                          headers={"Authorization": "Basic " + base64.b64encode(pair).decode()})
    assert answer.status_code == 401 and answer.json()["error"] == "invalid_client"


def test_a_slash_behind_the_base_url_is_not_doubled(fresh):
    api = fresh(base_url="https://api.example.id/")
    metadata = api.get("/.well-known/oauth-authorization-server", token=None).json()
    assert (metadata["issuer"], metadata["jwks_uri"]) == ("https://api.example.id", "https://api.example.id/.well-known/jwks.json")
    assert problem(api.get("/v1/regions/99"), 404, "not_found")["type"] == "https://api.example.id/problems/not_found"


def test_an_id_is_the_same_in_either_case(own_api):
    identity = str(uuid.uuid4())
    body = {"id": identity.upper(), "name": "Huruf besar", "kind": "tbm", "region_code": "19.01.06.2002"}
    for status in (201, 200):
        answer = own_api.post("/v1/libraries", json=body, token="national_admin")
        assert answer.status_code == status and answer.headers["Location"] == path_of(identity)
    pages = [own_api.get(f"/v1/libraries?supervisor={text}&limit=1") for text in (NATIONAL.upper(), NATIONAL)]
    assert pages[0].json()["next"] == pages[1].json()["next"] is not None


def test_a_library_is_reopened_where_its_retired_region_has_gone(own_api, own_database):
    with own_database.cursor() as cursor:
        cursor.execute("SELECT code FROM region r WHERE level = 'village' AND code LIKE '19.01.%' AND valid_to IS NULL"
                       " AND NOT EXISTS (SELECT FROM library l WHERE l.region_code = r.code) ORDER BY code LIMIT 1")
        [[old]] = cursor.fetchall()
        library = made(own_api, region_code=old, founded_on="2010-01-01")
        assert close(own_api, library, on="2020-06-30").status_code == 204
        cursor.execute("UPDATE region SET valid_to = '2020-12-31' WHERE code = %s", (old,))
        problem(change(own_api, library, status="active"), 409, "region_unknown")  # nobody can know where
        cursor.execute("INSERT INTO region_successor (code, successor_code) VALUES (%s, %s)", (old, OUTSIDE))
    problem(change(own_api, library, token="regency_facilitator", status="active"), 403, "out_of_reach")
    answer = change(own_api, library, status="active")
    assert answer.status_code == 200 and answer.json()["region_code"] == OUTSIDE


def test_a_refusal_tells_what_would_do(own_api):
    library = made(own_api)
    refused = change(own_api, library, token="portal", computers=1)
    assert 'error="insufficient_scope", scope="libraries:write"' in refused.headers["WWW-Authenticate"]
    patch = own_api.patch(path_of(library), {}, etag=tag_of(own_api, library), token="national_admin", headers={"Content-Type": "text/plain"})
    assert patch.status_code == 415
    post = own_api.post("/v1/libraries", data="x", token="national_admin", headers={"Content-Type": "text/plain"})
    assert post.status_code == 415 and "Accept-Patch" not in post.headers
    for answer in (patch, own_api.request("OPTIONS", path_of(library), token=None)):
        assert "application/merge-patch+json" in answer.headers["Accept-Patch"]
    assert "Accept-Patch" not in own_api.request("OPTIONS", "/v1/libraries", token=None).headers


def test_the_log_keeps_to_what_is_known(own_api):
    def line(request_id):
        return next(line for line in reversed(own_api.service.log_lines()) if line.get("request_id") == request_id)

    raw(own_api, "BREW /v1/regions HTTP/1.1\r\nConnection: close\r\nX-Edge-Request-Id: brewed")
    assert (line("brewed")["method"], line("brewed")["path"], line("brewed")["status"]) == (None, None, 501)
    own_api.get("/v1/libraries/budi@example.org", headers={"X-Edge-Request-Id": "a-secret"})
    assert (line("a-secret")["path"], line("a-secret")["method"]) == ("/v1/libraries/{id}", "GET")
    own_api.get("/v1/libraries/budi@example.org", headers={"X-Edge-Request-Id": "before"}, token=None)
    assert line("before")["path"] == "/v1/libraries/{id}"
    assert "budi" not in own_api.service.log_text()


def test_a_tombstone_in_csv_has_its_key(own_api):
    library = made(own_api)
    assert close(own_api, library).status_code == 204
    text = own_api.get("/v1/libraries?kind=tbm&deleted=include&format=csv&fields=name").text
    rows = {row["id"]: row for row in rows_of(text)}
    assert rows[library["id"]]["deleted_at"] and list(rows[library["id"]]) == ["id", "name", "deleted_at"]
    assert own_api.get("/v1/libraries?kind=tbm&format=csv&fields=name").text.startswith("\ufeffname\r\n")


@pytest.mark.parametrize("character", ["\x01", "\x1f", "\x7f", "\t", "\n", "\r"])
def test_control_characters_are_refused(own_api, character):
    answer = create(own_api, name=f"a{character}b")
    assert [(error["pointer"], error["code"]) for error in problem(answer, 422, "invalid_body")["errors"]] == [("/name", "control_character")]
    answer = own_api.get(f"/v1/libraries?q=a{quote(character)}b")
    assert [error["code"] for error in problem(answer, 400, "invalid_parameter")["errors"]] == ["control_character"]
    answer = create(own_api, address=f"a{character}b")
    assert answer.status_code == (201 if character in "\t\n\r" else 422)  # free text has lines
