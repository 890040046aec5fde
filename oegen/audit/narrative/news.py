"""The latest change sets with their entries, newest first."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from itertools import chain
from typing import Any

from django.db import models
from django.db.models import Q

from oegen import audit
from oegen.audit.audited import AuditedModel
from oegen.audit.changesets import ChangeSet
from oegen.audit.narrative.rows import with_notes
from oegen.audit.narrative.timeline import Entry, entries_of_each
from oegen.core import words


@dataclass(frozen=True)
class Batch:
    """A change set with its entries or, if they are many, with counts by kind of record."""

    change_set: ChangeSet
    entries: tuple[Entry, ...]
    counts: tuple[tuple[str, int], ...]


def latest(
    limit: int = 10, max_entries: int = 12, *, before: ChangeSet | None = None
) -> list[Batch]:
    """The newest change sets for the feed, in one query for each model that they wrote to, and
    those for names.

    A change set with more than ``max_entries`` rows has counts only, the others have entries only.
    Models outside the feed (``SHOW_IN_FEED``) are included only for change sets without others.
    ``before`` limits the result to change sets older than that one.
    """
    change_sets = ChangeSet.objects.in_feed()
    if before:
        change_sets = change_sets.filter(
            Q(recorded_at__lt=before.recorded_at)
            | Q(recorded_at=before.recorded_at, pk__lt=before.pk)
        )
    change_sets = change_sets.select_related("person").order_by("-recorded_at", "-pk")
    newest = list(change_sets[:limit])
    small: dict[type[AuditedModel], list[Any]] = defaultdict(list)
    large: dict[type[AuditedModel], list[Any]] = defaultdict(list)
    for change_set in newest:
        rows = _rows_of(change_set)
        is_small = sum(rows.values()) <= max_entries
        for model in rows:
            (small if is_small else large)[model].append(change_set.pk)
    entries = _entries_of(small)
    counts = _counts_of(large)
    return [
        Batch(one, tuple(sorted(entries[one.pk], key=Entry.sort_key)), tuple(counts[one.pk]))
        for one in newest
    ]


def _rows_of(change_set: ChangeSet) -> dict[type[AuditedModel], int]:
    """The number of its rows by model; of models outside the feed only if there are no others."""
    rows = {
        model: change_set.contents[label][0]
        for model in audit.tracked_models()
        if not model.IS_COPY
        and (label := audit.history_model(model)._meta.label_lower) in change_set.contents
    }
    return {model: number for model, number in rows.items() if model.SHOW_IN_FEED} or rows


def _entries_of(change_sets: dict[type[AuditedModel], list[Any]]) -> dict[Any, list[Entry]]:
    """The entries of the models' rows in these change sets, by change set."""
    found: dict[Any, list[Entry]] = defaultdict(list)
    rows = [
        with_notes(model.history.filter(change_set__in=keys)) for model, keys in change_sets.items()
    ]
    for entry in chain(*entries_of_each(rows)):
        found[entry.change_set_id].append(entry)
    return found


def _counts_of(
    change_sets: dict[type[AuditedModel], list[Any]],
) -> dict[Any, list[tuple[str, int]]]:
    """The numbers of records by kind, and of removed ones, by change set."""
    found: dict[Any, list[tuple[str, int]]] = defaultdict(list)
    for model, keys in change_sets.items():
        tally = model.history.filter(change_set__in=keys).order_by().values_list("change_set")
        for key, records, removed in tally.annotate(
            records=models.Count("id", distinct=True),
            removed=models.Count("id", distinct=True, filter=Q(history_type=audit.REMOVED)),
        ):
            for number, suffix in ((records - removed, ""), (removed, " removed")):
                if number:
                    found[key].append((f"{words.noun_of(model, number)}{suffix}", number))
    return found
