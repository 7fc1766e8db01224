"""JSON Schema: the supported subset, the house rules for schemas, and their C form.

Never to break: a keyword that struct schema (contract.h) cannot express is refused, never ignored.
"""
import json
import re

from .cwriter import c_string, c_number
from .source import Map

TYPES = {"null": 1, "boolean": 2, "integer": 4, "number": 8, "string": 16, "array": 32, "object": 64}
FORMATS = {
    "uuid": "FORMAT_UUID", "date": "FORMAT_DATE", "date-time": "FORMAT_DATE_TIME", "month": "FORMAT_MONTH",
    "email": "FORMAT_EMAIL", "uri": "FORMAT_URI", "point": "FORMAT_POINT", "dotted-code": "FORMAT_DOTTED_CODE",
}
ANNOTATIONS = {"title", "description", "default", "examples", "deprecated", "readOnly", "writeOnly", "$comment"}
NUMBERS = {  # keyword: (member, bit)
    "minimum": ("minimum", 1), "maximum": ("maximum", 2), "exclusiveMinimum": ("exclusive_minimum", 4),
    "exclusiveMaximum": ("exclusive_maximum", 8), "multipleOf": ("multiple_of", 1024),
}
COUNTS = {
    "minLength": ("min_length", 16), "maxLength": ("max_length", 32), "minItems": ("min_items", 64),
    "maxItems": ("max_items", 128), "minProperties": ("min_properties", 256),
    "maxProperties": ("max_properties", 512),
}
LISTS = {"anyOf": "any_of", "allOf": "all_of", "oneOf": "one_of"}
OTHERS = {"type", "enum", "const", "format", "pattern", "uniqueItems", "items", "properties", "required",
          "additionalProperties", "not"}
KEYWORDS = OTHERS | set(NUMBERS) | set(COUNTS) | set(LISTS)


def types_of(schema):
    """The schema's own `type` as a list."""
    said = schema.get("type", [])
    return [said] if isinstance(said, str) else list(said)


def parts_of(schema):
    """(pointer, schema) of every schema directly inside."""
    properties = schema.get("properties")
    for name, part in properties.items() if isinstance(properties, dict) else ():
        yield "/properties/" + name, part
    for keyword in ("items", "additionalProperties", "not"):
        if keyword in schema:
            yield "/" + keyword, schema[keyword]
    for keyword in LISTS:
        for index, part in enumerate(schema.get(keyword) or []):
            yield f"/{keyword}/{index}", part


def _is_number(value):
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _count(value):
    return _is_number(value) and value == int(value) and 0 <= value < 2 ** 32


def faults_of(schema):
    """(keyword, text) of what this one schema says that the engine could not keep. Looks no deeper."""
    if isinstance(schema, bool):
        return
    if not isinstance(schema, dict):
        yield None, "a schema must be an object, true or false"
        return
    for keyword in schema:
        if keyword not in KEYWORDS and keyword not in ANNOTATIONS and not keyword.startswith("x-") \
                and keyword not in ("$ref", "$schema"):
            yield keyword, f'the keyword "{keyword}" is not supported'
    for name in types_of(schema):
        if name not in TYPES:
            yield "type", f'"{name}" is no type'
    if "enum" in schema and "const" in schema:
        yield "const", '"enum" beside "const" is not supported'
    if "enum" in schema and not isinstance(schema["enum"], list):
        yield "enum", '"enum" must be a list'
    if "format" in schema and schema["format"] not in FORMATS:
        yield "format", f'the format "{schema["format"]}" is not supported'
    for keyword in NUMBERS:
        if keyword in schema and not _is_number(schema[keyword]):
            yield keyword, f'"{keyword}" must be a number'
    for keyword in COUNTS:
        if keyword in schema and not _count(schema[keyword]):
            yield keyword, f'"{keyword}" must be a whole number'
    for keyword in LISTS:
        if keyword in schema and not (isinstance(schema[keyword], list) and schema[keyword]):
            yield keyword, f'"{keyword}" must be a list'
    if isinstance(schema.get("items"), list):
        yield "items", 'the keyword "items" as a list is not supported'
    for keyword in ("items", "additionalProperties", "not"):
        if not isinstance(schema.get(keyword, {}), (dict, bool, list)):
            yield keyword, f'"{keyword}" must be a schema'
    if not isinstance(schema.get("properties", {}), dict) or not all(
            isinstance(part, (dict, bool)) for part in schema.get("properties", {}).values()):
        yield "properties", '"properties" must be schemas by name'
    names = list(schema["properties"]) if isinstance(schema.get("properties"), dict) else []
    required = schema.get("required", [])
    if not isinstance(required, list) or any(not isinstance(name, str) for name in required):
        yield "required", '"required" must be a list of names'
        required = []
    if any("\0" in name for name in names + required):
        yield "properties", "a property name with U+0000 is not supported"
    pattern = schema.get("pattern", "")
    if not isinstance(pattern, str):
        yield "pattern", '"pattern" must be a text'
    elif "\0" in pattern:
        yield "pattern", "a pattern with U+0000 is not supported"


