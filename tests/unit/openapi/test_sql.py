"""The SQL lexer, statements cut into fragments, result columns, and who names which table."""

import pytest
from unit.openapi import tiny  # noqa: F401  (makes the compiler importable)

from compiler.catalogue import Catalogue
from compiler.source import Report
from compiler.sql import LexError, lex, solid
from compiler.statements import columns_of, parse_condition, parse_file


def parameters(text):
    return [token.value for token in lex(text) if token.kind == "parameter"]


def statement(body, header="-- name: x :many internal\n"):
    report = Report()
    found = parse_file("x.sql", header + body, report)
    report.finish()
    return found[0]


@pytest.mark.parametrize("text, expected", [
    ("SELECT :a", ["a"]),
    ("SELECT :a.b.c, :key.1", ["a.b.c", "key.1"]),
    ("SELECT :a.", ["a"]),
    ("SELECT a::text, :b::date, '1'::int", ["b"]),
    ("SELECT ':a', 'it''s :a', :b", ["b"]),
    ("SELECT E'it\\'s :a', :b", ["b"]),
    ("SELECT e'\\\\', :b", ["b"]),
    ("SELECT 'ends in \\', :b", ["b"]),  # a backslash is plain in a standard string
    ("SELECT U&'\\0441 :a', B'01', X'1F', N'x:a', :b", ["b"]),
    ('SELECT ":a", "a"":b", :b', ["b"]),
    ("SELECT $$ :a ' $$, $tag$ $$ :a $tag$, :b", ["b"]),
    ("SELECT a$b$c, :b", ["b"]),  # a dollar inside a name opens nothing
    ("SELECT 1 -- :a ' \n, :b", ["b"]),
    ("SELECT /* :a /* nested ' */ :a */ :b", ["b"]),
    ("SELECT a[1:2], a[1:n], a[f(x):n], a[:b], a[i[1]:n]", ["b"]),
    ("SELECT ARRAY[:a, :b]", ["a", "b"]),
    ("SELECT f(a := 1, b => :b)", ["b"]),
    ("SELECT 1.5e-3, .5, 1.:b", ["b"]),
    ("SELECT jsonb_path_query(x, '$.a ? (@ == 1)'), :b", ["b"]),
])
def test_parameters(text, expected):
    assert parameters(text) == expected
    assert "".join(token.text for token in lex(text)) == text


@pytest.mark.parametrize("text, offset", [("SELECT 'a", 7), ('SELECT "a', 7), ("SELECT $$a", 7), ("SELECT /* /* */", 7),
                                          ("SELECT E'a\\'", 8)])
def test_what_has_no_end_is_refused(text, offset):
    with pytest.raises(LexError) as refused:
        lex(text)
    assert refused.value.offset == offset


@pytest.mark.parametrize("text, expected", [
    ("within", (("within", False),)),
    ("not as_of", (("as_of", True),)),
    ("cursor and sort.region", (("cursor", False), ("sort.region", False))),
    ("a and not b  and c.d.1", (("a", False), ("b", True), ("c.d.1", False))),
    ("", None), ("not", None), ("a or b", None), ("a and", None), ("a, b", None), ("a and b and c and d", None),
    ("a and not a", None), ("A", None), ("not not a", None),
])
def test_conditions(text, expected):
    assert parse_condition(text) == expected


def test_fragments():
    found = statement("""\
-- a comment, and :no parameter
SELECT a,   b -- why
     , c      --? c
     , d      --? c
FROM t        /* here */
WHERE x = :x AND y = '--? z'
  AND z > :z  --? z and not x
""")
    assert [(f.text, f.parameter, f.condition) for f in found.fragments] == [
        ("SELECT a, b", None, ()),
        (" , c , d", None, (("c", False),)),
        (" FROM t WHERE x = ", "x", ()),
        (" AND y = '--? z'", None, ()),
        (" AND z > ", "z", (("z", False), ("x", True))),
    ]
    assert found.parameters() == ["x", "z"] and found.uses() == {"c", "x", "z"}


