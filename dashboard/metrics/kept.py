"""The versions of the facts and of figures, as parts of the keys of what is cached
(oegen.core.caching)."""

from __future__ import annotations

from datetime import date, datetime

from django.db import connection
from django.db.models import Q

from oegen import asof, audit
from oegen.audit import table_version
from oegen.core import clock
from oegen.core.caching import cache_key, keep
from oegen.core.sql import fetch
from oegen.models import ChangeSet
from pipelines.facts.intervals import FOREVER
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


def facts_version(day: date, until: datetime) -> tuple[object, ...]:
    """What changes when the facts up to that moment, of an earlier day, do or what they refer to:
    for figures as of ``day``.

    Read it before what is to be cached: with a concurrent write, newer figures then get an older
    key, never the reverse. Outside ``as_of`` an earlier day it takes less time and says no less.
    """
    return day, *_version_until(until), *table_version(Stage, Technology)


def _version_until(until: datetime) -> tuple[object, ...]:
    [(newest, revisions)] = fetch(
        f"""
        SELECT (
            SELECT seal FROM {ChangeSet._meta.db_table} WHERE sealed_at < %s
            ORDER BY sealed_at DESC, number DESC LIMIT 1
        ), (SELECT COUNT(*) FROM {FactRevision._meta.db_table} WHERE changed_from < %s)
        """,
        (connection.ops.adapt_datetimefield_value(until),) * 2,
    )
    return until, newest, revisions


def figures_version(*, is_filtered: bool) -> str:
    """What changes when the figures of the effective day, or of an earlier one, can.

    Where the pipelines are filtered, that is any write of a business record, else one that changes
    the facts or what figures read beside them. Read it before what is to be cached.
    """
    written = asof.data_version()
    return written if is_filtered else keep(_read_version, "figures version", written)


def _read_version() -> str:
    moment = clock.past_moment()
    until = moment or clock.days_ago(0)
    # Of the change sets since, those that change what was before, and of today's also others.
    matters = Q(recorded_at__lt=until) | Q(source=audit.Source.MIGRATION)
    current: list[object] = []
    if moment is None:
        others = [model for model in audit.business_models() if model not in IN_FACTS]
        labels = [audit.history_model(model)._meta.label_lower for model in others]
        matters |= Q(contents__has_any_keys=labels)
        begun = Q(valid_from__gte=until)
        ended = Q(valid_until__gte=until, valid_until__lt=FOREVER)
        # Of a fact, nothing but its end ever changes.
        facts = Fact.objects.filter(begun | ended).order_by("pk")
        current += [*facts.values_list("pk", "valid_until"), *RegisterFinding.objects.version()]
    since = ChangeSet.objects.filter(matters, sealed_at__gte=until).order_by("-number")
    newest = since.values_list("seal", flat=True).first()
    return cache_key(clock.past_day(), clock.today(), *_version_until(until), newest, *current)
