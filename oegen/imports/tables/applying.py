"""Writing a plan: prepared batches in one change set, or in several linked ones if it is long.

Everything was read and checked before; inside the transaction versions are checked again. A slice
of the plan holds the writer lock of SQLite for a few seconds at most, and other writers have their
turn between two. ``try_plan`` writes the same and rolls it back: constraints and triggers of the
database refuse the same rows then.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils import timezone

from oegen import audit
from oegen.audit.audited import AuditedModel
from oegen.audit.changesets import ChangeSet
from oegen.audit.choices import CHANGED, CREATED, REMOVED
from oegen.audit.long_writes import long_write
from oegen.audit.registry import tracked_models
from oegen.core.database import let_others_write
from oegen.core.exceptions import StaleRecordError
from oegen.core.triggers import broken_rule
from oegen.imports.tables.planning import settle
from oegen.imports.tables.plans import Plan, Planned, Problem, by_rows
from oegen.people.models import User

#: The rows that a slice writes, and the records that it stops at.
SLICE_ROWS, SLICE_RECORDS = 1_000, 6_000


class RefusedError(Exception):
    """Rows are refused, and all or nothing was asked for. The text is shown to people."""


@dataclass
class Slice:
    """``rows`` are the numbers of its rows."""

    planned: list[Planned] = field(default_factory=list)
    rows: set[int] = field(default_factory=set)


def slices(plan: Plan, size: int = SLICE_ROWS) -> list[Slice]:
    """What the accepted rows write, in their order; each record once, with its first row."""
    accepted = {row.number for row in plan.rows if row.is_written}
    first: dict[int, list[Planned]] = {}
    for one in plan.planned:
        if not is_written(one, accepted):
            continue
        own = (one.setters | one.users) & accepted
        first.setdefault(min(own), []).append(one)
    found = [Slice()]
    for number in sorted(first):
        current = found[-1]
        if len(current.rows) >= size or len(current.planned) >= SLICE_RECORDS:
            current = Slice()
            found.append(current)
        current.rows.add(number)
        current.planned += first[number]
    return [one for one in found if one.planned]


def is_written(one: Planned, accepted: set[int]) -> bool:
    """Whether the rows that are accepted write the record."""
    if one.is_refused or not one.has_effect:
        return False
    if one.action == CREATED:
        return bool((one.users | one.setters) & accepted)
    return one.setters <= accepted


def write(planned: list[Planned]) -> None:
    """Write the records into the open change set, all at one time: a new pipeline never was without
    its facility. Raises StaleRecordError and IntegrityError."""
    current = audit.current_change_set()
    assert current is not None  # noqa: S101 - for mypy
    current.rows_at = timezone.now()
    order = {model: place for place, model in enumerate(tracked_models())}
    by_action: dict[str, dict[type[AuditedModel], list[Planned]]] = {}
    for one in sorted(planned, key=lambda one: order[type(one.record)]):
        by_action.setdefault(one.action, {}).setdefault(type(one.record), []).append(one)
    if removed := by_action.get(REMOVED):
        with audit.removals_together():
            for several in removed.values():
                for one in several:
                    one.record.delete()
    for model, several in by_action.get(CREATED, {}).items():
        for one in several:
            one.record.created_at = one.record.modified_at = current.rows_at
        model.objects.bulk_create([one.record for one in several])
    if changed := by_action.get(CHANGED):
        with audit.saves_together():
            for several in changed.values():
                for one in several:
                    one.record.save()
    for one in planned:
        for question in one.answered:
            current.add_answer(one.record, question)


def apply_plan(
    plan: Plan,
    *,
    person: User | None,
    reason: str,
    only_right_rows: bool = False,
    done: Callable[[ChangeSet, int, int], object] = lambda change_set, number, total: None,
) -> list[ChangeSet]:
    """Write the plan; returns its change sets, one for each slice.

    ``done`` is called in the transaction of each slice with its change set, its number from 1, and
    the number of all. Raises RefusedError, before anything is written, if a row is refused and
    ``only_right_rows`` is not set; StaleRecordError and IntegrityError if a slice can't be written
    any more, which leaves the slices before.
    """
    if plan.questions:
        raise RefusedError(plan.questions[0].text)
    if plan.refused and not only_right_rows:
        raise RefusedError(
            f"{plan.refused:,} of {len(plan.rows):,} rows are refused, and all or nothing was "
            "asked for. Correct them, or apply only the rows that are right."
        )
    found = slices(plan)
    written = []
    with long_write(len(found)) as goes_on:
        for number, one in enumerate(found, start=1):
            if number > 1:
                let_others_write()
            part = f" (part {number} of {len(found)})" if len(found) > 1 else ""
            with audit.change_set(
                person=person, reason=f"{reason}{part}", source=audit.Source.IMPORT
            ) as current:
                write(one.planned)
                done(current, number, len(found))
            written.append(current)
            goes_on()
    return written


#: The numbers of rows that the database refuses, each with the reason.
Refusals = list[tuple[int, str]]


def try_plan(
    plan: Plan,
    *,
    person: User | None,
    reason: str,
    progress: Callable[[int, int], object] = lambda done, total: None,
) -> Refusals:
    """Write each slice and roll it back; rows that the database refuses are refused in the plan,
    and returned.

    With a slice go the new records of slices before that its rows need.
    """
    found = slices(plan)
    trial = _Trial(plan, person, reason)
    refusals: Refusals = []
    for number, one in enumerate(found, start=1):
        if number > 1:
            let_others_write()
        refusals += trial.refusals(one.planned)
        progress(number, len(found))
    refuse_rows(plan, refusals)
    return refusals


def refuse_rows(plan: Plan, refusals: Iterable[tuple[int, str]]) -> None:
    """Refuse what a trial of the same plan found."""
    rows = {row.number: row for row in plan.rows}
    for number, message in refusals:
        problem = Problem(None, "", "", message)
        if problem not in rows[number].problems:
            rows[number].problems.append(problem)
    settle(plan)


class _Trial:
    def __init__(self, plan: Plan, person: User | None, reason: str):
        self.person, self.reason = person, reason
        self.new_by_row = by_rows(one for one in plan.planned if one.is_new and not one.is_refused)

    def refusals(self, planned: list[Planned]) -> Iterator[tuple[int, str]]:
        """The rows whose records the database refuses, with the reason."""
        message = self._attempt(planned)
        if not message:
            return
        explained = dict(_explanations(planned))
        if explained:
            yield from explained.items()
            refused = set(explained)
            planned = [one for one in planned if not (one.setters | one.users) & refused]
            yield from self.refusals(planned)
            return
        rows = sorted(set(map(_first_row, planned)))
        if len(rows) == 1:
            yield rows[0], message
            return
        # Halves, until the rows are found.
        middle = rows[len(rows) // 2]
        yield from self.refusals([one for one in planned if _first_row(one) < middle])
        yield from self.refusals([one for one in planned if _first_row(one) >= middle])

    def _attempt(self, planned: list[Planned]) -> str:
        """Write and roll back; the reason if it is refused, else empty."""
        rows = set(map(_first_row, planned))
        needed = (one for row in rows for one in self.new_by_row.get(row, ()))
        written = list({id(one): one for one in (*planned, *needed)}.values())
        before = [(one, _state(one.record)) for one in written]
        try:
            with transaction.atomic():
                with audit.change_set(
                    person=self.person,
                    reason=self.reason,
                    source=audit.Source.IMPORT,
                    savepoint=False,
                ):
                    write(written)
                transaction.set_rollback(True)
        except StaleRecordError as error:
            return str(error)
        except IntegrityError as error:
            return broken_rule(error) or str(error)
        finally:
            for one, state in before:
                _restore(one.record, state)
        return ""


def _first_row(one: Planned) -> int:
    return min(one.setters or one.users)


def _explanations(planned: list[Planned]) -> Iterator[tuple[int, str]]:
    """What the rules say of each record one by one, with its constraints."""
    for one in planned:
        if one.action == REMOVED:
            continue
        try:
            with transaction.atomic():
                one.record.validate_constraints()
        except ValidationError as error:
            yield _first_row(one), " ".join(error.messages)


def _state(record: AuditedModel) -> dict[str, Any]:
    return {
        # Django takes the key from a record that was removed.
        "pk": record.pk,
        "version": record.version,
        "modified_at": record.modified_at,
        "adding": record._state.adding,
    }


def _restore(record: AuditedModel, state: dict[str, Any]) -> None:
    record.pk = state["pk"]
    record.version, record.modified_at = state["version"], state["modified_at"]
    record._state.adding = state["adding"]