def unsupported(schema, pointer="#"):
    """Every unsupported thing in a standalone schema, as "pointer: text"."""
    found = [f"{pointer}: {text}" for _, text in faults_of(schema)]
    if isinstance(schema, dict):
        if "$ref" in schema:
            found.append(f'{pointer}: the keyword "$ref" is not supported')
        if not found:
            for step, part in parts_of(schema):
                found.extend(unsupported(part, pointer + step))
    return found


def supported(schema):
    """Can the engine keep everything that this standalone schema says?"""
    return not unsupported(schema)


# ---- the house rules -----------------------------------------------------------------------------

UNBOUNDED_FORMATS = {"uuid", "date", "date-time"}
SCHEMA_KEYS = {"x-partial", "x-labels", "x-enumeration", "x-open", "x-refers", "x-text"}
# What people type, and in which form it is stored and compared (api/base/text.h).
TEXT_KINDS = {"opaque": "TEXT_OPAQUE", "code": "TEXT_CODE", "line": "TEXT_LINE", "name": "TEXT_NAME", "free": "TEXT_FREE"}


def check_rules(schema, report, members=None):
    """Faults of one schema of the contract: the subset, and bounds on everything. Looks no deeper. `members`: of the object
    that this schema is a branch of (anyOf, ...); a branch may say no more than which of them are required."""
    if not isinstance(schema, Map):
        return  # true, false, or refused where it stands
    place = schema.place
    for keyword, text in faults_of(schema):
        report.fault(place(keyword), text)
    for keyword in schema:
        if keyword == "$schema" or keyword.startswith("x-") and keyword not in SCHEMA_KEYS:
            report.fault(place(keyword), f'the key "{keyword}" is not known here')
    if "$ref" in schema:
        for keyword in schema:
            if keyword in KEYWORDS:
                report.fault(place(keyword), f'"{keyword}" beside $ref is not supported')
        if schema.get("x-partial") not in (None, True):
            report.fault(place("x-partial"), "x-partial can only be true")
        return
    if "x-partial" in schema:
        report.fault(place("x-partial"), "x-partial stands beside a $ref")
    kinds = types_of(schema)
    closed = "enum" in schema or "const" in schema
    unbounded = "x-open" in schema
    if unbounded and (not isinstance(schema["x-open"], str) or len(schema["x-open"]) < 10):
        report.fault(place("x-open"), "x-open must say why the bound is left out")
    branch = bool(members) and "required" in schema and "properties" not in schema
    if not kinds and not closed and not branch and not any(key in schema for key in ("anyOf", "allOf", "oneOf")):
        report.fault(place(), 'a schema without "type" accepts anything')
    if "string" in kinds and not (closed or unbounded or "maxLength" in schema
                                  or schema.get("format") in UNBOUNDED_FORMATS):
        report.fault(place(), 'a string without "maxLength"')
    if "x-text" in schema:
        if schema["x-text"] not in TEXT_KINDS:
            report.fault(place("x-text"), f'x-text is one of {", ".join(TEXT_KINDS)}')
        elif not is_typed(schema):
            report.fault(place("x-text"), "x-text stands at a string that people type: without enum, const or a format of fixed form")
    if "array" in kinds:
        if "items" not in schema:
            report.fault(place(), 'an array without "items"')
        if "maxItems" not in schema and not unbounded:
            report.fault(place(), 'an array without "maxItems"')
    if ("object" in kinds or "properties" in schema) and not unbounded \
            and schema.get("additionalProperties") is not False:
        report.fault(place(), 'an object without "additionalProperties: false"')
    for name in schema.get("required") or []:
        if name not in (members if branch else schema.get("properties") or {}):
            report.fault(place("required"), f'"{name}" is required, but no property')
    if isinstance(schema.get("pattern"), str):
        try:
            re.compile(schema["pattern"])
        except re.error as error:
            report.fault(place("pattern"), f"the pattern does not compile: {error}")
    _check_labels(schema, report)


