"""Contract against statements: every parameter is bound, every asked value is used, every answer fits.

Never to break: a value a client may send that no statement reads would be ignored, and that is refused here.
"""
from .operations import ENGINE_ROLES, TYPES
from .schema import types_of
from .source import Map
from .statements import columns_of

PRIVATE = "private"  # x-refers: records that not everybody may know to be there
OPEN = "open"        # x-refers: any value may be asked for, and one that is nowhere finds nothing
PAGE = {"page_rows", "cursor", "key.1", "key.2", "key.3", "key.4"}


def _asks(statement):
    """Does the statement ask who calls?"""
    return statement is not None and any(name.startswith(("reach", "caller.")) and name != "caller.language"
                                         for name in statement.uses())


class Checks:
    def __init__(self, operations, statements, catalogue, builtins, unpublished, follow, report):
        self.operations, self.statements, self.catalogue = operations, statements, catalogue
        self.builtins, self.unpublished = builtins, unpublished  # name -> type; (tables, columns)
        self.follow, self.report = follow, report
        self.by_name = {}
        self.types = {}   # statement name -> {parameter: type}
        self.users = {}   # statement name -> [(operation, role)]

    def run(self):
        for statement in self.statements:
            if statement.name in self.by_name:
                first = self.by_name[statement.name]
                self.report.fault(statement.place, f'the statement "{statement.name}" is taken '
                                                   f"({first.file}:{first.line})")
            self.by_name[statement.name] = statement
            statement.tables = self.catalogue.tables_of(statement.tokens)
        for operation in self.operations:
            for role, name in operation.statements.items():
                self._user(operation, role, name)
        for statement in self.statements:
            users = self.users.get(statement.name, [])
            if not users and not statement.internal:
                self.report.fault(statement.place, f'the statement "{statement.name}" is used nowhere; '
                                                   "one that only C uses says internal")
            self._bind(statement, users)
            self._limits(statement)
            if not statement.internal:
                self._published(statement, users)
        for operation in self.operations:
            self._refers(operation)
            self._given(operation)
            self._answer(operation)
        self._selected()

    def _user(self, operation, role, name):
        statement = self.by_name.get(name)
        place = operation.node.get("x-statements", operation.node)
        place = place.place(role) if isinstance(place, Map) else operation.place
        if statement is None:
            self.report.fault(place, f'{operation.id}: there is no statement "{name}"')
            return
        self.users.setdefault(name, []).append((operation, role))
        if role == "answer":
            if statement.cardinality == "exec":
                self.report.fault(statement.place, f'"{name}" answers {operation.id}, so it must be :one or :many')
            elif (statement.cardinality == "many") != operation.is_list:
                what = "is a list" if operation.is_list else "is one object"
                self.report.fault(statement.place, f'"{name}" is :{statement.cardinality}, but the answer of '
                                                   f"{operation.id} {what}")

    # -- parameters of statements --

    def given(self, operation):
        """Name -> type of every value the operation can bind."""
        values = {"today": "date", "page_rows": "integer"}
        paths = {p.name for p in operation.parameters} | {m.path for m in operation.members}
        for name, kind in self.builtins.items():
            if name in ("today", "page_rows") or name in PAGE:
                continue
            if name.startswith("contract.") or name.startswith(("reach", "caller.")) and not operation.security:
                continue
            if name == "id" and not ("id" in paths or operation.success == 201):
                continue
            if name == "if_match" and "if-match" not in operation.headers:
                continue
            if name.startswith("near.") and "near" not in paths or name == "deleted.include" and "deleted" not in paths:
                continue
            values[name] = kind
        if operation.parameter("cursor"):
            values.update({name: self.builtins[name] for name in PAGE if name in self.builtins})
            values["cursor"] = "text"
        elif not operation.is_list:
            values.pop("page_rows", None)
        values.update(operation.binds)
        for name, kind, place in [(p.name, p.type, p.place) for p in operation.parameters] \
                + [(m.path, m.type, m.place) for m in operation.members]:
            if name in self.builtins and self.builtins[name] != kind:
                self.report.fault(place, f'"{name}" is {self.builtins[name]} to the engine, not {kind}')
            values[name] = kind
        return values

    @staticmethod
    def choices(operation):
        return {choice for p in operation.parameters for choice in p.choices} \
            | {"sort." + order.name for order in operation.orders}

    def _bind(self, statement, users):
        types = self.types.setdefault(statement.name, {})
        for name, kind in statement.types.items():
            if kind not in TYPES:
                self.report.fault(statement.place, f'"{kind}" is no type')
            types[name] = kind
        said = {}
        for operation, _ in users:
            values, choices = self.given(operation), self.choices(operation)
            for fragment in statement.fragments:
                possible = all(negated or name in values or name in choices
                               for name, negated in fragment.condition)
                name = fragment.parameter
                if name is None or not possible:
                    continue
                if name not in values:
                    self.report.fault(statement.place_of(name),
                                      f'"{statement.name}" needs :{name}, which {operation.id} does not give')
                    continue
                before = said.setdefault(name, (values[name], operation.id))
                if before[0] != values[name]:
                    self.report.fault(statement.place_of(name), f":{name} is {before[0]} in {before[1]} "
                                                                f"and {values[name]} in {operation.id}")
                types[name] = values[name]
        known = set().union(*(set(self.given(o)) | self.choices(o) for o, _ in users)) if users else set()
        for condition in statement.conditions():
            for name, _ in condition:
                if users and name not in known:
                    self.report.fault(statement.place_of(name),
                                      f'the condition "{name}" is given by no operation that uses "{statement.name}"')
        for name in statement.parameters():
            if name not in types:
                types[name] = self.builtins.get(name, "text")

    def _limits(self, statement):
        if len(statement.conditions()) > 64 or len(statement.parameters()) > 64:
            self.report.fault(statement.place, f'"{statement.name}" has more than 64 conditions or parameters')

    def _refers(self, operation):
        """Every filter that names a record says of which kind, so that one which names nothing is refused."""
        for parameter in operation.parameters:
            kind, place = parameter.refers, parameter.place
            if kind is None:
                if operation.method == "get" and parameter.role == "plain" and operation.statements and (
                        parameter.type in ("uuid", "uuid_list") or parameter.schema.get("format") == "dotted-code"
                        or parameter.schema.get("x-text") in ("code", "opaque")):
                    self.report.fault(place, f'{operation.id}: the parameter "{parameter.name}" names something, so it needs x-refers')
                continue
            if operation.method != "get" or parameter.role != "plain" or parameter.list_max or operation.flag("x-audited") \
                    or not operation.statements:
                self.report.fault(place, f'{operation.id}: x-refers is for a single value that a statement of a GET reads')
            elif kind not in (PRIVATE, OPEN) and f"refers_{kind}" not in self.by_name:
                self.report.fault(place, f'{operation.id}: "{parameter.name}" refers to "{kind}", and there is no statement refers_{kind}')

    def _given(self, operation):
        """Every parameter and member is read by a statement."""
        if operation.handler or operation.constant or set(operation.statements.values()) - set(self.by_name):
            return
        used = set().union(*(self.by_name[name].uses() for role, name in operation.statements.items() if role != "current"))
        if "near.latitude" in used or "near.longitude" in used:
            used.add("near")
        if "deleted.include" in used:
            used.add("deleted")
        for parameter in operation.parameters:
            if parameter.role not in ENGINE_ROLES and parameter.name not in used:
                self.report.fault(parameter.place, f'{operation.id}: no statement uses the parameter "{parameter.name}"')
            if parameter.role in ("expand", "sort"):
                for choice in parameter.choices:
                    if choice not in used:
                        self.report.fault(parameter.place, f'{operation.id}: no statement has the condition "{choice}"')
            if parameter.role == "limit" and "page_rows" not in used:
                self.report.fault(parameter.place, f"{operation.id}: limit is given, but no statement uses :page_rows")
            if parameter.role == "cursor" and "cursor" not in used:
                self.report.fault(parameter.place, f'{operation.id}: no statement has the condition "cursor"')
        for member in operation.members:
            if member.path not in used and member.path not in operation.reads:
                self.report.fault(member.place, f'{operation.id}: no statement uses the member "{member.path}"')

    # -- what may be read --

    def _published(self, statement, users):
        tables, columns = self.unpublished
        # What a write changes, its gate has asked for; of the object before it, no more than its version is looked at.
        reach = _asks(statement) or bool(users) and all(
            role in ("write", "current") and _asks(self.by_name.get(operation.statements.get("gate"))) for operation, role in users)
        for table in sorted(statement.tables & set(tables)):
            if not reach:
                self.report.fault(statement.place, f'"{statement.name}" reads {table}, which is not published, '
                                                   "without the caller's reach")
        words = {token.value for token in statement.tokens if token.kind in ("word", "quoted")}
        for operation, role in users:
            for (table, column), unless in columns.items():
                if role not in ("write", "current") and table in statement.tables and column in words and unless not in words \
                        and not operation.flag("x-audited"):
                    self.report.fault(statement.place, f'"{statement.name}" shows {table}.{column} in {operation.id} '
                                                       f"without asking {unless}; only an audited read may")

    # -- answers --

    def _answer(self, operation):
        statement = self.by_name.get(operation.statements.get("answer"))
        if statement is None or not isinstance(operation.answer_schema, Map):
            return
        columns = columns_of(statement) or []
        always = {c.name.split(".")[0] for c in columns if not c.condition}
        selected = {c.name.split(".")[0] for c in columns}
        operation.fields = [name for name in operation.fields if name in selected]
        always |= set(operation.adds)
        for column in columns:
            if column.name == "?":
                self.report.fault(statement.place, f'"{statement.name}" has a column without a name')
            elif not column.name.startswith("@") and not self._fits(operation.answer_schema, column.name.split(".")):
                self.report.fault(statement.place, f'the column "{column.name}" of "{statement.name}" is not in the '
                                                   f"answer of {operation.id}")
        for name in operation.answer_schema.get("required") or []:
            if name not in always:
                self.report.fault(statement.place, f'{operation.id} promises "{name}", but "{statement.name}" does '
                                                   "not always select it")
        for order in operation.orders:
            self._order(operation, statement, order, columns)

    def _fits(self, schema, steps):
        for step in steps:
            schema = self._object(schema)
            if schema is None or step not in (schema.get("properties") or {}):
                return False
            schema = schema["properties"][step]
        return True

    def _object(self, schema):
        schema = self.follow(schema)
        if not isinstance(schema, Map):
            return None
        if "object" in types_of(schema):
            return schema
        for keyword in ("anyOf", "oneOf", "allOf"):
            for part in schema.get(keyword) or []:
                found = self._object(part)
                if found is not None:
                    return found
        return None

    def _order(self, operation, statement, order, columns):
        by_name = {column.name: column for column in columns}
        for key in order.keys:
            if key not in by_name:
                self.report.fault(order.place, f'the order "{order.name}" of {operation.id} has the key "{key}", '
                                               f'which "{statement.name}" does not select')
                return
        name, said = "sort." + order.name, []
        for token, condition in zip(statement.tokens, statement.conditions_of):
            if (name, False) in condition:
                said.append(token)
        starts = [i for i, token in enumerate(said) if token.value == "order" and said[i + 1:i + 2]
                  and said[i + 1].value == "by"]
        if not starts:
            self.report.fault(statement.place, f'"{statement.name}" has no line ORDER BY ... --? {name}')
            return
        keys, directions = _expressions(said[starts[-1] + 2:])
        wanted = [_words(by_name[key].tokens) for key in order.keys]
        aliases = [[key] for key in order.keys]
        if len(directions) != 1 or len(keys) != len(wanted) \
                or any(key not in (want, alias) for key, want, alias in zip(keys, wanted, aliases)):
            self.report.fault(statement.place_of(name), f'ORDER BY of "{name}" in "{statement.name}" must be its '
                                                        f"keys in one direction: {', '.join(order.keys)}")

    def _selected(self):
        """Every property of an answer comes from some statement."""
        selected, schemas = {}, {}
        for operation in self.operations:
            statement = self.by_name.get(operation.statements.get("answer"))
            schema = operation.answer_schema
            if statement is None or not isinstance(schema, Map):
                continue
            schemas[id(schema)] = schema
            names = {column.name.split(".")[0] for column in columns_of(statement) or []}
            selected.setdefault(id(schema), set()).update(names, operation.adds)
        for key, schema in schemas.items():
            for name in schema.get("properties") or {}:
                if name not in selected[key]:
                    self.report.fault(schema["properties"].place(name), f'no statement selects "{name}"')


