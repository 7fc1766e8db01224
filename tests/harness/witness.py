"""The end of a run: with `--whole-contract` it fails when the contract promises something that no test has seen.

With `-n` each worker has a witness of its own, and hands over what it saw; the process that started them judges."""

import re

import pytest

from harness.client import Api
from harness.contract import ROOT, Contract

CONTRACT = pytest.StashKey()
# How many requests that write one file of tests may send: the price of a resource is counted, not timed, so that no machine is
# too slow for it. Reads are left out, because a wait for an event asks as often as the machine lets it.
WRITES_PER_FILE = 3000


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node, error):
    """Of xdist, in the process that started the workers: one of them has ended."""
    memory = getattr(node, "workeroutput", {}).get("contract")
    if memory is None:
        return
    if CONTRACT not in node.config.stash:
        node.config.stash[CONTRACT] = Contract.parse(memory["text"])
    node.config.stash[CONTRACT].remember(memory)


def faults_of(contract):
    """What is missing, in lines to print."""
    missing = contract.unseen()
    if missing:
        yield "never exercised:\n" + "\n".join("  " + " ".join(row) for row in missing)
    missing = contract.never_replayed()
    if missing:
        yield "never sent again with its Idempotency-Key: " + " ".join(missing)
    codes = re.findall(r"^PROBLEM\((\w+)", (ROOT / "api/base/problems.def").read_text(encoding="utf-8"), re.MULTILINE)
    missing = contract.unseen_codes(codes)
    if missing:
        yield "problems never reported: " + " ".join(missing)
    for file, count in sorted(contract.writes.items()):
        if count > WRITES_PER_FILE:
            yield f"{file} sent {count} requests that write, and no file needs more than {WRITES_PER_FILE}: share what its tests " \
                  "only look at (harness.rights.Stage), and send what only sets the scene once (once=True)"


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item):
    """Before any fixture: whose requests those are that follow, and whether GET /v1/me/can is asked about each (harness.judged)."""
    Api.file = item.path.name
    Api.judged = item.path.name.startswith("test_rights")


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session):
    contract = session.config.stash.get(CONTRACT, None)
    if hasattr(session.config, "workeroutput"):
        if contract:
            session.config.workeroutput["contract"] = contract.memory()
        return
    if contract is None or not session.config.getoption("--whole-contract"):
        return
    for fault in faults_of(contract):
        print("\n" + fault)
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_collection_modifyitems(items):
    """Files with many tests first: the workers then end at about the same time. Within a file the order stays."""
    count = {}
    for item in items:
        count[item.path] = count.get(item.path, 0) + 1
    items.sort(key=lambda item: -count[item.path])
