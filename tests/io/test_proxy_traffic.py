"""What goes through the proxy comes out as the service said it: tags, packing, exports, preconditions. And what the
proxy adds on the way, to the service and to its log."""

import base64
import itertools
import json
import os
import re
import shutil
import socket
import stat
import subprocess
import threading
import time

import pytest
import requests
from harness.client import Api, problem
from harness.gateway import BASE_URL, Gateway
from harness.service import Service, free_port
from harness.wire import Wire, body_of, statuses, unchunk

LIST = "/v1/libraries?within=19&kind=village"
STREAM = "/v1/regions?format=csv"  # ten megabytes: more than all buffers hold


def through(gateway, service, cluster, contract):
    """A client that knows the service by the proxy alone."""
    api = Api(service, cluster.clients, contract)
    api.address, api.turns = gateway.address, itertools.repeat(gateway.address)
    api.session.verify = str(gateway.certificate)
    return api


@pytest.fixture(scope="module")
def gateway(cluster, directory):
    service = Service(cluster, cluster.make_database(), directory / "proxy-traffic", base_url=BASE_URL)
    gateway = Gateway(directory / "proxy-traffic-nginx", [service.port])
    gateway.service = service
    yield gateway
    assert gateway.stop() == 0
    assert service.stop() == 0
    cluster.drop_database(service.database)


@pytest.fixture(scope="module")
def api(gateway, cluster, contract):
    return through(gateway, gateway.service, cluster, contract)


def connections_to(port):
    """The local ports of established connections to that port."""
    with open("/proc/net/tcp", encoding="ascii") as table:
        rows = [line.split() for line in list(table)[1:]]
    return {int(row[1].split(":")[1], 16) for row in rows if row[3] == "01" and int(row[2].split(":")[1], 16) == port}


def workers(gateway):
    """The pids of nginx' workers."""
    master = int((gateway.run / "nginx.pid").read_text(encoding="ascii"))
    with open(f"/proc/{master}/task/{master}/children", encoding="ascii") as children:
        return [int(pid) for pid in children.read().split()]


