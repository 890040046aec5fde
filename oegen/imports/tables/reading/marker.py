"""The marker that our exports carry, so that an import knows what the file was made from.

It is one line of text, such as “Version of pipelines at change set 1234: status=open”. In CSV it
is the heading of the column of versions: spreadsheets keep headings when they sort, filter and save
a file, while a comment above the header would be sorted among the rows. In XLSX it is a row of the
first sheet and a custom property of the document; both survive LibreOffice.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from urllib.parse import parse_qs, urlencode

#: The heading of the columns of the id and of the version. In CSV more follows the second.
ID_HEADING = "ID"
VERSION_HEADING = "Version"

#: The label of the marker's row on the first sheet, and the name of the custom property. Excel
#: keeps 255 characters of a property: the rest is in others, numbered from 2.
LABEL = "OEGen export"
PROPERTY_LENGTH = 255

#: The view and the columns, among the parameters of filters.
_VIEW, _COLUMNS = "view", "columns"

_MARKER = re.compile(
    rf"{VERSION_HEADING} of (?P<kind>[a-z_-]+)"
    r"(?: on (?P<day>[0-9]{4}-[0-9]{2}-[0-9]{2}))?"
    r" at change set (?P<change_set>[0-9]{1,18})(?:: (?P<query>\S*))?"
)


@dataclass(frozen=True)
class Marker:
    """``kind`` is the list's name, such as "pipelines". ``filters`` are the values by parameter, as
    in the list's address; ``view`` is the name of the saved view, if it was one. ``day`` is the
    past day whose end the file shows, None for the present. ``change_set`` is the number of the
    last change set that the file may hold; ``columns`` are the names of the table's columns."""

    kind: str
    change_set: int
    columns: tuple[str, ...] = ()
    filters: tuple[tuple[str, str], ...] = ()
    view: str = ""
    day: date | None = None

    def __str__(self) -> str:
        named = [*self.filters, (_COLUMNS, ",".join(self.columns)), (_VIEW, self.view)]
        query = urlencode([(name, value) for name, value in named if value], safe=",")
        day = f" on {self.day:%Y-%m-%d}" if self.day else ""
        start = f"{VERSION_HEADING} of {self.kind}{day} at change set {self.change_set}"
        return f"{start}: {query}" if query else start

    def properties(self) -> dict[str, str]:
        """The custom properties of an XLSX file."""
        text = str(self)
        pieces = range(0, len(text), PROPERTY_LENGTH)
        return {
            f"{LABEL} {number}" if number > 1 else LABEL: text[start : start + PROPERTY_LENGTH]
            for number, start in enumerate(pieces, start=1)
        }

    @classmethod
    def from_properties(cls, properties: dict[str, str]) -> Marker | None:
        text, number = properties.get(LABEL, ""), 2
        while piece := properties.get(f"{LABEL} {number}"):
            text += piece
            number += 1
        return cls.parse(text)

    @classmethod
    def parse(cls, text: str) -> Marker | None:
        """The marker that ``str`` wrote; None for any other text."""
        found = _MARKER.fullmatch(text.strip())
        if found is None:
            return None
        try:
            day = date.fromisoformat(found["day"]) if found["day"] else None
        except ValueError:
            return None
        named = parse_qs(found["query"] or "", keep_blank_values=True)
        [columns] = named.pop(_COLUMNS, [""])[-1:]
        [view] = named.pop(_VIEW, [""])[-1:]
        filters = tuple((name, value) for name, values in named.items() for value in values)
        return cls(
            kind=found["kind"],
            change_set=int(found["change_set"]),
            columns=tuple(filter(None, columns.split(","))),
            filters=filters,
            view=view,
            day=day,
        )

    @classmethod
    def first(cls, texts: Iterable[str]) -> Marker | None:
        return next(filter(None, map(cls.parse, texts)), None)
