"""Undoing a change set, except for records that were changed since.

One new change set removes the records that it added, brings back those that it removed, and sets
the others back to their earlier values. A record that was changed since, or that is used by another
record that stays, is skipped together with its parts.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from django.apps import apps
from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, models, transaction
from django.db.models import ProtectedError
from django.urls import reverse
from django.utils import formats, timezone
from django.utils.text import get_text_list

from oegen import audit
from oegen.audit.audited import AuditedModel
from oegen.audit.changesets import ChangeSet
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
    permission_for,
    restorable_fields,
)
from oegen.core import words
from oegen.core.exceptions import StaleRecordError
from oegen.core.triggers import broken_rule

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractUser

#: A record: its model and primary key.
Key = tuple[type[AuditedModel], Any]

CHANGED_SINCE = "changed since"

#: The reason for skipping copies (``IS_COPY``).
COPIES = "Accounts and groups are not set back by undoing: change them in the admin."

#: The reason for skipping records that are written once (``is_append_only``).
WRITTEN_ONCE = "It was recorded for good, and nobody can change or remove it."


class CannotUndoError(Exception):
    """The change set can't be undone; the text is shown to the user."""


@dataclass(frozen=True)
class Skipped:
    """A record that is not set back, and why. ``restore_url`` is the page that shows and restores
    its state before the change set; empty if there is none."""

    model: type[AuditedModel]
    key: Any
    name: str
    url: str
    why: str
    restore_url: str = ""


@dataclass(frozen=True)
class Plan:
    change_set: ChangeSet
    steps: tuple[Step, ...]
    skipped: tuple[Skipped, ...]
    #: Why nothing can be undone; empty if something can.
    refusal: str = ""

    @property
    def counts(self) -> dict[str, int]:
        """The number of records to remove, bring back and set back, by label."""
        verbs = {audit.CREATED: "back", audit.CHANGED: "set back", audit.REMOVED: "removed"}
        tally: Counter[tuple[type[AuditedModel], str]] = Counter(
            (step.model, step.kind) for step in self.steps
        )
        return {
            f"{words.noun_of(model, number)} {verbs[kind]}": number
            for (model, kind), number in tally.items()
        }


def count_rows(change_set: ChangeSet) -> dict[type[AuditedModel], dict[str, int]]:
    """The number of history rows of the change set, by model and history type."""
    counts = {}
    for label in change_set.contents:
        history = apps.get_model(label)
        rows = history.objects.filter(change_set=change_set).order_by().values_list("history_type")
        counts[history.instance_type] = dict(rows.annotate(models.Count("pk")))
    return counts


def permissions_for(change_set: ChangeSet) -> set[str]:
    """The permissions that undoing the whole change set requires, determined without a plan."""
    opposite = {audit.CREATED: audit.REMOVED, audit.REMOVED: audit.CREATED}
    return {
        permission_for(model, opposite.get(kind, kind))
        for model, kinds in count_rows(change_set).items()
        for kind in kinds
        if _requires_permission(change_set, model)
    }


def permissions_for_steps(change_set: ChangeSet, steps: Iterable[Step]) -> set[str]:
    """The permissions that these steps require."""
    return {
        permission
        for step in steps
        if _requires_permission(change_set, step.model)
        for permission in step.permissions
    }


def _requires_permission(change_set: ChangeSet, model: type[AuditedModel]) -> bool:
    """Whether a permission for the model is required. Undoing a merge requires permissions for the
    merged model only, not for the models that refer to it."""
    return change_set.source != audit.Source.MERGE or bool(model.MERGE_FIELDS)


def plan_undo(change_set: ChangeSet) -> Plan:
    """Plan the undo without writing: the database may still refuse some of the steps."""
    steps, skipped = _split_steps(change_set)
    return Plan(
        change_set,
        tuple(steps.values()),
        tuple(_skipped_records(skipped, change_set)),
        _refusal(change_set, steps, skipped),
    )


def _refusal(change_set: ChangeSet, steps: dict[Key, Step], skipped: dict[Key, str]) -> str:
    if change_set.source == audit.Source.MIGRATION:
        return "The set-up of the database can't be undone: the program relies on it."
    for why in (COPIES, WRITTEN_ONCE):
        if not steps and why in skipped.values():
            return why
    if not steps:
        return (
            "There is nothing left to undo: each of its records has been changed since or set back "
            "already, and undoing takes back whole records only."
        )
    return ""