def resident_kib(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as lines:
        return int(next(line for line in lines if line.startswith("VmRSS:")).split()[1])


# ---- what comes out ------------------------------------------------------------------------------------


def test_connections_to_the_service_are_kept(gateway, api):
    api.token()
    seen = set()
    for _ in range(30):
        answer = requests.get(gateway.address + "/v1/regions/19", verify=str(gateway.certificate), timeout=30,
                              headers={"Authorization": "Bearer " + api.token()})  # a new connection each time
        assert answer.status_code == 200
        seen |= connections_to(gateway.service.port)
    assert 1 <= len(seen) <= 2 * len(workers(gateway))  # not thirty


def test_tags_and_packing_survive(gateway, api):
    before = len(gateway.lines())
    packed = api.get(LIST, headers={"Accept-Encoding": "gzip"})
    plain = api.get(LIST, headers={"Accept-Encoding": "identity"})
    assert packed.headers["Content-Encoding"] == "gzip" and "Content-Encoding" not in plain.headers
    assert packed.content == plain.content
    tag = plain.headers["ETag"]
    assert re.fullmatch(r'"[^"]+"', tag) and packed.headers["ETag"] == tag[:-1] + '-gz"'
    for given in (tag, packed.headers["ETag"], "W/" + tag, '"other", ' + tag):
        answer = api.get(LIST, headers={"If-None-Match": given})
        assert answer.status_code == 304 and answer.headers["ETag"] in (tag, packed.headers["ETag"]) and not answer.content
    assert api.get(LIST, headers={"If-None-Match": '"other"'}).status_code == 200
    assert "Accept-Encoding" in plain.headers["Vary"]
    head = api.request("HEAD", LIST, headers={"Accept-Encoding": "identity"})
    assert head.headers["ETag"] == tag and head.headers["Content-Length"] == str(len(plain.content))
    assert len(gateway.lines()) >= before + 7  # this was no talk behind the proxy's back


def test_preconditions_are_the_service_s_alone(api):
    """nginx has a check of If-Match of its own, which would compare it with the new tag."""
    library = api.get(LIST).json()["items"][0]
    path, writer = f"/v1/libraries/{library['id']}", api.token("national_admin")
    before = api.get(path).headers["ETag"]
    changed = api.patch(path, {"name": library["name"] + " Baru"}, etag=before, token=writer)
    assert changed.status_code == 200, changed.text
    assert changed.headers["ETag"] != before and api.get(path).json()["name"].endswith(" Baru")
    problem(api.patch(path, {"name": "x"}, etag=before, token=writer), 412, "precondition_failed")
    problem(api.patch(path, {"name": "x"}, token=writer), 428, "precondition_required")


def test_the_service_s_problems_pass_as_they_are(api):
    problem(api.get("/v1/nosuch"), 404, "not_found")
    problem(api.get("/v1/regions/19", token=None), 401, "unauthorized")
    answer = api.post("/v1/libraries", json={"name": 1}, token=api.token("national_admin"))
    assert problem(answer, 422, "invalid_body")["errors"]
    assert api.get("/v1/regions?limit=0").json()["type"] == BASE_URL + "/problems/invalid_parameter"


def test_pages_can_be_followed(api):
    first = api.get("/v1/regions?parent=19&limit=4")
    target = re.match("<([^>]+)>", first.headers["Link"])[1]
    second = api.get(target.removeprefix(BASE_URL))
    codes = [item["code"] for answer in (first, second) for item in answer.json()["items"]]
    assert codes == sorted(set(codes)) and len(codes) > 4


def test_http_2(gateway, api):
    def curl(*words):
        result = subprocess.run(["curl", "--silent", "--show-error", "--http2", "--cacert", gateway.certificate, "--write-out",
                                 "\n%{http_version} %{http_code} %{content_type}", *words],
                                capture_output=True, text=True, check=True, timeout=60)
        return result.stdout.rpartition("\n")

    body, _, told = curl("-H", "Authorization: Bearer " + api.token(), gateway.address + "/v1/regions/19")
    assert told == "2 200 application/json" and json.loads(body)["code"] == "19"
    body, _, told = curl("-X", "POST", "--data-binary", "a" * 100, "-H", "Content-Length: 2000000", gateway.address + "/oauth2/token")
    assert told == "2 413 application/problem+json" and json.loads(body)["code"] == "body_too_large"
    _, _, told = curl("-X", "TRACE", gateway.address + "/health/live")
    assert told == "2 501 application/problem+json"


# ---- exports -------------------------------------------------------------------------------------------


def stream(gateway, api, receive_buffer):
    wire = Wire(gateway.port, tls=gateway.tls(), receive_buffer=receive_buffer, timeout=60)
    wire.send(f"GET {STREAM} HTTP/1.1\r\nHost: a\r\nConnection: close\r\nAuthorization: Bearer {api.token()}\r\n\r\n".encode())
    wire.until(rb"\r\n\r\n.")
    assert statuses(wire.received) == [200]
    return wire


def deleted_files(pid):
    """Sizes of the files that a process holds open and nobody else can see, as nginx' own are."""
    sizes = []
    for entry in os.scandir(f"/proc/{pid}/fd"):
        try:
            found = os.stat(entry.path)
            if stat.S_ISREG(found.st_mode) and "(deleted)" in os.readlink(entry.path):
                sizes.append(found.st_size)
        except FileNotFoundError:
            pass
    return sizes


def test_an_export_passes_in_pieces(gateway, api):
    """A slow reader slows the service down; neither the disk nor the memory of the proxy holds the whole."""
    direct = requests.get(gateway.service.address + STREAM, headers={"Authorization": "Bearer " + api.token()}, timeout=60).content
    assert len(direct) > 4 << 20
    before = sum(resident_kib(pid) for pid in workers(gateway))
    with stream(gateway, api, 4096) as wire:
        time.sleep(1)
        assert sum(resident_kib(pid) for pid in workers(gateway)) - before < 3000
        assert not any(size for pid in workers(gateway) for size in deleted_files(pid))
        assert not [name for path in (gateway.run / "proxy").rglob("*") if path.is_file() for name in [path.name]]
        assert "\ntpbis_streams 1\n" in requests.get(gateway.service.address + "/metrics", timeout=30).text  # it waits
        body, complete = unchunk(body_of(wire.rest(60)))
    assert complete and body == direct


def test_an_export_that_breaks_off_does_not_look_whole(cluster, directory, contract):
    service = Service(cluster, cluster.make_database(), directory / "proxy-broken", base_url=BASE_URL)
    gateway = Gateway(directory / "proxy-broken-nginx", [service.port])
    api = through(gateway, service, cluster, contract)
    with stream(gateway, api, 65536) as wire:
        service.kill()
        body, complete = unchunk(body_of(wire.rest(60)))
    assert body and not complete
    assert gateway.stop() == 0
    cluster.drop_database(service.database)


# ---- what it adds ----------------------------------------------------------------------------------------


class Listener:
    """Takes one request and shows what the proxy sends."""

    def __init__(self):
        self.door = socket.create_server(("127.0.0.1", 0))
        self.port = self.door.getsockname()[1]
        self.received = b""
        self.thread = threading.Thread(target=self.listen, daemon=True)
        self.thread.start()

    def listen(self):
        client, _ = self.door.accept()
        with client:
            while b"\r\n\r\n" not in self.received:
                self.received += client.recv(65536)
            client.sendall(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n")

    def request(self):
        self.thread.join(20)
        self.door.close()
        head = self.received.decode("ascii").split("\r\n\r\n")[0].split("\r\n")
        return head[0], {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:])}


