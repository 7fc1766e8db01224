"""The contract of this service: it compiles, and what is served has the form of OpenAPI 3.1 and keeps our manners."""

import json
import os
import re
import subprocess
import time

import jsonschema
import pytest
import yaml
from unit.openapi.tiny import GCC, ROOT

from compiler.contract import builtin_names, compile_contract
from compiler.source import Documents, Report


def compile_real():
    here = os.getcwd()
    os.chdir(ROOT)
    try:
        return compile_contract("openapi", "db/queries", "db/migrations", "db/functions")
    finally:
        os.chdir(here)


@pytest.fixture(scope="module")
def real():
    return compile_real()


@pytest.fixture(scope="module")
def document(real):
    return json.loads(real["openapi.json"])


def test_the_real_contract_compiles_fast(real):
    started = time.monotonic()
    assert compile_real() == real
    assert time.monotonic() - started < 10  # on a busy machine


def test_the_real_source_compiles(tmp_path, real):
    (tmp_path / "contract.c").write_text(real["contract.c"], encoding="utf-8")
    subprocess.run([*GCC, "-c", tmp_path / "contract.c", "-o", tmp_path / "contract.o"], check=True)


def test_builtin_names_are_those_of_the_header():
    listed = re.findall(r'^NAME\(.*?"(.*?)"', (ROOT / "openapi/builtin_names.def").read_text(encoding="utf-8"), re.M)
    assert list(builtin_names()) == listed and len(listed) > 10


def walk(node, path=()):
    yield path, node
    for key, value in node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ():
        yield from walk(value, path + (key,))


def resolve(document, reference):
    node = document
    for step in reference.removeprefix("#/").split("/"):
        node = node[step]
    return node


def operations(document):
    for path, item in document["paths"].items():
        for method in ("get", "post", "put", "patch", "delete"):
            if method in item:
                yield path, method, item[method]


def test_every_reference_resolves_and_every_component_is_referred_to(document):
    met = {node[key] for _, node in walk(document) if isinstance(node, dict)
           for key in ("$ref", "x-complete") if isinstance(node.get(key), str)}
    for reference in met:
        resolve(document, reference)
    for kind, named in document["components"].items():
        for name in named:
            assert kind == "securitySchemes" or f"#/components/{kind}/{name}" in met, f"{kind}/{name}"


def test_nothing_of_ours_is_served(document):
    ours = {key for _, node in walk(document) if isinstance(node, dict) for key in node
            if isinstance(key, str) and key.startswith("x-")}
    assert ours == {"x-complete", "x-enumeration", "x-refers", "x-text"}


def test_every_schema_is_json_schema(document):
    count = 0
    for path, node in walk(document):
        if path and path[-1] == "schema" or path[:2] == ("components", "schemas") and len(path) == 3:
            jsonschema.Draft202012Validator.check_schema(node)
            count += 1
    assert count > 80


def test_every_example_holds(document):
    count = 0
    for path, node in walk(document):
        if not isinstance(node, dict):
            continue
        examples = []
        if "schema" in node and "examples" in node:  # of a media type
            examples = [(node["schema"], example["value"]) for example in node["examples"].values()]
        elif isinstance(node.get("examples"), list):  # of a schema
            examples = [(node, value) for value in node["examples"]]
        for schema, value in examples:
            jsonschema.validate(value, {**schema, "components": document["components"]},
                                cls=jsonschema.Draft202012Validator)
            count += 1
    assert count >= 10


def test_the_document_has_the_form_of_openapi(document):
    jsonschema.validate(document, OPENAPI, cls=jsonschema.Draft202012Validator)
    assert "jsonSchemaDialect" not in document


TEXT = {"type": "string", "minLength": 1}
REFERENCE = {"type": "object", "required": ["$ref"], "properties": {"$ref": {"pattern": "^#/components/"}}}


def closed(needed, /, **properties):
    return {"type": "object", "required": needed, "additionalProperties": False,
            "properties": {**properties}}


