"""An uploaded file, previewed, applied and undone by jobs; the command."""

from __future__ import annotations

import os
import time
from io import StringIO

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from oegen.imports.tables import applying, jobs, preview_file
from oegen.imports.tables.models import ImportMapping, ImportState
from oegen.imports.tables.running import (
    ChangedSinceError,
    apply_import,
    preview_import,
    start_import,
)
from oegen.imports.tables.undoing import undo_import
from oegen.models import ChangeSet, Job
from oegen.people.roles import ADMINISTRATORS, PORTFOLIO_MANAGERS
from pipelines.models import Facility, Pipeline, PipelineFacility
from tests.oegen.imports.tables.conftest import changed
from tests.support.builders import make_counterparty, make_pipeline, make_user
from tests.support.jobs import run_due_jobs
from tests.support.tracked import contents

HEADER = "Project,Status,Technology,Capacity (MW)\n"


def rows(number: int, start: int = 0) -> str:
    return "".join(f"P{n},Design,Solar,{n}\n" for n in range(start, start + number))


@pytest.fixture
def upload(db, tmp_path):
    person = make_user(PORTFOLIO_MANAGERS)

    def upload(text: str, **values):
        path = tmp_path / "projects.csv"
        path.write_text(text, encoding="utf-8")
        one = start_import(content=path, name=path.name, kind="pipelines", person=person)
        for name, value in {"reason": "Monthly list", **values}.items():
            setattr(one, name, value)
        one.save()
        return one

    return upload


def test_an_import_is_previewed_applied_and_undone_by_jobs(transactional_db, upload):
    one = upload(HEADER + rows(3))
    jobs.ask_for("preview-import", one)
    assert [job.error for job in run_due_jobs()] == [""]
    one.refresh_from_db()
    assert (one.state, one.result["counts"]["created"]) == (ImportState.PLANNED, 3)
    with preview_file.opened(one.plan_path) as file:
        shown = list(file.contents(preview_file.Section.CREATED))
    assert [row["name"] for row in shown] == ["P0", "P1", "P2"]
    assert {cell["label"] for cell in shown[1]["cells"]} >= {"Status", "Technologies"}
    assert not Pipeline.objects.exists()
    job = jobs.ask_for("apply-import", one)
    run_due_jobs()
    job.refresh_from_db()
    one.refresh_from_db()
    assert (job.state, one.state) == ("done", ImportState.APPLIED)
    [key] = one.change_sets
    assert ChangeSet.objects.get(pk=key).reason == "Monthly list"
    one.person = make_user(ADMINISTRATORS)
    jobs.ask_for("undo-import", one, reason="Wrong file")
    run_due_jobs()
    one.refresh_from_db()
    assert one.state == ImportState.UNDONE and not Pipeline.objects.exists()


def test_a_long_import_is_slices_that_undo_as_one(upload, monkeypatch):
    monkeypatch.setattr(applying, "SLICE_RECORDS", 6)
    one = upload(HEADER + rows(5))
    preview_import(one)
    written = apply_import(one)
    assert len(written) == 3 and len(one.change_sets) == 3
    assert "(part 3 of 3)" in written[-1].reason
    undone, skipped = undo_import(one, person=make_user(ADMINISTRATORS), reason="Wrong")
    assert (len(undone), skipped) == (3, [])
    assert not Pipeline.objects.exists() and not Facility.objects.exists()


def test_undoing_leaves_what_was_there_before(upload, monkeypatch):
    monkeypatch.setattr(applying, "SLICE_RECORDS", 4)
    make_pipeline("P1", lead_developer=make_counterparty("Alder"), next_step="Call")
    make_pipeline("P2")
    administrator = make_user(ADMINISTRATORS)
    before = contents()
    text = (
        "Ref,Project,Status,Technology,Capacity (MW),Next step,Lead developer,Counterparties\n"
        "r1,P1,Construction,Solar,12.5,Write,Birch,Alder (Owner)\nr2,P2,On hold,,,,Alder,\n"
        "r3,P3,Design,Wind,3,(clear),Birch,Alder (Owner)\n"
    )
    one = upload(
        text, mapping={"columns": [{"heading": "Ref", "field": "reference"}], "source": "R"}
    )
    plan = preview_import(one)
    assert (plan.questions, list(plan.problems())) == ((), [])
    assert changed(plan) == {"created": 1, "changed": 2}
    assert len(apply_import(one)) == 2
    after = contents()
    assert len(after["oegen.ExternalReference"]) == 3
    _, skipped = undo_import(one, person=administrator, reason="Wrong file")
    assert skipped == []
    moves = "pipelines.StageTransition"
    found = contents()
    assert found.pop(moves).keys() >= before.pop(moves).keys()
    assert found == before


