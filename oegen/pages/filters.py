from __future__ import annotations

from collections.abc import Callable, Iterable
from copy import copy
from dataclasses import dataclass
from functools import cache, cached_property, partial
from typing import Any
from uuid import UUID

import django_filters
from django import forms
from django.apps import apps
from django.core.exceptions import ValidationError
from django.db.models import Q, QuerySet
from django.template.loader import render_to_string
from django.utils.safestring import SafeString
from django.utils.text import Truncator, get_text_list, slugify
from django_filters.fields import ChoiceField

from oegen.audit.changesets import newest_seal
from oegen.core import clock
from oegen.core.bidi import isolated
from oegen.core.caching import cache_key, keep, read, write
from oegen.core.fields import NumberFormField, choice_pairs, country_name
from oegen.pages.selection import (
    ALL,
    NOT,
    NOTHING,
    Selection,
    SelectionField,
    SelectionFilter,
    values_of,
)

#: Code for the person who reads; no username can have the tilde.
MINE = "~me"

#: Query parameters for the position in a list.
POSITION_PARAMETERS = ("page", "before")


def _read_once(choices: Iterable) -> Callable[[], list]:
    """The choices without the empty one, read when they are first needed and not on each access."""
    return cache(lambda: [choice for choice in choices if choice[0] != ""])


def _choices_of(field: forms.Field) -> list[tuple]:
    if isinstance(field, SelectionField):
        return [(one.code, one.label, one.group) for one in field.choices]
    return list(field.choices)  # type: ignore[attr-defined]


def queryset_method(name: str) -> Callable[[QuerySet, str, Any], QuerySet]:
    """For a filter's ``method``: the queryset's method of that name, called with the value."""

    def select(queryset: QuerySet, field_name: str, value: Any) -> QuerySet:
        return getattr(queryset, name)(value)

    return select


def is_person(field: str, codes: Iterable[str], reader: Any, *, nobody: str) -> Q:
    """The condition that a foreign key is to one of the users, by their usernames and the codes for
    the reader and for ``nobody``."""
    is_one = Q(**{f"{field}__username__in": codes})
    if MINE in codes:
        is_one |= Q(**{field: reader})
    return is_one | Q(**{field: None}) if nobody in codes else is_one


class TextFilter(django_filters.CharFilter):
    """Search words for the queryset's ``matching``."""

    def __init__(self, **kwargs):
        super().__init__(
            label="Search",
            max_length=200,
            widget=forms.TextInput(attrs={"type": "search", "autocomplete": "off"}),
            **kwargs,
        )

    def filter(self, queryset, value):
        return queryset.matching(value) if value else queryset


class NameFilter(django_filters.CharFilter):
    """Part of a name. ``suggest`` is the URL that returns <option>s for the input."""

    def __init__(self, label: str, suggest=None, **kwargs):
        attrs = {"autocomplete": "off", "placeholder": f"Any {label.lower()}"}
        if suggest is not None:
            attrs |= {"list": f"names-of-{slugify(label)}", "data-suggest": suggest}
        super().__init__(label=label, max_length=200, widget=forms.TextInput(attrs=attrs), **kwargs)


class RecordFilter(django_filters.ModelChoiceFilter):
    """One record, by its id. It has no visible field: links set it, and its chip removes it.
    ``model`` is a label such as "pipelines.Pipeline"."""

    def __init__(self, model: str, label: str, **kwargs):
        super().__init__(
            label=label,
            queryset=lambda request: apps.get_model(model).objects.order_by(),
            widget=forms.HiddenInput,
            error_messages={
                "invalid_choice": "The record that this address names is not there, or no longer.",
            },
            **kwargs,
        )


class RecordsField(forms.CharField):
    """A comma-separated list of ids, cleaned to the records in that order. Unknown ids are
    ignored, because on a past day some records do not exist; one must be found."""

    def __init__(self, *, model: str, **kwargs):
        super().__init__(**kwargs)
        self.model = model

    def clean(self, value):
        text = super().clean(value)
        if not text:
            return None
        try:
            keys = [UUID(key) for key in text.split(",")]
        except ValueError as error:
            raise ValidationError(
                "This address names no records: it wants their ids, with commas between them."
            ) from error
        found = apps.get_model(self.model).objects.in_bulk(keys)
        if not found:
            raise ValidationError(
                "The records that this address names are not there, or no longer."
            )
        return [found[key] for key in dict.fromkeys(keys) if key in found]


