"""Merging of duplicates: the survivor takes over all references to the other record, which is
removed.

This is one change set, which can be undone (oegen.audit.revert.undoing). The history of the removed
record stays, and its URL leads to the survivor.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.contrib.contenttypes.fields import GenericForeignKey
from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, models
from django.db.models import ProtectedError

from oegen import audit
from oegen.audit.audited import AuditedModel
from oegen.audit.changesets import ChangeSet, key_of
from oegen.audit.narrative import timeline
from oegen.audit.narrative.names import NameCache
from oegen.audit.revert.steps import error_messages_of, permission_for
from oegen.core.exceptions import StaleRecordError
from oegen.core.fields import CountryField, country_name, own_field
from oegen.core.pointers import pointers_to
from oegen.core.triggers import broken_rule

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractUser

#: The origin of the value of a field or link.
SURVIVOR, MERGED, BOTH = "survivor", "merged", "both"


class CannotMergeError(Exception):
    """The two records can't be merged; the text is shown to the user."""


class PlanChangedError(CannotMergeError):
    """Records of the plan were changed since it was shown."""


@dataclass(frozen=True)
class Option:
    """An option of a choice: its field values, and a description of them."""

    code: str
    values: Mapping[str, Any]
    words: str


@dataclass(frozen=True)
class Choice:
    """A decision that the user makes; ``default`` is the code of an option."""

    name: str
    label: str
    options: tuple[Option, ...]
    default: str

    def values(self, code: str) -> Mapping[str, Any]:
        return next(option.values for option in self.options if option.code == code)


@dataclass(frozen=True)
class Move:
    """A row whose ``field`` refers to the merged record and will refer to the survivor."""

    row: AuditedModel
    field: str


@dataclass(frozen=True)
class Collision:
    """Two rows, one of each record, that would be duplicates after merging: one is kept and one
    dropped. ``choice`` is None if their values are equal."""

    kept: AuditedModel
    dropped: AuditedModel
    words: str
    choice: Choice | None


@dataclass(frozen=True)
class Plan:
    survivor: AuditedModel
    merged: AuditedModel
    differences: tuple[Choice, ...]
    moves: tuple[Move, ...]
    collisions: tuple[Collision, ...]

    @property
    def choices(self) -> list[Choice]:
        return [*self.differences, *(one.choice for one in self.collisions if one.choice)]

    @property
    def token(self) -> str:
        """A hash of the versions of all rows in the plan, to detect changes since it was made."""
        rows = [self.survivor, self.merged, *(move.row for move in self.moves)]
        for collision in self.collisions:
            rows += [collision.kept, collision.dropped]
        text = ",".join(sorted(f"{key_of(row)}={row.version}" for row in rows))
        return hashlib.sha256(text.encode()).hexdigest()


def permissions_for(model: type[AuditedModel]) -> set[str]:
    return {permission_for(model, kind) for kind in (audit.CHANGED, audit.REMOVED)}


def plan_merge(survivor: AuditedModel, merged: AuditedModel) -> Plan:
    """Plan the merge without writing: the database may still refuse it.

    Raises CannotMergeError if both are the same record.
    """
    if survivor.pk == merged.pk:
        raise CannotMergeError("Choose another record: this one can't be merged with itself.")
    moves, pairs = [], []
    by_kind: dict[tuple[type[AuditedModel], str], list[Move]] = defaultdict(list)
    for move in _references(merged):
        by_kind[type(move.row), move.field].append(move)
    for (model, field), found in by_kind.items():
        unique_rows = _UniqueRows(model, field, survivor)
        for move in found:
            duplicate = unique_rows.duplicate_of(move.row)
            if duplicate is None:
                moves.append(move)
            else:
                pairs.append((duplicate, move))
    return Plan(
        survivor,
        merged,
        tuple(_differences(survivor, merged)),
        tuple(moves),
        tuple(_collisions(pairs)),
    )


