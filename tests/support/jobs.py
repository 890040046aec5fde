"""Jobs run by the test itself, as a worker would."""

from typing import Any

from oegen import jobs
from oegen.jobs import queue, running
from oegen.jobs.kinds import QUEUES
from oegen.jobs.models import Job, Worker


def run_due_jobs() -> list[Job]:
    """Run what is due until nothing is; returns the jobs in the order in which they ended."""
    worker = Worker()
    done = []
    while job := next(filter(None, (queue.claim(worker.pk, name) for name in QUEUES)), None):
        running.run(job)
        job.refresh_from_db()
        done.append(job)
    return done


def run_job(code: str, **arguments: Any) -> Job:
    """Ask for a job, run it and all others that are due; returns it as it ended."""
    wanted = jobs.enqueue(code, **arguments)
    run_due_jobs()
    wanted.refresh_from_db()
    return wanted
