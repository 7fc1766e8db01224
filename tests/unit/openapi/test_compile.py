"""What the compiler makes of a contract: the same bytes for the same input, and C that says what the contract says."""

import json
import os
import subprocess

import pytest
from unit.openapi import tiny
from unit.openapi.tiny import GCC, ROOT

from compiler.schema import supported, unsupported
from compiler.source import write_if_changed


@pytest.fixture
def made(tmp_path):
    tiny.write(tmp_path)
    return tiny.compile_files(tmp_path)


# ---- the process ---------------------------------------------------------------------------------

def test_the_process_writes_what_changed_only(tmp_path):
    tiny.write(tmp_path)
    out = tmp_path / "out"
    assert tiny.run(tmp_path, out).returncode == 0
    first = {name: (out / name).stat().st_mtime_ns for name in os.listdir(out)}
    assert set(first) == {"contract.c", "openapi.json"}
    assert tiny.run(tmp_path, out).returncode == 0
    assert first == {name: (out / name).stat().st_mtime_ns for name in os.listdir(out)}
    tiny.write(tmp_path, [("queries/things.sql", "note <> :note", "note <> ''")])
    assert tiny.run(tmp_path, out).returncode == 0
    assert (out / "contract.c").stat().st_mtime_ns != first["contract.c"]
    assert (out / "openapi.json").stat().st_mtime_ns == first["openapi.json"]


def test_the_process_refuses_and_writes_nothing(tmp_path):
    tiny.write(tmp_path, [("queries/things.sql", "note <> :note", "note <> $1")])
    done = tiny.run(tmp_path, tmp_path / "out")
    assert done.returncode == 1 and "positional" in done.stderr and not (tmp_path / "out").exists()


def test_write_if_changed(tmp_path):
    path = str(tmp_path / "a" / "b")
    assert write_if_changed(path, "x") and not write_if_changed(path, "x") and write_if_changed(path, "y")


def test_standalone_schemas(tmp_path):
    named = [{"name": "a", "schema": {"type": "string", "pattern": "a??=\"\\\\b\n\u00e9"}}, {"name": "b", "schema": False},
             {"name": "c", "schema": {"properties": {"x": {"enum": ["\u0000", 1.5, None]}}, "not": {"minItems": 2.0}}}]
    (tmp_path / "in.json").write_text(json.dumps(named), encoding="utf-8")
    out = tmp_path / "out.c"
    command = [*tiny.COMPILER, "--schemas", tmp_path / "in.json", "--out-c", out]
    assert subprocess.run(command, cwd=ROOT, check=False).returncode == 0
    subprocess.run([*GCC, "-c", out, "-o", tmp_path / "out.o"], check=True)
    named.append({"name": "bad", "schema": {"items": {"contains": True}}})
    (tmp_path / "in.json").write_text(json.dumps(named), encoding="utf-8")
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 2 and 'bad: #/items: the keyword "contains"' in done.stderr


@pytest.mark.parametrize("schema, good", [
    (True, True), ({"type": ["string", "null"], "maxLength": 3}, True), ({"allOf": [{"not": {"const": 1}}]}, True),
    ({"title": "a", "x-b": 1, "default": 2}, True), ({"$ref": "#"}, False), ({"if": {}}, False),
    ({"items": [{}]}, False), ({"properties": {"a": {"dependencies": {}}}}, False), ({"format": "regex"}, False),
    ({"enum": [1], "const": 1}, False), ({"required": ["a\u0000"]}, False), (3, False),
])
def test_supported(schema, good):
    assert supported(schema) is good and bool(unsupported(schema)) is not good


# ---- the C source --------------------------------------------------------------------------------

def test_deterministic(tmp_path, made):
    """The same bytes whatever order Python gives its sets."""
    for seed in ("1", "2", "3"):
        assert tiny.run(tmp_path, tmp_path / seed, PYTHONHASHSEED=seed).returncode == 0
        assert {name: (tmp_path / seed / name).read_text(encoding="utf-8") for name in made} == made


def test_the_source_compiles_and_says_what_the_contract_says(tmp_path, made):
    (tmp_path / "contract.c").write_text(made["contract.c"], encoding="utf-8")
    (tmp_path / "probe.c").write_text(PROBE, encoding="utf-8")
    subprocess.run([*GCC, tmp_path / "contract.c", tmp_path / "probe.c", "-o", tmp_path / "probe"], check=True)
    said = subprocess.run([tmp_path / "probe"], capture_output=True, text=True, check=True).stdout
    assert said.splitlines() == EXPECTED.splitlines()
    served = subprocess.run([tmp_path / "probe", "openapi"], capture_output=True, text=True, check=True).stdout
    assert served == made["openapi.json"]


