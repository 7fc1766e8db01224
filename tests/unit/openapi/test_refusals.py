"""One bad contract or statement per refusal of the compiler. Every change is made to a contract that compiles."""

import re

import pytest
from unit.openapi import tiny

C, Q, M, U = "contract/openapi.yaml", "queries/things.sql", "migrations/0001.sql", "contract/unpublished.yaml"
REF = "contract/references.yaml"
REFERS = "        owner_thing_id: {type: string, format: uuid, x-refers: thing}\n"
MORE = "INSERT INTO thing (id, name, tags, owner_id) VALUES (:id, :name, :tags, :owner_thing_id"
F, G = "functions/things.sql", "functions/zz_grants_functions.sql"
GET = "operationId: get_thing\n"
POST = "operationId: create_thing\n"
THING = "        name: {type: string, maxLength: 100, pattern: '\\S'}\n"

# name: (what the fault says, changes); a change is (file, old, new)
DOCUMENT = {
    "not YAML": ("is not YAML", [(C, "paths:\n", "paths: {\n")]),
    "another OpenAPI": ("openapi must be 3.1.0", [(C, "openapi: 3.1.0", "openapi: 3.0.3")]),
    "a schema dialect": ('"jsonSchemaDialect" is not known', [(C, "tags: [{name", "jsonSchemaDialect: x\ntags: [{name")]),
    "a key twice": ('"summary" appears twice', [(C, "summary: A thing\n", "summary: A thing\n      summary: B\n")]),
    "a YAML boolean": ('"no" is a boolean to YAML', [(C, "explode: false, schema: {type: array, maxItems: 2",
                                                     "explode: no, schema: {type: array, maxItems: 2")]),
    "a YAML number": ("is a number to YAML only", [(C, "maxItems: 2,", "maxItems: 0b10,")]),
    "a YAML tag": ("a YAML tag is not supported", [(C, "description: Removes it.", "description: !!binary aGk=")]),
    "a parameter in a cookie": ("stands in path, query or header", [(C, "{name: kind, in: query,", "{name: kind, in: cookie,")]),
    "one component under two names": ("are the same component", [
        (C, "    word: {", "    other: {$ref: '#/components/schemas/word'}\n    word: {")]),
    "a $ref in circles": ("goes round in circles", [
        (C, "    word: {", "    other: {$ref: '#/components/schemas/other'}\n    word: {")]),
    "a $ref to a file that is not there": ("names a file that is not there", [
        (C, "    word: {", "    other: {$ref: 'other.yaml#/other'}\n    word: {")]),
    "a $ref to nothing": ("points at nothing", [(C, "owner: {anyOf: [{$ref: '#/components/schemas/owner'",
                                                "owner: {anyOf: [{$ref: '#/components/schemas/landlord'")]),
    "a $ref beside the components": ("is not among the components", [
        (C, "owner: {anyOf: [{$ref: '#/components/schemas/owner'",
         "owner: {anyOf: [{$ref: '#/components/schemas/owner/properties/name'")]),
    "an unknown key": ('the key "opertionId" is not known', [(C, GET, GET + "      opertionId: x\n")]),
    "an unknown x- key": ('the key "x-statement" is not known', [(C, GET, GET + "      x-statement: {answer: x}\n")]),
    "an unknown x- key in a schema": ('the key "x-lables" is not known', [(C, THING, THING[:-2] + ", x-lables: {}}\n")]),
    "an operation without a summary": ('needs "summary"', [(C, "      summary: A thing\n", "")]),
    "an undeclared tag": ('the tag "thongs"', [(C, "      tags: [things]\n      security: []", "      tags: [thongs]\n      security: []")]),
    "an unused schema": ("schemas/spare is used nowhere", [
        (C, "    word: {", "    spare: {type: boolean}\n    word: {")]),
    "an unused parameter": ("parameters/spare is used nowhere", [
        (C, "  headers:\n", "    spare: {name: a, in: query, description: A., schema: {type: boolean}}\n  headers:\n")]),
    "an unused response": ("responses/spare is used nowhere", [
        (C, "  parameters:\n    if", "    spare: {description: None.}\n  parameters:\n    if")]),
    "a schema used only by an unused one": ("schemas/inner is used nowhere", [
        (C, "    word: {", "    inner: {type: boolean}\n    outer: {type: array, maxItems: 1, items: "
         "{$ref: '#/components/schemas/inner'}}\n    word: {")]),
}
SCHEMAS = {
    "an unsupported keyword": ('"patternProperties" is not supported', [
        (C, THING, THING[:-2] + ", patternProperties: {}}\n")]),
    "an unsupported format": ('the format "ipv4" is not supported', [(C, THING, THING[:-2] + ", format: ipv4}\n")]),
    "items as a list": ('"items" as a list is not supported', [
        (C, "items: {type: string, x-text: line, maxLength: 20}", "items: [{type: string, maxLength: 20}]")]),
    "an unknown type": ('"text" is no type', [(C, THING, THING.replace("type: string", "type: text"))]),
    "an open object in a body": ('an object without "additionalProperties: false"', [
        (C, "    thing_new:\n      type: object\n      additionalProperties: false\n", "    thing_new:\n      type: object\n")]),
    "an open object in a body, with a reason": ("the body of create_thing must be closed", [
        (C, "    thing_new:\n      type: object\n      additionalProperties: false\n",
         "    thing_new:\n      type: object\n      x-open: anything goes here\n")]),
    "an open object in an answer": ('an object without "additionalProperties: false"', [
        (C, "    owner:\n      type: object\n      additionalProperties: false\n", "    owner:\n      type: object\n")]),
    "a string without maxLength": ('a string without "maxLength"', [(C, THING, THING.replace("maxLength: 100, ", ""))]),
    "a string in a list without maxLength": ('a string without "maxLength"', [
        (C, "items: {type: string, x-text: line, maxLength: 20}", "items: {type: string, x-text: line}")]),
    "a parameter without maxLength": ('a string without "maxLength"', [
        (C, "schema: {type: string, format: point, maxLength: 50}", "schema: {type: string, format: point}")]),
    "an array without maxItems": ('an array without "maxItems"', [(C, "tags: {type: array, maxItems: 5,", "tags: {type: array,")]),
    "an array without items": ('an array without "items"', [
        (C, "maxItems: 5, items: {type: string, x-text: line, maxLength: 20}}", "maxItems: 5}")]),
    "a schema without a type": ('a schema without "type"', [(C, THING, "        name: {maxLength: 100}\n")]),
    "required, but no property": ('"title" is required, but no property', [
        (C, "      required: [id, name]", "      required: [id, name, title]")]),
    "a branch that requires what is no property": ('"title" is required, but no property', [
        (C, "      required: [id, name]", "      anyOf: [{required: [title]}]\n      required: [id, name]")]),
    "a branch that says nothing": ('a schema without "type"', [
        (C, "      required: [id, name]", "      anyOf: [{title: x}]\n      required: [id, name]")]),
    "a pattern that does not compile": ("the pattern does not compile", [(C, THING, THING.replace("\\S", "("))]),
    "a keyword beside $ref": ('"maxLength" beside $ref', [
        (C, "properties: {kind: {$ref: '#/components/schemas/kind'}", "properties: {kind: {$ref: '#/components/schemas/kind', maxLength: 3}")]),
    "a text of no kind in a body": ("create_thing takes a text of no kind", [
        (C, "items: {type: string, x-text: line, maxLength: 20}", "items: {type: string, maxLength: 20}")]),
    "a text of no kind in the query": ("takes a text of no kind", [
        (C, "schema: {type: string, format: point, maxLength: 50}", "schema: {type: string, maxLength: 50}")]),
    "a text of an unknown kind": ("x-text is one of", [(C, "x-text: line, maxLength: 20", "x-text: poem, maxLength: 20")]),
    "a kind of text at what is none": ("x-text stands at a string", [(C, "id: {type: string, format: uuid}", "id: {type: string, format: uuid, x-text: code}")]),
    "x-open without a reason": ("x-open must say why", [(C, "x-open: a whole list has no bound", "x-open: ''")]),
    "x-partial: false": ("x-partial can only be true", [(C, "x-partial: true", "x-partial: false")]),
    "x-partial without $ref": ("stands beside a $ref", [(C, THING, THING[:-2] + ", x-partial: true}\n")]),
    "a limit that is no number": ('"maxLength" must be a whole number', [(C, THING, THING.replace("100", "'100'"))]),
    "a minimum that is no number": ('"minimum" must be a number', [
        (C, "distance_km: {type: number, minimum: 0}", "distance_km: {type: number, minimum: none}")]),
    "properties that are none": ('"properties" must be schemas by name', [
        (C, "      properties:\n        id: {type: string, format: uuid}\n", "      properties:\n        id: uuid\n")]),
    "a value without labels": ("x-labels must label each value", [(C, "enum: [small, big]", "enum: [small, big, huge]")]),
    "a label in one language": ("needs two labels", [(C, "small: [kecil, small]", "small: [kecil]")]),
    "labels without a name": ("stand together", [(C, "      x-enumeration: thing.kind\n", "")]),
}
OPERATIONS = {
    "no security": ("an operation without security", [
        (C, "      security: [{oauth2: ['things:read']}, {oauth2: ['things:write']}]\n", "")]),
    "an unknown scope": ('the scope "things:raed" is not known', [
        (C, "[{oauth2: ['things:read']}, {", "[{oauth2: ['things:raed']}, {")]),
    "security without a scope": ("names its scopes", [(C, "[{oauth2: ['things:read']}, {", "[{}, {")]),
    "any token beside a scope": ("names its scopes", [(C, "[{oauth2: ['things:read']}, {", "[{oauth2: []}, {")]),
    "an operationId twice": ('"get_thing" is taken', [(C, "operationId: list_words", "operationId: get_thing")]),
    "two paths of one shape": ("is ambiguous", [(C, "  /words:\n", "  /things/{key}:\n"), (
        C, "      x-constant: enumerations\n", "      x-constant: enumerations\n      parameters: [{name: key, in: path, "
        "required: true, description: K., schema: {type: boolean}}]\n")]),
    "a path that needs a second try": ("is ambiguous beside", [(C, "  /words:\n", "  /{first}/words:\n"), (
        C, "      x-constant: enumerations\n", "      x-constant: enumerations\n      parameters: [{name: first, in: path, "
        "required: true, description: K., schema: {type: boolean}}]\n")]),
    "an odd segment": ("each a literal or {name}", [(C, "  /words:\n", "  /words/:\n")]),
    "a path parameter that is not declared": ("is not among the parameters", [(C, "  /words:\n", "  /words/{word}:\n")]),
    "a path parameter without its place": ('the path has no "{id}"', [(C, "  /things/{id}:", "  /things/one:")]),
    "a path parameter that is not required": ("must be required", [(C, "in: path, required: true", "in: path")]),
    "a list that explodes": ("style form, explode false", [
        (C, "explode: false, schema: {type: array, maxItems: 2", "explode: true, schema: {type: array, maxItems: 2")]),
    "a parameter and a member of one name": ("is a parameter and a body member", [
        (C, "      x-statements: {gate: gate_thing,", "      parameters: [{name: name, in: query, description: N., "
         "schema: {type: string, x-text: name, maxLength: 9}}]\n      x-statements: {gate: gate_thing,")]),
    "a parameter of another type than the engine's": ('"id" is uuid to the engine', [
        (C, "description: Its id., schema: {type: string, format: uuid}", "description: Its id., schema: {type: integer}")]),
    "near that is no point": ("must have the format point", [(C, "format: point, maxLength", "maxLength")]),
    "GET with a body": ("GET has no body", [(C, GET, GET + "      requestBody: {content: {application/json: {schema: "
                                            "{$ref: '#/components/schemas/thing_new'}}}}\n")]),
    "a body of an unknown kind": ('a body of type "text/xml" is not supported', [
        (C, "application/json: {schema: {$ref: '#/components/schemas/thing_new'}}",
         "text/xml: {schema: {$ref: '#/components/schemas/thing_new'}}")]),
    "an answer of an unknown kind": ('an answer of type "text/xml"', [(C, "            text/csv: {", "            text/xml: {")]),
    "no success": ("has no 2xx response", [(C, "        '204': {description: Gone.}\n", "")]),
    "no 403": ("must document the response 403", [(C, "        '403': {$ref: '#/components/responses/problem'}\n        '413'",
                                                   "        '413'")]),
    "no 422": ("must document the response 422", [(C, "        '422': {$ref: '#/components/responses/problem'}\n", "")]),
    "no 412": ("must document the response 412", [(C, "        '412': {$ref: '#/components/responses/problem'}\n", "")]),
    "x-match-required without If-Match": ("stand together", [(C, "name: If-Match, in: header, required: true", "name: If-Match, in: header")]),
    "a table for people without its separator": ("answers text/csv, and separator is not among the components", [(C, "    separator: {name", "    parter: {name")]),
    "a table without a format": ("so it has the parameter format", [(C, "name: format, in", "name: form, in")]),
    "a format that is not offered": ("the enum of format must be", [(C, "enum: [json, csv]", "enum: [json, csv, geojson]")]),
    "limit without cursor": ("needs cursor and x-orders", [
        (C, "        - {name: cursor, in: query, description: Where., schema: {type: string, maxLength: 1024}}\n", "")]),
    "sort unequal to x-orders": ("the enum of sort must be", [(C, "enum: [name, distance]", "enum: [name]")]),
    "a parameter that needs an unknown one": ('"kind" needs a parameter that is not there', [
        (C, "{name: kind, in: query,", "{name: kind, x-needs: kinds, in: query,")]),
    "a parameter with an odd name": ("is no lower_case name", [(C, "{name: kind, in: query,", "{name: Kind, in: query,")]),
    "an operationId with an odd name": ("an operationId is a lower_case name", [(C, "operationId: list_words", "operationId: listWords")]),
    "a handler with an odd name": ("a handler is a lower_case name", [(C, "x-constant: enumerations", "x-handler: list-words")]),
    "a constant beside a handler": ("a constant beside a handler", [
        (C, "x-constant: enumerations", "x-constant: enumerations\n      x-handler: words")]),
    "a parameter of no single type": ("has no type that can be bound", [
        (C, "schema: {type: string, format: point, maxLength: 50}", "schema: {type: [string, integer], maxLength: 50}")]),
    "a member of no single type": ('the member "name" has no single type', [
        (C, "name: {type: string, x-text: name, minLength: 1,", "name: {type: [string, integer], x-text: name, minLength: 1,")]),
    "a body of two shapes": ("all media types of a body must share one schema", [
        (C, "application/json: {schema: {$ref: '#/components/schemas/thing_new'}}",
         "application/json: {schema: {$ref: '#/components/schemas/thing_new'}}\n          application/merge-patch+json: "
         "{schema: {$ref: '#/components/schemas/owner'}}")]),
    "more scopes than bits": ("more than 32 scopes", [
        (C, "'things:write': write}", "'things:write': write, " + ", ".join(f"s{n}: s" for n in range(31)) + "}")]),
    "several orders, but no sort": ("no parameter sort", [
        (C, "        - {name: sort, in: query, description: Order., schema: {type: string, enum: [name, distance]}}\n", "")]),
    "every order needs something": ("one order must need nothing", [
        (C, "name: {keys: {name: text, id: uuid}}", "name: {needs: near, keys: {name: text, id: uuid}}")]),
    "an order that needs an unknown parameter": ("needs a parameter that is not there", [(C, "{needs: near,", "{needs: nigh,")]),
    "an order without keys": ("needs one to four keys", [(C, "name: {keys: {name: text, id: uuid}}", "name: {keys: {}}")]),
    "an order key of an unknown type": ('the key "name" has no known type', [
        (C, "name: {keys: {name: text, id: uuid}}", "name: {keys: {name: string, id: uuid}}")]),
    "a write without its statement": ("has no write statement and no handler", [
        (C, "x-statements: {gate: lock_thing, write: delete_thing}", "x-statements: {gate: lock_thing}")]),
    "a created object without its answer": ("has no answer statement", [
        (C, "write: create_thing, answer: get_thing}", "write: create_thing}")]),
    "an answer with 204": ("204 has no answer", [(C, "write: delete_thing}", "write: delete_thing, answer: get_thing}")]),
    "GET that writes": ("GET does not write", [(C, GET, GET + "      x-statements: {write: delete_thing}\n")]),
    "an unknown role of a statement": ("none of gate, current, write, answer", [(C, "{gate: lock_thing,", "{lock: lock_thing,")]),
    "a PUT that cannot tell what it made": ("a PUT tells what it made from what it replaced", [
        (C, "    delete:\n", "    put:\n"), (Q, ', t.row_version AS "@version" FROM thing t WHERE', " FROM thing t WHERE")]),
    "a PUT without an answer": ("a PUT answers 200 with the object", [(C, "    delete:\n", "    put:\n")]),
    "an object without its version": ('shows delete_thing the object before the write, so it must select "@version"', [
        (C, "{gate: lock_thing, write", "{gate: lock_thing, current: bare_thing, write"),
        (Q, "-- name: delete_thing :exec", "-- name: bare_thing :one\nSELECT t.id FROM thing t WHERE t.id = :id\n\n-- name: delete_thing :exec")]),
    "whole lists without their refusal": ("offers whole lists, and responses/exports_at_once is not among the components", [
        (C, "    exports_at_once: {description: Later.}\n", "")]),
    "a parameter that costs nothing sensible": ("x-cost must be a number from 0 to 65535", [
        (C, "name: limit, in: query,", "name: limit, in: query, x-cost: -1,")]),
    "conditions without their parameter": ("parameters/if_none_match_write is not among the components", [
        (C, "    if_none_match_write: {name: If-None-Match, in: header, description: ETag., schema: {type: string, maxLength: 100}}\n", "")]),
    "statements beside a handler": ("statements beside a handler", [
        (C, "      x-statements: {gate: lock_thing,", "      x-handler: remove\n      x-statements: {gate: lock_thing,")]),
    "an unknown constant": ('the constant "numbers" is not known', [(C, "x-constant: enumerations", "x-constant: numbers")]),
    "x-reach of an unknown scope": ("x-reach is a list of known scopes", [(C, GET, GET + "      x-reach: ['things:raed']\n")]),
    "x-reach of no scope": ("x-reach is a list of known scopes", [(C, GET, GET + "      x-reach: []\n")]),
    "x-reach of an open operation": ("of an operation behind a token", [
        (C, "      security: []\n", "      security: []\n      x-reach: ['things:read']\n")]),
    "x-prepare without a function": ("x-prepare has a function", [(C, POST, POST + "      x-prepare: {binds: {a: text}}\n")]),
    "x-prepare of an unknown key": ("x-prepare has a function", [(C, POST, POST + "      x-prepare: {function: f, bind: {a: text}}\n")]),
    "x-prepare of a read": ("x-prepare stands before the statements of a write", [(C, GET, GET + "      x-prepare: {function: f}\n")]),
    "x-prepare of an unknown type": ('"a" has no known type', [(C, POST, POST + "      x-prepare: {function: f, binds: {a: txt}}\n")]),
    "x-prepare reads what is not sent": ('the body has no member "colour"', [(C, POST, POST + "      x-prepare: {function: f, reads: [colour]}\n")]),
    "x-prepare adds what is not answered": ('the answer has no member "colour"', [(C, POST, POST + "      x-prepare: {function: f, adds: [colour]}\n")]),
    "x-secret that is not true": ("x-secret can only be true", [(C, POST, POST + "      x-secret: yes please\n")]),
    "administration without a decision about x-recent-login": ("create_thing writes with admin: x-recent-login says true, or why not", [
        (C, "'things:write': write}", "'things:write': write, admin: all}"),
        (C, "      security: [{oauth2: ['things:write']}]\n      x-place: near", "      security: [{oauth2: ['admin']}]\n      x-place: near")]),
    "a recorded read of administration without that decision": ("get_thing reads on record with admin: x-recent-login says true, or why not", [
        (C, "'things:write': write}", "'things:write': write, admin: all}"),
        (C, "      security: [{oauth2: ['things:read']}, {oauth2: ['things:write']}]\n", "      security: [{oauth2: ['admin']}]\n      x-audited: true\n")]),
    "a filter by a code that does not say what it names": ('list_things: the parameter "label" names something, so it needs x-refers', [
        (C, "        - {name: kind, in: query", "        - {name: label, in: query, description: L., schema: {type: string, x-text: code, maxLength: 9}}\n"
            "        - {name: kind, in: query")]),
    "a gate that asks the reach without a rule": ("create_thing: its gate asks the reach, so it needs x-place", [(C, "      x-place: near\n", "")]),
    "a rule of place that nobody told": ('x-place: there is no function "place_here"', [(C, "x-place: near", "x-place: here")]),
    "another rule of place than the gate's": ('create_thing: no statement of it asks "place_far"', [(C, "x-place: near", "x-place: far")]),
    "a place that cannot tell, without a reason": ("x-place is a rule, or says under untold why", [(C, "x-place: near", "x-place: {untold: far}")]),
    "a place that cannot tell of what asks none": ("get_thing: its gate does not ask the reach", [
        (C, "      operationId: get_thing\n", "      operationId: get_thing\n      x-place: {untold: whatever it may be}\n")]),
    "a rule of place that no statement asks": ('get_thing: no statement of it asks "place_near"', [
        (C, "      operationId: get_thing\n", "      operationId: get_thing\n      x-place: near\n")]),
    "x-recent-login without a reason": ("x-recent-login is true, or a text that says why not", [(C, POST, POST + "      x-recent-login: false\n")]),
    "x-recent-login of an open operation": ("x-recent-login is for an operation behind a token", [
        (C, "      security: []\n", "      security: []\n      x-recent-login: true\n")]),
    "x-key of what the body has not": ("x-key is a member of the body", [
        (C, "      operationId: create_thing\n", "      operationId: create_thing\n      x-key: colour\n")]),
    "x-key of what is not made": ("x-key is a member of the body", [(C, GET, GET + "      x-key: name\n")]),
    "x-cost below nothing": ("x-cost must be a number from 0", [(C, GET, GET + "      x-cost: -1\n")]),
    "an audited list": ("a list cannot be audited", [
        (C, "operationId: list_things\n", "operationId: list_things\n      x-audited: true\n")]),
    "x-audited: false": ("x-audited can only be true", [(C, GET, GET + "      x-audited: false\n")]),
    "x-lenient without a handler": ("x-lenient is for a handler", [(C, GET, GET + "      x-lenient: true\n")]),
}
STATEMENTS = {
    "an unknown statement": ('there is no statement "lock_thing"', [(Q, "-- name: lock_thing :one", "-- name: look_thing :one")]),
    "a statement used nowhere": ('"sweep" is used nowhere', [(Q, ":exec internal\n-- param: before date\n", ":exec\n")]),
    "a statement's name twice": ('"get_thing" is taken', [(Q, "", "-- name: get_thing :one\nSELECT 1 AS id\n")]),
    "a malformed header": ("must read", [(Q, "-- name: get_thing :one", "-- name: get_thing :some")]),
    "an empty statement": ('"empty" is empty', [(Q, "", "-- name: empty :one internal\n-- nothing\n")]),
    "two statements under one name": ("a second statement under one name", [(Q, "", "; SELECT 1\n")]),
    "a string without its end": ("a string without its end", [(Q, "", "AND 'open\n")]),
    "a positional parameter": ("a positional parameter", [(Q, "note <> :note", "note <> $1")]),
    "a type for what the contract types": ("belongs to an internal statement", [
        (Q, "-- name: delete_thing :exec\n", "-- name: delete_thing :exec\n-- param: id uuid\n")]),
    "a type that is none": ('"day" is no type', [(Q, "-- param: before date", "-- param: before day")]),
    "SELECT *": ("as a list of columns", [(Q, "SELECT t.id, t.name, t.row_version", "SELECT *, t.id, t.name, t.row_version")]),
    "t.*": ("as a list of columns", [(Q, "SELECT t.id, t.name, t.row_version", "SELECT t.*, t.id, t.name, t.row_version")]),
    "a condition that cannot be read": ("must be up to three names", [(Q, "--? kind", "--? kind or near")]),
    "a condition of four names": ("must be up to three names", [(Q, "--? kind", "--? kind and near and cursor and sort.name")]),
    "an incomplete conditional line": ("brackets do not balance", [
        (Q, "  AND t.kind = ANY (:kind)  --? kind\n", "  AND t.kind = ANY (  --? kind\n :kind)\n")]),
    "a quoted text across a conditional line": ("runs across a conditional line", [
        (Q, "  AND t.kind = ANY (:kind)  --? kind\n", "  AND t.kind = ANY (:kind) AND 'a\nb' = ''  --? kind\n")]),
    "a parameter bound to nothing": ('"get_thing" needs :idd, which get_thing does not give', [
        (Q, "FROM thing t WHERE t.id = :id", "FROM thing t WHERE t.id = :id AND t.id = :idd")]),
    "a parameter one of two operations gives": ('needs :if_match, which create_thing does not give', [
        (Q, "FROM thing t WHERE t.id = :id", "FROM thing t WHERE t.id = :id AND t.row_version = :if_match")]),
    "a condition nobody gives": ('the condition "knid" is given by no operation', [(Q, "--? kind", "--? knid")]),
    "an expansion without its condition": ('no statement has the condition "expand.owner"', [
        (Q, '       o.name AS "owner.name",  --? expand.owner\n', ""), (Q, "  --? expand.owner", "")]),
    "an order without its condition": ('has no line ORDER BY ... --? sort.distance', [
        (Q, "ORDER BY distance_km, t.id  --? sort.distance\n", "")]),
    "a parameter no statement uses": ('no statement uses the parameter "kind"', [
        (Q, "  AND t.kind = ANY (:kind)  --? kind\n", "")]),
    "a member no statement uses": ('no statement uses the member "tags"', [(Q, "(:id, :name, :tags,", "(:id, :name, '[]',")]),
    "limit without page_rows": ("no statement uses :page_rows", [(Q, "LIMIT :page_rows  --? page_rows\n", "")]),
    "cursor without its line": ('no statement has the condition "cursor"', [
        (Q, "  AND (t.name, t.id) > (:key.1, :key.2)  --? cursor and sort.name\n", "")]),
    "one parameter of two types": (":name is text in create_thing and integer in delete_thing", [
        (C, "      parameters:\n        - {name: If-Match,", "      parameters:\n        - {name: name, in: query, description: N., "
         "schema: {type: integer}}\n        - {name: If-Match,"),
        (C, "{gate: gate_thing, write: create_thing,", "{gate: both, write: create_thing,"),
        (C, "{gate: lock_thing, write: delete_thing}", "{gate: both, write: delete_thing}"),
        (Q, "-- name: gate_thing :one", "-- name: both :one\nSELECT :name\n-- name: gate_thing :one internal")]),
    ":many for one object": ('is :many, but the answer of get_thing is one object', [
        (Q, "-- name: get_thing :one", "-- name: get_thing :many")]),
    ":one for a list": ('is :one, but the answer of list_things is a list', [
        (Q, "-- name: list_things :many", "-- name: list_things :one")]),
    ":exec as an answer": ("must be :one or :many", [(Q, "-- name: get_thing :one", "-- name: get_thing :exec")]),
    "a column that is not in the answer": ('the column "title" of "get_thing" is not in the answer', [
        (Q, "SELECT t.id, t.name, t.row_version", "SELECT t.id, t.name, t.title, t.row_version")]),
    "a nested column that is not in the answer": ('the column "owner.age"', [
        (Q, 'o.name AS "owner.name"', 'o.name AS "owner.age"')]),
    "a column without a name": ("has a column without a name", [
        (Q, "SELECT t.id, t.name, t.row_version", "SELECT t.id, t.name, 1 + 1, t.row_version")]),
    "a promised field that is not selected": ('promises "name"', [
        (Q, "SELECT t.id, t.name, t.row_version", "SELECT t.id, t.row_version")]),
    "a promised field that is not always selected": ('promises "name"', [
        (Q, "SELECT t.id, t.name, t.row_version", "SELECT t.id,\n t.name, --? reach\n t.row_version")]),
    "a property that is never selected": ('no statement selects "owner"', [
        (Q, '       o.name AS "owner.name",  --? expand.owner\n', "")]),
    "an order key that is not selected": ('has the key "rank", which', [
        (C, "name: {keys: {name: text, id: uuid}}", "name: {keys: {rank: text, id: uuid}}")]),
    "an order that does not end in its key": ("must be its keys in one direction", [
        (Q, "ORDER BY t.name, t.id  --? sort.name", "ORDER BY t.name  --? sort.name")]),
    "an order of two directions": ("must be its keys in one direction", [
        (Q, "ORDER BY t.name, t.id  --? sort.name", "ORDER BY t.name DESC, t.id  --? sort.name")]),
    "a table that is not published": ('"get_thing" reads secret, which is not published', [
        (Q, "FROM thing t WHERE t.id = :id", "FROM thing t JOIN secret s ON s.id = t.id WHERE t.id = :id")]),
    "a table that is not published, through a view": ('"get_thing" reads secret', [
        (Q, "FROM thing t WHERE t.id = :id", "FROM thing t JOIN hashes s ON s.id = t.id WHERE t.id = :id"),
        (M, "", "CREATE VIEW hashes AS SELECT id, hash FROM secret;\n")]),
    "a column that must be asked for": ("shows thing.phone in get_thing", [
        (Q, "SELECT t.id, t.name, t.row_version", "SELECT t.id, t.phone AS name, t.row_version")]),
    "text before the first name": ('text before the first "-- name:"', [(Q, "-- Things.\n", "SELECT 1;\n")]),
    "an incomplete line that closes": ("brackets do not balance", [
        (Q, "  AND t.kind = ANY (:kind)  --? kind\n", "  AND t.kind = ANY (\n :kind)  --? kind\n")]),
    "more parameters than bits": ("has more than 64 conditions or parameters", [
        (Q, "note <> :note", " OR ".join(f"note = :note{n}" for n in range(64)))]),
    "a migration that cannot be read": ("a string without its end", [(M, "", "INSERT INTO owner VALUES ('open);\n")]),
    "more tables than bits": ("more than 128 tables", [(M, "", "".join(f"CREATE TABLE t{n} (x int);\n" for n in range(126)))]),
    "an unknown key of unpublished.yaml": ('the key "views" is not known', [(U, "tables:", "views: []\ntables:")]),
    "an unpublished table that is not there": ('there is no table "secrets"', [(U, "[secret]", "[secrets]")]),
}
MADE = "CREATE FUNCTION mark() RETURNS text LANGUAGE sql AS $$ SELECT 'x' $$;\n"
TRIGGER = ("CREATE FUNCTION stamp() RETURNS trigger LANGUAGE plpgsql {}AS $$ BEGIN NEW.name := mark(); RETURN NEW; END $$;\n"
           "CREATE TRIGGER stamp BEFORE INSERT ON thing FOR EACH ROW EXECUTE FUNCTION stamp();\n")
