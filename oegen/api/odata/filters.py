"""``$filter`` to SQL, by recursive descent over the columns of a set and nothing else.

What is understood: ``and or not``, ``eq ne lt le gt ge in``, parentheses, ``contains startswith
endswith tolower toupper year month day``, and constants. ``eq`` and ``ne`` compare null as a value,
any other condition on it is false; so no condition is null itself.

SQLite's parser takes no deep nesting of what stands behind an operator: the deepest part of a
condition comes first.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, NamedTuple
from uuid import UUID

from django.db import connection

from oegen.api.odata import types
from oegen.api.odata.errors import ODataError
from oegen.api.odata.sets import Column
from oegen.api.odata.types import NUMBERS, Type
from oegen.core.sql import Values

MAX_LENGTH = 4_000
MAX_LEVELS = 50

#: The kind of a term: the name of its type, or one of these.
NUMBER = "number"
NULL = "null"
BOOLEAN = types.BOOLEAN.name
STRING = types.STRING.name

OPERATORS = {"eq": "=", "ne": "<>", "lt": "<", "le": "<=", "gt": ">", "ge": ">="}
#: What the constants true and false are in SQL.
_TRUTH = {"TRUE": True, "FALSE": False}
_WORDS = frozenset({"and", "or", "not", "in", *OPERATORS})

_TOKEN = re.compile(
    r"""\s*(?:
        (?P<text>'(?:[^']|'')*')
      | (?P<key>[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12})
      | (?P<time>[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]+(?:Z|[+-][0-9]{2}:[0-9]{2}))
      | (?P<day>[0-9]{4}-[0-9]{2}-[0-9]{2})
      | (?P<number>-?[0-9]{1,20}(?:\.[0-9]{1,20})?(?![0-9.\w]))
      | (?P<name>[A-Za-z_][A-Za-z0-9_]*)
      | (?P<mark>[(),])
    )""",
    re.VERBOSE | re.ASCII,
)


class Token(NamedTuple):
    kind: str
    text: str
    place: int


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


def parse_filter(text: str, columns: Mapping[str, Column]) -> tuple[str, Values]:
    """The condition as SQL with its parameters, over columns quoted by their names.

    Raises ODataError, which says where the filter is wrong.
    """
    if len(text) > MAX_LENGTH:
        raise _wrong(
            f"The filter has {len(text):,} characters; {MAX_LENGTH:,} are the most. Filter by less "
            "here, and the rest where you read."
        )
    if "\0" in text:
        raise _wrong("A filter can't hold the character NUL.")
    found = _Parser(text, columns).parse()
    return found.sql, found.params


def _wrong(text: str) -> ODataError:
    return ODataError(text, target="$filter")


class _Parser:
    def __init__(self, text: str, columns: Mapping[str, Column]) -> None:
        self._columns = columns
        self._tokens = list(_tokens(text))
        self._next = 0
        self._levels = 0

    def parse(self) -> Term:
        found = self._boolean(self._either())
        if token := self._peek():
            raise _wrong(
                f"“{token.text}” at character {token.place} is not expected: put “and” or “or” "
                "between two conditions."
            )
        return found

    # Reading tokens ------------------------------------------------------------------------------

    def _peek(self) -> Token | None:
        return self._tokens[self._next] if self._next < len(self._tokens) else None

    def _take(self, *texts: str) -> str:
        """The next token's text, if it is a word or mark among these; else empty."""
        token = self._peek()
        if token and token.kind in ("name", "mark") and token.text in texts:
            self._next += 1
            return token.text
        return ""

    def _expect(self, mark: str) -> None:
        if not self._take(mark):
            token = self._peek()
            where = (
                f"before “{token.text}” at character {token.place}" if token else "at the end of it"
            )
            raise _wrong(f"“{mark}” is missing {where}.")

    def _deeper(self, read: Callable[[], Term]) -> Term:
        self._levels += 1
        if self._levels > MAX_LEVELS:
            raise _wrong(
                f"The filter is nested more than {MAX_LEVELS} levels deep: make it flatter."
            )
        found = read()
        self._levels -= 1
        return found

    # Grammar, loosest first ----------------------------------------------------------------------

    def _either(self) -> Term:
        return self._joined("or", self._both)

    def _both(self) -> Term:
        return self._joined("and", self._equality)

    def _joined(self, word: str, read: Callable[[], Term]) -> Term:
        terms = [read()]
        while self._take(word):
            terms.append(read())
        if len(terms) == 1:
            return terms[0]
        parts = sorted(map(self._boolean, terms), key=lambda part: -part.depth)
        sql = f" {word.upper()} ".join(part.sql for part in parts)
        return Term(BOOLEAN, f"({sql})", _all_params(parts), depth=parts[0].depth + 1)

    def _equality(self) -> Term:
        term = self._relation()
        while operator := self._take("eq", "ne"):
            term = compare(operator, term, self._relation())
        return term

    def _relation(self) -> Term:
        term = self._unary()
        while operator := self._take("lt", "le", "gt", "ge", "in"):
            term = self._among(term) if operator == "in" else compare(operator, term, self._unary())
        return term

    def _unary(self) -> Term:
        if self._take("not"):
            return negate(self._boolean(self._deeper(self._unary)))
        return self._primary()

    def _primary(self) -> Term:
        if self._take("("):
            term = self._deeper(self._either)
            self._expect(")")
            return term
        token = self._peek()
        if token is None:
            raise _wrong("The filter ends where a column or value is missing.")
        self._next += 1
        if token.kind in _CONSTANTS:
            return _constant(token)
        if token.kind == "mark" or token.text in _WORDS:
            raise _wrong(
                f"A column or value is missing before “{token.text}” at character {token.place}."
            )
        if self._take("("):
            return self._deeper(lambda: self._call(token))
        if token.text.upper() in _TRUTH:
            return Term(BOOLEAN, token.text.upper())
        if token.text == "null":
            return Term(NULL, "NULL", is_nullable=True)
        return self._column(token)

    def _column(self, token: Token) -> Term:
        column = self._columns.get(token.text)
        if column is None:
            raise _wrong(
                f"There is no column “{token.text}” here. The columns are "
                f"{', '.join(self._columns)}."
            )
        return Term(_kind_of(column.type), f'"{column.name}"', (), column.is_nullable, column.name)

    def _call(self, token: Token) -> Term:
        function = FUNCTIONS.get(token.text)
        if function is None:
            raise _wrong(
                f"There is no function “{token.text}” here. There are {', '.join(FUNCTIONS)}."
            )
        arguments = [self._either()]
        while self._take(","):
            arguments.append(self._either())
        self._expect(")")
        kinds = [argument.kind for argument in arguments]
        if kinds != list(function.arguments):
            wanted = " and ".join(map(_named, function.arguments))
            raise _wrong(f"{token.text}() takes {wanted}.")
        return function.make(token.text, arguments)

    def _among(self, term: Term) -> Term:
        self._expect("(")
        values = [self._unary()]
        while self._take(","):
            values.append(self._unary())
        self._expect(")")
        for value in values:
            if value.name or value.kind != term.kind:
                raise _wrong(
                    f"The list after “{term.name or 'in'} in” takes {_named(term.kind)} only."
                )
        listed = ", ".join(value.sql for value in values)
        return _two_valued(f"{term.sql} IN ({listed})", (term, *values), "FALSE")

    def _boolean(self, term: Term) -> Term:
        if term.kind != BOOLEAN:
            what = f"“{term.name}”" if term.name else "A value"
            raise _wrong(f"{what} is no condition: compare it, as in “{term.name or '…'} eq …”.")
        return term


