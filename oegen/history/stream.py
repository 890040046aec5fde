"""History rows of several models as one stream, newest first, read a page at a time."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date, datetime, time, timedelta

from django.db.models import Case, F, IntegerField, OuterRef, Q, QuerySet, Subquery, Value, When
from django.utils import timezone

from oegen import audit
from oegen.audit.narrative import timeline

#: What a stream is made of: where a row stands in time, and the source it came from.
KEY = ("history_date", "history_id", "is_part", "source_number")


def between(rows: QuerySet, first: date | None, last: date | None) -> QuerySet:
    """The rows recorded from the start of one day to the end of another, in the site's zone."""
    if first:
        rows = rows.filter(history_date__gte=_start_of(first))
    if last and last < date.max:
        rows = rows.filter(history_date__lt=_start_of(last + timedelta(days=1)))
    return rows


def _start_of(day: date) -> datetime:
    return timezone.make_aware(datetime.combine(day, time.min))


def changing(rows: QuerySet, column: str) -> QuerySet:
    """The rows of one model that changed the column; what added a record changed nothing."""
    earlier = Q(history_date__lt=OuterRef("history_date")) | Q(
        history_date=OuterRef("history_date"), history_id__lt=OuterRef("history_id")
    )
    before = rows.model.objects.filter(earlier, id=OuterRef("id"))
    was = before.order_by("-history_date", "-history_id").values(column)[:1]
    # Not exclude(), which leaves out what it can't compare: a value with nothing.
    is_change = Case(
        When(**{column: F("was")}, then=0),
        When(**{f"{column}__isnull": True, "was__isnull": True}, then=0),
        default=1,
        output_field=IntegerField(),
    )
    changed = rows.filter(history_type=audit.CHANGED)
    return changed.annotate(was=Subquery(was), is_change=is_change).filter(is_change=1)


def stream(sources: Sequence[QuerySet]) -> QuerySet:
    """The KEYs of the rows of all sources, newest first; of one moment, links before records."""
    keys = [
        rows.order_by()
        .annotate(
            is_part=Value(int(bool(rows.model.instance_type.PARENT_FIELD))),
            source_number=Value(number),
        )
        .values_list(*KEY)
        for number, rows in enumerate(sources)
    ]
    newest_first = ("-history_date", "-is_part", "-history_id", "source_number")
    return keys[0].union(*keys[1:], all=True).order_by(*newest_first)


def entries(keys: Iterable[tuple], sources: Sequence[QuerySet]) -> list[timeline.Entry]:
    """The entries of a page of a stream, in its order, in a few queries for each model on it."""
    keys = [(source, history_id) for _, history_id, _, source in keys]
    wanted: dict[int, list[int]] = defaultdict(list)
    for source, history_id in keys:
        wanted[source].append(history_id)
    found = {
        (source, entry.history_id): entry
        for source, ids in wanted.items()
        for entry in timeline.entries_among(sources[source].model.instance_type, ids)
    }
    return [found[key] for key in keys]
