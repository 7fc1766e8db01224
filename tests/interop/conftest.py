"""A service, and a process of node that speaks to it through libraries nobody here wrote."""

import json
import os
import shutil
import subprocess

import pytest

from harness.npm import npm_install


class Node:
    """client.js with its packages; `node(command, ...)` gives the result, or the error as {"error", "message"}."""

    def __init__(self, root, modules):
        shutil.copy(root / "tests/interop/client.js", modules / "client.js")
        self.process = subprocess.Popen(["node", "client.js"], cwd=modules, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def __call__(self, command, **options):
        self.process.stdin.write(json.dumps({"command": command, **options}) + "\n")
        self.process.stdin.flush()
        answer = json.loads(self.process.stdout.readline())
        return answer.get("result", answer)

    def stop(self):
        self.process.stdin.close()
        assert self.process.wait(20) == 0


@pytest.fixture(scope="session")
def modules(root):
    """The packages. Where npm's registry cannot be reached the tests say so and are skipped, or fail with INTEROP=required."""
    assert shutil.which("node") and shutil.which("npm"), "node and npm are needed"
    try:
        return npm_install(root / "tests/interop", root / "build/interop")
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as fault:
        assert os.environ.get("INTEROP") != "required", fault
        pytest.skip(f"NOT TRIED: npm could not install the clients ({fault})")


@pytest.fixture
def node(root, modules, api):
    node = Node(root, modules)
    metadata = node("discover", url=api.base_url + "/.well-known/oauth-authorization-server")
    assert "error" not in metadata, metadata
    yield node
    node.stop()
