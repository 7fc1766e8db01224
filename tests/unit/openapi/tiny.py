"""A tiny contract that compiles, as files; each test of a refusal changes one place of it."""

import os
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT / "openapi"))

from compiler.contract import compile_contract  # noqa: E402
from compiler.source import Refused  # noqa: E402

COMPILER = ["/usr/bin/python3", "openapi/compile.py"]
GCC = ["gcc", "-std=gnu11", "-pedantic", "-Wall", "-Wextra", "-Wconversion", "-Wshadow", "-Werror",
       "-Wno-overlength-strings", f"-I{ROOT}"]

CONTRACT = """\
openapi: 3.1.0
info: {title: Tiny, version: 0.1.0}
tags: [{name: things, description: Things.}]
paths:
  /things:
    get:
      operationId: list_things
      summary: Things
      description: All of them.
      tags: [things]
      security: [{oauth2: ['things:read']}]
      x-orders:
        name: {keys: {name: text, id: uuid}}
        distance: {needs: near, keys: {distance_km: number, id: uuid}}
      parameters:
        - {name: kind, in: query, description: Kinds., style: form, explode: false, schema: {type: array, maxItems: 2, items: {$ref: '#/components/schemas/kind'}}}
        - {name: near, in: query, description: A point., schema: {type: string, format: point, maxLength: 50}}
        - {name: expand, in: query, description: More., style: form, explode: false, schema: {type: array, maxItems: 1, items: {type: string, enum: [owner]}}}
        - {name: fields, in: query, description: Fewer., style: form, explode: false, schema: {type: array, maxItems: 9, items: {type: string, maxLength: 64}}}
        - {name: sort, in: query, description: Order., schema: {type: string, enum: [name, distance]}}
        - {name: limit, in: query, description: Most., schema: {type: integer, minimum: 1, maximum: 500, default: 50}}
        - {name: cursor, in: query, description: Where., schema: {type: string, maxLength: 1024}}
        - {name: format, in: query, description: Format., schema: {type: string, enum: [json, csv]}}
      responses:
        '200':
          description: A page.
          content:
            application/json:
              schema:
                type: object
                additionalProperties: false
                required: [items, next]
                properties:
                  items: {type: array, maxItems: 500, items: {$ref: '#/components/schemas/thing', x-partial: true}}
                  next: {type: [string, 'null'], maxLength: 1024}
            text/csv: {schema: {type: string, x-open: a whole list has no bound}}
        '400': {$ref: '#/components/responses/problem'}
        '401': {$ref: '#/components/responses/problem'}
        '403': {$ref: '#/components/responses/problem'}
        default: {$ref: '#/components/responses/problem'}
    post:
      operationId: create_thing
      summary: A new thing
      description: Makes it.
      tags: [things]
      security: [{oauth2: ['things:write']}]
      x-place: near
      x-statements: {gate: gate_thing, write: create_thing, answer: get_thing}
      requestBody:
        required: true
        content:
          application/json: {schema: {$ref: '#/components/schemas/thing_new'}}
      responses:
        '201':
          description: Made.
          content:
            application/json: {schema: {$ref: '#/components/schemas/thing'}}
        '401': {$ref: '#/components/responses/problem'}
        '403': {$ref: '#/components/responses/problem'}
        '413': {$ref: '#/components/responses/problem'}
        '415': {$ref: '#/components/responses/problem'}
        '422': {$ref: '#/components/responses/problem'}
        default: {$ref: '#/components/responses/problem'}
  /things/{id}:
    parameters:
      - {name: id, in: path, required: true, description: Its id., schema: {type: string, format: uuid}}
    get:
      operationId: get_thing
      summary: A thing
      description: One of them.
      tags: [things]
      security: [{oauth2: ['things:read']}, {oauth2: ['things:write']}]
      responses:
        '200':
          description: The thing.
          content:
            application/json: {schema: {$ref: '#/components/schemas/thing'}}
        '400': {$ref: '#/components/responses/problem'}
        '401': {$ref: '#/components/responses/problem'}
        '403': {$ref: '#/components/responses/problem'}
        '404': {$ref: '#/components/responses/problem'}
        default: {$ref: '#/components/responses/problem'}
    delete:
      operationId: delete_thing
      summary: No thing
      description: Removes it.
      tags: [things]
      security: [{oauth2: ['things:write']}]
      x-match-required: true
      x-statements: {gate: lock_thing, write: delete_thing}
      parameters:
        - {name: If-Match, in: header, required: true, description: ETag., schema: {type: string, maxLength: 100}}
      responses:
        '204': {description: Gone.}
        '400': {$ref: '#/components/responses/problem'}
        '401': {$ref: '#/components/responses/problem'}
        '403': {$ref: '#/components/responses/problem'}
        '404': {$ref: '#/components/responses/problem'}
        '412': {$ref: '#/components/responses/problem'}
        '428': {$ref: '#/components/responses/problem'}
        default: {$ref: '#/components/responses/problem'}
  /words:
    get:
      operationId: list_words
      summary: Words
      description: Closed lists.
      tags: [things]
      security: []
      x-constant: enumerations
      responses:
        '200':
          description: Words.
          content:
            application/json: {schema: {$ref: '#/components/schemas/word'}}
        default: {$ref: '#/components/responses/problem'}
components:
  schemas:
    thing:
      type: object
      additionalProperties: false
      required: [id, name]
      properties:
        id: {type: string, format: uuid}
        name: {type: string, maxLength: 100, pattern: '\\S'}
        distance_km: {type: number, minimum: 0}
        owner: {anyOf: [{$ref: '#/components/schemas/owner'}, {type: 'null'}]}
    owner:
      type: object
      additionalProperties: false
      required: [name]
      properties:
        name: {type: string, x-text: name, maxLength: 100}
    thing_new:
      type: object
      additionalProperties: false
      required: [name]
      properties:
        name: {type: string, x-text: name, minLength: 1, maxLength: 100, pattern: '^\\S'}
        tags: {type: array, maxItems: 5, items: {type: string, x-text: line, maxLength: 20}}
        owner_thing_id: {type: string, format: uuid, x-refers: thing}
    word: {type: object, additionalProperties: false, properties: {kind: {$ref: '#/components/schemas/kind'}}}
    kind:
      type: string
      enum: [small, big]
      x-enumeration: thing.kind
      x-labels: {small: [kecil, small], big: [besar, big]}
    problem:
      type: object
      additionalProperties: false
      properties: {code: {type: string, maxLength: 64}}
  responses:
    problem:
      description: A problem.
      content:
        application/problem+json: {schema: {$ref: '#/components/schemas/problem'}}
    precondition_failed: {description: It was changed.}
    exports_at_once: {description: Later.}
  parameters:
    if_match_optional: {name: If-Match, in: header, description: ETag., schema: {type: string, maxLength: 100}}
    if_none_match_write: {name: If-None-Match, in: header, description: ETag., schema: {type: string, maxLength: 100}}
    separator: {name: separator, in: query, description: Separator., schema: {type: string, enum: [comma, semicolon]}}
  headers:
    location: {description: Where., schema: {type: string, maxLength: 100}}
    content_disposition: {description: Its name., schema: {type: string, maxLength: 100}}
  securitySchemes:
    oauth2:
      type: oauth2
      flows: {clientCredentials: {tokenUrl: /token, scopes: {'things:read': read, 'things:write': write}}}
"""

