#!/usr/bin/python3
"""Compiles the contract and the statements (see openapi/README.md).

  compile.py --contract openapi --queries db/queries --migrations db/migrations \
             --functions db/functions --out build/gen
  compile.py --schemas FILE.json --out-c FILE.c       standalone schemas, for the validator's tests

Exit status: 0 done, 1 the contract or a statement is refused, 2 a standalone schema is not supported.
"""
import argparse
import json
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from compiler.schema import emit_test_schemas, unsupported  # noqa: E402
from compiler.source import Refused, write_if_changed  # noqa: E402


def compile_schemas(source, target):
    with open(source, encoding="utf-8") as stream:
        named = json.load(stream)
    found = [f"{item['name']}: {text}" for item in named for text in unsupported(item["schema"])]
    if found:
        print("\n".join(found), file=sys.stderr)
        return 2
    write_if_changed(target, emit_test_schemas(named))
    return 0


def main(arguments=None):
    parser = argparse.ArgumentParser(description="compiles the contract and its statements")
    parser.add_argument("--contract", default="openapi")
    parser.add_argument("--queries", default="db/queries")
    parser.add_argument("--migrations", default="db/migrations")
    parser.add_argument("--functions", default="db/functions")
    parser.add_argument("--out", default="build/gen")
    parser.add_argument("--schemas")
    parser.add_argument("--out-c")
    options = parser.parse_args(arguments)
    if options.schemas:
        if not options.out_c:
            parser.error("--schemas needs --out-c")
        return compile_schemas(options.schemas, options.out_c)
    from compiler.contract import compile_contract
    try:
        products = compile_contract(options.contract, options.queries, options.migrations, options.functions)
    except Refused as refused:
        print("\n".join(refused.faults), file=sys.stderr)
        return 1
    for name, text in products.items():
        write_if_changed(os.path.join(options.out, name), text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
