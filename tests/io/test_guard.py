"""Malformed, ambiguous and oversized requests as raw bytes.

Each is followed, on the same connection, by a well-formed request. Rule: the bad one is refused, the connection
ends, and the second one is never executed, whatever the first made of the boundary between them."""

import json
import re
import socket

import pytest
import requests
from harness.raw_requests import (CHUNKED, CHUNKS, CODES, GET, INSTEAD, OURS, PAGES, SILENT, TIMEOUT_SECONDS, UNSEEN, WHOLE,
                                  Exchange, by_name, exchange_of, post, request)
from harness.service import Service
from harness.waiting import until
from harness.wire import Wire, body_of, statuses


@pytest.fixture(scope="module")
def guarded(cluster, directory):
    service = Service(cluster, cluster.make_database(), directory / "guard", connection_timeout_s=TIMEOUT_SECONDS)
    yield service
    assert service.stop() == 0
    cluster.drop_database(service.database)


def test_the_second_request_is_seen_where_the_first_is_good(guarded):
    exchange = exchange_of(guarded, request(GET))
    assert exchange.statuses == [200, 200] and exchange.executed


@pytest.mark.parametrize("target", [b"http://a/health/live", b"HTTP://other.example:8080/health/live", b"https://[::1]/health/live"])
def test_absolute_form_is_taken(guarded, target):
    """RFC 9112 3.2.2; whose name it is does not matter, as with Host."""
    exchange = exchange_of(guarded, request(b"GET " + target + b" HTTP/1.1"))
    assert exchange.statuses == [200, 200] and exchange.executed


@pytest.mark.parametrize("target", [b"ftp://a/health/live", b"http:///health/live", b"http://u@a/health/live", b"http:/health/live"])
def test_what_is_no_absolute_form_is_refused(guarded, target):
    exchange = exchange_of(guarded, request(b"GET " + target + b" HTTP/1.1"))
    assert exchange.statuses == [400] and not exchange.executed


def test_empty_pairs_are_passed_over(guarded):
    """As browsers' own parser does (the URL standard's application/x-www-form-urlencoded)."""
    for query in (b"?", b"?&", b"?&&"):
        assert exchange_of(guarded, request(b"GET /health/live" + query + b" HTTP/1.1")).statuses == [200, 200]
    form = post(b"Content-Length: 31", body=b"&grant_type=client_credentials&")
    assert exchange_of(guarded, form).statuses[0] == 401  # read whole, and not known


def lines_of(service, **members):
    return [line for line in service.log_lines() if line["event"] == "request" and members.items() <= line.items()]


@by_name(OURS + INSTEAD)
def test_refused_by_us(guarded, case):
    """Once, whether the guard refuses it or the library below, as a problem, and with one line in the log."""
    first, status = case
    exchange = exchange_of(guarded, first)
    assert exchange.statuses == [status], exchange.received
    assert not exchange.executed
    assert exchange.headers["connection"].lower() == "close"
    assert exchange.headers["content-type"] == "application/problem+json"
    body = body_of(exchange.received)
    assert len(body) == int(exchange.headers["content-length"])
    body = json.loads(body)
    assert body["code"] == CODES[status] and body["status"] == status
    assert body["request_id"] == exchange.headers["x-request-id"]
    assert [line["status"] for line in lines_of(guarded, request_id=body["request_id"])] == [status]
    settled(guarded)


@by_name(PAGES)
def test_refused_by_the_library(guarded, case):
    first, status = case
    before = len(lines_of(guarded, problem="refused by the HTTP library"))
    exchange = exchange_of(guarded, first)
    page = exchange.received.partition(b"\r\n\r\n")[2]
    assert exchange.statuses == [status], exchange.received
    assert page.startswith(b"<html>") and len(page) == int(exchange.headers["content-length"])
    assert exchange.headers["connection"].lower() == "close" and not exchange.executed
    assert len(lines_of(guarded, problem="refused by the HTTP library")) == before + 1
    settled(guarded)


def settled(service):
    """No request counts as in flight but the one that asks."""
    def alone():
        metrics = requests.get(service.base_url + "/metrics", timeout=10).text
        return re.search(r"^tpbis_in_flight (\d+)$", metrics, re.M)[1] == "1"
    assert until(alone)


def test_never_answered(guarded):
    for name, exchange in [(name, Exchange(guarded, first)) for name, first in SILENT]:  # all wait at once
        exchange.finish()
        assert exchange.received == b"" and not exchange.executed, name
    settled(guarded)


@by_name(UNSEEN)
def test_what_only_a_proxy_can_refuse(guarded, case):
    first, answers = case
    assert exchange_of(guarded, first).statuses == answers


@by_name(WHOLE)
def test_refused_and_the_connection_goes_on(guarded, case):
    first, status, code = case
    exchange = exchange_of(guarded, first)
    assert exchange.statuses == [status, 200] and exchange.executed
    assert f'"code":"{code}"'.encode() in exchange.received


def test_a_small_body_after_100_continue(guarded):
    form = b"grant_type=client_credentials"
    with Wire(guarded.port) as wire:
        wire.send(post(b"Connection: close", b"Expect: 100-continue", b"Content-Length: %d" % len(form), body=b""))
        wire.until(rb"^HTTP/1\.1 100 [^\r]*\r\n\r\n")
        assert statuses(wire.received) == [100]
        wire.send(form)
        wire.until(rb"HTTP/1\.1 401 ")
        wire.rest()
    assert statuses(wire.received) == [100, 401]


def test_a_request_cut_at_any_byte_is_not_executed(guarded):
    mark = b"cut-short"
    whole = post(b"X-Edge-Request-Id: " + mark, CHUNKED, body=CHUNKS)
    for cut in range(1, len(whole), 5):
        with Wire(guarded.port) as wire:
            wire.send(whole[:cut])
            wire.socket.shutdown(socket.SHUT_WR)
            assert wire.rest() == b"", whole[:cut]
    assert mark.decode() not in guarded.log_text()
    assert exchange_of(guarded, whole).statuses == [401, 200]
    assert mark.decode() in guarded.log_text()
