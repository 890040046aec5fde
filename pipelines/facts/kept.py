"""Up to when the facts of the present are kept, and the versions of facts and of figures, as parts
of the keys of what is cached (oegen.core.caching)."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from datetime import date, datetime
from typing import Any, NamedTuple
from uuid import UUID

from django.db.models import Count, F, Max, Q
from django.utils import timezone

from oegen import asof, audit
from oegen.audit import table_version
from oegen.audit.changesets import seals_before
from oegen.core import clock
from oegen.core.caching import cache_key, keep
from oegen.core.compiled import compiled, in_one_row
from oegen.core.sql import Values, adapted, fetch, uuid_of
from oegen.models import AuditedModel, ChangeSet
from pipelines.facts.intervals import FOREVER
from pipelines.facts.spans import begun_since, ended_since
from pipelines.models import (
    Facility,
    Fact,
    FactRevision,
    Milestone,
    Pipeline,
    PipelineFacility,
    RegisterFinding,
    Stage,
    Technology,
)

#: The models whose records figures of all pipelines read by the facts only. Most writes are of
#: these, and most of them about something that is not in the facts.
IN_FACTS = (Pipeline, PipelineFacility, Facility, Milestone)

#: The most pipelines that may differ from what is kept of the present; with more, all are read.
MAX_DIFFERING = 300


class Baseline(NamedTuple):
    """The moment up to which facts are kept for the present, and the pipelines whose facts differ
    since; None if they are more than MAX_DIFFERING."""

    until: datetime
    differing: list[UUID] | None


def baseline() -> Baseline:
    """The oldest one since which few pipelines differ, so that what is kept stays valid for long,
    and after an import of many not all are read for the rest of the day."""
    for until in _moments():
        found = Baseline(until, _differing(until))
        if found.differing is not None:
            break
    return found


def _moments() -> Iterator[datetime]:
    """This morning, the last full hour, the last full five minutes and the last full minute."""
    morning, minute = clock.days_ago(0), clock.now().replace(second=0, microsecond=0)
    yield morning
    for begun in (0, minute.minute // 5 * 5, minute.minute):
        if (moment := minute.replace(minute=begun)) > morning:
            yield moment


def _differing(since: datetime) -> list[UUID] | None:
    begun, ended = begun_since(since), ended_since(since)
    facts = Fact._meta.db_table
    found = fetch(
        f"""
        SELECT pipeline_id FROM {facts} WHERE {begun.sql}
        UNION SELECT pipeline_id FROM {facts} WHERE {ended.sql} LIMIT {MAX_DIFFERING + 1}
        """,  # noqa: S608 - no user input
        begun.params + ended.params,
    )
    return None if len(found) > MAX_DIFFERING else [uuid_of(key) for (key,) in found]


def facts_version(day: date, until: datetime) -> tuple[object, ...]:
    """What changes when the facts up to that moment do, or what they refer to: for figures as of
    ``day``.

    Read it before what is to be cached: with a concurrent write, newer figures then get an older
    key, never the reverse.
    """
    # Of all versions, also on a past page: few are written, and views of the past take longer.
    vocabularies = table_version(Stage, Technology, table=asof.stored_table)
    return day, *_version_until(until), *vocabularies


def _version_until(until: datetime) -> tuple[object, ...]:
    late = None
    if until > clock.start_of(timezone.localdate()):
        # Writes before that moment that were not over then: no revision is recorded of today's.
        late = _newest_seal(Q(recorded_at__lt=until, sealed_at__gte=until))
    [(newest, revisions)] = fetch(
        f"""
        SELECT (
            SELECT seal FROM {ChangeSet._meta.db_table} WHERE sealed_at < %s
            ORDER BY sealed_at DESC, number DESC LIMIT 1
        ), (SELECT COUNT(*) FROM {FactRevision._meta.db_table} WHERE changed_from < %s)
        """,  # noqa: S608
        adapted(until, until),
    )
    return until, late, newest, revisions


def _newest_seal(matters: Q) -> str | None:
    """Of the change sets that matter, which are sealed after a moment."""
    # By an expression: for the column, PostgreSQL would go through all change sets from the newest
    # on until it finds one that matters, and mostly none does.
    newest_first = (F("number") + 0).desc()
    found = ChangeSet.objects.filter(matters).order_by(newest_first)
    return found.values_list("seal", flat=True).first()


def figures_version(*, is_filtered: bool) -> str:
    """What changes when the figures of the effective day, or of an earlier one, can.

    Where the pipelines are filtered, that is any write of a business record, else one that changes
    the facts or what figures read beside them. Read it before what is to be cached.
    """
    return asof.data_version() if is_filtered else facts_and_others_version()


def facts_and_others_version(
    but: Collection[type[AuditedModel]] = IN_FACTS, columns: Sequence[str] = ()
) -> str:
    """What changes when the facts of the effective day, or of an earlier one, do, or a business
    record of another model ``but`` these, or one of these columns of a pipeline.

    Read it before what is to be cached.
    """
    return keep(
        lambda: _read_version(but, columns),
        *("version of facts and others", asof.data_version(), *columns),
        *(model._meta.label for model in but),
    )


def _read_version(but: Collection[type[AuditedModel]], columns: Sequence[str]) -> str:
    if moment := clock.past_moment():
        return cache_key(clock.past_day(), *_version_until(moment), *seals_before(moment))
    until = baseline().until
    # Of the change sets since, those that change what was before, and of today's also others.
    others = [model for model in audit.business_models() if model not in but]
    labels = [audit.history_model(model)._meta.label_lower for model in others]
    matters = Q(recorded_at__lt=until) | Q(source=audit.Source.MIGRATION)
    matters |= Q(contents__has_any_keys=labels)
    newest = _newest_seal(matters & Q(sealed_at__gte=until))
    current = [*_facts_since(until=until), *RegisterFinding.objects.version()]
    for column in columns:
        current += _changes_of(column, until)
    return cache_key(clock.today(), *_version_until(until), newest, *current)


@compiled
def _facts_since(*, until: Any) -> Any:
    """The newest of the facts that began or ended since, and their numbers. Of a fact, nothing but
    its end ever changes, once."""
    has_ended = Q(valid_until__lt=FOREVER)
    facts = Fact.objects.filter(Q(valid_from__gte=until) | (Q(valid_until__gte=until) & has_ended))
    ended = Count("pk", filter=has_ended)
    return in_one_row(facts, newest=Max("pk"), number=Count("pk"), ended=ended)


def _changes_of(column: str, since: datetime) -> Values:
    """The number of changes of a column of pipelines, and the newest one's history id."""
    history = audit.history_model(Pipeline)._meta.db_table
    value = f"COALESCE(CAST({column} AS TEXT), '')"
    [found] = fetch(
        f"""
        SELECT COUNT(*), MAX(history_id) FROM (
            SELECT history_id, history_date, {value} AS value, LAG({value}) OVER (
                PARTITION BY id ORDER BY history_date, history_id
            ) AS earlier
            FROM {history}
            WHERE id IN (SELECT id FROM {history} WHERE history_date >= %s)
        ) AS written WHERE history_date >= %s AND value <> earlier
        """,  # noqa: S608
        adapted(since, since),
    )
    return found
