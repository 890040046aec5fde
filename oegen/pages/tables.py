"""The base table and the columns that several lists share."""

import re
from collections.abc import Callable, Hashable, Iterable, Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any

import django_tables2 as tables
from django.core.exceptions import EmptyResultSet
from django.core.paginator import Paginator
from django.db.models import (
    Case,
    Choices,
    F,
    IntegerField,
    Min,
    Model,
    OuterRef,
    QuerySet,
    Subquery,
    TextField,
    Value,
    When,
)
from django.db.models.functions import NullIf
from django.template.loader import get_template
from django.utils import formats
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.text import Truncator
from django_tables2.rows import BoundRows
from django_tables2.utils import OrderBy

from oegen import exports
from oegen.core.words import moment, number
from oegen.pages.filters import countries_of
from oegen.pages.paging import find_page
from oegen.search import ordering


def cut(text: Any, length: int) -> str:
    """As the template filter truncatechars, which looks at every character of a short text too."""
    text = str(text)
    return text if len(text) <= length else Truncator(text).chars(length)


class Column(tables.Column):
    """A column that says what it needs of the database and what it is in a download.

    ``reads`` adds to the queryset what the cells are made of; it is called only where the column
    is shown. ``told`` gives the value for a download where the accessor's is not what people see.
    """

    #: In a spreadsheet.
    width = exports.WIDTH
    number_format = ""

    def __init__(
        self,
        *args,
        reads: Callable[[QuerySet], QuerySet] | None = None,
        told: Callable[[Any], Any] | None = None,
        **kwargs,
    ):
        self.reads = reads
        self.told = told
        super().__init__(*args, **kwargs)

    def cell(self, record: Model, value: Any) -> Any:
        """What stands in the cell; HTML only as a SafeString. Not asked where the value is one of
        ``empty_values``."""
        return formats.localize(value)


@dataclass(frozen=True)
class FileOnlyColumn:
    """A column that only downloads have, behind those that are shown; with ``beside``, only where
    the column of that name is shown. ``annotate`` adds to the queryset what ``value`` needs."""

    column: exports.FileColumn
    value: Callable[[Any], Any]
    beside: str = ""
    annotate: Callable[[QuerySet], QuerySet] | None = None


