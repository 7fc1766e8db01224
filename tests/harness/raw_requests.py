"""Malformed, ambiguous and oversized requests as raw bytes, and how one is tried: with a well-formed request behind
it on the same connection. The tables say what the service makes of each when it is reached without a proxy
(tests/io/test_guard.py); tests/io/test_proxy_guard.py sends the same ones through the proxy."""

import pytest

from harness.wire import Wire, headers_of, statuses

TIMEOUT_SECONDS = 2  # of idle connections: what is never answered ends by it
HOST = b"Host: a"
FORM = b"Content-Type: application/x-www-form-urlencoded"
GET, POST = b"GET /health/live HTTP/1.1", b"POST /oauth2/token HTTP/1.1"
CHUNKED = b"Transfer-Encoding: chunked"
CHUNKS = b"3\r\na=b\r\n0\r\n\r\n"


def request(line, *headers, body=b"", host=HOST):
    lines = [line] + ([host] if host else []) + list(headers)
    return b"\r\n".join(lines) + b"\r\n\r\n" + body


def get(target):
    return request(b"GET " + target + b" HTTP/1.1")


def post(*headers, body=b"a=b", line=POST):
    return request(line, FORM, *headers, body=body)


# Refused by us: name, request, status, code.
OURS = [
    ("content-length with transfer-encoding", post(b"Content-Length: 5", CHUNKED, body=b"0\r\n\r\n"), 400),
    ("transfer-encoding with content-length", post(CHUNKED, b"Content-Length: 5", body=b"0\r\n\r\n"), 400),
    ("content-length twice, short first", post(b"Content-Length: 3", b"Content-Length: 5"), 400),
    ("content-length twice, long first", post(b"Content-Length: 5", b"Content-Length: 3", body=b"a=bcd"), 400),
    ("content-length twice, equal", post(b"Content-Length: 3", b"CONTENT-LENGTH: 3"), 400),
    ("transfer-encoding twice", post(CHUNKED, CHUNKED, body=CHUNKS), 400),
    ("transfer-encoding chunked and identity", post(CHUNKED, b"Transfer-Encoding: identity", body=CHUNKS), 400),
    ("transfer-encoding on 1.0", post(CHUNKED, body=CHUNKS, line=b"POST /oauth2/token HTTP/1.0"), 400),
    ("two hosts", request(GET, b"Host: b"), 400),
    ("two hosts, other case", request(GET, b"HOST: a"), 400),
    ("empty host", request(GET, host=b"Host: "), 400),
    ("host that is none", request(GET, host=b"Host: a/b@c"), 400),
    ("NUL escaped in the path", get(b"/health/live%00"), 400),
    ("NUL escaped in the query", get(b"/health/live?a=b%00c"), 400),
    ("escape with other letters", get(b"/health/%zz"), 400),
    ("escape cut short", get(b"/health/live%2"), 400),
    ("percent sign alone", get(b"/health/live%"), 400),
    ("bad escape in the query", get(b"/health/live?a=%zz"), 400),
    ("byte that is no UTF-8", get(b"/health/%ff"), 400),
    ("byte that is no UTF-8 in the query", get(b"/health/live?a=%ff&b=c"), 400),
    ("overlong UTF-8", get(b"/health/%c0%af"), 400),
    ("surrogate in UTF-8", get(b"/health/%ed%a0%80"), 400),
    ("raw UTF-8", get(b"/health/\xc3\xa9"), 400),
    ("empty key", get(b"/health/live?=x"), 400),
    ("lower-case method", request(b"get /health/live HTTP/1.1"), 501),
    ("unknown method", request(b"BREW /health/live HTTP/1.1"), 501),
    ("TRACE", request(b"TRACE /health/live HTTP/1.1"), 501),
    ("CONNECT with a path", request(b"CONNECT /health/live HTTP/1.1"), 501),
    ("CONNECT with an authority", request(b"CONNECT a:443 HTTP/1.1"), 400),
    ("method that is no token", request(b"G(T /health/live HTTP/1.1"), 400),
    ("asterisk with GET", get(b"*"), 400),
    ("target without a slash", get(b"health/live"), 400),
    ("tab in the target", get(b"/health/live\tx"), 400),
    ("fragment in the target", get(b"/health/live#a"), 400),
    ("folded line before the first header", request(GET, HOST, host=b" X-A: a"), 400),
    ("space before the colon", request(GET, b"X-A : a"), 400),
    ("space before the colon of content-length", post(b"Content-Length : 3"), 400),
    ("space before the colon of transfer-encoding", post(b"Transfer-Encoding : chunked", b"Content-Length: 3"), 400),
    ("control byte in a name", request(GET, b"X\x01A: b"), 400),
    ("control byte in a value", request(GET, b"X-A: a\x01b"), 400),
    ("DEL in a value", request(GET, b"X-A: a\x7fb"), 400),
    ("bare CR in a value", request(GET, b"X-A: a\rX-B: b"), 400),
    ("two authorizations", request(GET, b"Authorization: Bearer a", b"Authorization: Bearer b"), 400),
    ("two authorizations, other case", request(GET, b"Authorization: Bearer a", b"AUTHORIZATION: Bearer a"), 400),
    ("two content types", post(b"Content-Type: application/json", b"Content-Length: 3"), 400),
    ("other expectation", post(b"Expect: 200-ok", b"Content-Length: 3"), 400),
    ("body too large", post(b"Content-Length: 100000", body=b"a" * 100000), 413),
    ("body too large, chunked", post(CHUNKED, body=b"186a0\r\n" + b"a" * 100000 + b"\r\n0\r\n\r\n"), 413),
    ("target too long", get(b"/health/live?a=" + b"a" * 9000), 414),
    ("no host on 1.1", request(GET, host=None), 400),
    ("space in the target", get(b"/health/live x"), 400),
    ("space in the query", get(b"/health/live?q=air saga"), 400),
    ("too many headers", request(GET, *(b"A%d:b" % i for i in range(150))), 431),
    ("content-length of 2^63", post(b"Content-Length: 9223372036854775808"), 400),
    ("transfer-encoding gzip", post(b"Transfer-Encoding: gzip"), 400),
    ("transfer-encoding gzip, chunked", post(b"Transfer-Encoding: gzip, chunked", body=CHUNKS), 400),
    ("transfer-encoding identity", post(b"Transfer-Encoding: identity"), 400),
    ("transfer-encoding xchunked", post(b"Transfer-Encoding: xchunked", body=CHUNKS), 400),
]

