"""The columns that lists are made of."""

from collections.abc import Callable, Hashable
from functools import cached_property
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
from oegen.core.words import moment, number
from oegen.pages.filters import countries_of
from oegen.search import ordering


def truncate(text: Any, length: int) -> str:
    """As the template filter truncatechars, which looks at every character of a short text too."""
    text = str(text)
    return text if len(text) <= length else Truncator(text).chars(length)


class Column(tables.Column):
    """A column that says what it needs of the database and what it is in a download.

    ``annotate`` adds to the queryset what the cells are made of; it is called only where the column
    is shown. ``export_value`` gives the value for a download where the accessor's is not what
    people see.
    """

    #: In a spreadsheet.
    width = exports.WIDTH
    number_format = ""

    def __init__(
        self,
        *args,
        annotate: Callable[[QuerySet], QuerySet] | None = None,
        export_value: Callable[[Any], Any] | None = None,
        **kwargs,
    ):
        self.annotate = annotate
        self.export_value = export_value
        super().__init__(*args, **kwargs)

    def cell(self, record: Model, value: Any) -> Any:
        """What stands in the cell; HTML only as a SafeString. Not asked where the value is one of
        ``empty_values``."""
        return formats.localize(value)


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

    Records of which ``cache_key`` gives the same have the same cell, which is drawn once a page.
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
    def _drawn(self) -> dict[Hashable, SafeString]:
        return {}

    def cell(self, record, value):
        if self.cache_key is None:
            return self._template.render({"record": record, "value": value})
        key = self.cache_key(record)
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
        return format_html('<a href="{}">{}</a>', record.get_absolute_url(), truncate(record, 90))


class TextColumn(Column):
    """A text of any length, truncated to one line; the download has it whole. An ``export_value``
    is also what is shown. Sorts by the field of its own name, rows without a text at the end."""

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
        text = self.export_value(record) if self.export_value else value
        if not text:
            return ""
        return format_html(
            '<span class="one-line" title="{}">{}</span>', truncate(text, 300), truncate(text, 160)
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
