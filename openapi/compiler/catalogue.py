"""Tables, views and functions of db/migrations and db/functions, and who names whom.

Never to break: a table is rather found once too often than missed; a missed one would leave an old answer fresh.
"""
from dataclasses import dataclass, field

from .sql import WORD, LexError, lex, solid


@dataclass
class Catalogue:
    """What the migrations and functions define, and what each definition names."""
    tables: set = field(default_factory=set)
    audited: set = field(default_factory=set)    # those whose changes the audit tells, and so the watch
    bodies: dict = field(default_factory=dict)   # view or function -> tokens of all its definitions
    functions: set = field(default_factory=set)
    definers: set = field(default_factory=set)   # functions that run with their owner's rights
    places: dict = field(default_factory=dict)   # function -> file and line of its last definition
    granted: set = field(default_factory=set)    # functions that the service's own role may run
    shapes: dict = field(default_factory=dict)   # table -> tokens that give it columns, checks and indexes
    reads: dict = field(default_factory=dict)    # view or function -> tables, memoised

    def add(self, file, text, report):
        try:
            tokens = solid(lex(text))
        except LexError as error:
            report.fault((file, 1 + text.count("\n", 0, error.offset)), error.text)
            return
        for statement in _split(tokens):
            self._definition(statement, (file, 1 + text.count("\n", 0, statement[0].start)))

    def _definition(self, tokens, place):
        words = [token.value if token.kind in ("word", "quoted") else token.text for token in tokens]
        if words[:1] == ["drop"] and words[1:2] == ["table"]:
            name = words[4] if words[2:4] == ["if", "exists"] else words[2]
            self.tables.discard(name)
        if words[:1] == ["alter"] and words[1:2] == ["table"] and "rename" in words:
            at = words.index("rename")
            if words[at + 1:at + 2] == ["to"]:
                self.tables.discard(words[at - 1])
                self.tables.add(words[at + 2])
        if words[:3] == ["select", "audit_attach", "("]:
            self.audited.add(tokens[3].text.strip("'"))
        if words[:2] == ["alter", "table"]:
            self._shape(words, 2, tokens)
        if words[:1] != ["create"]:
            return
        if "index" in words[1:3] and "on" in words:
            self._shape(words, words.index("on") + 1, tokens)
        at = 1
        while at < len(words) and words[at] in ("or", "replace", "unlogged", "temporary", "temp", "materialized"):
            at += 1
        kind, at = words[at] if at < len(words) else "", at + 1
        if kind not in ("table", "view", "function", "procedure"):
            return
        if words[at:at + 3] == ["if", "not", "exists"]:
            at += 3
        if words[at + 1:at + 2] == ["."]:
            at += 2
        name = words[at]
        if kind == "table":
            self.tables.add(name)
            self._shape(words, at, tokens)
            return
        if kind in ("function", "procedure"):
            self.functions.add(name)
            self.places[name] = place
            definer = any(pair == ("security", "definer") for pair in zip(words, words[1:]))
            (self.definers.add if definer else self.definers.discard)(name)
        self.bodies.setdefault(name, []).extend(tokens[at + 1:])

    def _shape(self, words, at, tokens):
        """What a definition says of a table, whose name stands at `at` (perhaps after ONLY and IF EXISTS)."""
        while words[at:at + 1] and words[at] in ("only", "if", "exists", "public", "."):
            at += 1
        self.shapes.setdefault(words[at], []).extend(tokens[at + 1:])

    def tables_of(self, tokens, visiting=()):
        """The tables that this text names, itself or through views and functions."""
        found = set()
        dynamic = any(token.kind == "word" and token.value == "execute" for token in tokens)
        for index, token in enumerate(tokens):
            before = tokens[index - 1].text.lower() if index else ""
            after = tokens[index + 1].text if index + 1 < len(tokens) else ""
            if token.kind == "dollar":
                found |= self._inside(token.value, visiting)
            elif token.kind == "string" and dynamic:
                found |= {word.lower() for word in WORD.findall(token.text)} & self.tables
            elif token.kind in ("word", "quoted") and before != "as":
                qualified = before == "." and not (index > 1 and tokens[index - 2].text.lower() == "public")
                if qualified:
                    continue
                if token.value in self.tables and after != ".":
                    found.add(token.value)
                if token.value in self.bodies and (after == "(" or token.value not in self.functions):
                    found |= self._of(token.value, visiting)
        return found

    def _inside(self, text, visiting):
        try:
            return self.tables_of(solid(lex(text)), visiting)
        except LexError:
            return set()  # a dollar-quoted text that is no SQL

    def _of(self, name, visiting):
        if name in visiting:
            return set()
        if name not in self.reads or visiting:
            found = self.tables_of(self.bodies[name], visiting + (name,))
            if visiting:
                return found  # within a circle it may be incomplete
            self.reads[name] = found
        return self.reads[name]


def _split(tokens):
    """Statements of a file, at semicolons outside brackets (BEGIN ATOMIC bodies are not used here)."""
    depth, statement = 0, []
    for token in tokens:
        if token.text == "(":
            depth += 1
        elif token.text == ")":
            depth -= 1
        if token.text == ";" and depth <= 0:
            if statement:
                yield statement
            statement = []
        else:
            statement.append(token)
    if statement:
        yield statement
