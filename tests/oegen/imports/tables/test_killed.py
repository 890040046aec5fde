"""Workers that are killed while they preview or write an import: it is done once, as if nothing had
happened."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from oegen.audit import integrity
from oegen.imports.tables import jobs
from oegen.imports.tables.models import ImportState, TableImport
from oegen.imports.tables.running import start_import
from oegen.jobs.models import State
from oegen.models import ChangeSet
from oegen.people.roles import PORTFOLIO_MANAGERS
from pipelines.models import Facility, Pipeline, PipelineFacility, StageTransition
from tests.support.builders import make_user
from tests.support.killing import Workers

pytestmark = [pytest.mark.heavy, pytest.mark.usefixtures("transactional_db")]

#: Rows for two slices, and how often a worker is killed during each job.
ROWS, KILLS = 1_200, 10


@pytest.fixture
def workers():
    with Workers() as found:
        yield found


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


def test_an_import_is_done_once_though_its_workers_are_killed(workers, tmp_path):
    person, chance = make_user(PORTFOLIO_MANAGERS), random.Random(17)
    undisturbed, disturbed = (upload(tmp_path, prefix, person) for prefix in ("A", "B"))
    took = {}
    for code in ("preview-import", "apply-import"):
        asked = jobs.ask_for(code, undisturbed)
        job, took[code] = workers.run_while_killing(asked, 0, 0, chance)
        assert job.state == State.DONE, job.error
    undisturbed.refresh_from_db()
    before = ChangeSet.objects.count()

    asked = jobs.ask_for("preview-import", disturbed)
    job, _ = workers.run_while_killing(asked, took["preview-import"], KILLS, chance)
    assert job.state == State.DONE, job.error
    disturbed.refresh_from_db()
    assert disturbed.state == ImportState.PLANNED
    assert disturbed.result["counts"] == undisturbed.result["counts"]
    assert ChangeSet.objects.count() == before and not outcome("B")

    asked = jobs.ask_for("apply-import", disturbed)
    job, _ = workers.run_while_killing(asked, took["apply-import"], KILLS, chance)
    assert job.state == State.DONE, job.error
    disturbed.refresh_from_db()
    assert disturbed.state == ImportState.APPLIED
    assert len(set(disturbed.change_sets)) == len(undisturbed.change_sets) == 2
    assert outcome("B") == outcome("A")
    for model in (Pipeline, Facility, PipelineFacility, StageTransition):
        assert model.objects.count() == model.history.count() == 2 * ROWS
    assert not list(integrity.Check().findings())
