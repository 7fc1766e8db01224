"""The raw requests of test_guard.py through the shipped proxy.

Rule: each is answered once. What the proxy refuses never reaches the service, gets one problem document, and ends the
connection; what it hands on has become a clean request, so that both sides agree where the next one begins."""

import json

import pytest
from harness.gateway import BASE_URL, Gateway
from harness.raw_requests import INSTEAD, OURS, PAGES, SILENT, UNSEEN, WHOLE, exchange_of, request
from harness.service import Service
from harness.wire import Wire, body_of, headers_of, statuses

CASES = {name: first for name, first, *_ in OURS + INSTEAD + PAGES + SILENT + UNSEEN + WHOLE}

# Clean requests, or made so by the proxy: they reach the service once and the connection goes on.
HANDED_ON = {
    "NUL escaped in the query": (400, "bad_request"),
    "bad escape in the query": (400, "bad_request"),
    "byte that is no UTF-8": (400, "bad_request"),
    "byte that is no UTF-8 in the query": (400, "bad_request"),
    "overlong UTF-8": (400, "bad_request"),
    "surrogate in UTF-8": (400, "bad_request"),
    "raw UTF-8": (400, "bad_request"),
    "empty key": (400, "bad_request"),
    "unknown method": (501, "method_not_implemented"),
    "fragment in the target": (400, "bad_request"),
    "control byte in a value": (400, "bad_request"),
    "DEL in a value": (400, "bad_request"),
    "two content types": (400, "bad_request"),
    "other expectation": (401, None),  # without it this is a request for a token that lacks its client
    "body too large": (413, "body_too_large"),
    "body too large, chunked": (413, "body_too_large"),
    "too many headers": (431, "header_too_large"),
    "600 cookies": (431, "header_too_large"),
    "header without a colon": (200, None),  # handed on with a colon, or left out
    "bare line feeds": (200, None),
    "two spaces in the request line": (200, None),
    **{name: (status, code) for name, _, status, code in WHOLE},
}
# Refused by the proxy with another answer than 400 bad_request.
REFUSED = {
    "TRACE": (501, "method_not_implemented"),
    "CONNECT with a path": (501, "method_not_implemented"),
    "target too long": (414, "target_too_long"),
    "target larger than the buffer": (414, "target_too_long"),
    "header section too large": (431, "header_too_large"),
    "header section too large, with a body": (431, "header_too_large"),
    "many short headers": (431, "header_too_large"),
    **{f"a cookie of {size} kB": (431, "header_too_large") for size in (17, 20, 30)},
    "version 2.0": (505, "http_version_not_supported"),
    "transfer-encoding gzip": (501, "transfer_coding_not_implemented"),
    "transfer-encoding gzip, chunked": (501, "transfer_coding_not_implemented"),
    "transfer-encoding identity": (501, "transfer_coding_not_implemented"),
    "transfer-encoding xchunked": (501, "transfer_coding_not_implemented"),
}
UNANSWERED = {"no version"}  # HTTP/0.9, whose answers have no header


@pytest.fixture(scope="module")
def behind(cluster, directory):
    """A service and the proxy before it."""
    service = Service(cluster, cluster.make_database(), directory / "proxy-guard", base_url=BASE_URL)
    gateway = Gateway(directory / "proxy-guard-nginx", [service.port])
    yield service, gateway
    assert gateway.stop() == 0
    assert service.stop() == 0
    cluster.drop_database(service.database)


def requests_seen(service):
    return sum(line["event"] == "request" for line in service.log_lines())


def through(behind, first):
    service, gateway = behind
    before = requests_seen(service)
    exchange = exchange_of(service, first, port=gateway.port, tls=gateway.tls())
    exchange.reached = requests_seen(service) - before
    return exchange


def test_the_tables_name_cases_that_exist():
    assert not (set(HANDED_ON) | set(REFUSED) | UNANSWERED) - set(CASES)
    assert not set(HANDED_ON) & set(REFUSED)


def test_the_second_request_is_seen_where_the_first_is_good(behind):
    exchange = through(behind, request(b"GET /health/live HTTP/1.1"))
    assert exchange.statuses == [200, 200] and exchange.executed and exchange.reached == 2


@pytest.mark.parametrize("name", sorted(set(CASES) - set(HANDED_ON) - UNANSWERED))
def test_refused_by_the_proxy(behind, contract, name):
    status, code = REFUSED.get(name, (400, "bad_request"))
    exchange = through(behind, CASES[name])
    assert exchange.statuses == [status], exchange.received
    assert exchange.reached == 0 and not exchange.executed
    headers, body = exchange.headers, body_of(exchange.received)
    assert headers["connection"] == "close" and headers["content-type"] == "application/problem+json"
    assert int(headers["content-length"]) == len(body)  # nothing stands behind the one answer
    problem = json.loads(body)
    contract.validate({"$ref": "#/components/schemas/problem"}, problem, name)
    assert (problem["status"], problem["code"]) == (status, code)
    assert problem["type"] == f"{BASE_URL}/problems/{code}" and problem["request_id"] == headers["x-request-id"]


@pytest.mark.parametrize("name", sorted(HANDED_ON))
def test_handed_on_clean_and_answered_once(behind, name):
    status, code = HANDED_ON[name]
    exchange = through(behind, CASES[name])
    assert exchange.statuses == [status, 200], exchange.received
    assert exchange.reached == 2 and exchange.executed
    assert code is None or f'"code":"{code}"'.encode() in exchange.received


@pytest.mark.parametrize("name", sorted(UNANSWERED))
def test_closed_without_an_answer(behind, name):
    exchange = through(behind, CASES[name])
    assert exchange.received == b"" and exchange.reached == 0 and not exchange.executed


def test_the_same_bytes_without_tls_reach_nothing(behind):
    """The plain port hands nothing on, whatever comes."""
    service, gateway = behind
    before = requests_seen(service)
    for name, first in CASES.items():
        with Wire(gateway.plain_port) as wire:
            wire.send(first + request(b"GET /health/live HTTP/1.1", b"Connection: close"))
            answers = statuses(wire.rest())
        assert len(answers) <= 2 and all(status >= 400 for status in answers), name
        assert not answers or headers_of(wire.received)["content-type"] == "application/problem+json", name
    assert requests_seen(service) == before


def test_the_largest_head_that_passes_here_fits_the_service(behind):
    """Else the HTTP library below the service would answer by itself, and not as a problem."""
    service, gateway = behind
    line = b"GET /health/live?" + b"a" * 7900 + b" HTTP/1.1"
    passed = refused = 0
    for rest in range(0, 9000, 250):
        headers = [b"X-%d: " % i + b"b" * min(2000, rest - i * 2000) for i in range(5) if rest > i * 2000]
        with Wire(gateway.port, tls=gateway.tls()) as wire:
            wire.send(request(line, *headers, b"Connection: close"))
            answer = wire.rest()
        assert headers_of(answer)["content-type"] == "application/problem+json", answer
        if b'"code":"invalid_parameter"' in answer:  # the service's own answer
            passed += 1
            assert not refused
        else:
            assert statuses(answer) == [431]
            refused += 1
    assert passed > 10 and refused > 0
