"""What the proxy answers by itself. Rule: a problem like the service's own, in the reader's language, with a code that
/problems explains; and whoever wastes its time is closed."""

import json
import re
import socket
import subprocess
import time
import uuid

import pytest
import requests
from harness.gateway import BASE_URL, Gateway
from harness.raw_requests import post, request
from harness.service import Service, free_port
from harness.waiting import PATIENCE_SECONDS
from harness.waiting import until
from harness.wire import Wire, headers_of, statuses

DEFINITION = re.compile(r'^PROBLEM\((\w+), (\d+), "((?:[^"\\]|\\.)*)", "((?:[^"\\]|\\.)*)", "((?:[^"\\]|\\.)*)", "((?:[^"\\]|\\.)*)"\)$', re.M)
PIECE = re.compile(r"^ +(\w+):(id|en) ('([^']*)'|\"([^\"]*)\");$", re.M)
REFUSAL = re.compile(r"^error_page ([\d ]+?)(?: =(\d+))? /\.problem/(\w+);", re.M)
FILLED = {"bad_request": {"reason": ("ini bukan HTTP yang jelas", "it is not unambiguous HTTP")},
          "body_too_large": {"limit": ("1048576", "1048576")}, "target_too_long": {"limit": ("8000", "8000")}}
HEADER_SECONDS, BODY_SECONDS, CONNECTIONS = 10, 15, 100  # of nginx.conf


@pytest.fixture(scope="module")
def behind(cluster, directory):
    service = Service(cluster, cluster.make_database(), directory / "proxy-errors", base_url=BASE_URL)
    gateway = Gateway(directory / "proxy-errors-nginx", [service.port])
    yield service, gateway
    assert gateway.stop() == 0
    assert service.stop() == 0
    cluster.drop_database(service.database)


@pytest.fixture
def gateway(behind):
    return behind[1]


@pytest.fixture
def lonely(directory):
    """A proxy before the ports that are given."""
    made = []

    def make(*ports):
        made.append(Gateway(directory / f"lonely-{uuid.uuid4().hex}", ports))
        return made[-1]

    yield make
    for gateway in made:
        assert gateway.stop() == 0


def ask(gateway, path, method="GET", language="en", **options):
    return requests.request(method, gateway.address + path, verify=str(gateway.certificate), timeout=30,
                            headers={"Accept-Language": language, **options.pop("headers", {})}, **options)


def problem(contract, answer, status, code):
    """Asserts that it is the proxy's own problem, and gives the document."""
    assert answer.status_code == status, answer.text
    assert answer.headers["Content-Type"] == "application/problem+json" and answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["X-Content-Type-Options"] == "nosniff" and "Server" in answer.headers
    body = answer.json()
    contract.validate({"$ref": "#/components/schemas/problem"}, body, code)
    assert (body["status"], body["code"]) == (status, code), body
    assert body["request_id"] == answer.headers["X-Request-Id"]
    return body


# ---- the texts ---------------------------------------------------------------------------------------


def test_its_problems_are_those_of_the_service(root):
    defined = {match[1]: match.groups()[1:] for match in
               DEFINITION.finditer((root / "api/base/problems.def").read_text(encoding="utf-8"))}
    refusals = REFUSAL.findall((root / ".deploy/nginx/refusals.conf").read_text(encoding="utf-8"))
    assert len(refusals) >= 12
    for statuses_, other, code in refusals:
        assert {other or status for status in statuses_.split()} == {defined[code][0]}, code
    text = (root / ".deploy/nginx/problems.conf").read_text(encoding="utf-8")
    maps = {name: {(code, language): single or double for code, language, _, single, double in PIECE.findall(part)}
            for name, part in re.findall(r"\$problem_language \$problem_(title|detail) \{(.*?)\n\}", text, re.S)}
    codes = {code for _, _, code in refusals}
    for place, (name, first) in enumerate([("title", 1), ("detail", 3)]):
        assert set(maps[name]) == {(code, language) for code in codes for language in ("id", "en")}, place
        for (code, language), words in maps[name].items():
            expected = defined[code][first + (language == "en")]
            for key, values in FILLED.get(code, {}).items():
                expected = expected.replace("{" + key + "}", values[language == "en"])
            assert words == expected, (code, language)


