"""The statements of db/queries: headers, optional lines, parameters, result columns.

Never to break: an optional line is one unit; it stands or falls whole, and what is left is still SQL.
"""
import bisect
import re
from dataclasses import dataclass, field

from .sql import LexError, Token, lex, solid

HEADER = re.compile(r"--\s*name:\s*(.*)$")
TYPED = re.compile(r"--\s*param:\s*(.*)$")
NAME = re.compile(r"[a-z][a-z0-9_]*\Z")
CONDITION_NAME = re.compile(r"[a-z_][a-z0-9_]*(?:\.[a-z0-9_]+)*\Z")
CARDINALITIES = (":one", ":many", ":exec")


@dataclass
class Fragment:
    text: str
    parameter: str = None
    condition: tuple = ()  # of (name, negated)
    line: int = 0


@dataclass
class Statement:
    name: str
    cardinality: str
    internal: bool
    owner: bool  # run by commands with the owner's rights, never by the service
    file: str
    line: int
    tokens: list = field(default_factory=list)     # solid ones
    conditions_of: list = field(default_factory=list)  # of each of these tokens: its line's condition
    fragments: list = field(default_factory=list)
    types: dict = field(default_factory=dict)      # said by "-- param: name type", internal ones only
    tables: set = field(default_factory=set)
    lines: dict = field(default_factory=dict)      # parameter or condition name -> first line

    @property
    def place(self):
        return self.file, self.line

    def place_of(self, name):
        return self.file, self.lines.get(name, self.line)

    def parameters(self):
        """Names in order of appearance, each once."""
        return list(dict.fromkeys(f.parameter for f in self.fragments if f.parameter))

    def conditions(self):
        return list(dict.fromkeys(f.condition for f in self.fragments if f.condition))

    def uses(self):
        names = set(self.parameters())
        for condition in self.conditions():
            names.update(name for name, _ in condition)
        return names


def parse_condition(text):
    """((name, negated), ...) of "within and not as_of", or None."""
    parts = []
    for part in re.split(r"\s+and\s+", text.strip()):
        words = part.split()
        negated = len(words) == 2 and words[0] == "not"
        if negated:
            words = words[1:]
        if len(words) != 1 or words[0] in ("not", "and", "or") or not CONDITION_NAME.match(words[0]):
            return None
        parts.append((words[0], negated))
    if len(parts) > 3 or len({name for name, _ in parts}) != len(parts):
        return None
    return tuple(parts)


def parse_file(file, text, report):
    """The statements of one file of db/queries."""
    statements, current, start, start_line = [], None, 0, 0
    lines = text.splitlines(keepends=True)
    offset, bodies = 0, []
    for number, line in enumerate(lines, 1):
        header = HEADER.match(line)
        if header:
            if current:
                bodies.append((current, text[start:offset], start_line))
            current = _header(file, number, header.group(1).strip(), report)
            start, start_line = offset + len(line), number + 1
        elif current is None and line.strip() and not line.lstrip().startswith("--"):
            report.fault((file, number), 'text before the first "-- name:"')
            return []
        offset += len(line)
    if current:
        bodies.append((current, text[start:], start_line))
    for statement, body, line in bodies:
        if statement.name:
            _body(statement, body, line, report)
            statements.append(statement)
    return statements


def _header(file, line, text, report):
    words = text.split()
    good = (len(words) in (2, 3, 4) and NAME.match(words[0]) and words[1] in CARDINALITIES
            and words[2:] in ([], ["internal"], ["internal", "owner"]))
    if not good:
        report.fault((file, line), f'"-- name: {text}" must read "-- name: <name> :one|:many|:exec [internal [owner]]"')
        return Statement("", ":exec", False, False, file, line)
    return Statement(words[0], words[1][1:], "internal" in words, "owner" in words, file, line)


def _body(statement, body, first_line, report):
    try:
        tokens = lex(body)
    except LexError as error:
        report.fault((statement.file, first_line + body.count("\n", 0, error.offset)), error.text)
        return
    starts = [0] + [match.end() for match in re.finditer("\n", body)]
    line_of = _line_finder(starts)
    conditions = {}
    for token in tokens:
        number = first_line + line_of(token.start)
        place = (statement.file, number)
        if token.kind == "comment" and token.text.startswith("--?"):
            condition = parse_condition(token.text[3:])
            if condition is None:
                report.fault(place, f'the condition "{token.text[3:].strip()}" must be up to three names, '
                                    'each perhaps with "not", joined by "and"')
                continue
            conditions[line_of(token.start)] = condition
            for name, _ in condition:
                statement.lines.setdefault(name, number)
        elif token.kind == "comment" and TYPED.match(token.text):
            words = TYPED.match(token.text).group(1).split()
            if len(words) != 2 or not statement.internal:
                report.fault(place, '"-- param: name type" belongs to an internal statement; '
                                    "elsewhere the contract gives the types")
            else:
                statement.types[words[0]] = words[1]
        elif token.kind == "parameter":
            statement.lines.setdefault(token.value, number)
        elif token.kind == "positional":
            report.fault(place, "a positional parameter; name it")
    _check_lines(statement, tokens, conditions, line_of, first_line, report)
    statement.tokens = solid(tokens)
    if statement.tokens and statement.tokens[-1].text == ";":
        statement.tokens.pop()
    if not statement.tokens:
        report.fault(statement.place, f'the statement "{statement.name}" is empty')
    for token in statement.tokens:
        if token.text == ";":
            report.fault((statement.file, first_line + line_of(token.start)), "a second statement under one name")
    statement.conditions_of = [conditions.get(line_of(token.start), ()) for token in statement.tokens]
    statement.fragments = _fragments(statement, tokens, conditions, line_of, first_line)
    _check_star(statement, first_line, line_of, report)


