"""Faults that were once in the service, each as the shortest request that shows it."""

import base64
import uuid

import pytest
from harness.client import problem
from harness.libraries import change, close, made, path_of, tag_of
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
    assert first.status_code == 200
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
