"""The other sides of the benchmark: Fastify peers and pgbench, on the service's own SQL."""

import json
import os
import re
import shutil
import signal
import subprocess
import time
from urllib.parse import parse_qs, urlsplit

import requests

from bench.statements import ROOT, assemble
from harness.service import free_port

LIMIT = 50
PAGE_GIVEN = ("within", "expand.region", "sort.region", "page_rows")
POOL_CONNECTIONS = 10


def install_peers(source, target):
    """node_modules of the peers, installed once from the pinned lock file."""
    target.mkdir(parents=True, exist_ok=True)
    lock = (source / "package-lock.json").read_bytes()
    done = target / ".installed"
    if not done.exists() or done.read_bytes() != lock:
        print("installing the peers (npm ci)", flush=True)
        for name in ("package.json", "package-lock.json"):
            shutil.copy(source / name, target / name)
        subprocess.run(["npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts"], cwd=target, check=True,
                       stdout=subprocess.DEVNULL, timeout=600)
        done.write_bytes(lock)
    return target


def schema_of(value):
    """A JSON Schema with which a peer serialises what the service answered."""
    if isinstance(value, dict):
        return {"type": ["object", "null"], "properties": {name: schema_of(one) for name, one in value.items()}}
    if isinstance(value, list):
        return {"type": "array", "items": schema_of(value[0]) if value else {}}
    if isinstance(value, bool):
        return {"type": ["boolean", "null"]}
    if isinstance(value, (int, float)):
        return {"type": ["number", "null"]}
    return {"type": ["string", "null"]}


def numbered(sql, order, wanted):
    """$n renumbered to the order in which peers and pgbench give values."""
    return re.sub(r"\$(\d+)", lambda match: f"${wanted.index(order[int(match.group(1)) - 1]) + 1}", sql)


def peer_config(cluster, database, modules, item):
    url = urlsplit(cluster.url(database))
    query = parse_qs(url.query)
    point, order = assemble("get_library", ())
    point = numbered(point, order, ["id"])
    page, order = assemble("list_libraries", PAGE_GIVEN)
    page = numbered(page, order, ["within", "page_rows"])
    return {
        "socket": (query.get("host") or [url.hostname])[0], "database": database, "user": (query.get("user") or [url.username])[0],
        "modules": str(modules), "limit": LIMIT, "keys": ["@place", "id"], "item": schema_of(item),
        "point": point.replace("$1", "$1::uuid"), "page": page,
        "json_point": f"SELECT row_to_json(t)::text AS body FROM ({point.replace('$1', '$1::uuid')}) t",
        "json_page": "SELECT json_build_object('items', coalesce(json_agg(t), '[]'), 'next', null)::text AS body "
                     f"FROM ({page}) t",
    }


class Peer:
    """node peer.js, listening on a free port."""

    def __init__(self, work, config, driver, workers):
        self.name, self.port = f"{driver}-{workers}", free_port()
        file = work / "peer.json"
        file.write_text(json.dumps(config), encoding="utf-8")
        with open(work / f"peer-{self.name}.log", "wb") as log:
            self.process = subprocess.Popen(
                ["node", str(ROOT / "tests/bench/peer.js"), str(self.port), driver, str(workers),
                 str(POOL_CONNECTIONS // workers), str(file)], stdout=log, stderr=log,
                env={**os.environ, "NODE_ENV": "production"}, start_new_session=True)
        end = time.monotonic() + 20
        while time.monotonic() < end:
            try:
                if requests.get(f"http://127.0.0.1:{self.port}/hello", timeout=1).status_code == 200:
                    return
            except requests.RequestException:
                time.sleep(0.1)
        raise AssertionError(f"peer {self.name} does not start: {(work / f'peer-{self.name}.log').read_text()[-2000:]}")

    def stop(self):
        try:
            os.killpg(self.process.pid, signal.SIGTERM)
            self.process.wait(10)
        except (ProcessLookupError, subprocess.TimeoutExpired):
            self.process.kill()


def start_peers(work, config):
    return [Peer(work, config, driver, workers) for driver in ("pg", "postgres") for workers in (1, 2)]


def check_peer(url, name, ours):
    """A peer that answers something else is no peer: the same ids, the same names."""
    answer = requests.get(url, timeout=30)
    assert answer.status_code == 200, f"{url}: {answer.text[:500]}"
    theirs = answer.json()
    if name == "a":
        assert theirs["id"] == ours["id"] and theirs["name"] == ours["name"], url
    else:
        assert [one["id"] for one in theirs["items"]][:LIMIT] == [one["id"] for one in ours["items"]], url


def pgbench(cluster, database, work, sql, values, seconds):
    """Transactions a second of the same statement, prepared, over 8 connections, with the same values."""
    script = work / "pgbench.sql"
    script.write_text(re.sub(r"\$(\d+)", r":value\1", sql) + ";\n", encoding="utf-8")
    given = [word for number, value in enumerate(values, 1) for word in ("-D", f"value{number}={value}")]
    environment = {**os.environ, "PGOPTIONS": "-c plan_cache_mode=force_generic_plan"}
    output = subprocess.run(["/usr/lib/postgresql/15/bin/pgbench", "-n", "-M", "prepared", "-f", str(script), *given,
                             "-c", "8", "-j", "1", "-T", str(seconds), cluster.url(database)], check=True, text=True,
                            capture_output=True, env=environment, timeout=seconds + 60).stdout
    return float(re.search(r"tps = ([0-9.]+) \(without initial", output).group(1))