FIXED_FORMATS = {"uuid", "date", "date-time", "month", "point", "dotted-code"}


def is_typed(schema):
    """Is it a string whose letters are the sender's own choice?"""
    return isinstance(schema, dict) and "string" in types_of(schema) and not {"enum", "const"} & set(schema) \
        and schema.get("format") not in FIXED_FORMATS


def check_texts(operation, follow, report):
    """Each text that a request brings says its kind: x-text. (Headers are the engine's own.)"""
    seen = set()

    def walk(schema):
        schema = follow(schema)
        if not isinstance(schema, dict) or id(schema) in seen:
            return
        seen.add(id(schema))
        if is_typed(schema) and "x-text" not in schema:
            report.fault(schema.place(), f"{operation.id} takes a text of no kind: x-text is one of {', '.join(TEXT_KINDS)}")
        for _, part in parts_of(schema):
            walk(part)

    for parameter in operation.parameters:
        if parameter.role in ("cursor", "fields"):
            continue  # what the engine itself reads
        walk(parameter.schema)
        if parameter.list_max and parameter.schema.get("x-text", "opaque") != "opaque":
            report.fault(parameter.place, f"{operation.id}: the items of a list in the query are opaque, enum or of a fixed format")
    if operation.body is not None:
        walk(operation.body)


def _check_labels(schema, report):
    if ("x-labels" in schema) != ("x-enumeration" in schema):
        report.fault(schema.place(), "x-labels and x-enumeration stand together")
        return
    if "x-labels" not in schema:
        return
    labels, values = schema["x-labels"], schema.get("enum") or []
    if not isinstance(labels, Map) or list(labels) != list(values):
        report.fault(schema.place("x-labels"), "x-labels must label each value of enum, in its order")
        return
    for value, pair in labels.items():
        if not (isinstance(pair, list) and len(pair) == 2 and all(isinstance(text, str) and text for text in pair)):
            report.fault(labels.place(value), f'"{value}" needs two labels: [Indonesian, English]')


# ---- to C ----------------------------------------------------------------------------------------