def undo(
    *, change_set: ChangeSet, reason: str, person: AbstractUser
) -> tuple[ChangeSet, list[Skipped]]:
    """Undo the change set; returns the new change set and the skipped records.

    Raises CannotUndoError if nothing can be undone, and PermissionDenied.
    """
    if not reason.strip():
        raise CannotUndoError("Say why you undo it.")
    with audit.change_set(
        person=person, reason=reason, source=audit.Source.UNDO, undoes=change_set
    ) as current:
        for model in audit.tracked_models():
            keys = model.history.filter(change_set=change_set).values_list("id", flat=True)
            model.lock(set(keys))
        steps, skipped = _split_steps(change_set)
        if refusal := _refusal(change_set, steps, skipped):
            raise CannotUndoError(refusal)
        if not person.has_perms(permissions_for_steps(change_set, steps.values())):
            raise PermissionDenied
        while refused := _attempt(steps.values()):
            for key, why in refused.items():
                del steps[key]
                skipped[key] = why
            _skip_dependencies(steps, skipped)
        not_undone = list(_skipped_records(skipped, change_set))
        if not steps:
            raise CannotUndoError(
                f"None of it can be undone. {not_undone[-1].name}: {not_undone[-1].why}"
            )
        return current, not_undone


def _split_steps(change_set: ChangeSet) -> tuple[dict[Key, Step], dict[Key, str]]:
    """The steps that undo the change set, and the reasons why other records are skipped."""
    steps: dict[Key, Step] = {}
    skipped: dict[Key, str] = {}
    for model in audit.tracked_models():
        for step, last in _own_steps(model, change_set):
            if model.IS_COPY or model.is_append_only:
                skipped[model, step.key] = COPIES if model.IS_COPY else WRITTEN_ONCE
                continue
            if last.history_type == audit.REMOVED:
                is_unchanged = step.current is None
            else:
                is_unchanged = step.current is not None and step.current.version == last.version
            if not is_unchanged:
                skipped[model, step.key] = CHANGED_SINCE
            elif (
                step.current is None
                or step.target is None
                or not has_same_values(model, step.current, step.target)
            ):
                steps[model, step.key] = step
    for key in [key for key, step in steps.items() if step.current is None and step.target is None]:
        del steps[key]
    _skip_dependencies(steps, skipped)
    return steps, skipped


def _own_steps(model: type[AuditedModel], change_set: ChangeSet) -> Iterator[tuple[Step, Row]]:
    """A step back for each record of the model that the change set wrote, with its last row there.

    Imported rows about a record's past (version 0) do not count as writes.
    """
    first: dict[Any, Row] = {}
    last: dict[Any, Row] = {}
    rows = model.history.filter(change_set=change_set, version__gt=0).order_by("history_id")
    for row in rows:
        first.setdefault(row.id, row)
        last[row.id] = row
    if not first:
        return
    before: dict[Any, Row] = {}
    known = model.history.filter(id__in=list(first), version__gt=0).order_by("history_id")
    for row in known.iterator():
        if row.history_id < first[row.id].history_id:
            before[row.id] = row
    live = model._base_manager.in_bulk(list(first))
    versions = newest_versions(model, first)
    for key, row in last.items():
        target = before.get(key)
        if target is not None and target.history_type == audit.REMOVED:
            target = None
        yield Step(model, key, live.get(key), target, versions[key]), row


def _skip_dependencies(steps: dict[Key, Step], skipped: dict[Key, str]) -> None:
    """Move steps that depend on skipped records to ``skipped``, until there are no more."""
    while True:
        parts = [key for key, step in steps.items() if step.parent_key in skipped]
        for key in parts:
            del steps[key]
        used = dict(_in_use(steps))
        for key, why in used.items():
            del steps[key]
            skipped[key] = why
        if not parts and not used:
            return


def _in_use(steps: dict[Key, Step]) -> Iterator[tuple[Key, str]]:
    """Yield the records to remove that other rows would still refer to, with the reason."""
    removed_keys: dict[type[AuditedModel], set[Any]] = defaultdict(set)
    for (model, key), step in steps.items():
        if step.kind == audit.REMOVED:
            removed_keys[model].add(key)
    for model, keys in removed_keys.items():
        users = [
            (user, name, user._base_manager.filter(**{f"{name}__in": keys}))
            for user, name in model.link_models()
        ]
        if hasattr(model, "comments"):
            subject = ContentType.objects.get_for_model(model)
            comments = comment_model()
            written = comments.objects.filter(content_type=subject, object_id__in=keys)
            users.append((comments, "object", written))
        for user, name, rows in users:
            for row in rows:
                own = steps.get((user, row.pk))
                if own and (
                    own.kind == audit.REMOVED
                    or getattr(own.target, f"{name}_id") != getattr(row, f"{name}_id")
                ):
                    continue
                noun = user._meta.verbose_name
                yield (model, getattr(row, f"{name}_id")), f"in use since: {noun} “{row}”"


class _RefusedError(Exception):
    """Rolls an attempt back."""


