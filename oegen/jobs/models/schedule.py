from __future__ import annotations

from datetime import UTC, datetime, time, timedelta

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils import timezone

from oegen.audit.reference import ReferenceModel
from oegen.core.constraints import unique_name
from oegen.core.fields import choices_constraint, own_field
from oegen.jobs.kinds import label_of, schedulable_choices

#: The last day that every month has.
LAST_MONTH_DAY = 28


class Frequency(models.TextChoices):
    MINUTES = "minutes", "every few minutes"
    DAY = "day", "every day"
    WEEK = "week", "every week"
    MONTH = "month", "every month"


class Weekday(models.IntegerChoices):
    MONDAY = 0
    TUESDAY = 1
    WEDNESDAY = 2
    THURSDAY = 3
    FRIDAY = 4
    SATURDAY = 5
    SUNDAY = 6


class Interval(models.IntegerChoices):
    """Minutes; each divides an hour."""

    ONE = 1, "every minute"
    FIVE = 5, "every 5 minutes"
    TEN = 10, "every 10 minutes"
    FIFTEEN = 15, "every 15 minutes"
    THIRTY = 30, "every half hour"
    HOUR = 60, "every hour"


class ScheduledKindField(models.CharField):
    """The code of a kind of job that needs no arguments. Migrations don't know which there are."""

    def __init__(self, **kwargs):
        super().__init__(**{"max_length": 40, **kwargs, "choices": schedulable_choices})

    def deconstruct(self):
        name, _, args, kwargs = super().deconstruct()
        del kwargs["choices"]
        return name, "django.db.models.CharField", args, kwargs


#: The fields that each frequency needs; the others are empty.
FIELDS = {
    Frequency.MINUTES: ("interval",),
    Frequency.DAY: ("at",),
    Frequency.WEEK: ("weekday", "at"),
    Frequency.MONTH: ("month_day", "at"),
}
TIMES = ("interval", "weekday", "month_day", "at")


def _times_condition() -> Q:
    condition = Q()
    for frequency, needed in FIELDS.items():
        given = {f"{name}__isnull": name not in needed for name in TIMES}
        condition |= Q(frequency=frequency, **given)
    return condition


class Schedule(ReferenceModel):
    """When a job of a kind is asked for, in the site's time zone.

    A time that was missed, because no worker ran, is made up for once: the latest one only. Where
    the clocks go forward over the time, it is an hour later; where they go back, the first counts.
    """

    kind = ScheduledKindField(verbose_name="job")
    frequency = models.CharField(max_length=10, choices=Frequency)
    interval = models.PositiveSmallIntegerField(
        null=True, blank=True, choices=Interval, help_text="Only of “every few minutes”."
    )
    weekday = models.PositiveSmallIntegerField(
        null=True, blank=True, choices=Weekday, help_text="Only of “every week”."
    )
    month_day = models.PositiveSmallIntegerField(
        "day of the month",
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(LAST_MONTH_DAY)],
        help_text=f"Only of “every month”: 1 to {LAST_MONTH_DAY}, which every month has.",
    )
    at = models.TimeField(
        "time", null=True, blank=True, help_text="London time. Not of “every few minutes”."
    )

    class Meta(ReferenceModel.Meta):
        constraints = [
            unique_name("schedule"),
            unique_name("schedule", "code"),
            choices_constraint("schedule", "frequency", Frequency),
            choices_constraint("schedule", "interval", Interval),
            choices_constraint("schedule", "weekday", Weekday),
            models.CheckConstraint(
                condition=Q(month_day=None) | Q(month_day__range=(1, LAST_MONTH_DAY)),
                name="schedule_month_day_in_range",
                violation_error_message=f"Choose a day from 1 to {LAST_MONTH_DAY}.",
            ),
            models.CheckConstraint(
                condition=_times_condition(),
                name="schedule_times_of_frequency",
                violation_error_message="Give exactly the times that the frequency needs.",
            ),
        ]

    def clean(self):
        if self.frequency not in FIELDS:
            return
        needed = FIELDS[Frequency(self.frequency)]
        label = Frequency(self.frequency).label
        problems = {}
        for name in TIMES:
            verbose = own_field(type(self), name).verbose_name
            if name in needed and getattr(self, name) is None:
                problems[name] = f"“{label.capitalize()}” needs the {verbose}."
            elif name not in needed and getattr(self, name) is not None:
                problems[name] = f"“{label.capitalize()}” has no {verbose}: clear it."
        if problems:
            raise ValidationError(problems)

    @property
    def job_label(self) -> str:
        return label_of(self.kind)

    @property
    def when(self) -> str:
        """“every Monday at 07:00”."""
        if self.frequency == Frequency.MINUTES:
            return self.get_interval_display()
        at = f"at {self.at:%H:%M}" if self.at else ""
        if self.frequency == Frequency.WEEK:
            return f"every {self.get_weekday_display()} {at}"
        if self.frequency == Frequency.MONTH:
            return f"on day {self.month_day} of every month {at}"
        return f"every day {at}"

    def latest_time(self, now: datetime) -> datetime:
        """The latest of its times that is not after ``now``."""
        if self.frequency == Frequency.MINUTES:
            past = now.minute % (self.interval or 1)
            return now.replace(second=0, microsecond=0) - timedelta(minutes=past)
        day = timezone.localdate(now)
        # A month back, and a day more for a time that is still to come today.
        for back in range(33):
            one = day - timedelta(days=back)
            if self.frequency == Frequency.WEEK and one.weekday() != self.weekday:
                continue
            if self.frequency == Frequency.MONTH and one.day != self.month_day:
                continue
            moment = timezone.make_aware(datetime.combine(one, self.at or time.min)).astimezone(UTC)
            if moment <= now:
                return moment
        raise AssertionError(f"Schedule {self.code} has no time within a month.")

    def next_time(self, now: datetime) -> datetime:
        """The first of its times after ``now``."""
        if self.frequency == Frequency.MINUTES:
            return self.latest_time(now) + timedelta(minutes=self.interval or 1)
        for hours in range(12, 24 * 33, 12):
            found = self.latest_time(now + timedelta(hours=hours))
            if found > now:
                return found
        raise AssertionError(f"Schedule {self.code} has no time within a month.")
