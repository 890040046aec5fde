"""The job that puts in order what time alone makes due."""

from collections.abc import Callable
from datetime import timedelta

from django.utils import timezone

from oegen.core.words import count
from oegen.jobs import files, queue
from oegen.jobs.kinds import job_kind
from oegen.jobs.models import Worker
from oegen.jobs.running import Run
from oegen.people import security

#: What else is tidied up, by higher layers.
_tidiers: list[Callable[[], None]] = []


def tidies(tidy: Callable[[], None]) -> Callable[[], None]:
    """Register a function that the job calls: it deletes what is old enough."""
    _tidiers.append(tidy)
    return tidy


#: How long the row of a worker stays that did not end in order.
WORKER_KEPT_FOR = timedelta(days=1)


@job_kind(
    "tidy",
    "Tidy up",
    max_attempts=3,
    is_schedulable=True,
    kept_for=timedelta(hours=6),
)
def tidy(context: Run) -> str:
    """End runs of failed sign-ins, forget old addresses, old jobs and their files."""
    now = timezone.now()
    security.tidy(now)
    number = queue.prune(now)
    files.remove_orphans()
    Worker.objects.filter(seen_at__lt=now - WORKER_KEPT_FOR).delete()
    for other in _tidiers:
        other()
    return f"{count(number, 'old job')} removed."
