"""The service with a contract of one route, for the goal that says how little the full route table costs."""

import subprocess
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[2]
LIBRARIES = ["-lulfius", "-lmicrohttpd", "-lorcania", "-lyder", "-ljansson", "-ljwt", "-lpq", "-lpcre2-8", "-lsodium",
             "-lssl", "-lcrypto", "-lz", "-lm", "-lpthread"]


def build_one_route(build, work):
    """Compiles a contract that holds only /health/ready and /health/live, and links it with the service's own objects."""
    target = work / "one-route"
    contract, queries = target / "openapi", target / "queries"
    contract.mkdir(parents=True, exist_ok=True)
    queries.mkdir(exist_ok=True)
    full = yaml.safe_load((ROOT / "openapi/openapi.yaml").read_text(encoding="utf-8"))
    full["paths"] = {path: node for path, node in full["paths"].items() if path.startswith("/health/")}
    raise NotImplementedError
