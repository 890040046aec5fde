"""The way back of records, for restoring one and for undoing a change set.

Going back is a new change like any other: nothing of the history is taken away.
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
    """One record's way: from the record as it is to what a history row says; None where it is
    not there. ``version`` is its newest one, whether it is there or not."""

    model: type[AuditedModel]
    key: Any
    now: AuditedModel | None
    then: Row | None
    version: int

    @property
    def kind(self) -> str:
        """What going this way does: audit.CREATED brings it back, audit.REMOVED removes it."""
        if self.now is None:
            return audit.CREATED
        return audit.REMOVED if self.then is None else audit.CHANGED

    @property
    def permission(self) -> str:
        """What a person needs to take the step."""
        return permission_for(self.model, self.kind)

    @property
    def belongs_to(self) -> tuple[type[models.Model], Any] | None:
        """The record it goes with: the owner of a link, the subject of a comment."""
        return belongs_to(self.model, self.now or self.then)

    def target(self) -> AuditedModel:
        """The record as the step is to leave it, unsaved."""
        if self.now is None:
            record = audit.instance_from_row(self.then)
            record.version = self.version + 1
            record.modified_at = timezone.now()
            return record
        for field in changeable(self.model):
            setattr(self.now, field.attname, getattr(self.then, field.attname))
        return self.now

    def take(self) -> None:
        """Raises ValidationError where the record's own rules refuse what it was."""
        if self.now is not None and self.then is None:
            self.now.delete()
            return
        record = self.target()
        record.full_clean()
        record.save()


def permission_for(model: type[AuditedModel], kind: str) -> str:
    """``kind`` is what is done to a record of the model: audit.CREATED, CHANGED or REMOVED."""
    return f"{model._meta.app_label}.{ACTIONS[kind]}_{model._meta.model_name}"


def changeable(model: type[AuditedModel]) -> list[models.Field[Any, Any]]:
    return [
        field
        for field in model._meta.concrete_fields
        if not field.generated and field.name not in model.BOOKKEEPING
    ]


def is_same(model: type[AuditedModel], one: Row, other: Row) -> bool:
    return all(
        getattr(one, field.attname) == getattr(other, field.attname) for field in changeable(model)
    )


def belongs_to(model: type[AuditedModel], row: Row) -> tuple[type[AuditedModel], Any] | None:
    if model.IS_COMMENT:
        return subject_model(row.content_type_id), row.object_id
    if owner := model.parent_field():
        return model.parent_model(), getattr(row, owner.attname)
    return None


def newest_versions(model: type[AuditedModel], keys: Iterable[Any]) -> dict[Any, int]:
    rows = model.history.filter(id__in=list(keys)).order_by().values_list("id")
    return dict(rows.annotate(models.Max("version")))


def in_order(steps: Iterable[Step]) -> list[list[Step]]:
    """Steps of one model and kind together, so ordered that each finds what it needs.

    Links go before what they tie together and come after it. What is not news, such as a
    pipeline's transitions, comes back before its owner, which would else make new ones. Records
    are set back before others come back, whose names or numbers they may have taken.
    """
    place = {model: number for number, model in enumerate(audit.tracked_models())}
    groups: dict[tuple[int, int, bool, str], list[Step]] = defaultdict(list)
    for step in steps:
        is_part = step.belongs_to is not None
        if step.kind == audit.REMOVED:
            phase = 0 if is_part else 4
        elif is_part:
            phase = 3 if step.model.SHOW_IN_FEED else 1
        else:
            phase = 2
        order = -place[step.model] if step.kind == audit.REMOVED else place[step.model]
        needs_others = any(field.related_model is step.model for field in changeable(step.model))
        is_late = step.kind == (audit.CHANGED if needs_others else audit.CREATED)
        groups[phase, order, is_late, step.kind].append(step)
    return [groups[key] for key in sorted(groups)]


def missing_targets(steps: Iterable[Step], *, among: Iterable[Step]) -> list[str]:
    """A sentence for each record that ``steps`` would point to and that is not there, and does
    not come back by one of the steps ``among`` which they are."""
    among = list(among)
    back = {(step.model, step.key) for step in among if step.kind == audit.CREATED}
    gone = {(step.model, step.key) for step in among if step.kind == audit.REMOVED}
    wanted: dict[type[models.Model], set[Any]] = defaultdict(set)
    names = NameCache()
    for step in steps:
        if step.kind == audit.REMOVED:
            continue
        names.prefetch_for(step.model, step.then)
        for field in step.model._meta.concrete_fields:
            if target := target_of(field):
                wanted[target].add(getattr(step.then, field.attname))
        if part_of := step.belongs_to:
            wanted[part_of[0]].add(part_of[1])
    sentences = []
    for model, keys in wanted.items():
        keys -= {None}
        there = set(model._base_manager.filter(pk__in=keys).values_list("pk", flat=True))
        for key in sorted(keys, key=str):
            if (key not in there and (model, key) not in back) or (model, key) in gone:
                noun = capfirst(model._meta.verbose_name)
                sentences.append(
                    f"{noun} “{names.get(model, key)}”, which it pointed to, has been removed. "
                    "Bring that back first."
                )
    return sentences


def sentences_of(error: ValidationError, model: type[AuditedModel]) -> list[str]:
    """What a record's rules say against it, with the names of the fields."""
    if not hasattr(error, "error_dict"):
        return list(error.messages)
    found = []
    for name, messages in error.message_dict.items():
        try:
            label = f"{capfirst(own_field(model, name).verbose_name)}: "
        except FieldDoesNotExist:
            label = ""
        found += [f"{label}{message}" for message in messages]
    return found
