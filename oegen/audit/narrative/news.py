"""The latest change sets with their entries, newest first."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import chain
from typing import Any

from django.db import models
from django.db.models import Q

from oegen import audit
from oegen.audit.audited import AuditedModel
from oegen.audit.changesets import ChangeSet
from oegen.audit.narrative.timeline import Entry, entries_of_each
from oegen.core import words


@dataclass(frozen=True)
class Batch:
    """A change set with its entries; many entries are replaced by counts by kind of record."""

    change_set: ChangeSet
    entries: tuple[Entry, ...]
    counts: tuple[tuple[str, int], ...]


class _Contents:
    """The entries and counts of several change sets, by primary key. ``count`` them by model, then
    ``read_entries`` of all models together."""

    def __init__(self, max_entries: int):
        self.max_entries = max_entries
        self.entries: dict[Any, list[Entry]] = defaultdict(list)
        self.counts: dict[Any, dict[str, int]] = defaultdict(dict)
        self.rows: dict[Any, int] = defaultdict(int)
        self._small: list[models.QuerySet[Any]] = []

    def count(self, model: type[AuditedModel], change_sets: Iterable[ChangeSet]) -> None:
        """Count the rows of the model in those of the change sets that wrote to it."""
        label = audit.history_model(model)._meta.label_lower
        keys = [change_set.pk for change_set in change_sets if label in change_set.contents]
        if not keys:
            return
        tally = (
            model.history.filter(change_set__in=keys)
            .order_by()
            .values_list("change_set")
            .annotate(
                rows=models.Count("pk"),
                records=models.Count("id", distinct=True),
                removed=models.Count("id", distinct=True, filter=Q(history_type=audit.REMOVED)),
            )
        )
        small = []
        for key, rows, records, removed in tally:
            self.rows[key] += rows
            if rows <= self.max_entries:
                small.append(key)
            for number, suffix in ((records - removed, ""), (removed, " removed")):
                if number:
                    self.counts[key][f"{words.noun_of(model, number)}{suffix}"] = number
        if small:
            self._small.append(model.history.filter(change_set__in=small))

    def read_entries(self) -> None:
        for entry in chain(*entries_of_each(self._small)):
            self.entries[entry.change_set_id].append(entry)

    def batch(self, change_set: ChangeSet) -> Batch:
        key = change_set.pk
        entries = self.entries[key] if self.rows[key] <= self.max_entries else []
        entries.sort(key=Entry.sort_key)
        return Batch(change_set, tuple(entries), tuple(self.counts[key].items()))


def latest(
    limit: int = 10, max_entries: int = 12, *, before: ChangeSet | None = None
) -> list[Batch]:
    """The newest change sets for the feed, in two queries for each model that they wrote to.

    A change set with more than ``max_entries`` entries has counts only. Models outside the feed
    (``SHOW_IN_FEED``) are included only for change sets without other entries. ``before`` limits
    the result to change sets older than that one.
    """
    change_sets = ChangeSet.objects.recorded().in_feed()
    if before:
        change_sets = change_sets.filter(
            Q(recorded_at__lt=before.recorded_at)
            | Q(recorded_at=before.recorded_at, pk__lt=before.pk)
        )
    change_sets = change_sets.select_related("person").order_by("-recorded_at", "-pk")
    newest = list(change_sets[:limit])
    contents = _Contents(max_entries)
    tracked = [model for model in audit.tracked_models() if not model.IS_COPY]
    for model in tracked:
        if model.SHOW_IN_FEED:
            contents.count(model, newest)
    if empty := [change_set for change_set in newest if not contents.rows[change_set.pk]]:
        for model in tracked:
            if not model.SHOW_IN_FEED:
                contents.count(model, empty)
    contents.read_entries()
    return [contents.batch(change_set) for change_set in newest]
