"""Querysets whose SQL is built once in each process, and asked again with other values.

Django builds a query and its SQL anew each time, which for one record takes several times as long
as the database needs to answer it. PostgreSQL plans such a statement once for each connection.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Sequence
from datetime import date, datetime
from functools import partial, wraps
from typing import Any, TypeVar
from uuid import UUID

from django.db import connection
from django.db.models import (
    Aggregate,
    DateField,
    DateTimeField,
    Expression,
    Field,
    Model,
    QuerySet,
    UUIDField,
    Value,
)
from django.db.models.expressions import RawSQL
from django.db.models.query import (  # type: ignore[attr-defined]  # the stubs lack one
    ModelIterable,
    get_related_populators,
    prefetch_related_objects,
)
from psycopg import Cursor
from psycopg.sql import Literal

from oegen.core import clock
from oegen.core.database import as_one_value, each_key_sql

M = TypeVar("M", bound=Model)

#: How many are kept of a function in each process: a few, of some functions for each day read.
KEPT = 100

_FIELDS: dict[type, Field[Any, Any]] = {
    UUID: UUIDField(),
    date: DateField(),
    datetime: DateTimeField(),
}


class _Slot(Expression):
    """The place of a value in a statement."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, Any]:
        return "%s", [self]


def one_of(keys: Any, model: type[Model]) -> RawSQL:
    """For a lookup with ``in`` in a compiled queryset: several keys of the model, as one value."""
    key: Any = model._meta.pk
    return RawSQL(each_key_sql(connection.vendor, key.rel_db_type(connection)), [keys])  # noqa: S611


def in_one_row(queryset: QuerySet[Any], **aggregates: Aggregate) -> QuerySet[Any, Any]:
    """What ``aggregate`` would give at once, as a queryset with one row of values."""
    grouped: Any = queryset.order_by().values(everything=Value(1))
    found: QuerySet[Any, Any] = grouped.annotate(**aggregates).values_list(*aggregates)
    return found


class Statement:
    """What a queryset asks, and how rows become what it would give."""

    def __init__(self, queryset: QuerySet[Any]) -> None:
        compiler = queryset.query.get_compiler(queryset.db)
        self._sql, self._params = _with_literals(*compiler.as_sql())
        columns = [column for column, *_ in compiler.select[: compiler.col_count]]
        self._converters = [
            (position, converter, column)
            for position, (converters, column) in compiler.get_converters(columns).items()
            for converter in converters
        ]
        self._model: Any = None
        if issubclass(queryset._iterable_class, ModelIterable):
            fields = compiler.klass_info["select_fields"]
            self._own = slice(fields[0], fields[-1] + 1)
            self._names = [column.target.attname for column in columns[self._own]]
            self._related = get_related_populators(
                compiler.klass_info, compiler.select, queryset.db
            )
            self._annotations = list(compiler.annotation_col_map.items())
            prefetched: Any = queryset
            self._prefetched = prefetched._prefetch_related_lookups
            self._model = queryset.model

    def ask(self, values: dict[str, Any]) -> list[Any]:
        params = [
            _adapted(values[one.name]) if isinstance(one, _Slot) else one for one in self._params
        ]
        with _cursor() as cursor:
            cursor.execute(self._sql, params)
            rows: list[Any] = cursor.fetchall()
        if self._converters:
            rows = [self._converted(row) for row in rows]
        if self._model is None:
            return rows
        records = [self._record(row) for row in rows]
        prefetch_related_objects(records, *self._prefetched)
        return records

    def _converted(self, row: tuple[Any, ...]) -> tuple[Any, ...]:
        values = list(row)
        for position, converter, column in self._converters:
            values[position] = converter(values[position], column, connection)
        return tuple(values)

    def _record(self, row: tuple[Any, ...]) -> Any:
        record = self._model.from_db(connection.alias, self._names, row[self._own])
        for related in self._related:
            related.populate(row, record)
        for name, position in self._annotations:
            setattr(record, name, row[position])
        return record


