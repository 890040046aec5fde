"""What the adapters of tables share: rows by heading, and values of texts as registers write them.

A value that can't be read is left empty and becomes a remark of the row; nothing here is fatal.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

from oegen.imports.tables.formats import to_degrees
from oegen.imports.tables.mapping import heading_key
from oegen.imports.tables.reading import SourceRow, Table, UnreadableFileError, open_table
from oegen.imports.tables.reading.opening import TEXT_ENDINGS
from oegen.imports.tables.reading.text import find_encoding, marked_encoding
from oegen.imports.tables.readings import POINT, YMD, parse_day, parse_number, text_of
from pipelines.registers.adapters.base import squeeze

#: What registers write for “nothing”.
NOTHING = frozenset({"", "na", "n/a", "none", "unknown", "tbc", "-"})

#: A unit or a format at the end of a heading, which editions add and drop.
_HEADING_NOTE = re.compile(r"\s*\((?:mw\w*|dd/mm/yyyy)\)\s*$", re.IGNORECASE)

_SERIAL = re.compile(r"[2-6]\d{4}(\.0+)?")
_SERIAL_START = date(1899, 12, 30)
_PLAIN_NUMBER = re.compile(r"-?\d+\.\d*0+|-?\d+\.")

#: Days outside of these are misprints, such as the first of January 1900.
_FIRST_YEAR, _LAST_YEAR = 1901, 2100

_STRAY_RETURN = re.compile(rb"\r(?!\n)")

#: What stands for a letter that could not be read.
_LOST = "\ufffd"

_NOT_IN_NUMBERS = re.compile(r"[^\d.,+\-−]")


@dataclass(slots=True)
class Source:
    """A row: texts by the heading that the adapter knows, squeezed, without those that are empty.
    ``lines`` are the texts as they are."""

    row: int
    texts: dict[str, str]
    lines: dict[str, str]
    error: str = ""
    remarks: list[str] = field(default_factory=list)

    def get(self, heading: str) -> str:
        return self.texts.get(heading, "")

    def known(self, heading: str) -> str:
        """The text, empty for “NA”, “Unknown” and the like."""
        text = self.get(heading)
        return "" if text.casefold() in NOTHING else text

    def remark(self, sentence: str) -> None:
        if sentence not in self.remarks:
            self.remarks.append(sentence)

    def number(self, heading: str, decimal: str = POINT) -> Decimal | None:
        text = self.known(heading)
        if not text:
            return None
        try:
            return parse_number(text, decimal)
        except ValueError:
            self.remark(f"“{text}” in {heading} is no number.")
            return None

    def day(
        self, heading: str, order: str = YMD, words: frozenset[str] = frozenset()
    ) -> date | None:
        """The day in a column; also a serial number of Excel. ``words`` are texts in small letters
        that may stand there instead of a day."""
        text = self.known(heading)
        if not text or text.casefold() in words:
            return None
        try:
            found = (
                _SERIAL_START + timedelta(days=int(float(text)))
                if _SERIAL.fullmatch(text)
                else parse_day(text, order)
            )
        except ValueError:
            self.remark(f"“{text}” in {heading} is no day.")
            return None
        if not _FIRST_YEAR <= found.year <= _LAST_YEAR:
            self.remark(f"“{text}” in {heading} can't be meant.")
            return None
        return found

    def as_text(self, left_out: frozenset[str] = frozenset()) -> str:
        """The row for the list of rejected ones."""
        return "; ".join(f"{heading}: {text}" for heading, text in self.kept(left_out).items())

    def kept(self, left_out: frozenset[str]) -> dict[str, str]:
        """The texts as they are kept, in the order of their headings: “40.00” is “40”, since
        editions differ in that."""
        return {
            heading: _plain(text)
            for heading, text in sorted(self.texts.items())
            if heading not in left_out
        }


def read_rows(path: Path, headings: Sequence[str], required: Sequence[str]) -> Iterator[Source]:
    """The rows of a table. Headings that differ from a known one by case, punctuation, white space
    or a unit alone are that one. Raises UnreadableFileError if a required column is missing."""
    with _table_of(path) as table:
        known = {_key(heading): heading for heading in headings}
        names = [known.get(_key(head.name), head.name) for head in table.columns]
        missing = [heading for heading in required if heading not in names]
        if missing:
            raise UnreadableFileError(
                f"{path.name}: the table has no column “{missing[0]}”, so it is no edition of this "
                "register. Give the file as the publisher offers it."
            )
        for source in table.rows():
            yield _source(source, names)


def _source(row: SourceRow, names: Sequence[str]) -> Source:
    if row.error:
        return Source(row.number, {}, {}, error=row.error)
    lines: dict[str, str] = {}
    for name, value in zip(names, row.cells, strict=False):
        if value is not None and name and name not in lines:
            lines[name] = text_of(value)
    source = Source(row.number, {}, lines)
    for name, line in lines.items():
        if text := squeeze(line):
            source.texts[name] = text
        if _LOST in text:
            source.remark(f"A letter of {name} was lost when the file was made.")
    return source


@contextmanager
def _table_of(path: Path) -> Iterator[Table]:
    """The table of the file. Bytes that are no letters of its encoding are read as lost ones, and
    carriage returns inside lines, which some programs save without quotes, as white space."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / path.name
        if _has_stray_returns(path):
            copy.write_bytes(_STRAY_RETURN.sub(b" ", path.read_bytes()))
            path = copy
        try:
            table = open_table(path, path.name)
        except UnreadableFileError as error:
            if not isinstance(error.__cause__, UnicodeDecodeError):
                raise
            encoding = find_encoding(path, path.name)
            text = path.read_bytes().decode(encoding, errors="replace")
            copy.write_text(text, encoding="utf-8", newline="")
            table = open_table(copy, path.name)
        yield table


def _has_stray_returns(path: Path) -> bool:
    """Whether a text of one byte a letter has lines that end otherwise, and returns inside them."""
    if path.suffix.lower() not in TEXT_ENDINGS or marked_encoding(path) == "utf-16":
        return False
    content = path.read_bytes()
    return 0 < len(_STRAY_RETURN.findall(content)) < content.count(b"\n")


def _key(heading: str) -> str:
    return heading_key(_HEADING_NOTE.sub("", heading))


def _plain(text: str) -> str:
    return text.rstrip("0").rstrip(".") if _PLAIN_NUMBER.fullmatch(text) else text


def clean_number(text: str) -> Decimal | None:
    """The number in a text of digits and stray signs, such as tabs and lost letters; None if there
    is none."""
    bare = _NOT_IN_NUMBERS.sub("", text)
    try:
        return parse_number(bare, POINT) if bare else None
    except ValueError:
        return None


def grid_point(x: Decimal, y: Decimal, system: str) -> tuple[Decimal, Decimal] | None:
    """Longitude and latitude of a point of a national grid; None where it does not reach."""
    return None if x == y == 0 else to_degrees(x, y, system)
