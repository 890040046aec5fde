"""Inserting many rows at a time, faster than Django's ``bulk_create``.

That builds a statement of all rows, converts each value of theirs by its field and reads the new
keys back. Here SQLite gets one prepared statement, PostgreSQL a COPY in its binary format, and the
values are converted column by column, equal ones once.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from datetime import date, datetime
from functools import cache
from itertools import chain, islice, repeat
from typing import TYPE_CHECKING, Any
from uuid import UUID

import psycopg
from django.db import DEFAULT_DB_ALIAS, DataError, connections, models, transaction
from psycopg.pq import Format

from oegen.core.columns import columns_of, map_once

if TYPE_CHECKING:
    from django.db.backends.base.base import BaseDatabaseWrapper

    from oegen.core.fields import AnyField


class ComputedField:
    """A model field that computes its values of all rows at once."""

    def values_of(self, rows: Collection[Any]) -> list[Any]:
        """The values of the rows, which are also set on them, as by ``pre_save``."""
        raise NotImplementedError


#: The types whose values a database takes as they are, by the methods that would convert them.
_PLAIN: dict[Callable[..., Any], type] = {
    models.CharField.get_prep_value: str,
    models.TextField.get_prep_value: str,
    models.BooleanField.get_prep_value: bool,
    models.IntegerField.get_prep_value: int,
}

#: Those for which SQLite has no type, too; times only with their zone.
_PLAIN_ON_POSTGRESQL: dict[Callable[..., Any], type] = {
    **_PLAIN,
    models.UUIDField.get_db_prep_value: UUID,
    models.DateField.get_prep_value: date,
    models.DateTimeField.get_prep_value: datetime,
}

#: The sizes of PostgreSQL's integers in bytes.
_INTEGERS = {"smallint": 2, "integer": 4, "bigint": 8}

#: PostgreSQL's binary format of COPY: how it begins, a null, and how it ends.
_COPY_START, _COPY_NULL, _COPY_END = b"PGCOPY\n\xff\r\n\0" + bytes(8), b"\xff" * 4, b"\xff" * 2

#: The number of rows that are sent to PostgreSQL at a time.
_SENT_ROWS = 500


def insert(
    model: type[models.Model], rows: Collection[Any], *, using: str = DEFAULT_DB_ALIAS
) -> None:
    """Insert the rows, without signals, and without setting on them what the database computes.

    They need not be instances of the model, if they have its values by the same names. A key that
    the database numbers must not be set. Foreign keys are read from their ``_id``.
    """
    if not rows:
        return
    connection = connections[using]
    is_postgresql = connection.vendor == "postgresql"
    fields = _inserted_fields(model)
    converters = [_converter(field, connection) for field in fields]
    if is_postgresql:
        dumps = _binary_dumps(model, using)
        converters = [_in_copy(*both) for both in zip(converters, dumps, strict=True)]
    columns = _values_of(fields, rows)
    converted = zip(*map(map_once, converters, columns), strict=True)
    names = ", ".join(connection.ops.quote_name(field.column) for field in fields)
    table = connection.ops.quote_name(model._meta.db_table)
    with transaction.atomic(using, savepoint=False), connection.cursor() as cursor:
        if is_postgresql:
            statement = f"COPY {table} ({names}) FROM STDIN (FORMAT BINARY)"
            with connection.wrap_database_errors, cursor.cursor.copy(statement) as copy:
                for data in _copy_data(len(fields), converted):
                    copy.write(data)
        else:
            places = ", ".join(["%s"] * len(fields))
            cursor.executemany(
                f"INSERT INTO {table} ({names}) VALUES ({places})",  # noqa: S608
                list(converted),
            )


def _copy_data(columns: int, rows: Iterable[tuple[bytes, ...]]) -> Iterator[bytes]:
    """The data of a COPY of these rows, some of them at a time."""
    number = columns.to_bytes(2, "big")
    written = map(b"".join, zip(repeat(number), map(b"".join, rows)))
    parts = chain([_COPY_START], written, [_COPY_END])
    while some := list(islice(parts, _SENT_ROWS)):
        yield b"".join(some)


@cache
def _inserted_fields(model: type[models.Model]) -> tuple[AnyField, ...]:
    return tuple(
        field
        for field in model._meta.concrete_fields
        if not (field.generated or isinstance(field, models.AutoField))
    )


def _values_of(fields: Iterable[AnyField], rows: Collection[Any]) -> Iterator[Sequence[Any]]:
    """The values of each field in all rows."""
    columns = columns_of(rows, [field.attname for field in fields if _is_stored_as_set(field)])
    for field in fields:
        if field.attname in columns:
            yield columns[field.attname]
        elif isinstance(field, ComputedField):
            yield field.values_of(rows)
        else:
            yield [field.pre_save(row, add=True) for row in rows]


def _is_stored_as_set(field: AnyField) -> bool:
    """Whether what is written is the attribute as it is."""
    if isinstance(field, ComputedField):
        return False
    pre_save = type(field).pre_save
    if isinstance(field, models.DateField) and pre_save in _DATE_PRE_SAVES:
        return not (field.auto_now or field.auto_now_add)
    return pre_save is models.Field.pre_save


_DATE_PRE_SAVES = (models.DateField.pre_save, models.DateTimeField.pre_save)


def _converter(field: AnyField, connection: BaseDatabaseWrapper) -> Callable[[Any], Any]:
    """From a value of the field to a parameter of a statement."""
    plain = _plain_type(field, connection)

    def convert(value: Any) -> Any:
        is_naive = isinstance(value, datetime) and value.tzinfo is None
        if value is None or (type(value) is plain and not is_naive):
            return value
        return field.get_db_prep_save(value, connection)

    return convert


def _in_copy(convert: Callable[[Any], Any], dump: Callable[[Any], bytes]) -> Callable[[Any], bytes]:
    """From a value to how it is written in PostgreSQL's binary format of COPY."""

    def write(value: Any) -> bytes:
        value = convert(value)
        if value is None:
            return _COPY_NULL
        data = dump(value)
        return len(data).to_bytes(4, "big") + data

    return write


@cache
def _binary_dumps(model: type[models.Model], using: str) -> list[Callable[[Any], bytes]]:
    """For each inserted field, from a value to its binary form in the column."""
    return [
        _binary_dump(field, str(field.db_type(connections[using])).partition("(")[0])
        for field in _inserted_fields(model)
    ]


def _binary_dump(field: AnyField, kind: str) -> Callable[[Any], bytes]:
    """``kind`` is the type of the column."""
    if size := _INTEGERS.get(kind):

        def dump_integer(value: int) -> bytes:
            # Not by psycopg, which stores another number if the column can't hold this one.
            try:
                return value.to_bytes(size, "big", signed=True)
            except OverflowError as error:
                raise DataError(f"{field} can't hold {value}") from error

        return dump_integer
    oid = psycopg.adapters.types[kind].oid
    dumper: Any = psycopg.adapters.get_dumper_by_oid(oid, Format.BINARY)(object)
    dump: Callable[[Any], bytes] = dumper.dump
    return dump


def _plain_type(field: AnyField, connection: BaseDatabaseWrapper) -> type | None:
    target = field.target_field if isinstance(field, models.ForeignKey) else field
    known = _PLAIN_ON_POSTGRESQL if connection.vendor == "postgresql" else _PLAIN
    return known.get(type(target).get_db_prep_value) or known.get(type(target).get_prep_value)