class RecordsFilter(django_filters.Filter):
    """Like RecordFilter, for several records."""

    field_class = RecordsField

    def __init__(self, model: str, label: str, **kwargs):
        super().__init__(
            label=label, model=model, max_length=2000, widget=forms.HiddenInput, **kwargs
        )


class AmountFilter(django_filters.NumberFilter):
    """A bound of a range; ``lookup_expr`` is gte or lte."""

    field_class = NumberFormField

    def __init__(self, field_name: str, lookup_expr: str, label: str, **kwargs):
        super().__init__(
            field_name,
            lookup_expr,
            label=label,
            **{
                "min_value": 0,
                "max_value": 1_000_000_000,
                "error_messages": {"invalid": "Give a number in digits, such as 50."},
                "widget": forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"}),
                **kwargs,
            },
        )


class WholeNumberFilter(AmountFilter):
    def __init__(
        self, field_name: str, lookup_expr: str, label: str, example: int, noun="number", **kwargs
    ):
        super().__init__(
            field_name,
            lookup_expr,
            label,
            decimal_places=0,
            error_messages={
                "invalid": f"Give a {noun} in digits, such as {example}.",
                "max_decimal_places": f"Give a whole {noun}, such as {example}.",
            },
            widget=forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "off"}),
            **kwargs,
        )


class DayFilter(django_filters.DateFilter):
    def __init__(self, field_name: str, lookup_expr: str, label: str, **kwargs):
        super().__init__(
            field_name,
            lookup_expr,
            label=label,
            input_formats=["%Y-%m-%d"],
            error_messages={"invalid": "Give a day as year-month-day, such as 2027-03-14."},
            widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"}),
            **kwargs,
        )


def countries_of(records: QuerySet) -> list[tuple[str, str]]:
    """(code, name) of the countries that occur among the records, by name."""
    if hasattr(records, "countries"):
        codes = records.countries()
    else:
        codes = records.order_by().values_list("country", flat=True).distinct()
    return countries_named(codes)


def countries_named(codes: Iterable[str]) -> list[tuple[str, str]]:
    """(code, name) of these countries, by name."""
    return sorted(
        ((code, country_name(code)) for code in codes if code), key=lambda choice: choice[1]
    )


def _abbreviate(records: list) -> str:
    """ "Acme, Beta and 8 more": two truncated names and the number of others."""
    names = [isolated(Truncator(record).chars(20)) for record in records]
    if len(names) <= 2:
        return " and ".join(names)
    return f"{', '.join(names[:2])} and {len(names) - 2} more"


@dataclass(frozen=True)
class Chip:
    """An active filter, or one of its choices; ``query`` is the query string without it."""

    label: str
    text: str
    query: str


@dataclass(frozen=True)
class DefaultFilter:
    """The choice of a filter that applies until the query string has another one, which may be ALL.
    ``adjective`` describes the records that match."""

    name: str
    code: str
    adjective: str


