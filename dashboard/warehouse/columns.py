"""Typed columns of tables, and what converts the values of model fields to them."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any
from uuid import UUID

import pyarrow as pa
from django.contrib.contenttypes.models import ContentType
from django.db import models
from django.utils.text import capfirst

from dashboard.warehouse.leaving import ONLY_FIELDS
from oegen.models import AuditedModel

TEXT, TRUTH, DAY, WHOLE = pa.string(), pa.bool_(), pa.date32(), pa.int64()

#: Always with the zone: a table with a timestamp without one can't be read by Spark.
TIME = pa.timestamp("us", tz="UTC")

#: Names that say the unit, or that are no word of SQL.
RENAMED = {
    "latitude": "latitude_deg",
    "longitude": "longitude_deg",
    "order": "sort_order",
    "date": "edition_on",
    "rows": "row_count",
}

#: What columns that every record has mean.
_COMMENTS = {
    "id": "The record's id.",
    "created_at": "When it was entered.",
    "modified_at": "When it was last changed.",
    "version": "The number of times it was written; 0 of imported history.",
}


@dataclass(frozen=True)
class Column:
    """``convert`` makes what Arrow takes of a value that is not None; None: Arrow takes it."""

    name: str
    type: pa.DataType
    comment: str
    is_required: bool = False
    convert: Callable[[Any], Any] | None = None

    @property
    def field(self) -> pa.Field:
        return pa.field(
            self.name, self.type, nullable=not self.is_required, metadata={"comment": self.comment}
        )

    def array(self, values: list[Any]) -> pa.Array:
        if convert := self.convert:
            values = [None if value is None else convert(value) for value in values]
        return pa.array(values, self.type)


@dataclass(frozen=True)
class FieldColumn:
    """A column of a model's field, which ``values_list`` calls ``attname``."""

    column: Column
    attname: str


def key(name: str, comment: str, *, is_required: bool = False) -> Column:
    """A column of keys, which databases give as UUIDs."""
    return Column(name, TEXT, comment, is_required, str)


def decimal(name: str, digits: int, scale: int, comment: str) -> Column:
    return Column(name, pa.decimal128(digits, scale), comment)


@cache
def columns_of(model: type[AuditedModel]) -> tuple[FieldColumn, ...]:
    """The columns of the model's fields that may leave. Raises TypeError for a field of a type that
    is not known here."""
    only = ONLY_FIELDS.get(model._meta.label)
    return tuple(
        FieldColumn(_column_of(model, field), field.attname)
        for field in model._meta.concrete_fields
        if only is None or field.name in only
    )


def _column_of(model: type[AuditedModel], field: Any) -> Column:
    name = RENAMED.get(field.attname, field.attname)
    if name == "recorded_at":  # The history's own is the time of the row.
        name = f"{model._meta.model_name}_recorded_at"
    if isinstance(field, models.ForeignKey) and field.related_model is ContentType:
        comment = "The kind of record that object_id is of, such as pipelines.pipeline."
        return Column("content_type", TEXT, comment, convert=_kind_name)
    target = field
    while getattr(target, "remote_field", None):
        target = target.target_field
    if field.remote_field:
        comment = f"The id of the {field.related_model._meta.verbose_name}."
    else:
        comment = (
            _COMMENTS.get(field.name) or str(field.help_text) or capfirst(f"{field.verbose_name}.")
        )
    type_, convert = type_of(target)
    return Column(name, type_, comment, field.primary_key, convert)


def type_of(field: Any) -> tuple[pa.DataType, Callable[[Any], Any] | None]:
    """The type of a field that is no foreign key, and what converts its values. Raises TypeError
    for one that is not known here."""
    match field:
        case models.GeneratedField():
            return type_of(field.output_field)
        case models.UUIDField():
            return TEXT, str
        case models.BooleanField():
            return TRUTH, None
        case models.DateTimeField():
            return TIME, None
        case models.DateField():
            return DAY, None
        case models.DecimalField():
            return pa.decimal128(field.max_digits, field.decimal_places), None
        case models.IntegerField():
            return WHOLE, None
        case models.JSONField():
            return TEXT, _as_json
        case models.CharField() | models.TextField():
            return TEXT, str
    raise TypeError(f"{field} has no type in the warehouse: add one in {__name__}.")


def _as_json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True, default=_key_as_text)


def _key_as_text(value: Any) -> str:
    if isinstance(value, UUID):
        return str(value)
    raise TypeError(f"{value!r} is no JSON.")


def _kind_name(number: int) -> str:
    kind = ContentType.objects.get_for_id(number)
    return f"{kind.app_label}.{kind.model}"
