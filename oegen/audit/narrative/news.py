"""The latest change sets with their entries, newest first."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db import models
from django.db.models import Q

from oegen import audit
from oegen.audit.audited import AuditedModel
from oegen.audit.changesets import ChangeSet
from oegen.audit.narrative.timeline import Entry, entries_of_rows
from oegen.core import words


@dataclass(frozen=True)
class Batch:
    """A change set with its entries; a large one has counts by kind of record instead."""

    change_set: ChangeSet
    entries: tuple[Entry, ...]
    counts: tuple[tuple[str, int], ...]


class _Contents:
    """The entries and counts of some change sets, by their keys."""

    def __init__(self, large: int):
        self.large = large
        self.entries: dict[Any, list[Entry]] = defaultdict(list)
        self.counts: dict[Any, dict[str, int]] = defaultdict(dict)
        self.rows: dict[Any, int] = defaultdict(int)

    def read(self, model: type[AuditedModel], change_sets: Iterable[Any]) -> None:
        tally = (
            model.history.filter(change_set__in=change_sets)
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
            if rows <= self.large:
                small.append(key)
            for number, ending in ((records - removed, ""), (removed, " removed")):
                if number:
                    self.counts[key][f"{words.noun_of(model, number)}{ending}"] = number
        if small:
            for entry in entries_of_rows(model.history.filter(change_set__in=small)):
                self.entries[entry.change_set_id].append(entry)

    def batch(self, change_set: ChangeSet) -> Batch:
        key = change_set.pk
        entries = self.entries[key] if self.rows[key] <= self.large else []
        entries.sort(key=Entry.place)
        return Batch(change_set, tuple(entries), tuple(self.counts[key].items()))


def latest(limit: int = 10, large: int = 12, *, before: ChangeSet | None = None) -> list[Batch]:
    """The newest change sets for the feed, in a fixed number of queries.

    A change set with more than ``large`` entries has counts only. Models outside the feed
    (``SHOW_IN_FEED``) are included only for change sets without other entries. ``before`` limits
    the result to change sets older than that one.
    """
    known = ChangeSet.objects.recorded().in_feed()
    if before:
        known = known.filter(
            Q(recorded_at__lt=before.recorded_at)
            | Q(recorded_at=before.recorded_at, pk__lt=before.pk)
        )
    sets = list(known.select_related("person").order_by("-recorded_at", "-pk")[:limit])
    contents = _Contents(large)
    tracked = [model for model in audit.tracked_models() if not model.IS_COPY]
    for model in tracked:
        if model.SHOW_IN_FEED:
            contents.read(model, [one.pk for one in sets])
    if others := [one.pk for one in sets if not contents.rows[one.pk]]:
        for model in tracked:
            if not model.SHOW_IN_FEED:
                contents.read(model, others)
    return [contents.batch(one) for one in sets]
