"""Which functions of db/ the service's own role runs, and whether db/functions/zz_grants_functions.sql grants it exactly these.

PostgreSQL asks for the right to run a function where the role itself runs it: in a statement, in a view it reads, in the body of a
function that runs with the caller's rights, in the trigger of a table it writes, and in the defaults, checks, generated columns
and indexes of such a table. What runs with its owner's rights (SECURITY DEFINER) is followed no further.

Never to break: a function is rather found once too often than missed; a missed one would fail before the first request.
"""
import re

from .sql import WORD, LexError, lex, solid

TRIGGER = re.compile(r"\bCREATE\s+(?:OR\s+REPLACE\s+)?(?:CONSTRAINT\s+)?TRIGGER\s+\w+\s[^;]*?\bON\s+(?:public\.)?(\w+)\s[^;]*?"
                     r"\bEXECUTE\s+FUNCTION\s+(?:public\.)?(\w+)", re.I | re.S)
LIST = re.compile(r"^\s*EXECUTE \(SELECT format\('GRANT EXECUTE ON FUNCTION.*?\$list\$\n(.*?)\$list\$", re.M | re.S)
COMMENT = re.compile(r"--.*")
UNSEEN = re.compile(r"--\s*(the version before|made by db/embed\.py|in checks that a migration makes)\b")


class Walk:
    """What is run from the statements on."""

    def __init__(self, catalogue, triggers):
        self.catalogue, self.triggers = catalogue, triggers
        self.functions, self.seen = {}, set()

    def text(self, tokens, why):
        """Everything that these tokens name, for the statement or definition `why`."""
        dynamic = any(token.kind == "word" and token.value == "execute" for token in tokens)
        for index, token in enumerate(tokens):
            after = tokens[index + 1].text if index + 1 < len(tokens) else ""
            if token.kind == "dollar":
                self._inside(token.value, why)
            elif token.kind == "string" and dynamic:
                for word in WORD.findall(token.text):
                    self._name(word.lower(), "(", False, why)
            elif token.kind in ("word", "quoted"):
                self._name(token.value, after, _written(tokens, index), why)

    def _inside(self, text, why):
        try:
            self.text(solid(lex(text)), why)
        except LexError:
            pass  # a dollar-quoted text that is no SQL

    def _name(self, name, after, written, why):
        catalogue = self.catalogue
        if name in catalogue.functions:
            if after == "(":
                self.functions.setdefault(name, why)
                if name not in catalogue.definers:
                    self._body(name, catalogue.bodies[name])
        elif name in catalogue.bodies:
            self._body(name, catalogue.bodies[name])
        elif written and name in catalogue.tables:
            self._body("table " + name, catalogue.shapes.get(name, []))
            for function in self.triggers.get(name, ()):
                if function not in catalogue.definers:
                    self._body(function, catalogue.bodies.get(function, []))

    def _body(self, name, tokens):
        if name not in self.seen:
            self.seen.add(name)
            self.text(tokens, name)


def _written(tokens, index):
    """Does a table that is named here change? INSERT INTO t, UPDATE t, DELETE FROM t."""
    before = [token.text.lower() for token in tokens[max(0, index - 2):index]]
    return before[-1:] in (["into"], ["update"]) or before == ["delete", "from"]


def _granted(files):
    """{function: (file, line)} of the list, and those of them that no file here needs: only the version before, or a file that
    is made with the program."""
    granted, unseen = {}, set()
    for path, text in files:
        for match in LIST.finditer(text):
            first = 1 + text.count("\n", 0, match.start(1))
            for number, line in enumerate(match.group(1).splitlines(), first):
                for name in COMMENT.sub("", line).split():
                    granted[name] = (path, number)
                    if UNSEEN.search(line):
                        unseen.add(name)
    return granted, unseen


def check_grants(catalogue, statements, files, report):
    """A fault for each function that is run and not granted, and for each that is granted and not run. Returns those granted."""
    triggers = {}
    for _, text in files:
        for table, function in TRIGGER.findall(COMMENT.sub("", text)):
            triggers.setdefault(table, set()).add(function)
    walk = Walk(catalogue, triggers)
    for statement in statements:
        if not statement.owner:
            walk.text(statement.tokens, f'the statement "{statement.name}"')
    granted, unseen = _granted(files)
    for name, why in sorted(walk.functions.items()):
        if name not in granted:
            report.fault(catalogue.places[name], f'{why} runs "{name}", which is not granted to tpbis_api: '
                                                 "name it in db/functions/zz_grants_functions.sql")
    for name, place in granted.items():
        if name not in walk.functions and name not in unseen:
            report.fault(place, f'"{name}" is granted to tpbis_api, and no statement runs it')
    return set(granted)