class FilterForm(forms.Form):
    """The form of a filter set, with the fields that its filters made for it: Django would copy
    those of a class."""

    def __init__(self, *args, filters: PageFilterSet, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields = {name: one.field for name, one in filters.filters.items()}
        self.ranges, self.requires = filters.ranges, filters.requires

    def clean(self):
        super().clean()
        values = self.cleaned_data
        for name, field in self.fields.items():
            given = values_of(self.data, self.add_prefix(name))
            if len(given) > 1 and not isinstance(field, SelectionField):
                shown = get_text_list([f"“{Truncator(one).chars(40)}”" for one in given], "and")
                self.add_error(name, f"This takes one value, and the address gives {shown}.")
        for low, high in self.ranges:
            if values.get(low) is None or values.get(high) is None:
                continue
            if values[low] > values[high]:
                self.add_error(high, f"This lies below “{self.fields[low].label}”: swap the two.")
        for name, needed in self.requires:
            if values.get(name) and not values.get(needed) and needed not in self.errors:
                self.add_error(needed, f"“{self.fields[name].label}” needs this too.")
        return values


class _Filters(dict[str, django_filters.Filter]):
    """The filters of a class, by name. A filter set makes its own with ``deepcopy``, but needs none
    of the choices, widgets and functions in them again: that takes a tenth of a page."""

    def __deepcopy__(self, memo: object) -> dict[str, django_filters.Filter]:
        return {name: _own_copy(one) for name, one in self.items()}


def _own_copy(one: django_filters.Filter) -> django_filters.Filter:
    own = copy(one)
    own.extra = dict(one.extra)
    own.method = one.method  # Binds it to the copy.
    return own


class PageFilterSet(django_filters.FilterSet):
    """The filters above a list, with the site's widgets."""

    #: The filters in the row; the others are under "More filters".
    primary: tuple[str, ...] = ()
    #: Pairs of filters for the lower and upper bound of a range.
    ranges: tuple[tuple[str, str], ...] = ()
    #: Pairs of filters of which the first requires the second.
    requires: tuple[tuple[str, str], ...] = ()
    #: The default choice of one of the filters.
    default_filter: DefaultFilter | None = None
    form_class: type[FilterForm] = FilterForm

    @classmethod
    def get_filters(cls):
        return _Filters(super().get_filters())

    def get_form_class(self):
        return partial(self.form_class, filters=self)

    @property
    def form(self):
        if not hasattr(self, "_form"):
            form = super().form
            for field in form.fields.values():
                is_choice = isinstance(field.widget, forms.Select)
                field.widget.attrs["class"] = "form-select" if is_choice else "form-control"
                if is_choice:
                    field.error_messages["invalid_choice"] = (
                        "There is no “%(value)s” here: choose one from the list."
                    )
                # Nothing shows the choices of a hidden field: they are read if it has a value.
                if isinstance(field, ChoiceField) and not field.widget.is_hidden:
                    field.choices = _read_once(field.choices)
        return super().form

    @property
    def primary_fields(self) -> list[SafeString]:
        """The HTML of the fields in the row."""
        return [html for name, html in self._drawn_fields.items() if name in self.primary]

    @property
    def more_fields(self) -> list[SafeString]:
        """The HTML of the fields under "More filters"."""
        return [html for name, html in self._drawn_fields.items() if name not in self.primary]

    @property
    def more_active(self) -> int:
        """The number of active filters under "More filters"."""
        active = self.active_values
        names = [one.name for one in self.form.visible_fields() if one.name not in self.primary]
        return sum(not active.keys().isdisjoint(self._parameters_of(name)) for name in names)

    @cached_property
    def _drawn_fields(self) -> dict[str, SafeString]:
        """The HTML of the visible fields, by name. That of fields without a value is cached, of
        whatever the others have one: most new filters are of one or two."""
        key = cache_key("fields without a value", *self._panel_version)
        blank = read(key) or {}
        drawn, known = {}, len(blank)
        for field in self.form.visible_fields():
            name = field.name
            is_given = name in self.form.errors or any(
                parameter in self.data for parameter in self._parameters_of(name)
            )
            html = None if is_given else blank.get(name)
            if html is None:
                html = render_to_string("oegen/parts/filter_field.html", {"field": field})
                if not is_given:
                    blank[name] = html
            drawn[name] = html
        if len(blank) > known:
            write(key, blank)
        return drawn

    @property
    def panel_key(self) -> str:
        """What the HTML of the filters depends on: drawing them takes a third of most pages."""
        given_of = getattr(self.data, "getlist", self.data.get)
        given = {name: given_of(name) for name in self.parameters if name in self.data}
        return cache_key(*self._panel_version, given, self.form.errors.as_json())

    @cached_property
    def _panel_version(self) -> tuple[object, ...]:
        """What the HTML of fields without a value depends on.

        Choices that are read are the same until something is written, of whatever kind.
        """
        kind = f"{type(self).__module__}.{type(self).__name__}"
        shown = {
            name: field
            for name, field in self.form.fields.items()
            if hasattr(type(field), "choices") and not field.widget.is_hidden
        }
        fixed = {name for name in shown if not callable(self.filters[name].extra.get("choices"))}

        def choices_key() -> str:
            return cache_key(*(_choices_of(shown[name]) for name in sorted(shown.keys() - fixed)))

        newest, days = newest_seal(), (clock.past_day(), clock.today())
        choices = keep(choices_key, "choices of filters", kind, newest, *days)
        return kind, choices, [_choices_of(shown[name]) for name in sorted(fixed)]

    @property
    def parameters(self) -> list[str]:
        """The names of all query parameters of the filters."""
        return [one for name in self.filters for one in self._parameters_of(name)]

    @property
    def active_values(self) -> dict[str, list[str]]:
        """The values of the query parameters that have any."""
        found = {name: list(values_of(self.data, name)) for name in self.parameters}
        return {name: values for name, values in found.items() if values}

    @property
    def uses_default_filter(self) -> bool:
        """Whether exactly the default choice of that filter applies."""
        default = self.default_filter
        return default is not None and self._selection(default) == Selection((default.code,))

    @property
    def shows_all(self) -> bool:
        """Whether the filter that has a default is set to all records."""
        default = self.default_filter
        return default is not None and self._selection(default) in (NOTHING, Selection((ALL,)))

    def _selection(self, default: DefaultFilter) -> Selection:
        return Selection.from_data(self.data, default.name)

    def query_with(self, name: str, *values: str) -> str:
        """The query string with other values of a filter, back on the first page."""
        query = self.data.copy()
        for one in (*self._parameters_of(name), *POSITION_PARAMETERS):
            query.pop(one, None)
        query.setlist(name, values)
        return query.urlencode()

    def counts(self, name: str) -> dict[str, int]:
        """The number of records for each choice of a filter, given the other filters; empty if one
        of these is invalid. Raises KeyError for a filter without counts."""
        if not getattr(self.form.fields[name], "has_counts", False):
            raise KeyError(name)
        query = self.data.copy()
        for one in self._parameters_of(name):
            query.pop(one, None)
        others = type(self)(query, queryset=self.queryset, request=self.request)
        if not others.is_valid():
            return {}
        return others.filters[name].counts(others.qs, self.form.fields[name].labels)

    def summaries(self) -> list[tuple[str, str]]:
        """The control's id and a summary of the choice, for each filter with several choices."""
        return [
            (field.id_for_label, field.field.summary(field.value()))
            for field in self.form
            if isinstance(field.field, SelectionField)
        ]

    def chips(self) -> list[Chip]:
        """The active filters, each with the query string that removes it."""
        chips = []
        active = self.active_values
        for field in self.form:
            for parameter in self._parameters_of(field.name):
                if not isinstance(field.field, SelectionField):
                    values = active.get(parameter, [])[-1:]
                else:
                    values = active.get(parameter, [])
                label = field.label if parameter == field.name else f"{field.label} is not"
                chips += [
                    Chip(label, self.value_label(field, value), self._without(parameter, value))
                    for value in values
                    if value != ALL or not isinstance(field.field, SelectionField)
                ]
        return chips

    def _without(self, parameter: str, value: str) -> str:
        """The query string without a value of a parameter."""
        name = parameter.removesuffix(NOT)
        query = self.data.copy()
        for place in POSITION_PARAMETERS:
            query.pop(place, None)
        others = []
        if isinstance(self.form.fields[name], SelectionField):
            others = [one for one in query.getlist(parameter) if one and one != value]
        if others:
            query.setlist(parameter, others)
        else:
            query.pop(parameter)
        default = self.default_filter
        if default is not None and name == default.name:
            if not Selection.from_data(query, name):
                query[name] = ALL
        elif default is not None and self.uses_default_filter:
            # The default needs no parameter.
            query.pop(default.name)
        return query.urlencode()

    def _parameters_of(self, name: str) -> list[str]:
        is_selection = isinstance(self.filters[name], SelectionFilter)
        return [name, f"{name}{NOT}"] if is_selection else [name]

    @staticmethod
    def value_label(field: forms.BoundField, value: str) -> str:
        """The label of a value of the filter."""
        if isinstance(field.field, SelectionField):
            return field.field.labels.get(value, value)
        if isinstance(field.field, forms.ModelChoiceField):
            return str(field.form.cleaned_data.get(field.name) or value)
        if isinstance(field.field, RecordsField):
            return _abbreviate(field.form.cleaned_data.get(field.name) or [value])
        if isinstance(field.field, forms.ChoiceField):
            return str(dict(choice_pairs(field.field)).get(value, value))
        day = field.form.cleaned_data.get(field.name) if field.form.is_valid() else None
        return f"{day:%-d %b %Y}" if hasattr(day, "strftime") else value
