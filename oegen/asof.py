"""The portfolio as it stood at the end of a day: ``with as_of(date(2026, 3, 31)): …``

Inside, on this thread's database connection, every business table and its history hold what was
recorded up to then, under their own names: temporary tables stand before the real ones. Whatever
reads records, links, technologies or names, be it a metric, a filter, a list or a record's page,
reads the past without knowing of it. Nothing can be written there.

A table is made when a statement first names it, from the last history row of each record up to
the end of the day; a removed record is not in it. Vocabularies that the set-up of the database
brought count as always there.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import date, datetime
from functools import partial
from itertools import count

from django.db import DEFAULT_DB_ALIAS, DatabaseError, connections

from oegen import audit, clock, search

#: The parameter of every page's address.
PARAMETER = "as_of"

#: Days before it can't be asked for: no record of anybody's is as old.
FIRST_DAY = date(2000, 1, 1)

#: Where files and the admin are, which know no past, and other sites.
_PRESENT = re.compile(r"/(?:/|static/|admin/|login/|logout/)|[^/]")

_QUOTED = re.compile(r'"(\w+)"')


def keep_day(address: str, day: date | None) -> str:
    """An address of this site, with the day."""
    if not day or _PRESENT.match(address) or f"{PARAMETER}=" in address:
        return address
    page, mark, fragment = address.partition("#")
    joint = "&" if "?" in page else "?"
    return f"{page}{joint}{PARAMETER}={day}{mark}{fragment}"


_tables: ContextVar[_PastTables | None] = ContextVar("oegen_past_tables", default=None)


@contextmanager
def as_of(day: date) -> Iterator[None]:
    """Read the past inside; see the module. Nested, the inner day is read until its block ends.

    Raises oegen.clock.ReadOnlyPastError when something is written inside through the models.
    """
    connection = connections[DEFAULT_DB_ALIAS]
    outer = _tables.get()
    if outer:
        outer.stop()
    tables = _PastTables(connection, clock.end_of(day))
    token = _tables.set(tables)
    try:
        with clock.looking_at(day), connection.execute_wrapper(tables):
            yield
    finally:
        _tables.reset(token)
        tables.stop()
        if outer:
            outer.start()


class _PastTables:
    """An execute wrapper that makes each past table before the first statement that names it."""

    def __init__(self, connection, until: datetime):
        self._connection = connection
        # Views take no parameters. It is a time that this program made.
        self._until = f"'{connection.ops.adapt_datetimefield_value(until)}'"
        self._postgresql = connection.vendor == "postgresql"
        self._real = "public" if self._postgresql else "main"
        self._made: list[tuple[str, str]] = []
        self.start()

    def start(self) -> None:
        """Make tables from now on."""
        self._makers = dict(self._tables())
        self._is_making = False

    def __call__(self, execute, sql, params, many, context):
        if not self._is_making:
            wanted = self._makers.keys() & set(_QUOTED.findall(sql))
            if wanted:
                self._is_making = True
                try:
                    # In the order of the models, because search reads the others.
                    for name in [name for name in self._makers if name in wanted]:
                        self._make(name)
                finally:
                    self._is_making = False
        return execute(sql, params, many, context)

    def stop(self) -> None:
        """Make no more tables, and drop those that were made."""
        self._makers = {}
        made, self._made = self._made, []
        try:
            with self._connection.cursor() as cursor:
                for kind, name in made:
                    cursor.execute(f'DROP {kind} "{self._temporary}"."{name}"')
        except DatabaseError:
            # SQLite drops no table that somebody has not read to its end. Whoever comes next
            # must not read the past; the temporary tables go with the connection.
            if self._connection.in_atomic_block:
                raise
            self._connection.close()

    @property
    def _temporary(self) -> str:
        return "pg_temp" if self._postgresql else "temp"

    def _tables(self):
        """What to make by the name of its table, in an order in which none needs a later one."""
        from oegen.models import ChangeSet, SearchDocument

        for model in audit.tracked_models():
            history = audit.history_model(model)
            yield model._meta.db_table, partial(self._records, model)
            yield history._meta.db_table, partial(self._view, history, self._known(model))
        recorded = f"recorded_at < {self._until} OR source = '{audit.Source.MIGRATION}'"
        yield ChangeSet._meta.db_table, partial(self._view, ChangeSet, recorded)
        yield SearchDocument._meta.db_table, self._documents

    def _make(self, name: str) -> None:
        with self._connection.cursor() as cursor:
            self._makers.pop(name)(cursor)

    def _known(self, model) -> str:
        """The condition on a history row that it was recorded by then."""
        from oegen.models import ChangeSet, ReferenceModel

        if not issubclass(model, ReferenceModel):
            return f"history_date < {self._until}"
        change_sets = f'"{self._real}"."{ChangeSet._meta.db_table}"'
        set_up = f"SELECT id FROM {change_sets} WHERE source = '{audit.Source.MIGRATION}'"  # noqa: S608
        return f"(history_date < {self._until} OR change_set_id IN ({set_up}))"

    def _view(self, model, condition: str, cursor) -> None:
        """The rows of the real table that were there by then."""
        table = model._meta.db_table
        select = f'SELECT * FROM "{self._real}"."{table}" WHERE {condition}'  # noqa: S608
        cursor.execute(f'CREATE TEMPORARY VIEW "{table}" AS {select}')
        self._made.append(("VIEW", table))

    def _records(self, model, cursor) -> None:
        """The records as their last history rows by then have them, the removed ones left out."""
        from oegen.models import ReferenceModel

        history = f'"{self._real}"."{audit.history_model(model)._meta.db_table}"'
        columns = ", ".join(f'"{field.column}"' for field in model._meta.concrete_fields)
        # The set-up of a vocabulary comes first, whatever its date. What an import told of
        # other records has version 0 and a date of its own.
        newest = "version DESC," if issubclass(model, ReferenceModel) else "history_date DESC,"
        select = f"""
            SELECT {columns} FROM {history} WHERE history_type <> '-' AND history_id IN (
                SELECT history_id FROM (
                    SELECT history_id, ROW_NUMBER() OVER (
                        PARTITION BY id ORDER BY {newest} history_id DESC
                    ) AS place
                    FROM {history} WHERE {self._known(model)}
                ) AS known WHERE place = 1
            )
        """  # noqa: S608
        self._table(model, select, cursor)

    def _table(self, model, select: str, cursor) -> None:
        """A temporary table with what the statement selects, indexed by key and foreign keys."""
        table = model._meta.db_table
        cursor.execute(f'CREATE TEMPORARY TABLE "{table}" AS {select}')
        self._made.append(("TABLE", table))
        for field in model._meta.concrete_fields:
            if not (field.primary_key or field.is_relation):
                continue
            if self._postgresql:
                cursor.execute(f'CREATE INDEX ON pg_temp."{table}" ("{field.column}")')
            else:
                name = f"past_{table}_{field.column}"
                cursor.execute(f'CREATE INDEX temp."{name}" ON "{table}" ("{field.column}")')
        if self._postgresql:
            cursor.execute(f'ANALYZE pg_temp."{table}"')

    def _documents(self, cursor) -> None:
        """What search would have known: written anew from the records of the past."""
        from oegen.models import SearchDocument

        table = f'"{self._real}"."{SearchDocument._meta.db_table}"'
        self._table(SearchDocument, f"SELECT * FROM {table} WHERE 1 = 0", cursor)  # noqa: S608
        for model in search.kinds():
            if model._meta.db_table in self._makers:
                self._make(model._meta.db_table)
        fields = SearchDocument._meta.concrete_fields
        columns = ", ".join(f'"{field.column}"' for field in fields)
        places = ", ".join(["%s"] * len(fields))
        insert = f'INSERT INTO "{SearchDocument._meta.db_table}" ({columns}) VALUES ({places})'  # noqa: S608
        number = count(1)
        for model in search.kinds():
            rows = []
            for record in model._base_manager.iterator():
                document = search.document_of(record)
                document.pk = next(number)
                rows.append(
                    [
                        field.get_db_prep_save(getattr(document, field.attname), self._connection)
                        for field in fields
                    ]
                )
            cursor.executemany(insert, rows)
