"""The OpenAPI document's own structure: every object has known keys, every component is used.

Never to break: what this does not know is refused, so nothing in the contract is silently ignored.
"""
from . import conditions, exports
from .schema import check_rules, parts_of
from .source import Map, Refused
from .tables import TABLE

ROOT = {"openapi", "info", "servers", "tags", "paths", "components", "security", "externalDocs"}
COMPONENTS = {"schemas", "parameters", "responses", "headers", "securitySchemes"}
METHODS = ("get", "post", "put", "patch", "delete")
PATH_ITEM = {"summary", "description", "parameters"} | set(METHODS)
OPERATION = {"operationId", "summary", "description", "tags", "parameters", "requestBody", "responses",
             "security", "deprecated", "externalDocs"}
OPERATION_OURS = {"x-statements", "x-handler", "x-constant", "x-audited", "x-cost", "x-timeout-ms",
                  "x-body-max-bytes", "x-orders", "x-match-required", "x-key", "x-reach", "x-place", "x-secret", "x-recent-login",
                  "x-prepare", "x-lenient"}
PARAMETER = {"name", "in", "required", "description", "schema", "style", "explode", "deprecated", "examples",
             "example", "x-cost", "x-needs", "x-refers"}
HEADER = {"description", "required", "schema", "deprecated", "example"}
BODY = {"description", "required", "content"}
RESPONSE = {"description", "headers", "content"}
MEDIA = {"schema", "examples", "example"}
SECURITY_SCHEME = {"type", "description", "flows"}


class Structure:
    """Walks the document from its root; remembers which components were met on the way from the paths."""

    def __init__(self, root, documents, report):
        self.root, self.documents, self.report = root, documents, report
        self.components = {}  # id(target) -> (kind, name)
        self.targets = {}     # (kind, name) -> target
        self.used = set()
        self.schemas = {}     # id -> schema, each one visited

    def check(self):
        self._keys(self.root, ROOT, "the document")
        if self.root.get("openapi") != "3.1.0":
            self.report.fault(self.root.place("openapi"), "openapi must be 3.1.0")
        self._need(self.root, ("openapi", "info", "paths", "components"), "the document")
        self._need(self.root.get("info") or Map(*self.root.place("info")), ("title", "version"), "info")
        self.tags = {tag["name"] for tag in self.root.get("tags") or []}
        self._collect()
        for path, item in (self.root.get("paths") or {}).items():
            self._path_item(self.documents.follow(item))
        if any(op.get("x-constant") == "enumerations" for op in self.operations()):
            for key, target in self.targets.items():
                if key[0] == "schemas" and "x-enumeration" in target:
                    self.used.add(key)  # published by the list of enumerations
        for key, target in self.targets.items():
            if key not in self.used and key not in conditions.ADDED | exports.ADDED and key not in TABLE:
                place = target.place()
                self.report.fault(place, f'the component {key[0]}/{key[1]} is used nowhere')
            self._component(key[0], target)

    def operations(self):
        for item in (self.root.get("paths") or {}).values():
            item = self.documents.follow(item)
            for method in METHODS:
                if isinstance(item.get(method), Map):
                    yield item[method]

    def _collect(self):
        components = self.root.get("components") or Map(*self.root.place())
        self._keys(components, COMPONENTS, "components")
        for kind in COMPONENTS - {"securitySchemes"}:
            for name, node in (components.get(kind) or {}).items():
                target = self.documents.follow(node)
                if id(target) in self.components:
                    self.report.fault(components[kind].place(name),
                                      f'"{name}" and "{self.components[id(target)][1]}" are the same component')
                self.components[id(target)] = (kind, name)
                self.targets[kind, name] = target
        for scheme in (components.get("securitySchemes") or {}).values():
            self._keys(scheme, SECURITY_SCHEME, "a security scheme")

    def target(self, node, kind):
        """Follows a $ref to a component of that kind and marks it as used."""
        if not isinstance(node, Map) or "$ref" not in node:
            return node
        target = self.documents.follow(node)
        key = self.components.get(id(target))
        if key is None or key[0] != kind:
            self.report.fault(node.place("$ref"), f"{node['$ref']} is not among the components/{kind} of the document")
        elif key not in self.used:
            self.used.add(key)
            self._component(kind, target)
        return target

    def _component(self, kind, target):
        {"schemas": self.schema, "parameters": self._parameter, "responses": self._response,
         "headers": self._header}[kind](target)

    def _keys(self, node, known, what):
        if not isinstance(node, Map):
            raise Refused([f"{self.root.file}:1: {what} must be an object, and one of them is {node!r}"])
        for key in node:
            if key not in known:
                self.report.fault(node.place(key), f'the key "{key}" is not known in {what}')

    def _need(self, node, keys, what):
        for key in keys:
            if key not in node:
                self.report.fault(node.place(), f'{what} needs "{key}"')

    def _path_item(self, item):
        self._keys(item, PATH_ITEM, "a path")
        for node in item.get("parameters") or []:
            self._parameter(self.target(node, "parameters"))
        for method in METHODS:
            if method in item:
                self._operation(item[method])

    def _operation(self, node):
        self._keys(node, OPERATION | OPERATION_OURS, "an operation")
        self._need(node, ("operationId", "summary", "description", "tags", "responses"), "an operation")
        if "security" not in node:
            self.report.fault(node.place(), "an operation without security; one that is open to everybody says []")
        for tag in node.get("tags") or []:
            if tag not in self.tags:
                self.report.fault(node.place("tags"), f'the tag "{tag}" is not declared')
        for parameter in node.get("parameters") or []:
            self._parameter(self.target(parameter, "parameters"))
        if "requestBody" in node:
            body = node["requestBody"]
            self._keys(body, BODY, "a request body")
            for media in (body.get("content") or {}).values():
                self._media(media)
        for response in (node.get("responses") or {}).values():
            self._response(self.target(response, "responses"))

    def _parameter(self, node):
        self._keys(node, PARAMETER, "a parameter")
        self._need(node, ("name", "in", "description", "schema"), "a parameter")
        if node.get("in") not in ("path", "query", "header"):
            self.report.fault(node.place("in"), "a parameter stands in path, query or header")
        if "schema" in node:
            self.schema(node["schema"])

    def _header(self, node):
        self._keys(node, HEADER, "a header")
        if "schema" in node:
            self.schema(node["schema"])

    def _response(self, node):
        self._keys(node, RESPONSE, "a response")
        self._need(node, ("description",), "a response")
        for header in (node.get("headers") or {}).values():
            self._header(self.target(header, "headers"))
        for media in (node.get("content") or {}).values():
            self._media(media)

    def _media(self, node):
        self._keys(node, MEDIA, "a media type")
        self._need(node, ("schema",), "a media type")
        if "schema" in node:
            self.schema(node["schema"])

    def schema(self, node, members=None):
        if id(node) in self.schemas:
            return
        self.schemas[id(node)] = node
        check_rules(node, self.report, members)
        if isinstance(node, Map):
            if "$ref" in node:
                self.target(node, "schemas")
            for pointer, part in parts_of(node):
                branch = pointer.startswith(("/anyOf", "/allOf", "/oneOf", "/not"))
                self.schema(part, (node.get("properties") or members) if branch else None)
