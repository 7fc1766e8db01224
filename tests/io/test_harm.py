"""Clients that do harm, by design or by accident. Rule: while one of them does, every other client gets its answer,
soon, and the process stays small."""

import socket
import threading
import time
from pathlib import Path

import pytest
import requests
from harness.client import problem
from harness.exports import STREAM, open_stream
from harness.proxy import Proxy
from harness.wire import Wire, body_of, statuses, unchunk
from harness.waiting import PATIENCE_SECONDS

MIB = 1 << 20
LATENCY_SECONDS = 20  # soon enough that nobody waits for the harm to end; a busy machine takes its time
# Of a sanitized build: what it holds of a connection's thread, and the freed memory it keeps to watch it.
GROWTH_BYTES = 96 * MIB
TOKEN_REQUEST = b"POST /oauth2/token HTTP/1.1\r\nHost: a\r\nContent-Type: application/x-www-form-urlencoded\r\n"


@pytest.fixture
def api(fresh, monkeypatch):
    monkeypatch.setenv("ASAN_OPTIONS", "abort_on_error=1:detect_leaks=1:quarantine_size_mb=8")
    api = fresh(stream_limit=2, connection_timeout_s=4)
    assert api.get("/v1/regions/19").status_code == 200
    return api


def resident_bytes(api):
    status = Path(f"/proc/{api.service.process.pid}/status").read_text(encoding="ascii")
    return int(next(line for line in status.splitlines() if line.startswith("VmRSS:")).split()[1]) * 1024


class Others:
    """Well-behaved clients: each asks again and again, on new connections and old ones."""

    def __init__(self, api, count=2):
        self.api, self.headers = api, {"Authorization": "Bearer " + api.token()}
        self.expected = api.get("/v1/regions?parent=19").content
        self.failures, self.seconds = [], []
        self.largest = self.smallest = resident_bytes(api)
        self.done = threading.Event()
        self.threads = [threading.Thread(target=self.ask, args=(number,)) for number in range(count)]

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, kind, *_):
        self.done.set()
        for thread in self.threads:
            thread.join(30)
        if kind is None:
            self.judge()

    def ask(self, number):
        session = requests.Session()
        while not self.done.is_set():
            began = time.monotonic()
            try:
                get = session.get if number else requests.get
                answer = get(self.api.address + "/v1/regions?parent=19", headers=self.headers, timeout=30)
                if answer.status_code != 200 or answer.content != self.expected:
                    self.failures.append(answer.text)
            except requests.RequestException as error:
                self.failures.append(repr(error))
            self.seconds.append(time.monotonic() - began)
            self.largest = max(self.largest, resident_bytes(self.api))
            time.sleep(0.005)

    def answered(self, count, seconds=PATIENCE_SECONDS):
        """Waits until so many more answers have come."""
        end, goal = time.monotonic() + seconds, len(self.seconds) + count
        while len(self.seconds) < goal:
            assert time.monotonic() < end, "the other clients wait"
            time.sleep(0.01)

    def judge(self):
        assert self.failures == []
        assert len(self.seconds) >= 10 and max(self.seconds) < LATENCY_SECONDS, max(self.seconds)
        grown = self.largest - self.smallest
        assert grown < GROWTH_BYTES, f"grown by {grown / MIB:.0f} MiB"


def drip(wire, data, bound):
    """Sends it again and again, up to so many bytes or until the other side closes."""
    sent = 0
    while sent < bound and wire.send(data):
        sent += len(data)
    return sent


def test_a_gigabyte_announced(api):
    with Others(api) as others, Wire(api.service.port, timeout=30) as wire:
        wire.send(TOKEN_REQUEST + b"Content-Length: 1000000000\r\n\r\n")
        drip(wire, b"a" * MIB, 16 * MIB)
        wire.rest()
        others.answered(10)
    assert statuses(wire.received) == [413]  # before it came, and nothing of it is kept


def test_an_endless_chunked_body(api):
    chunk = b"100000\r\n" + b"a" * MIB + b"\r\n"
    with Others(api) as others, Wire(api.service.port, timeout=30) as wire:
        wire.send(TOKEN_REQUEST + b"Transfer-Encoding: chunked\r\n\r\n")
        sent = drip(wire, chunk, 16 * MIB)
        if sent >= 16 * MIB:
            wire.send(b"0\r\n\r\n")
        wire.rest()
        others.answered(10)
    assert statuses(wire.received) == [413]


