#!/usr/bin/python3
"""Compiles db/migrations and db/functions into build/gen/migrations.c (interface: db/embed.h).

Rule: what the binary carries is what the files say, byte for byte; a file that could not be applied
whole, in one transaction, is refused here and not in somebody's database.

    db/embed.py --problems api/base/problems.def --out build/gen

With --problems it also makes the function file problem_text.sql: the texts of that file as a function of the database.
"""

import argparse
import hashlib
import pathlib
import re
import sys

MIGRATION_NAME = re.compile(r"[0-9]{4}_[a-z][a-z0-9_]*\.sql")
FUNCTION_NAME = re.compile(r"[a-z][a-z0-9_]*\.sql")
# What must not stand on its own in a file that runs inside a transaction, and psql's own commands.
FORBIDDEN = re.compile(
    r"^\s*(?:(BEGIN(?!\s+ATOMIC\b)|START\s+TRANSACTION|COMMIT|ROLLBACK|VACUUM|ABORT)\b[^;]*;|"
    r"(CREATE\s+(?:UNIQUE\s+)?INDEX\s+CONCURRENTLY|REINDEX\b.*\bCONCURRENTLY|CREATE\s+DATABASE)\b|\\\w+)",
    re.IGNORECASE | re.MULTILINE,
)
QUOTED = re.compile(r"(\$(?:[A-Za-z_]\w*)?\$).*?\1|'(?:[^']|'')*'|--[^\n]*|/\*.*?\*/", re.DOTALL)


def blank(match):
    """The same number of lines, without what is quoted: a PL/pgSQL body has its own BEGIN."""
    return re.sub(r"[^\n]", " ", match.group(0))


def check(path, text, name_pattern):
    faults = []
    if not name_pattern.fullmatch(path.name):
        faults.append(f"{path}: the name must match {name_pattern.pattern}")
    if "\0" in text:
        faults.append(f"{path}: contains a NUL")
    if not text.strip():
        faults.append(f"{path}: is empty")
    bare = QUOTED.sub(blank, text)
    for match in FORBIDDEN.finditer(bare):
        start = match.start() + len(match.group(0)) - len(match.group(0).lstrip())
        line = bare.count("\n", 0, start) + 1
        said = match.group(0).strip()[:40]
        faults.append(f"{path}:{line}: cannot run inside a transaction: {said}")
    return faults


def read(folder, name_pattern):
    """The folder's files in the order they run, and every fault."""
    files, faults, numbers = [], [], {}
    for path in sorted(folder.glob("*.sql"), key=lambda p: (not p.name.startswith("base"), p.name)):
        try:
            text = path.read_bytes().decode("utf-8")
        except UnicodeDecodeError as error:
            faults.append(f"{path}: is not UTF-8: {error.reason}")
            continue
        faults += check(path, text, name_pattern)
        number = path.name[:4]
        if name_pattern is MIGRATION_NAME and numbers.setdefault(number, path) != path:
            faults.append(f"{path}: the number is that of {numbers[number].name}")
        files.append((path.name, text))
    if not files:
        faults.append(f"{folder}: has no .sql files")
    return files, faults


def c_string(text):
    """The text as C string literals, a line each."""
    escapes = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\t": "\\t", "\r": "\\r", "?": "\\?"}
    lines = []
    for line in text.splitlines(keepends=True) or [""]:
        out = []
        for byte in line.encode("utf-8"):
            char = chr(byte)
            out.append(escapes.get(char) or (char if 32 <= byte < 127 else f"\\{byte:03o}"))
        lines.append('"' + "".join(out) + '"')
    return "\n    ".join(lines)


def checksum(text):
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


PROBLEM = re.compile(r'^PROBLEM\((\w+), \d+' + r', "((?:[^"\\]|\\.)*)"' * 4 + r"\)$", re.MULTILINE)


def problem_text(path):
    """The function problem_text(code, language): the detail of a problem, its {places} not filled; and every fault."""
    text, lines = path.read_text(encoding="utf-8"), []
    for code, *texts in PROBLEM.findall(text):
        details = [re.sub(r"\\(.)", r"\1", detail).replace("'", "''") for detail in texts[2:]]
        lines += [f"    WHEN '{language} {code}' THEN '{detail}'" for language, detail in zip(("id", "en"), details)]
    whole = len(lines) == 2 * len(re.findall(r"^PROBLEM\(", text, re.MULTILINE))
    return "\n".join([
        "-- Made by db/embed.py from api/base/problems.def: what a problem says, in Indonesian (id) or English (en).",
        "CREATE OR REPLACE FUNCTION problem_text(code text, language text) RETURNS text",
        "LANGUAGE sql IMMUTABLE PARALLEL SAFE",
        "RETURN CASE language || ' ' || code", *lines, "END;", ""]), [] if whole else [f"{path}: a line PROBLEM(...) cannot be read"]


def table(name, files):
    rows = [f'    {{"{file}",\n    {c_string(text)},\n    "{checksum(text)}"}},'
            for file, text in files]
    return [f"const struct embedded_file embedded_{name}s[] = {{", *rows, "};",
            f"const size_t embedded_{name}_count = {len(files)};"]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--source", type=pathlib.Path,
                        default=pathlib.Path(__file__).resolve().parent,
                        help="the folder that holds migrations/ and functions/")
    parser.add_argument("--problems", type=pathlib.Path, help="problems.def, whose texts the database shall know")
    parser.add_argument("--out", type=pathlib.Path, required=True, help="folder of migrations.c")
    arguments = parser.parse_args()

    migrations, faults = read(arguments.source / "migrations", MIGRATION_NAME)
    functions, more = read(arguments.source / "functions", FUNCTION_NAME)
    if arguments.problems:
        text, fault = problem_text(arguments.problems)
        more += fault
        functions.append(("problem_text.sql", text))
        functions.sort(key=lambda file: (not file[0].startswith("base"), file[0]))
    if faults + more:
        print(*(faults + more), sep="\n", file=sys.stderr)
        return 1
    everything = "".join(f"{name}\n{checksum(text)}\n" for name, text in functions)
    lines = [
        "/* Made by db/embed.py from db/migrations and db/functions. */",
        '#include "db/embed.h"',
        "",
        *table("migration", migrations),
        *table("function", functions),
        f'const char embedded_functions_checksum[] = "{checksum(everything)}";',
        "",
    ]
    arguments.out.mkdir(parents=True, exist_ok=True)
    (arguments.out / "migrations.c").write_text("\n".join(lines), encoding="ascii")
    return 0


if __name__ == "__main__":
    sys.exit(main())
