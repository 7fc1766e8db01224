"""The demo accounts of `make run`: they work, and a second run leaves them as they are."""

import json
import subprocess

from harness.cluster import ROOT, clean_environment
from harness.users import PATH

PEOPLE = {"national_admin", "national_analyst", "provincial_coordinator", "team_member", "regency_facilitator", "library_manager"}


def demo(api, path):
    environment = clean_environment()
    service = api.service
    environment.update(TPBIS_DATABASE_URL=service.cluster.url(service.database),
                       TPBIS_OWNER_DATABASE_URL=service.cluster.url(service.database, owner=True), TPBIS_BASE_URL=service.base_url)
    done = subprocess.run(["/usr/bin/python3", ROOT / "api/demo.py", service.binary, path, service.base_url, service.address],
                          env=environment, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(path.read_text())


def test_demo(fresh, tmp_path):
    api = fresh()
    path = tmp_path / "demo.json"
    first = demo(api, path)
    assert path.stat().st_mode & 0o777 == 0o600
    assert {one["role"] for one in first["people"]} == PEOPLE and len(first["clients"]) == 9
    assert {"account:read", "account:write"} <= set(first["app"]["scopes"])
    for one in first["people"]:
        [found] = api.get(f"{PATH}?username={one['username']}", token="national_admin").json()["items"]
        assert (found["id"], found["status"]) == (one["user_id"], "active")
    assert demo(api, path) == first
    first["people"][0].pop("user_id")
    path.write_text(json.dumps(first))
    second = demo(api, path)
    assert second["people"][0]["password"] != first["people"][0]["password"] and second["people"][1:] == first["people"][1:]
    assert second["app"] == first["app"]
