"""Asking for jobs, taking them, and writing down what became of them.

A job and its entry in the queue of django-tasks are written in the transaction of what asks for it.
A worker takes it with a **lease**, which a thread of it extends; if the worker dies, another one
takes the job once the lease has run out. What the worker writes about a job counts only while the
lease is its own.
"""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import OuterRef, Q, Subquery
from django.utils import timezone
from django_tasks_db.models import DBTaskResult

from oegen.core.backoff import pause_after
from oegen.jobs.kinds import KEPT_FOR, KINDS, JobFailedError, TryAgainError
from oegen.jobs.models import Job, Schedule, State

if TYPE_CHECKING:
    from oegen.people.models import User

logger = logging.getLogger(__name__)

#: How long a worker that says nothing keeps a job.
LEASE = timedelta(minutes=2)

DIED = "The process that ran it ended before it was done."


def enqueue(
    code: str,
    *,
    person: User | None = None,
    key: str = "",
    title: str = "",
    run_after: datetime | None = None,
    schedule: Schedule | None = None,
    scheduled_for: datetime | None = None,
    **arguments: Any,
) -> Job:
    """Ask for a job of the kind, in the current transaction. ``key`` defaults to that of the kind.

    Raises KeyError for an unknown kind, TypeError for arguments that JSON can't express.
    """
    kind = KINDS[code]
    at = run_after or timezone.now()
    with transaction.atomic():
        task = kind.task.using(run_after=at).enqueue(**arguments)
        return Job.objects.create(
            task_id=task.id,
            kind=code,
            queue=kind.queue,
            key=key or kind.key,
            title=title,
            person=person,
            schedule=schedule,
            scheduled_for=scheduled_for,
            run_after=at,
        )


def claim(
    worker: UUID, queue: str, *, lease: timedelta = LEASE, now: datetime | None = None
) -> Job | None:
    """Take the next due job of the queue; None if there is none.

    A job whose worker died is taken again if its kind has attempts left, else it has failed.
    """
    now = now or timezone.now()
    while Job.objects.due(queue, now).exists():
        try:
            with transaction.atomic():  # SQLite's transactions take the write lock at their start.
                job = Job.objects.due(queue, now).select_for_update(skip_locked=True).first()
                if job is None:
                    return None
                if _may_run(job, now):
                    _take(job, worker, now + lease, now)
                    return job
        except IntegrityError:
            # Another worker began one with the same key at the same moment.
            return None
    return None


def _may_run(job: Job, now: datetime) -> bool:
    """Whether the job can be started; if not, it is ended."""
    died = job.state == State.RUNNING
    if job.cancel_asked_at:
        _end(job, State.CANCELLED, now)
        return False
    if died and job.attempts >= job.job_kind.max_attempts:
        logger.error("Job %s (%s): %s", job.pk, job.kind, DIED)
        _end(job, State.FAILED, now, error=DIED)
        return False
    return True


def _take(job: Job, worker: UUID, until: datetime, now: datetime) -> None:
    if job.job_kind.merges:
        others = Job.objects.waiting().filter(key=job.key, kind=job.kind, run_after__lte=now)
        locked = others.exclude(pk=job.pk).select_for_update(skip_locked=True)
        DBTaskResult.objects.filter(pk__in=[other.task_id for other in locked]).delete()
    job.state = State.RUNNING
    job.leased_to, job.leased_until = worker, until
    job.attempts += 1
    job.started_at = now
    job.steps_done, job.steps_total, job.note = 0, None, ""
    job.save()
    job.task.claim(str(worker))


def settle(job: Job, state: State, *, message: str = "", error: str = "") -> bool:
    """Write how the job ended; False if its lease was lost, and so nothing is written."""
    with transaction.atomic():
        if (owned := _lock(job)) is None:
            return False
        _end(owned, state, timezone.now(), message=message, error=error, result=job.result)
        return True


