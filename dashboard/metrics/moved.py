"""What moved between two days, added up from the pipelines that are not the same at both ends.

Each number is the sum of those of single pipelines. So of all pipelines it is kept as of the
baseline (kept.py), and a page takes away what the pipelines that were written since had then, and
adds what they have now.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from itertools import chain
from operator import add, sub
from typing import NamedTuple, cast
from uuid import UUID

from django.db import connection
from django.db.models import Q

from dashboard.metrics.columns import Column, Condition
from dashboard.metrics.comparison import is_vocabulary_changed
from dashboard.metrics.fact_rows import select_facts
from dashboard.metrics.kinds import AT_BOTH_ENDS, COUNTED, KINDS
from dashboard.metrics.portfolio import Portfolio, numbers_from, sums_of_facts
from dashboard.metrics.tables import new_table_name, temporary_table
from oegen import audit
from oegen.asof import stored_table
from oegen.core import clock
from oegen.core.database import key_set
from oegen.core.sql import (
    Values,
    by_code_point,
    date_literal,
    date_of,
    days_between,
    fetch,
    text_of,
    uuid_of,
)
from pipelines.facts.kept import MAX_DIFFERING
from pipelines.facts.spans import Span, begun_since, ended_since, valid_at
from pipelines.models import Pipeline
from pipelines.querysets import OPEN

#: The largest slips that are kept: enough for the first ones without those that were written since.
KEPT_SLIPS = MAX_DIFFERING + 100


class SlipRow(NamedTuple):
    """See ``Slip``. ``key`` is text and ``kw`` a whole number: hundreds of objects take long to
    cache."""

    key: str
    name: str
    start: date
    end: date
    days: int
    kw: int

    def order(self) -> tuple[int, str, str]:
        return -self.days, self.name, self.key


@dataclass(frozen=True)
class Moved:
    """``rated``: by rating, state and rating before, and basis, the number of the open pipelines
    and their ``Numbers``, without shared facilities. ``were_rated``: of the open pipelines with
    shared facilities, by the key as text, the rating before; None if they were not open.
    ``changes``: the number of pipelines by kind of change. ``slips``: the largest delays first.

    ``numbers`` of pipelines: "slipped", of these "later", "left" (see ``Slippage``), "undated"
    (open with an RTB date, but not so before); kW: "undated kw"; kW × days of the slips: "days kw".
    """

    rated: dict[Values, tuple[int, ...]]
    were_rated: dict[str, str | None]
    changes: Counter[str]
    numbers: Counter[str]
    slips: tuple[SlipRow, ...]

    def with_others(self, keys: Collection[UUID], before: Moved, now: Moved) -> Moved:
        """With ``now`` instead of ``before``, which are of the pipelines with the keys."""
        rated = dict(self.rated)
        for change, operator in ((before, sub), (now, add)):
            for group, own in change.rated.items():
                rated[group] = tuple(map(operator, rated.get(group, (0,) * len(own)), own))
        written, others = set(map(str, keys)), set(map(text_of, keys))
        slips = [slip for slip in self.slips if slip.key not in written]
        were_rated = {key: was for key, was in self.were_rated.items() if key not in others}
        changes, numbers = Counter(self.changes), Counter(self.numbers)
        changes.subtract(before.changes)
        changes.update(now.changes)
        numbers.subtract(before.numbers)
        numbers.update(now.numbers)
        return Moved(
            rated,
            were_rated | now.were_rated,
            changes,
            numbers,
            tuple(sorted([*slips, *now.slips], key=SlipRow.order)),
        )


def moved(now: Portfolio) -> Moved:
    """``now`` must be built with ``before=``."""
    found: Moved = now.once("moved", lambda: _moved(now))
    return found


def _moved(now: Portfolio) -> Moved:
    keys = now.differing
    if keys is None:
        [found] = _read(now, [now])
        return found
    known = kept_moved(now)
    if not keys:
        return known
    return known.with_others(keys, *_read(now, [now.kept, now], keys))


def kept_moved(now: Portfolio) -> Moved:
    """What moved until the facts that are kept, of all pipelines."""
    [found] = now.keep_baseline(lambda kept: _read(now, [kept]), "moved", now.before.day)
    return found


#: The columns of the moved facts; of those of the pipeline, also what they were before.
_OF_PIPELINE = (Column.STAGE, Column.STATUS, Column.STATE, Column.RAG, Column.RTB_DATE)
_COLUMNS = (
    *(Column.ID, Column.NAME, *_OF_PIPELINE, Column.OWNERSHIP, Column.PROBABILITY),
    *(Column.FACILITY, Column.BASIS, Column.IS_STORAGE, Column.KW, Column.KWH),
    *(Column.FIRST_ROW, Column.SHARED),
)
_WAS = "was_"

_IS_OPEN = Condition.IS_OPEN.sql
_WAS_OPEN = f"{_WAS}{_IS_OPEN}"
_IS_LATER = "rtb_date > was_rtb_date"
_ARE_DATED = "was_rtb_date IS NOT NULL AND rtb_date IS NOT NULL"
_IS_SLIP = f"{_IS_OPEN} AND {_WAS_OPEN} AND {_ARE_DATED} AND rtb_date <> was_rtb_date"
_IS_NEWLY_DATED = f"""{_IS_OPEN} AND rtb_date IS NOT NULL
    AND (was_state IS NULL OR NOT ({_WAS_OPEN}) OR was_rtb_date IS NULL)"""


@contextmanager
def _moved_facts(
    now: Portfolio, ends: Sequence[Portfolio], only: Collection[UUID] | None
) -> Iterator[str]:
    """A temporary table of the facts at the ends, of which ``place`` counts from 0, of the filtered
    pipelines that moved, with what these were (``was_…``; null where they did not exist).

    A pipeline moves by facts that begin. So it is enough to read those, and the first ones of
    pipelines that ended. Of one that neither moved nor is new, the first may still be the same.
    """
    before = now.before
    since = cast(datetime, before.moment)
    among, among_then, wanted, wanted_params = now.selected, "", "", ()
    if only is not None:
        keys = key_set(only)
        among = among_then = "wanted"
        wanted, wanted_params = f"wanted (id) AS ({keys.sql}),", tuple(keys.params)
    with now.reading(), ExitStack() as tables:
        if is_vocabulary_changed(before, now):
            spans = [valid_at(end.moment) for end in ends]
            was = new_table_name("were")
            with before.reading():
                first_rows = _first_facts(valid_at(since))
                tables.enter_context(temporary_table(was, *first_rows))
            were: tuple[str, Values] = f"SELECT * FROM {was}", ()
        else:
            spans = [begun_since(since, end.moment) for end in ends]
            were = _first_facts(ended_since(since, ends[-1].moment), among_then)
        rows, params = zip(
            *(select_facts(span, *_COLUMNS, among=among) for span in spans), strict=True
        )
        every = " UNION ALL ".join(
            f"SELECT {place} AS place, facts.* FROM ({one}) AS facts"
            for place, one in enumerate(rows)
        )
        columns = ", ".join(f"were.{column} AS {_WAS}{column}" for column in _OF_PIPELINE)
        differ = " OR ".join(
            f"{_not_null('were', column)} <> {_not_null('are', column)}" for column in _OF_PIPELINE
        )
        name = new_table_name("moved")
        select = f"""
            WITH {wanted} are AS MATERIALIZED ({every}), were AS MATERIALIZED ({were[0]})
            SELECT are.*, {columns} FROM are LEFT JOIN were ON were.id = are.id
            WHERE were.id IS NOT NULL AND ({differ}) OR were.id IS NULL
                AND (are.place, are.id) IN (SELECT place, id FROM are WHERE first_row = 1)
        """
        every_params = (*wanted_params, *chain.from_iterable(params), *were[1])
        table = temporary_table(name, select, every_params, joins_many=only is None)
        tables.enter_context(table)
        yield name


def _not_null(table: str, column: Column) -> str:
    known = f"{table}.{column}"
    return f"COALESCE({known}, {date_literal(date.min)})" if column == Column.RTB_DATE else known


def _first_facts(span: Span, among: str = "") -> tuple[str, Values]:
    return select_facts(span, Column.ID, *_OF_PIPELINE, where=Q(is_first=True), among=among)


def _read(
    now: Portfolio, ends: Sequence[Portfolio], only: Collection[UUID] | None = None
) -> list[Moved]:
    """What moved until each of the ends, which are this portfolio or its ``kept``, in one statement
    of each kind: with few pipelines, a statement takes longer to prepare and to send than to
    answer."""
    with _moved_facts(now, ends, only) as table:
        return _read_from(table, now, len(ends))


def _read_from(table: str, now: Portfolio, ends: int) -> list[Moved]:
    days = days_between("was_rtb_date", "rtb_date")
    rated = fetch(
        f"""
        SELECT place, rag, was_state, was_rag, basis, SUM(first_row), {sums_of_facts()}
        FROM {table} WHERE {_IS_OPEN} AND shared = 0
        GROUP BY place, rag, was_state, was_rag, basis
        """
    )
    were_rated = fetch(
        f"""
        SELECT DISTINCT place, id, was_state, was_rag FROM {table}
        WHERE {_IS_OPEN} AND shared = 1
        """
    )
    slips = fetch(
        f"""
        SELECT place, id, name, was_rtb_date, rtb_date, {days} AS days, SUM(kw) FROM {table}
        WHERE {_IS_SLIP}
        GROUP BY place, id, name, was_rtb_date, rtb_date
        ORDER BY days DESC, {by_code_point("name")}, id LIMIT {KEPT_SLIPS * ends}
        """
    )
    counted = {
        "new": "was_state IS NULL AND id NOT IN (SELECT id FROM restored)",
        "restored": "was_state IS NULL AND id IN (SELECT id FROM restored)",
        **{kind: f"{AT_BOTH_ENDS} AND ({KINDS[kind].condition})" for kind in COUNTED},
    }
    summed = {
        "slipped": ("first_row", _IS_SLIP),
        "later": ("first_row", f"{_IS_SLIP} AND {_IS_LATER}"),
        "left": (
            "first_row",
            f"NOT ({_IS_OPEN}) AND {_WAS_OPEN} AND {_ARE_DATED} AND {_IS_LATER}",
        ),
        "days kw": (f"{days} * 1.0 * kw", _IS_SLIP),
        "undated": ("first_row", _IS_NEWLY_DATED),
        "undated kw": ("kw", _IS_NEWLY_DATED),
    }
    columns = [
        *(f"SUM(first_row) FILTER (WHERE {condition})" for condition in counted.values()),
        *(f"SUM({value}) FILTER (WHERE {condition})" for value, condition in summed.values()),
    ]
    restored = restored_sql(now, f"SELECT id FROM {table} WHERE was_state IS NULL")
    rows = fetch(
        f"""
        WITH restored AS MATERIALIZED ({restored})
        SELECT place, {", ".join(columns)} FROM {table} GROUP BY place
        """
    )
    known = {place: [int(number or 0) for number in numbers] for place, *numbers in rows}
    return [
        Moved(
            rated={
                row[1:5]: (int(row[5]), *numbers_from(row[6:])) for row in rated if row[0] == place
            },
            were_rated={
                str(key): was_rag if was_state == OPEN else None
                for at, key, was_state, was_rag in were_rated
                if at == place
            },
            changes=Counter(dict(zip(counted, numbers, strict=False))),
            numbers=Counter(dict(zip(summed, numbers[len(counted) :], strict=True))),
            slips=tuple(
                SlipRow(
                    *(str(uuid_of(key)), name, date_of(was), date_of(is_now)),
                    *(int(days), int(kw or 0)),
                )
                for at, key, name, was, is_now, days, kw in slips
                if at == place
            ),
        )
        for place in range(ends)
        for numbers in [known.get(place, [0] * len(columns))]
    ]


def count_changes(now: Portfolio) -> dict[str, int]:
    """The number of pipelines by kind of change: new, restored and the kinds in ``COUNTED``, as far
    as they occur, in the order of KINDS. ``now`` must be built with ``before=``."""
    found = moved(now).changes
    return {kind: found[kind] for kind in KINDS if found[kind]}


def restored_sql(now: Portfolio, new: str) -> str:
    """SQL for the ids of the pipelines that did not exist earlier, whose ids the SQL ``new``
    selects, but have older history rows: they were removed and restored."""
    since = connection.ops.adapt_datetimefield_value(clock.end_of(now.before.day))
    # The whole of it: what is asked for is from before the day of the page.
    history = stored_table(audit.history_model(Pipeline))
    return f"""
        SELECT DISTINCT id FROM ({new}) AS found WHERE EXISTS (
            SELECT 1 FROM {history} AS history
            WHERE history.id = found.id AND history.history_date < '{since}'
        )
    """
