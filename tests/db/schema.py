"""A database of its own with our schema and nothing in it, and the statements of db/queries as the service assembles them.
Never to break: what is run here is the text of db/, nothing written again by hand."""
import os
import pathlib
import sys

import psycopg2
import psycopg2.extensions

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "openapi"))
from compiler.statements import parse_file  # noqa: E402

OWNER_URL = os.environ.get("TPBIS_OWNER_DATABASE_URL", "")
API_URL = os.environ.get("TPBIS_DATABASE_URL", "")

# The types of names that are not text: of the contract and of openapi/builtin_names.def.
TYPES = {
    "id": "uuid", "page_rows": "bigint", "as_of": "date", "updated_since": "timestamptz", "kind": "text[]",
    "status": "text[]", "supervisor": "uuid", "supervisor_id": "uuid", "near.latitude": "float8",
    "near.longitude": "float8", "radius_km": "float8", "has_location": "boolean", "if_match": "bigint[]",
    "reach.from": "text[]", "reach.to": "text[]", "reach.rank": "bigint[]", "reach.libraries": "uuid[]",
    "effective_on": "date", "closed_on": "date", "founded_on": "date", "latitude": "float8", "longitude": "float8",
    "internet_mbps": "float8", "contact_public": "boolean", "applications": "jsonb", "computers": "bigint",
    "servers": "bigint", "staff_count": "bigint", "titles": "bigint", "copies": "bigint", "digital_titles": "bigint",
}
# Of a body, kind and status are one value; as query parameters they are lists.
WRITES = {"create_library", "update_library", "gate_create_library"}
# The types of an order's keys; a region's key is its code.
KEYS = {"sort.updated_at": ("timestamptz", "uuid"), "sort.distance": ("float8", "uuid"), "sort.region": ("text", "uuid"),
        "sort.name": ("text", "uuid"), "sort.code": ("text", "text")}


class _Report:
    def fault(self, place, text):
        raise AssertionError(f"{place}: {text}")


def statements():
    found = {}
    for path in sorted((ROOT / "db/queries").glob("*.sql")):
        for statement in parse_file(path.name, path.read_text(), _Report()):
            found[statement.name] = statement
    return found


STATEMENTS = statements()


def files_in_order():
    functions = sorted((ROOT / "db/functions").glob("*.sql"))
    base = [path for path in functions if path.name.startswith("base")]
    return base + sorted((ROOT / "db/migrations").glob("*.sql")) + functions


def fresh_database(name):
    """Makes the database anew; returns (owner's, service's) connection strings."""
    owner = psycopg2.connect(OWNER_URL)
    owner.autocommit = True
    with owner.cursor() as cursor:
        cursor.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        cursor.execute(f"CREATE DATABASE {name}")
        cursor.execute(f"GRANT CONNECT ON DATABASE {name} TO tpbis_api")
    owner.close()
    owner_url, api_url = (psycopg2.extensions.make_dsn(url, dbname=name) for url in (OWNER_URL, API_URL))
    connection = psycopg2.connect(owner_url)
    with connection, connection.cursor() as cursor:
        # the migrator's own, see db/migrate.c
        cursor.execute("CREATE TABLE schema_migration (name text, applied_at timestamptz, checksum text)")
        for path in files_in_order():
            cursor.execute(path.read_text())
    connection.close()
    return owner_url, api_url


def drop_database(name):
    owner = psycopg2.connect(OWNER_URL)
    owner.autocommit = True
    with owner.cursor() as cursor:
        cursor.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
    owner.close()


def type_of(name, statement_name, present):
    if name in ("kind", "status") and statement_name in WRITES:
        return "text"
    if name in ("key.1", "key.2"):
        keys = next(types for order, types in KEYS.items() if order in present)
        return "text" if statement_name == "list_regions" and name == "key.2" else keys[int(name[-1]) - 1]
    return TYPES.get(name, "text")


def assemble(name, present, count=False):
    """The SQL text with $n, and its parameters as [(name, type)], as db/statement.c makes them."""
    numbers, text = {}, []

    def holds(what):
        if count and (what in ("cursor", "page_rows") or what.startswith(("sort.", "key."))):
            return False
        return what in present

    for fragment in STATEMENTS[name].fragments:
        if fragment.condition and any(holds(what) == negated for what, negated in fragment.condition):
            continue
        text.append(fragment.text)
        if fragment.parameter:
            numbers.setdefault(fragment.parameter, len(numbers) + 1)
            text.append(f"${numbers[fragment.parameter]}")
    sql = "".join(text)
    if count:
        sql = f"SELECT count(*) FROM ({sql}\n) AS counted"
    return sql, [(what, type_of(what, name, present)) for what in numbers]


class Session:
    """One connection that runs our statements as prepared ones."""

    def __init__(self, url):
        self.connection = psycopg2.connect(url)
        self.connection.autocommit = True
        self.cursor = self.connection.cursor()
        self.number = 0

    def prepare(self, name, present, count=False):
        sql, parameters = assemble(name, present, count)
        self.number += 1
        types = f"({', '.join(kind for _, kind in parameters)})" if parameters else ""
        self.cursor.execute(f"PREPARE s{self.number}{types} AS {sql}")
        return f"s{self.number}", parameters

    def call(self, name, values, count=False):
        """The EXECUTE of a prepared statement, as text."""
        prepared, parameters = self.prepare(name, values, count)
        if not parameters:
            return f"EXECUTE {prepared}"
        marks = ", ".join(f"%s::{kind}" for _, kind in parameters)
        arguments = [values.get(what) for what, _ in parameters]
        return self.cursor.mogrify(f"EXECUTE {prepared}({marks})", arguments).decode()

    def run(self, name, values, count=False):
        """Rows as dicts; None where the statement returns none."""
        self.cursor.execute(self.call(name, values, count))
        if self.cursor.description is None:
            return None
        names = [column.name for column in self.cursor.description]
        return [dict(zip(names, row)) for row in self.cursor.fetchall()]

    def close(self):
        self.connection.close()
