"""The base table and the columns that several lists share."""

from collections.abc import Callable, Iterable
from typing import Any

import django_tables2 as tables
from django.db.models import F, QuerySet
from django.template.loader import render_to_string
from django.utils.safestring import SafeString
from django_tables2.utils import OrderBy

from oegen.templatetags.oegen import number


class Column(tables.Column):
    """A column that says what it needs of the database and what it is in a download.

    ``reads`` adds to the queryset what the cells are made of; it is called only where the column
    is shown. ``told`` gives the value for a download where the accessor's is not what people see.
    """

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


class RecordTable(tables.Table):
    """One line a record. The first column leads to the record, stays in view on phones and can't
    be left out; the others are shown as each person chose.
    """

    #: The columns, in their order, for people who have not chosen.
    usual: tuple[str, ...] = ()

    def __init_subclass__(cls):
        for name, column in cls.base_columns.items():
            column.name = name

    def __init__(self, data: QuerySet, shown: Iterable[str] = (), **kwargs):
        names = self.known(shown)
        # Columns that need the same name the same function, which is called once.
        for reads in dict.fromkeys(self.base_columns[name].reads for name in names):
            data = reads(data) if reads else data
        hidden = [name for name in self.base_columns if name not in names]
        attrs = {"class": "table table-vcenter table-hover oegen-table"}
        super().__init__(data=data, sequence=names, exclude=hidden, attrs=attrs, **kwargs)

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
        everything = type(self)(self.data.data.none(), names)
        return [
            (column.name, str(column.header), column.name in shown)
            for column in list(everything.columns)[1:]
        ]

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
                keys += [accessor.for_queryset() for accessor in column.order_by]
        if keys:
            self.data.data = rows.order_by(*keys, "pk")

    def headings(self) -> list[str]:
        return [str(column.header) for column in self.columns]

    def told(self, record) -> list:
        """The record's cells as values for a download, in the order of the columns."""
        return [
            column.column.told(record)
            if column.column.told
            else column.accessor.resolve(record, quiet=True)
            for column in self.columns
        ]


def unknown_last(queryset: QuerySet, field: str, is_descending: bool) -> tuple[QuerySet, bool]:
    """The databases disagree on where nothing sorts; people look for it at the end."""
    key = F(field)
    order = key.desc(nulls_last=True) if is_descending else key.asc(nulls_last=True)
    return queryset.order_by(order), True


class UnknownLastColumn(Column):
    """Sorts by a field or annotation of its own name, rows without a value at the end."""

    def order(self, queryset, is_descending):
        return unknown_last(queryset, self.name, is_descending)


class PartColumn(Column):
    """A cell drawn by a template, which is given ``record`` and ``value``."""

    def __init__(self, template_name: str, *args, **kwargs):
        self.part = template_name
        kwargs.setdefault("empty_values", ())
        super().__init__(*args, **kwargs)

    def render(self, record, value) -> SafeString:
        return render_to_string(self.part, {"record": record, "value": value})


class UnknownLastPartColumn(UnknownLastColumn, PartColumn):
    pass


class RecordColumn(PartColumn):
    """The record's name, leading to its page."""

    def __init__(self, *args, **kwargs):
        super().__init__("oegen/parts/record_link.html", *args, **kwargs)


class TextColumn(PartColumn):
    """A text of any length, cut to one line; the download has it whole."""

    def __init__(self, *args, **kwargs):
        super().__init__("oegen/parts/one_line.html", *args, **kwargs)


class NumberColumn(UnknownLastColumn):
    """Right-aligned, with the unit in the heading."""

    def __init__(self, *args, places: int = 0, **kwargs):
        self.places = places
        kwargs.setdefault("attrs", {"th": {"class": "num"}, "td": {"class": "num"}})
        kwargs.setdefault("initial_sort_descending", True)
        super().__init__(*args, **kwargs)

    def render(self, value):
        return number(value, self.places)


class MomentColumn(UnknownLastPartColumn):
    """How long ago; the exact time on hover and in the download."""

    def __init__(self, *args, **kwargs):
        kwargs.setdefault("initial_sort_descending", True)
        super().__init__("oegen/parts/moment.html", *args, **kwargs)
