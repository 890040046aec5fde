"""Processes that are killed while they ingest an edition: all of it is there then, or nothing."""

from __future__ import annotations

import multiprocessing
import random
import signal
import time
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest
from django.apps import apps
from django.core.files.uploadedfile import SimpleUploadedFile

from oegen import audit
from oegen.audit.integrity import Check
from oegen.jobs.models import State
from oegen.models import Alert, ChangeSet, Job
from oegen.people.roles import PORTFOLIO_MANAGERS
from pipelines.registers.editions.ingesting import Origin, ingest_file
from pipelines.registers.editions.uploads import ask_for_ingest
from pipelines.registers.models import Edition, Register, RegisterProject
from tests.support.builders import make_user
from tests.support.databases import database_url
from tests.support.ingester import ingest
from tests.support.killing import Workers
from tests.support.registers import repd_rows, write_table

pytestmark = [pytest.mark.heavy, pytest.mark.usefixtures("transactional_db")]

#: Of each edition, and how often an ingest is killed.
ROWS, KILLS = 800, 8
TIMEOUT_SECONDS = 120

PROCESSES = multiprocessing.get_context("forkserver")
PROCESSES.set_forkserver_preload([ingest.__module__])

STATUSES = ("Application Submitted", "Awaiting Construction", "Operational", "Application Refused")


@pytest.fixture
def undisturbed() -> Register:
    """A register that is read like REPD."""
    repd = Register.objects.get(code="repd")
    return Register.objects.create(
        code="undisturbed",
        name="Undisturbed",
        adapter="repd",
        **{
            name: getattr(repd, name)
            for name in ("publisher", "country", "licence_name", "licence_url", "attribution")
        },
    )


@pytest.fixture
def kill_after(monkeypatch) -> Iterator:
    """Ingest in a process of its own that is killed after so many seconds."""
    monkeypatch.setenv("DATABASE_URL", database_url())
    processes = []

    def run(register: Register, path: Path, on: date, seconds: float) -> None:
        line, theirs = PROCESSES.Pipe()
        arguments = (register.code, str(path), on.isoformat(), theirs)
        process = PROCESSES.Process(target=ingest, args=arguments)
        processes.append(process)
        process.start()
        theirs.close()
        assert line.recv() == "ready"
        line.send("go")
        process.join(seconds)
        process.kill()
        process.join(TIMEOUT_SECONDS)
        assert process.exitcode in (0, -signal.SIGKILL)

    yield run
    for process in processes:
        process.kill()
        process.join()


def editions(folder: Path, number: int, chance: random.Random) -> Iterator[tuple[date, Path]]:
    """Projects are added, move, vanish and come back; two rows are rejected."""
    for place in range(number):
        rows = [
            {
                "Ref ID": str(key),
                "Site Name": f"Site {key}",
                "Operator (or Applicant)": f"Operator {chance.randrange(60)} Ltd",
                "Development Status (short)": chance.choice(STATUSES),
            }
            for key in range(place * 20, place * 20 + ROWS)
            if chance.random() < 0.98
        ]
        rows += [{"Ref ID": ""}, {"Ref ID": "", "Site Name": "Nowhere"}]
        path = write_table(folder / f"edition-{place}.csv", repd_rows(*rows))
        yield date(2024, 1, 31) + timedelta(30 * place), path


def ingest_here(register: Register, path: Path, on: date) -> None:
    source = audit.Source.COMMAND
    ingest_file(register, path, on=on, origin=Origin(path.name), source=source)


def counts() -> dict[str, int]:
    """The rows of everything that an ingest writes."""
    models = [*apps.get_app_config("registers").get_models(), ChangeSet, Alert, Job]
    return {model.__name__: model.objects.count() for model in models}


def said_by(register: Register) -> tuple[list, list]:
    """The editions, and what became of each project, without keys."""
    projects = RegisterProject.objects.filter(register=register).values_list(
        *("key", "name", "raw_status", "phase", "previous_phase", "first_seen_on", "last_seen_on"),
        *("is_vanished", "came_back_on", "went_back_on", "company_links__company__name"),
    )
    found = [
        (one.date, one.rows, one.rejected, one.summary, one.rejected_rows.count())
        for one in Edition.objects.filter(register=register).order_by("date")
    ]
    return found, sorted(map(str, projects))


def test_killed_ingest_leaves_all_or_nothing_and_can_be_done_again(
    tmp_path, undisturbed, kill_after
):
    chance = random.Random(23)
    repd = Register.objects.get(code="repd")
    whole = 0
    for place, (on, path) in enumerate(editions(tmp_path, KILLS, chance)):
        began = time.monotonic()
        ingest_here(undisturbed, path, on)
        seconds = time.monotonic() - began
        before = counts()
        # From the first moments to when most are done.
        kill_after(repd, path, on, (place + chance.random()) / KILLS * 2 * seconds)
        after = counts()
        ingest_here(repd, path, on)
        whole += after != before
        assert after in (before, counts())
    assert said_by(repd) == said_by(undisturbed)
    assert 0 < whole < KILLS
    assert not list(Check().findings())


def test_uploaded_edition_is_written_once_though_workers_are_killed(tmp_path, undisturbed):
    person, chance = make_user(PORTFOLIO_MANAGERS), random.Random(29)
    [(on, path)] = editions(tmp_path, 1, chance)
    repd = Register.objects.get(code="repd")
    seconds, kills = 0.0, 0
    with Workers() as workers:
        for register in (undisturbed, repd):
            file = SimpleUploadedFile(path.name, path.read_bytes())
            job = ask_for_ingest(register=register, file=file, on=on, person=person)
            job, seconds = workers.run_while_killing(job, seconds, kills, chance)
            kills = KILLS // 2
            assert job.state == State.DONE, job.error
            assert job.message.endswith(" 2 rows rejected.")
    assert said_by(repd) == said_by(undisturbed)
    assert Edition.history.count() == 2
    assert not list(Check().findings())
