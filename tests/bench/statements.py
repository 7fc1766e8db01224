"""The service's own SQL, for peers and pgbench: the text a statement has under given conditions."""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "openapi"))

from compiler.source import Report  # noqa: E402
from compiler.statements import parse_file  # noqa: E402


def assemble(name, present=()):
    """(SQL with $1..$n, names in that order) of a statement when exactly `present` names are given."""
    for file in sorted((ROOT / "db/queries").glob("*.sql")):
        for statement in parse_file(str(file), file.read_text(encoding="utf-8"), Report()):
            if statement.name == name:
                return _text(statement, set(present))
    raise LookupError(name)


def _text(statement, present):
    text, order = [], []
    for fragment in statement.fragments:
        if any((one in present) == negated for one, negated in fragment.condition):
            continue
        text.append(fragment.text)
        if fragment.parameter:
            if fragment.parameter not in order:
                order.append(fragment.parameter)
            text.append(f"${order.index(fragment.parameter) + 1}")
    return "".join(text).strip(), order