# Refused by libmicrohttpd, and answered by us in its stead: the request line was read.
INSTEAD = [
    ("content-length with a comma", post(b"Content-Length: 3, 3"), 400),
    ("malformed content-length", post(b"Content-Length: 3x"), 400),
    ("content-length with a plus", post(b"Content-Length: +3"), 400),
    ("hexadecimal content-length", post(b"Content-Length: 0x3"), 400),
    ("empty content-length", post(b"Content-Length: ", body=b""), 400),
    ("negative content-length", post(b"Content-Length: -1"), 400),
    ("content-length beyond 64 bits", post(b"Content-Length: 18446744073709551617"), 413),
    ("chunk size that is none", post(CHUNKED, body=b"zz\r\na=b\r\n0\r\n\r\n"), 400),
    ("negative chunk size", post(CHUNKED, body=b"-3\r\na=b\r\n0\r\n\r\n"), 400),
    ("chunk size beyond 64 bits", post(CHUNKED, body=b"10000000000000003\r\na=b\r\n0\r\n\r\n"), 413),
    ("chunk longer than its size", post(CHUNKED, body=b"3\r\na=bXX0\r\n\r\n"), 400),
    ("NUL in a header's name", request(GET, b"X-A\0b: c"), 400),
    ("header without a colon", request(GET, b"nonsense"), 400),
    ("header section too large", request(GET, b"X-A: " + b"a" * 40000), 431),
    ("a cookie of 17 kB", request(GET, b"Cookie: a=" + b"a" * 17000), 431),
    ("a cookie of 20 kB", request(GET, b"Cookie: a=" + b"a" * 20000), 431),
    ("a cookie of 30 kB", request(GET, b"Cookie: a=" + b"a" * 30000), 431),
    ("600 cookies", request(GET, b"Cookie: " + b"; ".join(b"c%d=v" % i for i in range(600))), 431),
    ("many short headers", request(GET, *(b"A%d: b" % i for i in range(1500))), 431),
    ("header section too large, with a body", post(b"Content-Length: 3", b"X-A: " + b"a" * 40000), 431),
    ("chunk size of nothing", post(CHUNKED, body=b"\r\na=b\r\n0\r\n\r\n"), 400),
    ("NUL in a chunk size", post(CHUNKED, body=b"3\0\r\na=b\r\n0\r\n\r\n"), 400),
    ("content-length of words", post(b"Content-Length: three"), 400),
    ("content-length of two numbers", post(b"Content-Length: 3 3"), 400),
]

