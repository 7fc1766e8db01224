"""The version before this one: which commit that is, and its binary, built once into build/previous/.

`make test` builds it beside the other parts, by running this file; tests/io/test_upgrade.py waits for it, or builds it."""

import fcntl
import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
MIGRATIONS = "db/migrations"
# Commits of one day belong to one piece of work, and nobody runs what stood between them.
SETTLED_SECONDS = 24 * 3600
# What the version before is tried for does not depend on how fast it is: the compiler need not optimize.
FLAGS = "CFLAGS_release=-O0 -w -fPIE"


def git(*words):
    result = subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True, check=False)
    return result.stdout.split("\n")[:-1] if result.returncode == 0 else None


def migrations_of(commit):
    """Name and content of each, as git knows them."""
    rows = git("ls-tree", commit, MIGRATIONS + "/") or []
    return {tuple(re.match(r"\S+ blob (\w+)\t(.*)", row).groups()) for row in rows}


def migrations_now():
    names = sorted(path.relative_to(ROOT).as_posix() for path in (ROOT / MIGRATIONS).glob("*.sql"))
    return set(zip(git("hash-object", *names), names))


def previous_commit():
    """The commit, or None and why there is none."""
    if os.environ.get("PREVIOUS"):
        found = git("rev-parse", os.environ["PREVIOUS"] + "^{commit}")
        assert found, "PREVIOUS names no commit"
        return found[0], ""
    if git("rev-parse", "HEAD") is None:
        return None, "NO UPGRADE WAS TRIED: this is no git checkout, so there is no version before to build"
    today = migrations_now()
    history = [line.split() for line in git("log", "--format=%H %ct", "HEAD", "--", MIGRATIONS)]
    for commit, second in history:
        if migrations_of(commit) < today and int(second) < int(history[0][1]) - SETTLED_SECONDS:
            return commit, ""
    return None, "NO UPGRADE WAS TRIED: the history (a shallow clone?) holds no version with fewer migrations"


def build(commit):
    """The directory of its sources; the binary in it is build/tpbis. Whoever comes second waits for the first."""
    place = ROOT / "build/previous" / commit
    place.mkdir(parents=True, exist_ok=True)
    with open(place / "lock", "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (place / "done").exists():
            archive = subprocess.run(["git", "archive", commit], cwd=ROOT, stdout=subprocess.PIPE, check=True)
            (place / "source").mkdir(exist_ok=True)
            subprocess.run(["tar", "-x", "-C", place / "source"], input=archive.stdout, check=True)
            environment = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))}
            built = subprocess.run(["make", "-C", place / "source", "build", "BUILD=build", FLAGS], env=environment, text=True,
                                   stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
            assert built.returncode == 0, built.stdout[-4000:]
            (place / "done").touch()
    return place / "source"


if __name__ == "__main__":
    found, reason = previous_commit()
    print(f"the version before is {found}" if found else reason)
    sys.exit(0 if not found or build(found) else 1)
