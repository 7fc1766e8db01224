"""Bodies made from their schemas: the least that is valid, with one member named by a path in it."""

VALUES = {"uuid": "01a1fdc3-5794-7ad4-bf33-412c110bd3ca", "date": "2024-05-01", "date-time": "2024-05-01T00:00:00Z", "email": "a@example.id",
          "uri": "https://example.id", "dotted-code": "19.01"}

VILLAGE = "19.01.06.2002"  # where no other region fits


class Bodies:
    """`given`: a value for each kind of record that a member may refer to (x-refers)."""

    def __init__(self, contract, given):
        self.resolve, self.given = contract.resolve, given

    def references(self, schema, path=()):
        """(path, kind) of every member that names a record; "*" is an item of a list."""
        schema = self.resolve(schema)
        for name, node in schema.get("properties", {}).items():
            yield from self._references(node, (*path, name))

    def _references(self, node, path):
        part = self.resolve(node)
        kind = node.get("x-refers", part.get("x-refers", "none"))
        if kind != "none":
            yield path, kind
        yield from self.references(part, path)
        if "items" in part:
            yield from self._references(part["items"], (*path, "*"))

    def make(self, schema, path, value):
        """The least body in which the member at that path has this value."""
        schema = self.resolve(schema)
        if not path:
            return value
        if path[0] == "*":
            return [self.make(schema["items"], path[1:], value)]
        names = [*self._needed(schema, path[0]), path[0]]
        return {name: self.make(schema["properties"][name], path[1:], value) if name == path[0] else self.least(schema["properties"][name])
                for name in dict.fromkeys(names)}

    def _needed(self, schema, wanted):
        """Names that must be there: required ones, and of alternatives the one with `wanted`, else the first."""
        yield from schema.get("required", [])
        for part in schema.get("allOf", []):
            yield from self._needed(self.resolve(part), wanted)
        for keyword in ("anyOf", "oneOf"):
            branches = [self.resolve(branch) for branch in schema.get(keyword, [])]
            branches = [branch for branch in branches if "required" in branch]
            if branches:
                yield from next((b for b in branches if wanted in b["required"]), branches[0])["required"]

    def least(self, node):
        part = self.resolve(node)
        kind = node.get("x-refers", part.get("x-refers"))
        if kind == "region" and part.get("minLength", 0) > len(self.given[kind]):
            return VILLAGE
        if kind in self.given:
            return self.given[kind]
        for keyword in ("const", "default"):
            if keyword in part:
                return part[keyword]
        if part.get("examples") or part.get("enum"):
            return (part.get("examples") or part["enum"])[0]
        for keyword in ("anyOf", "oneOf"):
            if keyword in part and "properties" not in part:
                return self.least(part[keyword][0])
        kinds = part["type"] if isinstance(part["type"], list) else [part["type"]]
        if "object" in kinds:
            return {name: self.least(part["properties"][name]) for name in dict.fromkeys(self._needed(part, None))}
        if "array" in kinds:
            return [self.least(part["items"]) for _ in range(part.get("minItems", 0))]
        if "string" in kinds:
            return VALUES.get(part.get("format"), "uji")
        return {"integer": max(part.get("minimum", 1), 1), "number": 1, "boolean": True}[kinds[0]]
