"""Model and form fields, validators and constraints that several applications share."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from functools import cache
from typing import TYPE_CHECKING, Any

from django import forms
from django.core.exceptions import FieldDoesNotExist, ValidationError
from django.core.validators import BaseValidator, MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models.functions import Length, Upper
from django.db.models.lookups import Exact
from django.forms.renderers import BaseRenderer
from django.forms.utils import flatatt
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django_countries import countries

from oegen.core.text import SURROGATE, clean_line, clean_lines, clean_prose, is_blank

#: Maximum length of a multi-line text, and of the reason for a change.
PROSE_LIMIT = 10_000
REASON_LIMIT = 2_000

NULL_CHARACTER = "\x00"

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

    AnyField = models.Field[Any, Any]


def range_validators(low: int, high: int, unit: str = "") -> list[BaseValidator]:
    """Validators for a closed range, with messages that name the range."""
    unit = unit and " " + unit.replace("%", "%%")
    message = f"Give a number from {low} to {high}{unit}, not %(show_value)s."
    return [MinValueValidator(low, message), MaxValueValidator(high, message)]


def at_least_zero(unit: str) -> list[BaseValidator]:
    return [MinValueValidator(0, f"Give 0 {unit} or more, not %(show_value)s.")]


def range_constraint(
    model_label: str, field: str, low: int, high: int | None = None
) -> models.CheckConstraint:
    """The check constraint for ``range_validators``; null passes."""
    condition = models.Q(**{f"{field}__gte": low})
    if high is not None:
        condition &= models.Q(**{f"{field}__lte": high})
    return models.CheckConstraint(
        condition=condition,
        name=f"{model_label}_{field}_range",
        violation_error_message=f"{field} is out of range.",
    )


def choices_constraint(
    model_label: str, field: str, choices: type[models.TextChoices] | type[models.IntegerChoices]
) -> models.CheckConstraint:
    return models.CheckConstraint(
        condition=models.Q(**{f"{field}__in": choices.values}),
        name=f"{model_label}_{field}_known",
        violation_error_message=f"{field} is not one of: {', '.join(map(str, choices.labels))}.",
    )


def country_constraint(model_label: str) -> models.CheckConstraint:
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


def country_options() -> list[tuple[str, str]]:
    """Codes and names of all countries, in the order of forms."""
    return [(country.code, str(country.name)) for country in countries]


def country_names() -> list[str]:
    """The names of all countries, in the order of forms."""
    return [name for _, name in country_options()]


def validate_country(value: str) -> None:
    if value and value not in countries.countries:
        parse_country(value)
        raise ValidationError(f"Write “{parse_country(value)}”, not “{value}”.")


def refuse_underscores(value: object, message: StrOrPromise) -> None:
    """Raise ValidationError for a number such as ``1_0``, which Python would parse as 10."""
    if "_" in str(value):
        raise ValidationError(message, code="invalid")


class NumberFormField(forms.DecimalField):
    """A form field for a number that is not backed by a model field."""

    # The stub of DecimalField.to_python does not match its base class either.
    def to_python(self, value: Any) -> Decimal | None:  # type: ignore[override]
        refuse_underscores(value, self.error_messages["invalid"])
        return super().to_python(value)


class OpenedVersionField(forms.IntegerField):
    """A hidden field with the version of the record that the form was opened on.

    ``advice`` is the end of the error message for an invalid value.
    """

    #: The largest integer of PostgreSQL.
    MAX_VERSION = 2**31 - 1

    widget = forms.HiddenInput

    def __init__(self, *, advice: str, **kwargs: Any) -> None:
        damaged = (
            f"This form's note of what it was opened on is damaged. Nothing was changed: {advice}"
        )
        super().__init__(
            max_value=self.MAX_VERSION,
            error_messages=dict.fromkeys(
                ("required", "invalid", "min_value", "max_value"), damaged
            ),
            **kwargs,
        )


def too_long_message(limit: int, length: int) -> str:
    return f"Shorten this to at most {limit:,} characters: it has {length:,}."


class TextFormField(forms.CharField):
    """A multi-line text with a limit that is named in the help text and checked on the server:
    ``maxlength`` would make browsers truncate pasted text silently."""

    widget = forms.Textarea

    def __init__(
        self, *, limit: int = PROSE_LIMIT, help_text: StrOrPromise = "", **kwargs: Any
    ) -> None:
        self.limit = limit
        self.limit_text = f"At most {limit:,} characters."
        super().__init__(help_text=f"{help_text} {self.limit_text}".strip(), **kwargs)

    def widget_attrs(self, widget: forms.Widget) -> dict[str, Any]:
        return {**super().widget_attrs(widget), "data-limit": self.limit}

    def clean(self, value: Any) -> str:
        text: str = super().clean(value)
        # Browsers send line breaks as two characters; count them as one.
        length = len(text.replace("\r\n", "\n"))
        if length > self.limit:
            raise ValidationError(too_long_message(self.limit, length), code="max_length")
        return text


class StoredTextFormField(TextFormField):
    """The form field of a ProseField. The limit is checked by the model, which accepts a longer
    text that is stored already."""

    def clean(self, value: Any) -> str:
        text: str = forms.CharField.clean(self, value)
        return text

    def has_changed(self, initial: str | None, data: str | None) -> bool:
        """Ignores differences in line breaks, which browsers send as CRLF."""
        text = self.to_python(data) or ""
        return (initial or "") not in (text, clean_prose(text))


class ReasonFormField(TextFormField):
    """The reason for a change, which goes into the history."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(limit=REASON_LIMIT, **kwargs)


