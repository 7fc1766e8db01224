"""Fails when a hand-written source is too long to be read in one sitting (part of `make lint`)."""

import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
LINES_MAX = 500
SUFFIXES = {".c", ".h", ".py", ".sql", ".yaml", ".sh", ".mk", ".js"}


def sources():
    for top in ("api", "auth", "db", "openapi", "tests", ".make", ".setup", ".deploy"):
        for path in sorted((ROOT / top).rglob("*")):
            if path.is_file() and (path.suffix in SUFFIXES or path.suffix == "") and "node_modules" not in path.parts:
                yield path
    yield ROOT / "Makefile"


def main():
    long = [(path, count) for path in sources()
            if "reference" not in path.parts and "corpus" not in path.parts
            if (count := path.read_bytes().count(b"\n")) > LINES_MAX]
    for path, count in long:
        print(f"{path.relative_to(ROOT)}: {count} lines, at most {LINES_MAX}")
    sys.exit(bool(long))


if __name__ == "__main__":
    main()
