"""Writes of records by programs and files: the rules, questions, permissions, reasons and change
sets of the forms.

The API writes one record at a time (``create``, ``change``, ``remove``). Imports check many by
``check_new`` and ``check_change`` and write them in batches.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from uuid import UUID

from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404

from oegen import audit
from oegen.audit import questions
from oegen.audit.audited import AuditedModel
from oegen.audit.reference import ReferenceModel
from oegen.core.exceptions import StaleRecordError
from oegen.people.models import User

#: Called with the record, its values set, and the names of the changed fields: what a form of the
#: model does besides the model's own rules. May raise ValidationError.
Prepare = Callable[[AuditedModel, set[str]], None]


def create(
    record: AuditedModel,
    values: Mapping[str, Any],
    *,
    person: User,
    reason: str = "",
    save_anyway: Collection[str] = (),
    prepare: Prepare = lambda record, changed: None,
) -> None:
    """Set the values on the new record and save it, in one change set.

    Raises ValidationError by field for what the rules refuse and for questions that are not
    answered, PermissionDenied for a field that the person may not set.
    """
    require_field_permissions(record, {n for n, value in values.items() if value}, person)
    for name, value in values.items():
        setattr(record, name, value)
    with audit.change_set(person=person, reason=reason, source=audit.Source.API):
        check_new(record, values, prepare=prepare)
        answered = questions.require_answers(record, changed=None, answers=save_anyway)
        record.save()
        questions.record_answers(record, answered)


def change(
    model: type[AuditedModel],
    key: UUID,
    values: Mapping[str, Any],
    *,
    version: int,
    person: User,
    reason: str = "",
    save_anyway: Collection[str] = (),
    prepare: Prepare = lambda record, changed: None,
) -> AuditedModel:
    """Change the fields whose values differ; returns the record as it is now. Nothing is written
    if none does.

    Raises StaleRecordError if ``version`` is no longer the record's, Http404, ValidationError and
    PermissionDenied as ``create``.
    """
    with audit.change_set(person=person, reason=reason, source=audit.Source.API):
        record = locked(model, key, version)
        changed = {name for name, value in values.items() if getattr(record, name) != value}
        if not changed:
            return record
        require_field_permissions(record, changed, person)
        for name in changed:
            setattr(record, name, values[name])
        check_change(record, changed, reason=reason, prepare=prepare)
        answered = questions.require_answers(record, changed=changed, answers=save_anyway)
        record.save()
        questions.record_answers(record, answered)
    return record


def remove(
    model: type[AuditedModel], key: UUID, *, version: int, person: User, reason: str = ""
) -> None:
    """Remove the record. Raises StaleRecordError, Http404, and ProtectedError if others refer to
    it."""
    with audit.change_set(person=person, reason=reason, source=audit.Source.API):
        locked(model, key, version).delete()


def check_new(
    record: AuditedModel,
    given: Collection[str],
    *,
    prepare: Prepare = lambda record, changed: None,
    clean: Callable[[AuditedModel], None] = AuditedModel.full_clean,
) -> None:
    """Apply the rules to a new record, on which the ``given`` fields are set.

    ``clean`` is ``full_clean``, or what does the same for one of many. Raises ValidationError by
    field.
    """
    prepare(record, {field.name for field in record._meta.concrete_fields} | set(given))
    _require_active(record, given)
    clean(record)


def check_change(
    record: AuditedModel,
    changed: set[str],
    *,
    reason: str,
    prepare: Prepare = lambda record, changed: None,
    clean: Callable[[AuditedModel], None] = AuditedModel.full_clean,
) -> None:
    """Apply the rules to a stored record of which the ``changed`` fields are set anew; also that
    some need a reason. ``clean`` as for ``check_new``. Raises ValidationError by field."""
    with _all_errors() as errors:
        prepare(record, changed)
        _require_active(record, changed)
        clean(record)
    if needed := not reason.strip() and record.needs_reason_for(sorted(changed)):
        errors["reason"] = [ValidationError(f"Say why: you change {', '.join(needed)}.")]
    if errors:
        raise ValidationError(errors)


def locked(model: type[AuditedModel], key: UUID, version: int) -> AuditedModel:
    """The record, locked until the end of the transaction. Raises StaleRecordError and Http404."""
    rows = model._base_manager.select_for_update(no_key=True, of=("self",))
    record: AuditedModel | None = rows.filter(pk=key).first()
    if record is None:
        raise Http404(f"There is no {model._meta.verbose_name} {key} (any more).")
    if record.version != version:
        record.version = version
        raise StaleRecordError(record)
    return record


@contextmanager
def _all_errors() -> Iterator[dict[str, list[ValidationError]]]:
    """The errors of a ValidationError of the block by field, to which others can be added."""
    errors: dict[str, list[ValidationError]] = {}
    try:
        yield errors
    except ValidationError as error:
        errors.update(error.update_error_dict({}))


def _require_active(record: AuditedModel, changed: Collection[str]) -> None:
    """Raises ValidationError for a row of a reference table that forms do not offer any more."""
    chosen = {name: getattr(record, name) for name in changed}
    inactive = {
        name: f"“{row.code}” is not on offer any more: choose another."
        for name, row in chosen.items()
        if isinstance(row, ReferenceModel) and not row.is_active
    }
    if inactive:
        raise ValidationError(inactive)


def require_field_permissions(record: AuditedModel, changed: Collection[str], person: User) -> None:
    """Raises PermissionDenied."""
    needed = {one for name, one in record.FIELD_PERMISSIONS.items() if name in changed}
    if not person.has_perms(needed):
        fields = ", ".join(name for name in changed if name in record.FIELD_PERMISSIONS)
        raise PermissionDenied(f"Changing {fields} needs a permission of its own.")
