"""The other sides of the benchmark: Fastify peers and pgbench, on the service's own SQL."""

import json
import os
import re
import signal
import subprocess
import time
from datetime import datetime
from urllib.parse import parse_qs, urlsplit

import requests

from bench.statements import ROOT, assemble, columns, json_object, json_page, tree_of
from harness.service import free_port

LIMIT = 50
PAGE_GIVEN = ("within", "expand.region", "sort.region", "page_rows")
PAGE_KEYS = ("@place", "id")
POOL_CONNECTIONS = 10  # of every side, ours included; two processes have five each
PGBENCH = "/usr/lib/postgresql/15/bin/pgbench"


def schema_of(values):
    """A JSON Schema with which a peer serialises values like these."""
    values = [value for value in values if value is not None]
    if any(isinstance(value, dict) for value in values):
        names = dict.fromkeys(name for value in values for name in value)
        return {"type": ["object", "null"],
                "properties": {name: schema_of([value.get(name) for value in values]) for name in names}}
    if any(isinstance(value, list) for value in values):
        return {"type": "array", "items": schema_of([one for value in values for one in value])}
    if any(isinstance(value, bool) for value in values):
        return {"type": ["boolean", "null"]}
    if any(isinstance(value, (int, float)) for value in values):
        return {"type": ["number", "null"]}
    return {"type": ["string", "null"]}


def peer_config(cluster, database, modules, point_item, page_items):
    url = urlsplit(cluster.url(database))
    point, point_columns = assemble("get_library", (), ["id"]), columns("get_library", ())
    page, page_columns = assemble("list_libraries", PAGE_GIVEN, ["within", "page_rows"]), columns("list_libraries", PAGE_GIVEN)
    return {
        "socket": parse_qs(url.query)["host"][0], "database": database, "user": url.username,
        "modules": str(modules), "limit": LIMIT, "keys": PAGE_KEYS,
        "point_item": schema_of([point_item]), "page_item": schema_of(page_items),
        "point_tree": tree_of(point_columns), "page_tree": tree_of(page_columns),
        "point": point, "page": page,
        "json_point": json_object(point, point_columns),
        "json_page": json_page(page, page_columns, PAGE_KEYS, LIMIT),
    }


class Peer:
    """node peer.js, listening on a free port."""

    def __init__(self, work, config, driver, workers):
        self.name, self.port = f"{driver}-{workers}", free_port()
        file = work / "peer.json"
        file.write_text(json.dumps(config), encoding="utf-8")
        log_path = work / f"peer-{self.name}.log"
        with open(log_path, "wb") as log:
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
        self.stop()
        raise AssertionError(f"peer {self.name} does not start: {log_path.read_text()[-2000:]}")

    def stop(self):
        try:
            os.killpg(self.process.pid, signal.SIGTERM)
            self.process.wait(10)
        except (ProcessLookupError, subprocess.TimeoutExpired):
            self.process.kill()
            self.process.wait(10)


def comparable(value):
    """An answer with its times as instants and without the cursor's text, which every side writes its own way."""
    if isinstance(value, dict):
        return {name: "there is more" if name == "next" and one else instant(one) if name.endswith("_at")
                else comparable(one) for name, one in value.items()}
    return [comparable(one) for one in value] if isinstance(value, list) else value


def instant(text):
    if text is None:
        return None
    text = re.sub(r"(Z|\+00(:00)?)$", "+00:00", text.replace(" ", "T"))
    text = re.sub(r"\.(\d+)", lambda match: "." + match.group(1).ljust(6, "0"), text)
    return datetime.fromisoformat(text)


def check_peer(url, ours):
    """A peer that answers something else is no peer."""
    answer = requests.get(url, timeout=30)
    assert answer.status_code == 200, f"{url}: {answer.text[:500]}"
    theirs, ours = comparable(answer.json()), comparable(ours)
    assert theirs == ours, f"{url} answers {json.dumps(theirs, default=str)[:1500]}, ours {json.dumps(ours, default=str)[:1500]}"


def pgbench(cluster, database, work, sql, values, seconds):
    """Transactions a second of the same statement, prepared, over 8 connections, with the same values."""
    script = work / "pgbench.sql"
    script.write_text(re.sub(r"\$(\d+)", r":value\1", sql) + ";\n", encoding="utf-8")
    given = [word for number, value in enumerate(values, 1) for word in ("-D", f"value{number}={value}")]
    environment = {**os.environ, "PGOPTIONS": "-c plan_cache_mode=force_generic_plan"}
    output = subprocess.run([PGBENCH, "-n", "-M", "prepared", "-f", str(script), *given, "-c", "8", "-j", "1",
                             "-T", str(seconds), cluster.url(database)], check=True, text=True, capture_output=True,
                            env=environment, timeout=seconds + 60).stdout
    return float(re.search(r"tps = ([0-9.]+) \(without initial", output).group(1))
