"""Bodies that nobody will read. Rule: who is refused by what the head of a request says hears so without sending the body, and nobody is
read beyond what the operation takes. The service waits ten minutes for a silent connection here: whatever is answered is not answered
because a time was over."""

import json

import pytest
from harness.raw_requests import CHUNKED, FORM, HOST
from harness.service import Service
from harness.wire import Wire, body_of, headers_of, statuses

JSON = b"Content-Type: application/json"
EXPECT = b"Expect: 100-continue"
HUGE = b"Content-Length: 99999999999"
PIECE = b"4000\r\n" + b"a" * 0x4000 + b"\r\n"
READ_MAX = 32 << 20  # what the buffers of both sides take in before a sender feels that nobody reads


@pytest.fixture(scope="module")
def patient(cluster, directory):
    service = Service(cluster, cluster.make_database(), directory / "patient", connection_timeout_s=600, request_timeout_s=600)
    yield service
    assert service.stop() == 0
    cluster.drop_database(service.database)


def head(method, path, *headers):
    return b"\r\n".join([b"%s %s HTTP/1.1" % (method, path), HOST, *headers]) + b"\r\n\r\n"


def answer_to(wire, service, status):
    """The one answer on the connection, a problem and its last; one line in the log tells of it."""
    wire.rest()
    assert statuses(wire.received) == [status], wire.received
    headers, problem = headers_of(wire.received), json.loads(body_of(wire.received))
    assert headers["connection"].lower() == "close" and headers["content-type"] == "application/problem+json"
    assert problem["status"] == status and problem["request_id"] == headers["x-request-id"]
    assert [line["status"] for line in service.log_lines()
            if line["event"] == "request" and line.get("request_id") == problem["request_id"]] == [status]
    return problem


# Refused by what the head says: name, method, path, headers, status.
REFUSED = [
    ("no token", b"POST", b"/v1/users", [JSON], 401),
    ("a token that is none", b"PATCH", b"/v1/users/1", [JSON, b"Authorization: Bearer a.b.c"], 401),
    ("no such path", b"POST", b"/v1/nothing", [JSON], 404),
    ("no such method", b"PUT", b"/v1/users", [JSON], 405),
    ("no such method anywhere", b"BREW", b"/v1/users", [JSON], 501),
    ("no such parameter", b"POST", b"/oauth2/token?a=b", [FORM], 400),
    ("two hosts", b"POST", b"/oauth2/token", [FORM, b"Host: b"], 400),
]
BODIES = [("of a length told", [HUGE]), ("of chunks", [CHUNKED]), ("to be asked for", [EXPECT, b"Content-Length: 3"]),
          ("of chunks, to be asked for", [EXPECT, CHUNKED])]


@pytest.mark.parametrize("body", [pytest.param(headers, id=name) for name, headers in BODIES])
@pytest.mark.parametrize("case", [pytest.param(case[1:], id=case[0]) for case in REFUSED])
def test_the_head_alone_is_refused(patient, case, body):
    method, path, headers, status = case
    with Wire(patient.port) as wire:
        wire.send(head(method, path, *headers, *body))
        answer_to(wire, patient, status)


def test_every_operation_refuses_by_the_head_alone(patient, contract):
    """Without a token, where one is needed; else by the length that is told."""
    wrong = []
    for path, methods in contract.document["paths"].items():
        for method in methods.keys() & {"get", "post", "put", "patch", "delete"}:
            operation = methods[method]
            expected = 401 if operation["security"] else 413 if "requestBody" in operation else 400
            with Wire(patient.port) as wire:
                wire.send(head(method.upper().encode(), contract.address(path).encode(), FORM, HUGE))
                wire.rest()
            if statuses(wire.received) != [expected]:
                wrong.append((operation["operationId"], expected, statuses(wire.received)))
    assert not wrong


@pytest.mark.parametrize("coding", [b"gzip", b"gzip, chunked", b"identity", b"xchunked"])
def test_a_body_without_an_end_is_refused_at_once(patient, coding):
    with Wire(patient.port) as wire:
        wire.send(head(b"POST", b"/oauth2/token", FORM, b"Transfer-Encoding: " + coding))
        assert answer_to(wire, patient, 400)["code"] == "bad_request"


@pytest.mark.parametrize("expected", [[], [EXPECT]])
def test_more_than_the_operation_takes_is_not_waited_for(patient, expected):
    """The length is told: one byte more than the token endpoint's 8192, and far more than anything takes."""
    for length in (8193, 65537, 99999999999):
        with Wire(patient.port) as wire:
            wire.send(head(b"POST", b"/oauth2/token", FORM, b"Content-Length: %d" % length, *expected))
            problem = answer_to(wire, patient, 413)
            assert problem["code"] == "body_too_large" and "8192" in problem["detail"]


def test_a_body_in_chunks_is_read_up_to_its_limit(patient):
    """The body does not end; the byte behind the limit does it."""
    with Wire(patient.port) as wire:
        wire.send(head(b"POST", b"/oauth2/token", FORM, CHUNKED) + b"2000\r\n" + b"a" * 8192 + b"\r\n1\r\na\r\n")
        assert answer_to(wire, patient, 413)["code"] == "body_too_large"


@pytest.mark.parametrize("path", [b"/v1/users", b"/oauth2/token"])
def test_a_flood_is_not_read(patient, path):
    """Refused by its token, and let in as far as its limit: of 300 MB no more leaves the client than the buffers between the two hold."""
    sent = 0
    with Wire(patient.port) as wire:
        wire.send(head(b"POST", path, FORM, CHUNKED))
        while sent < 300 << 20 and wire.send(PIECE):
            sent += len(PIECE)
        wire.rest()
    assert sent < READ_MAX, sent
    assert patient.log_lines()[-1]["status"] in (401, 413)


def test_a_small_body_of_a_refused_caller_keeps_the_connection(patient):
    """A client that sends its token too late sends the same again on the same connection."""
    refused = head(b"POST", b"/v1/users", JSON, b"Content-Length: 2") + b"{}"
    with Wire(patient.port) as wire:
        for count in (1, 2, 3):
            wire.send(refused)
            wire.until(rb"(\"code\":\"unauthorized\".*?){%d}" % count)
        assert statuses(wire.received) == [401] * 3
        assert not wire.closed


def test_the_answer_to_head_has_no_body(patient):
    with Wire(patient.port) as wire:
        wire.send(head(b"HEAD", b"/v1/nothing", HUGE))
        wire.rest()
    assert statuses(wire.received) == [404] and body_of(wire.received) == b""
