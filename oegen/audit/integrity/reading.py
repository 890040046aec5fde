"""Reading of rows that may contain invalid values."""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import datetime
from typing import Any, TypeVar

from django.core.exceptions import ValidationError
from django.db import DEFAULT_DB_ALIAS, connections, models
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models.sql.compiler import SQLCompiler
from django.db.models.sql.constants import MULTI

from oegen.audit import seals
from oegen.audit.audited import AuditedModel
from oegen.audit.integrity.finding import Finding, record_name

CHUNK = 2_000

Faults = dict[str, Any]

#: The faults that were reported: table, and row with column and value.
Reported = set[tuple[str, str]]

T = TypeVar("T", bound=models.Model)


class _AsStored(models.Func):
    """The raw value of a column. On SQLite it is an expression, because the driver otherwise
    converts the value by the column's type, and fails on an invalid one."""

    template = "%(expressions)s"
    arity = 1

    def as_sqlite(
        self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **context: Any
    ) -> tuple[str, Any]:
        return self.as_sql(compiler, connection, template="+%(expressions)s", **context)


def read(queryset: models.QuerySet[T]) -> Iterator[tuple[T, Faults]]:
    """Yield each row as a model instance, with the raw values of its invalid columns, which are
    None on the instance.

    ``queryset`` must select whole rows, without annotations.
    """
    model = queryset.model
    connection = connections[DEFAULT_DB_ALIAS]
    known = {f"stored_{field.attname}": field for field in model._meta.concrete_fields}
    stored = {name: _AsStored(models.F(field.attname)) for name, field in known.items()}
    query = queryset.annotate(**stored).values_list(*stored).query
    compiler = query.get_compiler(connection=connection)
    chunks = compiler.execute_sql(MULTI, chunked_fetch=True, chunk_size=CHUNK)
    converters = compiler.get_converters([selected[0] for selected in compiler.select])
    fields = [known[alias] for *_, alias in compiler.select]
    names = [field.attname for field in fields]
    no_converters: tuple[list[Any], Any] = [], None
    plan = [
        (field, seals.usual_type(field), *converters.get(place, no_converters))
        for place, field in enumerate(fields)
    ]
    for chunk in chunks:
        for raw in chunk:
            values, faults = [], {}
            for stored_value, (field, usual_type, functions, expression) in zip(
                raw, plan, strict=True
            ):
                value = stored_value
                try:
                    for convert in functions:
                        value = convert(value, expression, connection)
                    if type(value) is not usual_type:
                        _check(field, value, stored_value)
                except Exception:  # A damaged value can raise anything; it is reported.
                    faults[field.attname] = stored_value
                    value = None
                values.append(value)
            yield model.from_db(DEFAULT_DB_ALIAS, names, values), faults


def _check(field: models.Field[Any, Any], value: Any, raw: Any) -> None:
    """Raise an exception if the application could not have written the value."""
    if value is None:
        # Converters return None for invalid values.
        if raw is not None or not field.null:
            raise ValueError
        return
    target = field.target_field if isinstance(field, models.ForeignKey) else field
    plain = seals.normalize(field, value)
    if isinstance(target, models.IntegerField) and type(value) is not int:
        raise TypeError
    if isinstance(target, models.DateTimeField) and not isinstance(value, datetime):
        raise TypeError
    if isinstance(target, models.CharField | models.TextField) and not isinstance(value, str):
        raise TypeError
    if isinstance(plain, float) and not math.isfinite(plain):
        raise ValidationError("no number")


def fault_findings(row: models.Model, faults: Faults, reported: Reported) -> Iterator[Finding]:
    """A finding for each invalid column, unless it was reported already."""
    for name, raw in faults.items():
        key = (row._meta.label_lower, f"{row.pk}.{name}.{raw!r}")
        if key in reported:
            continue
        reported.add(key)
        yield Finding(_name(row), f"its {name} can't be read: it holds {raw!r:.200}")


def _name(row: models.Model) -> str:
    if hasattr(row, "instance_type"):
        return f"{record_name(row.instance_type, row)}, entry {row.pk} of {row._meta.db_table}"
    if isinstance(row, AuditedModel):
        return record_name(type(row), row)
    return f"Row {row.pk} of {row._meta.db_table}"
