#!/usr/bin/python3
"""The public JSON Schema test suite (draft 7, Debian's json-schema-test-suite) as C data for schema_suite_test.c.

  schema_suite.py --out build/gen/schema_suite_data.h

Takes every group whose schema says only what the contract compiler supports and prints how many were taken and why
the others were left. Never to be broken: a group is left for a reason printed here, and too few taken is a failure.
"""
import argparse
import collections
import json
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT / "openapi"))

from compiler.cwriter import c_string  # noqa: E402
from compiler.schema import emit_test_schemas, unsupported  # noqa: E402

SUITE = pathlib.Path("/usr/share/json-schema-test-suite/tests/draft7")
OPTIONAL = ["optional/zeroTerminatedFloats.json"] + [
    f"optional/format/{name}.json" for name in ("date", "date-time", "email", "uri")]
TESTS_MIN = 280  # below this the selection, or the suite, is broken


def groups():
    files = sorted(SUITE.glob("*.json")) + [SUITE / name for name in OPTIONAL]
    for path in files:
        for group in json.loads(path.read_text(encoding="utf-8")):
            yield str(path.relative_to(SUITE)), group


def reason(schema):
    """Why the group is left, in a few words, or None."""
    found = unsupported(schema)
    return re.sub(r"^#[^:]*: ", "", found[0]) if found else None


def select():
    named, tests, left = [], [], collections.Counter()
    for file, group in groups():
        why = reason(group["schema"])
        if why:
            left[why] += 1
            continue
        number = len(named)
        named.append({"name": f"{file}: {group['description']}", "schema": group["schema"]})
        for test in group["tests"]:
            text = json.dumps(test["data"], ensure_ascii=True, separators=(",", ":"))
            tests.append((number, test["description"], text, test["valid"]))
    return named, tests, left


def emit(named, tests):
    lines = [emit_test_schemas(named)]
    lines.append("static const struct suite_test {\n    size_t schema;\n    const char *name, *instance;\n"
                 "    bool valid;\n} suite_tests[] = {")
    for number, name, text, valid in tests:
        lines.append(f"    {{{number}, {c_string(name)}, {c_string(text)}, {'true' if valid else 'false'}}},")
    lines.append("};")
    lines.append(f"#define SUITE_TESTS_MIN {TESTS_MIN}")
    return "\n".join(lines) + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", required=True, type=pathlib.Path)
    out = parser.parse_args().out
    if not SUITE.is_dir():
        sys.exit(f"{SUITE} is not there: install json-schema-test-suite")
    named, tests, left = select()
    print(f"JSON Schema suite, draft 7: {len(named)} groups with {len(tests)} tests taken, {sum(left.values())} left")
    for why, count in sorted(left.items(), key=lambda item: (-item[1], item[0])):
        print(f"  {count:3} left: {why}")
    if len(tests) < TESTS_MIN:
        sys.exit(f"only {len(tests)} tests were taken, at least {TESTS_MIN} are expected")
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(emit(named, tests), encoding="utf-8")


if __name__ == "__main__":
    main()
