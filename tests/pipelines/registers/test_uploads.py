"""Editions from uploaded files: a form, a job, and what is said of both."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from django.utils.timezone import localdate

from oegen.imports.tables.uploads import upload_path
from oegen.models import ChangeSet, Job
from pipelines.registers.models import Edition
from tests.support.jobs import run_due_jobs
from tests.support.registers import repd_rows, write_table

pytestmark = pytest.mark.django_db


@pytest.fixture
def content(tmp_path: Path) -> bytes:
    return write_table(tmp_path / "repd.csv", repd_rows({}, {"Ref ID": ""})).read_bytes()


@pytest.fixture
def upload(as_editor, content):
    def post(name: str = "repd-2025-01-31.csv", data: bytes | None = None, **fields: str):
        file = SimpleUploadedFile(name, content if data is None else data)
        fields = {"do": "upload", "register": "repd", **fields}
        return as_editor.post(reverse("registers"), {**fields, "file": file})

    return post


def errors_of(response) -> str:
    return response.context["form"].errors.as_text()


def kept(job: Job) -> Path:
    return upload_path(job.task.task_result.kwargs["upload"])


def test_uploaded_file_becomes_an_edition_by_a_job(as_editor, upload, portfolio_manager):
    response = upload()
    job = Job.objects.get(kind="ingest-edition")
    assert response["Location"] == job.get_absolute_url()
    assert kept(job).stat().st_mode & 0o077 == kept(job).parent.stat().st_mode & 0o077 == 0
    run_due_jobs()
    edition = Edition.objects.get()
    assert (edition.date, edition.rows, edition.rejected) == (date(2025, 1, 31), 1, 1)
    assert edition.file_name == "repd-2025-01-31.csv"
    change_set = ChangeSet.objects.get(pk=edition.history.get().change_set_id)
    assert (change_set.person, change_set.source) == (portfolio_manager, "import")
    assert not kept(job).exists()
    html = as_editor.get(reverse("registers")).text
    assert "edition of 31 Jan 2025: 1 project. 1 row rejected." in html


def test_day_is_taken_from_the_form_before_the_name(upload):
    upload(edition="2024-07-31")
    run_due_jobs()
    assert Edition.objects.get().date == date(2024, 7, 31)


@pytest.mark.parametrize(
    ("name", "data", "fields", "sentence"),
    [
        ("units.csv", None, {}, "does not say of which day the edition is"),
        ("repd-2025-01.csv", b"", {}, "The file is empty"),
        ("repd-2025-01.pdf", b"%PDF-1.7", {}, "is a PDF document, no table"),
        ("repd-2025-01.xlsx", b"Ref ID,Name", {}, "the file is none"),
        ("repd-2025-01.csv", None, {"register": "elsewhere"}, "There is no such register"),
        ("repd-2025-01.csv", None, {"register": ""}, "Choose the register"),
        ("repd.csv", None, {"edition": "03/04/27"}, "a year of four digits"),
        ("repd.csv", None, {"edition": str(localdate() + timedelta(2))}, "still to come"),
    ],
)
def test_what_can_not_be_read_is_refused_at_once_in_words(
    upload, settings, name, data, fields, sentence
):
    before = set(settings.IMPORT_FILES_DIR.glob("*"))
    response = upload(name, data, **fields)
    assert sentence in errors_of(response)
    assert not Job.objects.filter(kind="ingest-edition").exists()
    assert set(settings.IMPORT_FILES_DIR.glob("*")) == before


def test_file_of_another_register_fails_in_words_and_can_be_tried_again(as_editor, upload):
    upload(register="tec")
    run_due_jobs()
    job = Job.objects.get(kind="ingest-edition")
    assert job.state == "failed"
    assert "repd-2025-01-31.csv: the table has no column" in job.error
    assert job.error.endswith("Nothing was written.")
    assert job.error in as_editor.get(reverse("registers")).text.replace("&quot;", '"')
    assert kept(job).exists()
    kept(job).unlink()
    as_editor.post(job.get_absolute_url(), {"do": "again"})
    run_due_jobs()
    job.refresh_from_db()
    assert "it is kept for 7 days" in job.error


def test_large_file_is_refused_before_it_is_read(upload, monkeypatch):
    monkeypatch.setattr("oegen.pages.importing.forms.MAX_UNPACKED", 10)
    assert "Divide it into several" in errors_of(upload())


def test_readers_see_no_form(as_manager):
    html = as_manager.get(reverse("registers")).text
    assert 'type="file"' not in html
