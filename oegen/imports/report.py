"""The result of an import: counts per file, remarks, and files of rejected rows."""

import csv
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.utils import timezone

from oegen.core.formulas import escape_formula
from oegen.imports.reading import CSVFile, Row

_MAX_REMARKS = 20

#: How many reasons a command prints.
FEW = 10


def printable(text: str) -> str:
    """Without control characters from a file, which must not reach the terminal."""
    return "".join(char if char.isprintable() else "�" for char in text)


class SummaryError(Exception):
    """The counts of a file do not add up, because of a bug in the importer."""


@dataclass
class FileReport:
    name: str
    read: int = 0
    created: int = 0
    updated: int = 0
    unchanged: int = 0
    rejected: int = 0
    #: Rows without values, which are not counted as read.
    blank: int = 0

    def check(self) -> None:
        if self.read != self.created + self.updated + self.unchanged + self.rejected:
            raise SummaryError(f"{self.name}: {self} does not add up. Nothing was imported.")

    def __str__(self):
        blank = f"; {self.blank:,} blank" if self.blank else ""
        return (
            f"{self.read:,} read = {self.created:,} created + {self.updated:,} updated + "
            f"{self.unchanged:,} unchanged + {self.rejected:,} rejected{blank}"
        )


class Remarks:
    """Messages grouped by heading: the first few of each group, and the number of all."""

    def __init__(self):
        self.counts: Counter[str] = Counter()
        self._texts: dict[str, list[str]] = defaultdict(list)

    def add(self, heading: str, sentence: str) -> None:
        self.counts[heading] += 1
        if len(self._texts[heading]) < _MAX_REMARKS:
            self._texts[heading].append(printable(sentence))

    def lines(self) -> Iterator[str]:
        for heading, count in self.counts.items():
            yield f"{heading} ({count:,}):"
            yield from (f"  {sentence}" for sentence in self._texts[heading])
            if count > _MAX_REMARKS:
                yield f"  … and {count - _MAX_REMARKS:,} more."


class Rejects:
    """Writes rejected rows verbatim, after columns for file, line, column and reason: one CSV file
    per source file, created with the first rejected row. ``reasons`` are the first few, with file
    and line."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.paths: list[Path] = []
        self.reasons: list[str] = []
        self._stamp = f"{timezone.now():%Y%m%d-%H%M%S-%f}"
        self._open: dict[str, tuple] = {}

    def write(self, source: CSVFile, row: Row, column: str, reason: str) -> None:
        if source.name not in self._open:
            self.folder.mkdir(parents=True, exist_ok=True)
            path = self.folder / f"{self._stamp}-{source.name}"
            file = path.open("x", encoding="utf-8", newline="")
            writer = csv.writer(file)
            writer.writerow(["file", "line", "column", "reason", *source.header])
            self._open[source.name] = (file, writer)
            self.paths.append(path)
        if len(self.reasons) < FEW:
            self.reasons.append(printable(f"{row.file}, line {row.line}: {reason}"))
        _, writer = self._open[source.name]
        added = [row.file, row.line, escape_formula(column), escape_formula(reason)]
        writer.writerow([*added, *row.cells])

    def close(self) -> None:
        for file, _ in self._open.values():
            file.close()


def describe_error(error: ValidationError, columns: dict[str, str]) -> tuple[str, str]:
    """(column, reason) for a validation error. ``columns`` maps field names to columns."""
    if not hasattr(error, "error_dict"):
        return "", " ".join(error.messages)
    names, sentences = [], []
    for field, messages in error.message_dict.items():
        name = "" if field == NON_FIELD_ERRORS else columns.get(field, field)
        if name and name not in names:
            names.append(name)
        # The first message of several validators is the most specific.
        sentences.append(f"{name}: {messages[0]}" if name else " ".join(messages))
    return "; ".join(names), " ".join(sentences)