class SchemaTable:
    """Schemas on their way to C: each becomes one numbered constant, however often it is used."""

    def __init__(self, follow=lambda schema: schema):
        self.follow = follow
        self.list = []        # schemas by number
        self.numbers = {}     # id(schema) -> number
        self.patterns = []
        self.pattern_numbers = {}

    def number(self, schema):
        schema = self.follow(schema)
        key = schema if isinstance(schema, bool) else id(schema)
        if key not in self.numbers:
            self.numbers[key] = len(self.list)
            self.list.append(schema)
            if isinstance(schema, dict):
                for step, part in parts_of(schema):
                    if not (step == "/additionalProperties" and isinstance(part, bool)):  # a flag, not a schema
                        self.number(part)
                if "pattern" in schema:
                    self._pattern(schema["pattern"])
        return self.numbers[key]

    def _pattern(self, pattern):
        if pattern not in self.pattern_numbers:
            self.pattern_numbers[pattern] = len(self.patterns)
            self.patterns.append(pattern)

    def reference(self, schema):
        return f"&schema_{self.number(schema)}"

    def emit(self, out):
        for number in range(len(self.list)):
            out(f"static const struct schema schema_{number};")
        for number, schema in enumerate(self.list):
            self._emit_one(out, number, schema)
        count = len(self.patterns)
        out(f"const uint16_t contract_pattern_count = {count};")
        texts = ", ".join(c_string(pattern) for pattern in self.patterns) or "NULL"
        out(f"const char *const contract_patterns[] = {{{texts}}};")

    def _emit_one(self, out, number, schema):
        if isinstance(schema, bool):
            out(f"static const struct schema schema_{number} = {{.never = {'false' if schema else 'true'}}};")
            return
        parts, has = [], 0
        kinds = types_of(schema)
        if kinds:
            parts.append(f".types = {sum(TYPES[kind] for kind in set(kinds))}")
        if "format" in schema:
            parts.append(f".format = {FORMATS[schema['format']]}")
        if "x-text" in schema:
            parts.append(f".text = {TEXT_KINDS[schema['x-text']]}")
        for keyword, (member, bit) in list(NUMBERS.items()) + list(COUNTS.items()):
            if keyword in schema:
                has |= bit
                value = schema[keyword]
                parts.append(f".{member} = {c_number(value) if keyword in NUMBERS else int(value)}")
        if has:
            parts.insert(0, f".has = {has}")
        if schema.get("uniqueItems") is True:
            parts.append(".unique_items = true")
        if "pattern" in schema:
            parts.append(f".pattern = {c_string(schema['pattern'])}, "
                         f".pattern_index = {self.pattern_numbers[schema['pattern']]}")
        values = [schema["const"]] if "const" in schema else schema.get("enum")
        if values is not None:
            texts = [json.dumps(value, ensure_ascii=False, separators=(",", ":")) for value in values]
            self._texts(out, f"enumeration_{number}", texts)
            parts.append(f".enumeration = enumeration_{number}, .enumeration_count = {len(texts)}")
        properties = schema.get("properties")
        if properties:
            rows = [f"{{{c_string(name)}, {self.reference(properties[name])}}}"
                    for name in sorted(properties, key=lambda text: text.encode())]
            out(f"static const struct schema_property properties_{number}[] = {{{', '.join(rows)}}};")
            parts.append(f".properties = properties_{number}, .property_count = {len(rows)}")
        if schema.get("required"):
            self._texts(out, f"required_{number}", schema["required"])
            parts.append(f".required = required_{number}, .required_count = {len(schema['required'])}")
        if "additionalProperties" in schema:
            if schema["additionalProperties"] is False:
                parts.append(".additional_refused = true")
            elif schema["additionalProperties"] is not True:
                parts.append(f".additional = {self.reference(schema['additionalProperties'])}")
        if "items" in schema:
            parts.append(f".items = {self.reference(schema['items'])}")
        for keyword, member in LISTS.items():
            if keyword in schema:
                rows = ", ".join(self.reference(part) for part in schema[keyword])
                out(f"static const struct schema *const {member}_{number}[] = {{{rows}}};")
                parts.append(f".{member} = {member}_{number}, .{member}_count = {len(schema[keyword])}")
        if "not" in schema:
            parts.append(f".negated = {self.reference(schema['not'])}")
        out(f"static const struct schema schema_{number} = {{{', '.join(parts) or '.types = 0'}}};")

    @staticmethod
    def _texts(out, name, texts):
        joined = ", ".join(c_string(text) for text in texts) or "NULL"
        out(f"static const char *const {name}[] = {{{joined}}};")


def emit_test_schemas(named):
    """C source of standalone schemas, for the unit test of the validator."""
    lines, table = [], SchemaTable()
    references = [(item["name"], table.reference(item["schema"])) for item in named]
    lines.append("/* Made by openapi/compile.py --schemas. */")
    lines.append('#include "openapi/contract.h"')
    lines.append("struct named_schema {\n    const char *name;\n    const struct schema *schema;\n};")
    lines.append("extern const struct named_schema test_schemas[];")
    lines.append("extern const size_t test_schema_count;")
    table.emit(lines.append)
    rows = ",\n    ".join(f"{{{c_string(name)}, {reference}}}" for name, reference in references)
    lines.append(f"const struct named_schema test_schemas[] = {{\n    {rows or '{NULL, NULL}'}}};")
    lines.append(f"const size_t test_schema_count = {len(references)};")
    return "\n".join(lines) + "\n"
