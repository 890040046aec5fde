"""What moved between two days, added up from the pipelines that are not the same at both ends.

Each number is the sum of those of single pipelines. So of all pipelines it is kept as of the
baseline (kept.py), and a page takes away what the pipelines that were written since had then, and
adds what they have now.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from operator import add, sub
from typing import NamedTuple
from uuid import UUID

from django.db import connection

from dashboard.metrics.columns import Condition
from dashboard.metrics.comparison import WAS, Comparison
from dashboard.metrics.kinds import AT_BOTH_ENDS, COUNTED, KINDS
from dashboard.metrics.portfolio import Portfolio, numbers_from, sums_of_facts
from oegen import audit
from oegen.asof import stored_table
from oegen.core import clock
from oegen.core.sql import Values, by_code_point, date_of, days_between, fetch, text_of, uuid_of
from pipelines.facts.kept import MAX_DIFFERING
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
        [found] = _read(now, now.comparison)
        return found
    known = kept_moved(now)
    if not keys:
        return known
    return known.with_others(keys, *_read(now, now.compare([now.kept, now], keys)))


def kept_moved(now: Portfolio) -> Moved:
    """What moved until the facts that are kept, of all pipelines."""
    [found] = now.keep_baseline(lambda kept: _read(now, now.compare([kept])), "moved")
    return found


#: Conditions on the rows of a Comparison's later table.
_IS_OPEN = f"in_filter = 1 AND {Condition.IS_OPEN.sql}"
_WAS_OPEN = f"{WAS}{Condition.IS_OPEN.sql}"
_IS_LATER = "rtb_date > was_rtb_date"
_ARE_DATED = "was_rtb_date IS NOT NULL AND rtb_date IS NOT NULL"
_IS_SLIP = f"{_IS_OPEN} AND {_WAS_OPEN} AND {_ARE_DATED} AND rtb_date <> was_rtb_date"
_IS_NEWLY_DATED = f"""{_IS_OPEN} AND rtb_date IS NOT NULL
    AND (was_state IS NULL OR NOT ({_WAS_OPEN}) OR was_rtb_date IS NULL)"""


def _read(now: Portfolio, compared: Comparison) -> list[Moved]:
    """What moved until each of the ends, in one statement of each kind: with few pipelines, a
    statement takes longer to prepare and to send than to answer."""
    later, days = compared.later, days_between("was_rtb_date", "rtb_date")
    rated = fetch(
        f"""
        SELECT place, rag, was_state, was_rag, basis, SUM(first_row), {sums_of_facts()}
        FROM {later} WHERE {_IS_OPEN} AND shared = 0
        GROUP BY place, rag, was_state, was_rag, basis
        """
    )
    were_rated = fetch(
        f"""
        SELECT DISTINCT place, id, was_state, was_rag FROM {later}
        WHERE {_IS_OPEN} AND shared = 1
        """
    )
    slips = fetch(
        f"""
        SELECT place, id, name, was_rtb_date, rtb_date, {days} AS days, SUM(kw) FROM {later}
        WHERE {_IS_SLIP}
        GROUP BY place, id, name, was_rtb_date, rtb_date
        ORDER BY days DESC, {by_code_point("name")}, id LIMIT {KEPT_SLIPS * compared.ends}
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
            f"NOT ({Condition.IS_OPEN.sql}) AND {_WAS_OPEN} AND {_ARE_DATED} AND {_IS_LATER}",
        ),
        "days kw": (f"{days} * 1.0 * kw", _IS_SLIP),
        "undated": ("first_row", _IS_NEWLY_DATED),
        "undated kw": ("kw", _IS_NEWLY_DATED),
    }
    columns = [
        *(f"SUM(first_row) FILTER (WHERE {condition})" for condition in counted.values()),
        *(f"SUM({value}) FILTER (WHERE {condition})" for value, condition in summed.values()),
    ]
    rows = fetch(
        f"""
        WITH restored AS MATERIALIZED ({restored_sql(now, compared)})
        SELECT place, {", ".join(columns)} FROM {later} WHERE in_filter = 1 GROUP BY place
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
        for place in range(compared.ends)
        for numbers in [known.get(place, [0] * len(columns))]
    ]


def count_changes(now: Portfolio) -> dict[str, int]:
    """The number of pipelines by kind of change: new, restored and the kinds in ``COUNTED``, as far
    as they occur, in the order of KINDS. ``now`` must be built with ``before=``."""
    found = moved(now).changes
    return {kind: found[kind] for kind in KINDS if found[kind]}


def restored_sql(now: Portfolio, ends: Comparison) -> str:
    """SQL for the ids of the pipelines that exist later, did not exist earlier, but have older
    history rows: they were removed and restored."""
    since = connection.ops.adapt_datetimefield_value(clock.end_of(now.day_before))
    # The whole of it: what is asked for is from before the day of the page.
    history = stored_table(audit.history_model(Pipeline))
    return f"""
        SELECT DISTINCT later.id FROM {ends.later} AS later
        WHERE NOT EXISTS (SELECT 1 FROM {ends.earlier} AS earlier WHERE earlier.id = later.id)
            AND EXISTS (
                SELECT 1 FROM {history} AS history
                WHERE history.id = later.id AND history.history_date < '{since}'
            )
    """
