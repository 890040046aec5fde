"""Steps that set records back, for restoring a record and for undoing a change set.

Setting back is a change like any other: it adds to the history and removes nothing from it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import FieldDoesNotExist, ValidationError
from django.db import models
from django.utils import timezone
from django.utils.text import capfirst

from oegen import audit
from oegen.audit.audited import AuditedModel
from oegen.audit.narrative.names import NameCache, subject_model
from oegen.audit.registry import Row
from oegen.core.fields import own_field
from oegen.core.pointers import target_of

ACTIONS = {audit.CREATED: "add", audit.CHANGED: "change", audit.REMOVED: "delete"}


@dataclass(frozen=True)
class Step:
    """The change of one record from its ``current`` state to that of the history row ``target``;
    None where it does not exist. ``version`` is its newest version, also if it was removed."""

    model: type[AuditedModel]
    key: Any
    current: AuditedModel | None
    target: Row | None
    version: int

    @property
    def kind(self) -> str:
        """The history type of the step: audit.CREATED brings the record back, audit.REMOVED
        removes it."""
        if self.current is None:
            return audit.CREATED
        return audit.REMOVED if self.target is None else audit.CHANGED

    @property
    def permissions(self) -> set[str]:
        """The permissions that the step requires. Bringing a record back as it was when it was
        removed requires none of FIELD_PERMISSIONS."""
        needed = {permission_for(self.model, self.kind)}
        if self.model.FIELD_PERMISSIONS:
            last = self.current or self.model.history.filter(id=self.key).first()
            needed |= {
                permission
                for name, permission in self.model.FIELD_PERMISSIONS.items()
                if getattr(last, name, None) != getattr(self.target, name, None)
            }
        return needed

    @property
    def parent_key(self) -> tuple[type[models.Model], Any] | None:
        """The parent of a link or the subject of a comment, as (model, key)."""
        return parent_key(self.model, self.current or self.target)

    def restored_record(self) -> AuditedModel:
        """The record with the values of the target, unsaved."""
        if self.current is None:
            record = audit.instance_from_row(self.target)
            record.version = self.version + 1
            record.modified_at = timezone.now()
            return record
        for field in restorable_fields(self.model):
            setattr(self.current, field.attname, getattr(self.target, field.attname))
        return self.current

    def apply(self) -> None:
        """Write the target state. Raises ValidationError if the record's validation refuses it."""
        if self.current is not None and self.target is None:
            self.current.delete()
            return
        record = self.restored_record()
        record.full_clean()
        record.save()


def permission_for(model: type[AuditedModel], kind: str) -> str:
    """The permission for a history type: audit.CREATED, CHANGED or REMOVED."""
    return f"{model._meta.app_label}.{ACTIONS[kind]}_{model._meta.model_name}"


def restorable_fields(model: type[AuditedModel]) -> list[models.Field[Any, Any]]:
    """All fields but generated ones and those for bookkeeping."""
    return [
        field
        for field in model._meta.concrete_fields
        if not field.generated and field.name not in model.BOOKKEEPING
    ]


def has_same_values(model: type[AuditedModel], one: Row, other: Row) -> bool:
    return all(
        getattr(one, field.attname) == getattr(other, field.attname)
        for field in restorable_fields(model)
    )


def parent_key(model: type[AuditedModel], row: Row) -> tuple[type[AuditedModel], Any] | None:
    """The parent of a link or the subject of a comment, as (model, key); None for others."""
    if model.IS_COMMENT:
        return subject_model(row.content_type_id), row.object_id
    if owner := model.parent_field():
        return model.parent_model(), getattr(row, owner.attname)
    return None


def newest_versions(model: type[AuditedModel], keys: Iterable[Any]) -> dict[Any, int]:
    rows = model.history.filter(id__in=list(keys)).order_by().values_list("id")
    return dict(rows.annotate(models.Max("version")))


def in_dependency_order(steps: Iterable[Step]) -> list[list[Step]]:
    """Group the steps by model and kind, in an order that respects their dependencies.

    Links are removed before the records they link and created after them. Rows outside the feed,
    such as a pipeline's transitions, are created before their parent, which would otherwise create
    new ones. Records are set back before others are created, whose names or numbers they may have
    taken.
    """
    rank = {model: number for number, model in enumerate(audit.tracked_models())}
    groups: dict[tuple[int, int, bool, str], list[Step]] = defaultdict(list)
    for step in steps:
        is_part = step.parent_key is not None
        if step.kind == audit.REMOVED:
            phase = 0 if is_part else 4
        elif is_part:
            phase = 3 if step.model.SHOW_IN_FEED else 1
        else:
            phase = 2
        order = -rank[step.model] if step.kind == audit.REMOVED else rank[step.model]
        needs_others = any(
            field.related_model is step.model for field in restorable_fields(step.model)
        )
        is_late = step.kind == (audit.CHANGED if needs_others else audit.CREATED)
        groups[phase, order, is_late, step.kind].append(step)
    return [groups[key] for key in sorted(groups)]


def missing_targets(steps: Iterable[Step], *, among: Iterable[Step]) -> list[str]:
    """A message for each record that ``steps`` would refer to and that neither exists nor is
    created by one of the steps in ``among``, which includes ``steps``."""
    among = list(among)
    created = {(step.model, step.key) for step in among if step.kind == audit.CREATED}
    removed = {(step.model, step.key) for step in among if step.kind == audit.REMOVED}
    wanted: dict[type[models.Model], set[Any]] = defaultdict(set)
    names = NameCache()
    for step in steps:
        if step.kind == audit.REMOVED:
            continue
        names.prefetch_for(step.model, step.target)
        for field in step.model._meta.concrete_fields:
            if target := target_of(field):
                wanted[target].add(getattr(step.target, field.attname))
        if part_of := step.parent_key:
            wanted[part_of[0]].add(part_of[1])
    sentences = []
    for model, keys in wanted.items():
        keys -= {None}
        existing = set(model._base_manager.filter(pk__in=keys).values_list("pk", flat=True))
        for key in sorted(keys, key=str):
            if (key not in existing and (model, key) not in created) or (model, key) in removed:
                noun = capfirst(model._meta.verbose_name)
                sentences.append(
                    f"{noun} “{names.get(model, key)}”, which it pointed to, has been removed. "
                    "Bring that back first."
                )
    return sentences


def error_messages_of(error: ValidationError, model: type[AuditedModel]) -> list[str]:
    """The messages of a validation error, prefixed with the names of their fields."""
    if not hasattr(error, "error_dict"):
        return list(error.messages)
    sentences = []
    for name, messages in error.message_dict.items():
        try:
            label = f"{capfirst(own_field(model, name).verbose_name)}: "
        except FieldDoesNotExist:
            label = ""
        sentences += [f"{label}{message}" for message in messages]
    return sentences
