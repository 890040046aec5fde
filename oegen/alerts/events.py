"""What alerts can be about, and how an application says that it happened.

Applications register their events with ``Event``, find them with ``detects`` and tell a message
about the records concerned with ``describes``: imports go one way only. What is found are
transitions, read from the history rows of a change set at its end: the last row of a record before
it against the last row in it. So no path of writing can forget them, and what goes there and back
in one go is nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db.models import OuterRef, Subquery

from oegen import audit
from oegen.audit.audited import AuditedModel

EVENTS: dict[str, Event] = {}


@dataclass(frozen=True)
class Event:
    """``unit`` is what a rule's threshold counts; an event without one takes no threshold.

    A size has to be more than the threshold; where the event ``is_reached``, to have been below
    it and to be so no more. ``usually_mailed`` is for people who have not chosen. An event that is
    ``always_noticed`` stands in the bells of the people it is about, whatever rules are in force
    and whatever they chose. Digests are events that need no rule.
    """

    code: str
    name: str
    detail: str = ""
    unit: str = ""
    is_reached: bool = False
    usually_mailed: bool = False
    needs_no_rule: bool = False
    always_noticed: bool = False

    def __post_init__(self):
        EVENTS[self.code] = self

    def passes(self, threshold: Decimal | None, occurrence: Occurrence) -> bool:
        if not self.unit:
            return True
        if threshold is None or occurrence.size is None:
            return False
        if self.is_reached:
            return (occurrence.size_before or 0) < threshold <= occurrence.size
        return occurrence.size > threshold


def event_choices() -> list[tuple[str, str]]:
    """The events that rules can be about."""
    return [(event.code, event.name) for event in EVENTS.values() if not event.needs_no_rule]


@dataclass(frozen=True)
class Occurrence:
    """That an event happened to a record; ``old`` and ``new`` are for people.

    ``row_key`` is the record that was written, where that is another than the one told of. With
    ``people`` only they get it by e-mail, by their keys. ``moment`` names when it came about, for
    what can happen to a record but once then, whichever change set or watcher finds it.
    ``anchor`` is the place on the record's page.
    """

    event: Event
    model: type[AuditedModel]
    key: UUID
    old: str = ""
    new: str = ""
    note: str = ""
    size: Decimal | None = None
    size_before: Decimal | None = None
    row_key: UUID | None = None
    people: frozenset[int] | None = None
    moment: str = ""
    anchor: str = ""


@dataclass(frozen=True)
class Subject:
    """What a message says of a record, and what rules can filter by; ``technologies`` are keys,
    those of the broader ones included."""

    name: str
    noun: str
    url: str
    technology: str = ""
    capacity: str = ""
    technologies: frozenset[UUID] = frozenset()
    counterparties: frozenset[UUID] = frozenset()
    countries: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Change:
    """A record's fields before and after a change set; None where it was not there.

    ``is_new``: it never was there before, which a record that is brought back was.
    """

    key: UUID
    before: dict[str, Any] | None
    after: dict[str, Any] | None
    is_new: bool


class Changes:
    """What one change set did, by model, read when it is first asked for."""

    def __init__(self, change_set):
        self.change_set = change_set
        self._written = {history.instance_type for history in change_set.written}
        self._read: dict[tuple, list[Change]] = {}

    def of(self, model: type[AuditedModel], *fields: str) -> list[Change]:
        if model not in self._written:
            return []
        if (model, fields) not in self._read:
            self._read[model, fields] = list(self._changes(model, fields))
        return self._read[model, fields]

    def _changes(self, model, fields) -> Iterator[Change]:
        history = audit.history_model(model).objects
        rows = history.filter(change_set=self.change_set.pk).order_by("history_id")
        columns = ("id", "history_type", "version", *fields)
        after: dict[UUID, dict] = {}
        was_there = False
        for row in rows.values(*columns):
            was_there |= row["version"] > 1 or row["history_type"] != audit.CREATED
            after[row["id"]] = row
        before = {}
        if was_there:
            earlier = history.filter(id=OuterRef("id")).exclude(change_set=self.change_set.pk)
            newest = earlier.order_by("-history_date", "-history_id").values("history_id")[:1]
            keys = rows.order_by().annotate(previous=Subquery(newest)).values("previous")
            before = {row["id"]: row for row in history.filter(pk__in=keys).values(*columns)}
        for key, row in after.items():
            yield Change(key, _there(before.get(key)), _there(row), key not in before)


def _there(row: dict | None) -> dict | None:
    return row if row and row["history_type"] != audit.REMOVED else None


@dataclass(frozen=True)
class Detector:
    models: frozenset[type[AuditedModel]]
    codes: frozenset[str]
    find: Callable[[Changes], Iterable[Occurrence]] = field(compare=False)


_detectors: list[Detector] = []
_describers: dict[type[AuditedModel], Callable[[list[UUID]], dict[UUID, Subject]]] = {}
#: Find what time alone has brought about, for a day.
_timed: list[Callable[[Any], Iterable[Occurrence]]] = []


def detects(*events: Event, models: Iterable[type[AuditedModel]]):
    """Register a function of Changes that finds occurrences of the events; it is asked when a
    change set has rows of one of the models, and a rule of one of the events is in force."""

    def register(find):
        codes = frozenset(event.code for event in events)
        _detectors.append(Detector(frozenset(models), codes, find))
        return find

    return register


def comes_with_time(find: Callable[[Any], Iterable[Occurrence]]):
    """Register a function of a day that finds what has come about by its beginning without
    anybody's doing. It may find the same again: each occurrence has its ``moment``."""
    _timed.append(find)
    return find


def describes(model: type[AuditedModel]):
    """Register the function of keys that gives the Subject of each record of the model."""

    def register(describe):
        _describers[model] = describe
        return describe

    return register


def detectors_of(change_set) -> list[Detector]:
    """Those with a model that the change set has rows of."""
    written = {history.instance_type for history in change_set.written}
    return [detector for detector in _detectors if detector.models & written]


def occurrences_by(day) -> list[Occurrence]:
    return [occurrence for find in _timed for occurrence in find(day)]


def subjects_of(
    occurrences: Iterable[Occurrence],
) -> dict[tuple[type[AuditedModel], UUID], Subject]:
    keys: dict[type[AuditedModel], dict[UUID, None]] = {}
    for occurrence in occurrences:
        keys.setdefault(occurrence.model, {})[occurrence.key] = None
    found: dict[tuple[type[AuditedModel], UUID], Subject] = {}
    for model, by_key in keys.items():
        wanted = list(by_key)
        for start in range(0, len(wanted), audit.BATCH_SIZE):
            batch = wanted[start : start + audit.BATCH_SIZE]
            describe = _describers.get(model)
            subjects = describe(batch) if describe else _plainly(model, batch)
            found |= {(model, key): subject for key, subject in subjects.items()}
    return found


def _plainly(model: type[AuditedModel], keys: list[UUID]) -> dict[UUID, Subject]:
    noun = str(model._meta.verbose_name)
    return {
        key: Subject(str(record), noun, record.get_absolute_url())
        for key, record in model._base_manager.in_bulk(keys).items()
    }
