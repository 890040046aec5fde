"""The stays of pipelines in stages, computed in SQL from their transitions by effective date."""

from __future__ import annotations

from array import array
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass
from datetime import date, datetime
from enum import IntEnum
from itertools import compress
from typing import NamedTuple
from uuid import UUID

from django.apps import apps
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

#: The part of the stays in the stage that has most, from which on all are read instead of those
#: of pipelines that moved: half of them.
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


class _Stay(IntEnum):
    """How a stay went: it ended with the outcome of the pipeline, with a move, or is not over."""

    OVER = 0
    MOVED = 1
    ONGOING = 2


class _Result(IntEnum):
    """The result of the pipeline in the stage; of several stays of it there, the others are
    ``COUNTED``."""

    COUNTED = 0
    UNDECIDED = 1
    WENT_ON = 2
    SOLD = 3
    ENDED = 4


#: A stay as a whole number has, from these bits on, its ``_Stay``, its days or, if it is not over,
#: the ordinal of its first day, and its ``_Result``.
_STAY, _DAYS = 26, 3


class _OfStage(NamedTuple):
    """The stays in a stage: the ``keys`` of their pipelines (oegen.core.packed_keys), and at the
    same places their numbers, as above."""

    keys: bytes
    stays: array[int]

    def tally(self, only: Set[bytes] | None, but: Set[bytes] = frozenset()) -> Counter[int]:
        """How often each number occurs. Of which pipelines: see ``packed_keys.are_wanted``."""
        return Counter(compress(self.stays, packed_keys.are_wanted(self.keys, only, but)))

    def begun_before(self, day: int) -> Iterator[bytes]:
        """The pipelines of the stays that are not over and began before the ordinal of a day."""
        first = _Stay.ONGOING << _STAY
        end = first + (day << _DAYS)
        return compress(packed_keys.each(self.keys), (first <= stay < end for stay in self.stays))


@dataclass(frozen=True)
class _Tally:
    """The stays of all pipelines at a moment, whatever the day: by the stage's code, those that are
    ``kept``, and of the pipelines that moved since, whose keys are in ``moved``, those read
    ``anew``."""

    kept: dict[str, _OfStage]
    anew: dict[str, _OfStage]
    moved: frozenset[bytes] = frozenset()

    def summaries(self, day: date, only: Set[bytes] | None = None) -> dict[str, Summary]:
        """By the stage's code, up to the day, of these pipelines, or of all."""
        of_kept = None if only is None else only - self.moved
        found = {stage: one.tally(of_kept, self.moved) for stage, one in self.kept.items()}
        for stage, one in self.anew.items():
            found.setdefault(stage, Counter()).update(one.tally(only))
        return {stage: _summary(stays, day) for stage, stays in found.items() if stays}

    def waiting(self, day: date, usual: dict[str, int]) -> list[UUID]:
        """The pipelines that are in a stage for more than its usual days."""
        nothing = _OfStage(b"", array("I"))
        return [
            UUID(bytes=key)
            for stages, but in ((self.kept, self.moved), (self.anew, frozenset()))
            for stage, days in usual.items()
            for key in stages.get(stage, nothing).begun_before(day.toordinal() - days)
            if key not in but
        ]


def _summary(stays: Counter[int], day: date) -> Summary:
    """``stays`` are the numbers of ``_OfStage``."""
    # By days, the numbers of all stays and of those that ended with a move.
    everyone: dict[int, int] = defaultdict(int)
    moved: dict[int, int] = defaultdict(int)
    results = [0] * len(_Result)
    ongoing, today = 0, day.toordinal()
    of_days, of_result = (1 << (_STAY - _DAYS)) - 1, (1 << _DAYS) - 1
    for one, number in stays.items():
        stay, days = one >> _STAY, (one >> _DAYS) & of_days
        results[one & of_result] += number
        if stay == _Stay.ONGOING:
            ongoing += number
            days = today - days
        elif stay == _Stay.MOVED:
            moved[days] += number
        everyone[days] += number
    return Summary(
        pipelines=sum(results[_Result.UNDECIDED :]),
        stays=sum(everyone.values()),
        ongoing=ongoing,
        moved=sum(moved.values()),
        median_days=days_until(everyone, moved, 0.5),
        usual_days=days_until(everyone, moved, FOUR_FIFTHS),
        went_on=results[_Result.WENT_ON],
        sold=results[_Result.SOLD],
        ended=results[_Result.ENDED],
    )


def summarize(day: date, only: Set[bytes]) -> dict[str, Summary]:
    """The stays up to the day, by the stage's code, of the pipelines with these keys."""
    return _tally(clock.past_moment()).summaries(day, only)