def _references(record: AuditedModel) -> Iterator[Move]:
    """All audited rows that refer to the record: links, other records, comments, external
    references."""
    # Not link_models(), which omits foreign keys without a reverse accessor.
    for relation in record._meta.get_fields(include_hidden=True):
        if not isinstance(relation, models.ForeignObjectRel) or not relation.one_to_many:
            continue
        model = relation.related_model
        if isinstance(model, type) and issubclass(model, AuditedModel):
            field = relation.field.name
            for row in model._base_manager.filter(**{field: record.pk}).order_by("pk"):
                yield Move(row, field)
    for pointer in pointers_to(type(record)):
        rows: models.QuerySet[Any] = pointer.model._base_manager.filter(**{pointer.name: record.pk})
        for row in rows.order_by("pk"):
            yield Move(row, pointer.name)
    content_type = ContentType.objects.get_for_model(record)
    for model, key in _generic_foreign_keys():
        subject = {key.ct_field: content_type, key.fk_field: record.pk}
        for row in model._base_manager.filter(**subject).order_by("pk"):
            yield Move(row, key.fk_field)


def _generic_foreign_keys() -> Iterator[tuple[type[AuditedModel], GenericForeignKey]]:
    for model in audit.tracked_models():
        for field in model._meta.private_fields:
            if isinstance(field, GenericForeignKey):
                yield model, field


class _UniqueRows:
    """The survivor's rows that would violate a unique constraint together with moved rows."""

    def __init__(self, model: type[AuditedModel], field: str, survivor: AuditedModel):
        self._rules = [
            [own_field(model, name).attname for name in rule.fields if name != field]
            for rule in model._meta.constraints
            if isinstance(rule, models.UniqueConstraint) and field in rule.fields
        ]
        rows = model._base_manager.filter(**{field: survivor.pk}) if self._rules else ()
        self._rows = {key: row for row in rows for key in self._keys(row)}

    def _keys(self, row: AuditedModel) -> list[tuple[Any, ...]]:
        return [
            (number, *(getattr(row, name) for name in names))
            for number, names in enumerate(self._rules)
        ]

    def duplicate_of(self, row: AuditedModel) -> AuditedModel | None:
        return next((self._rows[key] for key in self._keys(row) if key in self._rows), None)


def _collisions(pairs: list[tuple[AuditedModel, Move]]) -> Iterator[Collision]:
    names = NameCache()
    for kept, _ in pairs:
        names.prefetch_for(type(kept), kept)
    for kept, move in pairs:
        choice = _choice_between(kept, move, names)
        yield Collision(kept, move.row, describe_reference(kept, names), choice)


def describe_reference(row: Any, names: NameCache) -> str:
    """Describe a row that refers to a record. Its names must be prefetched into ``names``."""
    if row.IS_COMMENT:
        return f"“{row.text}”"
    if owner := row.parent_field():
        parent = names.get(owner.remote_field.model, getattr(row, owner.attname))
        return f"{parent}: {row.describe_link(row, names)}"
    return str(row)


def _differences(survivor: AuditedModel, merged: AuditedModel) -> Iterator[Choice]:
    """A choice for each field in which the merged record has another value."""
    names = NameCache()
    for name in survivor.MERGE_FIELDS:
        field = own_field(type(survivor), name)
        own, other = (getattr(one, field.attname) for one in (survivor, merged))
        if own == other or other in (None, ""):
            continue
        options = tuple(
            Option(code, {name: value}, _format_value(field, row, names))
            for code, value, row in ((SURVIVOR, own, survivor), (MERGED, other, merged))
        )
        default = MERGED if own in (None, "") else SURVIVOR
        yield Choice(f"field-{name}", str(field.verbose_name), options, default)


def _choice_between(kept: AuditedModel, move: Move, names: NameCache) -> Choice | None:
    """The choice between the values of two colliding rows."""
    fields = [
        field
        for field in kept._meta.concrete_fields
        if field.name not in (*kept.BOOKKEEPING, move.field)
        and getattr(kept, field.attname) != getattr(move.row, field.attname)
    ]
    if not fields:
        return None

    def option(code: str, row: AuditedModel) -> Option:
        words = [f"{field.verbose_name} {_format_value(field, row, names)}" for field in fields]
        values = {field.name: getattr(row, field.name) for field in fields}
        return Option(code, values, ", ".join(words))

    options = [option(SURVIVOR, kept), option(MERGED, move.row)]
    if combined := kept.combined_with(move.row):
        both = type(kept)(**{field.name: getattr(kept, field.name) for field in fields} | combined)
        options.append(option(BOTH, both))
    label = describe_reference(kept, names)
    return Choice(f"link-{kept.pk}", label, tuple(options), options[-1].code)


