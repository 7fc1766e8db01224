"""What a supervisor is told (sd_notify): a fake one listens on the socket and writes down every message."""

import os
import signal
import socket
import subprocess
import threading
import time

import pytest
import requests
from harness.proxy import Proxy
from harness.service import Service
from harness.wire import Wire


class Supervisor:
    """NOTIFY_SOCKET's other end; `messages` are (seconds, {NAME: value})."""

    def __init__(self, path):
        self.name = path
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind("\0" + path[1:] if path.startswith("@") else path)
        self.messages = []
        self.thread = threading.Thread(target=self.listen, daemon=True)
        self.thread.start()

    def listen(self):
        while True:
            try:
                text = self.socket.recv(4096).decode()
            except OSError:
                return
            self.messages.append((time.monotonic(), dict(line.split("=", 1) for line in text.splitlines())))

    def told(self, name, value=None):
        return [when for when, message in self.messages if name in message and value in (None, message[name])]

    def close(self):
        self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()


class Supervised(Service):
    def __init__(self, *arguments, environment=None, wait=True, **options):
        self.environment, self.wait = environment or {}, wait
        super().__init__(*arguments, **options)

    def start(self, wait=True):
        super().start(wait and self.wait)

    def popen(self, environment, log):
        return subprocess.Popen([self.binary, "serve"], env={**environment, **self.environment}, stdout=log, stderr=log,
                                start_new_session=True)


@pytest.fixture(params=["path", "abstract"])
def supervisor(request, directory):
    name = f"@tpbis-test-{os.getpid()}" if request.param == "abstract" else str(directory / "notify.sock")
    supervisor = Supervisor(name)
    yield supervisor
    supervisor.close()
    if not name.startswith("@"):
        os.unlink(name)


@pytest.fixture
def make(cluster, directory, supervisor):
    made = []

    def make(environment=None, database=None, **settings):
        database = database or cluster.make_database()
        service = Supervised(cluster, database, directory / database, **settings,
                             environment={"NOTIFY_SOCKET": supervisor.name, **(environment or {})})
        made.append(service)
        return service

    yield make
    for service in made:
        if service.process.poll() is None:
            assert service.stop() == 0
        cluster.drop_database(service.database)


def test_ready_reload_stop(make, supervisor, eventually):
    service = make()
    eventually(lambda: supervisor.told("READY", "1"))
    assert supervisor.messages[-1][1]["STATUS"] == "serving " + service.base_url
    assert not supervisor.told("RELOADING") and not supervisor.told("WATCHDOG")

    before = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
    service.signal(signal.SIGHUP)
    eventually(lambda: len(supervisor.told("READY", "1")) == 2)
    (reloading,) = [message for _, message in supervisor.messages if "RELOADING" in message]
    assert reloading["RELOADING"] == "1"
    assert before <= int(reloading["MONOTONIC_USEC"]) <= time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
    assert supervisor.told("RELOADING")[0] <= supervisor.told("READY")[1]

    assert service.stop() == 0
    eventually(lambda: len(supervisor.told("STOPPING", "1")) == 1)
    assert "STATUS" in supervisor.messages[-1][1]


def test_not_ready_before_it_can_serve(make, supervisor, cluster, eventually):
    """The database is out of reach at the start: the service answers, but does not say that it is ready."""
    database = cluster.make_database()
    with Proxy(cluster, database) as proxy:
        proxy.down()
        service = make(database=database, database_url=proxy.url, wait=False)
        eventually(lambda: supervisor.told("STATUS", "waiting for the database"))
        time.sleep(1)
        assert requests.get(service.address + "/health/live", timeout=5).status_code == 200
        assert not supervisor.told("READY")
        service.signal(signal.SIGHUP)
        eventually(lambda: supervisor.told("RELOADING"))
        time.sleep(0.5)
        assert not supervisor.told("READY")  # not by a reload either
        proxy.up()
        eventually(lambda: supervisor.told("READY", "1"))
        assert requests.get(service.address + "/health/ready", timeout=5).status_code == 200
        assert service.stop() == 0


def test_the_watchdog_is_fed_while_it_serves(make, supervisor, eventually):
    make({"WATCHDOG_USEC": "6000000"})
    eventually(lambda: len(supervisor.told("WATCHDOG", "1")) > 2)
    fed = supervisor.told("WATCHDOG")
    assert max(later - earlier for earlier, later in zip(fed, fed[1:])) < 6


def test_the_watchdog_is_not_fed_when_no_request_ends(make, supervisor, eventually):
    """Every place is taken by clients that never finish: nobody is served, so it counts as dead until they go."""
    service = make({"WATCHDOG_USEC": "1000000"}, connection_limit=16, connection_timeout_s=60)
    eventually(lambda: supervisor.told("WATCHDOG", "1"))
    stuck = [Wire(service.port) for _ in range(16)]
    for wire in stuck:
        wire.send(b"POST /oauth2/token HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nhalf")
    eventually(lambda: any(line["event"] == "not_alive" for line in service.log_lines()), seconds=30)
    before = len(supervisor.told("WATCHDOG"))
    for wire in stuck:
        wire.socket.close()
    eventually(lambda: len(supervisor.told("WATCHDOG")) > before, seconds=30)


def test_a_watchdog_for_another_process_is_not_fed(make, supervisor, eventually):
    make({"WATCHDOG_USEC": "200000", "WATCHDOG_PID": "1"})
    eventually(lambda: supervisor.told("READY", "1"))
    time.sleep(1)
    assert not supervisor.told("WATCHDOG")


@pytest.mark.parametrize("name", ["", "@", "relative", "/nowhere/at/all", "/" + "x" * 200])
def test_a_socket_that_is_none_harms_nothing(fresh, monkeypatch, name):
    monkeypatch.setenv("NOTIFY_SOCKET", name)
    api = fresh()
    assert api.get("/health/ready", token=None).status_code == 200