class RecordTable(tables.Table):
    """One line a record. The first column leads to the record, stays in view on phones and can't
    be left out; the others are shown as each person chose.
    """

    #: The columns, in their order, for people who have not chosen.
    usual: tuple[str, ...] = ()
    #: The id comes last in every download, so that a row can be found again.
    file_only: tuple[FileOnlyColumn, ...] = ()
    #: Of all rows, where it was learnt in opening a page.
    capacity: Any = None

    def __init_subclass__(cls):
        for name, column in cls.base_columns.items():
            column.name = name

    def __init__(self, data: QuerySet, shown: Iterable[str] = (), **kwargs):
        names = self.known(shown)
        # Columns that need the same name the same function, which is called once.
        needed = dict.fromkeys(self.base_columns[name].reads for name in names)
        self.reads = [reads for reads in needed if reads]
        data = self._read(data)
        hidden = [name for name in self.base_columns if name not in names]
        attrs = {"class": "table table-vcenter table-hover oegen-table record-rows"}
        super().__init__(data=data, sequence=names, exclude=hidden, attrs=attrs, **kwargs)

    def _read(self, records: QuerySet) -> QuerySet:
        for reads in self.reads:
            records = reads(records)
        return records

    def open_page(self, number: str | None, size: int) -> None:
        """Page the rows; a number that is none, or of no page, opens the page that is nearest.

        The page's keys are read first: what the columns need is then worked out for its rows, not
        for all that had to be filtered and ordered to find them.
        """
        self.paginator = Paginator(self.rows, size)
        rows = self.data.data
        keys = self._found_keys(number, size) if rows.query.has_filters() else None
        self.page = self.paginator.get_page(number)
        if keys is None:
            start = (self.page.number - 1) * size
            keys = list(rows.values_list("pk", flat=True)[start : start + size])
        records = self._read(rows.model._default_manager.filter(pk__in=keys))
        found = {record.pk: record for record in records}
        # A record removed since its key was read is no longer listed.
        self.page.object_list = BoundRows([found[key] for key in keys if key in found], self)

    def _found_keys(self, number: str | None, size: int) -> list | None:
        """The keys of the page asked for, while all rows are counted and summed up in the same
        go. None where there is no such page, or nothing to ask the database for."""
        asked_for = number or "1"
        if not re.fullmatch(r"[1-9][0-9]{0,5}", asked_for):
            return None
        try:
            found = find_page(self.data.data, (int(asked_for) - 1) * size, size)
        except EmptyResultSet:
            return None
        self.paginator.count = found.count
        self.capacity = found.capacity
        return found.keys if found.keys or not found.count else None

    @classmethod
    def known(cls, names: Iterable[str]) -> list[str]:
        """Those of the names that are columns, the first column before them; the usual ones if
        none is."""
        first = next(iter(cls.base_columns))
        wanted = [name for name in dict.fromkeys(names) if name in cls.base_columns]
        return [first, *(name for name in wanted or cls.usual if name != first)]

    def choices(self) -> list[tuple[str, str, bool]]:
        """Name, heading and whether it is shown, of every column that can be left out: the shown
        ones in their order, then the rest."""
        shown = self.columns.names()
        names = [*shown, *(name for name in self.base_columns if name not in shown)]
        headings = _headings(type(self), self.data.data.model)
        return [(name, headings[name], name in shown) for name in names[1:]]

    def lines(self) -> Iterator[SafeString]:
        """The cells of each row of the page as HTML; each names its column, for the cards that
        rows are on phones.

        Put together here, because the template engine and the bound rows of django-tables2 take
        longer for fifty rows than the whole rest of a page.
        """
        shown = [
            (
                bound.column,
                bound.accessor,
                bound.default,
                f"{_css(bound.column)} col-{bound.name}".lstrip(),
                str(bound.header),
            )
            for bound in self.columns
        ]
        for row in self.paginated_rows:
            cells = []
            for column, accessor, default, css, heading in shown:
                cell = _cell(column, accessor, default, row.record)
                cells.append((f"{css} is-unknown" if cell is default else css, heading, cell))
            yield format_html(
                '<th scope="row" class="{}" data-heading="{}">{}</th>{}',
                *cells[0],
                format_html_join("", '<td class="{}" data-heading="{}">{}</td>', cells[1:]),
            )

    @tables.Table.order_by.setter
    def order_by(self, value):
        """As the base's, but every column counts where the base lets a column with an order of
        its own override the others; the id comes last, so that rows of equal value keep their
        page."""
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
        """The shown columns and those that only a file has."""
        shown = [
            exports.FileColumn(str(one.header), one.column.width, one.column.number_format)
            for one in self.columns
        ]
        return [*shown, *(one.column for one in self._file_only())]

    def file_rows(self) -> Iterator[list]:
        """The cells of all rows as values for a file, in the order of ``file_columns``. Read in
        chunks."""
        more = self._file_only()
        records = self.data.data
        for annotate in dict.fromkeys(one.annotate for one in more if one.annotate):
            records = annotate(records)
        for record in records.iterator(chunk_size=exports.CHUNK):
            values = [
                column.column.told(record)
                if column.column.told
                else column.accessor.resolve(record, quiet=True)
                for column in self.columns
            ]
            values += [one.value(record) for one in more]
            yield [exports.export_value(value) for value in values]

    def _file_only(self) -> list[FileOnlyColumn]:
        shown = self.columns.names()
        wanted = [one for one in self.file_only if not one.beside or one.beside in shown]
        return [*wanted, FileOnlyColumn(exports.FileColumn("ID", exports.ID_WIDTH), _key)]


def _key(record: Model) -> str:
    return str(record.pk)


def _css(column: Column) -> str:
    return column.attrs.get("td", {}).get("class", "")


def _cell(column: Column, accessor, default: Any, record: Model) -> Any:
    value = accessor.resolve(record, quiet=True)
    return default if value in column.empty_values else column.cell(record, value) or default


@cache
def _headings(table_class: type[RecordTable], model: type[Model]) -> dict[str, str]:
    """By the names of the columns, shown or not."""
    everything = table_class(model._default_manager.none(), table_class.base_columns)
    return {column.name: str(column.header) for column in everything.columns}


def unknown_last(queryset: QuerySet, field: str, is_descending: bool) -> tuple[QuerySet, bool]:
    """The databases disagree on where nothing sorts; people look for it at the end."""
    key = F(field)
    order = key.desc(nulls_last=True) if is_descending else key.asc(nulls_last=True)
    return queryset.order_by(order), True


def by_first(
    queryset: QuerySet,
    links: type[Model],
    owner: str,
    field: str,
    is_descending: bool,
    *,
    place: Case | None = None,
) -> tuple[QuerySet, bool]:
    """Orders by the least value of a ``field`` among the links whose ``owner`` is the row, or by
    the least ``place`` that is worked out of it."""
    of_row = links._base_manager.filter(**{owner: OuterRef("pk")}).order_by()
    least = Min(place or ordering.path_of(links, field))
    first = of_row.values(owner).annotate(first=least).values("first")
    name = f"first_{field.replace('__', '_')}"
    return unknown_last(queryset.annotate(**{name: Subquery(first)}), name, is_descending)


def place_of_country(field: str, records: QuerySet) -> Case:
    """The place of the country in a field among those that occur, by their names."""
    places = [
        When(**{field: code}, then=place) for place, (code, _) in enumerate(countries_of(records))
    ]
    # PostgreSQL does not order by a constant, which this is while no country occurs.
    nowhere = When(**{field: ""}, then=Value(None))
    return Case(nowhere, *places, default=Value(None), output_field=IntegerField())