def test_the_limits_fit_the_contract(root):
    """A body that an operation takes must not end here."""
    config = (root / ".deploy/nginx/nginx.conf").read_text(encoding="utf-8")
    most = int(re.search(r"client_max_body_size (\d+)m;", config)[1]) << 20
    told = [int(number) for path in (root / "openapi/paths").glob("*.yaml")
            for number in re.findall(r"x-body-max-bytes: *(\d+)", path.read_text(encoding="utf-8"))]
    assert told and max([65536, *told]) <= most == int(FILLED["body_too_large"]["limit"][0])


@pytest.mark.parametrize("accepted, language", [
    (None, "id"), ("en", "en"), ("en-GB,en;q=0.9,id;q=0.8", "en"), ("id,en;q=0.5", "id"), ("in-ID, en", "id"), ("fr", "id"),
    ("fr, en;q=0.5", "en"), ("EN", "en"), ("de-men", "id"),
])
def test_its_language(gateway, accepted, language):
    headers = {"Accept-Language": accepted} if accepted else {}
    answer = requests.get(gateway.address + "/metrics", headers=headers, verify=str(gateway.certificate), timeout=30)
    assert answer.headers["Content-Language"] == language
    assert answer.json()["title"] == {"id": "Tidak ditemukan", "en": "Not found"}[language]


# ---- what it refuses ---------------------------------------------------------------------------------


def test_figures_and_its_own_pages_are_not_for_everybody(behind, gateway, contract):
    for path in ("/metrics", "/metrics?a=b", "/health/ready", "/%68ealth/ready", "//health/ready", "/.problem/internal", "/.problem/nosuch"):
        answer = ask(gateway, path)
        if path in ("/metrics", "/metrics?a=b", "/health/ready"):
            problem(contract, answer, 404, "not_found")
        assert answer.status_code == 404 and answer.headers["Content-Type"] == "application/problem+json"
    for path in ("/metrics", "/health/ready"):
        assert requests.get(behind[0].address + path, timeout=30).status_code == 200


def test_plain_http_is_refused(gateway, contract):
    plain = f"http://localhost:{gateway.plain_port}"
    for method, path in (("GET", "/v1/regions/19"), ("POST", "/oauth2/token"), ("GET", "/health/live")):
        answer = requests.request(method, plain + path, timeout=30, headers={"Accept-Language": "en"})
        problem(contract, answer, 400, "https_required")
        assert "Strict-Transport-Security" not in answer.headers
    for path in ("/", "/docs"):  # what a person types
        answer = requests.get(plain + path, timeout=30, allow_redirects=False)
        assert (answer.status_code, answer.headers["Location"]) == (308, BASE_URL + "/docs")
    with Wire(gateway.port) as wire:  # plain HTTP at the port for TLS
        wire.send(request(b"GET /health/live HTTP/1.1"))
        assert statuses(wire.rest()) == [400] and b'"code":"https_required"' in wire.received


def test_large_bodies(gateway, contract):
    answer = ask(gateway, "/v1/libraries", "POST", data=b"a" * (1 << 20) + b"a")
    problem(contract, answer, 413, "body_too_large")
    with Wire(gateway.port, tls=gateway.tls()) as wire:  # refused before a byte of it has come
        wire.send(post(b"Content-Length: 1000000000", body=b""))
        assert statuses(wire.rest()) == [413] and b'"code":"body_too_large"' in wire.received
    with Wire(gateway.port, tls=gateway.tls()) as wire:
        wire.send(post(b"Transfer-Encoding: chunked", body=b"100000\r\n" + b"a" * (1 << 20) + b"\r\n10\r\n" + b"a" * 16))
        assert statuses(wire.rest()) == [413] and b'"code":"body_too_large"' in wire.received


def test_a_fault_after_a_fault_is_still_a_problem(gateway):
    with Wire(gateway.port, tls=gateway.tls()) as wire:
        wire.send(post(b"Transfer-Encoding: chunked", line=b"POST /metrics HTTP/1.1", body=b"zz\r\na=b\r\n0\r\n\r\n"))
        assert statuses(wire.rest()) == [400] and b'"code":"bad_request"' in wire.received
        assert headers_of(wire.received)["content-type"] == "application/problem+json"


def test_a_service_that_is_not_there(lonely, contract):
    gateway = lonely(free_port(), free_port())
    answer = ask(gateway, "/health/live")
    assert "not certain" in problem(contract, answer, 502, "bad_gateway")["detail"] and answer.headers["Retry-After"] == "5"
    assert until(gateway.lines)[-1]["upstream_status"].startswith("502")


