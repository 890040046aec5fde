"""Workers as processes: several at once, killed, asked to end."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from django.db import connection

from counterparties.models import Counterparty
from oegen import jobs
from oegen.jobs.models import Job, State, Worker
from tests.support.databases import database_url
from tests.support.job_kinds import kinds  # noqa: F401 - registers them

pytestmark = pytest.mark.usefixtures("transactional_db")

ROOT = Path(__file__).parents[3]
TIMEOUT_SECONDS = 120


@pytest.fixture
def start():
    workers = []

    def start(*options: str) -> subprocess.Popen:
        command = [sys.executable, "-m", "django", "work", "--every", "0.05", *options]
        worker = subprocess.Popen(
            [*command, "--settings", "tests.support.worker_settings"],
            cwd=ROOT,
            env={**os.environ, "DATABASE_URL": database_url()},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        workers.append(worker)
        return worker

    yield start
    for worker in workers:
        if worker.poll() is None:
            worker.kill()
        worker.communicate()


def wait_until(condition) -> None:
    end = time.monotonic() + TIMEOUT_SECONDS
    while not condition():
        assert time.monotonic() < end, "It did not come to that."
        time.sleep(0.02)


def test_each_job_is_done_once_though_workers_are_killed(start, is_full):
    """Killed at any moment: a job of a dead worker is done by another one after its lease."""
    number = 1000 if is_full else 100
    for name in range(number):
        jobs.enqueue("test-company", name=f"Company {name}")
    at_once = 4 if connection.vendor == "postgresql" else 2
    workers = [start("--lease", "1") for _ in range(at_once)]
    done = Job.objects.filter(kind="test-company", state=State.DONE)
    chance = random.Random(7)
    for kill in range(1, 7):
        wait_until(lambda kill=kill: done.count() >= number * kill // 8)
        place = chance.randrange(at_once)
        workers[place].send_signal(signal.SIGKILL)
        workers[place].communicate()
        workers[place] = start("--lease", "1")
    wait_until(lambda: done.count() == number)

    names = list(Counterparty.objects.values_list("name", flat=True))
    assert len(names) == len(set(names)) == number
    assert Counterparty.history.count() == number
    assert not Job.objects.filter(kind="test-company").exclude(state=State.DONE).exists()


def test_asked_to_end_a_worker_finishes_its_job_and_says_good_bye(start):
    jobs.enqueue("test-steps", steps=8)
    worker = start()
    job = Job.objects.filter(kind="test-steps")
    wait_until(lambda: job.get().state == State.RUNNING)
    # It takes a job while it is still saying so.
    wait_until(lambda: Worker.objects.alive().count() == 1)
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(TIMEOUT_SECONDS) == 0, worker.stderr.read()
    assert (job.get().state, job.get().message) == (State.DONE, "All steps done.")
    assert not Worker.objects.exists()


def test_a_running_job_shows_its_progress_and_can_be_cancelled(start):
    job = jobs.enqueue("test-steps", steps=600)
    start()

    def stored() -> Job:
        return Job.objects.get(pk=job.pk)

    wait_until(lambda: stored().steps_done > 0)
    assert (stored().steps_total, stored().state) == (600, State.RUNNING)
    assert stored().note.startswith("step ")
    assert jobs.queue.cancel(job)
    wait_until(lambda: stored().state == State.CANCELLED)
    assert stored().steps_done < 600


def test_it_ends_with_the_process_that_it_runs_beside(start):
    worker = start("--beside", "1")
    assert worker.communicate(timeout=TIMEOUT_SECONDS) == ("", "")
    assert worker.returncode == 0


def test_once_does_what_is_due_and_exits(start):
    jobs.enqueue("test-company", name="Larch")
    worker = start("--once")
    said, _ = worker.communicate(timeout=TIMEOUT_SECONDS)
    assert worker.returncode == 0
    assert said.endswith("done.\n")
    assert Counterparty.objects.get().name == "Larch"
