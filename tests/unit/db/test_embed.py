"""What db/embed.py compiles in is what the files say, and files that could not be applied whole are refused."""

import hashlib
import pathlib
import re
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[3]

PRINT = r"""
#include <stdio.h>
#include "db/embed.h"
int main(void)
{
    for (size_t i = 0; i < embedded_migration_count; i++)
        printf("%s %s\n%s", embedded_migrations[i].name, embedded_migrations[i].checksum, embedded_migrations[i].text);
    for (size_t i = 0; i < embedded_function_count; i++)
        printf("%s %s\n%s", embedded_functions[i].name, embedded_functions[i].checksum, embedded_functions[i].text);
    return 0;
}
"""

BODY = "CREATE FUNCTION f() RETURNS void LANGUAGE plpgsql AS $$\nBEGIN\n  NULL;\nEND $$;\n"


def embed(source, out):
    return subprocess.run([sys.executable, ROOT / "db/embed.py", "--source", source, "--out", out],
                          capture_output=True, text=True, check=False)


def folder(tmp_path, migrations, functions):
    for name, files in (("migrations", migrations), ("functions", functions)):
        (tmp_path / name).mkdir()
        for file, text in files.items():
            (tmp_path / name / file).write_bytes(text if isinstance(text, bytes) else text.encode())
    return tmp_path


def test_bytes_and_order(tmp_path):
    migrations = {"0002_add_b.sql": "SELECT 'é \\ \" ??= \t%d';\n-- last line without newline",
                  "0001_add_a.sql": "CREATE TABLE a (\n    b text\n);\r\n"}
    functions = {"alpha.sql": BODY, "base_two.sql": "SELECT 2;\n", "base.sql": "SELECT 1;\n",
                 "zeta.sql": "CREATE FUNCTION g() RETURNS int\nBEGIN ATOMIC\n  SELECT 1;\nEND;\n"}
    source = folder(tmp_path, migrations, functions)
    result = embed(source, tmp_path / "gen")
    assert result.returncode == 0, result.stderr
    (tmp_path / "print.c").write_text(PRINT)
    subprocess.run(["gcc", "-Wall", "-Wextra", "-Werror", f"-I{ROOT}", "-o", tmp_path / "print",
                    tmp_path / "print.c", tmp_path / "gen/migrations.c"], check=True)
    printed = subprocess.run([tmp_path / "print"], capture_output=True, check=True).stdout
    expected = b""
    for files, names in ((migrations, ["0001_add_a.sql", "0002_add_b.sql"]),
                         (functions, ["base.sql", "base_two.sql", "alpha.sql", "zeta.sql"])):
        for name in names:
            text = files[name].encode()
            expected += f"{name} {hashlib.sha256(text).hexdigest()}\n".encode() + text
    assert printed == expected


PROBLEMS = r'''/* PROBLEM(name, status, ...) */
PROBLEM(one, 409, "Judul", "Title", "Isi \"{what}\" dahulu.", "Give \"{what}\" first.")
PROBLEM(two, 403, "Judul", "Title", "Bukan milik Anda.", "That's not yours.")
'''


def with_problems(tmp_path, text):
    source = folder(tmp_path, {"0001_add_a.sql": "SELECT 1;\n"}, {"base.sql": "SELECT 1;\n", "zeta.sql": "SELECT 2;\n"})
    (tmp_path / "problems.def").write_text(text)
    return subprocess.run([sys.executable, ROOT / "db/embed.py", "--source", source, "--out", tmp_path / "gen", "--problems",
                           tmp_path / "problems.def"], capture_output=True, text=True, check=False)


def test_texts_of_problems(tmp_path):
    result = with_problems(tmp_path, PROBLEMS)
    assert result.returncode == 0, result.stderr
    (tmp_path / "print.c").write_text(PRINT)
    subprocess.run(["gcc", "-Wall", "-Wextra", "-Werror", f"-I{ROOT}", "-o", tmp_path / "print",
                    tmp_path / "print.c", tmp_path / "gen/migrations.c"], check=True)
    printed = subprocess.run([tmp_path / "print"], capture_output=True, check=True, text=True).stdout
    for line in ("WHEN 'id one' THEN 'Isi \"{what}\" dahulu.'", "WHEN 'en one' THEN 'Give \"{what}\" first.'",
                 "WHEN 'id two' THEN 'Bukan milik Anda.'", "WHEN 'en two' THEN 'That''s not yours.'"):
        assert line in printed
    assert printed.index("base.sql") < printed.index("problem_text.sql") < printed.index("zeta.sql")


def test_a_problem_that_cannot_be_read(tmp_path):
    result = with_problems(tmp_path, PROBLEMS + 'PROBLEM(three, 409, "Judul")\n')
    assert result.returncode != 0 and "cannot be read" in result.stderr


# Written before the rule, and applied: they stay as they are.
DROPPING = {"0090_remember_who_opened.sql", "0101_keep_network_of_logins.sql", "0106_create_login_device.sql", "0136_share_rules_of_place.sql"}


def test_no_migration_drops_a_function():
    """The version before runs it until the functions are replaced: a function file drops it, in the transaction of its successor."""
    assert {path.name for path in (ROOT / "db/migrations").glob("*.sql") if re.search(r"\bDROP\s+(FUNCTION|ROUTINE)\b", path.read_text("utf-8"), re.I)
            } == DROPPING


GOOD = {"0001_add_a.sql": "SELECT 1;\n"}
FUNCTIONS = {"base.sql": "SELECT 1;\n"}


@pytest.mark.parametrize("migrations, functions, says", [
    ({"1_add_a.sql": "SELECT 1;"}, FUNCTIONS, "the name must match"),
    ({"0001_add_a.sql": "SELECT 1;", "0001_add_b.sql": "SELECT 1;"}, FUNCTIONS, "the number is that of"),
    ({"0001_add_a.sql": " \n"}, FUNCTIONS, "is empty"),
    ({"0001_add_a.sql": b"SELECT '\xff';"}, FUNCTIONS, "is not UTF-8"),
    ({"0001_add_a.sql": b"SELECT '\x00';"}, FUNCTIONS, "contains a NUL"),
    ({"0001_add_a.sql": "SELECT 1;\nCOMMIT;\n"}, FUNCTIONS, "0001_add_a.sql:2: cannot run inside a transaction"),
    ({"0001_add_a.sql": "begin;\nSELECT 1;\n"}, FUNCTIONS, "0001_add_a.sql:1: cannot run inside a transaction"),
    ({"0001_add_a.sql": "CREATE INDEX CONCURRENTLY i ON a (b);"}, FUNCTIONS, "cannot run inside a transaction"),
    ({"0001_add_a.sql": BODY + "\\set x 1\n"}, FUNCTIONS, "0001_add_a.sql:5: cannot run inside a transaction"),
    (GOOD, {"Base.sql": "SELECT 1;"}, "the name must match"),
    (GOOD, {}, "has no .sql files"),
    ({}, FUNCTIONS, "has no .sql files"),
])
def test_refusals(tmp_path, migrations, functions, says):
    result = embed(folder(tmp_path, migrations, functions), tmp_path / "gen")
    assert result.returncode == 1
    assert says in result.stderr
    assert not (tmp_path / "gen").exists()
