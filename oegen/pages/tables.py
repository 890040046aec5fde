"""The base of the tables that lists show."""

import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from functools import cache, partial
from typing import Any

import django_tables2 as tables
from django.core.exceptions import EmptyResultSet
from django.core.paginator import Paginator
from django.db.models import (
    Model,
    QuerySet,
)
from django.utils.html import conditional_escape, format_html
from django.utils.safestring import SafeString, mark_safe
from django_tables2.columns import BoundColumn
from django_tables2.rows import BoundRows
from django_tables2.utils import OrderBy

from oegen import asof, exports
from oegen.core import clock
from oegen.core.caching import keep
from oegen.core.compiled import compiled, one_of
from oegen.imports.tables.reading import ID_HEADING, VERSION_HEADING
from oegen.pages.columns import Column
from oegen.pages.paging import find_page
from oegen.search import ordering


@dataclass(frozen=True)
class FileOnlyColumn:
    """A column of downloads only, after the shown ones; with ``beside``, only if the column of that
    name is shown."""

    column: exports.FileColumn
    value: exports.FileValue
    beside: str = ""


_VERSION = FileOnlyColumn(
    exports.FileColumn(VERSION_HEADING, exports.NUMBER_WIDTH, is_grey=True),
    exports.FileValue(("version",)),
)
_ID = FileOnlyColumn(
    exports.FileColumn(ID_HEADING, exports.ID_WIDTH, is_grey=True), exports.FileValue(("pk",), str)
)


