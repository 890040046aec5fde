"""Asking for the job that matches, once for many changes."""

from datetime import datetime, timedelta

from django.utils import timezone

from oegen import jobs
from oegen.jobs.models import Job
from pipelines.registers.models import Edition

MATCH_REGISTERS = "match-registers"

#: How long a change of our own records waits for others to come.
PAUSE = timedelta(minutes=5)


def is_awaited(after: timedelta) -> bool:
    """Whether nobody needs to ask: no register has an edition, or a job waits that is due by
    then."""
    waiting = Job.objects.waiting().filter(kind=MATCH_REGISTERS, run_after__lte=_due(after))
    return not Edition.objects.exists() or waiting.exists()


def ask_for_matching(after: timedelta = PAUSE) -> None:
    """Enqueue the job, unless one is awaited."""
    if not is_awaited(after):
        jobs.enqueue(MATCH_REGISTERS, run_after=_due(after))


def _due(after: timedelta) -> datetime:
    return timezone.now() + after
