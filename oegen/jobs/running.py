"""The run of one job: what its function sees of it, and the thread that keeps its lease."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db import DatabaseError, connection, transaction
from django.utils import timezone
from django_tasks.base import TaskContext

from oegen.jobs import queue
from oegen.jobs.kinds import JobFailedError, TryAgainError
from oegen.jobs.models import Job, State

logger = logging.getLogger(__name__)

#: How often progress is written, at most.
PROGRESS_EVERY = timedelta(seconds=1)

UNEXPECTED = "An unexpected error ({error}). The log and this job in the admin have its details."


class CancelledError(Exception):
    """The job was cancelled while it ran."""


class LeaseLostError(Exception):
    """The lease ran out, and another worker has the job: what this one does must not count."""


class Keeper:
    """A thread that extends the lease of a job, writes its progress and learns of a cancellation.

    It has a connection of its own, so that the job's transactions don't hold it up, nor it them.
    """

    def __init__(self, job: Job, lease: timedelta):
        self.job = job
        self.lease = lease
        self.is_cancelled = False
        self.is_lost = False
        self.progress: dict[str, Any] = {}
        self._written: dict[str, Any] = {}
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"lease of {job.pk}", daemon=True)

    def __enter__(self) -> Keeper:
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._end.set()
        self._thread.join()

    def _run(self) -> None:
        step = min(PROGRESS_EVERY, self.lease / 4)
        extended_at = timezone.now()
        try:
            while not self._end.wait(step.total_seconds()) and not self.is_lost:
                progress = self.progress
                now = timezone.now()
                if progress == self._written and now - extended_at < self.lease / 4:
                    continue
                try:
                    stored = queue.extend_lease(self.job, now + self.lease, **progress)
                except DatabaseError:
                    logger.exception("The lease of job %s was not extended.", self.job.pk)
                    connection.close()
                    continue
                extended_at, self._written = now, progress
                self.is_lost = stored is None
                self.is_cancelled = stored is not None and stored.cancel_asked_at is not None
        finally:
            connection.close()


@dataclass(frozen=True, slots=True, kw_only=True)
class Run(TaskContext):
    """What the function of a job sees of its run."""

    job: Job
    keeper: Keeper
    #: Whether the worker was asked to end: work that can go on another time stops here.
    is_stopping: Callable[[], bool]

    def report(self, done: int, total: int | None = None, note: str = "") -> None:
        """Tell how far the work is; to be called every second or so.

        Raises CancelledError if the job was cancelled, LeaseLostError if another worker has it.
        """
        self.keeper.progress = {"steps_done": done, "steps_total": total, "note": note}
        if self.keeper.is_lost:
            raise LeaseLostError
        if self.keeper.is_cancelled:
            raise CancelledError

    def finish(self, message: str = "") -> None:
        """Write, inside the transaction of the work, that it is done: both are committed or
        neither, and so a worker that dies can't do it twice. Raises LeaseLostError."""
        if not transaction.get_connection().in_atomic_block:
            raise RuntimeError("finish() belongs in the transaction of the work.")
        if not queue.settle(self.job, State.DONE, message=message):
            raise LeaseLostError


def run(
    job: Job, lease: timedelta = queue.LEASE, is_stopping: Callable[[], bool] = lambda: False
) -> None:
    """Run a claimed job and write how it ended."""
    result = job.task.task_result
    try:
        with Keeper(job, lease) as keeper:
            context = Run(task_result=result, job=job, keeper=keeper, is_stopping=is_stopping)
            message = result.task.call(context, *result.args, **result.kwargs)
    except CancelledError:
        queue.settle(job, State.CANCELLED)
    except LeaseLostError:
        logger.warning("Job %s: its lease ran out, and another worker has it.", job.pk)
    except (JobFailedError, TryAgainError) as error:
        logger.warning("Job %s (%s): %s", job.pk, job.kind, error)
        queue.settle_failure(job, str(error), error)
    except Exception as error:
        logger.exception("Job %s (%s) failed.", job.pk, job.kind)
        queue.settle_failure(job, UNEXPECTED.format(error=type(error).__name__), error)
    else:
        if not queue.has_finished(job):
            queue.settle(job, State.DONE, message=message or "")
