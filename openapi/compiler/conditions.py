"""What If-Match and If-None-Match of a write are compared with, and what the contract says of it.

Never to break: every write either has a statement that finds the object as it stands, with its version, or takes
no condition at all; and what a PUT made is told from what it replaced.
"""
from .source import Map, reference, sort_responses
from .statements import columns_of

VERSION = "@version"
HEADERS = (("if-match", "if_match_optional"), ("if-none-match", "if_none_match_write"))
# Components that the contract's own files need not refer to.
ADDED = {("parameters", component) for _, component in HEADERS} | {("responses", "precondition_failed"), ("headers", "location")}


def find_current(operations, statements):
    """Gives every write that changes one object the statement which shows this object before the write: the one named
    in x-statements; else that of the GET of the same address; else the write's own answer (an action on the object);
    else that of another write of the same address. A POST that makes an object changes none."""
    by_name = {statement.name: statement for statement in statements}
    by_path = {}
    for operation in operations:
        by_path.setdefault(operation.path, []).append(operation)
    for operation in operations:
        if operation.method == "get" or "write" not in operation.statements or operation.success == 201:
            continue
        beside = by_path[operation.path]
        reads = [other for other in beside if other.method == "get"]
        for other in [*reads, operation, *beside]:
            answer = other.statements.get("answer")
            if "current" not in operation.statements and not other.is_list and _versioned(by_name.get(answer)):
                operation.statements["current"] = answer


def _versioned(statement):
    return statement is not None and any(column.name == VERSION for column in columns_of(statement) or [])


def describe(operations, statements, root, report):
    """Adds to the contract what follows: the two headers, 412, and the 201 of a PUT."""
    by_name = {statement.name: statement for statement in statements}
    components = root.get("components") or {}
    missing = [f"{kind}/{name}" for kind, name in sorted(ADDED) if name not in (components.get(kind) or {})]
    for operation in operations:
        current = operation.statements.get("current")
        if current is None:
            if operation.method == "put" and not operation.handler:
                report.fault(operation.place, f"{operation.id}: a PUT tells what it made from what it replaced, so it "
                                              "needs a statement current, or an answer with @version")
            continue
        if missing:
            report.fault(operation.place, f"{operation.id} takes conditions, and {', '.join(missing)} is not among the components")
            continue
        if current in by_name and not _versioned(by_name[current]):
            report.fault(by_name[current].place, f'"{current}" shows {operation.id} the object before the write, so it '
                                                 'must select "@version"')
        for name, component in HEADERS:
            if name not in operation.headers:
                operation.node.setdefault("parameters", []).append(reference(root, "parameters", component))
                operation.headers[name] = Map(*operation.place)
        responses = operation.node["responses"]
        if "412" not in responses:
            responses["412"] = reference(root, "responses", "precondition_failed")
        if operation.method == "put" and "200" not in responses:
            report.fault(operation.place, f"{operation.id}: a PUT answers 200 with the object; 201 follows by itself")
        elif operation.method == "put":
            responses["201"] = _made(responses["200"], root)
        operation.node["responses"] = sort_responses(responses)


def _made(replaced, root):
    made = replaced.copy()
    made["description"] = "The same, of what was not there before."
    headers = Map(root.file, root.line)
    headers.update(replaced.get("headers") or {})
    headers["Location"] = reference(root, "headers", "location")
    made["headers"] = headers
    return made