BOMBS = {
    "a megabyte of opening brackets": b"[" * (MIB - 1),
    "a megabyte of empty arrays": b"[" + b"[]," * (MIB // 3 - 2) + b"[]]",
    "brackets to the body's limit": b"[" * 65000,
    "empty arrays to the body's limit": b'{"applications":[' + b"[]," * 21000 + b"[]]}",
    "members to the body's limit": b'{"a":' * 10000 + b"1" + b"}" * 10000,
    "a million digits": b'{"computers":' + b"9" * 65000 + b"}",
    "escapes to the body's limit": b'{"name":"' + b"\\u0041" * 10000 + b'"}',
}


def test_json_bombs(api):
    token = api.token("national_admin")
    headers = {"Authorization": "Bearer " + token, "Content-Type": "application/json", "Accept-Language": "en"}
    with Others(api) as others:
        for name, bomb in BOMBS.items():
            for _ in range(5):
                answer = requests.post(api.address + "/v1/libraries", data=bomb, headers=headers, timeout=30)
                assert answer.status_code in (400, 413, 422), (name, answer.text[:300])
                assert answer.headers["Content-Type"] == "application/problem+json", name
        others.answered(10)


def test_300_half_open_connections(api):
    wires = []
    try:
        with Others(api) as others:
            for number in range(300):
                wire = Wire(api.service.port)
                # Nothing at all, half a request line, half a header, or half a body.
                wire.send((b"", b"GET /v1/regions", b"GET /health/live HTTP/1.1\r\nHost: a\r\nX-A: b",
                           TOKEN_REQUEST + b"Content-Length: 1000\r\n\r\nhalf")[number % 4])
                wires.append(wire)
            others.answered(20)
        # They end by the timeout, unanswered.
        for wire in wires:
            assert statuses(wire.rest(20)) == []
    finally:
        for wire in wires:
            wire.socket.close()


def test_headers_that_never_end(api):
    """Each byte keeps the connection open: only the number of connections, and a proxy, bound this."""
    with Others(api) as others:
        wires = [Wire(api.service.port) for _ in range(50)]
        for wire in wires:
            wire.send(b"GET /health/live HTTP/1.1\r\nHost: a\r\n")
        for _ in range(20):
            for wire in wires:
                wire.send(b"X-A: b\r\n")
            others.answered(2)
        for wire in wires:  # whoever finishes is served
            wire.send(b"Connection: close\r\n\r\n")
            assert statuses(wire.rest()) == [200]
            wire.socket.close()


def test_a_reader_of_one_byte_at_a_time(api):
    with Others(api) as others, open_stream(api) as slow:
        assert statuses(slow.received) == [200]
        for _ in range(40):
            assert slow.receive(1)
            others.answered(1)
        figures = api.get("/metrics", token=None).text
        assert "\ntpbis_streams 1\n" in figures


def test_a_stream_holds_no_database_connection(fresh, eventually):
    api = fresh(pool_size=1)
    with open_stream(api) as slow:
        assert statuses(slow.received) == [200]
        # It fetches until the socket is full; from then on the only connection is free.
        eventually(lambda: "\ntpbis_pool_lent 0\n" in api.get("/metrics", token=None).text)
        for _ in range(10):
            assert api.get("/v1/regions/19").status_code == 200
        assert "\ntpbis_streams 1\n" in api.get("/metrics", token=None).text


def test_streams_beyond_the_limit_are_busy(api, eventually):
    with open_stream(api) as one, open_stream(api) as two:
        assert statuses(one.received) == statuses(two.received) == [200]
        answer = api.get(STREAM, token=api.token("integration"))
        assert problem(answer, 503, "busy") and int(answer.headers["Retry-After"]) > 0
        assert api.get("/v1/regions?parent=19").status_code == 200  # a page is no stream
    # Both have gone away: their places come free.
    eventually(lambda: api.get("/v1/libraries?within=19&format=csv").status_code == 200)


def test_a_slow_reader_does_not_hold_its_place_for_ever(fresh, eventually):
    """It takes a byte now and then, so that its connection never counts as idle."""
    api = fresh(stream_limit=1, stream_timeout_s=2, connection_timeout_s=60)
    with open_stream(api) as slow:
        problem(api.get(STREAM), 503, "busy")

        def free():
            slow.receive(1)
            return api.figure("tpbis_streams") == 0

        eventually(free, 6)
        assert not unchunk(body_of(slow.rest()))[1]
        assert api.get("/v1/libraries?within=19&format=csv").status_code == 200
        eventually(lambda: [line["problem"] for line in api.service.log_lines() if line["event"] == "stream"] == ["cut", None])


def test_a_stream_cut_by_a_lost_database_does_not_look_whole(fresh, cluster):
    api = fresh(pool_wait_ms=500)
    whole = requests.get(api.address + STREAM, headers={"Authorization": "Bearer " + api.token(),
                                                        "Accept-Encoding": "identity"}, timeout=30).content
    assert api.service.stop() == 0
    with Proxy(cluster, api.service.database) as proxy:
        api.service.settings["database_url"] = proxy.url
        api.service.start()
        with open_stream(api, receive_buffer=65536) as wire:
            proxy.down()
            data, complete = unchunk(body_of(wire.rest(30)))
        assert statuses(wire.received) == [200] and not complete
        assert 0 < len(data) < len(whole) and whole.startswith(data)
        lines = [line for line in api.service.log_lines() if line["event"] == "stream"]
        assert [line["problem"] for line in lines] == [None, "cut"]
        assert api.service.stop() == 0


def test_clients_that_vanish(api, eventually):
    """Resets in the middle of an answer: nothing leaks, no place in the streams is lost."""
    for _ in range(10):
        with open_stream(api) as wire:
            wire.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")
        eventually(lambda: api.figure("tpbis_streams") == 0)
    eventually(lambda: api.figure("tpbis_in_flight") == 1)


def trickle(api, source, count):
    """Connections from that address, each with a head that has begun and does not end."""
    wires = []
    for _ in range(count):
        try:
            client = socket.create_connection(("127.0.0.1", api.service.port), 10, (source, 0))
        except OSError:
            continue
        client.setblocking(False)
        wires.append(client)
    return wires


def send_a_byte(clients):
    """How many of them are still open."""
    still = 0
    for client in clients:
        try:
            client.send(b"G")
            still += client.recv(1, socket.MSG_PEEK) != b""
        except BlockingIOError:
            still += 1
        except OSError:
            pass
    return still


def test_slow_heads_of_one_address_leave_room_for_others(fresh, eventually):
    """More connections than there are places, a byte now and then on each: that address holds its share, and the others get theirs. Whoever is a
    trusted proxy may hold more, for everybody comes through it."""
    api = fresh(connection_limit=48, connection_limit_per_address=16, trusted_proxies="127.0.0.3")
    clients = trickle(api, "127.0.0.2", 96)
    try:
        eventually(lambda: send_a_byte(clients) <= 16)
        for _ in range(20):
            assert requests.get(api.address + "/health/live", timeout=10).status_code == 200
            assert send_a_byte(clients) <= 16
        proxied = trickle(api, "127.0.0.3", 24)
        clients += proxied
        assert requests.get(api.address + "/health/live", timeout=10).status_code == 200
        assert send_a_byte(proxied) == 24
        refused = eventually(lambda: [line for line in api.service.log_lines() if line["event"] == "connections_refused"])
        assert len(refused) == 1 and 0 < refused[0]["count"] <= 80  # one line a minute
        assert eventually(lambda: api.figure("tpbis_connections_refused_total") == 80)
    finally:
        for client in clients:
            client.close()


def test_connections_without_a_place_are_counted(fresh, eventually):
    def served():
        try:
            return requests.get(api.address + "/health/live", timeout=10).status_code == 200
        except requests.ConnectionError:  # the places are not free yet: this one is counted, too
            return False

    api = fresh(connection_limit=16, connection_limit_per_address=0)
    clients = trickle(api, "127.0.0.2", 26)
    try:
        eventually(lambda: send_a_byte(clients) <= 16)
        refused = eventually(lambda: [line for line in api.service.log_lines() if line["event"] == "connections_refused"])
        assert 0 < refused[0]["count"] <= 10
        for client in clients:
            client.close()
        eventually(served)
        assert api.figure("tpbis_connections_refused_total") >= 10
    finally:
        for client in clients:
            client.close()


def test_a_request_arrives_whole_in_time(fresh, eventually):
    """However it drips; time in which it is answered does not count, nor what another request on the same connection took."""
    api = fresh(request_timeout_s=3, connection_timeout_s=60)
    with Wire(api.service.port) as slow, open_stream(api, receive_buffer=65536) as stream:
        begun = time.monotonic()
        while slow.send(b"G") and time.monotonic() - begun < 60:
            slow.socket.settimeout(0.2)
            try:
                if not slow.receive():
                    break
            except TimeoutError:
                pass
            stream.receive(16384)
        assert 2 < time.monotonic() - begun < 60
        assert api.figure("tpbis_connections_timed_out_total") >= 1
        assert unchunk(body_of(stream.rest(120)))[1]
