"""Parsers for cells. Each takes stripped, non-empty text and raises ValidationError with a message
that says what would be valid."""

import json
import uuid
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone

from oegen.audit.seeding import NAMESPACE
from oegen.core.fields import refuse_underscores

YEARS = range(1900, 2201)
_MAX_QUOTED = 60


def derived_id(*parts: object) -> uuid.UUID:
    """An id derived from the parts, the same in every run and installation."""
    return uuid.uuid5(NAMESPACE, "import:" + json.dumps([str(part) for part in parts]))


def quote(value: str) -> str:
    """The value in quotes for a message, truncated."""
    return f"“{value if len(value) <= _MAX_QUOTED else value[: _MAX_QUOTED - 1] + '…'}”"


class Cell(forms.Field):
    """A cell of a row. ``empty`` is the value of an empty cell."""

    def __init__(self, parse: Callable[[str], Any], *, required: bool = False, empty=None):
        super().__init__(required=required)
        self.parse = parse
        self.empty = empty

    def clean(self, value):
        value = (value or "").strip()
        if value:
            return self.parse(value)
        if self.required:
            raise ValidationError("The cell is empty, and this column needs a value.")
        return self.empty


class RowForm(forms.Form):
    """The cells of a row; its fields are named like the file's columns."""

    @classmethod
    def columns(cls) -> list[str]:
        return list(cls.base_fields)

    @classmethod
    def read(cls, values: Mapping[str, str]) -> tuple[dict[str, Any], ValidationError | None]:
        """The parsed cells and, if some are invalid, their errors by column.

        Without an instance, which would copy all fields for each row.
        """
        data: dict[str, Any] = {}
        errors = {}
        for name, cell in cls.base_fields.items():
            try:
                data[name] = cell.clean(values.get(name))
            except ValidationError as error:
                errors[name] = error
        return data, ValidationError(errors) if errors else None


def text(value: str) -> str:
    if "\x00" in value:
        raise ValidationError("The text holds a NUL character, which is no text. Remove it.")
    return value


def one_line(value: str) -> str:
    return " ".join(text(value).split())


def identifier(value: str) -> uuid.UUID:
    try:
        return uuid.UUID(value)
    except ValueError:
        raise ValidationError(
            f"{quote(value)} is no ID. An ID is 32 hex digits with hyphens, such as "
            "123e4567-e89b-12d3-a456-426614174000."
        ) from None


def number(*, places: int, rounded: bool = False) -> Callable[[str], Decimal]:
    """A parser for decimals with at most ``places`` places; more are refused or ``rounded``."""

    def parse(value: str) -> Decimal:
        message = (
            f"{quote(value)} is no number we can take. Write digits with a point, such as "
            "27.5, without a unit or thousands separator."
        )
        refuse_underscores(value, message)
        try:
            parsed = Decimal(value)
        except InvalidOperation:
            parsed = Decimal("NaN")
        exponent = parsed.as_tuple().exponent
        # NaN and infinity have a letter as their exponent.
        if not isinstance(exponent, int) or abs(parsed) >= 10**9:
            raise ValidationError(message)
        if -exponent <= places:
            return parsed
        result = round(parsed, places)
        # Accept binary noise of spreadsheets: 0.30000000000000004 is 0.3.
        if not rounded and abs(result - parsed) > Decimal("1e-9"):
            raise ValidationError(f"{quote(value)} has more than {places} decimals. Round it.")
        return result

    return parse


def whole_number(value: str) -> int:
    parsed = number(places=3)(value)
    if parsed != int(parsed):
        raise ValidationError(f"{quote(value)} is no whole number.")
    return int(parsed)


def _datetime(value: str, example: str) -> datetime:
    try:
        parsed = datetime.fromisoformat(value)
    except ValueError:
        parsed = None
    if parsed is None or parsed.year not in YEARS:
        raise ValidationError(
            f"{quote(value)} is no date we can take. Write it year first, such as {example}."
        )
    return parsed


def moment(value: str) -> datetime:
    """A date and time; UTC if it has no time zone."""
    parsed = _datetime(value, "2024-07-22 18:30:00+00:00")
    return parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)


def day(value: str) -> date:
    """A date, with an optional time that is ignored; one with a time zone is converted to the
    site's."""
    parsed = _datetime(value, "2027-12-31")
    return timezone.localdate(parsed) if parsed.tzinfo else parsed.date()
