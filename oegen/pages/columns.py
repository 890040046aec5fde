"""Column classes of lists."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from copy import copy
from functools import cached_property
from operator import methodcaller
from typing import Any

import django_tables2 as tables
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
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import Truncator

from oegen import exports
from oegen.core.fields import country_name, country_names
from oegen.core.words import day, moment, number
from oegen.pages.filters import countries_of
from oegen.search import ordering


def truncate(text: Any, length: int) -> str:
    """Like the template filter truncatechars, but fast for short texts."""
    text = str(text)
    return text if len(text) <= length else Truncator(text).chars(length)


class Column(tables.Column):
    """A column that declares its annotations and its value in downloads.

    ``annotate`` adds to the queryset what the cells need; it is called only if the column is shown.
    ``file_value`` is the value for a download, by default the accessor's; ``file_choices`` returns
    the values that a spreadsheet offers for its cells.
    """

    #: The width in a spreadsheet.
    width = exports.WIDTH
    number_format = ""

    def __init__(
        self,
        *args,
        annotate: Callable[[QuerySet], QuerySet] | None = None,
        file_value: exports.FileValue | None = None,
        file_choices: Callable[[], Iterable[str]] = list,
        **kwargs,
    ):
        self.annotate = annotate
        self.file_value = file_value
        self.file_choices = file_choices
        super().__init__(*args, **kwargs)

    def __deepcopy__(self, memo: object) -> Column:
        """A table's own column, which needs none of what the class's is made of again."""
        return copy(self)

    def cell(self, record: Model, value: Any) -> Any:
        """The content of the cell; HTML as a SafeString. Not called for ``empty_values``."""
        return formats.localize(value)


def order_nulls_last(queryset: QuerySet, field: str, is_descending: bool) -> tuple[QuerySet, bool]:
    """Order with nulls last, which the databases handle differently by default."""
    key = F(field)
    order = key.desc(nulls_last=True) if is_descending else key.asc(nulls_last=True)
    return queryset.order_by(order), True


def order_by_first_link(
    queryset: QuerySet,
    links: type[Model],
    owner: str,
    field: str,
    is_descending: bool,
    *,
    rank: Case | None = None,
) -> tuple[QuerySet, bool]:
    """Order by the least value of a ``field`` among the links whose ``owner`` is the row, or by the
    least ``rank`` computed from it."""
    own_links = links._base_manager.filter(**{owner: OuterRef("pk")}).order_by()
    least = Min(rank or ordering.path_of(links, field))
    first = own_links.values(owner).annotate(first=least).values("first")
    name = f"first_{field.replace('__', '_')}"
    return order_nulls_last(queryset.annotate(**{name: Subquery(first)}), name, is_descending)


def country_rank(field: str, records: QuerySet) -> Case:
    """The rank of a field's country by name, among the countries that occur."""
    ranks = [
        When(**{field: code}, then=rank) for rank, (code, _) in enumerate(countries_of(records))
    ]
    # Without countries this would be a constant, by which PostgreSQL can't order.
    unknown = When(**{field: ""}, then=Value(None))
    return Case(unknown, *ranks, default=Value(None), output_field=IntegerField())


class PersonColumn(Column):
    """The name of the user that a foreign key refers to; sorts by username."""

    def __init__(self, field: str):
        names = (f"{field}__first_name", f"{field}__last_name", f"{field}__username")
        super().__init__(
            accessor=field,
            order_by=(names[-1],),
            annotate=methodcaller("select_related", field),
            file_value=exports.FileValue(names, _person_name),
        )


def _person_name(first_name: str, last_name: str, username: str | None) -> str | None:
    """As of ``User``; None without one."""
    return f"{first_name} {last_name}".strip() or username if username else None


class CountryColumn(Column):
    """The name of the record's country; sorts by name, empty ones last."""

    def __init__(self, *args, **kwargs):
        kwargs.setdefault("attrs", {"td": {"class": "nowrap"}})
        name = exports.FileValue(("country",), country_name)
        super().__init__(
            *args,
            accessor="country_name",
            file_value=name,
            file_choices=country_names,
            **kwargs,
        )

    def order(self, queryset, is_descending):
        rank = country_rank("country", queryset.model._default_manager.all())
        found = queryset.annotate(country_rank=rank)
        return order_nulls_last(found, "country_rank", is_descending)


