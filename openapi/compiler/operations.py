"""From the document to rows: operations with their parameters, body members, orders and scopes.

Never to break: no operation without security, no write without its write statement or handler.
"""
import re
from dataclasses import dataclass, field

from .schema import types_of
from .source import Map
from .structure import METHODS

MEDIA = {"application/json": "json", "application/merge-patch+json": "merge_patch",
         "application/x-www-form-urlencoded": "form", "text/csv": "csv", "application/geo+json": "geojson",
         "text/html": "html", "text/plain": "text"}
FORMAT_MEDIA = ("json", "csv", "geojson")
ROLES = ("limit", "cursor", "fields", "expand", "sort", "count", "format", "separator", "near", "deleted")
ENGINE_ROLES = {"limit", "cursor", "fields", "expand", "sort", "count", "format", "separator"}
# The scopes of those who administer: what they write asks for a recent login, unless the contract says why not.
ADMINISTRATION = {"admin", "assignments:write", "audit:read", "people:erase"}
TYPES = ("text", "integer", "number", "boolean", "uuid", "date", "timestamp", "json", "text_list", "integer_list",
         "uuid_list")
IDENTIFIER = re.compile(r"[a-z][a-z0-9_]*\Z")
SEGMENT = re.compile(r"(?:\{([a-z][a-z0-9_]*)\}|[A-Za-z0-9._~-]+)\Z")


@dataclass
class Parameter:
    name: str
    place: tuple
    role: str
    type: str
    required: bool
    list_max: int  # 0: not a list
    initial: object
    schema: object  # of one item, when it is a list
    choices: list = field(default_factory=list)
    needs: str = None
    refers: str = None  # what it names: a kind that has a statement refers_<kind>, or "private"
    cost: int = 0  # x-cost: requests that it costs beside its operation


@dataclass
class Member:
    path: str
    type: str
    place: tuple


@dataclass
class Order:
    name: str
    keys: dict  # column -> type
    needs: str
    place: tuple


@dataclass
class Operation:
    id: str
    path: str
    method: str
    node: Map
    place: tuple
    parameters: list = field(default_factory=list)
    headers: dict = field(default_factory=dict)
    body: object = None
    optional_body: bool = False
    consumes: list = field(default_factory=list)
    produces: list = field(default_factory=list)
    members: list = field(default_factory=list)
    references: list = field(default_factory=list)  # what the body names (references.py)
    orders: list = field(default_factory=list)
    security: list = None
    reach: list = field(default_factory=list)  # scopes of x-reach
    place_rule: str = None  # x-place (places.py)
    key: str = "id"
    success: int = 0
    answer_schema: object = None  # of the object, or of one item of the list
    is_list: bool = False
    fields: list = field(default_factory=list)
    statements: dict = field(default_factory=dict)  # gate, current, write, answer -> name
    handler: str = None
    constant: str = None
    prepare: str = None  # x-prepare: a function in C before the statements,
    binds: dict = field(default_factory=dict)  # what it gives them (name -> type),
    reads: list = field(default_factory=list)  # the members of the body that it reads,
    adds: list = field(default_factory=list)   # and those of the answer that it gives itself

    def parameter(self, role):
        return next((p for p in self.parameters if p.role == role), None)

    def flag(self, key):
        return self.node.get(key) is True

    def number(self, key, default):
        return self.node.get(key, default)