def compiled(build: Callable[..., QuerySet[Any]]) -> Callable[..., list[Any]]:
    """A function that gives the list of what the queryset, which ``build`` makes, contains.

    Its positional arguments are part of the SQL and must be hashable: for each, a statement is
    kept. Its keyword arguments are values: a key, a text, a number, a day or a moment, or several
    keys for ``one_of``. ``build`` gets placeholders for them, so it can only compare them. What
    else it reads must depend on the effective day alone, or on the moment up to which the past is
    read: if it asks the clock for these, a statement is kept for each. None is kept if the database
    was read to build it.
    """
    kept: dict[tuple[Any, ...], Statement] = {}

    @wraps(build)
    def ask(*constants: Any, **values: Any) -> list[Any]:
        always = (constants, tuple(values))
        of_day = (*always, clock.past_moment(), clock.today())
        statement = kept.get(always) or kept.get(of_day)
        if statement is None:
            reads: list[str] = []
            noting_reads = connection.execute_wrapper(partial(_note, reads))
            with noting_reads, clock.noting_questions() as questions:
                slots = {name: _Slot(name) for name in values}
                statement = Statement(build(*constants, **slots))
            if not reads:
                if len(kept) >= KEPT:
                    kept.clear()
                kept[of_day if questions else always] = statement
        return statement.ask(values)

    return ask


def _note(reads: list[str], execute: Callable[..., Any], sql: str, *how: Any) -> Any:
    reads.append(sql)
    return execute(sql, *how)


def records_by_key(model: type[M], keys: Collection[Any]) -> dict[Any, M]:
    """The records that have these keys."""
    return {one.pk: one for one in _having(model, keys=keys)} if keys else {}


@compiled
def _having(model: type[Model], *, keys: Any) -> QuerySet[Any]:
    return model._base_manager.filter(pk__in=one_of(keys, model)).order_by()


def keep_related(record: Model, name: str, related: list[Any]) -> None:
    """Let ``all()`` of the record's relation be these records, as after ``prefetch_related``."""
    records = getattr(record, name).all()
    records._result_cache, records._prefetch_done = related, True
    record._prefetched_objects_cache = {  # type: ignore[attr-defined]
        **getattr(record, "_prefetched_objects_cache", {}),
        name: records,
    }


def _adapted(value: Any) -> Any:
    """The value as the driver takes it."""
    if isinstance(value, Collection) and not isinstance(value, str):
        return as_one_value(value, connection.vendor)
    field = _FIELDS.get(type(value))
    return field.get_db_prep_value(value, connection) if field else value


class _PlanningCursor(Cursor[Any]):
    """psycopg's cursor, which knows its statement also when PostgreSQL has its plan: for logs."""

    def _send_query_prepared(self, name: bytes, pgq: Any, **how: Any) -> None:
        self._query = pgq
        super()._send_query_prepared(name, pgq, **how)


def _cursor() -> Any:
    """A cursor that has PostgreSQL keep its plans, which Django's does not. Not for a past day,
    whose tables the plans would not know."""
    if connection.vendor != "postgresql" or clock.past_day():
        return connection.cursor()
    connection.ensure_connection()
    own: Any = connection
    return own._prepare_cursor(_PlanningCursor(own.connection))


def _with_literals(sql: str, params: Sequence[Any]) -> tuple[str, list[Any]]:
    """The statement with its constants as literals, of which PostgreSQL knows the type, and what is
    left of its parameters: the slots."""
    if connection.vendor != "postgresql":
        return sql, list(params)
    connection.ensure_connection()
    left = iter(params)
    slots = []

    def placed(found: re.Match[str]) -> str:
        if found[0] == "%%":
            return "%%"
        value = next(left)
        if isinstance(value, _Slot):
            slots.append(value)
            return "%s"
        return Literal(value).as_string(connection.connection).replace("%", "%%")

    return re.sub("%%|%s", placed, sql), slots