# Refused by libmicrohttpd before it says whose request it is: one small HTML page.
PAGES = [
    ("target larger than the buffer", get(b"/" + b"a" * 40000), 414),
    ("version 2.0", request(b"GET /health/live HTTP/2.0"), 505),
    ("version 0.9", request(b"GET /health/live HTTP/0.9"), 505),
    ("version that is none", request(b"GET /health/live XXXX/1.1"), 400),
    ("lower-case version", request(b"GET /health/live http/1.1"), 400),
    ("no version", b"GET /health/live\r\n\r\n", 400),
    ("a TLS greeting", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 garbage\r\n\r\n", 400),
]

# Never answered: libmicrohttpd closes at once.
SILENT = [
    ("tabs for spaces in the request line", request(b"GET\t/health/live\tHTTP/1.1")),
    ("one word", b"garbage\r\n\r\n"),
]

# Known: libmicrohttpd 0.9.75 repairs or cuts these so that we cannot tell them from good ones. They are the reason why
# a reverse proxy that refuses them is part of a deployment. It is a test, so that a library that mends one is noticed.
UNSEEN = [
    ("folded header value", request(GET, b"X-A: a", b" b"), [200, 200]),
    ("NUL in the target: what follows it is lost", get(b"/health/live\0x"), [200, 200]),
    ("NUL in a header's value", request(GET, b"X-A: a\0b"), [200, 200]),
    ("bare line feeds", b"GET /health/live HTTP/1.1\nHost: a\n\n", [200, 200]),
    ("two spaces in the request line", request(b"GET  /health/live HTTP/1.1"), [200, 200]),
    ("header without a name: ends the header section, what follows is read as a request",
     request(GET, b": a", b"Authorization: Bearer x"), [200, 400]),
]

# Refused, but whole: the connection goes on, and the second request is answered.
WHOLE = [
    ("double slash", get(b"//health/live"), 404, "not_found"),
    ("trailing slash", get(b"/health/live/"), 404, "not_found"),
    ("other method", request(b"POST /health/live HTTP/1.1", b"Content-Length: 0"), 405, "method_not_allowed"),
    ("body where none belongs", request(GET, b"Content-Length: 3", body=b"abc"), 400, "bad_request"),
    ("unknown parameter", get(b"/health/live?a=b"), 400, "invalid_parameter"),
]
CODES = {400: "bad_request", 413: "body_too_large", 414: "target_too_long", 431: "header_too_large",
         501: "method_not_implemented"}


class Exchange:
    """A first request with a second one behind it; then what came back, and whether the second was executed."""

    count = 0

    def __init__(self, service, first, port=None, tls=None):
        Exchange.count += 1
        self.service, self.mark = service, f"second-{Exchange.count}"
        self.wire = Wire(port or service.port, tls=tls)
        self.wire.send(first + request(GET, b"X-Request-Id: " + self.mark.encode(), b"Connection: close"))

    def finish(self):
        with self.wire as wire:
            self.received = wire.rest(TIMEOUT_SECONDS + 8)  # TimeoutError when the connection does not end
        self.statuses = statuses(self.received)
        self.executed = self.mark in self.service.log_text()  # the line is written before its answer leaves
        self.headers = headers_of(self.received)
        return self


def exchange_of(service, first, **options):
    return Exchange(service, first, **options).finish()


def by_name(cases):
    return pytest.mark.parametrize("case", [pytest.param(case[1:], id=case[0]) for case in cases])
