"""Stages and technologies as they were from one time to the next.

Rows that ``migrate`` made hold on every day, and of several the highest version counts, as in
``oegen.asof.statements``. Before what is known of a record, its first state holds, because records
dated back may refer to it.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from datetime import datetime
from typing import Any, Generic, NamedTuple, TypeVar
from uuid import UUID

from oegen import audit
from oegen.models import AuditedModel
from pipelines.facts.intervals import BEGINNING, FOREVER
from pipelines.models import Stage, Technology
from pipelines.reference import CONSTRUCTION

T = TypeVar("T", bound=NamedTuple)


class StageState(NamedTuple):
    """``chance``: the default probability, in %."""

    code: str
    name: str
    order: int
    is_terminal: bool
    default_probability_pct: Any


class TechnologyState(NamedTuple):
    code: str
    name: str
    capacity_basis: str
    is_storage: bool


class States(Generic[T]):
    """The states of one record. ``edges`` are the times at which one ends and the next begins."""

    def __init__(self, edges: list[datetime], states: list[T]) -> None:
        self.edges, self._states = edges, states

    def right_after(self, moment: datetime) -> T:
        """The state at times later than the moment."""
        return self._states[bisect_right(self.edges, moment)]


class Vocabulary(NamedTuple):
    stages: dict[UUID, States[StageState]]
    technologies: dict[UUID, States[TechnologyState]]

    @property
    def construction(self) -> States[StageState] | None:
        """The stage from which on an RTB date that has passed is not overdue."""
        return next(
            (one for one in self.stages.values() if one.right_after(FOREVER).code == CONSTRUCTION),
            None,
        )


def read_vocabulary() -> Vocabulary:
    return Vocabulary(_states(Stage, StageState), _states(Technology, TechnologyState))


def _states(model: type[AuditedModel], make: type[T]) -> dict[UUID, States[T]]:
    columns = make._fields
    rows: dict[UUID, list[tuple[Any, ...]]] = defaultdict(list)
    history = audit.history_model(model).objects.order_by("history_date", "history_id")
    for key, *row in history.values_list(
        *("id", "history_date", "version", "history_id", "history_type", "change_set__source"),
        *columns,
    ):
        rows[key].append(tuple(row))
    live = {key: make(*values) for key, *values in model._base_manager.values_list("pk", *columns)}
    found = {}
    for key in {*rows, *live}:
        found[key] = _states_of(rows.get(key, []), live.get(key), make)
    return found


def _states_of(rows: list[tuple[Any, ...]], live: T | None, make: type[T]) -> States[T]:
    set_up = [row for row in rows if row[4] == audit.Source.MIGRATION]
    others = [row for row in rows if row[4] != audit.Source.MIGRATION]
    edges = sorted({row[0] for row in others})
    states: list[T] = []
    for number, edge in enumerate((BEGINNING, *edges)):
        if live is not None and number == len(edges):
            states.append(live)
            continue
        # A removed one keeps its last values: nothing refers to it any more.
        known = set_up + [row for row in others if row[0] <= edge]
        newest = max(known, key=lambda row: (row[1], row[2]), default=rows[0])
        states.append(make(*newest[5:]))
    return States(edges, states)
