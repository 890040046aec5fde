"""Asks for the jobs of the schedules whose time has come."""

from __future__ import annotations

from datetime import datetime

from django.db import IntegrityError, transaction

from oegen.jobs.kinds import KINDS
from oegen.jobs.models import Job, Schedule
from oegen.jobs.queue import enqueue


def enqueue_due(now: datetime) -> int:
    """Enqueue the job of each active schedule for its latest time, unless it was; returns how many
    were. Times before the schedule was last changed don't count: one that is switched on at noon
    does not make up for the night."""
    number = 0
    for schedule in Schedule.objects.active():
        time = schedule.latest_time(now)
        if schedule.kind not in KINDS or time < schedule.modified_at:
            continue
        if Job.objects.filter(schedule=schedule, scheduled_for=time).exists():
            continue
        try:
            with transaction.atomic():
                enqueue(schedule.kind, schedule=schedule, scheduled_for=time)
        except IntegrityError:
            continue  # Another worker did so at the same moment.
        number += 1
    return number
