"""make bench: the real service against peers on the same SQL, and against pgbench, alternating in one run.

Every goal is a ratio of medians of per-round figures; no absolute time is a pass mark. Results go to
build/bench/results.json and a table on standard output. Load goes to loopback only and is bounded."""

import argparse
import json
import os
import re
import shutil
import signal
import statistics
import subprocess
import sys
import time
from pathlib import Path

import requests

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests"))

from bench import sides  # noqa: E402
from bench.data import fill  # noqa: E402
from bench.one_route import build_one_route  # noqa: E402
from harness.cluster import Cluster  # noqa: E402
from harness.service import Service  # noqa: E402

CONNECTIONS = 32


def wrk(url, seconds, headers=(), script=None, connections=CONNECTIONS):
    """Requests a second; every answer must be one that the script expects."""
    words = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "10"]
    for header in headers:
        words += ["-H", header]
    if script:
        words += ["-s", str(ROOT / "tests/bench" / script)]
    text = subprocess.run(words + [url], check=True, text=True, capture_output=True, timeout=seconds + 60).stdout
    rate = float(re.search(r"Requests/sec:\s+([0-9.]+)", text).group(1))
    bad = re.search(r"Non-2xx or 3xx responses: (\d+)", text)
    errors = re.search(r"Socket errors: (.*)", text)
    assert not bad and not errors, f"{url}: {bad and bad.group(0)} {errors and errors.group(0)}"
    return rate


def resident_kib(pids):
    """VmRSS of these processes and their children."""
    tree, total = set(pids), 0
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = status.read_text().rsplit(")", 1)[1].split()
        except OSError:
            continue
        if int(fields[1]) in tree:
            tree.add(int(status.parent.name))
    for pid in tree:
        try:
            text = Path(f"/proc/{pid}/status").read_text()
        except OSError:
            continue
        total += int(re.search(r"VmRSS:\s+(\d+)", text).group(1))
    return total


def alternate(named, rounds):
    """name -> figures: A B C A B C ..., after one warm-up of each that is thrown away."""
    figures = {name: [] for name in named}
    for turn in range(rounds + 1):
        for name, measure in named.items():
            value = measure(1 if turn == 0 else None)
            if turn:
                figures[name].append(value)
        print(f"  round {turn} of {rounds}" if turn else "  warm", flush=True)
    return figures


def ratio(figures, ours, theirs):
    """The median of the per-round ratios."""
    return statistics.median(a / b for a, b in zip(figures[ours], figures[theirs]))


def best(figures, prefix):
    return max((name for name in figures if name.startswith(prefix)), key=lambda name: statistics.median(figures[name]))


