"""The order of compilation: read, check the document, build the rows, check them against SQL, write.

Never to break: nothing is written unless nothing is wrong.
"""
import glob
import os
import re

from . import exports
from .bundle import Bundle, enumerations, with_fields
from .catalogue import Catalogue
from .checks import Checks, build_routes
from .conditions import describe, find_current
from .emit import Emitter
from .grants import check_grants
from .operations import SEGMENT, Builder
from .places import check_places
from .references import References, read_kinds
from .schema import check_texts
from .source import Documents, Map, Refused, Report
from .statements import parse_file
from .structure import Structure
from .tables import tables_add

ROOM = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
KEY = "#/components/parameters/idempotency_key"
BUILTIN = re.compile(r'^NAME\([A-Z0-9_]+,\s*"([^"]+)",\s*([a-z_]+)\)', re.M)


def builtin_names():
    with open(os.path.join(ROOM, "builtin_names.def"), encoding="utf-8") as stream:
        return dict(BUILTIN.findall(stream.read()))


def _sql_files(folder):
    for path in sorted(glob.glob(os.path.join(folder, "**", "*.sql"), recursive=True)):
        with open(path, encoding="utf-8") as stream:
            yield path, stream.read()


def read_unpublished(documents, path, tables, report):
    """The tables, and {(table, column): the column that must be asked}, of unpublished.yaml."""
    if not os.path.exists(path):
        return [], {}
    document = documents.load(path)
    for key in document:
        if key not in ("tables", "columns"):
            report.fault(document.place(key), f'the key "{key}" is not known here')
    named = list(document.get("tables") or [])
    columns = {tuple(name.partition(".")[::2]): asked for name, asked in (document.get("columns") or {}).items()}
    for table in named + [table for table, _ in columns]:
        if table not in tables:
            report.fault(document.place(), f'there is no table "{table}"')
    return named, columns


def compile_contract(contract, queries, migrations, functions):
    """File name -> text of everything that is made; raises Refused with every fault."""
    documents = Documents(Report())
    root, structure, builder, operations, routes, catalogue, checks, kinds = check_contract(documents, contract, queries, migrations, functions)
    openapi_json = Bundle(root, structure, operations, documents).text()
    for operation in operations:
        fields = operation.parameter("fields")
        if fields:
            fields.schema = _as_map(with_fields({}, operation.fields)["items"])
            fields.list_max = len(operation.fields)
    emitter = Emitter(operations, checks.statements, checks.types, catalogue, builtin_names(), builder.scopes, routes,
                      documents.follow, kinds, checks.unpublished[0])
    source = emitter.text(openapi_json, root["info"]["version"], enumerations(structure))
    return {"contract.c": source, "openapi.json": openapi_json}


def check_contract(documents, contract, queries, migrations, functions):
    """Everything read and held against each other, nothing made yet; raises Refused with every fault."""
    report = documents.report
    root = documents.load(os.path.join(contract, "openapi.yaml"))
    keys_add(root, documents, report)
    tables_add(root, documents, report)
    structure = Structure(root, documents, report)
    structure.check()
    report.finish()  # what follows may rely on the document's form
    builder = Builder(root, structure, documents, report)
    operations = builder.build()
    routes = build_routes(operations, SEGMENT, report)
    kinds_file = os.path.join(contract, "references.yaml")
    kinds = read_kinds(documents, kinds_file, operations, report)
    References(kinds, documents.follow, report).find(operations, (kinds_file, 1))

    catalogue = Catalogue()
    files = [*_sql_files(migrations), *_sql_files(functions)]
    for path, text in files:
        catalogue.add(path, text, report)
        if len(catalogue.tables) > 128:
            report.fault((path, 1), "more than 128 tables")
    statements = []
    for path, text in _sql_files(queries):
        statements.extend(parse_file(path, text, report))
    find_current(operations, statements)
    describe(operations, statements, root, report)
    exports.describe(operations, root, report)
    builtins = builtin_names()
    unpublished = read_unpublished(documents, os.path.join(contract, "unpublished.yaml"), catalogue.tables, report)
    checks = Checks(operations, statements, catalogue, builtins, unpublished, documents.follow, report)
    checks.run()
    check_places(operations, checks, catalogue, report)
    catalogue.granted = check_grants(catalogue, statements, files, report)
    for operation in operations:
        check_texts(operation, documents.follow, report)
    report.finish()
    return root, structure, builder, operations, routes, catalogue, checks, kinds


def keys_add(root, documents, report):
    """Every POST under /v1 behind a token takes Idempotency-Key, without saying so."""
    for path, item in (root.get("paths") or {}).items():
        node = documents.follow(item).get("post")
        if not path.startswith("/v1/") or not isinstance(node, Map) or not node.get("security"):
            continue
        parameters = node.setdefault("parameters", [])
        reference = Map(root.file, root.line)
        reference["$ref"] = KEY
        if "idempotency_key" not in ((root.get("components") or {}).get("parameters") or {}):
            report.fault(node.place(), f"POST {path} takes Idempotency-Key, which is not among the components")
            return
        parameters.append(reference)


def _as_map(schema):
    result = Map("", 0)
    result.update(schema)
    return result


__all__ = ["compile_contract", "builtin_names", "Refused"]