def test_comments_and_blanks_go_but_strings_stay():
    found = statement("SELECT 'a  --  b\n  c',\n\t  $$ d\n  /* e */ $$ -- f\n;\n")
    assert "".join(f.text for f in found.fragments) == "SELECT 'a  --  b\n  c', $$ d\n  /* e */ $$"


def test_several_statements_and_their_lines():
    found = parse_file("x.sql", "-- File.\n\n-- name: a :one\nSELECT 1;\n\n-- Of b.\n-- name: b :exec internal\nDELETE FROM t\n", Report())
    assert [(s.name, s.cardinality, s.internal, s.line) for s in found] == [("a", "one", False, 3), ("b", "exec", True, 7)]
    assert found[0].fragments[-1].text == "SELECT 1"


@pytest.mark.parametrize("text, expected", [
    ('SELECT t.id, t.name AS "n.m", count(*), x::text, \'a\' AS q FROM t', ["id", "n.m", "count", "x", "q"]),
    ("SELECT (SELECT a, b FROM u) AS s, extract(year FROM t.d) AS y FROM t", ["s", "y"]),
    ("WITH u AS (SELECT a FROM v) SELECT u.b FROM u", ["b"]),
    ("SELECT a FROM t UNION ALL SELECT b FROM u", ["a"]),
    ("SELECT a IS DISTINCT FROM b AS changed, c FROM t", ["changed", "c"]),
    ("SELECT DISTINCT a, b FROM t", ["a", "b"]),
    ("INSERT INTO t (a, b) VALUES (1, 2) RETURNING id", ["id"]),
    ("INSERT INTO t (a) SELECT x FROM u RETURNING a AS made", ["made"]),
    ("SELECT true", ["true"]),
    ("DELETE FROM t", None),
])
def test_columns(text, expected):
    columns = columns_of(statement(text))
    assert (columns and [column.name for column in columns]) == expected


CATALOGUE = """
CREATE TABLE IF NOT EXISTS region (code text);
CREATE UNLOGGED TABLE public.library (id uuid, region text);
CREATE TABLE "Odd" (x int);
CREATE TABLE gone (x int); DROP TABLE gone;
CREATE TABLE old_name (x int); ALTER TABLE old_name RENAME TO new_name;
CREATE TABLE audit (x int);
CREATE VIEW standing AS SELECT l.id FROM library l;
CREATE OR REPLACE FUNCTION below(code text) RETURNS SETOF uuid LANGUAGE sql AS $f$ SELECT id FROM standing $f$;
CREATE FUNCTION deeper() RETURNS int LANGUAGE plpgsql AS $$
BEGIN
    PERFORM below('1'); -- not audit
    RETURN deeper();
END $$;
CREATE FUNCTION inline(c text) RETURNS int RETURN (SELECT count(*) FROM region);
CREATE FUNCTION made() RETURNS void LANGUAGE plpgsql AS $$ BEGIN EXECUTE 'DELETE FROM audit'; END $$;
CREATE TRIGGER t AFTER INSERT ON library FOR EACH ROW EXECUTE FUNCTION made();
"""


@pytest.mark.parametrize("text, expected", [
    ("SELECT code FROM region", {"region"}),
    ("SELECT l.region FROM library l", {"library"}),          # a column of that name
    ("SELECT 'region', $$x$$ FROM library -- audit", {"library"}),
    ('SELECT 1 FROM "Odd"', {"Odd"}),
    ("SELECT x FROM gone, old_name, new_name", {"new_name"}),
    ("SELECT x FROM public.region", {"region"}),
    ("SELECT id FROM standing", {"library"}),
    ("SELECT below FROM region", {"region"}),                 # no call
    ("SELECT below('1')", {"library"}),
    ("SELECT deeper()", {"library"}),
    ("SELECT inline('1')", {"region"}),
    ("SELECT made()", {"audit"}),
    ("INSERT INTO library (id) SELECT id FROM standing", {"library"}),
])
def test_tables(text, expected):
    catalogue, report = Catalogue(), Report()
    catalogue.add("x.sql", CATALOGUE, report)
    report.finish()
    assert catalogue.tables == {"region", "library", "Odd", "new_name", "audit"}
    assert catalogue.tables_of(solid(lex(text))) == expected
