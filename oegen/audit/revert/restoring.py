"""Restoring a record and its links to their state at an entry of its history."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, transaction
from django.db.models import ProtectedError, Q

from oegen import audit
from oegen.audit.audited import AuditedModel
from oegen.audit.changesets import ChangeSet
from oegen.audit.narrative import timeline
from oegen.audit.narrative.names import NameCache
from oegen.audit.registry import Row, comment_model
from oegen.audit.revert.steps import (
    Step,
    error_messages_of,
    has_same_values,
    in_dependency_order,
    missing_targets,
    newest_versions,
    parent_key,
)
from oegen.core.exceptions import StaleRecordError
from oegen.core.triggers import broken_rule

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractUser


class CannotRestoreError(Exception):
    """The earlier state can't be restored; ``sentences`` are shown to the user."""

    def __init__(self, sentences: list[str]):
        self.sentences = sentences
        super().__init__(" ".join(sentences))


@dataclass(frozen=True)
class Plan:
    """The planned steps. ``version`` is the record's newest version, to detect later changes."""

    row: Row
    version: int
    is_gone: bool
    steps: tuple[Step, ...]
    #: The changes of the record itself.
    changes: tuple[timeline.FieldChange, ...]
    #: Phrases for the changes of its links.
    links: tuple[str, ...]
    #: Why it can't be done; empty if it can.
    refusals: tuple[str, ...]


def link_rows_at(model: type[AuditedModel], key: Any, row: Row) -> list[Row]:
    """The history rows of a record's links after the change set of ``row``; if that row is a
    removal, those before it."""
    parts = []
    for link, name in model.link_models():
        if not (link.SHOW_IN_FEED and name == link.PARENT_FIELD):
            continue
        if row.history_type == audit.REMOVED:
            parts += link.history.filter(
                change_set=row.change_set_id, history_type=audit.REMOVED, **{name: key}
            )
            continue
        known = link.history.filter(
            Q(history_date__lte=row.history_date) | Q(change_set=row.change_set_id), **{name: key}
        )
        newest = {one.id: one for one in known.order_by("history_date", "history_id")}
        parts += [one for one in newest.values() if one.history_type != audit.REMOVED]
    return parts


def _removed_with(model: type[AuditedModel], key: Any, removal: Row, *, links: bool) -> list[Row]:
    """The rows removed together with a record: transitions, comments and, with ``links``, links."""
    rows = []
    for part, name in model.link_models():
        if name == part.PARENT_FIELD and (links or not part.SHOW_IN_FEED):
            rows += part.history.filter(
                change_set=removal.change_set_id, history_type=audit.REMOVED, **{name: key}
            )
    comments = comment_model()
    removed = comments.history.filter(
        change_set=removal.change_set_id, history_type=audit.REMOVED, object_id=key
    )
    return rows + [row for row in removed if parent_key(comments, row) == (model, key)]


def steps_to(model: type[AuditedModel], key: Any, row: Row) -> list[Step]:
    """The steps back to the state of a history row; empty if nothing differs."""
    return _steps(model, key, model._base_manager.filter(pk=key).first(), row)


def plan_restore(*, model: type[AuditedModel], key: Any, history_id: int) -> Plan:
    """Plan the restore, with a dry run. Raises the history model's DoesNotExist for an unknown
    entry."""
    row = model.history.get(id=key, history_id=history_id)
    live = model._base_manager.filter(pk=key).first()
    steps = _steps(model, key, live, row)
    refusals = missing_targets(steps, among=steps)
    if not steps:
        refusals = ["It is now just as it was then, so there is nothing to restore."]
    if not refusals:
        refusals = _dry_run(steps)
    names = NameCache()
    for one in filter(None, (live, row)):
        names.prefetch_for(model, one)
    return Plan(
        row=row,
        version=newest_versions(model, [key]).get(key, 0),
        is_gone=live is None,
        steps=tuple(steps),
        changes=tuple(timeline.differences(model, row, live, names)),
        links=tuple(_describe_steps(steps, model)),
        refusals=tuple(refusals),
    )


