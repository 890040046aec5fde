"""Jobs on pages: a long download, its progress and file; who sees, cancels and repeats which."""

from datetime import timedelta
from io import BytesIO
from zipfile import ZipFile

import pytest
from django.urls import reverse

from oegen import audit, jobs
from oegen.core import clock
from oegen.jobs import files
from oegen.jobs.models import Job, Schedule, State
from oegen.models import SecurityEvent
from oegen.pages import downloads
from tests.support.builders import make_pipeline, make_user
from tests.support.downloads import body, cells_of
from tests.support.jobs import run_due_jobs

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def three_are_many(monkeypatch, settings, tmp_path):
    monkeypatch.setattr(downloads, "LONG", 3)
    settings.JOB_FILES_DIR = tmp_path / "files"
    Job.objects.all().delete()


def the_download() -> Job:
    return Job.objects.get(kind="download")


def test_a_long_list_is_made_by_a_job_as_the_page_would_make_it(
    as_manager, manager, monkeypatch, django_capture_on_commit_callbacks
):
    for number in range(4):
        make_pipeline(f"Moor {number}", rag_status="red" if number else "green")
    address = reverse("pipelines")
    query = {"sort": "-project_name", "columns": "rag_status", "download": "csv"}
    with monkeypatch.context() as patch:
        patch.setattr(downloads, "LONG", 100)
        direct = body(as_manager.get(address, query))
    few = as_manager.get(address, {**query, "rag": "green"})
    assert few["Content-Type"].startswith("text/csv"), "few rows come at once"

    for _ in range(2):
        answer = as_manager.get(address, query)
    job = the_download()
    assert answer.url == job.get_absolute_url() == f"/jobs/{job.pk}/"
    assert str(job) == "Pipelines as CSV, 4 rows"
    waiting = as_manager.get(answer.url)
    assert "It begins as soon as a worker is free." in waiting.text
    assert as_manager.get(f"{answer.url}file/").status_code == 404

    with django_capture_on_commit_callbacks(execute=True):
        run_due_jobs()
    page = as_manager.get(answer.url, {"part": "state"}).text
    assert "<html" not in page
    assert "hx-trigger" not in page, "it has ended, so nobody asks again"
    assert f"Download pipelines-{clock.today()}.csv" in page
    file = as_manager.get(f"{answer.url}file/")
    assert body(file) == direct
    assert file["Content-Disposition"] == f'attachment; filename="pipelines-{clock.today()}.csv"'
    assert "no-store" in file["Cache-Control"]
    assert files.path_of(job).stat().st_mode & 0o077 == 0
    (event,) = SecurityEvent.objects.filter(kind=SecurityEvent.Kind.EXPORT)
    assert (event.username, event.origin.address) == (manager.username, "127.0.0.1")


def test_of_a_past_day_and_as_a_workbook(as_manager):
    day = clock.today() - timedelta(days=1)
    with audit.change_set(recorded_at=clock.start_of(day)):
        for number in range(4):
            make_pipeline(f"Moor {number}")
    make_pipeline("New")
    as_manager.get(reverse("pipelines"), {"download": "xlsx", "as_of": str(day)})
    assert str(the_download()) == "Pipelines as XLSX, 4 rows"
    run_due_jobs()
    file = as_manager.get(f"{the_download().get_absolute_url()}file/")
    texts = {text for _, text in cells_of(ZipFile(BytesIO(body(file))), "sheet2").values()}
    assert {"Moor 0", "Moor 3"} <= texts
    assert "New" not in texts


def test_the_trail_of_audit_too(as_manager, monkeypatch):
    monkeypatch.setattr("oegen.history.audit.MAX_DIRECT", 3)
    for number in range(3):
        make_pipeline(f"Moor {number}")
    answer = as_manager.get(reverse("audit"), {"download": "csv"})
    run_due_jobs()
    assert the_download().state == State.DONE
    assert b"Moor 2" in body(as_manager.get(f"{answer.url}file/"))


def test_whoever_left_gets_no_file(as_manager, manager):
    for number in range(4):
        make_pipeline(f"Moor {number}")
    as_manager.get(reverse("pipelines"), {"download": "csv"})
    manager.is_active = False
    manager.save()
    run_due_jobs()
    job = the_download()
    assert (job.state, job.error) == (
        State.FAILED,
        "Whoever asked for the file can't sign in any more.",
    )


def test_everybody_sees_their_own_and_administrators_all_but_nobody_s_file(
    client, manager, administrator
):
    own = jobs.enqueue("tidy", person=manager, title="Own <b>job</b>")
    of_system = jobs.enqueue("tidy")
    client.force_login(manager)
    listed = client.get("/jobs/").text
    assert "Own &lt;b&gt;job&lt;/b&gt;" in listed
    assert str(of_system.pk) not in listed
    assert client.get(own.get_absolute_url()).status_code == 200
    assert client.get(of_system.get_absolute_url()).status_code == 404
    Job.objects.update(state=State.DONE, ended_at=own.created_at, result={"file": "a.csv"})
    files.path_of(own).write_text("secret")
    client.force_login(administrator)
    assert "is for Morgan Reid only" in client.get(own.get_absolute_url()).text
    assert client.get(f"{own.get_absolute_url()}file/").status_code == 404
    client.force_login(make_user("Managers"))
    assert client.get(own.get_absolute_url()).status_code == 404


def test_it_is_cancelled_and_repeated_by_its_person_and_by_administrators(
    client, manager, administrator
):
    for person in (manager, administrator):
        job = jobs.enqueue("tidy", person=manager)
        client.force_login(person)
        client.post(job.get_absolute_url(), {"do": "cancel"})
        job.refresh_from_db()
        assert job.state == State.CANCELLED
        assert "Try again" in client.get(job.get_absolute_url()).text
        client.post(job.get_absolute_url(), {"do": "again"})
        job.refresh_from_db()
        assert job.state == State.WAITING
        assert client.post(job.get_absolute_url(), {"do": "?"}).status_code == 400
        job.delete()


def test_administrators_see_all_that_runs_and_what_failed(client, administrator):
    client.force_login(administrator)
    job = jobs.enqueue("tidy")
    page = client.get("/admin/oegen/job/").text
    assert "Workers: none; nothing is sent, checked or made" in page
    client.post("/admin/oegen/job/", {"action": "cancel", "_selected_action": [str(job.pk)]})
    job.refresh_from_db()
    assert job.state == State.CANCELLED
    page = client.get("/admin/oegen/schedule/").text
    assert "Every Monday at 07:00" in page
    night = Schedule.objects.get(code="check-history")
    client.post(
        "/admin/oegen/schedule/", {"action": "run_now", "_selected_action": [str(night.pk)]}
    )
    asked = Job.objects.get(kind="check-history")
    assert (asked.person, str(asked)) == (administrator, "Nightly check of the history")
