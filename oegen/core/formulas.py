"""Keep spreadsheets from running a text of a CSV file as a formula.

A spreadsheet runs a cell that begins with one of FORMULA_STARTS, the full-width forms among them
in some languages. Where its separator is the semicolon, as in most of Europe, it also splits the
cells of a comma-separated file at each semicolon. The apostrophe put in front is hidden or shown,
and what follows it is never run.
"""

import re
from typing import TypeVar

T = TypeVar("T")

FORMULA_STARTS = "=+-@\t\r\n＝＋－＠"

#: The start of a text, or of what a spreadsheet with semicolons takes for the next cell.
_FORMULA = re.compile(rf"(^|;)(?=[{re.escape(FORMULA_STARTS)}])")


def escape_formula(value: T) -> T | str:
    """The value as it goes into a CSV cell; only texts are changed."""
    return _FORMULA.sub(r"\1'", value) if isinstance(value, str) else value
