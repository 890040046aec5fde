"""The registry of the kinds of jobs.

A kind is a module-level function with ``@job_kind``, which becomes a task of django-tasks. It gets
the ``Run`` as ``context`` and the arguments it was enqueued with, and returns a sentence about what
it did.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import django_tasks
from django_tasks.base import Task

#: The queues: what is done within seconds, what may take minutes and must not hold that up, and
#: requests to servers of others, which may be slow.
QUICK, LONG, OUTBOUND = "quick", "long", "outbound"
QUEUES = (QUICK, LONG, OUTBOUND)

#: How long jobs stay listed once they ended, unless their kind says otherwise.
KEPT_FOR = timedelta(days=30)

#: The kinds by their code.
KINDS: dict[str, JobKind] = {}


class JobFailedError(Exception):
    """The job can't be done, and another attempt would not help. The text is shown to people."""


class TryAgainError(Exception):
    """The attempt failed, a later one may not. The text is shown to people; ``after`` is the
    shortest pause before the next attempt."""

    def __init__(self, message: str, after: timedelta | None = None):
        super().__init__(message)
        self.after = after


@dataclass(frozen=True)
class JobKind:
    """A kind of job.

    ``key``: jobs with the same key never run at once; empty if they may. ``max_attempts`` counts
    those that ended with their worker; 1 if the work must not be repeated. ``merges``: a run does
    the work of all that wait with its key. ``is_schedulable``: needs no arguments, so that a
    schedule may ask for it. ``kept_for``: how long jobs of this kind stay listed once they ended.
    """

    code: str
    label: str
    task: Task[..., Any]
    queue: str
    key: str
    max_attempts: int
    merges: bool
    is_schedulable: bool
    kept_for: timedelta


def job_kind(
    code: str,
    label: str,
    *,
    queue: str = QUICK,
    key: str = "",
    max_attempts: int = 1,
    merges: bool = False,
    is_schedulable: bool = False,
    kept_for: timedelta = KEPT_FOR,
) -> Callable[[Callable[..., Any]], Task[..., Any]]:
    """Register the function as a kind of job, see JobKind; returns its task.

    A kind that ``is_schedulable`` has its code as key and merges: one run does what several
    schedules or people asked for.
    """

    def register(function: Callable[..., Any]) -> Task[..., Any]:
        task = django_tasks.task(queue_name=queue, takes_context=True)(function)
        KINDS[code] = JobKind(
            code=code,
            label=label,
            task=task,
            queue=queue,
            key=code if is_schedulable else key,
            max_attempts=max_attempts,
            merges=merges or is_schedulable,
            is_schedulable=is_schedulable,
            kept_for=kept_for,
        )
        return task

    return register


def schedulable_choices() -> list[tuple[str, str]]:
    """The kinds that a schedule may ask for, as choices."""
    return [(kind.code, kind.label) for kind in KINDS.values() if kind.is_schedulable]


def label_of(code: str) -> str:
    """The label of a kind; the code if this release does not have it."""
    return KINDS[code].label if code in KINDS else code