def restore(
    *,
    model: type[AuditedModel],
    key: Any,
    history_id: int,
    version: int,
    reason: str,
    person: AbstractUser,
) -> ChangeSet:
    """Restore the record in a new change set; ``version`` is that of the plan.

    Raises CannotRestoreError, also if the record was changed since it was planned, and
    PermissionDenied.
    """
    if not reason.strip():
        raise CannotRestoreError(["Say why you restore it."])
    with audit.change_set(person=person, reason=reason, source=audit.Source.RESTORE) as current:
        model.lock([key])
        plan = plan_restore(model=model, key=key, history_id=history_id)
        if plan.version != version:
            raise CannotRestoreError(
                ["Somebody changed it meanwhile. Look at the differences again."]
            )
        if plan.refusals:
            raise CannotRestoreError(list(plan.refusals))
        if not person.has_perms(set().union(*(step.permissions for step in plan.steps))):
            raise PermissionDenied
        _apply(plan.steps)
        return current


def _steps(model: type[AuditedModel], key: Any, live: AuditedModel | None, row: Row) -> list[Step]:
    targets = link_rows_at(model, key, row)
    if live is None:
        removal = model.history.filter(id=key, history_type=audit.REMOVED).latest("history_id")
        if row.history_type == audit.REMOVED:
            targets = _removed_with(model, key, removal, links=True)
        else:
            targets += _removed_with(model, key, removal, links=False)
    steps = []
    if live is None or not has_same_values(model, live, row):
        version = newest_versions(model, [key])[key]
        steps.append(Step(model, key, live, row, version))
    wanted: dict[type[AuditedModel], dict[Any, Row]] = {}
    for part in targets:
        wanted.setdefault(part.instance_type, {})[part.id] = part
    for link, name in model.link_models():
        if link.SHOW_IN_FEED and name == link.PARENT_FIELD:
            wanted.setdefault(link, {})
    for part, rows in wanted.items():
        if live is not None:
            name = part.PARENT_FIELD
            existing = {one.pk: one for one in part._base_manager.filter(**{name: key})}
        else:
            existing = part._base_manager.in_bulk(list(rows))
        versions = newest_versions(part, {*existing, *rows})
        for one in {*existing, *rows}:
            current, target = existing.get(one), rows.get(one)
            if current is None or target is None or not has_same_values(part, current, target):
                steps.append(Step(part, one, current, target, versions[one]))
    return steps


def _apply(steps: Iterable[Step]) -> None:
    """Apply the steps. Raises CannotRestoreError if a current rule refuses the earlier state."""
    try:
        for group in in_dependency_order(steps):
            for step in group:
                if step.kind == audit.CREATED and not step.model.SHOW_IN_FEED:
                    step.restored_record().save()  # Its parent is restored after it.
                else:
                    step.apply()
    except ValidationError as error:
        raise CannotRestoreError(error_messages_of(error, step.model)) from error
    except ProtectedError as error:
        users = ", ".join(str(one) for one in list(error.protected_objects)[:3])
        raise CannotRestoreError([f"Something that would go is in use: {users}."]) from error
    except IntegrityError as error:
        raise CannotRestoreError([broken_rule(error) or str(error)]) from error
    except StaleRecordError as error:
        raise CannotRestoreError([str(error)]) from error


class _RollbackError(Exception):
    """Rolls a dry run back."""


def _dry_run(steps: list[Step]) -> list[str]:
    """Apply the steps and roll back; returns the reasons for which they fail."""
    fresh = [
        Step(
            step.model,
            step.key,
            step.model._base_manager.filter(pk=step.key).first(),
            step.target,
            step.version,
        )
        for step in steps
    ]
    try:
        with audit.change_set(), transaction.atomic():
            _apply(fresh)
            raise _RollbackError
    except _RollbackError:
        return []
    except CannotRestoreError as error:
        return error.sentences


def _describe_steps(steps: list[Step], owner: type[AuditedModel]) -> list[str]:
    """A phrase for each step of a link or comment."""
    names = NameCache()
    parts = [step for step in steps if step.model is not owner and step.model.SHOW_IN_FEED]
    for step in parts:
        for row in filter(None, (step.current, step.target)):
            names.prefetch_for(step.model, row)
    phrases = []
    for step in parts:
        if step.model.IS_COMMENT and step.target is not None:
            phrases.append(f"comment “{step.target.text}” back")
            continue
        what = step.model.describe_link(step.current or step.target, names)
        if step.kind == audit.CHANGED:
            changes = timeline.differences(step.model, step.target, step.current, names)
            phrases.append(f"{what}: {'; '.join(change.phrase for change in changes)}")
        else:
            phrases.append(f"{what} {'back' if step.kind == audit.CREATED else 'removed'}")
    return sorted(phrases)
