"""The shipped proxy (.deploy/nginx) before one or more services: the same files and the same start script as in a
deployment, on free ports, in a private directory, without rights."""

import json
import os
import shutil
import signal
import socket
import ssl
import subprocess
import time
from pathlib import Path

from harness.service import free_port

ROOT = Path(__file__).resolve().parents[2]
BASE_URL = "https://localhost"
START_SECONDS = 20


def as_nobody(words):
    """A command without rights, where we have any."""
    return ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups", *words] if os.geteuid() == 0 else words


class Gateway:
    """nginx, started by `.deploy/nginx/start`; stopped by its pid. `ports` are those of the services."""

    def __init__(self, directory, ports, base_url=BASE_URL, upstreams=None, other=()):
        self.directory = Path(directory)
        self.port, self.plain_port = free_port(), free_port()
        self.address = f"https://localhost:{self.port}"
        self.base_url = base_url
        self.directory.mkdir(parents=True)
        self.secrets = self.directory / "secrets"
        subprocess.run([ROOT / ".deploy/make-secrets", "localhost", self.secrets], check=True, capture_output=True)
        self.secrets.chmod(0o755)
        self.certificate = self.secrets / "tls/certificate.pem"
        # The repository may lie where a user without rights cannot go, under root's home, say.
        self.script = shutil.copytree(ROOT / ".deploy/nginx", self.directory / "nginx") / "start"
        config = self.script.parent / "nginx.conf"
        for shipped, instead in other:  # limits that no test machine could reach
            text = config.read_text(encoding="utf-8")
            assert shipped in text
            config.write_text(text.replace(shipped, instead), encoding="utf-8")
        self.run = self.directory / "run"
        self.run.mkdir()
        if os.geteuid() == 0:
            shutil.chown(self.run, "nobody", "nogroup")
        self.access_log, self.error_log = self.run / "access.log", self.directory / "nginx.log"
        self.environment = {
            "PATH": os.environ["PATH"], "TPBIS_BASE_URL": base_url,
            "PROXY_UPSTREAMS": upstreams or " ".join(f"127.0.0.1:{port}" for port in ports),
            "PROXY_CERTIFICATE": str(self.certificate), "PROXY_CERTIFICATE_KEY": str(self.secrets / "tls/key.pem"),
            "PROXY_HTTP": f"127.0.0.1:{self.plain_port}", "PROXY_HTTPS": f"127.0.0.1:{self.port}",
            "PROXY_ACCESS_LOG": str(self.access_log), "PROXY_RUN": str(self.run), "PROXY_LOOK_SECONDS": "1",
        }
        self.start()

    def start(self):
        with open(self.error_log, "ab") as log:
            self.process = subprocess.Popen(as_nobody([str(self.script)]), env=self.environment, cwd="/",
                                            stdout=log, stderr=log, start_new_session=True)
        end = time.monotonic() + START_SECONDS
        while True:
            assert self.process.poll() is None and time.monotonic() < end, self.error_log.read_text(encoding="utf-8")
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
                return
            except OSError:
                time.sleep(0.05)

    def tls(self):
        return ssl.create_default_context(cafile=str(self.certificate))

    def stop(self, seconds=40):
        if self.process.poll() is None:
            os.kill(self.process.pid, signal.SIGTERM)
        return self.process.wait(seconds)

    def lines(self):
        """Its access log; a line that is not JSON is a bug."""
        return [json.loads(line) for line in self.access_log.read_text(encoding="utf-8").splitlines()]
