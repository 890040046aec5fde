"""The day that is being looked at: this one, or an earlier one while the past is read
(``oegen.asof``). What counts from "today" asks here."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import date, datetime, time, timedelta

from django.utils import timezone

_past_day: ContextVar[date | None] = ContextVar("oegen_past_day", default=None)


class ReadOnlyPastError(Exception):
    """Something was to be written while the past was being read."""


def past_day() -> date | None:
    """The day whose end is being looked at; None for now."""
    return _past_day.get()


def today() -> date:
    return _past_day.get() or timezone.localdate()


def now() -> datetime:
    """The moment that is being looked at: now, or the end of the day."""
    day = _past_day.get()
    return end_of(day) if day else timezone.now()


def end_of(day: date) -> datetime:
    """The first moment that is no longer part of the day, in the site's time zone."""
    return timezone.make_aware(datetime.combine(day + timedelta(days=1), time.min))


def days_ago(days: int) -> datetime:
    """The first moment of the day that lies so many days before the one being looked at."""
    return end_of(today() - timedelta(days=days + 1))


@contextmanager
def looking_at(day: date) -> Iterator[None]:
    token = _past_day.set(day)
    try:
        yield
    finally:
        _past_day.reset(token)