def either(schema):
    return {"if": {"required": ["$ref"]}, "then": REFERENCE, "else": schema}


SCHEMA = {"type": ["object", "boolean"]}
EXAMPLES = {"type": "object", "additionalProperties": closed(["value"], value=True, summary=TEXT)}
CONTENT = {"type": "object", "minProperties": 1, "propertyNames": {"pattern": "^[a-z]+/[a-z+-]+$"},
           "additionalProperties": closed(["schema"], schema=SCHEMA, examples=EXAMPLES)}
HEADER = closed(["description", "schema"], description=TEXT, required={"type": "boolean"}, schema=SCHEMA)
RESPONSE = closed(["description"], description=TEXT, content=CONTENT,
                  headers={"type": "object", "additionalProperties": either(HEADER)})
PARAMETER = closed(["name", "in", "description", "schema"], **{"in": {"enum": ["path", "query", "header"]}}, name=TEXT,
                   description=TEXT, required={"type": "boolean"}, schema=SCHEMA, style={"const": "form"}, **{"x-refers": TEXT},
                   explode={"const": False})
PARAMETERS = {"type": "array", "uniqueItems": True, "items": either(PARAMETER)}
OPERATION = closed(
    ["operationId", "summary", "description", "tags", "security", "responses"], operationId=TEXT, summary=TEXT,
    description=TEXT, tags={"type": "array", "minItems": 1, "items": TEXT}, parameters=PARAMETERS,
    security={"type": "array", "items": {"type": "object", "minProperties": 1, "additionalProperties": {
        "type": "array", "items": TEXT}}},
    requestBody=closed(["content", "required"], content=CONTENT, required={"type": "boolean"}),
    responses={"type": "object", "required": ["default"], "propertyNames": {"pattern": "^([1-5][0-9][0-9]|default)$"},
               "additionalProperties": either(RESPONSE)})
OPENAPI = closed(
    ["openapi", "info", "servers", "tags", "paths", "components"], openapi={"const": "3.1.0"},
    info=closed(["title", "version"], title=TEXT, version=TEXT, summary=TEXT, description=TEXT),
    servers={"type": "array", "items": closed(["url"], url=TEXT, description=TEXT)},
    tags={"type": "array", "items": closed(["name", "description"], name=TEXT, description=TEXT)},
    paths={"type": "object", "propertyNames": {"pattern": "^/"}, "additionalProperties": closed(
        [], parameters=PARAMETERS, **{m: OPERATION for m in ("get", "post", "put", "patch", "delete")})},
    components=closed(
        ["schemas", "securitySchemes"],
        schemas={"type": "object", "additionalProperties": SCHEMA}, securitySchemes={"type": "object"},
        parameters={"type": "object", "additionalProperties": PARAMETER},
        headers={"type": "object", "additionalProperties": HEADER},
        responses={"type": "object", "additionalProperties": RESPONSE}))


def test_every_failure_is_a_problem(document):
    for path, method, operation in operations(document):
        for status, response in operation["responses"].items():
            if status[0] in "45" or status == "default":
                response = resolve(document, response["$ref"]) if "$ref" in response else response
                media = {"application/problem+json"}
                if path in ("/oauth2/token", "/oauth2/revoke", "/oauth2/introspect") and status in ("400", "401"):
                    media = {"application/json"} | (media if status == "400" else set())  # RFC 6749 5.2; a malformed query is ours
                if path == "/oauth2/authorize" and status in ("400", "403", "429", "503"):
                    media = {"text/html"}  # for the person who sits there
                if path == "/account/password" and status in ("410", "422", "503"):
                    media = {"text/html"} | (media if status == "503" else set())  # without its database it has no page
                assert set(response["content"]) == media, f"{method} {path} {status}"


def test_every_operation_is_guarded_or_says_that_it_is_open(document):
    for path, method, operation in operations(document):
        assert bool(operation["security"]) == path.startswith("/v1/"), f"{method} {path}"