def test_what_reaches_the_service(directory):
    listener = Listener()
    gateway = Gateway(directory / "proxy-listener-nginx", [listener.port])
    requests.get(gateway.address + "/a%2Fb//c?d=e%20f", verify=str(gateway.certificate), timeout=30, headers={
        "X-Forwarded-For": "203.0.113.9", "Forwarded": "for=203.0.113.9", "X-Real-IP": "203.0.113.9", "X-Forwarded-Host": "evil",
        "X-Forwarded-Proto": "gopher", "Proxy": "http://evil", "X-Edge-Request-Id": "ours-1", "X-Request-Id": "mine-1", "traceparent": "00-x", "Connection": "close, X-A",
        "X-A": "b", "Authorization": "Bearer t", "If-Match": '"1.a"', "Idempotency-Key": "k", "Host": "API.Example.ID"})
    line, headers = listener.request()
    assert gateway.stop() == 0
    assert line == "GET /a%2Fb//c?d=e%20f HTTP/1.1"  # byte for byte
    assert headers["x-forwarded-for"] == "127.0.0.1" and headers["x-forwarded-proto"] == "https"
    assert not {"forwarded", "x-real-ip", "x-forwarded-host", "proxy", "connection"} & set(headers)
    assert headers["x-request-id"] == "mine-1" and re.fullmatch("[0-9a-f]{32}", headers["x-edge-request-id"]) and headers["host"] == "api.example.id"
    assert (headers["authorization"], headers["if-match"], headers["idempotency-key"]) == ("Bearer t", '"1.a"', "k")
    assert headers["traceparent"] == "00-x"


def test_a_line_in_the_log_for_every_request_and_nothing_private(gateway, api, eventually):
    token = api.token()
    answer = api.get("/v1/libraries?q=Ibu%20Sari&limit=1", headers={"X-Request-Id": "find-me" + "x" * 121, "X-Edge-Request-Id": "forged", "User-Agent": "secret-agent"})
    request_id = answer.headers["X-Request-Id"]
    assert re.fullmatch("[0-9a-f]{32}", request_id)
    api.get("/metrics?q=Ibu%20Sari", headers={"X-Request-Id": 'bad "id'})
    client = api.client("portal")
    basic = base64.b64encode(f"{client['client_id']}:{client['client_secret']}".encode()).decode()
    api.post("/oauth2/token", data={"grant_type": "client_credentials"}, auth=(client["client_id"], client["client_secret"]), token=None)
    eventually(lambda: gateway.lines()[-1]["path"] == "/oauth2/token")  # written when all of the answer has left
    lines = gateway.lines()
    line = next(line for line in lines if line["request_id"] == request_id)
    assert line["caller_request_id"] == "find-me" + "x" * 121
    assert (line["method"], line["path"], line["status"], line["protocol"]) == ("GET", "/v1/libraries", 200, "HTTP/1.1")
    assert line["client"] == "127.0.0.1" and line["upstream"] == f"127.0.0.1:{gateway.service.port}" and line["tls"] == "TLSv1.3"
    assert any(row.get("request_id") == request_id and row["caller_request_id"] == "find-me" + "x" * 121 and row["status"] == 200 for row in gateway.service.log_lines())
    refused = next(line for line in lines if line["path"] == "/metrics" and line["status"] == 404)
    assert re.fullmatch("[0-9a-f]{32}", refused["request_id"]) and refused["caller_request_id"] == "" and refused["upstream"] == ""
    text = gateway.access_log.read_text(encoding="utf-8") + gateway.error_log.read_text(encoding="utf-8")
    for private in ("Sari", token, token.split(".")[2], client["client_secret"], basic, "secret-agent", "limit=1"):
        assert private not in text, private


