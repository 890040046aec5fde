"""The texts of a file that a field with a vocabulary does not know."""

from __future__ import annotations

from dataclasses import dataclass

from django.core.exceptions import ValidationError

from oegen.imports.tables.kinds import ImportField
from oegen.imports.tables.lookups import Lookups
from oegen.imports.tables.mapping import MatchedColumns
from oegen.imports.tables.reading import Table
from oegen.imports.tables.readings import text_of
from oegen.imports.tables.values import Reads, Several


@dataclass(frozen=True)
class UnknownValue:
    """A text of a column that the field does not know, to be mapped to one that it does."""

    field: ImportField
    heading: str
    text: str
    message: str


def unknown_values(table: Table, matched: MatchedColumns, lookups: Lookups) -> list[UnknownValue]:
    """The texts that are not in the vocabularies of their fields, nor mapped."""
    found = []
    samples = table.samples()
    for column in matched.columns:
        if column.place is None or vocabulary_of(column.field.reads) is None:
            continue
        for value in samples[column.place]:
            text = text_of(value)
            if text in column.values:
                continue
            try:
                column.field.reads.read(value, column.reading, lookups)
            except ValidationError as error:
                found.append(
                    UnknownValue(column.field, column.heading, text, " ".join(error.messages))
                )
    return found


def vocabulary_of(reads: Reads) -> Reads | None:
    """What reads one value of a vocabulary; None if the field has none."""
    one = reads.one if isinstance(reads, Several) else reads
    return one if one.has_vocabulary else None
