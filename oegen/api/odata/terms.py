"""Terms of a filter as SQL: how they are compared, negated and passed to functions."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from django.db import connection

from oegen.api.odata import types
from oegen.api.odata.errors import ODataError
from oegen.core.sql import Values

#: The kind of a term: the name of its type, or one of these.
NUMBER = "number"
NULL = "null"
BOOLEAN = types.BOOLEAN.name
STRING = types.STRING.name

OPERATORS = {"eq": "=", "ne": "<>", "lt": "<", "le": "<=", "gt": ">", "ge": ">="}
#: What the constants true and false are in SQL.
TRUTH = {"TRUE": True, "FALSE": False}


@dataclass(frozen=True)
class Term:
    """A part of a filter as SQL. ``name`` is that of a column or function, for messages; ``depth``
    counts nested conditions; ``negated`` is the condition that this one negates."""

    kind: str
    sql: str
    params: Values = ()
    is_nullable: bool = False
    name: str = ""
    depth: int = 0
    negated: Term | None = None
    #: The text whose case this changes, which another change of case replaces.
    inner: Term | None = None


def filter_error(text: str) -> ODataError:
    return ODataError(text, target="$filter")


def kind_name(kind: str) -> str:
    return {
        NUMBER: "a number",
        STRING: "a text, such as 'solar'",
        BOOLEAN: "a condition",
        types.GUID.name: "an id",
        types.DATE.name: "a day, such as 2026-03-31",
        types.TIME.name: "a time, such as 2026-03-31T09:00:00Z",
    }[kind]


def negate(term: Term) -> Term:
    if term.negated:
        return term.negated
    return Term(BOOLEAN, f"NOT {term.sql}", term.params, depth=term.depth + 1, negated=term)


def compare(operator: str, left: Term, right: Term) -> Term:
    """Raises ODataError for values that can't be compared."""
    params = left.params + right.params
    if NULL in (left.kind, right.kind):
        other = right if left.kind == NULL else left
        if operator not in ("eq", "ne"):
            return Term(BOOLEAN, "FALSE")
        is_null = "IS NULL" if operator == "eq" else "IS NOT NULL"
        return Term(BOOLEAN, f"({other.sql} {is_null})", other.params)
    if left.kind != right.kind or (left.kind == BOOLEAN and operator not in ("eq", "ne")):
        name, kind = (left.name, left.kind) if left.name else (right.name, right.kind)
        what = f"“{name}”" if name else "This"
        wanted = "true or false, by eq and ne only" if kind == BOOLEAN else kind_name(kind)
        raise filter_error(f"{what} can be compared with {wanted}.")
    if left.kind == BOOLEAN:
        return _compare_conditions(operator, left, right)
    if operator not in ("eq", "ne"):
        sql = f"{in_order(left)} {OPERATORS[operator]} {in_order(right)}"
        return two_valued(sql, (left, right), "FALSE")
    sql = f"{left.sql} {OPERATORS[operator]} {right.sql}"
    if left.is_nullable and right.is_nullable:
        are_null = f"({left.sql} IS NULL AND {right.sql} IS NULL)"
        instead = are_null if operator == "eq" else f"NOT {are_null}"
        return Term(BOOLEAN, f"COALESCE({sql}, {instead})", params + params)
    return two_valued(sql, (left, right), "FALSE" if operator == "eq" else "TRUE")


def _compare_conditions(operator: str, left: Term, right: Term) -> Term:
    for one, other in ((left, right), (right, left)):
        if other.sql in TRUTH:
            return one if (operator == "eq") is TRUTH[other.sql] else negate(one)
    first, second = sorted((left, right), key=lambda term: -term.depth)
    sql, than = (f"({term.sql})" if term.negated else term.sql for term in (first, second))
    return Term(
        BOOLEAN,
        f"({sql} {OPERATORS[operator]} {than})",
        first.params + second.params,
        depth=first.depth + 1,
    )


def in_order(term: Term) -> str:
    """SQL by which both databases order alike: texts by their characters' numbers."""
    return text_in_order(term.sql) if term.kind == STRING else term.sql


def text_in_order(sql: str) -> str:
    return f'{sql} COLLATE "C"' if connection.vendor == "postgresql" else sql


def two_valued(sql: str, terms: Iterable[Term], where_null: str) -> Term:
    terms = list(terms)
    if any(term.is_nullable for term in terms):
        sql = f"COALESCE({sql}, {where_null})"
    return Term(BOOLEAN, f"({sql})", all_params(terms))


def all_params(terms: Iterable[Term]) -> Values:
    return tuple(value for term in terms for value in term.params)


# Functions ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Function:
    """``sql`` is a template of the arguments, which it has in their order."""

    arguments: tuple[str, ...]
    result: str
    sqlite: str
    postgresql: str

    def make(self, name: str, arguments: list[Term]) -> Term:
        template = self.postgresql if connection.vendor == "postgresql" else self.sqlite
        if name in _CASES and (inner := arguments[0].inner):
            arguments = [inner]
        # An argument may stand in the template more than once.
        order = [int(one) for one in re.findall(r"\{(\d)\}", template)]
        sql = template.format(*(argument.sql for argument in arguments))
        params = all_params(arguments[place] for place in order)
        is_nullable = any(argument.is_nullable for argument in arguments)
        if self.result == BOOLEAN:
            return Term(BOOLEAN, f"COALESCE({sql}, FALSE)" if is_nullable else sql, params)
        return Term(
            self.result,
            sql,
            params,
            is_nullable,
            f"{name}({arguments[0].name})",
            inner=arguments[0] if name in _CASES else None,
        )


def _of_texts(sqlite: str, postgresql: str = "") -> Function:
    return Function((STRING, STRING), BOOLEAN, sqlite, postgresql or sqlite)


def _of_text(function: str) -> Function:
    # Letters from A to Z, on both databases.
    return Function((STRING,), STRING, f"{function}({{0}})", f'{function}({{0}} COLLATE "C")')


def _of_day(sqlite: str, postgresql: str) -> Function:
    return Function(
        (types.DATE.name,),
        NUMBER,
        f"CAST(strftime('%%{sqlite}', {{0}}) AS INTEGER)",
        f"EXTRACT({postgresql} FROM CAST({{0}} AS DATE))",
    )


_CASES = frozenset({"tolower", "toupper"})

FUNCTIONS = {
    "contains": _of_texts("(instr({0}, {1}) > 0)", "(strpos({0}, {1}) > 0)"),
    "startswith": _of_texts("(substr({0}, 1, length({1})) = {1})"),
    "endswith": _of_texts("(substr({0}, length({0}) - length({1}) + 1) = {1})"),
    "tolower": _of_text("lower"),
    "toupper": _of_text("upper"),
    "year": _of_day("Y", "YEAR"),
    "month": _of_day("m", "MONTH"),
    "day": _of_day("d", "DAY"),
}
