"""The contract as it is served: one JSON document, with what is only ours taken out.

Never to break: what is served says exactly what the engine does; nothing is added here but the names that
`fields` accepts and the variants without `required`.
"""
import json

from .schema import KEYWORDS
from .source import Map
from .structure import METHODS

INTERNAL = {"x-statements", "x-handler", "x-constant", "x-audited", "x-cost", "x-timeout-ms", "x-body-max-bytes",
            "x-orders", "x-match-required", "x-key", "x-reach", "x-place", "x-secret", "x-recent-login", "x-prepare", "x-lenient", "x-partial", "x-needs", "x-labels", "x-open", "$comment"}
NAMED = {"properties", "responses", "headers", "content"}  # their keys are names, not keywords
DATA = {"examples", "example", "default", "enum", "const"}  # values, not to be walked


class Bundle:
    def __init__(self, root, structure, operations, documents):
        self.root, self.structure, self.follow = root, structure, documents.follow
        self.fields = {id(operation.node): operation.fields for operation in operations}
        self.met = {}  # (kind, name) -> bundled

    def build(self):
        document = {key: self._copy(value) for key, value in self.root.items()
                    if key not in ("paths", "components") and key not in INTERNAL}
        document["paths"] = {path: self._path(self.follow(item)) for path, item in self.root["paths"].items()}
        components = {}
        for kind, name in sorted(self.met):
            components.setdefault(kind, {})[name] = self.met[kind, name]
        document["components"] = {**components, "securitySchemes": self._copy(
            self.root["components"].get("securitySchemes") or {})}
        return document

    def text(self):
        return json.dumps(self.build(), ensure_ascii=False, separators=(",", ":"))

    def _path(self, item):
        result = {}
        for key, value in item.items():
            if key in METHODS:
                result[key] = self._operation(value)
            else:
                result[key] = self._copy(value)
        return result

    def _operation(self, node):
        rest = node.copy()
        parameters = rest.pop("parameters", None)
        result = self._copy(rest)
        if parameters:
            result["parameters"] = [self._fields(parameter, node) for parameter in parameters]
        return result

    def _fields(self, parameter, operation):
        """`fields` lists the names it accepts, which differ from one operation to the next."""
        target = self.follow(parameter)
        if target.get("name") != "fields":
            return self._copy(parameter)
        result = self._copy(target)
        result["schema"] = with_fields(result["schema"], self.fields[id(operation)])
        return result

    def _copy(self, node):
        if isinstance(node, Map):
            if "$ref" in node:
                return self._reference(node)
            return {key: (value if key in DATA else self._copy_named(value) if key in NAMED
                          else self._copy(value))
                    for key, value in node.items() if key not in INTERNAL}
        if isinstance(node, list):
            return [self._copy(item) for item in node]
        return node

    def _copy_named(self, properties):
        return {name: self._copy(value) for name, value in properties.items()}

    def _reference(self, node):
        target = self.follow(node)
        kind, name = self.structure.components[id(target)]
        partial = node.get("x-partial") is True
        key = (kind, name + "_partial" if partial else name)
        if key not in self.met:
            self.met[key] = None  # against circles
            copy = self._copy(target)
            if partial:
                copy.pop("required", None)
                copy["x-complete"] = f"#/components/{kind}/{name}"
                complete = Map(node.file, node.line)
                complete["$ref"] = node["$ref"]
                self._reference(complete)  # stands beside it
            self.met[key] = copy
        beside = {k: v for k, v in node.items() if k not in INTERNAL and k != "$ref" and k not in KEYWORDS}
        return {"$ref": f"#/components/{key[0]}/{key[1]}", **beside}


def with_fields(schema, fields):
    """The schema of `fields` with the names in its enum."""
    items = {"type": "string", "enum": list(fields)}
    return {**schema, "items": items, "maxItems": max(len(fields), 1)}


def enumerations(structure):
    """What /v1/enumerations serves: every closed list with its labels."""
    items = []
    for (kind, _), schema in structure.targets.items():
        if kind == "schemas" and "x-enumeration" in schema:
            values = [{"value": value, "id": pair[0], "en": pair[1]} for value, pair in schema["x-labels"].items()]
            items.append({"name": schema["x-enumeration"], "values": values})
    return json.dumps({"items": items, "next": None}, ensure_ascii=False, separators=(",", ":"))