# ---- what changes while it runs ---------------------------------------------------------------------------


class Asking:
    """A client that asks without a pause; `failures` are answers other than 200."""

    def __init__(self, gateway):
        self.gateway, self.failures, self.count, self.done = gateway, [], 0, threading.Event()
        self.thread = threading.Thread(target=self.ask)

    def ask(self):
        while not self.done.is_set():
            try:
                status = requests.get(self.gateway.address + "/health/live", verify=False, timeout=30).status_code
            except requests.RequestException as error:
                status = repr(error)
            self.failures += [status] if status != 200 else []
            self.count += 1

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.done.set()
        self.thread.join(40)


@pytest.mark.filterwarnings("ignore:Unverified HTTPS request")
def test_a_certificate_is_replaced_without_a_lost_request(gateway, root, directory, eventually):
    def serial():
        with gateway_context.wrap_socket(socket.create_connection(("127.0.0.1", gateway.port)), server_hostname="localhost") as wire:
            return wire.getpeercert(binary_form=True)

    gateway_context = gateway.tls()
    before = serial()
    subprocess.run([root / ".deploy/make-secrets", "localhost", directory / "new-secrets"], check=True, capture_output=True)
    with Asking(gateway) as asking:
        for name in ("key.pem", "certificate.pem"):
            shutil.move(directory / "new-secrets/tls" / name, gateway.secrets / "tls" / name)
        gateway_context = gateway.tls()

        def replaced():
            try:
                return serial() != before
            except OSError:  # the old one, which this context does not know
                return False

        eventually(replaced, 15)
        count = asking.count
        eventually(lambda: asking.count > count + 5, 20)
    assert asking.failures == []


@pytest.mark.filterwarnings("ignore:Unverified HTTPS request")
def test_processes_come_and_go_by_name(cluster, directory, eventually):
    """As with `docker-compose up --scale api=2`: the name has another address, and the proxy notices."""
    port, database = free_port(), cluster.make_database()
    first = Service(cluster, database, directory / "named-1", base_url=BASE_URL, port=port, drain_idle_ms=1000, listen_address="127.0.0.1")
    second = Service(cluster, database, directory / "named-2", keys=first.keys_dir, base_url=BASE_URL, port=port, drain_idle_ms=1000,
                     listen_address="127.0.0.2")
    names = directory / "names"
    names.mkdir()
    (names / "addresses").write_text("127.0.0.1 STREAM api\n", encoding="ascii")
    (names / "getent").write_text(f"#!/bin/sh\n[ \"$2\" = api ] && cat {names}/addresses\n", encoding="ascii")  # in place of a DNS
    (names / "getent").chmod(0o755)
    path = os.environ["PATH"]
    os.environ["PATH"] = f"{names}:{path}"
    try:
        gateway = Gateway(directory / "named-nginx", [], upstreams=f"api:{port}")
    finally:
        os.environ["PATH"] = path

    def asked(service):
        return sum(line["event"] == "request" for line in service.log_lines())

    with Asking(gateway) as asking:
        idle = asked(second)
        (names / "addresses").write_text("127.0.0.1 STREAM api\n127.0.0.2 STREAM api\n", encoding="ascii")
        eventually(lambda: asked(second) > idle + 5, 20)
        (names / "addresses").write_text("127.0.0.2 STREAM api\n", encoding="ascii")
        eventually(lambda: (gateway.run / "upstream.conf").read_text(encoding="ascii").count("127.0.0.1") == 0, 20)
        time.sleep(1)
        assert first.stop() == 0
        count = asking.count
        eventually(lambda: asking.count > count + 20, 20)
    assert asking.failures == []
    assert gateway.stop() == 0 and second.stop() == 0
    cluster.drop_database(database)


def test_it_ends_with_nginx(directory, eventually):
    """A supervisor must see a proxy that died."""
    gateway = Gateway(directory / "dying-nginx", [free_port()])
    orphans = workers(gateway)
    os.kill(int((gateway.run / "nginx.pid").read_text(encoding="ascii")), 9)
    eventually(lambda: gateway.process.poll() is not None, 10)
    assert gateway.process.returncode != 0
    for pid in orphans:  # in a container they end with their first process
        os.kill(pid, 15)
