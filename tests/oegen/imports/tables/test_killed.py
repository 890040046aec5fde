"""Workers that are killed while they preview or write an import: it is done once, as if nothing had
happened."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from oegen.audit import integrity
from oegen.imports.tables import jobs
from oegen.imports.tables.models import ImportState, TableImport
from oegen.imports.tables.running import start_import
from oegen.jobs.models import Job, State
from oegen.models import ChangeSet
from oegen.people.roles import PORTFOLIO_MANAGERS
from pipelines.models import Facility, Pipeline, PipelineFacility, StageTransition
from tests.support.builders import make_user
from tests.support.databases import database_url

pytestmark = [pytest.mark.heavy, pytest.mark.usefixtures("transactional_db")]

ROOT = Path(__file__).parents[4]
TIMEOUT_SECONDS = 300

#: Rows for two slices, and how often a worker is killed during each job.
ROWS, KILLS = 1_200, 10


class Workers:
    """One worker at a time."""

    def __init__(self):
        self.process: subprocess.Popen | None = None

    def start(self) -> None:
        command = [sys.executable, "-m", "django", "work", "--every", "0.05", "--lease", "2"]
        self.process = subprocess.Popen(
            [*command, "--settings", "tests.settings"],
            cwd=ROOT,
            env={**os.environ, "DATABASE_URL": database_url()},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def kill(self) -> None:
        if self.process is not None:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()
            self.process = None


@pytest.fixture
def workers():
    found = Workers()
    yield found
    found.kill()


def wait_until(condition: Callable[[], bool]) -> None:
    began = time.monotonic()
    while not condition():
        assert time.monotonic() - began < TIMEOUT_SECONDS, "It did not come to that."
        time.sleep(0.01)


def upload(folder: Path, prefix: str, person) -> TableImport:
    path = folder / f"{prefix}.csv"
    rows = "".join(
        f"{prefix}{n},Design,Solar,{n % 90 + 1},{prefix} developer {n % 7}\n" for n in range(ROWS)
    )
    path.write_text(f"Project,Status,Technology,Capacity (MW),Lead developer\n{rows}")
    one = start_import(content=path, name=path.name, kind="pipelines", person=person)
    one.reason = "Monthly list"
    one.save()
    return one


def outcome(prefix: str) -> list[tuple]:
    """What the import wrote, without its prefix and keys."""
    rows = Pipeline.objects.filter(project_name__startswith=prefix).values_list(
        *("project_name", "version", "stage__code", "transitions__stage__code"),
        *("facilities__name", "facilities__capacity_mw", "facilities__version"),
        *("counterparty_links__counterparty__name", "counterparty_links__role__code"),
    )
    return sorted(
        tuple(str(value).removeprefix(prefix) for value in row) for row in rows.iterator()
    )


def run_while_killing(
    workers: Workers, code: str, one: TableImport, seconds: float, chance: random.Random
) -> tuple[Job, float]:
    """The job as it ended, after ``KILLS`` kills at moments of a run that takes so many seconds;
    and the seconds of its last run."""
    job = jobs.ask_for(code, one)
    found = Job.objects.filter(pk=job.pk)
    kills = 0
    while seconds and kills < KILLS:
        attempts = found.get().attempts
        workers.start()
        wait_until(lambda attempts=attempts: found.get().attempts > attempts)
        time.sleep(chance.uniform(0, seconds))
        workers.kill()
        kills += 1
        if found.get().state != State.RUNNING:
            break
        # Killed workers do not count against the job here, of which there are more than in a life.
        found.update(attempts=1)
    workers.start()
    wait_until(lambda: found.get().state not in (State.WAITING, State.RUNNING))
    workers.kill()
    job = found.get()
    return job, (job.ended_at - job.started_at).total_seconds()


def test_an_import_is_done_once_though_its_workers_are_killed(workers, tmp_path):
    person, chance = make_user(PORTFOLIO_MANAGERS), random.Random(17)
    undisturbed, disturbed = (upload(tmp_path, prefix, person) for prefix in ("A", "B"))
    took = {}
    for code in ("preview-import", "apply-import"):
        job, took[code] = run_while_killing(workers, code, undisturbed, 0, chance)
        assert job.state == State.DONE, job.error
    undisturbed.refresh_from_db()
    before = ChangeSet.objects.count()

    job, _ = run_while_killing(workers, "preview-import", disturbed, took["preview-import"], chance)
    assert job.state == State.DONE, job.error
    disturbed.refresh_from_db()
    assert disturbed.state == ImportState.PLANNED
    assert disturbed.result["counts"] == undisturbed.result["counts"]
    assert ChangeSet.objects.count() == before and not outcome("B")

    job, _ = run_while_killing(workers, "apply-import", disturbed, took["apply-import"], chance)
    assert job.state == State.DONE, job.error
    disturbed.refresh_from_db()
    assert disturbed.state == ImportState.APPLIED
    assert len(set(disturbed.change_sets)) == len(undisturbed.change_sets) == 2
    assert outcome("B") == outcome("A")
    for model in (Pipeline, Facility, PipelineFacility, StageTransition):
        assert model.objects.count() == model.history.count() == 2 * ROWS
    assert not list(integrity.Check().findings())
