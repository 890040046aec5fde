"""Collects what happens in the sample and writes it in bulk.

The dates are made up here, so the writing goes below the audited manager, which would date every
row today. The seals are made as for any other change set.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import UTC, date, datetime, time, timedelta
from random import Random
from typing import Any, TypeVar
from uuid import UUID
from zoneinfo import ZoneInfo

from django.contrib.auth.hashers import make_password
from django.contrib.contenttypes.models import ContentType
from django.db.models import QuerySet

from infopoints.models import InformationPoint
from oegen import audit
from oegen.audit import seals
from oegen.models import AuditedModel, ChangeSet, Comment, User
from oegen.search import documents, keys, ordering
from pipelines.facts.services import refresh_facts_about

BATCH_SIZE = 2000
DAYS_BACK = 730
LONDON = ZoneInfo("Europe/London")
OFFICE_OPENS = time(9)
OFFICE_SECONDS = 8 * 3600 + 1800
CLOSED = {(12, 25), (12, 26), (1, 1)}

COLLEAGUES = "Amara Whitlock, Tomasz Lindqvist, Isla Fenwick, Rafael Ordaz, Hanne Rosendahl"

Record = TypeVar("Record", bound=AuditedModel)


def get_colleagues(joined: datetime) -> list[User]:
    """The invented users, made where they are missing. None of them can sign in."""
    colleagues = []
    for name in COLLEAGUES.split(", "):
        first, last = name.split()
        user, _created = User.objects.get_or_create(
            username=f"sample.{first}.{last}".lower(),
            defaults={
                "first_name": first,
                "last_name": last,
                "email": f"{first}.{last}@oegen.example".lower(),
                "is_active": False,
                "password": make_password(None),
                "date_joined": joined,
            },
        )
        colleagues.append(user)
    return colleagues


class Event:
    """One change set: what one person did at one moment."""

    def __init__(self, history: History, when: datetime, person: User, reason: str):
        self.when = when
        self.person = person
        self.change_set = ChangeSet(
            id=history.new_id(),
            # Not by its id, which would be looked up again to be sealed.
            person=person,
            reason=reason,
            source=audit.Source.SAMPLE,
            recorded_at=when,
        )
        self.change_set.back_dated = True
        self._history = history

    def add(self, model: type[Record], **values: Any) -> Record:
        """A new record with its first history row. Foreign keys go by their ``_id`` names."""
        record = model(
            id=self._history.new_id(), created_at=self.when, modified_at=self.when, **values
        )
        self._history.records[model].append(record)
        self._add_row(record, audit.CREATED)
        return record

    def change(self, record: AuditedModel, **values: Any) -> None:
        for name, value in values.items():
            setattr(record, name, value)
        record.version += 1
        record.modified_at = self.when
        self._add_row(record, audit.CHANGED)

    def comment(self, record: AuditedModel, texts: list[str], **details: str) -> None:
        """One of the texts; the person it may mention is another than its author."""
        rng = self._history.rng
        others = [person for person in self._history.colleagues if person != self.person]
        self.add(
            Comment,
            content_type_id=ContentType.objects.get_for_model(record).pk,
            object_id=record.pk,
            author_id=self.person.pk,
            text=rng.choice(texts).format(person=rng.choice(others).username, **details),
        )

    def _add_row(self, record: AuditedModel, history_type: str) -> None:
        if isinstance(record, InformationPoint):
            # The database generates it; the history row is made before there is one.
            record.rating = record.impact * record.likelihood
        row = audit.history_row(record, history_type, change_set=self.change_set)
        self._history.rows[type(record)].append(row)


class History:
    """The working days of the 24 months before ``today``, numbered from 0, and what happens then.

    Events are held until ``write``; a record can be changed only until then.
    """

    def __init__(self, rng: Random, today: date):
        self.rng = rng
        self.today = today
        calendar = [today - timedelta(days) for days in range(DAYS_BACK, 0, -1)]
        self.days = [
            day for day in calendar if day.weekday() < 5 and (day.month, day.day) not in CLOSED
        ]
        self._mornings = [
            datetime.combine(day, OFFICE_OPENS, LONDON).astimezone(UTC) for day in self.days
        ]
        self.colleagues = get_colleagues(self._mornings[0] - timedelta(30))
        self.totals: Counter[str] = Counter()
        # A model's first record comes after the records it points to, so the order is right.
        self.records: dict[type[AuditedModel], list[Any]] = defaultdict(list)
        self.rows: dict[type[AuditedModel], list[Any]] = defaultdict(list)
        self._change_sets: list[ChangeSet] = []

    def new_id(self) -> UUID:
        return UUID(int=self.rng.getrandbits(128), version=4)

    def event(self, day: int, reason: str = "", person: User | None = None) -> Event:
        """Something that a person, anybody if none is given, did in that day's office hours."""
        when = self._mornings[day] + timedelta(seconds=self.rng.randrange(OFFICE_SECONDS))
        event = Event(self, when, person or self.rng.choice(self.colleagues), reason)
        self._change_sets.append(event.change_set)
        return event

    def write(self) -> None:
        for model, records in self.records.items():
            QuerySet(model).bulk_create(records, batch_size=BATCH_SIZE)
            documents.index(model, records)
            keys.index(model, records)
            ordering.index(model, [*records, *self.rows[model]])
            self.totals[str(model._meta.verbose_name_plural)] += len(records)
        for model, rows in self.rows.items():
            audit.history_model(model).objects.bulk_create(rows, batch_size=BATCH_SIZE)
            self.totals["history rows"] += len(rows)
        refresh_facts_about(
            {model: [record.pk for record in records] for model, records in self.records.items()}
        )
        seals.close(ChangeSet, self._change_sets, map(audit.history_model, self.rows))
        self.totals["change sets"] += len(self._change_sets)
        for written in (self.records, self.rows, self._change_sets):
            written.clear()
