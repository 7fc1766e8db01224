"""Runs the parts of `make test`, and says at the end how long each took and what was skipped.

    tests/parts.py --make MAKE --out DIRECTORY [--first PART] LANE...

A lane is a list of parts with commas between them: its parts run one after another, and the lanes run side by side. What a part
prints is shown as one block when it ends, and stays in DIRECTORY/<part>.log. A part that fails does not stop the others; its
output is shown again at the end, and the run fails.
"""

import argparse
import pathlib
import re
import shlex
import subprocess
import sys
import threading
import time

SKIPPED = re.compile(r"^SKIPPED \[\d+\] (.*)$", re.MULTILINE)
SHOWN_AGAIN_LINES = 200


class Part:
    def __init__(self, name, make, out):
        self.name, self.command, self.log = name, [*make, "test-" + name], out / f"{name}.log"
        self.seconds, self.failed = None, False

    def run(self):
        begun = time.monotonic()
        with open(self.log, "wb") as log:
            self.failed = subprocess.run(self.command, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT,
                                         close_fds=False, check=False).returncode != 0
        self.seconds = time.monotonic() - begun

    def text(self):
        return self.log.read_text(encoding="utf-8", errors="replace")

    def closing_lines(self):
        yield f"{self.name}: {self.seconds:.0f} s" + (", FAILED" if self.failed else "")
        yield from (f"{self.name}: skipped: {why}" for why in sorted(set(SKIPPED.findall(self.text()))))


def run_lane(parts, show):
    for part in parts:
        part.run()
        with show:
            print(f"==== {part.name} ====\n{part.text().rstrip()}\n", flush=True)


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--make", required=True, help="how a target is made, as one word for the shell")
    parser.add_argument("--out", type=pathlib.Path, required=True)
    parser.add_argument("--first", help="a part that all others need")
    parser.add_argument("lanes", nargs="+")
    options = parser.parse_args(arguments)
    options.out.mkdir(parents=True, exist_ok=True)
    lanes = [[Part(name, shlex.split(options.make), options.out) for name in lane.split(",")] for lane in options.lanes]
    show, first = threading.Lock(), []
    if options.first:
        first = [Part(options.first, shlex.split(options.make), options.out)]
        run_lane(first, show)
        if first[0].failed:
            lanes = []
    threads = [threading.Thread(target=run_lane, args=(lane, show)) for lane in lanes]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    parts = [part for lane in [first, *lanes] for part in lane]
    failed = [part for part in parts if part.failed]
    for part in failed:
        lines = part.text().splitlines()[-SHOWN_AGAIN_LINES:]
        print(f"==== {part.name} FAILED; its output ends with ====\n" + "\n".join(lines) + "\n")
    for part in parts:
        print("\n".join(part.closing_lines()))
    print("make test: " + ("FAILED: " + ", ".join(part.name for part in failed) if failed else "every part passed"), flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