def _tokens(text: str) -> Iterable[Token]:
    place, text = 0, text.rstrip()
    while place < len(text):
        found = _TOKEN.match(text, place)
        if not found:
            raise _wrong(
                f"“{text[place : place + 20].strip()}” at character {place + 1} can't be read. "
                "Write texts as 'text', days as 2026-03-31, times as 2026-03-31T09:00:00Z."
            )
        kind = str(found.lastgroup)
        yield Token(kind, found[kind], found.start(kind) + 1)
        place = found.end()


#: How constants are read, by the kind of token.
_CONSTANTS: dict[str, tuple[str, Callable[[str], Any], Callable[[Any], Any]]] = {
    "text": (STRING, lambda text: text[1:-1].replace("''", "'"), types.STRING.to_sql),
    "key": (types.GUID.name, UUID, types.GUID.to_sql),
    "time": (types.TIME.name, types.TIME.parse, types.TIME.to_sql),
    "day": (types.DATE.name, date.fromisoformat, types.DATE.to_sql),
    "number": (NUMBER, Decimal, types.decimal(0).to_sql),
}


def _constant(token: Token) -> Term:
    kind, read, to_sql = _CONSTANTS[token.kind]
    try:
        value = read(token.text)
    except ValueError as error:
        raise _wrong(f"“{token.text}” at character {token.place} is no {token.kind}.") from error
    return Term(kind, "%s", (to_sql(value),))


def _kind_of(type_: Type) -> str:
    return NUMBER if type_.name in NUMBERS else type_.name


def _named(kind: str) -> str:
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
        wanted = "true or false, by eq and ne only" if kind == BOOLEAN else _named(kind)
        raise _wrong(f"{what} can be compared with {wanted}.")
    if left.kind == BOOLEAN:
        return _compare_conditions(operator, left, right)
    if operator not in ("eq", "ne"):
        sql = f"{in_order(left)} {OPERATORS[operator]} {in_order(right)}"
        return _two_valued(sql, (left, right), "FALSE")
    sql = f"{left.sql} {OPERATORS[operator]} {right.sql}"
    if left.is_nullable and right.is_nullable:
        are_null = f"({left.sql} IS NULL AND {right.sql} IS NULL)"
        instead = are_null if operator == "eq" else f"NOT {are_null}"
        return Term(BOOLEAN, f"COALESCE({sql}, {instead})", params + params)
    return _two_valued(sql, (left, right), "FALSE" if operator == "eq" else "TRUE")


def _compare_conditions(operator: str, left: Term, right: Term) -> Term:
    for one, other in ((left, right), (right, left)):
        if other.sql in _TRUTH:
            return one if (operator == "eq") is _TRUTH[other.sql] else negate(one)
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


def _two_valued(sql: str, terms: Iterable[Term], where_null: str) -> Term:
    terms = list(terms)
    if any(term.is_nullable for term in terms):
        sql = f"COALESCE({sql}, {where_null})"
    return Term(BOOLEAN, f"({sql})", _all_params(terms))


def _all_params(terms: Iterable[Term]) -> Values:
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
        params = _all_params(arguments[place] for place in order)
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
