"""Reference rows that ``migrate`` creates in every installation, with their history.

An application registers them in ``AppConfig.ready``::

    register_rows(ContactRole, contact_role_rows())
"""

from __future__ import annotations

import logging
import uuid
from functools import cache
from typing import TYPE_CHECKING, Any

from django.apps import AppConfig
from django.db import models
from django.db.models import QuerySet

from oegen.audit.choices import Source
from oegen.audit.context import change_set
from oegen.core import database
from oegen.core.fields import own_field
from oegen.core.pointers import pointers_of
from oegen.core.text import name_key

if TYPE_CHECKING:
    from oegen.audit.audited import AuditedModel

logger = logging.getLogger(__name__)

NAMESPACE = uuid.UUID("6f1e0b53-0f4f-5a3d-9a51-5c3b0f7c6c11")

_rows: dict[type[AuditedModel], list[dict[str, Any]]] = {}


@cache
def reference_id(model: str, code: str) -> uuid.UUID:
    """The id of a seeded row, derived from its code and so the same in every installation."""
    return uuid.uuid5(NAMESPACE, f"{model}:{code}")


def register_rows(model: type[AuditedModel], rows: list[dict[str, Any]]) -> None:
    """Register the rows, given by their fields. Ids are derived from codes; links of reference rows
    have no code but an ``id``, and are registered after their targets."""
    _rows[model] = rows


def create_new_rows(sender: AppConfig, using: str, **kwargs: Any) -> None:
    """post_migrate: create the registered rows that the database never had.

    A row that was removed is not created again. A row whose name or code another record has by now
    is skipped with a warning.
    """
    if sender.name != "oegen" or not database.is_migrated(using):
        return
    # Models with pointers come after their targets.
    for model in sorted(_rows, key=lambda model: bool(pointers_of(model))):
        rows = [model(**({"id": _id_of(model, row)} | row)) for row in _rows[model]]
        new = _rows_to_create(model, rows)
        if new:
            reason = f"The usual {model._meta.verbose_name_plural} to start with."
            with change_set(source=Source.MIGRATION, reason=reason):
                model.objects.bulk_create(new)


def _id_of(model: type[AuditedModel], row: dict[str, Any]) -> uuid.UUID:
    known: uuid.UUID | None = row.get("id")
    return known or reference_id(str(model._meta.model_name), row["code"])


def _rows_to_create(model: type[AuditedModel], rows: list[AuditedModel]) -> list[AuditedModel]:
    ids = [row.pk for row in rows]
    known = set(model.history.filter(id__in=ids).values_list("id", flat=True))
    new = _with_targets(model, [row for row in rows if row.pk not in known])
    return _with_free_names(model, new) if model.HAS_KEYS else _not_there_yet(model, new)


def _with_targets(model: type[AuditedModel], rows: list[AuditedModel]) -> list[AuditedModel]:
    """The rows whose foreign keys point to records that exist, or to one another."""
    for field in model._meta.concrete_fields:
        if not isinstance(field, models.ForeignKey):
            continue
        target = field.remote_field.model
        wanted = {getattr(row, field.attname) for row in rows} - {None}
        found = set(target._base_manager.filter(pk__in=wanted).values_list("pk", flat=True))
        found |= {row.pk for row in rows if isinstance(row, target)} | {None}
        rows = [row for row in rows if getattr(row, field.attname) in found]
    return rows


def _not_there_yet(model: type[AuditedModel], rows: list[AuditedModel]) -> list[AuditedModel]:
    """The links that no administrator made already: those that no unique constraint refuses."""
    for constraint in model._meta.constraints:
        if not isinstance(constraint, models.UniqueConstraint) or constraint.condition:
            continue
        names = [own_field(model, name).attname for name in constraint.fields]
        taken = set(model._base_manager.values_list(*names))
        rows = [row for row in rows if tuple(getattr(row, name) for name in names) not in taken]
    return rows


def _with_free_names(model: type[AuditedModel], rows: list[AuditedModel]) -> list[AuditedModel]:
    codes, names = set(), set()
    known: QuerySet[Any] = model._base_manager.all()
    for code, name in known.values_list("code", "name"):
        codes.add(code.lower())
        names.add(name_key(name))
    free = []
    for row in rows:
        own: dict[str, Any] = vars(row)
        if own["code"] in codes or name_key(own["name"]) in names:
            kind = model._meta.verbose_name
            logger.warning("Another %s has the name or code of “%s”.", kind, own["name"])
        else:
            free.append(row)
    return free
