"""Form and model parts that several applications share."""

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

from oegen.core.text import HALF_CHARACTER, clean_line, clean_lines, clean_prose, is_blank

#: Characters of a text of several lines, and of a reason for a change.
PROSE_LIMIT = 10_000
REASON_LIMIT = 2_000

NULL_CHARACTER = "\x00"

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

    AnyField = models.Field[Any, Any]


def between(low: int, high: int, unit: str = "") -> list[BaseValidator]:
    """Validators for a closed range, whose sentences name the range."""
    unit = unit and " " + unit.replace("%", "%%")
    message = f"Give a number from {low} to {high}{unit}, not %(show_value)s."
    return [MinValueValidator(low, message), MaxValueValidator(high, message)]


def at_least_zero(unit: str) -> list[BaseValidator]:
    return [MinValueValidator(0, f"Give 0 {unit} or more, not %(show_value)s.")]


def in_range(
    model_label: str, field: str, low: int, high: int | None = None
) -> models.CheckConstraint:
    """The database's side of ``between``; an empty value passes."""
    condition = models.Q(**{f"{field}__gte": low})
    if high is not None:
        condition &= models.Q(**{f"{field}__lte": high})
    return models.CheckConstraint(
        condition=condition,
        name=f"{model_label}_{field}_range",
        violation_error_message=f"{field} is out of range.",
    )


def one_of(
    model_label: str, field: str, choices: type[models.TextChoices]
) -> models.CheckConstraint:
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


def refuse_underscores(value: object, message: StrOrPromise) -> None:
    """Python reads ``1_0`` as 10, and nobody else does: raises ValidationError."""
    if "_" in str(value):
        raise ValidationError(message, code="invalid")


class NumberFormField(forms.DecimalField):
    """A number that no model field checks."""

    # The stub of DecimalField leaves its parent's type, too.
    def to_python(self, value: Any) -> Decimal | None:  # type: ignore[override]
        refuse_underscores(value, self.error_messages["invalid"])
        return super().to_python(value)


class OpenedVersionField(forms.IntegerField):
    """Hidden: the version of the record that a form was opened on. ``then`` says what to do when
    it came back damaged."""

    #: The largest integer of PostgreSQL.
    LARGEST = 2**31 - 1

    widget = forms.HiddenInput

    def __init__(self, *, then: str, **kwargs: Any) -> None:
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


def shorten_to(limit: int, length: int) -> str:
    return f"Shorten this to at most {limit:,} characters: it has {length:,}."


class TextFormField(forms.CharField):
    """A text of several lines, with a limit that is said at the field and checked on the server:
    a browser's own limit would cut what is pasted, without a word."""

    widget = forms.Textarea

    def __init__(
        self, *, limit: int = PROSE_LIMIT, help_text: StrOrPromise = "", **kwargs: Any
    ) -> None:
        self.limit = limit
        self.says_limit = f"At most {limit:,} characters."
        super().__init__(help_text=f"{help_text} {self.says_limit}".strip(), **kwargs)

    def widget_attrs(self, widget: forms.Widget) -> dict[str, Any]:
        return {**super().widget_attrs(widget), "data-limit": self.limit}

    def clean(self, value: Any) -> str:
        text: str = super().clean(value)
        # Not counted twice, as browsers send line breaks.
        length = len(text.replace("\r\n", "\n"))
        if length > self.limit:
            raise ValidationError(shorten_to(self.limit, length), code="max_length")
        return text


class StoredTextFormField(TextFormField):
    """For a model's field: the model refuses a text that is too long, unless it is stored."""

    def clean(self, value: Any) -> str:
        text: str = forms.CharField.clean(self, value)
        return text

    def has_changed(self, initial: str | None, data: str | None) -> bool:
        """Not by the line breaks, which browsers send in another form than ours."""
        text = self.to_python(data) or ""
        return (initial or "") not in (text, clean_prose(text))


