"""One running service: the real binary on a free port, stopped by its pid."""

import json
import os
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path

import requests

from harness.cluster import clean_environment

START_SECONDS = 30


RESERVED = []


def free_port():
    """A port that nobody else gets while this process lives, on any address.

    A socket stays bound to it and never listens. Linux lets a second socket bind the same port and listen where both have
    SO_REUSEADDR, which every server here sets, and gives the port neither to who binds port 0 nor to who connects."""
    probe = socket.socket(socket.AF_INET6 if socket.has_dualstack_ipv6() else socket.AF_INET)
    if probe.family == socket.AF_INET6:
        probe.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
    probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    probe.bind(("", 0))
    RESERVED.append(probe)
    return probe.getsockname()[1]


class Service:
    """`tpbis serve` against one database. Its log lines are in `log_path`, its pid in `process.pid`."""

    def __init__(self, cluster, database, directory, keys=None, binary=None, twins=0, started=True, **settings):
        """`twins`: how many more processes serve the same database with the same keys, for clients that go from one to
        the other (`addresses`); everything else here speaks of the first. `started`: False leaves the start to the caller."""
        self.cluster, self.database, self.settings = cluster, database, settings
        self.binary = str(binary or cluster.binary)
        self.directory = Path(directory)
        self.directory.mkdir(parents=True, exist_ok=True)
        self.keys_dir = Path(keys) if keys else self.directory / "keys"
        if not keys and cluster.keys:
            shutil.copytree(cluster.keys, self.keys_dir, dirs_exist_ok=True)
        elif not keys:
            cluster.run(database, "key", "create", keys=self.keys_dir)
        self.port = settings.pop("port", None) or free_port()
        host = settings.get("listen_address", "127.0.0.1")
        self.address = f"http://[{host}]:{self.port}" if ":" in host else f"http://{host}:{self.port}"
        self.base_url = settings.pop("base_url", None) or self.address
        self.audience = settings.get("audience", "tpbis-api")
        self.log_path = self.directory / f"service-{self.port}.log"
        self.process = None
        self.twins = [Service(cluster, database, directory, self.keys_dir, binary, base_url=self.base_url, started=False,
                              **self.settings) for _ in range(twins)]
        if started:
            self.start()
        self.addresses = [self.address, *(twin.address for twin in self.twins)]

    @property
    def owner(self):
        return self.cluster.owner(self.database)

    def sql(self, text, *values):
        return self.cluster.sql(self.database, text, *values)

    @property
    def issuer(self):
        return self.base_url

    def start(self, wait=True):
        environment = clean_environment()
        environment.update(
            TPBIS_DATABASE_URL=self.cluster.url(self.database), TPBIS_PORT=str(self.port), TPBIS_BASE_URL=self.base_url,
            TPBIS_KEY_DIRECTORY=str(self.keys_dir))
        # The tests ask more than a client should; those of the limits set their own. And nobody keeps a connection whose last
        # request a stop should wait for; those of the stop set their own.
        environment.update({f"TPBIS_RATE_{whose}_PER_MINUTE": "0" for whose in ("CLIENT", "USER", "ADDRESS")})
        environment["TPBIS_DRAIN_IDLE_MS"] = "0"
        environment.update({f"TPBIS_{name.upper()}": str(value) for name, value in self.settings.items()})
        with open(self.log_path, "ab") as log:
            self.process = self.popen(environment, log)
        for twin in self.twins:  # all of them come up side by side
            twin.start(wait=False)
        for one in (self, *self.twins) if wait else ():
            one.wait_ready()

    def popen(self, environment, log):
        return subprocess.Popen([self.binary, "serve"], env=environment, stdout=log, stderr=log, start_new_session=True)

    def wait_ready(self, seconds=START_SECONDS):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if self.process.poll() is not None:
                raise AssertionError(f"serve ended with {self.process.returncode}:\n{self.log_text()[-4000:]}")
            try:
                if requests.get(self.address + "/health/ready", timeout=2).status_code == 200:
                    return
            except requests.RequestException:
                pass
            time.sleep(0.02)
        raise AssertionError(f"not ready after {seconds} s:\n{self.log_text()[-4000:]}")

    def signal(self, number=signal.SIGTERM):
        os.kill(self.process.pid, number)

    def stop(self, seconds=40):
        """Graceful stop; the exit status. A sanitizer's complaint or a crash fails here."""
        for one in (self, *self.twins):
            if one.process.poll() is None:
                one.signal()
        for twin in self.twins:
            assert twin.stop(seconds) == 0
        status = self.process.wait(seconds)
        text = self.log_text()
        assert "ERROR: AddressSanitizer" not in text and "runtime error:" not in text and "LeakSanitizer" not in text \
            and "WARNING: ThreadSanitizer" not in text, text[-8000:]
        return status

    def kill(self):
        for twin in self.twins:
            twin.kill()
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(10)
        with open(self.log_path, "rb+") as log:  # the line that it was writing is nobody's; the next process appends here
            log.truncate(log.read().rfind(b"\n") + 1)

    def log_text(self):
        """Of all its processes."""
        return "".join(path.read_text(encoding="utf-8", errors="replace")
                       for path in (self.log_path, *(twin.log_path for twin in self.twins))
                       if path.exists())

    def log_lines(self):
        """The JSON lines so far, oldest first; a line that is not JSON is a bug. One that is being written is not there yet."""
        lines = [json.loads(line) for line in self.log_text().splitlines(keepends=True) if line.strip() and line.endswith("\n")]
        return sorted(lines, key=lambda line: line["time"])