def _words(tokens):
    return [token.value or token.text for token in tokens]


def _expressions(tokens):
    """The expressions of an ORDER BY, and the set of their directions."""
    keys, directions, piece, depth = [], set(), [], 0
    for token in tokens + [None]:
        if token is not None:
            depth += {"(": 1, ")": -1}.get(token.text, 0)
        if token is None or token.text == "," and depth == 0:
            direction = "asc"
            if piece and piece[-1].value in ("asc", "desc"):
                direction = piece.pop().value
            keys.append(_words(piece))
            directions.add(direction)
            piece = []
        else:
            piece.append(token)
    return keys, directions


# ---- paths ---------------------------------------------------------------------------------------

class Node:
    """A place in the trie of paths."""

    def __init__(self):
        self.literals, self.parameter, self.parameter_name = {}, None, None  # the name: whichever came first
        self.operations = {}


def build_routes(operations, segment, report):
    root, seen = Node(), {}
    for operation in operations:
        node = root
        parts = operation.path.split("/")
        if parts[0] or any(not segment.match(part) for part in parts[1:]):
            report.fault(operation.place, f'the path "{operation.path}" must be /segments, each a literal or {{name}}')
            continue
        for part in parts[1:]:
            name = segment.match(part).group(1)
            if name is None:
                node = node.literals.setdefault(part, Node())
                continue
            if node.parameter is None:
                node.parameter, node.parameter_name = Node(), name
            node = node.parameter
        other = next(iter(node.operations.values()), operation)
        if other.path != operation.path:  # a name of its own is for longer paths: /things/{thing_id}/parts beside /things/{id}
            report.fault(operation.place, f'the path "{operation.path}" is ambiguous beside "{other.path}"')
        if operation.method in node.operations:
            report.fault(operation.place, f'the path "{operation.path}" is ambiguous: {operation.method.upper()} '
                                          f"is {node.operations[operation.method].id}")
        node.operations[operation.method] = operation
        seen.setdefault(id(node), operation)
    _check_backtracking(root, "", seen, report)
    return root


def _check_backtracking(node, path, seen, report):
    """A literal wins over a parameter at once, so nothing may need a second try."""
    if node.parameter is not None and node.literals and (node.parameter.literals or node.parameter.parameter):
        first = next(iter(seen.values()))
        inside = _first_operation(node.parameter)
        report.fault((inside or first).place, f'the path "{(inside or first).path}" is ambiguous beside '
                                              f'"{path}/{next(iter(node.literals))}"')
    for literal, child in node.literals.items():
        _check_backtracking(child, f"{path}/{literal}", seen, report)
    if node.parameter is not None:
        _check_backtracking(node.parameter, f"{path}/{{{node.parameter_name}}}", seen, report)


def _first_operation(node):
    for child in [*node.literals.values(), node.parameter]:
        if child is not None:
            return next(iter(child.operations.values()), None) or _first_operation(child)
    return None