class Builder:
    def __init__(self, root, structure, documents, report):
        self.root, self.structure, self.report = root, structure, report
        self.follow = documents.follow
        self.scopes = self._scopes()
        self.scheme = next(iter((root.get("components") or {}).get("securitySchemes") or {}), None)

    def _scopes(self):
        scopes = []
        for scheme in ((self.root.get("components") or {}).get("securitySchemes") or {}).values():
            for flow in (scheme.get("flows") or {}).values():
                scopes.extend(scope for scope in flow.get("scopes") or {} if scope not in scopes)
        if len(scopes) > 32:
            self.report.fault(self.root.place("components"), "more than 32 scopes")
        return scopes

    def build(self):
        operations, ids = [], {}
        for path, item in (self.root.get("paths") or {}).items():
            item = self.follow(item)
            for method in METHODS:
                if method in item:
                    operation = self._operation(path, item, method)
                    if operation.id in ids:
                        self.report.fault(operation.node.place("operationId"),
                                          f'the operationId "{operation.id}" is taken (line {ids[operation.id][1]})')
                    ids[operation.id] = operation.place
                    operations.append(operation)
        return operations

    def _operation(self, path, item, method):
        node = item[method]
        name = node.get("operationId", "")
        if not isinstance(name, str) or not IDENTIFIER.match(name):
            self.report.fault(node.place("operationId"), "an operationId is a lower_case name")
        operation = Operation(str(name), path, method, node, node.place())
        operation.handler, operation.constant = node.get("x-handler"), node.get("x-constant")
        self._parameters(operation, item)
        self._body(operation)
        self._responses(operation)
        self._security(operation)
        self._orders(operation)
        self._statements(operation)
        self._settings(operation)
        self._shape(operation)
        return operation

    # -- parameters --

    def _parameters(self, operation, item):
        found = {}
        for node in list(item.get("parameters") or []) + list(operation.node.get("parameters") or []):
            place, target = node.place(), self.follow(node)
            found[target.get("in"), target.get("name")] = (place, target)
        template = re.findall(r"\{([^}]*)\}", operation.path)
        for name in template:
            if ("path", name) not in found:
                self.report.fault(operation.place, f'the path\'s "{{{name}}}" is not among the parameters')
            else:
                operation.parameters.append(self._parameter(operation, *found.pop(("path", name))))
        for (where, name), (place, target) in found.items():
            if where == "path":
                self.report.fault(place, f'the path has no "{{{name}}}"')
            elif where == "header":
                operation.headers[name.lower()] = target
            else:
                operation.parameters.append(self._parameter(operation, place, target))
        names = {parameter.name for parameter in operation.parameters}
        for parameter in operation.parameters:
            if parameter.needs is not None and parameter.needs not in names - {parameter.name}:
                self.report.fault(parameter.place, f'"{parameter.name}" needs a parameter that is not there')

    def _parameter(self, operation, place, node):
        name, schema = node.get("name", ""), self.follow(node.get("schema") or Map(*node.place()))
        path = node.get("in") == "path"
        role = "path" if path else name if name in ROLES else "plain"
        if not IDENTIFIER.match(name):
            self.report.fault(place, f'the parameter "{name}" is no lower_case name')
        if path and node.get("required") is not True:
            self.report.fault(node.place(), f'the path parameter "{name}" must be required')
        list_max, item = 0, schema
        if "array" in types_of(schema):
            if path or node.get("style") != "form" or node.get("explode") is not False:
                self.report.fault(node.place(), f'the list "{name}" must be of the query, style form, explode false')
            list_max, item = schema.get("maxItems", 0), self.follow(schema.get("items") or Map(*node.place()))
        kind = value_type(item, self.follow)
        if list_max:
            kind = kind + "_list" if kind + "_list" in TYPES else None
        if kind is None or kind == "json":
            self.report.fault(node.place(), f'the parameter "{name}" has no type that can be bound')
            kind = "text"
        choices = []
        if role in ("expand", "sort"):
            choices = [f"{role}.{value}" for value in item.get("enum") or []]
            if not choices:
                self.report.fault(node.place(), f'"{name}" needs an enum')
        if role == "near" and item.get("format") != "point":
            self.report.fault(node.place(), '"near" must have the format point')
        initial = schema.get("default")
        if initial is not None:
            initial = ",".join(map(_text, initial)) if isinstance(initial, list) else _text(initial)
        return Parameter(name, place, role, kind, node.get("required") is True, list_max, initial, item, choices,
                         node.get("x-needs"), node.get("x-refers"), self._number(node, "x-cost", 0, 0, 65535))

    # -- bodies --

    def _body(self, operation):
        body = operation.node.get("requestBody")
        if body is None:
            return
        operation.optional_body = body.get("required") is not True
        schemas = []
        for media, content in (body.get("content") or {}).items():
            if media not in ("application/json", "application/merge-patch+json", "application/x-www-form-urlencoded"):
                self.report.fault(body.place("content"), f'a body of type "{media}" is not supported')
                continue
            operation.consumes.append(MEDIA[media])
            schemas.append(self.follow(content.get("schema")))
        if operation.method in ("get", "delete"):
            self.report.fault(operation.node.place("requestBody"), f"{operation.method.upper()} has no body")
        if not schemas:
            return
        if any(schema is not schemas[0] for schema in schemas):
            self.report.fault(body.place("content"), "all media types of a body must share one schema")
        operation.body = schemas[0]
        self._members(operation, operation.body, "")
        names = {parameter.name for parameter in operation.parameters}
        for member in operation.members:
            if member.path in names:
                self.report.fault(member.place, f'"{member.path}" of {operation.id} is a parameter and a body member')

    def _members(self, operation, schema, prefix):
        if "x-open" in schema and not operation.handler:
            self.report.fault(schema.place("x-open"), f"the body of {operation.id} must be closed; "
                                                      "only a handler may read an open one")
        for name, part in (schema.get("properties") or {}).items():
            place, part = schema["properties"].place(name), self.follow(part)
            if part is False:
                continue
            inner = part if isinstance(part, Map) else Map(*place)
            if "object" in types_of(inner) and inner.get("properties"):
                self._members(operation, inner, prefix + name + ".")
                continue
            kind = value_type(inner, self.follow)
            if kind is None:
                self.report.fault(place, f'the member "{prefix}{name}" has no single type')
            operation.members.append(Member(prefix + name, kind or "text", place))

    # -- answers --

    def _responses(self, operation):
        responses = operation.node.get("responses") or Map(*operation.place)
        for status in responses:
            if status != "default" and not re.match(r"[1-5][0-9][0-9]\Z", status):
                self.report.fault(responses.place(status), f'"{status}" is no status')
        success = next((status for status in responses if re.match(r"2[0-9][0-9]\Z", status)), None)
        if success is None:
            self.report.fault(operation.place, f"{operation.id} has no 2xx response")
            return
        operation.success = int(success)
        content = self.follow(responses[success]).get("content") or {}
        for media in content:
            if media in MEDIA:
                operation.produces.append(MEDIA[media])
            elif not operation.handler:
                self.report.fault(operation.place, f'an answer of type "{media}" is not supported')
        if any(media not in MEDIA for media in content):
            operation.produces = []  # the handler chooses, nothing is negotiated
        if "application/json" in content:
            self._answer_schema(operation, content["application/json"].get("schema"))

    def _answer_schema(self, operation, node):
        schema = self.follow(node)
        properties = schema.get("properties") or {}
        if "items" in properties and "next" in properties:
            operation.is_list = True
            schema = self.follow(self.follow(properties["items"]).get("items"))
        while isinstance(schema, Map) and "anyOf" in schema:
            schema = self.follow(schema["anyOf"][0])
        operation.answer_schema = schema
        if isinstance(schema, Map):
            operation.fields = list(schema.get("properties") or {})

    # -- security --

    def _security(self, operation):
        node = operation.node.get("security")
        operation.security = []
        if not isinstance(node, list):
            return
        for alternative in node:
            scopes = alternative.get(self.scheme)
            if list(alternative) != [self.scheme] or not isinstance(scopes, list) or not scopes and len(node) > 1:
                self.report.fault(alternative.place(), "an alternative of security names its scopes; "
                                  "an operation that is open to everybody says []")
                continue
            for scope in scopes:
                if scope not in self.scopes:
                    self.report.fault(alternative.place(), f'the scope "{scope}" is not known')
            operation.security.append([scope for scope in scopes if scope in self.scopes])

    # -- orders and statements --

    def _orders(self, operation):
        node = operation.node.get("x-orders") or {}
        for name, order in node.items():
            place = node.place(name)
            keys = order.get("keys") or {}
            if not IDENTIFIER.match(name) or set(order) - {"keys", "needs"} or not 1 <= len(keys) <= 4:
                self.report.fault(place, f'the order "{name}" needs one to four keys, and perhaps needs')
            for column, kind in keys.items():
                if kind not in TYPES:
                    self.report.fault(place, f'the key "{column}" has no known type')
            operation.orders.append(Order(name, dict(keys), order.get("needs"), place))
            if order.get("needs") and order["needs"] not in {p.name for p in operation.parameters}:
                self.report.fault(place, f'the order "{name}" needs a parameter that is not there')
        if node and all(order.needs for order in operation.orders):
            self.report.fault(operation.node.place("x-orders"), "one order must need nothing: it is the default")
        sort = operation.parameter("sort")
        names = [order.name for order in operation.orders]
        if sort and [choice[5:] for choice in sort.choices] != names:
            self.report.fault(sort.place, f"the enum of sort must be the names of x-orders: {', '.join(names)}")
        if not sort and len(names) > 1:
            self.report.fault(operation.node.place("x-orders"), "several orders, but no parameter sort")

    def _statements(self, operation):
        node = operation.node.get("x-statements")
        if (operation.handler or operation.constant) and node is not None:
            self.report.fault(operation.node.place("x-statements"), "statements beside a handler or a constant")
        if operation.handler and operation.constant:
            self.report.fault(operation.node.place("x-constant"), "a constant beside a handler")
        if operation.handler or operation.constant:
            return
        for role, name in (node or {}).items():
            if role not in ("gate", "current", "write", "answer"):
                self.report.fault(node.place(role), f'"{role}" is none of gate, current, write, answer')
            else:
                operation.statements[role] = name
        if operation.method == "get":
            operation.statements.setdefault("answer", operation.id)
            for role in {"write", "current"} & set(operation.statements):
                self.report.fault(node.place(role), f"GET does not write, so it has no {role}")
        elif "write" not in operation.statements:
            self.report.fault(operation.place, f"{operation.id} writes, but has no write statement and no handler")
        if operation.success == 204 and "answer" in operation.statements:
            self.report.fault(operation.place, "204 has no answer")
        if operation.success != 204 and "answer" not in operation.statements:
            self.report.fault(operation.place, f"{operation.id} has no answer statement")

    def _settings(self, operation):
        node = operation.node
        self._number(node, "x-cost", 1, 0, 65535)
        self._number(node, "x-timeout-ms", 1, 1, 3600000)
        self._number(node, "x-body-max-bytes", 1, 1, 1 << 30)
        operation.reach = node.get("x-reach", [])
        if "x-reach" in node and (not isinstance(operation.reach, list) or not 1 <= len(operation.reach) <= 8
                                  or set(operation.reach) - set(self.scopes) or not operation.security):
            self.report.fault(node.place("x-reach"), "x-reach is a list of known scopes, of an operation behind a token")
            operation.reach = []
        operation.key = node.get("x-key", "id")
        if "x-key" in node and (operation.success != 201 or operation.key not in {m.path for m in operation.members}):
            self.report.fault(node.place("x-key"), "x-key is a member of the body of an operation that answers 201")
        self._prepare(operation)
        self._recent_login(operation)
        for key in ("x-audited", "x-match-required", "x-secret", "x-lenient"):
            if key in node and node[key] is not True:
                self.report.fault(node.place(key), f"{key} can only be true")
        if "x-lenient" in node and (operation.handler is None or "{" in operation.path):
            self.report.fault(node.place("x-lenient"), "x-lenient is for a handler that reads the query itself")
        if operation.is_list and operation.flag("x-audited"):
            self.report.fault(node.place("x-audited"), "a list cannot be audited: it is read in pages, without a transaction that writes")
        if operation.constant and operation.constant != "enumerations":
            self.report.fault(node.place("x-constant"), f'the constant "{operation.constant}" is not known')
        if operation.handler is not None and not IDENTIFIER.match(str(operation.handler)):
            self.report.fault(node.place("x-handler"), "a handler is a lower_case name")

    def _number(self, node, key, initial, least, top):
        value = node.get(key, initial)
        if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= top:
            self.report.fault(node.place(key), f"{key} must be a number from {least} to {top}")
        return value

    def _recent_login(self, operation):
        """Whoever administers, by a write or by a read that goes on record, has logged in a short while ago, or the contract says why not."""
        node, key = operation.node, "x-recent-login"
        said = node.get(key)
        scopes = {scope for alternative in operation.security or [] for scope in alternative}
        if key not in node:
            writes = operation.method != "get"
            if (writes or operation.flag("x-audited")) and scopes & ADMINISTRATION:
                self.report.fault(operation.place, f"{operation.id} {'writes' if writes else 'reads on record'} with {', '.join(sorted(scopes & ADMINISTRATION))}: "
                                                   f"{key} says true, or why not")
        elif said is not True and not (isinstance(said, str) and len(said) >= 10):
            self.report.fault(node.place(key), f"{key} is true, or a text that says why not")
        elif not operation.security:
            self.report.fault(node.place(key), f"{key} is for an operation behind a token")

    def _prepare(self, operation):
        node = operation.node.get("x-prepare")
        if node is None:
            return
        place = operation.node.place("x-prepare")
        if not isinstance(node, Map) or set(node) - {"function", "binds", "reads", "adds"} \
                or not IDENTIFIER.match(str(node.get("function", ""))):
            self.report.fault(place, "x-prepare has a function, and perhaps binds, reads and adds")
            return
        if not operation.statements or operation.method == "get":
            self.report.fault(place, "x-prepare stands before the statements of a write")
        operation.prepare = node["function"]
        operation.binds = dict(node.get("binds") or {})
        operation.reads, operation.adds = list(node.get("reads") or []), list(node.get("adds") or [])
        for name, kind in operation.binds.items():
            if kind not in TYPES:
                self.report.fault(place, f'"{name}" has no known type')
        for name in operation.reads:
            if name not in {member.path for member in operation.members}:
                self.report.fault(place, f'the body has no member "{name}"')
        for name in operation.adds:
            if name not in operation.fields:
                self.report.fault(place, f'the answer has no member "{name}"')

    def _shape(self, operation):
        """What belongs together: If-Match, formats, pages, and the statuses that must be documented."""
        node, responses = operation.node, operation.node.get("responses") or {}
        matched = operation.headers.get("if-match", {}).get("required") is True
        if operation.flag("x-match-required") != matched:
            self.report.fault(operation.place, "x-match-required and a required If-Match header stand together")
        needed = ["default"]
        if operation.security:
            needed += ["401", "403"] if all(operation.security) else ["401"]  # any token does
        if operation.statements and any(p.role == "path" for p in operation.parameters):
            needed.append("404")
        if operation.parameters:
            needed.append("400")
        if operation.body is not None and not operation.handler:
            needed += ["413", "415", "422"]
        if operation.flag("x-match-required"):
            needed += ["412", "428"]
        for status in needed:
            if status not in responses:
                self.report.fault(node.place("responses"), f"{operation.id} must document the response {status}")
        said = operation.parameter("format")
        formats = [media for media in FORMAT_MEDIA if media in operation.produces]
        if said and sorted(said.schema.get("enum") or []) != sorted(formats):
            self.report.fault(said.place, f"the enum of format must be what the answer offers: {', '.join(formats)}")
        if operation.parameter("limit") and not (operation.parameter("cursor") and operation.orders):
            self.report.fault(operation.place, "a list with limit needs cursor and x-orders")


def _text(value):
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def value_type(schema, follow):
    """The one type in which a value of the schema is bound (null aside), or None."""
    kinds = set()

    def collect(node):
        node = follow(node)
        if not isinstance(node, Map):
            return
        for kind in types_of(node):
            if kind == "string":
                kinds.add({"uuid": "uuid", "date": "date", "date-time": "timestamp"}.get(node.get("format"), "text"))
            elif kind != "null":
                kinds.add({"array": "json", "object": "json"}.get(kind, kind))
        values = [node["const"]] if "const" in node else node.get("enum") or []
        if not types_of(node):
            for value in values:
                kinds.add("text" if isinstance(value, str) else "boolean" if isinstance(value, bool)
                          else "number" if value is not None else "null")
        for keyword in ("anyOf", "oneOf", "allOf"):
            for part in node.get(keyword) or []:
                collect(part)

    collect(schema)
    kinds.discard("null")
    if kinds == {"integer", "number"}:
        return "number"
    return kinds.pop() if len(kinds) == 1 else None
