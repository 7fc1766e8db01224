"""A service, and a process of node that speaks to it through libraries nobody here wrote."""

import json
import shutil
import subprocess

import pytest

from harness.npm import npm_install


class Node:
    """client.js with its packages; `node(command, ...)` gives the result, or the error as {"error", "message"}."""

    def __init__(self, root):
        modules = npm_install(root / "tests/interop", root / "build/interop")
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
    """Fails, and does not skip, when npm cannot install: what is not tried is not known to work."""
    assert shutil.which("node") and shutil.which("npm"), "node and npm are needed"
    return root


@pytest.fixture
def node(modules, api):
    node = Node(modules)
    metadata = node("discover", url=api.base_url + "/.well-known/oauth-authorization-server")
    assert "error" not in metadata, metadata
    yield node
    node.stop()
