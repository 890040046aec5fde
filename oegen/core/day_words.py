"""Days as people write them: "30 Jun", "2026-06-30", "last month end", "yesterday"."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, timedelta

from oegen.core.clock import months_before

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTH = r"(?P<month>jan|feb|mar|apr|may|june?|july?|aug|sept?|oct|nov|dec)[a-z]*\.?"
_YEAR = r"(?P<year>\d{4}|'?\d{2})"

#: Each with some of the groups day, month and year; without a day, the end of the month is meant.
_WRITTEN = [
    re.compile(pattern)
    for pattern in (
        r"(?P<year>\d{4})-(?P<month>\d{1,2})-(?P<day>\d{1,2})",
        r"(?P<day>\d{1,2})[./](?P<month>\d{1,2})[./](?P<year>\d{4}|\d{2})",
        rf"(?P<day>\d{{1,2}})(?:st|nd|rd|th)? (?:of )?{_MONTH}(?:,? {_YEAR})?",
        rf"{_MONTH} (?P<day>\d{{1,2}})(?:st|nd|rd|th)?(?:,? (?P<year>\d{{4}}))?",
        rf"(?:(?:the )?end (?:of )?)?{_MONTH}(?: {_YEAR})?(?: end)?",
    )
]

_AGO = re.compile(r"(?P<number>\d{1,3}|an?) (?P<unit>day|week|month|year)s? ago")

_UNITS: dict[str, Callable[[date, int], date]] = {
    "day": lambda today, number: today - timedelta(days=number),
    "week": lambda today, number: today - timedelta(weeks=number),
    "month": months_before,
    "year": lambda today, number: months_before(today, 12 * number),
}

_NAMED: dict[str, Callable[[date], date]] = {
    "today": lambda today: today,
    "now": lambda today: today,
    "yesterday": lambda today: today - timedelta(days=1),
    "last week": lambda today: today - timedelta(weeks=1),
    "last month": lambda today: months_before(today, 1),
    "last year": lambda today: months_before(today, 12),
    "month end": lambda today: _before(today.replace(day=1)),
    "quarter end": lambda today: _before(date(today.year, 3 * ((today.month - 1) // 3) + 1, 1)),
    "year end": lambda today: _before(date(today.year, 1, 1)),
}


def parse_day(text: str, today: date) -> date | None:
    """The day that the text names, in lower case; None if it names none. A day without a year is
    the last such day up to ``today``."""
    text = re.sub(r"^(?:the )?end of last (month|quarter|year)$", r"\1 end", text.strip())
    text = re.sub(r"^last (month|quarter|year)[- ]end$", r"\1 end", text)
    if named := _NAMED.get(text):
        return named(today)
    if ago := _AGO.fullmatch(text):
        number = int(ago["number"]) if ago["number"].isdigit() else 1
        return _UNITS[ago["unit"]](today, number)
    for pattern in _WRITTEN:
        if written := pattern.fullmatch(text):
            return _day_of(written.groupdict(), today)
    return None


def _day_of(parts: dict[str, str | None], today: date) -> date | None:
    year, month = _year(parts["year"]), _month(parts["month"] or "")
    years = [today.year - before for before in range(9)] if year is None else [year]
    found = [_day(one, month, parts.get("day")) for one in years]
    # 29 February is in one of the last eight years.
    return next((day for day in found if day and (year is not None or day <= today)), None)


def _day(year: int, month: int, day: str | None) -> date | None:
    try:
        if day:
            return date(year, month, int(day))
        return _before(date(year + month // 12, month % 12 + 1, 1))
    except (ValueError, OverflowError):
        return None


def _year(text: str | None) -> int | None:
    if text is None:
        return None
    digits = text.lstrip("'")
    return int(digits) + 2000 if len(digits) == 2 else int(digits)


def _month(text: str) -> int:
    return int(text) if text.isdigit() else _MONTHS.index(text[:3]) + 1


def _before(day: date) -> date:
    return day - timedelta(days=1)