class CountryColumn(Column):
    """The country of the row's own field, by its name; rows without one at the end."""

    def __init__(self, *args, **kwargs):
        kwargs.setdefault("attrs", {"td": {"class": "nowrap"}})
        super().__init__(*args, accessor="country_name", **kwargs)

    def order(self, queryset, is_descending):
        place = place_of_country("country", queryset.model._default_manager.all())
        found = queryset.annotate(place_of_country=place)
        return unknown_last(found, "place_of_country", is_descending)


class UnknownLastColumn(Column):
    """Sorts by a field or annotation of its own name, rows without a value at the end."""

    def order(self, queryset, is_descending):
        return unknown_last(queryset, self.name, is_descending)


class DayColumn(UnknownLastColumn):
    width = exports.DAY_WIDTH

    def __init__(self, *args, **kwargs):
        kwargs.setdefault("attrs", {"td": {"class": "nowrap"}})
        super().__init__(*args, **kwargs)


class PartColumn(Column):
    """A cell drawn by a template, which is given ``record`` and ``value``.

    Records of which ``alike`` gives the same have the same cell, which is drawn once a page.
    """

    def __init__(
        self, template_name: str, *args, alike: Callable[[Any], Hashable] | None = None, **kwargs
    ):
        self.part = template_name
        self.alike = alike
        kwargs.setdefault("empty_values", ())
        super().__init__(*args, **kwargs)

    @cached_property
    def _template(self):
        return get_template(self.part)

    @cached_property
    def _drawn(self) -> dict[Hashable, SafeString]:
        return {}

    def cell(self, record, value):
        if self.alike is None:
            return self._template.render({"record": record, "value": value})
        key = self.alike(record)
        if key not in self._drawn:
            self._drawn[key] = self._template.render({"record": record, "value": value})
        return self._drawn[key]


class UnknownLastPartColumn(UnknownLastColumn, PartColumn):
    pass


class ChoiceColumn(PartColumn):
    """Sorts as the choices stand, not by their letters, and rows without one at the end."""

    def __init__(self, template_name: str, choices: type[Choices], *args, **kwargs):
        self.choices = choices
        super().__init__(template_name, *args, **kwargs)

    def order(self, queryset, is_descending):
        places = (
            When(**{self.name: value}, then=place)
            for place, value in enumerate(self.choices.values)
        )
        name = f"place_of_{self.name}"
        found = queryset.annotate(**{name: Case(*places, output_field=IntegerField())})
        return unknown_last(found, name, is_descending)


class RecordColumn(Column):
    """The record's name, leading to its page."""

    width = exports.NAME_WIDTH

    def cell(self, record, value):
        return format_html('<a href="{}">{}</a>', record.get_absolute_url(), cut(record, 90))


class TextColumn(Column):
    """A text of any length, cut to one line; the download has it whole. What is ``told`` is also
    what is shown. Sorts by the field of its own name, rows without a text at the end."""

    width = exports.TEXT_WIDTH

    def __init__(self, *args, **kwargs):
        kwargs.setdefault("empty_values", ())
        super().__init__(*args, **kwargs)

    def order(self, queryset, is_descending):
        path = ordering.path_of(queryset.model, self.name)
        empty = "" if path == self.name else ordering.EMPTY
        text = NullIf(path, Value(empty), output_field=TextField())
        name = f"given_{self.name}"
        return unknown_last(queryset.annotate(**{name: text}), name, is_descending)

    def cell(self, record, value):
        text = self.told(record) if self.told else value
        if not text:
            return ""
        return format_html(
            '<span class="one-line" title="{}">{}</span>', cut(text, 300), cut(text, 160)
        )


class NumberColumn(UnknownLastColumn):
    """Right-aligned, with the unit in the heading; spreadsheets show it behind each number."""

    width = exports.NUMBER_WIDTH

    def __init__(self, *args, places: int = 0, unit: str = "", **kwargs):
        self.places = places
        self.number_format = exports.number_format(unit, places)
        kwargs.setdefault("attrs", {"th": {"class": "num"}, "td": {"class": "num"}})
        kwargs.setdefault("initial_sort_descending", True)
        super().__init__(*args, **kwargs)

    def cell(self, record, value):
        return number(value, self.places)


class MomentColumn(UnknownLastColumn):
    """How long ago; the exact time on hover and in the download."""

    width = exports.MOMENT_WIDTH

    def __init__(self, *args, **kwargs):
        kwargs.setdefault("initial_sort_descending", True)
        kwargs.setdefault("empty_values", ())
        super().__init__(*args, **kwargs)

    def cell(self, record, value):
        return format_html('<span class="nowrap">{}</span>', moment(value)) if value else ""