def stays_of_all(day: date) -> Stays:
    """The stays of all pipelines up to the day, cached until a transition or a stage is written."""
    moment = clock.past_moment()
    version = (day, moment, *_version_of(moment))
    return keep(lambda: _stays(_tally(moment), day, version), "stays", *version)


def _stays(tally: _Tally, day: date, version: Values) -> Stays:
    summaries = tally.summaries(day)
    usual = {
        stage: one.usual_days
        for stage, one in summaries.items()
        if one.usual_days is not None and one.moved >= ENOUGH
    }
    return Stays(summaries, tally.waiting(day, usual), version)


def _tally(moment: datetime | None) -> _Tally:
    """The one of this morning is kept; of the pipelines that moved between that and the moment, if
    these are few, the stays are read anew."""
    morning = clock.start_of(timezone.localdate())
    since, until = sorted((moment or FOREVER, morning))
    transition, stage = _models()
    if asof.is_written([stage], since, until):
        return _Tally({}, _read(moment))
    known = keep(lambda: _read(morning), "tally of stays", morning, *_version_of(morning))
    moved = sql.fetch(
        f"""
        SELECT DISTINCT pipeline_id FROM {_history_of(transition)}
        WHERE history_date >= %s AND history_date < %s
        """,  # noqa: S608 - no user input
        sql.adapted(since, until),
    )
    if not moved:
        return _Tally(known, {})
    most = max((packed_keys.count(keys) for keys, _ in known.values()), default=0)
    if FEW * len(moved) > most:
        return _Tally({}, _read(moment))
    keys = [sql.uuid_of(key) for (key,) in moved]
    return _Tally(known, _read(moment, key_set(keys)), frozenset(key.bytes for key in keys))


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


def _read(moment: datetime | None, only: RawSQL | None = None) -> dict[str, _OfStage]:
    """``moment`` and ``only`` as in ``_stays_sql``."""
    stays, params = _stays_sql(moment, only)
    first_day = sql.date_literal(date.min)
    ordinal = f"({sql.days_between(first_day, 'began')} + {date.min.toordinal()})"
    number = f"""
        CASE WHEN until IS NULL THEN {_Stay.ONGOING} WHEN moved = 1 THEN {_Stay.MOVED}
            ELSE {_Stay.OVER} END * {1 << _STAY}
        + CASE WHEN until IS NULL THEN {ordinal} ELSE {sql.days_between("began", "until")} END
            * {1 << _DAYS}
        + CASE WHEN again > 1 THEN {_Result.COUNTED}
            WHEN results.went_on = 1 THEN {_Result.WENT_ON}
            WHEN results.sold = 1 THEN {_Result.SOLD}
            WHEN results.ended = 1 THEN {_Result.ENDED} ELSE {_Result.UNDECIDED} END
    """
    return {
        stage: _OfStage(packed_keys.pack(keys), packed_keys.pack_numbers(stays))
        for stage, keys, stays in sql.fetch_in_parts(
            f"""
            WITH stays AS MATERIALIZED ({stays})
            SELECT stage, {sql.joined("pipeline_id")}, {sql.joined(sql.as_hex("number"))}
            FROM (
                SELECT numbered.stage, numbered.pipeline_id, {number} AS number
                FROM (
                    SELECT stays.*, ROW_NUMBER() OVER (
                        PARTITION BY pipeline_id, stage ORDER BY began, transition_id
                    ) AS again
                    FROM stays
                ) AS numbered
                JOIN ({stage_results_sql("stays")}) AS results
                    ON results.pipeline_id = numbered.pipeline_id
                        AND results.stage = numbered.stage
            ) AS numbers GROUP BY stage
            """,  # noqa: S608
            params,
        )
    }


def _models() -> tuple[type[AuditedModel], type[AuditedModel]]:
    return apps.get_model("pipelines", "StageTransition"), apps.get_model("pipelines", "Stage")


def _history_of(model: type[AuditedModel]) -> str:
    """The whole of it, also on a past page."""
    return asof.stored_table(audit.history_model(model))


def days_until(stays: Mapping[int, int], moved: Mapping[int, int], share: float) -> int | None:
    """The days within which the share of stays has ended with a move, by the Kaplan–Meier estimate;
    None if the estimate does not reach it. By days, ``stays`` has their number, and ``moved`` that
    of those that ended so."""
    at_risk = sum(stays.values())
    staying = 1.0
    enough = share - ROUNDING
    for days in sorted(stays):
        if days in moved:
            staying *= 1 - moved[days] / at_risk
            if 1 - staying >= enough:
                return days
        at_risk -= stays[days]
    return None
