"""What a question was read as."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

METRIC, RECORDS, EXPLAIN = "metric", "records", "explain"
ATTENTION, FIND, RECORD = "attention", "find", "record"
SCREEN, DEFINE = "screen", "define"
REGISTERS = "registers"

#: Not lookups: nothing is looked up.
REFUSED, ASKS = "refused", "asks"


@dataclass(frozen=True)
class Choice:
    """A record that may have been meant."""

    kind: str
    pk: str
    name: str


@dataclass(frozen=True)
class Reading:
    """``lookup`` is one of the lookups, REFUSED or ASKS.

    ``filters`` is a query string of the page's own parameters, in alphabetical order. ``metric``
    may point at a measure of the figure after a colon. Days are in ISO form; empty ones are those
    of the page. ``kind`` and ``name`` are of a record, ``pk`` its key; of a metric, ``name`` is the
    code of one row, as of the stage in ``stages:median_days``. ``term`` is what is asked of the
    record, or the word to define. ``start`` and ``end`` are ``from`` and ``to``.

    ``unread`` are the words that stopped a question that is REFUSED; ``choices`` are the records
    between which ASKS asks, and ``why`` says in a sentence what could be asked instead.
    """

    lookup: str
    metric: str = ""
    filters: str = ""
    group_by: str = ""
    as_of: str = ""
    compare: str = ""
    kind: str = ""
    order: str = ""
    limit: str = ""
    name: str = ""
    term: str = ""
    start: str = ""
    end: str = ""
    pk: str = ""
    unread: tuple[str, ...] = ()
    choices: tuple[Choice, ...] = ()
    why: str = ""
    #: Words that were read as others: (as typed, as read).
    corrected: tuple[tuple[str, str], ...] = field(default=())

    @property
    def is_read(self) -> bool:
        return self.lookup not in (REFUSED, ASKS)

    def with_(self, **values: Any) -> Reading:
        return replace(self, **values)

    def as_json(self) -> dict[str, str]:
        """The keys that every reading has, and those others that are not empty."""
        always = {
            "lookup": self.lookup,
            "metric": self.metric,
            "filters": self.filters,
            "group_by": self.group_by,
            "as_of": self.as_of,
            "compare": self.compare,
        }
        others = {
            "kind": self.kind,
            "order": self.order,
            "limit": self.limit,
            "name": self.name,
            "term": self.term,
            "from": self.start,
            "to": self.end,
        }
        return always | {name: value for name, value in others.items() if value}


def refuse(*unread: str, why: str = "") -> Reading:
    return Reading(REFUSED, unread=tuple(unread), why=why)