def _format_value(field: models.Field[Any, Any], row: AuditedModel, names: NameCache) -> str:
    if isinstance(field, CountryField) and getattr(row, field.attname):
        return country_name(getattr(row, field.attname))
    return timeline.display(field, row, names)


def merge(
    *,
    survivor: AuditedModel,
    merged: AuditedModel,
    decisions: Mapping[str, str],
    token: str,
    reason: str,
    person: AbstractUser,
) -> ChangeSet:
    """Merge two records as planned; returns the change set.

    ``decisions`` maps the names of the choices to the codes of the chosen options.

    Raises PlanChangedError if the plan has another token now, CannotMergeError if validation or
    the database refuses it, and PermissionDenied.
    """
    model = type(survivor)
    if not person.has_perms(permissions_for(model)):
        raise PermissionDenied
    if not reason.strip():
        raise CannotMergeError("Say why they are one and the same.")
    try:
        with audit.change_set(person=person, reason=reason, source=audit.Source.MERGE) as current:
            model.lock([survivor.pk, merged.pk])
            records = model._base_manager.in_bulk([survivor.pk, merged.pk])
            if len(records) < 2:
                raise PlanChangedError("One of the two has been removed meanwhile.")
            plan = plan_merge(records[survivor.pk], records[merged.pk])
            if plan.token != token:
                raise PlanChangedError(
                    "Somebody changed one of the two, or what belongs to them, while you looked."
                )
            current.add_merge(plan.survivor, plan.merged)
            _execute(plan, decisions)
            return current
    except StaleRecordError as error:
        raise PlanChangedError(str(error)) from error
    except ValidationError as error:
        raise CannotMergeError(" ".join(error_messages_of(error, model))) from error
    except ProtectedError as error:
        raise CannotMergeError(f"In use: {next(iter(error.protected_objects))}.") from error
    except IntegrityError as error:
        if rule := broken_rule(error):
            raise CannotMergeError(rule) from error
        # It can only be the foreign key of a row that was added after planning.
        raise PlanChangedError(
            "Somebody added something that points to the one that goes, at the same moment."
        ) from error


def _execute(plan: Plan, decisions: Mapping[str, str]) -> None:
    """Execute the plan, duplicates first, so that no unique constraint is violated."""
    for collision in plan.collisions:
        collision.dropped.delete()
        if choice := collision.choice:
            _set_values(collision.kept, choice.values(decisions[choice.name]))
    moved: dict[tuple[type[AuditedModel], str], list[AuditedModel]] = defaultdict(list)
    for move in plan.moves:
        target = plan.survivor.pk if move.field == "object_id" else plan.survivor
        setattr(move.row, move.field, target)
        moved[type(move.row), move.field].append(move.row)
    for (model, field), rows in moved.items():
        model.objects.bulk_update(rows, [field])
    plan.merged.delete()
    values: dict[str, Any] = {}
    for choice in plan.differences:
        values |= choice.values(decisions[choice.name])
    _set_values(plan.survivor, values | {"aliases": _aliases_of_both(plan)})


def _set_values(record: AuditedModel, values: Mapping[str, Any]) -> None:
    changed = {name: value for name, value in values.items() if getattr(record, name) != value}
    if changed:
        for name, value in changed.items():
            setattr(record, name, value)
        unchanged = {field.name for field in record._meta.fields} - set(changed)
        record.full_clean(exclude=unchanged)
        record.save()


def _aliases_of_both(plan: Plan) -> str:
    """The aliases of both records and the merged record's name, without duplicates."""
    # Any: only models whose records can be merged have aliases.
    survivor: Any = plan.survivor
    merged: Any = plan.merged
    known = {survivor.name.casefold()}
    names = []
    for name in [*survivor.alias_list, merged.name, *merged.alias_list]:
        if name.casefold() not in known:
            known.add(name.casefold())
            names.append(name)
    return "\n".join(names)


def survivor_of(model: type[AuditedModel], key: Any) -> AuditedModel | None:
    """The live record into which the removed one was merged, directly or through others; None if
    it was not merged."""
    seen = set()
    while key not in seen:
        seen.add(key)
        row = (
            model.history.filter(id=key, history_type=audit.REMOVED)
            .select_related("change_set")
            .order_by("-history_id")
            .first()
        )
        found = row and row.change_set.survivor_of(model(id=key))
        if not found:
            return None
        if survivor := model._base_manager.filter(pk=found).first():
            return survivor
        key = found
    return None