def _line_finder(starts):
    return lambda offset: bisect.bisect_right(starts, offset) - 1


def _check_lines(statement, tokens, conditions, line_of, first_line, report):
    """A conditional line must be complete: nothing quoted runs across its ends, brackets balance."""
    depth, run = 0, None
    last_line = -1
    for token in solid(tokens) + [Token("end", "", 10 ** 12, 10 ** 12)]:
        line = line_of(token.start) if token.kind != "end" else 10 ** 9
        condition = conditions.get(line)
        if line != last_line and (condition != run or condition is None):
            if run is not None and depth != 0:
                report.fault((statement.file, first_line + last_line),
                             "a conditional line must be complete: its brackets do not balance")
            run, depth = condition, 0
        last_line = line
        if token.kind == "end":
            break
        if token.text in ("(", "["):
            depth += 1
        elif token.text in (")", "]"):
            depth -= 1
            if depth < 0 and condition is not None:
                report.fault((statement.file, first_line + line),
                             "a conditional line must be complete: its brackets do not balance")
                depth = 0
        end_line = line_of(token.end - 1)
        if end_line != line and any(number in conditions for number in range(line, end_line + 1)):
            report.fault((statement.file, first_line + line), "a quoted text runs across a conditional line")


def _fragments(statement, tokens, conditions, line_of, first_line):
    """The text without comments, cut at parameters and at optional lines; each run of blanks is one."""
    fragments, text, condition, line = [], "", (), 0

    def cut(parameter=None):
        nonlocal text
        if text or parameter:
            fragments.append(Fragment(text, parameter, condition, first_line + line))
        text = ""

    end = max((token.end for token in statement.tokens), default=0)
    blank = False
    for token in tokens:
        if token.end > end:
            break
        if token.kind in ("space", "comment"):
            blank = bool(fragments or text)
            continue
        number = line_of(token.start)
        own = conditions.get(number, ())
        if own != condition:
            cut()
            condition = own
        line = number
        if blank:
            text, blank = text + " ", False
        if token.kind == "parameter":
            cut(token.value)
        else:
            text += token.text
    cut()
    return fragments


def _check_star(statement, first_line, line_of, report):
    before = None
    for token in statement.tokens:
        if token.text == "*" and before is not None and (
                before.text in (",", ".") or before.kind == "word"
                and before.value in ("select", "distinct", "all", "returning")):
            report.fault((statement.file, first_line + line_of(token.start)),
                         '"*" as a list of columns; name them')
        before = token


# ---- what a statement selects --------------------------------------------------------------------

@dataclass
class Column:
    name: str
    tokens: list
    condition: tuple


def columns_of(statement):
    """The result columns of the last SELECT (or RETURNING) that stands in no brackets, or None."""
    tokens, conditions = statement.tokens, statement.conditions_of
    depth, start = 0, None
    for index, token in enumerate(tokens):
        if token.text in ("(", "["):
            depth += 1
        elif token.text in (")", "]"):
            depth -= 1
        elif depth == 0 and token.kind == "word" and token.value in ("select", "returning"):
            if start is None or token.value == "returning" or not _in_set_operation(tokens, index):
                start = index + 1
    if start is None:
        return None
    columns, piece, depth = [], [], 0
    ends = {"from", "where", "group", "order", "limit", "union", "intersect", "except", "having", "window", "for"}
    for token, condition in list(zip(tokens, conditions))[start:]:
        if token.text in ("(", "["):
            depth += 1
        elif token.text in (")", "]"):
            depth -= 1
        if depth == 0 and (token.text == "," or token.kind == "word" and token.value in ends
                           and not (piece and piece[-1][0].text == ".")
                           and not _distinct_from(token, piece)):
            if piece:
                columns.append(_column(piece))
            piece = []
            if token.text != ",":
                break
            continue
        piece.append((token, condition))
    if piece:
        columns.append(_column(piece))
    return [column for column in columns if column]


def _distinct_from(token, piece):
    return token.value == "from" and piece and piece[-1][0].kind == "word" and piece[-1][0].value == "distinct"


def _in_set_operation(tokens, index):
    """Is the SELECT at index the right side of a UNION? Then the names are those of the left side."""
    for back in range(index - 1, max(index - 3, -1), -1):
        token = tokens[back]
        if token.kind == "word" and token.value in ("union", "intersect", "except"):
            return True
        if token.kind != "word" or token.value not in ("all", "distinct"):
            return False
    return False


def _column(piece):
    tokens = [token for token, _ in piece]
    condition = piece[-1][1]
    while tokens and tokens[0].kind == "word" and tokens[0].value in ("distinct", "all"):
        tokens = tokens[1:]
    if not tokens:
        return None
    if len(tokens) >= 2 and tokens[-2].kind == "word" and tokens[-2].value == "as":
        return Column(tokens[-1].value or tokens[-1].text, tokens[:-2], condition)
    last = tokens[-1]
    if last.kind in ("word", "quoted"):
        for back, token in enumerate(tokens):  # a::text is named after a
            if token.kind == "cast" and back > 0 and tokens[back - 1].kind in ("word", "quoted"):
                return Column(tokens[back - 1].value, tokens, condition)
        return Column(last.value, tokens, condition)
    if last.text == ")":  # a function's name
        depth = 0
        for back in range(len(tokens) - 1, -1, -1):
            depth += {")": 1, "(": -1}.get(tokens[back].text, 0)
            if depth == 0:
                return Column(tokens[back - 1].value if back else "?", tokens, condition)
    return Column("?", tokens, condition)