def test_an_import_whose_worker_dies_between_slices_goes_on(upload, monkeypatch):
    monkeypatch.setattr(applying, "SLICE_RECORDS", 6)
    one = upload(HEADER + rows(5))
    preview_import(one)

    def die(done, total, note):
        if note.startswith("Part 2"):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        apply_import(one, die)
    one.refresh_from_db()
    assert (len(one.change_sets), Pipeline.objects.count()) == (1, 2)
    apply_import(one)
    assert (len(one.change_sets), one.state) == (3, ImportState.APPLIED)
    assert sorted(Pipeline.objects.values_list("project_name", flat=True)) == [
        f"P{n}" for n in range(5)
    ]
    assert PipelineFacility.objects.count() == 5


def test_what_others_change_after_the_preview_stops_the_import(upload):
    pipeline = make_pipeline("P1", next_step="Call")
    one = upload("Project,Next step\nP1,Write\n")
    preview_import(one)
    pipeline.next_step = "Meet"
    pipeline.save()
    with pytest.raises(ChangedSinceError):
        apply_import(one)
    preview_import(one)
    apply_import(one)
    pipeline.refresh_from_db()
    assert pipeline.next_step == "Write"


def test_all_or_nothing_or_the_rows_that_are_right(upload):
    one = upload(HEADER + rows(2) + "P9,Nowhere,Solar,1\n")
    plan = preview_import(one)
    assert changed(plan) == {"created": 2, "refused": 1}
    with pytest.raises(applying.RefusedError):
        apply_import(one)
    assert not Pipeline.objects.exists()
    one.only_right_rows = True
    apply_import(one)
    assert Pipeline.objects.count() == 2


def test_old_files_are_removed(transactional_db, upload):
    one = upload(HEADER + rows(1))
    old = time.time() - 8 * 24 * 3600
    os.utime(one.path, (old, old))
    jobs.remove_old_files()
    assert not one.path.exists()
    job = jobs.ask_for("preview-import", one)
    run_due_jobs()
    assert "Upload it again" in Job.objects.get(pk=job.pk).error


def run(*arguments) -> str:
    out = StringIO()
    call_command("import_table", *map(str, arguments), stdout=out)
    return out.getvalue()


def test_the_command_tries_applies_and_refuses(db, tmp_path):
    file = tmp_path / "projects.csv"
    file.write_text("Name of it,Status\nP1,Design\n")
    with pytest.raises(CommandError, match="What is the column “Name of it”"):
        run(file, "--as", "pipelines")
    ImportMapping.objects.create(
        name="Monthly",
        kind="pipelines",
        contents={"columns": [{"heading": "Name of it", "field": "project_name"}]},
    )
    given = [file, "--as", "pipelines", "--mapping", "monthly"]
    assert "1 created, 0 changed, 0 unchanged, 0 refused" in run(*given)
    assert not Pipeline.objects.exists()
    assert "Saved. Change sets: " in run(*given, "--apply", "--reason", "List of May")
    assert "0 created, 0 changed, 1 unchanged, 0 refused" in run(*given)
    file.write_text("Name of it,Status\nP2,Design\nP3,Nowhere\n")
    with pytest.raises(CommandError, match=r"1 row refused\. Nothing was imported"):
        run(*given, "--apply")
    with pytest.raises(CommandError, match="1 row refused"):
        run(*given, "--apply", "--skip-refused")
    assert set(Pipeline.objects.values_list("project_name", flat=True)) == {"P1", "P2"}


def test_rows_that_the_database_refused_are_left_out_of_the_others(upload, monkeypatch):
    monkeypatch.setattr(
        applying._Trial, "refusals", lambda self, planned: [(3, "The database says no.")]
    )
    one = upload(HEADER + rows(3), only_right_rows=True)
    assert preview_import(one).counts["refused"] == 1
    apply_import(one)
    assert set(Pipeline.objects.values_list("project_name", flat=True)) == {"P0", "P2"}
