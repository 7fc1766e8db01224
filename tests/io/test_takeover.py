"""A new process follows an old one on the same port: no request fails, none is lost.

The socket is the parent's (as systemd's would be) and both processes hold it, so that there is one queue of waiting
connections, which outlives each of them."""

import os
import signal
import socket
import subprocess
import sys
import time

import pytest
import requests
from harness.handover import Handed, handed
from harness.load import Load
from harness.waiting import PATIENCE_SECONDS, until

IDLE_MS = 2000


def count(service):
    return sum(line["event"] == "request" and line["path"] == "/v1/regions/19.01" for line in service.log_lines())


@pytest.fixture
def listener():
    with socket.create_server(("127.0.0.1", 0), backlog=1024) as listener:
        yield listener


@pytest.fixture
def database(cluster):
    name = cluster.make_database()
    yield name
    cluster.drop_database(name)


@pytest.fixture
def make(cluster, database, directory, listener):
    made = []

    def make(name, **settings):
        service = Handed(listener, cluster, database, directory / f"{database}-{name}", keys=directory / f"{database}-keys",
                         **{"drain_idle_ms": IDLE_MS, **settings})
        made.append(service)
        return service

    cluster.run(database, "key", "create", keys=directory / f"{database}-keys")
    yield make
    for service in made:
        assert service.stop() in (0, -signal.SIGKILL)


def token_of(cluster, service):
    client = cluster.clients["portal"]
    answer = requests.post(service.address + "/oauth2/token", data={"grant_type": "client_credentials"},
                           auth=(client["client_id"], client["client_secret"]), timeout=10)
    return answer.json()["access_token"]


def test_no_request_fails(cluster, make, eventually):
    first = make("a")
    with Load(first.address, token_of(cluster, first)) as load:
        load.run_for(1)
        for turn in range(3):
            second = make("bcd"[turn])
            eventually(lambda second=second: count(second) > 20)  # it serves beside the old one
            load.run_for(0.5)
            assert first.stop() == 0
            load.run_for(1)
            first = second
    assert not load.faults, load.faults[:5]
    assert min(load.counts["kept"], load.counts["fresh"]) > 200, load.counts


def test_who_comes_between_two_processes_waits(cluster, make):
    """The old one is gone before the new one is there: connections queue up, and are answered."""
    first = make("a")
    token = token_of(cluster, first)
    with Load(first.address, token, kept=2, fresh=4) as load:
        load.run_for(0.5)
        assert first.stop() == 0
        time.sleep(1)
        make("b")
        load.run_for(1)
    assert not load.faults, load.faults[:5]
    assert load.slowest > 0.9  # somebody did wait


def test_an_idle_connection_gets_its_last_answer(cluster, make):
    """A client that has kept its connection and asks again during the drain is told that this was the last."""
    first = make("a", drain_idle_ms=600000, drain_timeout_s=600)
    with requests.Session() as session:
        assert session.get(first.address + "/health/live", timeout=5).status_code == 200
        first.signal()
        until(lambda: session.get(first.address + "/health/live", timeout=30).headers.get("Connection") == "close")
        assert first.process.wait(PATIENCE_SECONDS) == 0  # nobody else was there to wait for


def test_a_process_killed_leaves_the_queue_to_the_other(cluster, make):
    first, second = make("a"), make("b")
    token = token_of(cluster, first)
    first.kill()
    with Load(second.address, token) as load:
        load.run_for(1)
    assert not load.faults


@pytest.mark.parametrize("family, kind, listening, fds, why", [
    (socket.AF_INET, socket.SOCK_STREAM, False, "1", "not a listening stream socket"),
    (socket.AF_INET, socket.SOCK_DGRAM, False, "1", "not a listening stream socket"),
    (socket.AF_UNIX, socket.SOCK_STREAM, True, "1", "not an IPv4 or IPv6 socket"),
    (socket.AF_INET, socket.SOCK_STREAM, True, "2", "one socket is served"),
])
def test_another_socket_is_refused(cluster, directory, family, kind, listening, fds, why):
    keys = directory / "handed-keys"
    cluster.run("tpbis_template", "key", "create", keys=keys)
    with socket.socket(family, kind) as listener:
        listener.bind(str(directory / "handed.sock") if family == socket.AF_UNIX else ("127.0.0.1", 0))
        if listening:
            listener.listen()
        environment = dict(os.environ, TPBIS_DATABASE_URL=cluster.url("tpbis_template"), TPBIS_KEY_DIRECTORY=str(keys))
        result = subprocess.run(handed(listener, fds, cluster.binary, "serve"), env=environment, capture_output=True, text=True,
                                pass_fds=[listener.fileno()], timeout=30)
    if family == socket.AF_UNIX:
        (directory / "handed.sock").unlink()
    assert result.returncode == 1 and why in result.stderr, result.stderr


def test_a_socket_meant_for_another_process_is_left_alone(fresh, monkeypatch):
    """LISTEN_PID is the id of a parent that did not clean up after itself."""
    monkeypatch.setenv("LISTEN_PID", str(os.getpid()))
    monkeypatch.setenv("LISTEN_FDS", "1")
    api = fresh()
    assert api.get("/health/live", token=None).status_code == 200


def test_separate_queues_lose_what_waits_in_them():
    """Why SO_REUSEPORT is no way to take over: what a closing socket had not yet accepted is reset."""
    with socket.socket() as old, socket.socket() as new:
        for one in (old, new):
            one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            one.bind(("127.0.0.1", old.getsockname()[1] if one is new else 0))
            one.listen(64)
        port = old.getsockname()[1]
        waiting = [socket.create_connection(("127.0.0.1", port), timeout=2) for _ in range(40)]
        old.close()
        lost = 0
        for client in waiting:
            client.settimeout(0.05)
            try:
                lost += client.recv(1) == b""
            except ConnectionResetError:
                lost += 1
            except TimeoutError:
                pass
            client.close()
    with open("/proc/sys/net/ipv4/tcp_migrate_req", encoding="ascii") as setting:
        migrates = setting.read().strip() == "1"
    print(f"lost {lost} of 40", file=sys.stderr)
    assert migrates or lost > 0
