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
from datetime import date
from decimal import Decimal
from typing import Any, NamedTuple
from uuid import UUID

from oegen.api.odata import types
from oegen.api.odata.sets import Column
from oegen.api.odata.terms import (
    BOOLEAN,
    FUNCTIONS,
    NULL,
    NUMBER,
    OPERATORS,
    STRING,
    TRUTH,
    Term,
    all_params,
    compare,
    filter_error,
    kind_name,
    negate,
    two_valued,
)
from oegen.api.odata.types import NUMBERS, Type
from oegen.core.sql import Values

MAX_LENGTH = 4_000
MAX_LEVELS = 50

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


def parse_filter(text: str, columns: Mapping[str, Column]) -> tuple[str, Values]:
    """The condition as SQL with its parameters, over columns quoted by their names.

    Raises ODataError, which says where the filter is wrong.
    """
    if len(text) > MAX_LENGTH:
        raise filter_error(
            f"The filter has {len(text):,} characters; {MAX_LENGTH:,} are the most. Filter by less "
            "here, and the rest where you read."
        )
    if "\0" in text:
        raise filter_error("A filter can't hold the character NUL.")
    found = _Parser(text, columns).parse()
    return found.sql, found.params


class _Parser:
    def __init__(self, text: str, columns: Mapping[str, Column]) -> None:
        self._columns = columns
        self._tokens = list(_tokens(text))
        self._next = 0
        self._levels = 0

    def parse(self) -> Term:
        found = self._boolean(self._either())
        if token := self._peek():
            raise filter_error(
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
            raise filter_error(f"“{mark}” is missing {where}.")

    def _deeper(self, read: Callable[[], Term]) -> Term:
        self._levels += 1
        if self._levels > MAX_LEVELS:
            raise filter_error(
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
        return Term(BOOLEAN, f"({sql})", all_params(parts), depth=parts[0].depth + 1)

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
            raise filter_error("The filter ends where a column or value is missing.")
        self._next += 1
        if token.kind in _CONSTANTS:
            return _constant(token)
        if token.kind == "mark" or token.text in _WORDS:
            raise filter_error(
                f"A column or value is missing before “{token.text}” at character {token.place}."
            )
        if self._take("("):
            return self._deeper(lambda: self._call(token))
        if token.text.upper() in TRUTH:
            return Term(BOOLEAN, token.text.upper())
        if token.text == "null":
            return Term(NULL, "NULL", is_nullable=True)
        return self._column(token)

    def _column(self, token: Token) -> Term:
        column = self._columns.get(token.text)
        if column is None:
            raise filter_error(
                f"There is no column “{token.text}” here. The columns are "
                f"{', '.join(self._columns)}."
            )
        return Term(_kind_of(column.type), f'"{column.name}"', (), column.is_nullable, column.name)

    def _call(self, token: Token) -> Term:
        function = FUNCTIONS.get(token.text)
        if function is None:
            raise filter_error(
                f"There is no function “{token.text}” here. There are {', '.join(FUNCTIONS)}."
            )
        arguments = [self._either()]
        while self._take(","):
            arguments.append(self._either())
        self._expect(")")
        kinds = [argument.kind for argument in arguments]
        if kinds != list(function.arguments):
            wanted = " and ".join(map(kind_name, function.arguments))
            raise filter_error(f"{token.text}() takes {wanted}.")
        return function.make(token.text, arguments)

    def _among(self, term: Term) -> Term:
        self._expect("(")
        values = [self._unary()]
        while self._take(","):
            values.append(self._unary())
        self._expect(")")
        for value in values:
            if value.name or value.kind != term.kind:
                raise filter_error(
                    f"The list after “{term.name or 'in'} in” takes {kind_name(term.kind)} only."
                )
        listed = ", ".join(value.sql for value in values)
        return two_valued(f"{term.sql} IN ({listed})", (term, *values), "FALSE")

    def _boolean(self, term: Term) -> Term:
        if term.kind != BOOLEAN:
            what = f"“{term.name}”" if term.name else "A value"
            raise filter_error(
                f"{what} is no condition: compare it, as in “{term.name or '…'} eq …”."
            )
        return term


def _tokens(text: str) -> Iterable[Token]:
    place, text = 0, text.rstrip()
    while place < len(text):
        found = _TOKEN.match(text, place)
        if not found:
            raise filter_error(
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
    except (ValueError, OverflowError) as error:
        raise filter_error(
            f"“{token.text}” at character {token.place} is no {token.kind}."
        ) from error
    return Term(kind, "%s", (to_sql(value),))


def _kind_of(type_: Type) -> str:
    return NUMBER if type_.name in NUMBERS else type_.name
