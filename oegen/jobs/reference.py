"""The schedules that every installation starts with."""

from datetime import time
from typing import Any

from oegen.jobs.models import Frequency
from oegen.jobs.models.schedule import Interval, Weekday

#: Code, name, job, and its times.
SCHEDULES: list[tuple[str, str, str, dict[str, Any]]] = [
    (
        "send-alerts",
        "Send waiting alerts",
        "send-alerts",
        {"frequency": Frequency.MINUTES, "interval": Interval.FIVE},
    ),
    (
        "alerts-of-the-day",
        "Alerts of the day",
        "alerts-of-the-day",
        {"frequency": Frequency.DAY, "at": time(0, 1)},
    ),
    (
        "digest-day",
        "Daily digest",
        "digest-day",
        {"frequency": Frequency.DAY, "at": time(7)},
    ),
    (
        "digest-week",
        "Weekly digest",
        "digest-week",
        {"frequency": Frequency.WEEK, "weekday": Weekday.MONDAY, "at": time(7)},
    ),
    (
        "anchor",
        "Anchor of the history",
        "anchor",
        {"frequency": Frequency.MINUTES, "interval": Interval.HOUR},
    ),
    (
        "check-history",
        "Nightly check of the history",
        "check-history",
        {"frequency": Frequency.DAY, "at": time(2)},
    ),
    (
        "fetch-registers",
        "Public registers",
        "fetch-registers",
        {"frequency": Frequency.WEEK, "weekday": Weekday.TUESDAY, "at": time(5)},
    ),
    (
        "sync-warehouse",
        "Warehouse",
        "sync-warehouse",
        {"frequency": Frequency.MINUTES, "interval": Interval.HOUR},
    ),
    (
        "check-warehouse",
        "Nightly check of the warehouse",
        "check-warehouse",
        {"frequency": Frequency.DAY, "at": time(3)},
    ),
    (
        "tidy-warehouse",
        "Tidy up the warehouse",
        "tidy-warehouse",
        {"frequency": Frequency.WEEK, "weekday": Weekday.SUNDAY, "at": time(4)},
    ),
    (
        "tidy",
        "Tidy up",
        "tidy",
        {"frequency": Frequency.MINUTES, "interval": Interval.FIVE},
    ),
]


def schedule_rows() -> list[dict[str, Any]]:
    return [
        {"code": code, "name": name, "order": order, "kind": kind, **times}
        for order, (code, name, kind, times) in enumerate(SCHEDULES, start=1)
    ]
