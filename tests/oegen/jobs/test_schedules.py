"""Schedules: their times in London, with its changes of the clock, and the jobs they ask for."""

from datetime import UTC, datetime, time, timedelta

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils import timezone

from oegen.jobs import schedules
from oegen.jobs.models import Frequency, Job, Schedule

pytestmark = pytest.mark.django_db


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


NIGHT = Schedule(frequency=Frequency.DAY, at=time(2))
EARLY = Schedule(frequency=Frequency.DAY, at=time(1, 30))
MONDAY = Schedule(frequency=Frequency.WEEK, weekday=0, at=time(7))
MONTHLY = Schedule(frequency=Frequency.MONTH, month_day=28, at=time(6))
HOURLY = Schedule(frequency=Frequency.MINUTES, interval=60)
FIVE = Schedule(frequency=Frequency.MINUTES, interval=5)


@pytest.mark.parametrize(
    ("schedule", "now", "latest", "following"),
    [
        (NIGHT, "2026-01-10 01:59", "2026-01-09 02:00", "2026-01-10 02:00"),
        (NIGHT, "2026-01-10 02:00", "2026-01-10 02:00", "2026-01-11 02:00"),
        # In summer 02:00 in London is 01:00 UTC.
        (NIGHT, "2026-07-10 01:00", "2026-07-10 01:00", "2026-07-11 01:00"),
        # On 29 March 2026 the clocks go from 01:00 to 02:00, on 25 October from 02:00 to 01:00.
        (EARLY, "2026-03-29 12:00", "2026-03-29 01:30", "2026-03-30 00:30"),
        (EARLY, "2026-10-25 00:29", "2026-10-24 00:30", "2026-10-25 00:30"),
        (EARLY, "2026-10-25 01:45", "2026-10-25 00:30", "2026-10-26 01:30"),
        (MONDAY, "2026-11-29 12:00", "2026-11-23 07:00", "2026-11-30 07:00"),
        (MONTHLY, "2026-03-01 00:00", "2026-02-28 06:00", "2026-03-28 06:00"),
        (HOURLY, "2026-03-29 01:59", "2026-03-29 01:00", "2026-03-29 02:00"),
        (FIVE, "2026-03-29 01:59", "2026-03-29 01:55", "2026-03-29 02:00"),
    ],
)
def test_times_around_a_moment(schedule, now, latest, following):
    assert schedule.latest_time(utc(now)) == utc(latest)
    assert schedule.next_time(utc(now)) == utc(following)


def test_they_say_when_in_words():
    said = [one.when for one in (NIGHT, MONDAY, MONTHLY, HOURLY, FIVE)]
    assert said == [
        "every day at 02:00",
        "every Monday at 07:00",
        "on day 28 of every month at 06:00",
        "every hour",
        "every 5 minutes",
    ]


def test_each_time_asks_for_one_job_and_a_missed_night_is_made_up_for_once():
    night = Schedule.objects.get(code="check-history")
    others = Schedule.objects.exclude(pk=night.pk)
    for other in others:
        other.is_active = False
        other.save()
    start = night.latest_time(timezone.now() + timedelta(days=2))
    assert schedules.enqueue_due(start - timedelta(days=3)) == 0, "before it was made"
    assert schedules.enqueue_due(start) == 1
    assert schedules.enqueue_due(start + timedelta(hours=5)) == 0
    assert schedules.enqueue_due(start + timedelta(days=4, hours=1)) == 1
    asked = Job.objects.filter(schedule=night).order_by("scheduled_for")
    times = list(asked.values_list("scheduled_for", flat=True))
    assert times[0] == start
    assert timezone.localtime(times[1]).date() == (timezone.localtime(start) + timedelta(4)).date()
    assert {job.kind for job in asked} == {"check-history"}


def test_only_the_times_that_the_frequency_needs():
    right = {"name": "Mine", "code": "mine", "kind": "tidy"}
    for wrong, sentence in (
        ({"frequency": "week", "at": time(7)}, "“Every week” needs the weekday."),
        ({"frequency": "day", "at": time(7), "weekday": 1}, "“Every day” has no weekday: clear it"),
        ({"frequency": "day"}, "“Every day” needs the time."),
        ({"frequency": "month", "at": time(7), "month_day": 31}, "less than or equal to 28"),
        ({"frequency": "day", "at": time(7), "kind": "download"}, "is not a valid choice"),
    ):
        with pytest.raises(ValidationError, match=sentence):
            Schedule(**right | wrong).full_clean()
    with pytest.raises(IntegrityError), transaction.atomic():
        Schedule.objects.create(**right, frequency="day")
