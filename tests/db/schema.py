"""A database of its own with our schema and nothing in it, and the statements of db/queries as the service assembles them.
Never to break: what is run here is the text of db/, nothing written again by hand."""
import pathlib
import sys

import psycopg2

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "openapi"))
from compiler.contract import check_contract  # noqa: E402
from compiler.source import Documents, Report  # noqa: E402

CLUSTER = None  # harness.cluster.Cluster; conftest.py sets it for the whole run

# What the contract's types are to PostgreSQL.
SQL_TYPES = {"text": "text", "integer": "bigint", "number": "float8", "boolean": "boolean", "uuid": "uuid", "date": "date",
             "timestamp": "timestamptz", "json": "jsonb", "text_list": "text[]", "integer_list": "bigint[]", "uuid_list": "uuid[]"}
_ROOT, _, _, OPERATIONS, _, CATALOGUE, _CHECKS, _ = check_contract(
    Documents(Report()), *(str(ROOT / part) for part in ("openapi", "db/queries", "db/migrations", "db/functions")))
STATEMENTS = _CHECKS.by_name
# Of each list its orders: name of the condition -> types of its keys.
ORDERS = {operation.statements["answer"]: {"sort." + order.name: [SQL_TYPES[kind] for kind in order.keys.values()]
                                           for order in operation.orders}
          for operation in OPERATIONS if operation.orders}


def files_in_order():
    functions = sorted((ROOT / "db/functions").glob("*.sql"))
    base = [path for path in functions if path.name.startswith("base")]
    return base + sorted((ROOT / "db/migrations").glob("*.sql")) + functions


def fresh_database(name):
    """Makes the database anew; returns (owner's, service's) connection strings."""
    with CLUSTER.connect("postgres") as owner, owner.cursor() as cursor:
        cursor.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        cursor.execute(f"CREATE DATABASE {name}")
        cursor.execute(f"GRANT CONNECT ON DATABASE {name} TO tpbis_api")
    connection = psycopg2.connect(CLUSTER.url(name, owner=True))
    with connection, connection.cursor() as cursor:
        # the migrator's own, see db/migrate.c
        cursor.execute("CREATE TABLE schema_migration (name text, applied_at timestamptz, checksum text)")
        for path in files_in_order():
            cursor.execute(path.read_text())
    connection.close()
    return CLUSTER.url(name, owner=True), CLUSTER.url(name)


def drop_database(name):
    CLUSTER.drop_database(name)


def type_of(name, statement_name, present):
    """The type the compiler gives the parameter; of a key, the one its order gives it."""
    if name.startswith("key."):
        keys = next(types for order, types in ORDERS[statement_name].items() if order in present)
        return keys[int(name[4:]) - 1]
    return SQL_TYPES[_CHECKS.types[statement_name][name]]


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