class ReasonFormField(TextFormField):
    """Why somebody changes something; kept in the history."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(limit=REASON_LIMIT, **kwargs)


# Django's field classes take no type arguments at run time: hence type-arg below.
class SortKeyRelation(models.ForeignObject):  # type: ignore[type-arg]
    """From a name to its sort key, by the name itself; null where none is known (yet)."""

    # As a generic relation has it: no field of a record's own.
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


class LineField(models.CharField):  # type: ignore[type-arg]
    """One line, cleaned before it is written (oegen.core.text.clean_line), and sorted by the
    relation of its name with ``_order`` (oegen.search.ordering)."""

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
    """Several lines, cleaned before they are written, of at most ``limit`` characters.

    Neither is known to the database: texts from before the limit stay.
    """

    clean_text = staticmethod(clean_prose)

    def __init__(self, *args: Any, limit: int = PROSE_LIMIT, **kwargs: Any) -> None:
        self.limit = limit
        super().__init__(*args, **kwargs)

    def deconstruct(self) -> tuple[str, str, Sequence[Any], dict[str, Any]]:
        name, _, args, kwargs = super().deconstruct()
        return name, "django.db.models.TextField", args, kwargs

    # Django calls it with keywords only.
    def formfield(self, **kwargs: Any) -> forms.Field | None:  # type: ignore[override]
        defaults: dict[str, Any] = {"form_class": StoredTextFormField, "limit": self.limit}
        return super().formfield(**(defaults | kwargs))


class NamesField(ProseField):
    """Names, one a line, each cleaned as a line."""

    clean_text = staticmethod(clean_lines)


def own_field(model: type[models.Model], name: str) -> AnyField:
    """Raises FieldDoesNotExist where the name is none of a field or that of a relation only."""
    field = model._meta.get_field(name)
    if not isinstance(field, models.Field):
        raise FieldDoesNotExist(f"{model.__name__} has no field of its own called {name}.")
    return field


def choice_pairs(field: forms.ChoiceField) -> list[tuple[Any, Any]]:
    """The choices of a form's field, with their labels or groups."""
    pairs: Any = field.choices  # An iterator of pairs, whatever it was set from.
    return list(pairs)


def is_free_text(field: AnyField) -> bool:
    """Whether people may type what they like there."""
    return (
        field.editable
        and isinstance(field, models.CharField | models.TextField)
        and not field.choices
    )


def clean_text(field: AnyField, value: str) -> str:
    """The value as a field of free text keeps it."""
    if hasattr(field, "clean_text"):
        cleaned: str = field.clean_text(value)
        return cleaned
    return clean_prose(value) if isinstance(field, models.TextField) else clean_line(value)


def storage_fault_of(value: str) -> str:
    """Why no text that holds this can be kept, whatever the field, in a sentence; empty if it
    can."""
    if NULL_CHARACTER in value:
        return "A null character can't be kept: remove it."
    if HALF_CHARACTER.search(value):
        return "Half a character can't be kept: write the whole one, or remove it."
    return ""


def fault_of(field: AnyField, value: str) -> str:
    """Why a field of free text can't keep the cleaned value, in a sentence; empty if it can."""
    if fault := storage_fault_of(value):
        return fault
    limit = getattr(field, "limit", field.max_length)
    if limit and len(value) > limit:
        return shorten_to(limit, len(value))
    if isinstance(field, LineField | ProseField) and not field.blank and is_blank(value):
        is_name = field.name == "title" or field.name.endswith("name")
        return (
            "Give it a name." if is_name else f"Give the {field.verbose_name}: it can't be empty."
        )
    return field.fault_of(value) if hasattr(field, "fault_of") else ""


def fault_as_stored(field: AnyField, value: str, *, if_unclean: str) -> str:
    """Why a field of free text can't keep the value just as it is, in a sentence; ``if_unclean``
    where the cleaned value could be kept and is another. Empty if it can."""
    cleaned = clean_text(field, value)
    return fault_of(field, cleaned) or (if_unclean if cleaned != value else "")


class CountrySelect(forms.Select):
    """All countries by name. A value that is none of them stays on offer, so that saving another
    field does not empty this one."""

    def __init__(self, attrs: dict[str, Any] | None = None) -> None:
        # The stub knows no callables here, Django does.
        super().__init__(attrs, choices=_country_choices)  # type: ignore[arg-type]

    def render(
        self,
        name: str,
        value: Any,
        attrs: dict[str, Any] | None = None,
        renderer: BaseRenderer | None = None,
    ) -> SafeString:
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

    def to_python(self, value: Any) -> str:
        return parse_country(super().to_python(value) or "")

    def widget_attrs(self, widget: forms.Widget) -> dict[str, Any]:
        """A list has no length that it could be cut to."""
        return {}


class CountryField(models.CharField):  # type: ignore[type-arg]
    """ISO 3166-1 alpha-2 code, or empty."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs |= {"max_length": 2, "blank": True}
        super().__init__(*args, **kwargs)
        self.validators.append(validate_country)

    # Django calls it with keywords only.
    def formfield(self, **kwargs: Any) -> forms.Field | None:  # type: ignore[override]
        # The admin would give it the text box that it has for other character fields.
        kwargs.pop("widget", None)
        defaults: dict[str, Any] = {
            "form_class": CountryFormField,
            "max_length": 60,
            "help_text": self.help_text,
        }
        return models.Field.formfield(self, **(defaults | kwargs))