def test_a_service_that_does_not_answer(lonely, contract):
    """Its door is there, but nobody opens: the queue before it is full."""
    with socket.socket() as door:
        door.bind(("127.0.0.1", 0))
        door.listen(0)
        port, waiting = door.getsockname()[1], []
        for _ in range(3):
            waiting.append(socket.socket())
            waiting[-1].setblocking(False)
            waiting[-1].connect_ex(("127.0.0.1", port))
        time.sleep(0.2)
        answer = ask(lonely(port), "/health/live")
        assert problem(contract, answer, 504, "gateway_timeout") and answer.headers["Retry-After"] == "5"
        for client in waiting:
            client.close()


def test_one_address_has_only_so_many_requests_at_work(gateway, contract, eventually):
    wires = []
    try:
        for _ in range(CONNECTIONS):
            wires.append(Wire(gateway.port, tls=gateway.tls()))
            wires[-1].send(post(b"Content-Length: 3", body=b"a"))
        eventually(lambda: ask(gateway, "/health/live").status_code == 429)
        answer = ask(gateway, "/health/live")
        assert problem(contract, answer, 429, "too_many_connections") and answer.headers["Retry-After"] == "5"
    finally:
        for wire in wires:
            wire.socket.close()
    eventually(lambda: ask(gateway, "/health/live").status_code == 200)


def test_one_address_may_send_only_so_many_a_second(behind, directory, contract):
    """As it is shipped but for the numbers, which no test reaches."""
    gateway = Gateway(directory / "proxy-flood-nginx", [behind[0].port], other=[("rate=100r/s", "rate=1r/m"), ("burst=400", "burst=9")])
    try:
        answers = [ask(gateway, "/health/live") for _ in range(12)]
        assert [answer.status_code for answer in answers] == [200] * 10 + [429] * 2
        assert problem(contract, answers[-1], 429, "too_many_connections") and answers[-1].headers["Retry-After"] == "5"
    finally:
        assert gateway.stop() == 0


def test_slow_clients_are_closed(gateway):
    """A head must be whole in time, however it drips; of a body the next bytes."""
    with Wire(gateway.port, tls=gateway.tls(), timeout=PATIENCE_SECONDS) as head, \
            Wire(gateway.port, tls=gateway.tls(), timeout=PATIENCE_SECONDS) as body:
        began = time.monotonic()
        body.send(post(b"Content-Length: 100", body=b"half"))
        head.send(b"GET /health/live HTTP/1.1\r\nHost: a\r\n")
        head.socket.settimeout(0.5)
        while not head.closed and time.monotonic() - began < PATIENCE_SECONDS:
            head.send(b"X-A: b\r\n")
            try:
                head.receive()
            except TimeoutError:
                pass
        assert head.closed and head.received == b"" and HEADER_SECONDS - 1 < time.monotonic() - began
        assert body.rest() == b"" and BODY_SECONDS - 1 < time.monotonic() - began
    assert ask(gateway, "/health/live").status_code == 200


# ---- what it does not start with ---------------------------------------------------------------------


@pytest.mark.parametrize("setting, value, complaint", [
    ("TPBIS_BASE_URL", "http://localhost", "https://host"),
    ("TPBIS_BASE_URL", "https://localhost'; return 200 '", "character"),
    ("PROXY_HTTPS", "8443; root /", "[address:]port"),
    ("PROXY_UPSTREAMS", "localhost", "host:port"),
    ("PROXY_UPSTREAMS", "localhost:8080 a;b:1", "host:port"),
    ("PROXY_CERTIFICATE", "/nosuch/certificate.pem", "cannot read /nosuch/certificate.pem"),
    ("PROXY_ACCESS_LOG", "/tmp/a b", "/tmp/a b"),
])
def test_a_value_that_does_not_fit_stops_the_start(root, gateway, tmp_path, setting, value, complaint):
    environment = {**gateway.environment, "PROXY_RUN": str(tmp_path), setting: value}
    result = subprocess.run([root / ".deploy/nginx/start"], env=environment, capture_output=True, text=True, timeout=20)
    assert result.returncode == 1 and complaint in result.stderr
    assert not (tmp_path / "nginx.conf").exists()


def test_it_says_no_more_of_itself_than_it_must(gateway):
    answer = ask(gateway, "/metrics")
    assert answer.headers["Server"] == "nginx" and json.dumps(answer.json()).find("1.2") < 0
    assert answer.headers["Strict-Transport-Security"] == "max-age=31536000"
    assert ask(gateway, "/health/live").headers["Strict-Transport-Security"] == "max-age=31536000"
