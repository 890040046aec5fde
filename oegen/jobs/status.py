"""Lines about background work for /healthz."""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone

from oegen.core.words import count
from oegen.jobs.models import Job, State, Worker

#: How long a due job may wait, or a running one go on, before it counts as stuck.
WAITS_TOO_LONG = timedelta(minutes=15)
RUNS_TOO_LONG = timedelta(hours=2)

#: The span of which failures are counted.
FAILURES_OF = timedelta(days=1)


def status_lines() -> list[str]:
    """Whether a worker runs; how many jobs wait, run, failed and are stuck."""
    return [_workers(), _jobs()]


def _workers() -> str:
    alive = Worker.objects.alive().count()
    if alive:
        return f"workers: {alive:,} running"
    last = Worker.objects.order_by("-seen_at").first()
    seen = last and f", the last was seen at {timezone.localtime(last.seen_at):%Y-%m-%d %H:%M}"
    return (
        f"workers: none{seen or ''}; nothing is sent, checked or made until `manage.py work` runs"
    )


def _jobs() -> str:
    now = timezone.now()
    due = Job.objects.waiting().filter(run_after__lte=now)
    oldest = due.order_by("run_after").first()
    parts = [f"{due.count():,} due"]
    if oldest is not None:
        minutes = int((now - oldest.run_after).total_seconds() // 60)
        parts[0] += f" (the oldest for {count(minutes, 'minute')})"
    parts.append(f"{Job.objects.running().count():,} running")
    failed = Job.objects.filter(state=State.FAILED, ended_at__gte=now - FAILURES_OF).count()
    parts.append(f"{failed:,} failed since yesterday at this time")
    stuck = due.filter(run_after__lt=now - WAITS_TOO_LONG).count()
    stuck += Job.objects.running().filter(started_at__lt=now - RUNS_TOO_LONG).count()
    if stuck:
        parts.append(f"{stuck:,} stuck")
    return f"jobs: {', '.join(parts)}"