class NullsLastColumn(Column):
    """Sorts by the field or annotation of the column's name, nulls last."""

    def order(self, queryset, is_descending):
        return order_nulls_last(queryset, self.name, is_descending)


class DayColumn(NullsLastColumn):
    width = exports.DAY_WIDTH

    def __init__(self, *args, **kwargs):
        kwargs.setdefault("attrs", {"td": {"class": "nowrap"}})
        super().__init__(*args, **kwargs)

    def cell(self, record, value):
        return day(value)


class PartColumn(Column):
    """A cell rendered by a template with ``record`` and ``value``.

    With ``cache_key``, records with the same key share a cell, which is rendered once per page.
    """

    def __init__(
        self,
        template_name: str,
        *args,
        cache_key: Callable[[Any], Hashable] | None = None,
        **kwargs,
    ):
        self.part = template_name
        self.cache_key = cache_key
        kwargs.setdefault("empty_values", ())
        super().__init__(*args, **kwargs)

    @cached_property
    def _template(self):
        return get_template(self.part)

    @cached_property
    def _rendered(self) -> dict[Hashable, SafeString]:
        return {}

    def cell(self, record, value):
        if self.cache_key is None:
            return self._template.render({"record": record, "value": value})
        key = self.cache_key(record)
        if key not in self._rendered:
            self._rendered[key] = self._template.render({"record": record, "value": value})
        return self._rendered[key]


class NullsLastPartColumn(NullsLastColumn, PartColumn):
    pass


class ChoiceColumn(PartColumn):
    """Sorts by the order of the choices, empty ones last."""

    def __init__(self, template_name: str, choices: type[Choices], *args, **kwargs):
        self.choices = choices
        kwargs.setdefault("file_choices", lambda: map(str, choices.labels))
        super().__init__(template_name, *args, **kwargs)

    def order(self, queryset, is_descending):
        ranks = (
            When(**{self.name: value}, then=rank) for rank, value in enumerate(self.choices.values)
        )
        name = f"{self.name}_rank"
        found = queryset.annotate(**{name: Case(*ranks, output_field=IntegerField())})
        return order_nulls_last(found, name, is_descending)


class RecordColumn(Column):
    """The record's name, linked to its page."""

    width = exports.NAME_WIDTH

    def cell(self, record, value):
        return format_html('<a href="{}">{}</a>', record.get_absolute_url(), truncate(record, 90))


class TextColumn(Column):
    """A text, truncated to one line except in downloads. The cell shows ``file_value``, too.
    Sorts by the field of the column's name, empty ones last."""

    width = exports.TEXT_WIDTH

    def __init__(self, *args, **kwargs):
        kwargs.setdefault("empty_values", ())
        super().__init__(*args, **kwargs)

    def order(self, queryset, is_descending):
        path = ordering.path_of(queryset.model, self.name)
        empty = "" if path == self.name else ordering.EMPTY
        text = NullIf(path, Value(empty), output_field=TextField())
        name = f"given_{self.name}"
        return order_nulls_last(queryset.annotate(**{name: text}), name, is_descending)

    def cell(self, record, value):
        text = self.file_value.of_record(record) if self.file_value else value
        if not text:
            return ""
        return format_html(
            '<span class="one-line" title="{}">{}</span>', truncate(text, 300), truncate(text, 160)
        )


class NumberColumn(NullsLastColumn):
    """Right-aligned, with the unit in the heading; in spreadsheets, after each number."""

    width = exports.NUMBER_WIDTH

    def __init__(self, *args, places: int = 0, unit: str = "", **kwargs):
        self.places = places
        self.number_format = exports.number_format(unit, places)
        kwargs.setdefault("attrs", {"th": {"class": "num"}, "td": {"class": "num"}})
        kwargs.setdefault("initial_sort_descending", True)
        super().__init__(*args, **kwargs)

    def cell(self, record, value):
        return number(value, self.places)


class MomentColumn(NullsLastColumn):
    """How long ago; the exact time on hover and in the download."""

    width = exports.MOMENT_WIDTH

    def __init__(self, *args, **kwargs):
        kwargs.setdefault("initial_sort_descending", True)
        kwargs.setdefault("empty_values", ())
        super().__init__(*args, **kwargs)

    def cell(self, record, value):
        return format_html('<span class="nowrap">{}</span>', moment(value)) if value else ""
