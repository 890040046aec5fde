"""Collects what happens in the sample and writes it in bulk.

The history is made here by hand, so the writing goes below the audited manager, which would date
every row today.
"""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from random import Random
from uuid import UUID

from django.db.models import QuerySet

from counterparties.models import Contact, Counterparty, CounterpartyContact
from infopoints.models import (
    InformationPoint,
    InformationPointCounterparty,
    InformationPointPipeline,
    InformationPointTechnology,
)
from oegen import audit
from oegen.audit import seals
from oegen.models import AuditedModel, ChangeSet, Comment, User
from oegen.search import documents, keys, ordering
from pipelines.models import (
    Facility,
    Pipeline,
    PipelineCounterparty,
    PipelineFacility,
    StageTransition,
)

BATCH_SIZE = 2000

#: In an order in which every row finds what it points to.
WRITTEN = (
    Counterparty,
    Contact,
    CounterpartyContact,
    Pipeline,
    Facility,
    PipelineFacility,
    PipelineCounterparty,
    StageTransition,
    InformationPoint,
    InformationPointTechnology,
    InformationPointCounterparty,
    InformationPointPipeline,
    Comment,
)


def new_id(rng: Random) -> UUID:
    return UUID(int=rng.getrandbits(128), version=4)


class Event:
    """One change set: what one person did at one moment."""

    def __init__(self, ledger: Ledger, when: datetime, person: User, reason: str):
        self.when = when
        self.person = person
        self.change_set = ChangeSet(
            id=new_id(ledger.rng),
            person_id=person.pk,
            reason=reason,
            source=audit.Source.SAMPLE,
            recorded_at=when,
        )
        self.change_set.back_dated = True
        self._ledger = ledger

    def add(self, model: type[AuditedModel], **values) -> AuditedModel:
        """A new record with its first history row. Foreign keys go by their ``_id`` names."""
        instance = model(
            id=new_id(self._ledger.rng), created_at=self.when, modified_at=self.when, **values
        )
        self._ledger.live[model].append(instance)
        self._remember(instance, audit.CREATED)
        return instance

    def change(self, instance: AuditedModel, **values) -> None:
        for name, value in values.items():
            setattr(instance, name, value)
        instance.version += 1
        instance.modified_at = self.when
        self._remember(instance, audit.CHANGED)

    def _remember(self, instance: AuditedModel, history_type: str) -> None:
        if isinstance(instance, InformationPoint):
            # The database generates it; the history row is made before there is one.
            instance.rating = instance.impact * instance.likelihood
        self._ledger.history[type(instance)].append(
            audit.history_row(instance, history_type, change_set=self.change_set)
        )


class Ledger:
    """Holds events until ``write``; a record can be changed only until then."""

    def __init__(self, rng: Random):
        self.rng = rng
        self.totals: Counter[str] = Counter()
        self._clear()

    def _clear(self):
        self.change_sets: list[ChangeSet] = []
        self.live: dict[type[AuditedModel], list[AuditedModel]] = {m: [] for m in WRITTEN}
        self.history: dict[type[AuditedModel], list] = {m: [] for m in WRITTEN}

    def event(self, when: datetime, person: User, reason: str = "") -> Event:
        event = Event(self, when, person, reason)
        self.change_sets.append(event.change_set)
        return event

    def write(self) -> None:
        for model, instances in self.live.items():
            QuerySet(model).bulk_create(instances, batch_size=BATCH_SIZE)
            documents.index(model, instances)
            keys.index(model, instances)
            ordering.index(model, [*instances, *self.history[model]])
            self.totals[str(model._meta.verbose_name_plural)] += len(instances)
        for model, rows in self.history.items():
            model.history.model.objects.bulk_create(rows, batch_size=BATCH_SIZE)
            self.totals["history rows"] += len(rows)
        seals.close(ChangeSet, self.change_sets, map(audit.history_model, self.history))
        self.totals["change sets"] += len(self.change_sets)
        self._clear()