def _attempt(steps: Iterable[Step]) -> dict[Key, str]:
    """Apply all steps; or apply none and return the refused ones, with the reason."""
    steps = list(steps)
    refused: dict[Key, str] = {}
    try:
        with transaction.atomic():
            for group in in_dependency_order(steps):
                refused |= _apply_group(group, steps)
            if refused:
                raise _RefusedError
    except _RefusedError:
        pass
    return refused


def _apply_group(group: list[Step], steps: list[Step]) -> dict[Key, str]:
    """Apply steps of one model and kind in bulk; if that fails, one by one, to find the refused
    ones."""
    try:
        with transaction.atomic():
            if not missing_targets(group, among=steps):
                _apply_in_bulk(group)
                return {}
    except (ProtectedError, IntegrityError, StaleRecordError):
        pass  # The loop below finds the step.
    refused: dict[Key, str] = {}
    for step in group:
        try:
            with transaction.atomic():
                if missing := missing_targets([step], among=steps):
                    refused[step.model, step.key] = " ".join(missing)
                else:
                    replace(
                        step, current=step.model._base_manager.filter(pk=step.key).first()
                    ).apply()
        except ValidationError as error:
            refused[step.model, step.key] = " ".join(error_messages_of(error, step.model))
        except ProtectedError as error:
            refused[step.model, step.key] = f"in use: {next(iter(error.protected_objects))}"
        except IntegrityError as error:
            refused[step.model, step.key] = broken_rule(error) or str(error)
        except StaleRecordError as error:
            refused[step.model, step.key] = str(error)
    return refused


def _apply_in_bulk(group: list[Step]) -> None:
    model, kind = group[0].model, group[0].kind
    keys = [step.key for step in group]
    if kind == audit.REMOVED:
        model.objects.filter(pk__in=keys).delete()
        return
    if kind == audit.CREATED:
        model.objects.bulk_create([step.restored_record() for step in group])
        return
    fields = [
        field.name
        for field in restorable_fields(model)
        if any(
            getattr(step.current, field.attname) != getattr(step.target, field.attname)
            for step in group
        )
    ]
    # Write to fresh instances, so that the steps can be applied again.
    records = model._base_manager.in_bulk(keys)
    targets = [replace(step, current=records[step.key]).restored_record() for step in group]
    model.objects.bulk_update(targets, fields)


def _skipped_records(skipped: dict[Key, str], change_set: ChangeSet) -> Iterable[Skipped]:
    """Name the skipped records and who changed them; parts of a listed record are left out."""
    by_model: dict[type[AuditedModel], list[Any]] = defaultdict(list)
    for model, key in skipped:
        by_model[model].append(key)
    for model, keys in by_model.items():
        before, left, newest = {}, {}, {}
        rows = model.history.filter(id__in=keys).select_related("history_user")
        for row in rows.order_by("history_id"):
            if row.change_set_id == change_set.pk:
                left[row.id] = row
                continue
            newest[row.id] = row
            if row.id not in left and row.version:
                before[row.id] = row
        live = model._base_manager.in_bulk(keys)
        for key in keys:
            row, record = newest.get(key), live.get(key)
            why = skipped[model, key]
            if why == CHANGED_SINCE and row is not None:
                who = row.history_user or "the system"
                when = formats.date_format(timezone.localtime(row.history_date), "DATETIME_FORMAT")
                what = _changed_fields(model, left.get(key), live.get(key))
                why = f"changed since, by {who}, {when}{what}"
            shown = record if record is not None else row and audit.instance_from_row(row)
            part_of = parent_key(model, shown)
            if part_of in skipped:
                continue
            url = ""
            if record is not None and hasattr(record, "get_absolute_url"):
                url = record.get_absolute_url()
            name = str(record) if record is not None else _name_of_removed(model, shown)
            restore_url = ""
            if url and key in before and skipped[model, key] == CHANGED_SINCE:
                address = [model._meta.model_name, key, before[key].history_id]
                restore_url = reverse("history-restore", args=address)
            yield Skipped(model, key, name, url, why, restore_url)


def _changed_fields(
    model: type[AuditedModel], left: Row | None, record: AuditedModel | None
) -> str:
    """The fields that were changed since the change set: “: RAG comment and RTB date”."""
    if left is None or record is None:
        return ""
    labels = [
        str(field.verbose_name)
        for field in restorable_fields(model)
        if getattr(left, field.attname) != getattr(record, field.attname)
    ]
    return f": {get_text_list(labels, 'and')}" if labels else ""


def _name_of_removed(model: type[AuditedModel], row: AuditedModel) -> str:
    """The name of a removed record; for a link, the names of what it linked, from the history."""
    owner = model.parent_field()
    if owner is None:
        return str(row)
    names = NameCache()
    names.prefetch_for(model, row)
    parent = names.get(owner.remote_field.model, getattr(row, owner.attname))
    return f"{parent}: {model.describe_link(row, names)}"
