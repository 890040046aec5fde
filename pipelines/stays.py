"""The stays of pipelines in stages, computed in SQL from their transitions by effective date."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, datetime
from operator import add, sub
from typing import NamedTuple
from uuid import UUID

from django.apps import apps
from django.db import connection
from django.db.models.expressions import RawSQL
from django.utils import timezone

from oegen import asof, audit
from oegen.audit.changesets import newest_seal
from oegen.core import clock, packed_keys, sql
from oegen.core.caching import keep
from oegen.core.database import key_set
from oegen.core.sql import Values
from oegen.models import AuditedModel
from pipelines.choices import Outcome
from pipelines.facts.intervals import FOREVER

#: The fewest observations from which a share or a usual time is given.
ENOUGH = 10

FOUR_FIFTHS = 0.8

#: The part of the pipelines that entered the stage which most did, from which on all are read
#: instead of those that moved: half of them.
FEW = 2

#: The tolerance for shares computed in floating point.
ROUNDING = 1e-9

#: Results of a stage: entered at all; reached a later stage; sold, withdrawn or refused without
#: reaching one; none of these; in the stage now.
ENTERED, WENT_ON, SOLD, ENDED = "entered", "on", "sold", "ended"
UNDECIDED, THERE = "undecided", "there"

#: The ``place`` of outcomes.
_ENDED_PLACE, _SOLD_PLACE = -1, -2


def stays_sql(where: str = "", transitions: str = "") -> str:
    """SQL with a row for each stay of a pipeline in a stage. Holds don't interrupt a stay.
    ``where`` is a WHERE clause on ``pipeline_id``; by default all pipelines' are read.
    ``transitions`` is SQL for these, by default those of the effective day.

    Columns: ``transition_id`` (the move that began it), ``pipeline_id``, ``stage`` (its code),
    ``began``, ``until`` (null if it is not over);
    and as 0 or 1: ``moved`` (the stay ended with a move to another stage), ``went_on`` (the
    pipeline reached a later stage afterwards), ``sold`` and ``ended`` (it did not, and was sold, or
    withdrawn or refused).
    """
    transition, stage = _models()
    transitions, stages = transitions or asof.table(transition), asof.table(stage)
    # ``place`` is the stage's order, which is unique, or below zero for an outcome.
    return f"""
        SELECT transition_id, pipeline_id, code AS stage, began, until,
            CASE WHEN next_place >= 0 THEN 1 ELSE 0 END AS moved,
            CASE WHEN highest > place THEN 1 ELSE 0 END AS went_on,
            CASE WHEN last_place = {_SOLD_PLACE} AND highest = place THEN 1 ELSE 0 END AS sold,
            CASE WHEN last_place = {_ENDED_PLACE} AND highest = place THEN 1 ELSE 0 END AS ended
        FROM (
            SELECT id AS transition_id, pipeline_id, place, effective_on AS began,
                LAG(effective_on) OVER backwards AS until,
                LAG(place) OVER backwards AS next_place,
                MAX(place) OVER backwards AS highest,
                FIRST_VALUE(place) OVER backwards AS last_place
            FROM (
                SELECT id, pipeline_id, effective_on, recorded_at, place,
                    LAG(place) OVER (
                        PARTITION BY pipeline_id ORDER BY effective_on, recorded_at, id
                    ) AS earlier
                FROM (
                    SELECT transitions.id, pipeline_id, effective_on, recorded_at,
                        CASE WHEN outcome = '{Outcome.ACTIVE}' THEN "order"
                            WHEN outcome = '{Outcome.SOLD}' THEN {_SOLD_PLACE}
                            ELSE {_ENDED_PLACE} END AS place
                    FROM {transitions} AS transitions
                    JOIN {stages} AS stages ON stages.id = stage_id
                    {where}
                ) AS transitions
            ) AS moves
            WHERE earlier IS NULL OR place <> earlier
            WINDOW backwards AS (
                PARTITION BY pipeline_id ORDER BY effective_on DESC, recorded_at DESC, id DESC
                ROWS UNBOUNDED PRECEDING
            )
        ) AS stays
        JOIN {stages} AS stages ON stages."order" = place
        WHERE place >= 0
    """  # noqa: S608 - no user input


_CONDITIONS = {
    ENTERED: "",
    WENT_ON: "AND went_on = 1",
    SOLD: "AND sold = 1",
    ENDED: "AND ended = 1",
    UNDECIDED: "AND went_on = 0 AND sold = 0 AND ended = 0",
    THERE: "AND stays_on = 1",
}


def stage_results_sql(stays: str = "") -> str:
    """SQL with a row for each pipeline and stage that it ever entered, with its results there as 0
    or 1: ``went_on``, ``sold``, ``ended``, ``stays_on`` (it is in the stage now). ``stays`` names a
    table with the columns of ``stays_sql``."""
    return f"""
        SELECT pipeline_id, stage, MAX(went_on) AS went_on,
            CASE WHEN MAX(went_on) = 0 THEN MAX(sold) ELSE 0 END AS sold,
            CASE WHEN MAX(went_on) = 0 THEN MAX(ended) ELSE 0 END AS ended,
            MAX(CASE WHEN until IS NULL THEN 1 ELSE 0 END) AS stays_on
        FROM {stays or f"({stays_sql()})"} AS stays GROUP BY pipeline_id, stage
    """  # noqa: S608


def pipelines_with_result_sql(result: str) -> str:
    """SQL selecting the ids of pipelines with this result in a stage, whose code is its one
    parameter."""
    return f"""
        SELECT pipeline_id FROM ({stage_results_sql()}) AS results
        WHERE stage = %s {_CONDITIONS[result]}
    """  # noqa: S608


# How stays went ----------------------------------------------------------------------------------


class Length(NamedTuple):
    """A number of ``stays`` that lasted ``days`` so far; ``moved`` of them ended with a move."""

    days: int
    moved: int
    stays: int


@dataclass(frozen=True)
class Summary:
    """The stays in a stage: of ``pipelines``, ``ongoing`` of them not over and ``moved`` ended with
    a move. ``median_days`` and ``usual_days``: within which half and four fifths end so, None while
    unknown. ``went_on``, ``sold`` and ``ended`` are numbers of pipelines with that result."""

    pipelines: int = 0
    stays: int = 0
    ongoing: int = 0
    moved: int = 0
    median_days: int | None = None
    usual_days: int | None = None
    went_on: int = 0
    sold: int = 0
    ended: int = 0


@dataclass(frozen=True)
class Stays:
    """The stays by the stage's code.

    ``waiting`` are the pipelines that are in a stage for more than the usual days: those within
    which four fifths of all stays in it end with a move. None in stages of which fewer than
    ``ENOUGH`` stays ended so, because those say little. ``version`` changes when a stay does: a
    part of cache keys.
    """

    summaries: dict[str, Summary]
    waiting: list[UUID]
    version: tuple[object, ...] = ()


@dataclass(frozen=True)
class _Tally:
    """The stays of some pipelines at a moment, whatever the day: sums over single pipelines.

    ``over``: by stage and days, the number of stays and of those that ended with a move.
    ``ongoing``: by stage and the ordinal of the first day, the keys of the pipelines
    (oegen.core.packed_keys).
    ``results``: by stage, the number of pipelines that entered it, went on, were sold and ended.
    """

    over: dict[str, dict[int, tuple[int, ...]]]
    ongoing: dict[str, dict[int, bytes]]
    results: dict[str, tuple[int, ...]]

    def with_others(self, before: _Tally, now: _Tally) -> _Tally:
        """With ``now`` instead of ``before``, which are of the same pipelines."""
        over = {stage: dict(own) for stage, own in self.over.items()}
        ongoing = {stage: dict(own) for stage, own in self.ongoing.items()}
        results = dict(self.results)
        for change, operator in ((before, sub), (now, add)):
            for stage, lengths in change.over.items():
                own = over.setdefault(stage, {})
                for days, numbers in lengths.items():
                    own[days] = _combine(operator, own.get(days, (0, 0)), numbers)
            for stage, numbers in change.results.items():
                results[stage] = _combine(operator, results.get(stage, (0,) * 4), numbers)
        for stage, first_days in before.ongoing.items():
            for began, keys in first_days.items():
                ongoing[stage][began] = packed_keys.without(ongoing[stage][began], keys)
        for stage, first_days in now.ongoing.items():
            of_stage = ongoing.setdefault(stage, {})
            for began, keys in first_days.items():
                of_stage[began] = of_stage.get(began, b"") + keys
        return _Tally(
            {
                stage: {days: numbers for days, numbers in own.items() if numbers[0]}
                for stage, own in over.items()
            },
            {
                stage: {began: keys for began, keys in first_days.items() if keys}
                for stage, first_days in ongoing.items()
            },
            {stage: numbers for stage, numbers in results.items() if numbers[0]},
        )

    def stays(self, day: date) -> Stays:
        """Up to the day."""
        # By stage and days, as in ``over``.
        found = {stage: dict(over) for stage, over in self.over.items()}
        not_over = dict.fromkeys(self.results, 0)
        today = day.toordinal()
        for stage, first_days in self.ongoing.items():
            of_stage = found.setdefault(stage, {})
            for began, keys in first_days.items():
                number = packed_keys.count(keys)
                stays, moved = of_stage.get(today - began, (0, 0))
                of_stage[today - began] = stays + number, moved
                not_over[stage] += number
        summaries = {
            stage: _summary(found[stage], not_over[stage], results)
            for stage, results in self.results.items()
        }
        usual = {
            stage: one.usual_days
            for stage, one in summaries.items()
            if one.usual_days is not None and one.moved >= ENOUGH
        }
        waiting = [
            key
            for stage, first_days in self.ongoing.items()
            if stage in usual
            for began, keys in first_days.items()
            if today - began > usual[stage]
            for key in packed_keys.unpack(keys)
        ]
        return Stays(summaries, waiting)


def _combine(
    operator: Callable[[int, int], int], one: tuple[int, ...], other: tuple[int, ...]
) -> tuple[int, ...]:
    return tuple(map(operator, one, other))


def _summary(
    over_or_not: dict[int, tuple[int, ...]], ongoing: int, results: tuple[int, ...]
) -> Summary:
    """``over_or_not``: by days, the numbers of all stays and of those that ended with a move;
    ``results`` as in ``_Tally``."""
    pipelines, went_on, sold, ended = results
    lengths = [Length(days, moved, stays) for days, (stays, moved) in sorted(over_or_not.items())]
    return Summary(
        pipelines,
        stays=sum(stays for _, _, stays in lengths),
        ongoing=ongoing,
        moved=sum(moved for _, moved, _ in lengths),
        median_days=days_until(lengths, 0.5),
        usual_days=days_until(lengths, FOUR_FIFTHS),
        went_on=went_on,
        sold=sold,
        ended=ended,
    )


def summarize(day: date, only: str) -> dict[str, Summary]:
    """The stays up to the day, by the stage's code, of the pipelines whose ids a table has. Those
    of all are in ``stays_of_all``."""
    wanted = RawSQL(f"SELECT id FROM {only}", ())  # noqa: S608, S611 - no user input
    stays, params = _stays_sql(clock.past_moment(), wanted)
    days = sql.days_between("began", f"COALESCE(until, {sql.date_literal(day)})")
    found: dict[str, dict[int, tuple[int, ...]]] = defaultdict(dict)
    ongoing: Counter[str] = Counter()
    results: dict[str, tuple[int, ...]] = {}
    for stage, length, *numbers in sql.fetch(
        f"""
        WITH stays AS MATERIALIZED ({stays})
        SELECT stage, {days}, COUNT(*), SUM(moved), SUM(CASE WHEN until IS NULL THEN 1 END), 0
        FROM stays GROUP BY 1, 2
        UNION ALL {_results_sql("NULL")}
        """,  # noqa: S608
        params,
    ):
        if length is None:
            results[stage] = tuple(map(int, numbers))
        else:
            number, moved, going_on, _ = numbers
            found[stage][int(length)] = int(number), int(moved)
            ongoing[stage] += int(going_on or 0)
    return {stage: _summary(found[stage], ongoing[stage], own) for stage, own in results.items()}


def stays_of_all(day: date) -> Stays:
    """The stays of all pipelines up to the day, cached until a transition or a stage is written."""
    moment = clock.past_moment()
    version = (day, moment, *_version_of(moment))

    def read() -> Stays:
        return replace(_tally_of_all(moment).stays(day), version=version)

    return keep(read, "stays", *version)


def _tally_of_all(moment: datetime | None) -> _Tally:
    """The one of this morning is kept; of the pipelines that moved between that and the moment, if
    these are few, it is read anew."""
    morning = clock.start_of(timezone.localdate())
    since, until = sorted((moment or FOREVER, morning))
    if _are_other_stages(since, until):
        return _read(moment)
    known = keep(lambda: _read(morning), "tally of stays", morning, *_version_of(morning))
    transition, _ = _models()
    moved = sql.fetch(
        f"""
        SELECT DISTINCT pipeline_id FROM {_history_of(transition)}
        WHERE history_date >= %s AND history_date < %s
        """,  # noqa: S608 - no user input
        sql.adapted(since, until),
    )
    if not moved:
        return known
    if FEW * len(moved) > max((pipelines for pipelines, *_ in known.results.values()), default=0):
        return _read(moment)
    only = key_set([sql.uuid_of(key) for (key,) in moved])
    return known.with_others(_read(morning, only), _read(moment, only))


def _are_other_stages(since: datetime, until: datetime) -> bool:
    """Whether a stage was written in between, other than by the set-up."""
    _, stage = _models()
    return bool(
        sql.fetch(
            f"""
            SELECT 1 FROM {_history_of(stage)} AS written
            WHERE history_date >= %s AND history_date < %s AND {asof.not_by_set_up(connection)}
            LIMIT 1
            """,  # noqa: S608 - no user input
            sql.adapted(since, until),
        )
    )


def _version_of(moment: datetime | None) -> Values:
    """What changes when the stays up to the moment do."""
    written = newest_seal(audit.history_model(one)._meta.label_lower for one in _models())
    if moment is None:
        return (written,)
    return keep(lambda: _read_version(moment), "version of stays", moment, written)


def _read_version(moment: datetime) -> Values:
    [until] = sql.adapted(moment)
    transitions, stages = map(_history_of, _models())
    [version] = sql.fetch(
        f"""
        SELECT (SELECT COUNT(*) FROM {transitions} WHERE history_date < %s), (
            SELECT digest FROM {transitions} WHERE history_date < %s
            ORDER BY history_id DESC LIMIT 1
        ), (SELECT COUNT(*) FROM {stages}),
        (SELECT digest FROM {stages} ORDER BY history_id DESC LIMIT 1)
        """,  # noqa: S608
        (until, until),
    )
    return version


def _stays_sql(moment: datetime | None, only: RawSQL | None) -> tuple[str, Values]:
    """SQL, with parameters, for the stays by the transitions before the moment, or the current
    ones; ``only`` selects the ids of the pipelines wanted."""
    wanted, params = (f"pipeline_id IN ({only.sql})", tuple(only.params)) if only else ("1 = 1", ())
    if moment is None:
        return stays_sql(f"WHERE {wanted}"), params
    # Not from tables as of a past day: to make them takes longer.
    history = _history_of(_models()[0])
    versions = f"""(
        SELECT * FROM (
            SELECT *, ROW_NUMBER() OVER (
                PARTITION BY id ORDER BY history_date DESC, history_id DESC
            ) AS age
            FROM {history} WHERE history_date < %s AND {wanted}
        ) AS versions WHERE age = 1 AND history_type <> '{audit.REMOVED}'
    )"""  # noqa: S608
    return stays_sql(transitions=versions), sql.adapted(moment) + params


def _results_sql(*nulls: str) -> str:
    """SQL with a row for each stage, of the table “stays”: its code, the ``nulls``, and the numbers
    of ``_Tally.results``."""
    return f"""
        SELECT {", ".join(["stage", *nulls])}, COUNT(*), SUM(went_on), SUM(sold), SUM(ended)
        FROM ({stage_results_sql("stays")}) AS results GROUP BY stage
    """  # noqa: S608


def _read(moment: datetime | None, only: RawSQL | None = None) -> _Tally:
    """``moment`` and ``only`` as in ``_stays_sql``."""
    stays, params = _stays_sql(moment, only)
    over: dict[str, dict[int, tuple[int, ...]]] = {}
    ongoing: dict[str, dict[int, bytes]] = {}
    results: dict[str, tuple[int, ...]] = {}
    for stage, days, began, keys, *numbers in sql.fetch_in_parts(
        f"""
        WITH stays AS MATERIALIZED ({stays})
        SELECT stage, {sql.days_between("began", "until")}, NULL, NULL,
            COUNT(*), SUM(moved), 0, 0
        FROM stays WHERE until IS NOT NULL GROUP BY 1, 2
        UNION ALL
        SELECT stage, NULL, began, {sql.joined("pipeline_id")}, 0, 0, 0, 0
        FROM stays WHERE until IS NULL GROUP BY stage, began
        UNION ALL {_results_sql("NULL", "NULL", "NULL")}
        """,  # noqa: S608
        params,
    ):
        if days is not None:
            over.setdefault(stage, {})[int(days)] = int(numbers[0]), int(numbers[1])
        elif began is not None:
            first_day = sql.date_of(began).toordinal()
            ongoing.setdefault(stage, {})[first_day] = packed_keys.pack(keys)
        else:
            results[stage] = tuple(map(int, numbers))
    return _Tally(over, ongoing, results)


def _models() -> tuple[type[AuditedModel], type[AuditedModel]]:
    return apps.get_model("pipelines", "StageTransition"), apps.get_model("pipelines", "Stage")


def _history_of(model: type[AuditedModel]) -> str:
    """The whole of it, also on a past page."""
    return asof.stored_table(audit.history_model(model))


def days_until(lengths: list[Length], share: float) -> int | None:
    """The days within which the share of stays has ended with a move, by the Kaplan–Meier estimate;
    None if the estimate does not reach it. ``lengths`` are distinct and in ascending order."""
    at_risk = sum(stays for _, _, stays in lengths)
    staying = 1.0
    enough = share - ROUNDING
    for days, moved, stays in lengths:
        staying *= 1 - moved / at_risk
        at_risk -= stays
        if 1 - staying >= enough:
            return days
    return None