class RecordTable(tables.Table):
    """A table with one row per record. The first column links to the record, stays visible on
    phones and is always shown; the others depend on the user's preferences.
    """

    #: The columns, in order, for users without preferences.
    default_columns: tuple[str, ...] = ()
    file_only: tuple[FileOnlyColumn, ...] = ()
    #: The last columns of downloads, by which these can be imported again.
    file_keys: tuple[FileOnlyColumn, ...] = (_VERSION, _ID)
    #: The capacity of all rows, if opening the page computed it.
    capacity: Any = None
    #: When count and capacity were read, if they are held until a long write ends.
    held_at: datetime | None = None
    _is_annotated = False

    def __init_subclass__(cls):
        for name, column in cls.base_columns.items():
            column.name = name

    def __init__(self, data: QuerySet, shown: Iterable[str] = (), **kwargs):
        names = self.valid_columns(shown)
        # Columns with the same annotations share a function, which is called once.
        functions = dict.fromkeys(self.base_columns[name].annotate for name in names)
        self.annotate = [annotate for annotate in functions if annotate]
        hidden = [name for name in self.base_columns if name not in names]
        attrs = {"class": "table table-vcenter record-rows"}
        super().__init__(data=data, sequence=names, exclude=hidden, attrs=attrs, **kwargs)

    def _annotate_all(self) -> None:
        """Annotate the rows of all pages, for an order or a file; a page annotates its own."""
        if not self._is_annotated:
            self.data.data = _annotate(self.data.data, self.annotate)
            self._is_annotated = True

    def open_page(self, number: str | None, size: int) -> None:
        """Select a page of rows; an invalid number selects the nearest page.

        The keys of the page are read first, so that annotations are computed for its rows only,
        not for all rows that are filtered and ordered. For filtered rows one statement reads the
        keys, the count and the capacity.
        """
        self.paginator = Paginator(self.rows, size)
        rows = self.data.data
        keys = None
        version = asof.data_version()
        if rows.query.has_filters() and re.fullmatch(r"[1-9][0-9]{0,5}", number or "1"):
            with suppress(EmptyResultSet):
                start = (int(number or "1") - 1) * size
                found_page = find_page(rows, start, size, version)
                self.paginator.count = found_page.count
                self.capacity = found_page.capacity
                self.held_at = found_page.held_at
                # A page beyond the last has no keys: the nearest one is read below.
                if found_page.keys or not found_page.count:
                    keys = found_page.keys
        self.page = self.paginator.get_page(number)
        if keys is None:
            start = (self.page.number - 1) * size
            keys = list(rows.values_list("pk", flat=True)[start : start + size])
        read = partial(_annotated, rows.model, tuple(self.annotate), keys=keys)
        # To read records of the past, those of all pages are rebuilt.
        is_past = clock.past_day() and keys
        records = (
            keep(read, "records", version, *self.columns.names(), *keys) if is_past else read()
        )
        found = {record.pk: record for record in records}
        # A record removed since its key was read is no longer listed.
        self.page.object_list = BoundRows([found[key] for key in keys if key in found], self)

    @classmethod
    def valid_columns(cls, names: Iterable[str]) -> list[str]:
        """The valid column names among ``names``, or the default columns if there are none; the
        table's first column always comes first."""
        first = next(iter(cls.base_columns))
        valid = [name for name in dict.fromkeys(names) if name in cls.base_columns]
        return [first, *(name for name in valid or cls.default_columns if name != first)]

    def choices(self) -> list[tuple[str, str, bool]]:
        """(name, heading, is shown) of every optional column: the shown ones, in order, then the
        others."""
        shown = self.columns.names()
        names = [*shown, *(name for name in self.base_columns if name not in shown)]
        # mypy takes a class with an untyped base for unhashable.
        headings = _headings(type(self), self.data.data.model)  # type: ignore[arg-type]
        return [(name, headings[name], name in shown) for name in names[1:]]

    def rendered_rows(self) -> Iterator[SafeString]:
        """The cells of each row of the page as HTML, labelled with their column, because rows are
        shown as cards on phones.

        Rendered here, because for fifty rows the template engine and the bound rows of
        django-tables2 take longer than the rest of the page.
        """
        shown = [
            (bound.column, bound.accessor, bound.default, *_tags(bound, "td" if place else "th"))
            for place, bound in enumerate(self.columns)
        ]
        for row in self.paginated_rows:
            parts = []
            for column, accessor, default, tag, tag_of_unknown, closing_tag in shown:
                cell = _cell(column, accessor, default, row.record)
                parts += [
                    tag_of_unknown if cell is default else tag,
                    conditional_escape(cell),
                    closing_tag,
                ]
            yield SafeString("".join(parts))

    @tables.Table.order_by.setter
    def order_by(self, value):
        """Like the base class, but all columns are applied, where the base class lets a column with
        an ``order`` method override the others; the id comes last, for stable paging."""
        if value:
            self._annotate_all()
        rows = self.data.data
        tables.Table.order_by.fset(self, value)
        keys = []
        for alias in self.order_by:
            column = self.columns[OrderBy(alias).bare]
            ordered, is_own = column.order(rows, OrderBy(alias).is_descending)
            if is_own:
                rows = ordered
                keys += rows.query.order_by
            else:
                model = self.data.data.model
                keys += [ordering.path_of(model, one.for_queryset()) for one in column.order_by]
        if keys:
            self.data.data = rows.order_by(*keys, "pk")

    def file_columns(self) -> list[exports.FileColumn]:
        """The shown columns and those of downloads only."""
        shown = [
            exports.FileColumn(
                str(one.header),
                one.column.width,
                one.column.number_format,
                one.column.file_choices,
            )
            for one in self.columns
        ]
        return [*shown, *(one.column for one in self._file_only())]

    def file_rows(self) -> Iterator[tuple]:
        """The values of all rows, in the order of ``file_columns``, read in chunks."""
        shown = [
            one.column.file_value or exports.FileValue((str(one.accessor),)) for one in self.columns
        ]
        values = [*shown, *(one.value for one in self._file_only())]
        self._annotate_all()
        return exports.file_rows(self.data.data, values)

    def _file_only(self) -> list[FileOnlyColumn]:
        shown = self.columns.names()
        wanted = [one for one in self.file_only if not one.beside or one.beside in shown]
        return [*wanted, *self.file_keys]


def _tags(bound: BoundColumn, name: str) -> Iterator[SafeString]:
    """The opening tag of the column's cells, that of unknown values, and the closing tag."""
    css = f"{bound.column.attrs.get('td', {}).get('class', '')} col-{bound.name}".lstrip()
    scope = mark_safe(' scope="row"') if name == "th" else ""
    for value in (css, f"{css} is-unknown"):
        yield format_html('<{}{} class="{}" data-heading="{}">', name, scope, value, bound.header)
    yield format_html("</{}>", name)


def _cell(column: Column, accessor, default: Any, record: Model) -> Any:
    value = accessor.resolve(record, quiet=True)
    return default if value in column.empty_values else column.cell(record, value) or default


@cache
def _headings(table_class: type[RecordTable], model: type[Model]) -> dict[str, str]:
    """The headings of all columns by name."""
    table = table_class(model._default_manager.none(), table_class.base_columns)
    return {column.name: str(column.header) for column in table.columns}


def _annotate(records: QuerySet, annotations: Iterable[Callable[[QuerySet], QuerySet]]) -> QuerySet:
    for annotate in annotations:
        records = annotate(records)
    return records


@compiled
def _annotated(model, annotations, *, keys):
    records = model._default_manager.filter(pk__in=one_of(keys, model))
    return _annotate(records.order_by(), annotations)
