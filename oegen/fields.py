"""Form and model parts that several applications share."""

from functools import cache

from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models.functions import Length, Upper
from django.db.models.lookups import Exact
from django.forms.utils import flatatt
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django_countries import countries


def between(low, high, unit: str = "") -> list:
    """Validators for a closed range, whose sentences name the range."""
    unit = unit and " " + unit.replace("%", "%%")
    message = f"Give a number from {low} to {high}{unit}, not %(show_value)s."
    return [MinValueValidator(low, message), MaxValueValidator(high, message)]


def at_least_zero(unit: str) -> list:
    return [MinValueValidator(0, f"Give 0 {unit} or more, not %(show_value)s.")]


def in_range(model_label: str, field: str, low, high=None) -> models.CheckConstraint:
    """The database's side of ``between``; an empty value passes."""
    condition = models.Q(**{f"{field}__gte": low})
    if high is not None:
        condition &= models.Q(**{f"{field}__lte": high})
    return models.CheckConstraint(
        condition=condition,
        name=f"{model_label}_{field}_range",
        violation_error_message=f"{field} is out of range.",
    )


def one_of(model_label: str, field: str, choices) -> models.CheckConstraint:
    return models.CheckConstraint(
        condition=models.Q(**{f"{field}__in": choices.values}),
        name=f"{model_label}_{field}_known",
        violation_error_message=f"{field} is not one of: {', '.join(map(str, choices.labels))}.",
    )


def country_shape(model_label: str) -> models.CheckConstraint:
    """Empty, or two capital letters."""
    return models.CheckConstraint(
        condition=models.Q(country="")
        | (
            models.Q(Exact(Length("country"), 2))
            & models.Q(Exact(Upper("country"), models.F("country")))
        ),
        name=f"{model_label}_country_shape",
        violation_error_message="Give the country's two-letter ISO code, such as GB.",
    )


def parse_country(text: str) -> str:
    """The ISO 3166 code for a code or an English name; raises ValidationError for neither."""
    text = text.strip()
    if not text:
        return ""
    code = text.upper() if text.upper() in countries.countries else countries.by_name(text)
    if not code and text.upper() == "UK":
        code = "GB"
    if not code:
        raise ValidationError(
            f"“{text}” is no country we know. Give its two-letter ISO code or English name, "
            "such as GB or United Kingdom.",
            code="unknown_country",
        )
    return code


def country_name(code: str) -> str:
    return countries.name(code) if code else ""


def validate_country(value: str) -> None:
    if value and value not in countries.countries:
        parse_country(value)
        raise ValidationError(f"Write “{parse_country(value)}”, not “{value}”.")


class OpenedVersionField(forms.IntegerField):
    """Hidden: the version of the record that a form was opened on. ``then`` says what to do when
    it came back damaged."""

    #: Of PostgreSQL's integer.
    LARGEST = 2**31 - 1

    widget = forms.HiddenInput

    def __init__(self, *, then: str, **kwargs):
        damaged = (
            f"This form's note of what it was opened on is damaged. Nothing was changed: {then}"
        )
        super().__init__(
            max_value=self.LARGEST,
            error_messages=dict.fromkeys(
                ("required", "invalid", "min_value", "max_value"), damaged
            ),
            **kwargs,
        )


class CountrySelect(forms.Select):
    """All countries by name. A value that is none of them stays on offer, so that saving another
    field does not empty this one."""

    def __init__(self, attrs=None):
        super().__init__(attrs, choices=_country_choices)

    def render(self, name, value, attrs=None, renderer=None):
        """As Django's, for which each option is a template: an editable list has thousands."""
        selected = next(iter(self.format_value(value)), "")
        options = _known_options if selected in countries.countries else _options
        attributes = flatatt(self.build_attrs(self.attrs, {**(attrs or {}), "name": name}))
        return format_html("<select{}>{}</select>", attributes, options(selected))


def _country_choices() -> list[tuple[str, str]]:
    return [("", "–"), *countries]


def _options(selected: str) -> SafeString:
    offered = _country_choices()
    if selected not in dict(offered):
        offered.insert(1, (selected, selected))
    return format_html_join(
        "",
        '<option value="{}"{}>{}</option>',
        ((code, " selected" if code == selected else "", name) for code, name in offered),
    )


_known_options = cache(_options)


class CountryFormField(forms.CharField):
    """Takes a code or an English name, gives the code."""

    widget = CountrySelect

    def to_python(self, value):
        return parse_country(super().to_python(value))

    def widget_attrs(self, widget):
        """A list has no length that it could be cut to."""
        return {}


class CountryField(models.CharField):
    """ISO 3166-1 alpha-2 code, or empty."""

    def __init__(self, *args, **kwargs):
        kwargs |= {"max_length": 2, "blank": True}
        super().__init__(*args, **kwargs)
        self.validators.append(validate_country)

    def formfield(self, **kwargs):
        # The admin would give it the text box that it has for other character fields.
        kwargs.pop("widget", None)
        defaults = {
            "form_class": CountryFormField,
            "max_length": 60,
            "help_text": self.help_text,
        }
        return models.Field.formfield(self, **(defaults | kwargs))
