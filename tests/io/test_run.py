"""`make run` as its first user sees it: what the serving process holds, as whom it runs, and what it leaves on the terminal."""

import json
import os
import pwd
import re
import signal
import subprocess
import time

import pytest
from harness.cluster import ROOT, clean_environment
from harness.service import free_port

pytestmark = pytest.mark.one_process


def serving(session):
    """(pid, environment) of the `tpbis serve` of that session."""
    for entry in os.listdir("/proc"):
        try:
            if entry.isdigit() and os.getsid(int(entry)) == session:
                words = open(f"/proc/{entry}/cmdline", encoding="utf-8").read().split("\0")
                if words[0].endswith("/tpbis") and words[1:2] == ["serve"]:
                    return int(entry), open(f"/proc/{entry}/environ", encoding="utf-8").read().split("\0")
        except (OSError, ProcessLookupError):
            continue
    return None, None


def test_run(binary, directory):
    state, output = directory / "run", directory / "run.log"
    with open(output, "wb") as file:
        run = subprocess.Popen([ROOT / "api/run", binary.resolve(), state, str(free_port())], env=clean_environment(), stdout=file, stderr=file,
                               stdin=subprocess.DEVNULL, start_new_session=True)
    try:
        end = time.monotonic() + 300
        while "Ctrl-C stops it" not in output.read_text():
            assert run.poll() is None and time.monotonic() < end, output.read_text()
            time.sleep(0.1)
        text = output.read_text()
        pid, environment = serving(run.pid)
        assert any(line.startswith("TPBIS_DATABASE_URL=") for line in environment)
        assert not any("OWNER" in line or "tpbis_owner" in line for line in environment)
        uid = os.stat(f"/proc/{pid}").st_uid
        assert pwd.getpwuid(uid).pw_name == ("tpbis" if os.geteuid() == 0 else pwd.getpwuid(os.geteuid()).pw_name), text
        if os.geteuid() == 0:
            with open(f"/proc/{pid}/status", encoding="utf-8") as status:
                assert re.search(r"^CapEff:\s+0+$", status.read(), re.M)
            url = next(line for line in environment if line.startswith("TPBIS_DATABASE_URL=")).partition("=")[2]
            as_service = ["setpriv", "--reuid", str(uid), "--regid", str(uid), "--init-groups", "psql", "-XAtc", "SELECT current_user"]
            asked = subprocess.run([*as_service, url], capture_output=True, text=True, check=False)
            assert asked.stdout == "tpbis_api\n", asked.stderr
            asked = subprocess.run([*as_service, url.replace("tpbis_api", "tpbis_owner")], capture_output=True, text=True, check=False)
            assert "authentication failed" in asked.stderr
        accounts = json.loads((state / "demo.json").read_text())
        for secret in [one["client_secret"] for one in accounts["clients"]] + [one["password"] for one in accounts["people"]]:
            assert secret not in text
        pasted = "\n".join(line.strip() for line in text.splitlines() if line.startswith(("  token=", "  curl ")))
        answer = subprocess.run(["bash", "-c", pasted], capture_output=True, text=True, check=True, timeout=60)
        assert json.loads(answer.stdout)["items"]
    finally:
        run.send_signal(signal.SIGTERM)
        assert run.wait(60) == 0, output.read_text()
        subprocess.run([ROOT / "db/cluster", "destroy", state], check=True)
    assert output.read_text().endswith("run: stopped\n")
