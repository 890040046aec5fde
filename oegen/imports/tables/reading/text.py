"""Files of text: how they are encoded, their lines, and the records of CSV in these."""

from __future__ import annotations

import codecs
import csv
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from itertools import chain, islice
from operator import itemgetter
from pathlib import Path

from oegen.imports.tables.reading.errors import UnreadableFileError

#: The longest line: a longer one has an unclosed quote or is not CSV.
LINE_LIMIT = 1_000_000
CELL_LIMIT = 500_000

#: Bytes read at a time.
CHUNK = 1 << 16

DELIMITERS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}

#: The encodings by the names that people know.
ENCODINGS = {
    "utf-8-sig": "UTF-8",
    "utf-16": "UTF-16",
    "utf-16-le": "UTF-16",
    "utf-16-be": "UTF-16",
    "cp1252": "Windows-1252",
}

#: Line endings: CRLF, LF, or CR. A "\r" at the end of a chunk may be the first half of CRLF.
_LINE_END = re.compile(r"\r\n|\n|\r(?!\Z)")

#: Excel's optional first line, which names the separator.
_SEPARATOR_LINE = re.compile(r'"?sep=([^"\r\n])"?\s*', re.IGNORECASE)

#: The lines from which the separator is found.
_SAMPLE_LINES = 200


def marked_encoding(path: Path) -> str:
    """UTF-16 if the file begins with its byte order mark, else UTF-8."""
    with path.open("rb") as file:
        marks = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
        return "utf-16" if file.read(2) in marks else "utf-8-sig"


def find_encoding(path: Path, name: str) -> str:
    """The encoding of the file: UTF-16, with or without a byte order mark, UTF-8, or else
    Windows-1252. Raises UnreadableFileError if it is no text."""
    encoding = marked_encoding(path)
    if encoding == "utf-16":
        return encoding
    with path.open("rb") as file:
        start = file.read(CHUNK)
        if b"\0" in start:
            return _unmarked_utf_16(start, name)
        # A byte that is not UTF-8 becomes a surrogate.
        decoder = codecs.getincrementaldecoder("utf-8")("surrogateescape")
        count: Counter[bool] = Counter()
        while start:
            text = decoder.decode(start)
            if not text.isascii():
                count.update("\udc80" <= char <= "\udcff" for char in text if char > "\x7f")
            start = file.read(CHUNK)
        count.update(map(bool, decoder.decode(b"", final=True)))
    # A file of UTF-8 with few wrong bytes is damaged: ``lines`` says where.
    return "cp1252" if count[True] > count[False] else "utf-8-sig"


def _unmarked_utf_16(start: bytes, name: str) -> str:
    """Text of few letters beyond Latin has a null byte in nearly every pair."""
    pairs = len(start) // 2
    for encoding, nulls, letters in (
        ("utf-16-le", start[1::2], start[::2]),
        ("utf-16-be", start[::2], start[1::2]),
    ):
        if nulls.count(0) > pairs // 2 and letters.count(0) == 0:
            return encoding
    line = start[: start.index(b"\0")].count(b"\n") + 1
    raise UnreadableFileError(
        f"{name}, line {line}: the file holds null bytes, so it is no text. Save the table as "
        "“CSV UTF-8” or as an Excel workbook (.xlsx), with the ending that belongs to it."
    )


def lines(
    path: Path, name: str, encoding: str, on_bytes: Callable[[int], object] = lambda count: None
) -> Iterator[str]:
    """The lines, including line endings. Decoded here, so that errors name line and column."""
    decoder = codecs.getincrementaldecoder(encoding)()
    number, rest, is_end = 0, "", False
    with path.open("rb") as file:
        while not is_end:
            data = file.read(CHUNK)
            is_end = not data
            on_bytes(len(data))
            try:
                text = rest + decoder.decode(data, final=is_end)
            except UnicodeDecodeError as error:
                read = error.object[: error.start].decode(
                    encoding if error.encoding == "charmap" else error.encoding
                )
                raise _decoding_error(name, encoding, error, number, rest + read) from error
            start = 0
            for found in _LINE_END.finditer(text):
                number += 1
                yield _checked_line(name, number, text[start : found.end()])
                start = found.end()
            rest = _checked_line(name, number + 1, text[start:])
    if rest:
        yield rest


def _checked_line(name: str, number: int, line: str) -> str:
    if len(line) >= LINE_LIMIT:
        raise UnreadableFileError(
            f"{name}, line {number}, column 1: the line is longer than {LINE_LIMIT:,} bytes. Each "
            "row should end with a line break."
        )
    return line


def _decoding_error(
    name: str, encoding: str, error: UnicodeDecodeError, number: int, before: str
) -> UnreadableFileError:
    """``number`` lines were read; ``before`` is the text between them and the error."""
    read = re.split(r"\r\n|\r|\n", before)
    return UnreadableFileError(
        f"{name}, line {number + len(read)}, column {len(read[-1]) + 1}: the byte "
        f"0x{error.object[error.start]:02x} is not {ENCODINGS[encoding]}. Save the file as “CSV "
        "UTF-8”."
    )


def split_separator_line(found: Iterator[str]) -> tuple[str, Iterator[str], int]:
    """The separator that the first line names, if it does; the lines without that one, and the
    number of lines that this is."""
    first = next(found, "")
    separator = _SEPARATOR_LINE.fullmatch(first)
    if separator:
        return separator[1], found, 1
    return "", chain([first], found), 0


def find_delimiter(found: Iterable[str]) -> str:
    """The delimiter by which most of the first records have the same number of cells; of several
    such, the one with the most cells."""
    sample = list(islice(found, _SAMPLE_LINES))
    best = (0, 0, ",")
    for delimiter in DELIMITERS:
        counts: Counter[int] = Counter()
        try:
            for cells in csv.reader(sample, delimiter=delimiter, strict=True):
                counts[len(cells)] += any(cells)
        except csv.Error as error:
            # The sample may end within quotes; anywhere else it is another delimiter.
            if "end of data" not in str(error):
                continue
        usual = [(count, cells) for cells, count in counts.items() if cells > 1]
        best = max([best, *((*one, delimiter) for one in usual)], key=itemgetter(0, 1))
    return best[2]


def records(
    found: Iterable[str], name: str, delimiter: str, lines_before: int = 0
) -> Iterator[tuple[int, list[str]]]:
    """The number of the first line and the cells of every record; empty lines are skipped."""
    csv.field_size_limit(CELL_LIMIT)
    reader = csv.reader(found, delimiter=delimiter, strict=True)
    start = lines_before + 1
    try:
        for cells in reader:
            if cells:
                yield start, cells
            start = lines_before + reader.line_num + 1
    except csv.Error as error:
        raise UnreadableFileError(
            f"{name}, line {start}, column 1: from here on the file can't be split into cells "
            f"({error}). Look for a quote that is opened and never closed, or not doubled inside a "
            "quoted cell."
        ) from error
