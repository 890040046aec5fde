"""The portfolio as of the end of a day: ``with as_of(date(2026, 3, 31)): …``

Inside, on this thread's database connection, every business table and its history hold what was
recorded up to then: temporary tables shadow the real ones. Queries of
metrics, filters, lists and record pages read the past without a change. Writes raise
ReadOnlyPastError.

A table is created when a statement first names it. Records without a later history row are those
of the real table: SQLite copies them, PostgreSQL has a view that adds the others to them. The
others are rebuilt from their last history row up to the end of the day, and left out if that row is
a removal or if there is none. Most records are unchanged, so the cost grows with the number of
later changes. Reference rows that ``migrate`` creates exist on every day.

A record can be referred to before its own history begins: an import may date links earlier than
what they link. It is included with the values of its first history row and version
``audit.NOT_YET_ENTERED``, so that foreign keys to it resolve; ``AuditedQuerySet.recorded()``
excludes it.

SQL written by hand must name tables by ``table(model)``: without the quotes it reads the present.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import date, datetime
from functools import cache, partial
from itertools import count

from django.contrib.contenttypes.models import ContentType
from django.db import DEFAULT_DB_ALIAS, DatabaseError, connections
from django.db.models import BooleanField, Model

from oegen import audit, search
from oegen.asof.statements import PastRows, columns_of, not_by_set_up, stored
from oegen.audit.audited import AuditedModel
from oegen.audit.changesets import DATE_ROWS, newest_seal, seals_before
from oegen.core import clock
from oegen.core.database import is_in_snapshot
from oegen.core.pointers import target_of
from oegen.core.sql import adapted, fetch
from oegen.search.models import SearchDocument

#: Names of tables in SQL, without those in a schema, which are the real ones, and columns.
_QUOTED = re.compile(r'(?<!\.)"(\w+)"')


def table(model) -> str:
    """The model's quoted table name for raw SQL: inside ``as_of`` it is the temporary table."""
    return f'"{model._meta.db_table}"'


#: What selects the rows on the past day, of models without a history of their own.
_derived: dict[type[Model], Callable[[], str | None]] = {}


def register_past_rows(model: type[Model], select: Callable[[], str | None]) -> None:
    """Have a model without history read as of the past day, too. ``select`` is called inside
    ``as_of`` and gives the SELECT of its rows then, with all columns; None if they are as today."""
    _derived[model] = select


_tables: ContextVar[_PastTables | None] = ContextVar("oegen_past_tables", default=None)


@contextmanager
def as_of(day: date, until: datetime | None = None) -> Iterator[None]:
    """Read the past inside the block; see the module docstring. Blocks may be nested.

    ``until`` is a time of that day, if its end is not meant.

    Writing through the models inside raises oegen.core.clock.ReadOnlyPastError.
    """
    connection = connections[DEFAULT_DB_ALIAS]
    outer = _tables.get()
    if outer:
        outer.stop()
    tables = _PastTables(connection, until or clock.end_of(day))
    token = _tables.set(tables)
    try:
        with clock.override_day(day, until), connection.execute_wrapper(tables):
            yield
    finally:
        _tables.reset(token)
        tables.stop()
        if outer:
            outer.start()


@contextmanager
def whole_history() -> Iterator[None]:
    """Inside, also inside ``as_of``, statements read the histories of business records as a whole,
    for which no views need to be made: they have to say themselves up to when, see
    ``audit.known_until``."""
    tables = _tables.get()
    if tables is None or tables.reads_whole_history:
        yield
        return
    tables.reads_whole_history = True
    try:
        yield
    finally:
        tables.reads_whole_history = False


def first_entry(record: AuditedModel) -> datetime | None:
    """The time of the record's first history row, also if that is after the effective day."""
    history = audit.history_model(type(record))
    rows = stored(history, connections[DEFAULT_DB_ALIAS])
    first = f"SELECT * FROM {rows} WHERE id = %s ORDER BY history_date, history_id LIMIT 1"  # noqa: S608
    key = history._meta.get_field("id").get_db_prep_save(record.pk, connections[DEFAULT_DB_ALIAS])
    return next((row.history_date for row in history.objects.raw(first, [key])), None)


def data_version() -> str:
    """A text that changes with every write of a business record, with the effective day and at
    midnight: a part of the cache keys of whatever is computed from records. That of a past day
    changes with back-dated writes, which alone change what it shows, and with those of program
    code, which may be.

    Read it before what is to be cached: with a concurrent write, newer data then get an older key,
    never the reverse.
    """
    if moment := clock.past_moment():
        # Read once in a block, because a page asks for each of the things that it caches.
        past, day = _tables.get(), clock.past_day()
        known = past.versions if past else {}
        if (moment, day) not in known:
            version = ":".join((*seals_before(moment, DATE_ROWS), str(moment), str(day)))
            known[moment, day] = version
        return known[moment, day]
    tables = [audit.history_model(model)._meta.label_lower for model in audit.business_models()]
    return f"{newest_seal(tables)}:{clock.today()}"


