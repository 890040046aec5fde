"""The registry of alert events and of the functions that detect them.

Applications register their events with ``Event``, detectors with ``detects`` and descriptions of
records with ``describes``, so that imports go one way only. Detectors compare each record before
and after a change set, by its history rows: this covers every way of writing, and a change that is
reverted within the change set produces no event.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any
from uuid import UUID

from oegen import audit
from oegen.audit.audited import AuditedModel
from oegen.audit.changes import Changes

EVENTS: dict[str, Event] = {}

#: Sources whose change sets send no alerts.
SILENT_SOURCES = frozenset({audit.Source.MIGRATION, audit.Source.SAMPLE})


@dataclass(frozen=True)
class Event:
    """A kind of event that alert rules can be about.

    ``unit`` is the unit of a rule's threshold; an event without a unit takes no threshold. The size
    of an occurrence must exceed the threshold or, if the event ``is_reached``, have crossed it.
    ``mailed_by_default`` is the default for users without a preference. An event that is
    ``always_notifies`` creates notices for the people concerned regardless of rules and
    preferences. Digests are events with ``is_digest``, and with
    ``has_brief`` if they may have a written brief. ``kinds``, as (code, label), are what the
    event can consist of; a rule may be about some of them only (see ``stands``). ``list_url``
    returns the URL of the list of the records that the event is about.
    """

    code: str
    name: str
    detail: str = ""
    unit: str = ""
    is_reached: bool = False
    mailed_by_default: bool = False
    is_digest: bool = False
    has_brief: bool = False
    always_notifies: bool = False
    kinds: tuple[tuple[str, str], ...] = ()
    list_url: Callable[[], str] | None = None

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


def kind_choices() -> list[tuple[str, str]]:
    """The kinds of all events, as choices."""
    return [kind for event in EVENTS.values() for kind in event.kinds]


def event_choices() -> list[tuple[str, str]]:
    """The events that alert rules can be about, as choices."""
    return [(event.code, event.name) for event in EVENTS.values() if not event.is_digest]


@dataclass(frozen=True)
class Occurrence:
    """An event that happened to a record; ``old`` and ``new`` are formatted values.

    ``row_key`` is the key of the written record, if that is not the record that the alert is about.
    ``people`` restricts e-mail and notices to users with these keys, ``rules`` the rules by which
    it is sent. ``moment`` identifies the occurrence independently of the change set, so that it is
    reported once. ``anchor`` is the fragment of the link to the record's page. ``facts`` are about
    the record, as (label, value).
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
    rules: frozenset[UUID] | None = None
    facts: tuple[tuple[str, str], ...] = ()
    moment: str = ""
    anchor: str = ""


@dataclass(frozen=True)
class Subject:
    """The data about a record for messages and for the filters of rules; ``technologies`` are keys,
    including those of parent technologies."""

    name: str
    noun: str
    url: str
    technology: str = ""
    capacity: str = ""
    technologies: frozenset[UUID] = frozenset()
    counterparties: frozenset[UUID] = frozenset()
    countries: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Detector:
    models: frozenset[type[AuditedModel]]
    codes: frozenset[str]
    find: Callable[[Changes], Iterable[Occurrence]] = field(compare=False)


#: The codes of the kinds of an event that hold of each record, by its key.
Held = dict[UUID, frozenset[str]]


@dataclass(frozen=True)
class Standing:
    """What may begin to hold of records: ``held`` returns what does at the effective time, for the
    argument False also what the record itself has and other records keep from counting: it does not
    begin when they change. ``facts`` returns what a message says about some of the records."""

    event: Event
    model: type[AuditedModel]
    held: Callable[[bool], Held] = field(compare=False)
    facts: Callable[[list[UUID]], dict[UUID, tuple[tuple[str, str], ...]]] = field(compare=False)


_detectors: list[Detector] = []
_describers: dict[type[AuditedModel], Callable[[list[UUID]], dict[UUID, Subject]]] = {}
_standings: list[Standing] = []
#: Detectors of events that the date alone causes.
_timed: list[Callable[[Any], Iterable[Occurrence]]] = []


def detects(*events: Event, models: Iterable[type[AuditedModel]]):
    """Register a function of Changes that finds occurrences of the events. It is called if a change
    set has rows of one of the models and a rule about one of the events is active."""

    def register(find):
        codes = frozenset(event.code for event in events)
        _detectors.append(Detector(frozenset(models), codes, find))
        return find

    return register


def time_based(find: Callable[[Any], Iterable[Occurrence]]):
    """Register a function of a day that finds the events which the date alone has caused by then.

    It may return an occurrence again, because each has its ``moment``.
    """
    _timed.append(find)
    return find


def stands(event: Event, model: type[AuditedModel], facts):
    """Register a function that returns what holds of the model's records: codes of the event's
    kinds. The event is that one of them begins to; see oegen.alerts.crossings."""

    def register(held: Callable[[bool], Held]) -> Callable[[bool], Held]:
        _standings.append(Standing(event, model, held, facts))
        return held

    return register


def standings() -> list[Standing]:
    return _standings


def describes(model: type[AuditedModel]):
    """Register a function that returns the Subjects of the model's records by their keys."""

    def register(describe):
        _describers[model] = describe
        return describe

    return register


def detectors_of(change_set) -> list[Detector]:
    """The detectors that read a model of which the change set has rows."""
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
            subjects = describe(batch) if describe else _default_subjects(model, batch)
            found |= {(model, key): subject for key, subject in subjects.items()}
    return found


def _default_subjects(model: type[AuditedModel], keys: list[UUID]) -> dict[UUID, Subject]:
    noun = str(model._meta.verbose_name)
    return {
        key: Subject(str(record), noun, record.get_absolute_url())
        for key, record in model._base_manager.in_bulk(keys).items()
    }
