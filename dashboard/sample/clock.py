from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from random import Random
from zoneinfo import ZoneInfo

LONDON = ZoneInfo("Europe/London")
DAYS_BACK = 730
OFFICE_OPENS = time(9)
OFFICE_SECONDS = 8 * 3600 + 1800
CLOSED = {(12, 25), (12, 26), (1, 1)}


class Clock:
    """The working days of the 24 months before ``today``, known by their number from 0."""

    def __init__(self, today: date):
        self.today = today
        first = today - timedelta(days=DAYS_BACK)
        calendar = (first + timedelta(days=offset) for offset in range(DAYS_BACK))
        self.days = [
            day for day in calendar if day.weekday() < 5 and (day.month, day.day) not in CLOSED
        ]
        self._mornings = [
            datetime.combine(day, OFFICE_OPENS, LONDON).astimezone(UTC) for day in self.days
        ]

    def __len__(self):
        return len(self.days)

    def moment(self, number: int, rng: Random) -> datetime:
        """Some second of that day's office hours, 9:00 to 17:30 in London, as UTC."""
        return self._mornings[number] + timedelta(seconds=rng.randrange(OFFICE_SECONDS))
