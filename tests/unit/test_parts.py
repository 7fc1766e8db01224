"""The runner of the parts of `make test`: times, what was skipped, and that a fault of one part is the fault of all."""

import importlib.util
import re
from pathlib import Path

import pytest

SPECIFICATION = importlib.util.spec_from_file_location("parts", Path(__file__).resolve().parents[1] / "parts.py")
parts = importlib.util.module_from_spec(SPECIFICATION)
SPECIFICATION.loader.exec_module(parts)

MAKE = """#!/bin/sh
case $1 in
test-good) echo fine ;;
test-bad) echo "what went wrong"; exit 1 ;;
test-half) echo "SKIPPED [2] interop/conftest.py:36: NOT TRIED: no registry" ;;
*) touch "$0.$1"; until [ -e "$0.test-one" ] && [ -e "$0.test-two" ]; do sleep 0.01; done ;;
esac
"""


@pytest.fixture
def run(tmp_path, capsys):
    make = tmp_path / "make"
    make.write_text(MAKE, encoding="ascii")
    make.chmod(0o755)

    def run(*lanes):
        status = parts.main(["--make", str(make), "--out", str(tmp_path / "out"), *lanes])
        return status, capsys.readouterr().out
    return run


def test_each_part_has_its_time_and_what_it_skipped(run):
    status, text = run("good,half")
    closing = text.rpartition("\n\n")[2].splitlines()
    assert status == 0 and re.fullmatch(r"good: \d+ s", closing[0]) and re.fullmatch(r"half: \d+ s", closing[1])
    assert closing[2:] == ["half: skipped: interop/conftest.py:36: NOT TRIED: no registry", "make test: every part passed"]


def test_a_part_that_fails_fails_the_run_and_is_shown(run):
    status, text = run("bad,good")
    assert status == 1 and text.count("what went wrong") == 2 and "==== good ====\nfine" in text  # the next part was run
    assert re.search(r"^bad: \d+ s, FAILED\ngood: \d+ s\nmake test: FAILED: bad$", text, re.MULTILINE)


def test_nothing_runs_without_what_all_need(run):
    status, text = run("--first", "bad", "good")
    assert status == 1 and "fine" not in text and text.endswith("make test: FAILED: bad\n")


def test_lanes_run_side_by_side(run):
    """Each of these two waits for the other."""
    assert run("one", "two")[0] == 0
