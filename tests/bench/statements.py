"""The service's own SQL, for peers and pgbench: the text a statement has under given conditions."""

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "openapi"))

from compiler.source import Report  # noqa: E402
from compiler.statements import columns_of, parse_file  # noqa: E402


def find(name):
    for file in sorted((ROOT / "db/queries").glob("*.sql")):
        for statement in parse_file(str(file), file.read_text(encoding="utf-8"), Report()):
            if statement.name == name:
                return statement
    raise LookupError(name)


def stands(condition, present):
    return all((name in present) != negated for name, negated in condition)


def assemble(name, present, order):
    """The SQL of a statement when exactly the names `present` are given, its parameters numbered as in `order`."""
    statement, text = find(name), []
    for fragment in statement.fragments:
        if not stands(fragment.condition, present):
            continue
        text.append(fragment.text)
        if fragment.parameter:
            text.append(f"${order.index(fragment.parameter) + 1}")
    return "".join(text).strip()


def columns(name, present):
    """The result columns, in order."""
    return [re.sub(r'^"|"$', "", column.name) for column in columns_of(find(name)) if stands(column.condition, present)]


def tree_of(names):
    """["id", "region.code"] as {"id": "id", "region": {"code": "region.code"}}, hidden columns left out."""
    tree = {}
    for name in names:
        if name.startswith("@"):
            continue
        *steps, last = name.split(".")
        at = tree
        for step in steps:
            at = at.setdefault(step, {})
        at[last] = name
    return tree


def first_leaf(tree):
    """The column that tells whether an object is there."""
    first = next(iter(tree.values()))
    return first if isinstance(first, str) else first_leaf(first)


def _object_sql(tree):
    members = ", ".join(f"'{name}', " + (f'x."{node}"' if isinstance(node, str) else _object_sql(node))
                        for name, node in tree.items())
    return f'CASE WHEN x."{first_leaf(tree)}" IS NOT NULL THEN json_build_object({members}) END'


def _row_sql(tree):
    """row_to_json() of the nested row x; quicker than json_build_object() of all members."""
    members = ", ".join((f'x."{node}"' if isinstance(node, str) else _object_sql(node)) + f' AS "{name}"'
                        for name, node in tree.items())
    return f"(SELECT row_to_json(t) FROM (SELECT {members}) t)"


def json_object(sql, names):
    """One text: the object, built by PostgreSQL."""
    return f"SELECT {_row_sql(tree_of(names))}::text AS body FROM ({sql}) x"


def json_page(sql, names, keys, limit):
    """One text: {"items": [...], "next": cursor}, built by PostgreSQL from a statement that gives limit + 1 rows."""
    key = " || ',' || ".join(f'f."{name}"' for name in keys)
    carried = ", ".join(f'x."{name}"::text' + f' AS "{name}"' for name in keys)
    return (f"SELECT json_build_object('items', coalesce(json_agg(f.item) FILTER (WHERE f.n <= {limit}), '[]'), 'next', "
            f"CASE WHEN count(*) > {limit} THEN encode(convert_to(max({key}) FILTER (WHERE f.n = {limit}), 'UTF8'), 'base64') "
            f"END)::text AS body FROM (SELECT {_row_sql(tree_of(names))} AS item, row_number() OVER () AS n, {carried} "
            f"FROM ({sql}) x) f")
