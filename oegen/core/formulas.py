"""Protection against CSV formula injection.

A spreadsheet evaluates a cell that begins with one of FORMULA_STARTS, in some languages also with
their full-width forms. Where the list separator is the semicolon, as in most of Europe, it also
splits the cells of a comma-separated file at each semicolon. A leading apostrophe prevents the
evaluation; some programs display it, others hide it. A text that begins with an apostrophe itself
gets another one, so that every text can be had back.
"""

import re
from collections.abc import Sequence
from typing import Any, TypeVar

T = TypeVar("T")

FORMULA_STARTS = "=+-@\t\r\n＝＋－＠"

_ESCAPED_STARTS = re.escape(FORMULA_STARTS + "'")

#: At the start of a text, or after a semicolon, where a spreadsheet may start the next cell.
_FORMULA = re.compile(rf"(^|;)(?=[{_ESCAPED_STARTS}])")
_ESCAPED = re.compile(r"(^|;)'")


def escape_formula(value: T) -> T | str:
    """The value for a CSV cell; values other than strings are returned unchanged."""
    return _FORMULA.sub(r"\1'", value) if isinstance(value, str) else value


def unescape_formula(value: str) -> str:
    """The text that ``escape_formula`` made this of."""
    return _ESCAPED.sub(r"\1", value) if "'" in value else value


#: ``_FORMULA`` in any of several texts that are joined by null characters.
_ANY_FORMULA = re.compile(rf"(^|[;\0])[{_ESCAPED_STARTS}]")


def escape_formulas(values: Sequence[Any]) -> Sequence[Any]:
    """``escape_formula`` of each value; most columns have no text that needs it."""
    texts = "\0".join([value for value in values if isinstance(value, str)])
    return [*map(escape_formula, values)] if _ANY_FORMULA.search(texts) else values
