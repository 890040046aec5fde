"""History rows of several models, merged into one stream, newest first, for paging."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date, datetime, time, timedelta

from django.db.models import (
    Case,
    F,
    IntegerField,
    Model,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Value,
    When,
)
from django.utils import timezone

from oegen import audit
from oegen.audit.narrative import timeline
from oegen.audit.narrative.rows import rows_of

#: The columns of a stream: the position of a row in time, and the number of its source.
KEY = ("history_date", "history_id", "is_part", "source_number")


def recorded_between(rows: QuerySet, first: date | None, last: date | None) -> QuerySet:
    """The rows from the start of the first to the end of the last day, in the site's time zone."""
    if first:
        rows = rows.filter(history_date__gte=_start_of(first))
    if last and last < date.max:
        rows = rows.filter(history_date__lt=_start_of(last + timedelta(days=1)))
    return rows


def _start_of(day: date) -> datetime:
    return timezone.make_aware(datetime.combine(day, time.min))


def changing(rows: QuerySet, column: str) -> QuerySet:
    """The rows of one model that changed the column; creation does not count."""
    earlier = Q(history_date__lt=OuterRef("history_date")) | Q(
        history_date=OuterRef("history_date"), history_id__lt=OuterRef("history_id")
    )
    before = rows.model.objects.filter(earlier, id=OuterRef("id"))
    was = before.order_by("-history_date", "-history_id").values(column)[:1]
    # Not exclude(), which drops comparisons with null.
    is_change = Case(
        When(**{column: F("was")}, then=0),
        When(**{f"{column}__isnull": True, "was__isnull": True}, then=0),
        default=1,
        output_field=IntegerField(),
    )
    changed = rows.filter(history_type=audit.CHANGED)
    return changed.annotate(was=Subquery(was), is_change=is_change).filter(is_change=1)


def stream(sources: Sequence[QuerySet]) -> QuerySet:
    """The KEYs of the rows of all sources, newest first; at equal times, links before records."""
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


def entries(
    keys: Iterable[tuple], sources: Sequence[QuerySet], known: Iterable[Model] = ()
) -> list[timeline.Entry]:
    """The entries for KEYs of a stream, in their order, in a few queries per model, and none for
    the names of ``known`` records."""
    keys = [(source, history_id) for _, history_id, _, source in keys]
    wanted: dict[int, list[int]] = defaultdict(list)
    for source, history_id in keys:
        wanted[source].append(history_id)
    rows = [rows_of(sources[source].model, ids) for source, ids in wanted.items()]
    found = {
        (source, entry.history_id): entry
        for source, part in zip(wanted, timeline.entries_of_each(rows, known), strict=True)
        for entry in part
    }
    return [found[key] for key in keys]
