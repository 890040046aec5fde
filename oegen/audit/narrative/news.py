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
from oegen.core import clock, words
from oegen.core.caching import cache_key, read, write
from oegen.core.compiled import compiled, one_of


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
    if before:
        newest = _newest_before(limit, moment=before.recorded_at, key=before.pk)
    elif clock.past_day():
        newest = _newest_until(limit, moment=clock.now())
    else:
        newest = _newest(limit)
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
        Batch(
            one, tuple(sorted(entries[one.pk], key=Entry.sort_key)), tuple(counts.get(one.pk, ()))
        )
        for one in newest
    ]


@compiled
def _newest(limit: int) -> models.QuerySet[Any]:
    change_sets = ChangeSet.objects.for_feed().select_related("person")
    return change_sets.order_by("-recorded_at", "-pk")[:limit]


@compiled
def _newest_until(limit: int, *, moment: Any) -> models.QuerySet[Any]:
    change_sets = ChangeSet.objects.for_feed().filter(recorded_at__lt=moment)
    return change_sets.select_related("person").order_by("-recorded_at", "-pk")[:limit]


@compiled
def _newest_before(limit: int, *, moment: Any, key: Any) -> models.QuerySet[Any]:
    older = Q(recorded_at__lt=moment) | Q(recorded_at=moment, pk__lt=key)
    change_sets = ChangeSet.objects.in_feed().filter(older).select_related("person")
    return change_sets.order_by("-recorded_at", "-pk")[:limit]


@compiled
def _rows(model: type[AuditedModel], *, keys: Any, until: Any) -> models.QuerySet[Any]:
    rows = model.history.filter(change_set__in=one_of(keys, ChangeSet), history_date__lt=until)
    return with_notes(rows)


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
        _rows(model, keys=keys, until=audit.known_until(model))
        for model, keys in change_sets.items()
    ]
    for entry in chain(*entries_of_each(rows)):
        found[entry.change_set_id].append(entry)
    return found


def _counts_of(
    change_sets: dict[type[AuditedModel], list[Any]],
) -> dict[Any, list[tuple[str, int]]]:
    """The numbers of records by kind, and of removed ones, by change set: kept, because what a
    change set wrote never changes."""
    places = {
        key: cache_key("numbers of a change set", key, clock.past_moment())
        for key in chain(*change_sets.values())
    }
    known = {key: read(place) for key, place in places.items()}
    found: dict[Any, list[tuple[str, int]]] = {key: [] for key in places}
    for model, keys in change_sets.items():
        missing = [key for key in keys if known[key] is None]
        until = audit.known_until(model)
        tally = _tally(model, keys=missing, until=until) if missing else []
        for key, records, removed in tally:
            for number, suffix in ((records - removed, ""), (removed, " removed")):
                if number:
                    found[key].append((f"{words.noun_of(model, number)}{suffix}", number))
    for key, place in places.items():
        if known[key] is None:
            write(place, found[key])
    return found | {key: numbers for key, numbers in known.items() if numbers is not None}


@compiled
def _tally(model: type[AuditedModel], *, keys: Any, until: Any) -> Any:
    rows = model.history.filter(change_set__in=one_of(keys, ChangeSet), history_date__lt=until)
    return (
        rows.order_by()
        .values_list("change_set")
        .annotate(
            records=models.Count("id", distinct=True),
            removed=models.Count("id", distinct=True, filter=Q(history_type=audit.REMOVED)),
        )
    )