PROBE = r"""
#include <stdio.h>
#include <string.h>
#include "openapi/contract.h"

static void route(const struct route *at, int depth)
{
    printf("%*s%s", depth, "", at->literal ? at->literal : "{}");
    for (int method = 0; method < METHOD_COUNT; method++)
        if (at->operations[method])
            printf(" %d=%s", method, at->operations[method]->id);
    printf("\n");
    for (size_t i = 0; i < at->child_count; i++)
        route(&at->children[i], depth + 1);
}

int main(int argc, char **argv)
{
    (void)argv;
    if (argc > 1) {
        fwrite(contract_openapi_json, 1, contract_openapi_json_len, stdout);
        return 0;
    }
    for (size_t i = 0; i < contract_name_count; i++)
        if (i == NAME_ID || i == NAME_KEY_4 || i >= NAME_BUILTIN_COUNT)
            printf("%s ", contract_names[i]);
    printf("\n");
    route(&contract_root, 0);
    const struct operation *o = contract_root.children[0].operations[METHOD_GET];
    for (size_t i = 0; i < o->parameter_count; i++)
        printf("%s %d %d %d %s;", o->parameters[i].name, o->parameters[i].role, o->parameters[i].type,
               o->parameters[i].list_max, o->parameters[i].initial ? o->parameters[i].initial : "-");
    printf("\n%d %d %s %s %u %u %s\n", o->produces, o->success, o->orders[0].name, o->orders[1].keys[0].column,
           o->orders[0].needs == NAME_NONE, o->orders[1].needs != NAME_NONE, o->answer->name);
    for (size_t i = 0; i < o->field_count; i++)
        printf("%s ", o->fields[i]);
    for (size_t i = 0; i < o->answer->table_count; i++)
        printf("%s ", contract_tables[o->answer->tables[i]]);
    printf("\n");
    for (size_t i = 0; i < o->answer->fragment_count; i++) {
        const struct fragment *f = &o->answer->fragments[i];
        if (strlen(f->text) != f->len)
            return 1;
        printf("%s", f->text);
        if (f->parameter >= 0)
            printf("<%s>", contract_names[o->answer->parameters[f->parameter].name]);
        for (int n = 0; f->condition >= 0 && n < 3 && o->answer->conditions[f->condition].names[n] != NAME_NONE; n++)
            printf("?%s%s", o->answer->conditions[f->condition].negated[n] ? "!" : "",
                   contract_names[o->answer->conditions[f->condition].names[n]]);
        printf("\n");
    }
    const struct operation *post = contract_root.children[0].operations[METHOD_POST];
    for (size_t i = 0; i < post->member_count; i++)
        printf("%s %d;", post->members[i].path, post->members[i].type);
    for (size_t i = 0; i < post->reference_count; i++)
        printf("%s %s %s;", post->references[i].path, post->references[i].kind->name, post->references[i].kind->shown_by->id);
    printf("%d %d %s %s\n", post->creates, post->open, post->gate->name, contract_tables[post->tables[0]]);
    const struct operation *get = post->answer ? contract_root.children[0].children[0].operations[METHOD_GET] : NULL;
    printf("%u %u %u\n", get->security_count, get->security[0].scopes, get->security[1].scopes);
    printf("%s\n", contract_root.children[1].operations[METHOD_GET]->body_constant);
    printf("%d %d %d\n", contract_statement("sweep")->parameters[0].type, contract_statement("sweep")->parameters[1].type,
           contract_statement("nothing") == NULL);
    printf("%s %s %s %s\n", contract_patterns[0], contract_version, contract_scopes[1], contract_tables[0]);
    return 0;
}
"""
EXPECTED = """\
id key.4 before expand expand.owner fields format kind limit name near note owner_thing_id separator sort sort.distance sort.name tags \n\
{}
 things 0=list_things 2=create_thing
  {} 0=get_thing 5=delete_thing
 words 0=list_words
kind 0 8 2 -;near 10 0 0 -;expand 5 8 1 -;fields 4 8 4 -;sort 6 0 0 -;limit 2 1 0 50;cursor 3 0 0 -;format 8 0 0 -;separator 9 0 0 -;
9 200 name distance_km 1 1 list_things
id name distance_km owner owner thing \n\
SELECT t.id, t.name,
 round(distance(t.place, <near.latitude>?near
, <near.longitude>?near
), 3) AS distance_km,?near
 o.name AS "owner.name",?expand.owner
 t.row_version AS "@version" FROM thing t
 LEFT JOIN owner o ON o.id = t.owner_id?expand.owner
 WHERE true
 AND t.kind = ANY (<kind>?kind
)?kind
 AND (t.name, t.id) > (<key.1>?cursor?sort.name
, <key.2>?cursor?sort.name
)?cursor?sort.name
 ORDER BY t.name, t.id?sort.name
 ORDER BY distance_km, t.id?sort.distance
 LIMIT <page_rows>?page_rows
name 0;tags 7;owner_thing_id 4;owner_thing_id thing get_thing;1 0 gate_thing owner
2 1 2
{"items":[{"name":"thing.kind","values":[{"value":"small","id":"kecil","en":"small"},{"value":"big","id":"besar","en":"big"}]}],"next":null}
5 0 1
^\\S 0.1.0 things:write idle
"""


def test_a_function_before_the_statements(tmp_path):
    """What x-prepare binds, reads and adds need not come from the request, be read by a statement, or be selected."""
    prepare = "      x-secret: true\n      x-prepare: {function: hash_it, binds: {hash: text}, reads: [word], adds: [shown]}\n"
    changes = [
        ("contract/openapi.yaml", "      operationId: create_thing\n", "      operationId: create_thing\n" + prepare),
        ("contract/openapi.yaml", "        tags: {type: array, maxItems: 5", "        word: {type: string, x-text: opaque, maxLength: 9}\n        tags: {type: array, maxItems: 5"),
        ("contract/openapi.yaml", "        distance_km: {type", "        shown: {type: string, maxLength: 9}\n        distance_km: {type"),
        ("queries/things.sql", "(:id, :name, :tags, :owner_thing_id)", "(:id, :name || :hash, :tags, :owner_thing_id)"),
    ]
    tiny.write(tmp_path, changes)
    source = tiny.compile_files(tmp_path)["contract.c"]
    assert '.prepare = "hash_it"' in source and ".secret = true" in source
    tiny.write(tmp_path / "without", changes[1:])
    told = "\n".join(tiny.refusals(tmp_path / "without"))
    assert "needs :hash" in told and 'no statement uses the member "word"' in told and 'no statement selects "shown"' in told
