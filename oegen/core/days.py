"""The range of dates that is accepted by forms, models and the database.

It catches years typed with two digits: ``03 04 27`` in a browser's date input is the year 27.
"""

from __future__ import annotations

from datetime import date
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db import models
from django.utils.formats import date_format

FIRST_DAY = date(1990, 1, 1)
LAST_DAY = date(2100, 12, 31)

INVALID_DAY = "Give a date with day, month and a year of four digits, such as 14 Mar 2027."


def is_in_range(day: date) -> bool:
    return FIRST_DAY <= day <= LAST_DAY


def bounds() -> str:
    return f"from {date_format(FIRST_DAY)} to {date_format(LAST_DAY)}"


def validate_day(day: date) -> None:
    if not is_in_range(day):
        raise ValidationError(
            f"Give a day {bounds()}, with all four digits of the year: this is in the year "
            f"{day.year}."
        )


class DayInput(forms.DateInput):
    """The browser's date input, with ``min`` and ``max`` unless its value lies outside them: the
    browser would then refuse to submit the form."""

    input_type = "date"

    def __init__(self, attrs: dict[str, Any] | None = None) -> None:
        super().__init__(attrs, format="%Y-%m-%d")

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        context = super().get_context(name, value, attrs)
        value_shown = context["widget"]["value"]
        if not value_shown or str(FIRST_DAY) <= value_shown <= str(LAST_DAY):
            context["widget"]["attrs"] |= {"min": str(FIRST_DAY), "max": str(LAST_DAY)}
        return context


class DayField(forms.DateField):
    """A form field for a day that is not backed by a model field."""

    widget = DayInput
    default_validators = [validate_day]
    default_error_messages = {"invalid": INVALID_DAY}


def day_fields(model: type[models.Model]) -> list[models.DateField[Any, Any]]:
    return [
        field
        for field in model._meta.concrete_fields
        if isinstance(field, models.DateField) and not isinstance(field, models.DateTimeField)
    ]
