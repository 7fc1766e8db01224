"""Malformed, ambiguous and oversized requests as raw bytes.

Each is followed, on the same connection, by a well-formed request. Rule: the bad one is refused, the connection
ends, and the second one is never executed, whatever the first made of the boundary between them."""

import json
import socket

import pytest
from harness.raw_requests import (CHUNKED, CHUNKS, CODES, GET, LIBRARY, OURS, SILENT, TIMEOUT_SECONDS, UNSEEN, WHOLE, Exchange,
                                  by_name, exchange_of, post, request)
from harness.service import Service
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


@by_name(OURS)
def test_refused_by_us(guarded, case):
    first, status = case
    exchange = exchange_of(guarded, first)
    assert exchange.statuses == [status], exchange.received
    assert not exchange.executed
    assert exchange.headers["connection"].lower() == "close"
    assert exchange.headers["content-type"] == "application/problem+json"
    body = json.loads(body_of(exchange.received))
    assert body["code"] == CODES[status] and body["status"] == status
    assert body["request_id"] == exchange.headers["x-request-id"]


@by_name(LIBRARY)
def test_refused_by_the_library(guarded, case):
    first, status, doubled = case
    exchange = exchange_of(guarded, first)
    head = exchange.received.partition(b"\r\n\r\n")[0] + b"\r\n\r\n"
    rest = exchange.received[len(head):]
    if doubled:
        assert rest.startswith(head)
        rest = rest[len(head):]
    assert exchange.statuses[0] == status and statuses(rest) == [], exchange.received
    assert rest.startswith(b"<html>") and len(rest) == int(exchange.headers["content-length"])
    assert exchange.headers["connection"].lower() == "close" and not exchange.executed


def test_never_answered(guarded):
    for name, exchange in [(name, Exchange(guarded, first)) for name, first in SILENT]:  # all wait at once
        exchange.finish()
        assert exchange.received == b"" and not exchange.executed, name


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