class Bench:
    def __init__(self, options):
        self.options, self.results = options, {}
        self.work = Path(options.build) / "bench"
        shutil.rmtree(self.work / "state", ignore_errors=True)
        self.work.mkdir(parents=True, exist_ok=True)
        self.modules = sides.install_peers(ROOT / "tests/bench", self.work / "peers")
        print("cluster, reference data and 85,000 libraries", flush=True)
        self.cluster = Cluster(Path(options.build) / "release/tpbis", self.work / "state")
        self.started = []

    def close(self):
        for thing in reversed(self.started):
            thing.stop()
        self.cluster.destroy()

    def prepare(self):
        self.cluster.make_template()
        self.database = self.cluster.make_database()
        with self.cluster.connect(self.database) as connection:
            self.library, self.within = fill(connection)
        self.service = Service(self.cluster, self.database, self.work / "service", log_level="info")
        self.started.append(self.service)
        client = self.cluster.clients["portal"]
        token = requests.post(self.service.address + "/oauth2/token", data={"grant_type": "client_credentials"},
                              auth=(client["client_id"], client["client_secret"]), timeout=10).json()["access_token"]
        self.token = f"Authorization: Bearer {token}"

    def get(self, path, **headers):
        headers["Authorization"] = self.token.partition(": ")[2]
        answer = requests.get(self.service.address + path, headers=headers, timeout=60)
        assert answer.status_code == 200, answer.text
        return answer

    def seconds(self, told):
        return told or self.options.seconds

    def against_peers(self):
        point = f"/v1/libraries/{self.library}"
        page = f"/v1/libraries?within={self.within}&limit=50&expand=region"
        config = sides.peer_config(self.cluster, self.database, self.modules, self.get(page).json()["items"][0])
        for name, ours, theirs, sql in (("a", point, f"/point/{self.library}", config["point"]),
                                        ("b", page, f"/page?within={self.within}", config["page"])):
            print(f"({name}) {'point read' if name == 'a' else 'page of 50'}", flush=True)
            peers = sides.start_peers(self.work, config)
            try:
                self.one_against_peers(name, ours, theirs, sql, peers)
            finally:
                for peer in peers:
                    peer.stop()

    def one_against_peers(self, name, ours, theirs, sql, peers):
        values = [self.library] if name == "a" else [self.within, sides.LIMIT + 1]
        named = {"ours": lambda told: wrk(self.service.address + ours, self.seconds(told), [self.token])}
        for peer in peers:
            for form, prefix in (("object", ""), ("json", "/json")):
                url = f"http://127.0.0.1:{peer.port}{prefix}{theirs}"
                sides.check_peer(url, name, self.get(ours).json())
                named[f"peer {peer.name} {form}"] = lambda told, url=url: wrk(url, self.seconds(told))
        named["pgbench"] = lambda told: sides.pgbench(self.cluster, self.database, self.work, sql, values,
                                                      self.seconds(told))
        figures = alternate(named, self.options.rounds)
        memory = {peer.name: resident_kib([peer.process.pid]) for peer in peers}
        mine = resident_kib([self.service.process.pid])
        top = best(figures, "peer ")
        goals = {"a": ("G1", "G3"), "b": ("G2", "G4")}[name]
        self.results[goals[0]] = {"what": f"({name}) / best peer ({top})", "ratio": ratio(figures, "ours", top),
                                  "floor": {"a": 1.5, "b": 2.5}[name]}
        self.results[goals[1]] = {"what": f"({name}) / pgbench -c8, same SQL", "ratio": ratio(figures, "ours", "pgbench"),
                                  "floor": {"a": 0.50, "b": 0.65}[name]}
        if name == "b":
            self.results["G8"] = {"what": "resident memory after (b) / lightest peer", "ratio": mine / min(memory.values()),
                                  "ceiling": 0.25, "kib": {"ours": mine, **memory}}
        self.results[f"figures ({name})"] = {key: {"median": statistics.median(values), "rounds": values}
                                             for key, values in figures.items()}

    def routes(self):
        print("(G7) hello behind the full route table and behind one route", flush=True)
        binary = build_one_route(Path(self.options.build), self.work)
        other = Service(self.cluster, self.database, self.work / "one-route", binary=binary)
        self.started.append(other)
        figures = alternate({
            "full": lambda told: wrk(self.service.address + "/health/live", self.seconds(told)),
            "one": lambda told: wrk(other.address + "/health/live", self.seconds(told))}, self.options.rounds)
        self.results["G7"] = {"what": "hello, full route table / one route", "ratio": ratio(figures, "full", "one"), "floor": 0.95}
        self.results["figures (G7)"] = figures

    def not_modified(self):
        print("(G9) 304 from memory and the full answer", flush=True)
        path = f"/v1/libraries/{self.library}"
        tag = self.get(path).headers["ETag"]
        url = self.service.address + path
        figures = alternate({
            "304": lambda told: wrk(url, self.seconds(told), [self.token, f"If-None-Match: {tag}"], "only_304.lua"),
            "200": lambda told: wrk(url, self.seconds(told), [self.token])}, self.options.rounds)
        self.results["G9"] = {"what": "304 from memory / full 200 (a)", "ratio": ratio(figures, "304", "200"), "floor": 4}
        self.results["figures (G9)"] = figures

    def export(self):
        print("(G11) export of every library as CSV", flush=True)
        whole = {"batches": [], "first_ms": []}
        pid = self.service.process.pid
        self.get("/v1/libraries?format=csv&fields=id&limit=500")
        before, peak = resident_kib([pid]), 0
        for _ in range(self.options.rounds):
            start = time.monotonic()
            size, first = 0, None
            with requests.get(self.service.address + "/v1/libraries", stream=True, timeout=120,
                              headers={"Authorization": self.token.partition(": ")[2], "Accept": "text/csv",
                                       "Accept-Encoding": "identity"}) as answer:
                for chunk in answer.iter_content(1 << 16):
                    first = first or time.monotonic() - start
                    size += len(chunk)
                    peak = max(peak, resident_kib([pid]))
            whole["batches"].append(size / (time.monotonic() - start) / 1e6)
            whole["first_ms"].append(first * 1e3)
        self.results["G11"] = {"what": "export: growth of resident memory, KiB", "ratio": peak - before, "ceiling": 4096,
                               "megabytes": size / 1e6, "megabytes_per_second": statistics.median(whole["batches"]),
                               "first_byte_ms": statistics.median(whole["first_ms"])}

    def report(self):
        (self.work / "results.json").write_text(json.dumps(self.results, indent=1), encoding="utf-8")
        print("\n| goal | what | measured | wanted | reached |\n| --- | --- | --- | --- | --- |")
        for goal in sorted((key for key in self.results if key.startswith("G")), key=lambda key: int(key[1:])):
            row = self.results[goal]
            floor, ceiling = row.get("floor"), row.get("ceiling")
            reached = row["ratio"] >= floor if floor is not None else row["ratio"] <= ceiling
            wanted = f"at least {floor}" if floor is not None else f"at most {ceiling}"
            print(f"| {goal} | {row['what']} | {row['ratio']:.2f} | {wanted} | {'yes' if reached else 'NO'} |")
        print(f"\nfigures of every round: {self.work / 'results.json'}")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", default=os.environ.get("BUILD", str(ROOT / "build")))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=3)
    parser.add_argument("--only", help="peers, routes, not_modified or export")
    bench = Bench(parser.parse_args())
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    try:
        bench.prepare()
        for name, part in (("peers", bench.against_peers), ("routes", bench.routes),
                           ("not_modified", bench.not_modified), ("export", bench.export)):
            if bench.options.only in (None, name):
                part()
        bench.report()
    finally:
        bench.close()


if __name__ == "__main__":
    main()
