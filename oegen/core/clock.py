"""The effective day: today, or an earlier day while the past is read (``oegen.asof``). Code that
depends on "today" or "now" calls these functions instead of Django's."""

from calendar import monthrange
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, date, datetime, time, timedelta

from django.utils import timezone

#: Later than all that is recorded.
FOREVER = datetime(9999, 12, 31, tzinfo=UTC)

#: The day that is being read, and the time up to which.
_past: ContextVar[tuple[date, datetime] | None] = ContextVar("oegen_past", default=None)

_today: ContextVar[date | None] = ContextVar("oegen_today", default=None)

#: What was asked for inside ``noting_questions``.
_questions: ContextVar[list[str] | None] = ContextVar("oegen_clock_questions", default=None)


class ReadOnlyPastError(Exception):
    """A write was attempted while the past was being read."""


def past_day() -> date | None:
    """The past day that is being read; None for the present."""
    _note("day")
    past = _past.get()
    return past and past[0]


def past_moment() -> datetime | None:
    """The time up to which the past is being read, by default the end of its day; None for the
    present."""
    _note("moment")
    past = _past.get()
    return past and past[1]


def today() -> date:
    return past_day() or _today.get() or timezone.localdate()


def now() -> datetime:
    """The current time or, while the past is read, the time up to which."""
    return past_moment() or timezone.now()


def start_of(day: date) -> datetime:
    """The first moment of the day, in the site's time zone."""
    return end_of(day - timedelta(days=1))


def end_of(day: date) -> datetime:
    """The first moment after the day, in the site's time zone."""
    return timezone.make_aware(datetime.combine(day + timedelta(days=1), time.min))


def days_ago(days: int) -> datetime:
    """The start of the day that is ``days`` before the effective day."""
    return end_of(today() - timedelta(days=days + 1))


def months_before(day: date, months: int) -> date:
    """The same day of an earlier month, or the last day of that month."""
    year, month = divmod(12 * day.year + day.month - 1 - months, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def a_month_before(day: date) -> date:
    return months_before(day, 1)


@contextmanager
def noting_questions() -> Iterator[list[str]]:
    """The list gets an entry whenever something inside asks for the effective day or time."""
    questions: list[str] = []
    token = _questions.set(questions)
    try:
        yield questions
    finally:
        _questions.reset(token)


def _note(question: str) -> None:
    questions = _questions.get()
    if questions is not None:
        questions.append(question)


@contextmanager
def override_day(day: date, until: datetime | None = None) -> Iterator[None]:
    """Set the effective day inside the block, up to its end or to the time ``until``."""
    token = _past.set((day, until or end_of(day)))
    try:
        yield
    finally:
        _past.reset(token)


@contextmanager
def override_today(day: date) -> Iterator[None]:
    """Make SQL of the present inside the block as it would be on that day."""
    token = _today.set(day)
    try:
        yield
    finally:
        _today.reset(token)
