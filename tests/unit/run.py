"""Runs the cmocka programs given as arguments and counts: the last line says `N passed, N failed`.

A program that crashes, or ends non-zero without naming a failed test (a sanitizer's report), counts as failed.
"""

import concurrent.futures
import os
import re
import subprocess
import sys

TIMEOUT_S = 300


def run(program):
    try:
        done = subprocess.run([program], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, timeout=TIMEOUT_S, check=False)
        output, code = done.stdout.decode(errors="replace"), done.returncode
    except subprocess.TimeoutExpired as fault:
        output, code = (fault.stdout or b"").decode(errors="replace") + f"\nno end after {TIMEOUT_S} s", -1
    passed = len(re.findall(r"^\[       OK \]", output, re.M))
    failed = len(re.findall(r"^\[  FAILED  \] \S+$", output, re.M)) // 2  # named once, listed once more
    if code != 0 and failed == 0:
        failed = 1
    if code == 0 and passed == 0:
        output, failed = output + "\nit ran no test", 1
    return program, passed, failed, output


def main():
    passed = failed = 0
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for program, good, bad, output in pool.map(run, sys.argv[1:]):
            name = program.partition("/tests/unit/")[2] or program
            print(f"{'ok    ' if not bad else 'FAILED'} {name}: {good} passed" + (f", {bad} failed" if bad else ""))
            if bad:
                print(output)
            passed, failed = passed + good, failed + bad
    print(f"{passed} passed, {failed} failed")
    sys.exit(failed != 0)


if __name__ == "__main__":
    main()