QUERIES = """\
-- Things.

-- name: list_things :many
SELECT t.id, t.name,
       round(distance(t.place, :near.latitude, :near.longitude), 3) AS distance_km,  --? near
       o.name AS "owner.name",  --? expand.owner
       t.row_version AS "@version"
FROM thing t
LEFT JOIN owner o ON o.id = t.owner_id  --? expand.owner
WHERE true
  AND t.kind = ANY (:kind)  --? kind
  AND (t.name, t.id) > (:key.1, :key.2)  --? cursor and sort.name
ORDER BY t.name, t.id  --? sort.name
ORDER BY distance_km, t.id  --? sort.distance
LIMIT :page_rows  --? page_rows

-- name: get_thing :one
SELECT t.id, t.name, t.row_version AS "@version" FROM thing t WHERE t.id = :id

-- name: gate_thing :one
SELECT gate_thing(:reach.from)  --? reach
SELECT true  --? not reach

-- name: create_thing :exec
INSERT INTO thing (id, name, tags, owner_id) VALUES (:id, :name, :tags, :owner_thing_id)

-- name: lock_thing :one
SELECT row_version FROM thing WHERE id = :id AND row_version = ANY (:if_match) FOR NO KEY UPDATE

-- name: delete_thing :exec
DELETE FROM thing WHERE id = :id

-- name: sweep :exec internal
-- param: before date
DELETE FROM thing WHERE made_on < :before AND note <> :note
"""