# Field classes of Django can't be subscripted at run time: hence type-arg below.
class SortKeyRelation(models.ForeignObject):  # type: ignore[type-arg]
    """Join a name to its row in SortKey by the text itself; null where there is no row yet."""

    # As for a generic relation: it adds no column to the model.
    many_to_one, one_to_many = False, True

    def __init__(self, name: str) -> None:
        super().__init__(
            "oegen.SortKey",
            on_delete=models.DO_NOTHING,
            from_fields=[name],
            to_fields=["text"],
            related_name="+",
            null=True,
            editable=False,
        )

    def contribute_to_class(
        self, cls: type[models.Model], name: str, private_only: bool = True, **kwargs: Any
    ) -> None:
        super().contribute_to_class(cls, name, private_only, **kwargs)

    def get_joining_fields(self, reverse_join: bool = False) -> tuple[tuple[Any, Any], ...]:
        """The name as a text without a maximum length, as the text of SortKey is: for fields of
        different types Django casts the second, and the join could not use its index."""
        fields = super().get_joining_fields(reverse_join)
        return tuple((_as_text(own), other) for own, other in fields)


def _as_text(field: AnyField) -> AnyField:
    text: AnyField = models.TextField(db_column=field.column)
    text.set_attributes_from_name(field.name)
    return text


class LineField(models.CharField):  # type: ignore[type-arg]
    """A single-line text, cleaned before it is written (oegen.core.text.clean_line). It adds the
    relation ``<name>_order``, by which querysets sort (oegen.search.ordering)."""

    def contribute_to_class(
        self, cls: type[models.Model], name: str, private_only: bool = False
    ) -> None:
        super().contribute_to_class(cls, name, private_only)
        if not cls._meta.abstract:
            cls.add_to_class(f"{name}_order", SortKeyRelation(name))

    def deconstruct(self) -> tuple[str, str, Sequence[Any], dict[str, Any]]:
        name, _, args, kwargs = super().deconstruct()
        return name, "django.db.models.CharField", args, kwargs


class ProseField(models.TextField):  # type: ignore[type-arg]
    """A multi-line text, cleaned before it is written, of at most ``limit`` characters.

    The limit is not a database constraint: longer texts from before the limit stay valid.
    """

    clean_text = staticmethod(clean_prose)

    def __init__(self, *args: Any, limit: int = PROSE_LIMIT, **kwargs: Any) -> None:
        self.limit = limit
        super().__init__(*args, **kwargs)

    def deconstruct(self) -> tuple[str, str, Sequence[Any], dict[str, Any]]:
        name, _, args, kwargs = super().deconstruct()
        return name, "django.db.models.TextField", args, kwargs

    # The override is narrower: Django passes keywords only.
    def formfield(self, **kwargs: Any) -> forms.Field | None:  # type: ignore[override]
        defaults: dict[str, Any] = {"form_class": StoredTextFormField, "limit": self.limit}
        return super().formfield(**(defaults | kwargs))


class NamesField(ProseField):
    """A list of names, one per line, each cleaned by ``clean_line``."""

    clean_text = staticmethod(clean_lines)


def own_field(model: type[models.Model], name: str) -> AnyField:
    """The model's field of that name. Raises FieldDoesNotExist also for reverse relations."""
    field = model._meta.get_field(name)
    if not isinstance(field, models.Field):
        raise FieldDoesNotExist(f"{model.__name__} has no field of its own called {name}.")
    return field


