"""The SQL lexer.

Never to break: a quote, a comment or a cast is read as PostgreSQL reads it, so that a colon inside one is
never taken for a parameter.
"""
import re
from dataclasses import dataclass

WORD = re.compile(r"[A-Za-z_\x80-\U0010ffff][A-Za-z0-9_$\x80-\U0010ffff]*")
NUMBER = re.compile(r"(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?")
PARAMETER = re.compile(r":([a-z_][a-z0-9_]*(?:\.[a-z0-9_]+)*)")
DOLLAR = re.compile(r"\$(?:[A-Za-z_\x80-\U0010ffff][A-Za-z0-9_\x80-\U0010ffff]*)?\$")


@dataclass
class Token:
    kind: str  # space comment word quoted string dollar number parameter cast positional other
    text: str
    start: int
    end: int
    value: str = ""  # of a word: lower case; of a quoted name: without quotes; of a parameter: its name


class LexError(Exception):
    def __init__(self, offset, text):
        super().__init__(text)
        self.offset, self.text = offset, text


def _string_end(text, start, escapes):
    at = start + 1
    while at < len(text):
        if escapes and text[at] == "\\":
            at += 2
        elif text[at] == "'":
            if text[at + 1:at + 2] != "'":
                return at + 1
            at += 2
        else:
            at += 1
    raise LexError(start, "a string without its end")


def _block_end(text, start):
    depth, at = 0, start
    while at < len(text):
        if text.startswith("/*", at):
            depth, at = depth + 1, at + 2
        elif text.startswith("*/", at):
            depth, at = depth - 1, at + 2
            if depth == 0:
                return at
        else:
            at += 1
    raise LexError(start, "a block comment without its end")


def lex(text):
    """Every byte of the text in exactly one token."""
    tokens, at = [], 0
    brackets = []       # open ( and [
    last = None         # last token that is neither space nor comment

    def add(kind, end, value=""):
        nonlocal at, last
        token = Token(kind, text[at:end], at, end, value)
        tokens.append(token)
        if kind not in ("space", "comment"):
            last = token
        at = end

    while at < len(text):
        c = text[at]
        if c.isspace():
            end = at + 1
            while end < len(text) and text[end].isspace():
                end += 1
            add("space", end)
        elif text.startswith("--", at):
            end = text.find("\n", at)
            add("comment", len(text) if end < 0 else end)
        elif text.startswith("/*", at):
            add("comment", _block_end(text, at))
        elif c == "'":
            add("string", _string_end(text, at, False))
        elif c in "eE" and text[at + 1:at + 2] == "'":
            add("string", _string_end(text, at + 1, True))
        elif c in "bBxXnN" and text[at + 1:at + 2] == "'":
            add("string", _string_end(text, at + 1, False))
        elif c in "uU" and text[at + 1:at + 3] == "&'":
            add("string", _string_end(text, at + 2, False))
        elif c == '"':
            end = at + 1
            while True:
                end = text.find('"', end)
                if end < 0:
                    raise LexError(at, "a quoted name without its end")
                if text[end + 1:end + 2] != '"':
                    break
                end += 2
            add("quoted", end + 1, text[at + 1:end].replace('""', '"'))
        elif c == "$":
            match = DOLLAR.match(text, at)
            if match:
                end = text.find(match.group(), match.end())
                if end < 0:
                    raise LexError(at, "a dollar-quoted string without its end")
                add("dollar", end + len(match.group()), text[match.end():end])
            else:
                end = at + 1
                while end < len(text) and text[end].isdigit():
                    end += 1
                add("positional" if end > at + 1 else "other", end)
        elif c == ":":
            match = PARAMETER.match(text, at)
            slice_colon = (brackets[-1:] == ["["] and last is not None
                           and (last.kind in ("word", "quoted", "number", "parameter") or last.text in (")", "]")))
            if text.startswith("::", at):
                add("cast", at + 2)
            elif text.startswith(":=", at):
                add("other", at + 2)
            elif match and not slice_colon:
                add("parameter", match.end(), match.group(1))
            else:
                add("other", at + 1)
        elif WORD.match(text, at):
            end = WORD.match(text, at).end()
            add("word", end, text[at:end].lower())
        elif NUMBER.match(text, at):
            add("number", NUMBER.match(text, at).end())
        else:
            if c in "([":
                brackets.append(c)
            elif c in ")]" and brackets:
                brackets.pop()
            add("other", at + 1)
    return tokens


def solid(tokens):
    """Without white space and comments."""
    return [token for token in tokens if token.kind not in ("space", "comment")]
