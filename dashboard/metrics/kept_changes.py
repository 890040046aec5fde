"""The changes of all kinds, the first of each, from those that are kept.

What is kept is of all pipelines as of the baseline (pipelines.facts.kept). Of the pipelines that
were written since, and of those that are shown, the changes are read anew.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import NamedTuple
from uuid import UUID

from dashboard.metrics.changes import Changes, changes, changes_between
from dashboard.metrics.comparison import compare_anew, compare_kept, differing_and_linked
from dashboard.metrics.kinds import KINDS
from dashboard.metrics.portfolio import Portfolio
from dashboard.metrics.sums import Total
from oegen.core.sql import fetch, uuid_of
from pipelines.facts.kept import MAX_DIFFERING

#: The pipelines of a kind that are kept: enough for the first ones without those that were written
#: since.
KEPT_LINES = MAX_DIFFERING + 50


class Kept(NamedTuple):
    """The totals, which have nothing but pipelines and capacity, the number of pipelines, and the
    keys of the first pipelines of each kind, as text."""

    totals: dict[str, Total]
    pipelines: int
    first: dict[str, list[str]]

    def first_without(self, keys: Collection[UUID], limit: int) -> set[UUID]:
        others = set(map(str, keys))
        return {
            UUID(key)
            for first in self.first.values()
            for key in [key for key in first if key not in others][:limit]
        }


@dataclass(frozen=True, kw_only=True)
class FirstChanges(Changes):
    """``Changes`` whose lines are those of some pipelines, of which all first ones are, with the
    totals of all: what is ``kept``, without those that the same pipelines ``had``."""

    kept: Kept
    had: Kept

    def totals(self) -> dict[str, Total]:
        own = super().totals()
        totals = {}
        for kind in KINDS:
            known, before, now = (
                found.get(kind, Total()) for found in (self.kept.totals, self.had.totals, own)
            )
            if pipelines := known.pipelines - before.pipelines + now.pipelines:
                capacity = known.capacity - before.capacity + now.capacity
                totals[kind] = Total(pipelines, capacity)
        return totals

    def pipelines(self) -> int:
        return self.kept.pipelines - self.had.pipelines + super().pipelines()


@contextmanager
def first_changes(before: Portfolio, now: Portfolio, limit: int) -> Iterator[Changes]:
    """``changes``, for the ``totals``, which have nothing but pipelines and capacity, the number of
    ``pipelines`` and the ``first`` ones, up to the limit."""
    linked = differing_and_linked(before, now)
    if linked is None or len(linked) + limit > KEPT_LINES:
        with changes(before, now) as found:
            yield found
        return
    kept: Kept = now.keep_baseline(lambda _: _read(before, now), "changes", before.day)
    keys = kept.first_without(linked, limit).union(linked)
    anew = compare_anew(now, keys)
    with changes_between(before, now, anew.kept) as were:
        had = _kept_of(were)
    with changes_between(before, now, anew.current) as found:
        yield FirstChanges(before, now, found.ends, anew=anew, kept=kept, had=had)


def _read(before: Portfolio, now: Portfolio) -> Kept:
    with changes_between(before, now, compare_kept(now)) as found:
        rows = fetch(
            f"SELECT kind, id FROM {found.table} WHERE place <= {KEPT_LINES} ORDER BY place"
        )
        first: dict[str, list[str]] = {kind: [] for kind in KINDS}
        for kind, key in rows:
            first[kind].append(str(uuid_of(key)))
        return _kept_of(found)._replace(first=first)


def _kept_of(found: Changes) -> Kept:
    totals = {kind: Total(one.pipelines, one.capacity) for kind, one in found.totals().items()}
    return Kept(totals, found.pipelines(), {})