def choice_pairs(field: forms.ChoiceField) -> list[tuple[Any, Any]]:
    """The choices of a form field as (value, label) pairs; a group has a list as its label."""
    pairs: Any = field.choices  # Normalized to an iterator of pairs.
    return list(pairs)


def is_free_text(field: AnyField) -> bool:
    """Whether the field is an editable text without choices."""
    return (
        field.editable
        and isinstance(field, models.CharField | models.TextField)
        and not field.choices
    )


def clean_text(field: AnyField, value: str) -> str:
    """The value as a free-text field stores it."""
    if hasattr(field, "clean_text"):
        cleaned: str = field.clean_text(value)
        return cleaned
    return clean_prose(value) if isinstance(field, models.TextField) else clean_line(value)


def storage_error(value: str) -> str:
    """An error message if no text field can store the value; else empty."""
    if NULL_CHARACTER in value:
        return "A null character can't be kept: remove it."
    if SURROGATE.search(value):
        return "Half a character can't be kept: write the whole one, or remove it."
    return ""


def text_error(field: AnyField, value: str) -> str:
    """An error message if the free-text field can't store the cleaned value; else empty."""
    if error := storage_error(value):
        return error
    limit = getattr(field, "limit", field.max_length)
    if limit and len(value) > limit:
        return too_long_message(limit, len(value))
    if isinstance(field, LineField | ProseField) and not field.blank and is_blank(value):
        is_name = field.name == "title" or field.name.endswith("name")
        return (
            "Give it a name." if is_name else f"Give the {field.verbose_name}: it can't be empty."
        )
    return field.text_error(value) if hasattr(field, "text_error") else ""


def stored_text_error(field: AnyField, value: str, *, if_unclean: str) -> str:
    """An error message if the free-text field can't store the value unchanged; else empty.
    ``if_unclean`` is the message where cleaning would change the value."""
    cleaned = clean_text(field, value)
    return text_error(field, cleaned) or (if_unclean if cleaned != value else "")


class CountrySelect(forms.Select):
    """All countries by name. An unknown value stays among the options, so that saving another
    field does not clear this one."""

    def __init__(self, attrs: dict[str, Any] | None = None) -> None:
        # The stub does not allow a callable, Django does.
        super().__init__(attrs, choices=_country_choices)  # type: ignore[arg-type]

    def use_required_attribute(self, initial: Any) -> bool:
        """Always: the first choice is empty, for which Django prepares all choices anew."""
        return True

    def render(
        self,
        name: str,
        value: Any,
        attrs: dict[str, Any] | None = None,
        renderer: BaseRenderer | None = None,
    ) -> SafeString:
        """Render without a template per option: an editable list has thousands of options."""
        selected = next(iter(self.format_value(value)), "")
        is_known = not selected or selected in countries.countries
        options = _known_options if is_known else _options
        attributes = flatatt(self.build_attrs(self.attrs, {**(attrs or {}), "name": name}))
        return format_html("<select{}>{}</select>", attributes, options(selected))


@cache
def _country_choices() -> tuple[tuple[str, str], ...]:
    """Django asks for them with each select, and their order takes longer than the rest of it."""
    return (("", "–"), *countries)


def _options(selected: str) -> SafeString:
    offered = list(_country_choices())
    if selected not in dict(offered):
        offered.insert(1, (selected, selected))
    return format_html_join(
        "",
        '<option value="{}"{}>{}</option>',
        ((code, " selected" if code == selected else "", name) for code, name in offered),
    )


_known_options = cache(_options)


class CountryFormField(forms.CharField):
    """Accepts a code or an English name; cleans to the code."""

    widget = CountrySelect

    def to_python(self, value: Any) -> str:
        return parse_country(super().to_python(value) or "")

    def widget_attrs(self, widget: forms.Widget) -> dict[str, Any]:
        """No ``maxlength``, which a <select> does not have."""
        return {}


class CountryField(models.CharField):  # type: ignore[type-arg]
    """ISO 3166-1 alpha-2 code, or empty."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs |= {"max_length": 2, "blank": True}
        super().__init__(*args, **kwargs)
        self.validators.append(validate_country)

    # The override is narrower: Django passes keywords only.
    def formfield(self, **kwargs: Any) -> forms.Field | None:  # type: ignore[override]
        # The admin passes the text input that it uses for other character fields.
        kwargs.pop("widget", None)
        defaults: dict[str, Any] = {
            "form_class": CountryFormField,
            "max_length": 60,
            "help_text": self.help_text,
        }
        return models.Field.formfield(self, **(defaults | kwargs))