GRANTS = {
    "a function of a statement": ('the statement "get_thing" runs "mark"', [(F, "", MADE), (Q, "SELECT t.id, t.name, t.row", "SELECT t.id, mark() AS name, t.row")]),
    "a function of a function": ('gate_thing runs "mark"', [(F, "RETURN EXISTS", "PERFORM mark();\n    RETURN EXISTS"), (F, "", MADE)]),
    "a function of a view": ('owned runs "mark"', [(M, "CREATE VIEW owned AS SELECT t.id", "CREATE VIEW owned AS SELECT mark(), t.id"), (F, "", MADE)]),
    "a function of a trigger": ('stamp runs "mark"', [(F, "", MADE + TRIGGER.format(""))]),
    "a function of a default": ('table thing runs "mark"', [(M, "", "ALTER TABLE thing ADD COLUMN m text DEFAULT mark();\n"), (F, "", MADE)]),
    "a function of an index": ('table thing runs "mark"', [(M, "", "CREATE INDEX thing_idx ON thing (mark());\n"), (F, "", MADE)]),
    "a function of a text that is executed": ('gate_thing runs "mark"', [(F, "RETURN EXISTS", "EXECUTE 'SELECT mark()';\n    RETURN EXISTS"), (F, "", MADE)]),
    "a grant of what nothing runs": ('"mark" is granted to tpbis_api, and no statement runs it', [(F, "", MADE), (G, "gate_thing\n", "gate_thing mark\n")]),
}
NOT_RUN = {
    "a trigger with its owner's rights": [(F, "", MADE + TRIGGER.format("SECURITY DEFINER "))],
    "a default of a table that is only read": [(M, "", "ALTER TABLE owner ADD COLUMN m text DEFAULT mark();\n"), (F, "", MADE)],
    "a statement of the owner's": [(F, "", MADE), (Q, "", "-- name: command :one internal owner\nSELECT mark() AS m\n")],
    "a function of the version before": [(F, "", MADE), (G, "gate_thing\n", "gate_thing\nmark  -- the version before\n")],
}
REFERENCES = {
    "an id that says not what it refers to": ('the member "owner_thing_id" is an identifier, so it needs x-refers', [(C, REFERS, REFERS.replace(", x-refers: thing", ""))]),
    "a code, by its name": ('the member "post_code" is an identifier', [
        (C, REFERS, REFERS + "        post_code: {type: string, maxLength: 5}\n"), (Q, MORE, MORE + " || :post_code")]),
    "a record, by its kind": ('the member "old_thing" is an identifier', [
        (C, REFERS, REFERS + "        old_thing: {type: string, maxLength: 5}\n"), (Q, MORE, MORE + " || :old_thing")]),
    "an id in an object": ('the member "owner.id" is an identifier', [
        (C, REFERS, REFERS + "        owner: {type: object, additionalProperties: false, properties: {id: {type: string, format: uuid}}}\n"),
        (Q, MORE, MORE + " || :owner.id")]),
    "ids in a list": ('the member "things.*" is an identifier', [
        (C, REFERS, REFERS + "        things: {type: array, maxItems: 3, items: {type: string, format: uuid}}\n"), (Q, MORE, MORE + " || :things")]),
    "ids in objects of a list": ('the member "things.*.id" is an identifier', [
        (C, REFERS, REFERS + "        things: {type: array, maxItems: 3, items: {type: object, additionalProperties: false, "
         "properties: {id: {type: string, format: uuid}}}}\n"), (Q, MORE, MORE + " || :things")]),
    "a uuid under another name, or null": ('the member "parent" is an identifier', [
        (C, REFERS, REFERS + "        parent: {anyOf: [{type: string, format: uuid}, {type: 'null'}]}\n"), (Q, MORE, MORE + " || :parent")]),
    "an unknown kind": ('there is no kind "thong"', [(C, REFERS, REFERS.replace("x-refers: thing", "x-refers: thong"))]),
    "a kind to which nothing refers": ('no member of a body refers to a "thing"', [(C, REFERS, REFERS.replace("x-refers: thing", "x-refers: none"))]),
    "a kind that nothing shows": ('"show_thing" is no operation that shows one record', [(REF, "get_thing", "show_thing")]),
    "a kind that a list shows": ('"list_things" is no operation that shows one record', [(REF, "get_thing", "list_things")]),
}
ALL = {**DOCUMENT, **SCHEMAS, **OPERATIONS, **STATEMENTS, **GRANTS, **REFERENCES}


