"""The service with a route table of /health/live and /health/ready alone, for the goal that says how little the full
table costs. Everything else is the service's own: the compiled contract with another root, linked with its objects."""

import os
import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LINE = re.compile(r"const struct route contract_root = .*;")
ENTRY = re.compile(r'\s*\{\.literal = (?:"([^"]*)"|NULL), ')


def rerooted(source):
    """The compiled contract whose root has one child, /health."""
    table = source.index("static const struct route routes[", source.index("static const struct route routes[") + 1)
    entries = [ENTRY.match(line) for line in source[table:].split(";", 1)[0].split("\n")[1:]]
    index = [entry.group(1) for entry in entries if entry].index("health")
    root = ("const struct route contract_root = "
            f"{{.literal = NULL, .children = routes + {index}, .child_count = 1, .operations = {{NULL}}}};")
    changed, count = LINE.subn(root, source)
    assert count == 1, "build/gen/contract.c no longer defines contract_root in one line"
    return changed


def build_one_route(build):
    target = build / "bench/one-route"
    target.mkdir(parents=True, exist_ok=True)
    source = (build / "gen/contract.c").read_text(encoding="utf-8")
    (target / "contract.c").write_text(rerooted(source), encoding="utf-8")
    environment = {name: value for name, value in os.environ.items() if name not in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL")}
    subprocess.run(["make", "--no-print-directory", "-f", ROOT / "Makefile", "-f", ROOT / "tests/bench/one_route.mk",
                    f"BUILD={build}", target / "tpbis"], cwd=ROOT, env=environment, check=True, timeout=600)
    return target / "tpbis"