def stored_table(model) -> str:
    """The model's real table, for SQL that reads the present also inside ``as_of``."""
    return stored(model, connections[DEFAULT_DB_ALIAS])


def is_written(models: Sequence[type[AuditedModel]], since: datetime, until: datetime) -> bool:
    """Whether a record of these reference tables was written in that time, other than by the
    set-up, also inside ``as_of``."""
    rows = " UNION ALL ".join(
        f"""
        SELECT 1 FROM {stored_table(audit.history_model(model))} AS written
        WHERE history_date >= %s AND history_date < %s
            AND {not_by_set_up(connections[DEFAULT_DB_ALIAS])}
        """  # noqa: S608
        for model in models
    )
    return bool(fetch(f"{rows} LIMIT 1", adapted(since, until) * len(models)))


class _PastTables:
    """An execute wrapper that creates each past table before the first statement that names it."""

    def __init__(self, connection, until: datetime):
        self._connection = connection
        # A literal, because views take no parameters. It is not user input.
        time = f"'{connection.ops.adapt_datetimefield_value(until)}'"
        self._rows = PastRows(connection, time)
        self._postgresql = connection.vendor == "postgresql"
        self._created: list[tuple[str, str]] = []
        #: The ``data_version`` of the moments and days that were asked for.
        self.versions: dict[tuple[datetime, date | None], str] = {}
        self.reads_whole_history = False
        self.start()

    def start(self) -> None:
        """Create tables from now on."""
        self._creators = dict(self._table_creators())
        self._is_creating = False

    def __call__(self, execute, sql, params, many, context):
        if not self._is_creating:
            wanted = self._creators.keys() & set(_QUOTED.findall(sql))
            if self.reads_whole_history:
                wanted -= _business_histories()
            if wanted:
                self._is_creating = True
                try:
                    # In dependency order: search documents are built from the other tables.
                    for name in [name for name in self._creators if name in wanted]:
                        self._create_table(name)
                finally:
                    self._is_creating = False
        return execute(sql, params, many, context)

    def stop(self) -> None:
        """Create no more tables, and drop the existing ones."""
        self._creators = {}
        created, self._created = self._created, []
        try:
            with self._connection.cursor() as cursor:
                # Views first, because they depend on tables.
                for kind in ("VIEW", "TABLE"):
                    self._drop(kind, [name for other, name in created if other == kind], cursor)
        except DatabaseError:
            # SQLite cannot drop a table while a cursor on it is open. Close the connection: that
            # drops its temporary tables, so the next request can't read the past.
            if self._connection.in_atomic_block or is_in_snapshot(self._connection):
                raise
            self._connection.close()

    def _drop(self, kind: str, names: list[str], cursor) -> None:
        if self._postgresql and names:
            together = ", ".join(f'pg_temp."{name}"' for name in names)
            cursor.execute(f"DROP {kind} {together}")
        elif not self._postgresql:
            for name in names:
                cursor.execute(f'DROP {kind} temp."{name}"')

    def _table_creators(self):
        """Pairs of table name and the function that creates it, in dependency order."""
        for model in audit.tracked_models():
            history = audit.history_model(model)
            yield model._meta.db_table, partial(self._records, model)
            yield (
                history._meta.db_table,
                partial(self._view, model),
            )
        for derived, select in _derived.items():
            yield derived._meta.db_table, partial(self._derived_rows, derived, select)
        yield SearchDocument._meta.db_table, self._documents

    def _create_table(self, name: str) -> None:
        with self._connection.cursor() as cursor:
            self._creators.pop(name)(cursor)

    def _view(self, model, cursor) -> None:
        """Create a temporary view of the history rows that existed on the day."""
        table = audit.history_model(model)._meta.db_table
        cursor.execute(f'CREATE TEMPORARY VIEW "{table}" AS {self._rows.history(model)}')
        self._created.append(("VIEW", table))

    def _records(self, model, cursor) -> None:
        """Create what holds the past records; see the module docstring.

        If nothing was written since, none is created and queries read the real table.
        """
        written = self._rows.changed(model)
        cursor.execute(f"{written} LIMIT 1")
        if not cursor.fetchone():
            return
        if self._postgresql:
            self._view_over(model, written, ("id",), self._rows.rebuilt(model), cursor)
        else:
            self._table(model, self._rows.records(model), cursor)

    def _derived_rows(self, model: type[Model], select: Callable[[], str | None], cursor) -> None:
        if rows := select():
            self._table(model, rows, cursor)

    def _view_over(
        self, model: type[Model], written: str, key: Sequence[str], rebuilt: str, cursor
    ) -> str:
        """Create a view of the rows of the real table, without those whose ``key`` is among what
        ``written`` selects, and of those that ``rebuilt`` selects. Returns the name of the table of
        the latter.

        The condition stands around the UNION ALL, because PostgreSQL uses the indexes of tables
        under a UNION ALL for joins only if each part is a table without a condition.
        """
        name = model._meta.db_table
        keys, rows = f"{name} written", f"{name} rebuilt"
        columns = ", ".join(f'"{column}"' for column in key)
        distinct = f"SELECT DISTINCT * FROM ({written}) AS found"  # noqa: S608
        same = " AND ".join(f'written."{column}" = existing."{column}"' for column in key)
        view = f"""
            SELECT {columns_of(model)} FROM (
                SELECT {columns_of(model)}, FALSE AS is_rebuilt
                FROM {stored(model, self._connection)}
                UNION ALL SELECT {columns_of(model)}, TRUE FROM pg_temp."{rows}"
            ) AS existing
            WHERE is_rebuilt OR NOT EXISTS (
                SELECT 1 FROM pg_temp."{keys}" AS written WHERE {same}
            )
        """  # noqa: S608
        statements = [
            f'CREATE TEMPORARY TABLE "{keys}" ({columns}) AS {distinct}',
            # Unique, so that it is used: nobody has analysed the table.
            f'CREATE UNIQUE INDEX ON pg_temp."{keys}" ({columns})',
            *self._making_table(rows, model, rebuilt),
            f'CREATE TEMPORARY VIEW "{name}" AS {view}',
        ]
        # Together, because most of them take less time than to send them.
        cursor.execute("; ".join(statements))
        self._created += [("TABLE", keys), ("TABLE", rows), ("VIEW", name)]
        return rows

    def _table(self, model: type[Model], select: str, cursor) -> None:
        name = model._meta.db_table
        for statement in self._making_table(name, model, select):
            cursor.execute(statement)
        self._created.append(("TABLE", name))

    def _making_table(self, name: str, model: type[Model], select: str) -> Iterator[str]:
        """The statements that create a temporary table of rows of the model, with its indexes."""
        yield f'CREATE TEMPORARY TABLE "{name}" AS {select}'
        for column in _indexed(model):
            if self._postgresql:
                yield f'CREATE INDEX ON pg_temp."{name}" ("{column}")'
            else:
                yield f'CREATE INDEX temp."past_{name}_{column}" ON "{name}" ("{column}")'
        if self._postgresql:
            columns = ", ".join(f'"{column}"' for column in _analysed(model))
            yield f'ANALYZE pg_temp."{name}" ({columns})'

    def _documents(self, cursor) -> None:
        """The search documents of that day: those of unchanged records, and rebuilt ones."""
        kinds = {model: ContentType.objects.get_for_model(model).pk for model in search.kinds()}
        documents = SearchDocument._meta.db_table
        if self._postgresql:
            written = " UNION ALL ".join(
                f"SELECT {kind}, id FROM ({self._rows.changed(model)}) AS changed"  # noqa: S608
                for model, kind in kinds.items()
            )
            none = f"SELECT * FROM {stored_table(SearchDocument)} WHERE FALSE"  # noqa: S608
            keys = ("content_type_id", "object_id")
            documents = self._view_over(SearchDocument, written, keys, none, cursor)
        else:
            unchanged = [
                self._rows.unchanged(model, SearchDocument, "object_id", f"content_type_id = {one}")
                for model, one in kinds.items()
            ]
            self._table(SearchDocument, " UNION ALL ".join(unchanged), cursor)
        insert = f"""
            INSERT INTO "{documents}"
                (id, content_type_id, object_id, title, body, sort_key)
            VALUES (%s, %s, %s, %s, %s, %s)
        """  # noqa: S608
        key = SearchDocument._meta.get_field("object_id")
        # Negative ids, which no stored document has.
        number = count(-1, -1)
        for model, kind in kinds.items():
            cursor.executemany(
                insert,
                [
                    (
                        next(number),
                        kind,
                        key.get_db_prep_save(record.pk, self._connection),
                        *search.texts_of(record),
                    )
                    for record in model._base_manager.raw(self._rows.changed_records(model))
                ],
            )


@cache
def _business_histories() -> frozenset[str]:
    """The names of the history tables of other than reference tables."""
    return frozenset(
        audit.history_model(model)._meta.db_table
        for model in audit.tracked_models()
        if not model.is_vocabulary()
    )


def _analysed(model) -> list[str]:
    """The columns that plans depend on: those that are joined and those of few values. To analyse
    all would take a third of the time of making the table."""
    return [
        field.column
        for field in model._meta.concrete_fields
        if field.primary_key
        or field.is_relation
        or field.choices
        or isinstance(field, BooleanField)
        or field.column in _indexed(model)
    ]


def _indexed(model) -> list[str]:
    """The columns to index. Not the primary key of a link table, which no query uses, and not
    foreign keys to reference tables and accounts, which are not selective: both cost more than they
    save."""
    columns = []
    for field in model._meta.concrete_fields:
        by_key = field.primary_key and (
            model in _derived or getattr(model, "PARENT_FIELD", None) == ""
        )
        target = target_of(field)
        to_record = (
            target is not None and issubclass(target, AuditedModel) and not target.is_vocabulary()
        )
        if by_key or to_record:
            columns.append(field.column)
    return columns
