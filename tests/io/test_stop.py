"""The graceful stop: first readiness says no, then the door closes, and whoever is inside is served to the end."""

import signal
import time

import pytest
import requests
from harness.client import problem
from harness.waiting import PATIENCE_SECONDS
from harness.wire import Wire, body_of, statuses, unchunk

NOTICE_MS = 800
STREAM = "/v1/regions?format=csv"  # ten megabytes: more than all socket buffers hold


def get(api, path):
    """On a connection of its own, outside the contract's witness, which is not for several threads."""
    return requests.get(api.address + path, headers={"Authorization": "Bearer " + api.token()}, timeout=30)


def stream(api, receive_buffer=4096):
    """An export whose first bytes have arrived."""
    wire = Wire(api.service.port, receive_buffer=receive_buffer)
    wire.send(f"GET {STREAM} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n"
              f"Authorization: Bearer {api.token()}\r\n\r\n".encode())
    wire.until(rb"\r\n\r\n.")
    assert statuses(wire.received) == [200]
    return wire


def refused(api):
    try:
        Wire(api.service.port, timeout=2).socket.close()
    except (ConnectionRefusedError, ConnectionResetError):  # reset: taken by a door that was just closing
        return True
    return False


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_requests_in_flight_finish(fresh, lock, background, eventually, number):
    api = fresh(drain_notice_ms=NOTICE_MS, drain_idle_ms=1000, drain_timeout_s=20, statement_timeout_ms=40000)
    assert get(api, "/v1/regions/19").status_code == 200
    with lock(api.service.cluster, api.service.database, "region") as held:
        slow = background(get, api, "/v1/regions/19.01")
        eventually(held.waiting)
        api.service.signal(number)

        # While the door is still open: readiness says 503, other requests are served, connections are not kept.
        not_ready = []
        eventually(lambda: not_ready.append(api.get("/health/ready", token=None)) or not_ready[-1].status_code == 503)
        not_ready = not_ready[-1]
        assert problem(not_ready, 503, "draining") and int(not_ready.headers["Retry-After"]) > 0
        assert not_ready.headers["Connection"] == "close"
        assert get(api, "/health/live").status_code == 200
        eventually(lambda: refused(api))
        assert slow.running() and api.service.process.poll() is None
        held.release()
    answer = slow.result()
    assert answer.status_code == 200 and answer.json()["code"] == "19.01"
    assert api.service.process.wait(PATIENCE_SECONDS) == 0
    assert api.service.stop() == 0  # looks for complaints of the sanitizers
    assert [line["left"] for line in api.service.log_lines() if line["event"] == "drained"] == [0]


def test_a_download_in_flight_completes(fresh, eventually):
    api = fresh(drain_timeout_s=30, drain_idle_ms=1000)
    whole = get(api, STREAM).content
    with stream(api, receive_buffer=1 << 18) as wire:
        api.service.signal()
        eventually(lambda: refused(api))
        assert api.service.process.poll() is None
        wire.timeout = 30
        body, complete = unchunk(body_of(wire.rest()))
    assert complete and body == whole
    assert api.service.process.wait(PATIENCE_SECONDS) == 0
    assert api.service.stop() == 0


def test_a_client_that_never_finishes_is_cut(fresh):
    api = fresh(drain_timeout_s=1, drain_idle_ms=1000, connection_timeout_s=60)
    get(api, "/health/live")
    with stream(api) as reader, Wire(api.service.port) as sender, Wire(api.service.port) as idle:
        sender.send(b"POST /oauth2/token HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nhalf")
        idle.send(b"GET /health/live HTTP/1.1\r\nHost: a\r\n\r\n")
        idle.until(rb"live\"}$")
        began = time.monotonic()
        api.service.signal()
        assert api.service.process.wait(PATIENCE_SECONDS) == 0
        assert 1 <= time.monotonic() - began
        assert unchunk(body_of(reader.rest()))[1] is False
        assert sender.rest() == b"" and statuses(idle.rest()) == [200]
    assert api.service.stop() == 0
    assert [line["left"] for line in api.service.log_lines() if line["event"] == "drained"] == [2]


def test_a_statement_that_never_finishes_is_cancelled(fresh, lock, background, eventually):
    """The exit waits for the drain's end, not for the operations' deadline."""
    api = fresh(drain_timeout_s=1, drain_idle_ms=1000, statement_timeout_ms=40000, pool_size=2, pool_wait_ms=30000)
    token = {"Authorization": "Bearer " + api.token()}
    with lock(api.service.cluster, api.service.database, "region") as held:
        slow = [background(requests.get, api.address + "/v1/regions/19", headers=token, timeout=30) for _ in range(4)]
        eventually(lambda: held.waiting() == 2)  # and two wait for a connection
        began = time.monotonic()
        api.service.signal()
        assert api.service.process.wait(PATIENCE_SECONDS) == 0
        assert 1 <= time.monotonic() - began
        eventually(lambda: held.waiting() == 0)
    for waiting in slow:
        try:
            assert waiting.result().json()["code"] in ("timeout", "draining")
        except requests.ConnectionError:
            pass  # closed before its answer was sent
    assert api.service.stop() == 0


def test_nothing_to_wait_for_stops_at_once(fresh):
    api = fresh(drain_idle_ms=1000, drain_timeout_s=600)
    with Wire(api.service.port) as idle:
        idle.send(b"GET /health/live HTTP/1.1\r\nHost: a\r\n\r\n")
        idle.until(rb"live\"}$")
        assert api.service.stop(PATIENCE_SECONDS) == 0  # long before the drain would be over
        idle.rest()


def test_a_second_signal_changes_nothing(fresh, lock, background, eventually):
    api = fresh(statement_timeout_ms=40000)
    api.token()
    with lock(api.service.cluster, api.service.database, "region") as held:
        slow = background(get, api, "/v1/regions/19")
        eventually(held.waiting)
        api.service.signal(signal.SIGTERM)
        eventually(lambda: refused(api))
        api.service.signal(signal.SIGTERM)
        api.service.signal(signal.SIGINT)
        held.release()
    assert slow.result().status_code == 200
    assert api.service.process.wait(PATIENCE_SECONDS) == 0
    assert api.service.stop() == 0
