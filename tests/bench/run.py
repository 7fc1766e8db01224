"""make bench: the real service against peers on the same SQL, and against pgbench, alternating in one run.

Every goal is a median of ratios of one round; no absolute time is a pass mark. Results go to build/bench/results.json,
a readable page to build/bench/report.md. Load goes to loopback only and is bounded."""

import argparse
import json
import os
import re
import shutil
import signal
import statistics
import sys
import time
from datetime import datetime
from functools import partial
from pathlib import Path

import requests

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests"))

from bench import sides  # noqa: E402
from bench.data import LIBRARIES, MARK, fill  # noqa: E402
from bench.measure import Peak, alternate, median, ratio, resident_kib, spent, wrk  # noqa: E402
from bench.one_route import build_one_route  # noqa: E402
from bench.report import goals_table, markdown  # noqa: E402
from harness.cluster import Cluster  # noqa: E402
from harness.npm import npm_install  # noqa: E402
from harness.service import Service  # noqa: E402

PARTS = ("peers", "routes", "not_modified", "export")


class Bench:
    def __init__(self, options):
        self.options = options
        self.build = Path(options.build).resolve()
        self.work = self.build / "bench"
        self.results = {"machine": machine(), "rounds": options.rounds, "seconds": options.seconds, "goals": {}, "figures": {}}
        self.started = []
        self.cluster = None

    def close(self):
        for thing in reversed(self.started):
            thing.stop()
        if self.cluster:
            self.cluster.destroy()
        for name in ("service", "state"):  # logs of many requests; emptied data
            shutil.rmtree(self.work / name, ignore_errors=True)

    def prepare(self):
        self.work.mkdir(parents=True, exist_ok=True)
        self.modules = npm_install(ROOT / "tests/bench", self.work / "peers")
        self.one_route = build_one_route(self.build)
        print("cluster, reference data and 85,000 libraries", flush=True)
        self.cluster = Cluster(self.build / "release/tpbis", self.work / "state")
        self.cluster.make_template()
        self.database = self.cluster.make_database()
        with self.cluster.connect(self.database) as connection:
            self.library, self.within = fill(connection)
        self.service = self.serve("service")
        pid_file = self.work / "state/postgresql/postmaster.pid"
        self.postgres = int(pid_file.read_text().split()[0])
        self.point = f"/v1/libraries/{self.library}"
        self.page = f"/v1/libraries?within={self.within}&limit={sides.LIMIT}&expand=region"

    def serve(self, name, binary=None):
        """The service as it ships: requests logged, tokens checked."""
        service = Service(self.cluster, self.database, self.work / "service" / name, binary=binary, log_level="info",
                          pool_size=sides.POOL_CONNECTIONS, rate_client_per_minute=10**7)
        self.started.append(service)
        return service

    def token(self):
        """A new one before each part: it lives ten minutes."""
        client = self.cluster.clients["portal"]
        answer = requests.post(self.service.address + "/oauth2/token", data={"grant_type": "client_credentials"},
                               auth=(client["client_id"], client["client_secret"]), timeout=10)
        return f"Bearer {answer.json()['access_token']}"

    def get(self, path, **headers):
        answer = requests.get(self.service.address + path, headers={"Authorization": self.token(), **headers}, timeout=60)
        assert answer.status_code == 200, answer.text
        return answer

    def load(self, service, path, headers, seconds):
        """One figure of a service of ours."""
        return spent(lambda: wrk(service.address + path, seconds, headers),
                     {"server": service.process.pid, "postgres": self.postgres})

    def alternate(self, title, named):
        print(title, flush=True)
        figures = alternate(named, self.options.rounds, self.options.seconds)
        self.results["figures"][title] = figures
        return figures

    def goal(self, name, what, figures, ours, theirs, **wanted):
        value, least, most = ratio(figures, ours, theirs)
        self.results["goals"][name] = {"what": what, "value": value, "spread": (least, most), **wanted}

    # ---- the parts ------------------------------------------------------------------------------

    def peers(self):
        config = sides.peer_config(self.cluster, self.database, self.modules, self.get(self.point).json(),
                                   self.get(self.page).json()["items"])
        self.against("(a) the point read", self.point, f"/point/{self.library}", config, config["point"], [self.library],
                     {"G1": 1.5, "G3": 0.50})
        self.against("(b) the page of 50", self.page, f"/page?within={self.within}", config, config["page"],
                     [self.within, sides.LIMIT + 1], {"G2": 2.5, "G4": 0.65})
        memory = self.results["memory_kib"]  # after (b)
        lightest = min(kib for side, kib in memory.items() if side != "ours")
        self.results["goals"]["G8"] = {"what": "resident memory after (b) / lightest peer",
                                       "value": memory["ours"] / lightest, "ceiling": 0.25}

    def against(self, title, ours, theirs, config, sql, values, floors):
        """One workload: ours, every peer in both forms, pgbench."""
        peers = []
        try:
            for driver in ("pg", "postgres"):
                for workers in (1, 2):
                    peers.append(sides.Peer(self.work, config, driver, workers))
            headers = [f"Authorization: {self.token()}"]
            named = {"ours": partial(self.load, self.service, ours, headers)}
            for peer in peers:
                for form, prefix in (("objects", ""), ("PostgreSQL's JSON", "/json")):
                    url = f"http://127.0.0.1:{peer.port}{prefix}{theirs}"
                    sides.check_peer(url, self.get(ours).json())
                    named[f"peer {peer.name}, {form}"] = partial(self.load_peer, peer, url)
            named["pgbench"] = lambda seconds: {"rate": sides.pgbench(self.cluster, self.database, self.work, sql, values,
                                                                      seconds)}
            figures = self.alternate(title, named)
            self.results["memory_kib"] = {"ours": resident_kib(self.service.process.pid),
                                          **{f"peer {peer.name}": resident_kib(peer.process.pid) for peer in peers}}
        finally:
            for peer in peers:
                peer.stop()
        best = max((side for side in figures if side.startswith("peer ")), key=lambda side: median(figures, side))
        against_peer, against_pgbench = floors
        self.goal(against_peer, f"{title} / best peer ({best})", figures, "ours", best, floor=floors[against_peer])
        self.goal(against_pgbench, f"{title} / pgbench -c8 on the same SQL", figures, "ours", "pgbench",
                  floor=floors[against_pgbench])

    def load_peer(self, peer, url, seconds):
        return spent(lambda: wrk(url, seconds), {"server": peer.process.pid, "postgres": self.postgres})

    def routes(self):
        other = self.serve("one-route", binary=self.one_route)
        assert requests.get(other.address + "/openapi.json", timeout=10).status_code == 404  # one route it is
        figures = self.alternate("/health/live behind the full route table and behind one route", {
            "full table": partial(self.load, self.service, "/health/live", []),
            "one route": partial(self.load, other, "/health/live", [])})
        other.stop()
        self.started.remove(other)
        self.goal("G7", "/health/live, full route table / one route", figures, "full table", "one route", floor=0.95)

    def not_modified(self):
        headers = [f"Authorization: {self.token()}"]
        known = headers + ["If-None-Match: " + self.get(self.point).headers["ETag"]]
        before = self.answered("3xx")
        figures = self.alternate("304 from memory and the full answer", {
            "304": partial(self.load, self.service, self.point, known),
            "200": partial(self.load, self.service, self.point, headers)})
        count = sum(figure["count"] for figure in figures["304"])
        assert self.answered("3xx") - before >= count, "some answers to If-None-Match were no 304"
        self.goal("G9", "304 from memory / full answer (a)", figures, "304", "200", floor=4)

    def answered(self, status):
        """How many requests for (a) the service has answered so, by its own count."""
        text = requests.get(self.service.address + "/metrics", timeout=10).text
        match = re.search(rf'tpbis_requests_total{{operation="get_library",status="{status}"}} (\d+)', text)
        return int(match.group(1)) if match else 0

    def export(self):
        title = "export of every library as CSV"
        print(title, flush=True)
        pid = self.service.process.pid
        runs = []
        for turn in range(self.options.rounds + 1):
            peak = Peak(pid)
            run = self.export_once()
            run["growth_kib"] = peak.growth_kib()
            if turn:
                runs.append(run)
        middle = {name: statistics.median(run[name] for run in runs) for name in runs[0]}
        self.results["export"] = {**middle, "runs": runs}
        self.results["goals"]["G11"] = {"what": f"{title} ({middle['megabytes']:.0f} MB): most growth of resident memory",
                                        "value": max(run["growth_kib"] for run in runs) / 1024, "unit": " MiB", "ceiling": 4}

    def export_once(self):
        headers = {"Authorization": self.token(), "Accept": "text/csv", "Accept-Encoding": "identity"}
        start, first, size, rows, tail = time.monotonic(), None, 0, 0, b""
        with requests.get(self.service.address + "/v1/libraries", stream=True, timeout=120, headers=headers) as answer:
            assert answer.status_code == 200, answer.text
            for chunk in answer.iter_content(1 << 16):
                first = first or time.monotonic() - start
                size += len(chunk)
                rows += (tail + chunk).count(MARK)
                tail = (tail + chunk)[1 - len(MARK):]
        assert rows == LIBRARIES, f"{rows} of {LIBRARIES} libraries"
        return {"megabytes": size / 1e6, "seconds": time.monotonic() - start, "first_byte_ms": first * 1e3}

    # ---- the result -----------------------------------------------------------------------------

    def report(self):
        self.results["machine"]["load_after"] = round(os.getloadavg()[0], 1)
        (self.work / "results.json").write_text(json.dumps(self.results, indent=1), encoding="utf-8")
        (self.work / "report.md").write_text(markdown(self.results), encoding="utf-8")
        print("\n" + "\n".join(goals_table(self.results["goals"])))
        print(f"\n{self.work / 'report.md'}, every round in {self.work / 'results.json'}")


def machine():
    processor = re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text())
    return {"at": datetime.now().astimezone().isoformat(timespec="minutes"), "cores": os.cpu_count(),
            "processor": processor.group(1) if processor else "unknown", "load_before": round(os.getloadavg()[0], 1)}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", default=os.environ.get("BUILD", str(ROOT / "build")))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=3)
    parser.add_argument("--only", choices=PARTS, action="append", help="this part alone; may be repeated")
    bench = Bench(parser.parse_args())
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    try:
        bench.prepare()
        for part in bench.options.only or PARTS:
            getattr(bench, part)()
        bench.report()
    finally:
        bench.close()


if __name__ == "__main__":
    main()