def settle_failure(job: Job, error: str, problem: BaseException) -> None:
    """Write that an attempt failed: the next one is due after a pause, or the job has failed."""
    now = timezone.now()
    with transaction.atomic():
        if (owned := _lock(job)) is None:
            return
        is_final = isinstance(problem, JobFailedError)
        owned.task.set_failed(problem)
        if owned.attempts >= owned.job_kind.max_attempts or is_final:
            _end(owned, State.FAILED, now, error=error)
            return
        pause = pause_after(owned.attempts)
        if isinstance(problem, TryAgainError) and problem.after:
            pause = max(pause, problem.after)
        _wait(owned, now + pause, error)


def _owned(job: Job):
    return Job.objects.filter(
        pk=job.pk, state=State.RUNNING, leased_to=job.leased_to, attempts=job.attempts
    )


def _lock(job: Job) -> Job | None:
    """The job as stored, locked until the end of the transaction; None if its lease was lost."""
    owned: Job | None = _owned(job).select_for_update().first()
    if owned is None:
        logger.warning("Job %s took longer than its lease; another worker has it.", job.pk)
    return owned


def extend_lease(job: Job, until: datetime, **progress: Any) -> Job | None:
    """Extend the lease and write the progress; returns the job as stored, None if it was lost.

    A job that is locked, because its work is being committed, stays as it is.
    """
    with transaction.atomic():
        owned = _owned(job).select_for_update(skip_locked=True).first()
        if owned is None:
            return job if _owned(job).exists() else None
        owned.leased_until = until
        for name, value in progress.items():
            setattr(owned, name, value)
        owned.save(update_fields=["leased_until", *progress])
    return owned


def _end(job: Job, state: State, now: datetime, **values: Any) -> None:
    job.state, job.ended_at = state, now
    job.leased_to = job.leased_until = None
    for name, value in values.items():
        setattr(job, name, value)
    if state == State.DONE:
        job.error = ""
        job.task.set_successful(job.result)
    job.save()


def _wait(job: Job, until: datetime, error: str) -> None:
    job.state, job.run_after, job.error = State.WAITING, until, error
    job.leased_to = job.leased_until = None
    job.save()


def cancel(job: Job) -> bool:
    """Cancel a waiting job, or ask a running one to stop; False if it has ended already."""
    now = timezone.now()
    with transaction.atomic():
        known = Job.objects.unfinished().filter(pk=job.pk)
        if known.waiting().update(state=State.CANCELLED, ended_at=now, cancel_asked_at=now):
            return True
        return bool(known.update(cancel_asked_at=now))


def try_again(job: Job) -> bool:
    """Let a failed or cancelled job wait to be run now, with all its attempts; False if it is
    neither."""
    again = Job.objects.filter(pk=job.pk, state__in=[State.FAILED, State.CANCELLED])
    return bool(
        again.update(
            state=State.WAITING,
            run_after=timezone.now(),
            attempts=0,
            ended_at=None,
            cancel_asked_at=None,
        )
    )


def prune(now: datetime) -> int:
    """Delete the jobs that ended longer ago than their kind keeps them; returns their number.

    The latest job of each schedule stays: it tells that its time was not missed.
    """
    newest = Job.objects.filter(schedule=OuterRef("schedule")).order_by("-scheduled_for")
    is_latest = Q(schedule__isnull=False, pk=Subquery(newest.values("pk")[:1]))
    is_old = Q(ended_at__lt=now - KEPT_FOR) & ~Q(kind__in=KINDS)
    for code, kind in KINDS.items():
        is_old |= Q(kind=code, ended_at__lt=now - kind.kept_for)
    tasks = list(Job.objects.filter(is_old).exclude(is_latest).values_list("task_id", flat=True))
    DBTaskResult.objects.filter(pk__in=tasks).delete()
    return len(tasks)


def has_finished(job: Job) -> bool:
    """Whether the job said in its own transaction that it is done."""
    return Job.objects.filter(pk=job.pk, state=State.DONE, attempts=job.attempts).exists()
