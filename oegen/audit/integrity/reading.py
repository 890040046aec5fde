"""Reading of rows that may contain invalid values."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from django.core.exceptions import ValidationError
from django.db import DEFAULT_DB_ALIAS, connections, models
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models.sql.compiler import SQLCompiler
from django.db.models.sql.constants import MULTI

from oegen.audit import seals
from oegen.audit.audited import AuditedModel
from oegen.audit.integrity.finding import Finding, record_name
from oegen.core.columns import map_once
from oegen.core.instances import instance_of

if TYPE_CHECKING:
    from oegen.core.fields import AnyField

CHUNK = 2_000

Faults = dict[str, Any]

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


@dataclass(frozen=True)
class Chunk(Generic[T]):
    """Some rows, column by column. Invalid values are None; ``faults`` has their raw values by the
    place of their row."""

    model: type[T]
    columns: dict[str, list[Any]]
    faults: dict[int, Faults]

    def values(self, *names: str) -> Iterator[tuple[Any, ...]]:
        return zip(*(self.columns[name] for name in names), strict=True)

    def row(self, place: int) -> tuple[T, Faults]:
        """A row as a model instance, with the raw values of its invalid columns."""
        values = [column[place] for column in self.columns.values()]
        return self._instance(values), self.faults.get(place, {})

    def _instance(self, values: Iterable[Any]) -> T:
        return instance_of(
            self.model, zip(self.columns, values, strict=True), using=DEFAULT_DB_ALIAS
        )

    def rows(self) -> Iterator[tuple[T, Faults]]:
        for place, values in enumerate(self.values(*self.columns)):
            yield self._instance(values), self.faults.get(place, {})


def read(queryset: models.QuerySet[T]) -> Iterator[tuple[T, Faults]]:
    """Yield each row as a model instance, with the raw values of its invalid columns, which are
    None on the instance.

    ``queryset`` must select whole rows, without annotations.
    """
    for chunk in read_chunks(queryset):
        yield from chunk.rows()


def read_chunks(queryset: models.QuerySet[T], *names: str) -> Iterator[Chunk[T]]:
    """The rows, a few thousand at a time, with the columns of these names; by default all.

    ``queryset`` must select whole rows, without annotations.
    """
    model = queryset.model
    connection = connections[DEFAULT_DB_ALIAS]
    known = {
        f"stored_{field.attname}": field
        for field in model._meta.concrete_fields
        if not names or field.attname in names
    }
    stored = {name: _AsStored(models.F(field.attname)) for name, field in known.items()}
    query = queryset.annotate(**stored).values_list(*stored).query
    compiler = query.get_compiler(connection=connection)
    chunks = compiler.execute_sql(MULTI, chunked_fetch=True, chunk_size=CHUNK)
    converters = compiler.get_converters([selected[0] for selected in compiler.select])
    fields = [known[alias] for *_, alias in compiler.select]
    no_converters: tuple[list[Any], Any] = [], None
    plan = [
        (field, seals.usual_type(field), *converters.get(place, no_converters))
        for place, field in enumerate(fields)
    ]
    for chunk in chunks:
        faults: dict[int, Faults] = {}
        columns = {
            column[0].attname: _read_column(raw, connection, faults, *column)
            for raw, column in zip(zip(*chunk, strict=True), plan, strict=True)
        }
        yield Chunk(model, columns, faults)


def _read_column(
    stored: Sequence[Any],
    connection: BaseDatabaseWrapper,
    faults: dict[int, Faults],
    field: AnyField,
    usual_type: type | None,
    functions: Sequence[Callable[..., Any]],
    expression: Any,
) -> list[Any]:
    """The values of a column; invalid ones are None and added to the ``faults`` of their row."""

    def convert(value: Any) -> Any:
        for function in functions:
            value = function(value, expression, connection)
        return value

    values: list[Any]
    try:
        values = map_once(convert, stored) if functions else list(stored)
    except Exception:  # A damaged value can raise anything; it is found below.
        values = [_UNREADABLE] * len(stored)
    if {usual_type}.issuperset(map(type, values)):
        return values
    for place, (value, raw) in enumerate(zip(values, stored, strict=True)):
        if type(value) is usual_type or (raw is None and value is None and field.null):
            continue
        try:
            if value is _UNREADABLE:
                values[place] = value = convert(raw)
            if type(value) is not usual_type:
                _check(field, value, raw)
        except Exception:  # It is reported.
            faults.setdefault(place, {})[field.attname] = raw
            values[place] = None
    return values


_UNREADABLE = object()


def _check(field: AnyField, value: Any, raw: Any) -> None:
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


def fault_findings(row: models.Model, faults: Faults) -> Iterator[Finding]:
    """A finding for each invalid column."""
    for name, raw in faults.items():
        yield Finding(_name(row), f"its {name} can't be read: it holds {raw!r:.200}")


def _name(row: models.Model) -> str:
    if hasattr(row, "instance_type"):
        return f"{record_name(row.instance_type, row)}, entry {row.pk} of {row._meta.db_table}"
    if isinstance(row, AuditedModel):
        return record_name(type(row), row)
    return f"Row {row.pk} of {row._meta.db_table}"
