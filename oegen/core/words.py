"""Formatting of numbers, dates and counts. Templates have these as filters of the same names."""

from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache

from django.contrib.humanize.templatetags.humanize import naturaltime
from django.db import models
from django.utils import formats, timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.timesince import timesince

from oegen.core import clock

Number = Decimal | int | float


def count(number: int, noun: str, plural: str = "") -> str:
    """“1 day”, “1,200 days”; give ``plural`` if it is not formed with an s."""
    return f"{number:,} {noun if number == 1 else plural or f'{noun}s'}"


def noun_of(model: type[models.Model], number: int) -> str:
    """The model's name in singular or plural, for the number: “pipeline”, “pipelines”."""
    meta = model._meta
    return str(meta.verbose_name if number == 1 else meta.verbose_name_plural)


def number(value: Number | str | None, places: int = 1) -> str:
    """Rounded, with thousands separators; below 1 unrounded, so that it does not become 0."""
    if value is None or value == "":
        return ""
    value = Decimal(value)
    if abs(value) < 1:
        return plain(value)
    # Django's number_format truncates instead of rounding.
    rounded = value.quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)
    return _grouped(rounded)


def whole(value: Number | str | None) -> str:
    return number(value, 0)


def plain(value: Number | str | None) -> str:
    """All decimals without trailing zeros: 50, 194.432."""
    if value is None or value == "":
        return ""
    digits = Decimal(value).normalize() + 0
    return _grouped(digits)


def _grouped(number: Decimal) -> str:
    """In English, the only language of the site: Django's ``number_format`` looks up how each
    time, which takes twenty times as long."""
    return f"{number:,f}"


def degrees(value: Decimal, sides: str) -> str:
    """“1.8904° W”; ``sides`` are the letters for positive and negative."""
    return f"{plain(abs(value))}° {sides[value < 0]}"


def mw(value: Number | str | None, unit: str = "MW") -> SafeString | str:
    """“1,234.5 MW” with a non-breaking space; empty for None."""
    text = number(value)
    return format_html('{}<span class="unit">&nbsp;{}</span>', text, unit) if text else ""


def signed(value: Number | None, places: int = 1) -> str:
    """A difference with its sign: “+12.5”, “−3.0”; empty for None and 0."""
    if not value:
        return ""
    return f"{'+' if value > 0 else '−'}{number(abs(Decimal(value)), places)}"


def days(value: Number) -> str:
    """A shift in days: “61 days later”."""
    value = round(value)
    if not value:
        return "no later"
    return f"{count(abs(value), 'day')} {'later' if value > 0 else 'earlier'}"


def in_days(day: date) -> str:
    """The distance from today: “in 12 days”, “3 days ago”."""
    days = (day - clock.today()).days
    if days == 0:
        return "today"
    words = count(abs(days), "day")
    return f"in {words}" if days > 0 else f"{words} ago"


def than(day: date, earlier_known: date) -> str:
    """The shift from an earlier date: “61 days later than”."""
    days = (day - earlier_known).days
    if days == 0:
        return "the same as"
    return f"{count(abs(days), 'day')} {'later' if days > 0 else 'earlier'} than"


@lru_cache(maxsize=4096)
def day(value: date) -> str:
    """As templates write a date. Cached, because the rows of a page repeat few days."""
    return formats.date_format(value)


def moment(when: datetime) -> SafeString:
    """How long ago, counted from the effective day, with the exact time on hover and in print."""
    return _moment(when, clock.past_day(), clock.now().replace(microsecond=0))


@lru_cache(maxsize=512)
def _moment(when: datetime, past_day: date | None, now: datetime) -> SafeString:
    """Cached for a second, because what was written together has one time."""
    exact = formats.date_format(timezone.localtime(when), "DATETIME_FORMAT")
    return format_html(
        '<time datetime="{}" title="{}"><span class="d-print-none">{}</span>'
        '<span class="d-none d-print-inline">{}</span></time>',
        when.isoformat(),
        exact,
        _how_long_ago(when) or exact,
        exact,
    )


def _how_long_ago(when: datetime) -> str:
    """Empty for a time after the past day that is being read."""
    if not clock.past_day():
        return naturaltime(when)
    return f"{timesince(when, clock.now())} ago" if when < clock.now() else ""