def test_the_tiny_contract_compiles(tmp_path):
    tiny.write(tmp_path)
    assert tiny.refusals(tmp_path) == []


@pytest.mark.parametrize("name", ALL)
def test_refused(tmp_path, name):
    expected, changes = ALL[name]
    tiny.write(tmp_path, changes)
    faults = tiny.refusals(tmp_path)
    assert any(expected in fault for fault in faults), "\n".join(faults) or "it compiles"
    for fault in faults:
        assert re.match(r".+\.(yaml|sql):[1-9][0-9]*: ", fault), f"{fault} names no file and line"


@pytest.mark.parametrize("name", NOT_RUN)
def test_what_the_service_does_not_run_needs_no_grant(tmp_path, name):
    tiny.write(tmp_path, NOT_RUN[name])
    assert tiny.refusals(tmp_path) == []


PLACES = {
    "a keyword": ((C, THING, THING[:-2] + ", contains: {}}\n"), C, "contains: {}"),
    "a parameter": ((Q, "t.id = :id", "t.id = :id\n  AND t.id = :idd"), Q, "AND t.id = :idd"),
    "a statement": ((C, "gate: lock_thing, write", "gate: look_thing, write"), C, "gate: look_thing"),
    "a star": ((Q, "SELECT t.id, t.name, t.row_version", "SELECT t.id,\n  t.*"), Q, "  t.*"),
}


@pytest.mark.parametrize("name", PLACES)
def test_the_line_is_the_right_one(tmp_path, name):
    change, file, text = PLACES[name]
    tiny.write(tmp_path, [change])
    lines = (tmp_path / file).read_text(encoding="utf-8").splitlines()
    line = next(number for number, line in enumerate(lines, 1) if text in line)
    assert any(fault.startswith(f"{tmp_path / file}:{line}: ") for fault in tiny.refusals(tmp_path))


def test_all_faults_are_told_at_once(tmp_path):
    tiny.write(tmp_path, [ALL["SELECT *"][1][0], ALL["an unknown scope"][1][0], ALL["a member no statement uses"][1][0]])
    faults = "\n".join(tiny.refusals(tmp_path))
    for name in ("SELECT *", "an unknown scope", "a member no statement uses"):
        assert ALL[name][0] in faults
