"""What a request body names: every member that is an identifier says which kind of record it refers to.

Never to break: an identifier in a body without x-refers does not build, so none can reach a statement unasked.
"""
import os
import re
from dataclasses import dataclass

from .schema import types_of
from .source import Map

WORDS = {"id", "ids", "code", "codes", "slug"}
NOTHING = "none"  # x-refers of what looks like an identifier and names no record


@dataclass
class Reference:
    path: str  # "member.person_id"; a "*" is every item of a list
    kind: str


def read_kinds(documents, path, operations, report):
    """Kind -> the operation that shows a record of that kind, from references.yaml."""
    if not os.path.exists(path):
        return {}
    document, by_id = documents.load(path), {operation.id: operation for operation in operations}
    kinds = {}
    for kind, shown_by in document.items():
        operation = by_id.get(shown_by)
        if operation is None or operation.method != "get" or operation.is_list:
            report.fault(document.place(kind), f'"{shown_by}" is no operation that shows one record')
        else:
            kinds[kind] = operation
    return kinds


class References:
    """Finds the references of every body that statements read."""

    def __init__(self, kinds, follow, report):
        self.kinds, self.follow, self.report = kinds, follow, report
        words = "|".join(sorted(WORDS | set(kinds)))
        self.identifier = re.compile(rf"(?:^|_)(?:{words})\Z")
        self.used = set()

    def find(self, operations, kinds_place):
        for operation in operations:
            if operation.body is not None and not operation.handler:
                self._object(operation, operation.body, "")
        for kind in sorted(set(self.kinds) - self.used):
            self.report.fault(kinds_place, f'no member of a body refers to a "{kind}"')

    def _object(self, operation, schema, prefix):
        for name, node in (schema.get("properties") or {}).items():
            place, path = schema["properties"].place(name), prefix + name
            part = self.follow(node)
            if not isinstance(part, Map):
                continue
            self._member(operation, node, part, name, path, place)

    def _member(self, operation, node, part, name, path, place):
        kind = node.get("x-refers", part.get("x-refers"))
        own = operation.success == 201 and path == operation.key  # the name of what is made: the request gives it
        items = self.follow(part.get("items")) if "array" in types_of(part) else None
        if isinstance(items, Map):
            self._member(operation, part["items"], items, name, path + ".*", place)
        elif "object" in types_of(part):
            self._object(operation, part, path + ".")
        elif kind is None:
            if not own and self._identifies(part, name):
                self.report.fault(place, f'{operation.id}: the member "{path}" is an identifier, so it needs x-refers')
        elif kind not in self.kinds and kind != NOTHING:
            self.report.fault(place, f'x-refers: there is no kind "{kind}" in references.yaml')
        elif kind != NOTHING and not own:
            self.used.add(kind)
            operation.references.append(Reference(path, kind))

    def _identifies(self, part, name):
        return self.identifier.search(name) is not None or self._formats(part) & {"uuid", "dotted-code"}

    def _formats(self, part):
        found = {part.get("format")}
        for keyword in ("anyOf", "oneOf", "allOf"):
            for branch in part.get(keyword) or []:
                branch = self.follow(branch)
                found |= self._formats(branch) if isinstance(branch, Map) else set()
        return found
