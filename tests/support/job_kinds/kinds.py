import time
from datetime import timedelta

from django.db import transaction

from counterparties.models import Counterparty
from oegen import jobs
from oegen.jobs.models import Job


@jobs.job_kind("test-company", "Add a company", max_attempts=50)
def add_company(context: jobs.Run, name: str) -> None:
    """Add a company once, whatever happens to the worker."""
    time.sleep(0.005)
    with transaction.atomic():
        Counterparty.objects.create(name=name)
        context.finish(f"{name} is added.")


@jobs.job_kind("test-steps", "Go step by step", queue=jobs.LONG, max_attempts=1)
def go_step_by_step(context: jobs.Run, steps: int) -> str:
    """Go on for a tenth of a second a step, or until it is cancelled."""
    for step in range(steps):
        context.report(step, steps, f"step {step}")
        time.sleep(0.1)
    return "All steps done."


@jobs.job_kind("test-failing", "Fail", max_attempts=3)
def fail(context: jobs.Run, how: str) -> str:
    if how == "for good":
        raise jobs.JobFailedError("The file is empty: choose one with rows.")
    if how == "again":
        raise jobs.TryAgainError("The register did not answer.", after=timedelta(minutes=10))
    if how == "twice" and context.job.attempts < 3:
        raise jobs.TryAgainError("The register did not answer.")
    if how == "by surprise":
        raise ValueError("secret detail")
    return "Done at last."


@jobs.job_kind("test-merged", "Work for all that wait", key="test-merged", merges=True)
def work_for_all(context: jobs.Run) -> str:
    waiting = Job.objects.waiting().filter(kind="test-merged").count()
    return f"{waiting} others wait."