MIGRATION = """\
CREATE TABLE owner (id uuid, name text);
CREATE TABLE thing (id uuid, name text, owner_id uuid, phone text, phone_public boolean);
CREATE TABLE secret (id uuid, hash text);
CREATE TABLE idle (id uuid);
CREATE VIEW owned AS SELECT t.id FROM thing t JOIN owner o ON o.id = t.owner_id;
"""

FUNCTIONS = """\
CREATE OR REPLACE FUNCTION gate_thing(reach text[]) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    -- idle is only spoken of
    PERFORM place_near(reach);
    RETURN EXISTS (SELECT FROM owned);
END
$$;
CREATE OR REPLACE FUNCTION place_near(reach text[]) RETURNS boolean LANGUAGE sql RETURN cardinality(reach) > 0;
CREATE OR REPLACE FUNCTION place_far(reach text[]) RETURNS boolean LANGUAGE sql RETURN false;
"""

GRANTS = """\
DO $$
BEGIN
    EXECUTE (SELECT format('GRANT EXECUTE ON FUNCTION %s TO tpbis_api', string_agg(name, ', ')) FROM regexp_split_to_table(regexp_replace($list$
-- things.sql
place_near gate_thing
$list$, '--[^\\n]*', '', 'g'), '\\s+') name);
END
$$;
"""

UNPUBLISHED = """\
tables: [secret]
columns: {thing.phone: phone_public}
"""

REFERENCES = """\
thing: get_thing
"""

FILES = {"contract/openapi.yaml": CONTRACT, "contract/references.yaml": REFERENCES, "contract/unpublished.yaml": UNPUBLISHED, "queries/things.sql": QUERIES,
         "migrations/0001.sql": MIGRATION, "functions/things.sql": FUNCTIONS,
         "functions/zz_grants_functions.sql": GRANTS}


def write(folder, changes=()):
    """The files, with each (file, old, new) changed; old must stand there exactly once (or be "" to append)."""
    files = dict(FILES)
    for file, old, new in changes:
        if old:
            assert files[file].count(old) == 1, f"{old!r} stands {files[file].count(old)} times in {file}"
            files[file] = files[file].replace(old, new)
        else:
            files[file] += new
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def compile_files(folder):
    """File name -> text of what is made; raises Refused."""
    return compile_contract(*(str(folder / part) for part in ("contract", "queries", "migrations", "functions")))


def refusals(folder):
    try:
        compile_files(folder)
    except Refused as refused:
        return refused.faults
    return []


def run(folder, out, **environment):
    """The compiler's own process, as the build starts it."""
    return subprocess.run([*COMPILER, "--contract", folder / "contract", "--queries", folder / "queries",
                           "--migrations", folder / "migrations", "--functions", folder / "functions", "--out", out],
                          cwd=ROOT, env={**os.environ, **environment}, capture_output=True, text=True, check=False)
