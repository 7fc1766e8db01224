"""The rule of place of an operation (x-place): where its gate asks the reach, the contract names the rule that the gate asks.

A rule is a function place_<rule> of db/functions/place.sql. The gate asks it, and GET /v1/me/can asks it by the name told here.

Never to break: no operation whose gate or write asks the reach builds without a rule, or without the reason why no place can tell.
"""
from functools import lru_cache

from .source import Map
from .sql import LexError, lex, solid

UNTOLD = "untold"
PREFIX = "place_"


def check_places(operations, checks, catalogue, report):
    """Sets the place of every operation: None, the name of its rule, or UNTOLD; a fault for each that is missing, needless or another
    than the one that its statements ask."""
    for operation in operations:
        statements = {role: checks.by_name[name] for role, name in operation.statements.items() if name in checks.by_name}
        gates = [statements[role] for role in ("gate", "write") if role in statements]
        asks = any(name.startswith("reach") for statement in gates for name in statement.uses())
        said, place = operation.node.get("x-place"), operation.node.place("x-place" if "x-place" in operation.node else "operationId")
        operation.place_rule = UNTOLD if isinstance(said, Map) else said
        if said is None:
            if asks:
                report.fault(place, f"{operation.id}: its gate asks the reach, so it needs x-place")
        elif isinstance(said, Map):
            if set(said) != {UNTOLD} or not isinstance(said[UNTOLD], str) or len(said[UNTOLD]) < 10:
                report.fault(place, f"x-place is a rule, or says under {UNTOLD} why no place can tell")
            if not asks:
                report.fault(place, f"{operation.id}: its gate does not ask the reach, so there is nothing to tell")
        elif PREFIX + str(said) not in catalogue.functions:
            report.fault(place, f'x-place: there is no function "{PREFIX}{said}"')
        elif not _runs(catalogue, [token for statement in statements.values() for token in statement.tokens], PREFIX + said, set()):
            report.fault(place, f'{operation.id}: no statement of it asks "{PREFIX}{said}"')


@lru_cache(maxsize=None)
def _inside(text):
    """The tokens of a dollar-quoted text; none of one that is no SQL."""
    try:
        return solid(lex(text))
    except LexError:
        return []


def _runs(catalogue, tokens, wanted, seen):
    """Does this text run that function, itself or through others?"""
    for token in tokens:
        if token.kind == "dollar":
            if _runs(catalogue, _inside(token.value), wanted, seen):
                return True
        elif token.kind == "word" and token.value in catalogue.functions and token.value not in seen:
            seen.add(token.value)
            if token.value == wanted or _runs(catalogue, catalogue.bodies[token.value], wanted, seen):
                return True
    return False
