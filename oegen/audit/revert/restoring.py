"""A record, its links included, brought back to what it was at an entry of its history."""

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
    belongs_to,
    in_order,
    is_same,
    missing_targets,
    newest_versions,
    sentences_of,
)
from oegen.core.exceptions import StaleRecordError
from oegen.core.triggers import broken_rule

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractUser


class CannotRestoreError(Exception):
    """The earlier state no longer fits; ``sentences`` say why to people."""

    def __init__(self, sentences: list[str]):
        self.sentences = sentences
        super().__init__(" ".join(sentences))


@dataclass(frozen=True)
class Plan:
    """What restoring would do. ``version`` is the record's newest one, for the guard."""

    row: Row
    version: int
    is_gone: bool
    steps: tuple[Step, ...]
    #: What would change of the record itself.
    changes: tuple[timeline.FieldChange, ...]
    #: What would change of its links, in words.
    links: tuple[str, ...]
    #: Why it can't be done; empty if it can.
    refusals: tuple[str, ...]


def parts_at(model: type[AuditedModel], key: Any, row: Row) -> list[Row]:
    """The links of a record as they were when the change set of its history row was done; of the
    row that removed it, as they were until then."""
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
    """What went with a record: its transitions, its comments and, with ``links``, its links."""
    rows = []
    for part, name in model.link_models():
        if name == part.PARENT_FIELD and (links or not part.SHOW_IN_FEED):
            rows += part.history.filter(
                change_set=removal.change_set_id, history_type=audit.REMOVED, **{name: key}
            )
    comments = comment_model()
    said = comments.history.filter(
        change_set=removal.change_set_id, history_type=audit.REMOVED, object_id=key
    )
    return rows + [row for row in said if belongs_to(comments, row) == (model, key)]


def steps_to(model: type[AuditedModel], key: Any, row: Row) -> list[Step]:
    """What would have to be done to go back to the history row; nothing where all is as it was."""
    return _steps(model, key, model._base_manager.filter(pk=key).first(), row)


def plan_restore(*, model: type[AuditedModel], key: Any, history_id: int) -> Plan:
    """Raises the history model's DoesNotExist when the record has no such entry."""
    row = model.history.get(id=key, history_id=history_id)
    live = model._base_manager.filter(pk=key).first()
    steps = _steps(model, key, live, row)
    refusals = missing_targets(steps, among=steps)
    if not steps:
        refusals = ["It is now just as it was then, so there is nothing to restore."]
    if not refusals:
        refusals = _try(steps)
    names = NameCache()
    for one in filter(None, (live, row)):
        names.prefetch_for(model, one)
    return Plan(
        row=row,
        version=newest_versions(model, [key]).get(key, 0),
        is_gone=live is None,
        steps=tuple(steps),
        changes=tuple(timeline.differences(model, row, live, names)),
        links=tuple(_in_words(steps, model)),
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
    """One new change set that makes the record what it was; ``version`` is the plan's.

    Raises CannotRestoreError, also when somebody changed the record since the plan was made, and
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
        if not person.has_perms({step.permission for step in plan.steps}):
            raise PermissionDenied
        _take(plan.steps)
        return current


def _steps(model: type[AuditedModel], key: Any, live: AuditedModel | None, row: Row) -> list[Step]:
    then = parts_at(model, key, row)
    if live is None:
        removal = model.history.filter(id=key, history_type=audit.REMOVED).latest("history_id")
        if row.history_type == audit.REMOVED:
            then = _removed_with(model, key, removal, links=True)
        else:
            then += _removed_with(model, key, removal, links=False)
    steps = []
    if live is None or not is_same(model, live, row):
        version = newest_versions(model, [key])[key]
        steps.append(Step(model, key, live, row, version))
    wanted: dict[type[AuditedModel], dict[Any, Row]] = {}
    for part in then:
        wanted.setdefault(part.instance_type, {})[part.id] = part
    for link, name in model.link_models():
        if link.SHOW_IN_FEED and name == link.PARENT_FIELD:
            wanted.setdefault(link, {})
    for part, rows in wanted.items():
        if live is not None:
            name = part.PARENT_FIELD
            there = {one.pk: one for one in part._base_manager.filter(**{name: key})}
        else:
            there = part._base_manager.in_bulk(list(rows))
        versions = newest_versions(part, {*there, *rows})
        for one in {*there, *rows}:
            now, earlier = there.get(one), rows.get(one)
            if now is None or earlier is None or not is_same(part, now, earlier):
                steps.append(Step(part, one, now, earlier, versions[one]))
    return steps


def _take(steps: Iterable[Step]) -> None:
    """Raises CannotRestoreError when a rule of today refuses what was."""
    try:
        for group in in_order(steps):
            for step in group:
                if step.kind == audit.CREATED and not step.model.SHOW_IN_FEED:
                    step.target().save()  # Its owner comes after it.
                else:
                    step.take()
    except ValidationError as error:
        raise CannotRestoreError(sentences_of(error, step.model)) from error
    except ProtectedError as error:
        users = ", ".join(str(one) for one in list(error.protected_objects)[:3])
        raise CannotRestoreError([f"Something that would go is in use: {users}."]) from error
    except IntegrityError as error:
        raise CannotRestoreError([broken_rule(error) or str(error)]) from error
    except StaleRecordError as error:
        raise CannotRestoreError([str(error)]) from error


class _TakenBack(Exception):
    """Ends a trial."""


def _try(steps: list[Step]) -> list[str]:
    """Why the steps can't be taken, found by taking them and rolling back."""
    fresh = [
        Step(
            step.model,
            step.key,
            step.model._base_manager.filter(pk=step.key).first(),
            step.then,
            step.version,
        )
        for step in steps
    ]
    try:
        with audit.change_set(), transaction.atomic():
            _take(fresh)
            raise _TakenBack
    except _TakenBack:
        return []
    except CannotRestoreError as error:
        return error.sentences


def _in_words(steps: list[Step], owner: type[AuditedModel]) -> list[str]:
    """The steps of the links and comments, one phrase each."""
    names = NameCache()
    parts = [step for step in steps if step.model is not owner and step.model.SHOW_IN_FEED]
    for step in parts:
        for row in filter(None, (step.now, step.then)):
            names.prefetch_for(step.model, row)
    phrases = []
    for step in parts:
        if step.model.IS_COMMENT and step.then is not None:
            phrases.append(f"comment “{step.then.text}” back")
            continue
        what = step.model.describe_link(step.now or step.then, names)
        if step.kind == audit.CHANGED:
            changes = timeline.differences(step.model, step.then, step.now, names)
            phrases.append(f"{what}: {'; '.join(change.phrase for change in changes)}")
        else:
            phrases.append(f"{what} {'back' if step.kind == audit.CREATED else 'removed'}")
    return sorted(phrases)
