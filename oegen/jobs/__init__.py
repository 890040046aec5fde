"""Background work: jobs that people can see, schedules, and the worker that runs them.

A kind of job is a function with ``@job_kind``; ``enqueue`` asks for one in the current transaction.
Imports ``people``, ``audit`` and ``core``.
"""

from oegen.jobs.kinds import LONG, OUTBOUND, QUICK, JobFailedError, JobKind, TryAgainError, job_kind
from oegen.jobs.queue import enqueue
from oegen.jobs.running import Run

__all__ = [
    "LONG",
    "OUTBOUND",
    "QUICK",
    "JobFailedError",
    "JobKind",
    "Run",
    "TryAgainError",
    "enqueue",
    "job_kind",
]
