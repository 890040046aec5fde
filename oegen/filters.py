from dataclasses import dataclass
from uuid import UUID

import django_filters
from django import forms
from django.apps import apps
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.utils.text import Truncator, slugify
from django_filters.fields import ChoiceField

from oegen.directions import isolated
from oegen.fields import country_name


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
    """Part of a name; an address to ``suggest`` names answers what is typed with <option>s."""

    def __init__(self, label: str, suggest=None, **kwargs):
        attrs = {"autocomplete": "off", "placeholder": f"Any {label.lower()}"}
        if suggest is not None:
            attrs |= {"list": f"names-of-{slugify(label)}", "data-suggest": suggest}
        super().__init__(label=label, max_length=200, widget=forms.TextInput(attrs=attrs), **kwargs)


class RecordFilter(django_filters.ModelChoiceFilter):
    """One record, by its id in the address. It is no field to fill in: a link sets it, its chip
    takes it away. ``model`` is a label such as "pipelines.Pipeline"."""

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
    """The ids of several records with commas between them, cleaned to the records in that order.
    Those that are not there are left out, because at another day others are; one must be."""

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
    """Several records, as RecordFilter has one; the value is a list of them."""

    field_class = RecordsField

    def __init__(self, model: str, label: str, **kwargs):
        super().__init__(
            label=label, model=model, max_length=2000, widget=forms.HiddenInput, **kwargs
        )


class AmountFilter(django_filters.NumberFilter):
    """A bound of a range: ``lookup_expr`` is gte or lte."""

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
        self, field_name: str, lookup_expr: str, label: str, such_as: int, noun="number", **kwargs
    ):
        super().__init__(
            field_name,
            lookup_expr,
            label,
            decimal_places=0,
            error_messages={
                "invalid": f"Give a {noun} in digits, such as {such_as}.",
                "max_decimal_places": f"Give a whole {noun}, such as {such_as}.",
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
    """The countries that occur among the records, by name."""
    codes = records.order_by().exclude(country="").values_list("country", flat=True).distinct()
    return sorted(((code, country_name(code)) for code in codes), key=lambda choice: choice[1])


def _in_brief(records: list) -> str:
    """ "Acme, Beta and 8 more"; two names, short enough that the number is seen."""
    names = [isolated(Truncator(record).chars(20)) for record in records]
    if len(names) <= 2:
        return " and ".join(names)
    return f"{', '.join(names[:2])} and {len(names) - 2} more"


@dataclass(frozen=True)
class Chip:
    """An active filter, and the query text of the address without it."""

    label: str
    text: str
    query: str


class FilterForm(forms.Form):
    ranges: tuple[tuple[str, str], ...] = ()
    needs: tuple[tuple[str, str], ...] = ()

    def clean(self):
        values = super().clean()
        for low, high in self.ranges:
            if values.get(low) is None or values.get(high) is None:
                continue
            if values[low] > values[high]:
                self.add_error(high, f"This lies below “{self.fields[low].label}”: swap the two.")
        for name, needed in self.needs:
            if values.get(name) and not values.get(needed) and needed not in self.errors:
                self.add_error(needed, f"“{self.fields[name].label}” needs this too.")
        return values


class PageFilterSet(django_filters.FilterSet):
    """The filters above a list, dressed for the site's look."""

    #: The filters in the row; the others are behind "More filters".
    usual: tuple[str, ...] = ()
    #: Pairs of filters that are the two ends of a range.
    ranges: tuple[tuple[str, str], ...] = ()
    #: Pairs of filters of which the first says nothing without the second.
    needs: tuple[tuple[str, str], ...] = ()

    def get_form_class(self):
        form_class = super().get_form_class()
        rules = {"ranges": self.ranges, "needs": self.needs}
        return type(form_class.__name__, (FilterForm, form_class), rules)

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
                if isinstance(field, ChoiceField):
                    # Asked for once, not for every look at them.
                    field.choices = [choice for choice in field.choices if choice[0] != ""]
        return super().form

    @property
    def usual_fields(self) -> list[forms.BoundField]:
        return [field for field in self.form if field.name in self.usual]

    @property
    def more_fields(self) -> list[forms.BoundField]:
        return [field for field in self.form.visible_fields() if field.name not in self.usual]

    @property
    def more_active(self) -> int:
        return sum(bool(self.data.get(field.name)) for field in self.more_fields)

    def chips(self) -> list[Chip]:
        chips = []
        for field in self.form:
            value = self.data.get(field.name)
            if value:
                rest = self.data.copy()
                rest.pop(field.name)
                for place in ("page", "before"):
                    rest.pop(place, None)
                chips.append(Chip(field.label, self._told(field, value), rest.urlencode()))
        return chips

    @staticmethod
    def _told(field: forms.BoundField, value: str) -> str:
        """The value as people chose it."""
        if isinstance(field.field, forms.ModelChoiceField):
            return str(field.form.cleaned_data.get(field.name) or value)
        if isinstance(field.field, RecordsField):
            return _in_brief(field.form.cleaned_data.get(field.name) or [value])
        if isinstance(field.field, forms.ChoiceField):
            return str(dict(field.field.choices).get(value, value))
        day = field.form.cleaned_data.get(field.name) if field.form.is_valid() else None
        return f"{day:%-d %b %Y}" if hasattr(day, "strftime") else value
