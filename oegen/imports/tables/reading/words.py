"""Texts that stand for something else in a cell, and the same texts as text.

A real text that reads as one of them is exported with an apostrophe before it, and so is one that
begins with apostrophes and then reads so: one apostrophe is taken away again.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from oegen.imports.tables.reading.table import Flag

#: An empty cell leaves a field as it is; this empties it.
CLEAR = "(clear)"

#: How the text begins that stands for one that a cell can't hold.
_LEFT_OUT = "(left out: "

_WORD = re.compile(r"'*\s*\((?:clear|left out: [^\n]*)\)\s*", re.IGNORECASE)

_LINE_END = re.compile(r"\r\n?")


def left_out(reason: str) -> str:
    """The text of the cell instead of one that it can't hold."""
    return f"{_LEFT_OUT}{reason})"


def escape_word(value: str) -> str:
    return f"'{value}" if _WORD.fullmatch(value) else value


def escape_words(values: Sequence[Any]) -> Sequence[Any]:
    """``escape_word`` of each text among the values; most columns have none that needs it."""
    if not any(isinstance(value, str) and _WORD.fullmatch(value) for value in values):
        return values
    return [escape_word(value) if isinstance(value, str) else value for value in values]


def unescape_word(value: str) -> str:
    return value[1:] if value[:1] == "'" and _WORD.fullmatch(value) else value


def plain_text(value: str) -> str | None:
    """The text with line ends as "\\n"; None if there is nothing but white space."""
    if not value or value.isspace():
        return None
    return _LINE_END.sub("\n", value) if "\r" in value else value


def read_text(value: str, *, is_ours: bool) -> tuple[str | None, Flag | None]:
    """The text of a cell, or the flag of what stands for something else. Only our exports leave
    texts out."""
    text = plain_text(value)
    if text and text.lstrip()[0] == "(" and _WORD.fullmatch(text):
        if text.strip().casefold() == CLEAR:
            return None, Flag.CLEAR
        if is_ours:
            return None, Flag.LEFT_OUT
    return text, None
