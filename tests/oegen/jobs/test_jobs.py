"""Jobs: asked for in a transaction, taken once, tried again, cancelled, merged, forgotten."""

import uuid
from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone
from django_tasks_db.models import DBTaskResult

from counterparties.models import Counterparty
from oegen import jobs
from oegen.core import backoff
from oegen.jobs import queue, running
from oegen.jobs.models import Job, Schedule, State
from tests.support.job_kinds import kinds  # noqa: F401 - registers them
from tests.support.jobs import run_due_jobs, run_job

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def no_others(db):
    Job.objects.all().delete()


def pass_by(job: Job, span: timedelta) -> None:
    """As if the time had passed."""
    job.refresh_from_db()
    job.run_after -= span
    if job.leased_until:
        job.leased_until -= span
    job.save()


def test_what_is_rolled_back_leaves_none_and_what_is_committed_is_done_once():
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        jobs.enqueue("test-company", name="Never")
        raise ZeroDivisionError
    assert not Job.objects.exists()
    assert not DBTaskResult.objects.exists()

    job = run_job("test-company", name="Larch")
    assert (job.state, job.message, job.attempts) == (State.DONE, "Larch is added.", 1)
    assert Counterparty.objects.filter(name="Larch").count() == 1
    assert run_due_jobs() == []
    with pytest.raises(KeyError):
        jobs.enqueue("test-unknown")


def test_a_failure_is_told_in_words_and_tried_again_after_growing_pauses():
    job = run_job("test-failing", how="for good")
    assert (job.state, job.error) == (State.FAILED, "The file is empty: choose one with rows.")

    job = run_job("test-failing", how="again")
    assert (job.state, job.error) == (State.WAITING, "The register did not answer.")
    assert job.run_after > timezone.now() + timedelta(minutes=9)
    assert run_due_jobs() == []

    job = run_job("test-failing", how="twice")
    assert timezone.now() < job.run_after <= timezone.now() + backoff.MIN_WAIT
    for _ in range(2):
        pass_by(job, timedelta(hours=2))
        run_due_jobs()
    job.refresh_from_db()
    assert (job.state, job.error, job.message) == (State.DONE, "", "Done at last.")


def test_an_unexpected_error_is_in_the_log_and_its_details_are_for_administrators(caplog):
    job = run_job("test-failing", how="by surprise")
    for _ in range(2):
        pass_by(job, timedelta(hours=2))
        run_due_jobs()
    job.refresh_from_db()
    assert (job.state, job.attempts) == (State.FAILED, 3)
    assert "ValueError" in job.error
    assert "secret detail" not in job.error
    assert "secret detail" in job.task.traceback
    assert "secret detail" in caplog.text
    assert queue.try_again(job)
    pass_by(job, timedelta(0))
    job.refresh_from_db()
    assert (job.state, job.attempts, job.ended_at) == (State.WAITING, 0, None)


def test_of_one_key_never_two_run_at_once():
    worker = uuid.uuid4()
    first, second, other = (
        jobs.enqueue("test-company", key=key, name=name)
        for key, name in (("a", "1"), ("a", "2"), ("b", "3"))
    )
    taken = [queue.claim(worker, jobs.QUICK) for _ in range(3)]
    assert taken == [first, other, None]
    with pytest.raises(IntegrityError), transaction.atomic():
        Job.objects.filter(pk=second.pk).update(
            state=State.RUNNING, leased_to=worker, leased_until=timezone.now()
        )
    running.run(taken[0])
    assert queue.claim(worker, jobs.QUICK) == second


def test_what_a_dead_worker_had_is_taken_after_its_lease_if_the_kind_may_be_repeated():
    repeatable = jobs.enqueue("test-company", name="Larch")
    single = jobs.enqueue("test-steps", steps=1)
    first, second = uuid.uuid4(), uuid.uuid4()
    held = queue.claim(first, jobs.QUICK)
    queue.claim(first, jobs.LONG)
    assert queue.claim(second, jobs.QUICK) is None

    for job in (repeatable, single):
        pass_by(job, queue.LEASE + timedelta(seconds=1))
    again = queue.claim(second, jobs.QUICK)
    assert (again.pk, again.attempts) == (repeatable.pk, 2)
    assert again.task.worker_ids == [str(first), str(second)]
    assert queue.claim(second, jobs.LONG) is None
    single.refresh_from_db()
    assert (single.state, single.error) == (State.FAILED, queue.DIED)

    # The first was only slow: what it does must not count.
    running.run(held)
    assert not Counterparty.objects.exists()
    running.run(again)
    assert Counterparty.objects.get().name == "Larch"


def test_cancelled_while_it_waits_and_while_it_runs():
    waiting = jobs.enqueue("test-company", name="Larch")
    assert queue.cancel(waiting)
    assert run_due_jobs() == []
    waiting.refresh_from_db()
    assert waiting.state == State.CANCELLED
    assert not queue.cancel(waiting)

    job = jobs.enqueue("test-steps", steps=10)
    taken = queue.claim(uuid.uuid4(), jobs.LONG)
    assert queue.cancel(job)
    stored = queue.extend_lease(taken, timezone.now(), steps_done=3, steps_total=10)
    assert stored.cancel_asked_at
    assert stored.percent == 30
    pass_by(job, timedelta(minutes=5))
    assert queue.claim(uuid.uuid4(), jobs.LONG) is None, "its worker died, and it was to be stopped"
    job.refresh_from_db()
    assert job.state == State.CANCELLED


def test_a_run_does_the_work_of_all_that_wait():
    for _ in range(3):
        jobs.enqueue("test-merged")
    later = jobs.enqueue("test-merged", run_after=timezone.now() + timedelta(hours=1))
    (done,) = run_due_jobs()
    assert done.message == "1 others wait."
    assert set(Job.objects.all()) == {done, later}
    assert DBTaskResult.objects.count() == 2


def test_jobs_are_forgotten_after_a_while_but_for_the_latest_of_a_schedule():
    old, new = (run_job("test-failing", how="for good") for _ in range(2))
    scheduled = run_job("tidy")
    Job.objects.exclude(pk=new.pk).update(ended_at=timezone.now() - timedelta(days=31))
    schedule = Schedule.objects.get(code="tidy")
    Job.objects.filter(pk=scheduled.pk).update(
        schedule=schedule, scheduled_for=timezone.now() - timedelta(days=31)
    )
    waiting = jobs.enqueue("test-company", name="Larch")
    assert queue.prune(timezone.now()) == 1
    assert set(Job.objects.all()) == {new, scheduled, waiting}
    assert not DBTaskResult.objects.filter(pk=old.task_id).exists()


def test_pauses_double_up_to_an_hour_and_differ():
    longest = [max(backoff.pause_after(number) for _ in range(200)) for number in (1, 2, 3, 50)]
    for pause, seconds in zip(longest, (30, 60, 120, 3600), strict=True):
        assert seconds * 0.9 < pause.total_seconds() <= seconds
    assert len({backoff.pause_after(50) for _ in range(10)}) > 1