def test_a_write_answers_what_its_caller_may_read():
    """Its answer is that of the GET of the same, or stands here and shows what the caller wrote; so what was done already by
    somebody else tells nobody what only that one may know."""
    caller_wrote = {
        "get_client_made", "get_client_secret", "get_api_key",  # secrets, once: to the nation
        "get_identifier", "get_replication_facilitator", "get_team_coordinator_named",  # published in other lists, without a GET of one
        "get_person_restriction",  # the caller's own: a new restriction stands for the one before
        "get_person_erasure",  # somebody else's reason and reference are left out
        "get_user_erasure",  # the nation's, who reads all requests
    }
    read, written = set(), set()
    for path in (ROOT / "openapi/paths").glob("*.yaml"):
        for item in yaml.safe_load(path.read_text(encoding="utf-8")).values():
            for method, operation in item.items():
                statements = operation.get("x-statements", {}) if isinstance(operation, dict) else {}
                if method == "get":
                    read |= {operation["operationId"], *statements.values()}
                elif "answer" in statements:
                    written.add(statements["answer"])
    assert len(read & written) > 20 and written - read == caller_wrote


def test_lists_are_lists(document):
    """{items, next} and perhaps total, everywhere the same."""
    count = 0
    for path, _, operation in operations(document):
        for status, response in operation["responses"].items():
            schema = response.get("content", {}).get("application/json", {}).get("schema", {})
            if status == "200" and "items" in schema.get("properties", {}):
                assert schema["required"] == ["items", "next"], path
                assert set(schema["properties"]) <= {"items", "next", "total"}, path
                names = {resolve(document, p["$ref"])["name"] if "$ref" in p else p["name"]
                         for p in operation.get("parameters", [])}
                assert ("total" in schema["properties"]) == ("count" in names), path
                count += 1
    assert count >= 8


def test_fields_lists_what_the_answer_has(document):
    operation = document["paths"]["/v1/libraries/{id}"]["get"]
    fields = next(p for p in operation["parameters"] if p.get("name") == "fields")["schema"]["items"]["enum"]
    assert {"id", "region", "supervisor", "identifiers"} <= set(fields) and "distance_km" not in fields


def test_enumerations_are_those_of_the_published_lists(real):
    """The order and the values of the lists that clients know; only additions may change this."""
    report = Report()
    lists = Documents(report).load(str(ROOT / "openapi/schemas/enumerations.yaml"))
    report.finish()
    assert [len(schema["enum"]) for schema in lists.values()] == [
        4, 9, 6, 4, 6, 3, 4, 5, 10, 6, 11, 3, 15, 2, 3, 4, 6, 5, 3, 3, 2, 7, 4, 10, 5, 13, 8, 2, 7, 3, 5, 3, 5,
        5, 2, 2, 2, 4, 9, 6, 4, 5, 4, 5]
    names = [schema["x-enumeration"] for schema in lists.values()]
    assert len(set(names)) == len(names)
    for name in names:
        assert f'\\"name\\":\\"{name}\\"' in real["contract.c"].replace('"\n    "', "")


def test_what_is_not_published_is_kept_by_no_cache(real, document):
    """Whatever asks for more than reading what is published; and nothing that is published, so that portals can ask again cheaply."""
    unkept = {name for name, flag in re.findall(r'\.id = "(\w+)".*?\.unkept = (true|false)', real["contract.c"]) if flag == "true"}
    handlers = {"get_me_can"}  # whose handler says so itself
    for item in document["paths"].values():
        operation = item.get("get") or {"security": []}
        scopes = {scope for alternative in operation.get("security") or [] for scope in alternative["oauth2"]}
        if operation.get("security") and operation["operationId"] not in handlers:
            assert (operation["operationId"] in unkept) == (scopes != {"published:read"}), operation["operationId"]
