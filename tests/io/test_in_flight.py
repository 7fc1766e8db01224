"""The count of requests on their way ends where it began, whatever was sent: a stop waits for it."""

import time

import pytest

from harness.raw_requests import GET, post, request
from harness.wire import Wire

COOKIES = b"Cookie: " + b"; ".join(b"a%d=b" % n for n in range(600))
# Requests that end without an answer, with the library's own, or in the middle.
SHAPES = {
    "600 cookies": request(GET, COOKIES), "2000 cookies": request(GET, *[b"Cookie: " + b"; ".join(b"a%d=b" % n for n in range(700))] * 2),
    "one large cookie": request(GET, b"Cookie: a=" + b"b" * 20000), "one large header": request(GET, b"X-Large: " + b"a" * 33000),
    "many headers": request(GET, *(b"X-%d: a" % n for n in range(900))), "a blank in the target": request(b"GET /a b HTTP/1.1"),
    "no host": request(GET, host=b""), "a large target": request(b"GET /" + b"a" * 40000 + b" HTTP/1.1"),
    "half a head": b"GET /health/live HTTP/1.1\r\nHost: a\r\n", "half a body": post(b"Content-Length: 10", body=b"a=b"),
    "a broken chunk": post(b"Transfer-Encoding: chunked", body=b"zz\r\n"), "two codings": post(b"Transfer-Encoding: gzip, chunked"),
    "a length that is none": post(b"Content-Length: x"), "another version": request(b"GET /health/live HTTP/3.7"),
    "an empty header name": request(GET, b": a"), "a query of many pairs": request(b"GET /?" + b"a=b&" * 1500 + b" HTTP/1.1"),
}


@pytest.mark.parametrize("name", SHAPES)
def test_the_count_comes_back(api, eventually, name):
    for _ in range(3):
        with Wire(api.service.port) as wire:
            wire.send(SHAPES[name])
            wire.socket.settimeout(0.3)
            try:
                wire.receive()
            except TimeoutError:
                pass
    eventually(lambda: api.figure("tpbis_in_flight") == 1)  # the asking one


def test_a_stop_waits_for_nobody_who_is_gone(fresh):
    api = fresh(drain_timeout_s=30)
    for name in ["600 cookies"] * 3:
        with Wire(api.service.port) as wire:
            wire.send(SHAPES[name])
            wire.rest()
    begun = time.monotonic()
    assert api.service.stop() == 0
    assert time.monotonic() - begun < 20
    assert [line["left"] for line in api.service.log_lines() if line["event"] == "drained"] == [0]
    assert [line["problem"] for line in api.service.log_lines() if line.get("status") == 431] == ["header_too_large"] * 3
