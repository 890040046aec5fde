"""The page of an import: its preview, decisions, applying and undoing; the file with its errors."""

from __future__ import annotations

from io import BytesIO
from zipfile import ZipFile

import pytest
from django.urls import reverse

from oegen.imports.tables import jobs
from oegen.imports.tables.models import ImportState
from oegen.imports.tables.reading import open_table
from oegen.imports.tables.running import preview_import, start_import
from oegen.models import Job
from pipelines.models import Pipeline
from tests.support.builders import make_pipeline
from tests.support.downloads import body
from tests.support.jobs import run_due_jobs

HEADER = "Project,Status,Technology,Capacity (MW)\n"
HOSTILE = '<script>alert(1)</script>"><img src=x onerror=alert(1)>'


@pytest.fixture
def upload(db, tmp_path, portfolio_manager):
    def upload(text: str, name: str = "projects.csv", kind: str = "pipelines"):
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        one = start_import(content=path, name=name, kind=kind, person=portfolio_manager)
        preview_import(one)
        return one

    return upload


def address(one, name: str = "import") -> str:
    return reverse(name, args=[one.pk])


def post(client, one, action: str, **values):
    return client.post(address(one), {"do": action, **values}, follow=True)


def test_each_section_pages_and_filters_in_the_address(as_editor, upload):
    make_pipeline("P1", next_step="Call")
    bad = "".join(f"Bad {n},Design,Solar,many\n" for n in range(60))
    one = upload(HEADER + "New,Design,Solar,5\n" + bad)
    page = as_editor.get(address(one)).text
    assert "Errors <span" in page and "many" in page
    assert "“many” is no number" in page
    assert page.count("Bad ") < 60, "50 a page"
    second = as_editor.get(address(one), {"show": "errors", "page": 2}).text
    assert "Bad 59" in second and "Page 2 of 2" in second
    found = as_editor.get(address(one), {"show": "errors", "q": "bad 41"}).text
    assert "Bad 41" in found and "Bad 42" not in found
    created = as_editor.get(address(one), {"show": "created", "column": "Status"}).text
    assert "New" in created and "Design" in created and "Bad" not in created
    nothing = as_editor.get(address(one), {"show": "created", "q": "elsewhere"}).text
    assert "Nothing matches." in nothing
    assert as_editor.get(address(one), {"show": "all"}).status_code == 400


def test_hostile_text_is_text(as_editor, upload):
    make_pipeline("P1", next_step="Call")
    one = upload(
        f"Project,Next step,Capacity (MW)\n{HOSTILE.replace(',', '')},a,1\n".replace('"', "")
    )
    for query in ({}, {"q": HOSTILE}, {"column": HOSTILE}):
        assert "<script>alert" not in as_editor.get(address(one), query).text


def test_a_preview_is_applied_and_undone(as_editor, upload, transactional_db):
    one = upload(HEADER + "A,Design,Solar,5\nB,Design,Solar,x\n")
    page = post(as_editor, one, "apply", plan=one.result["digest"], reason="List").text
    assert "1 row can&#x27;t be imported" in page, "all or nothing, unless they are left out"
    values = {"plan": one.result["digest"], "only_right_rows": "on"}
    assert "Say why" in post(as_editor, one, "apply", **values).text
    stale = post(as_editor, one, "apply", **{**values, "plan": "other"}, reason="List")
    assert "Nothing was imported" in stale.text
    for _ in range(2):
        page = post(as_editor, one, "apply", **values, reason="List").text
    assert "It begins as soon as a worker is free." in page
    assert Job.objects.filter(kind=jobs.APPLY).count() == 1, "however often it is clicked"
    run_due_jobs()
    answer = as_editor.get(address(one), {"part": "state"})
    assert answer["HX-Refresh"] == "true"
    page = as_editor.get(address(one)).text
    assert "is imported" in page and "Undo the import" in page and "Change set" in page
    assert list(Pipeline.objects.values_list("project_name", flat=True)) == ["A"]

    assert "Say why you undo it" in post(as_editor, one, "undo").text
    pipeline = Pipeline.objects.get()
    pipeline.next_step = "Call"
    pipeline.save()
    for _ in range(2):
        post(as_editor, one, "undo", reason="Wrong")
    run_due_jobs()
    page = as_editor.get(address(one)).text
    assert "is undone" in page or "It was not undone" in page


def test_what_others_change_makes_a_fresh_preview_that_says_so(as_editor, upload, transactional_db):
    pipeline = make_pipeline("P1", next_step="Call")
    one = upload("Project,Next step\nP1,Write\n")
    pipeline.next_step = "Meet"
    pipeline.save()
    post(as_editor, one, "apply", plan=one.result["digest"], reason="List")
    run_due_jobs()
    page = as_editor.get(address(one)).text
    assert "The import stopped." in page and "changed records of this import" in page
    assert "<bdi>Meet</bdi></del>" in page, "the preview is as of now"


def test_a_conflict_shows_three_values_and_who_and_is_decided(as_editor, upload, tmp_path):
    pipeline = make_pipeline("P1", rag_status="green")
    text = f"ID,Version,RAG\n{pipeline.pk},{pipeline.version},Amber\n"
    pipeline.rag_status = "red"
    pipeline.save()
    one = upload(text)
    page = as_editor.get(address(one)).text
    for value in ("Green", "Red", "Amber", "The system"):
        assert value in page
    post(as_editor, one, "answer-all", family="conflict", answer="take")
    run_due_jobs()
    page = as_editor.get(address(one)).text
    assert "1 changed" in page.replace("<b>", "").replace("</b>", "")
    post(as_editor, one, "ask-again")
    run_due_jobs()
    assert "When exported" in as_editor.get(address(one)).text


def test_questions_are_answered_one_by_one_or_all_of_a_kind(as_editor, upload):
    make_pipeline("Bïrch Moor")
    make_pipeline("Élm Moor")
    one = upload(HEADER + "Birch Moor,Design,Solar,5\nElm Moor,Design,Solar,6\n")
    page = as_editor.get(address(one)).text
    assert "Is it the same?" in page and "the same answer to all 2" in page
    name = "answer:match:2:"
    assert name in page
    refused = post(as_editor, one, "answer", **{name: "nobody"}).text
    assert "No answer was chosen." in refused
    saved = post(as_editor, one, "answer", **{name: "new"}).text
    assert "1 answer saved, 1 to go." in saved
    assert "Preview again first" in saved
    post(as_editor, one, "answer-all", family="match:", answer="suggested")
    run_due_jobs()
    one.refresh_from_db()
    assert one.result["counts"]["changed"] == 2 or one.result["questions"] == 0


def test_the_file_with_its_errors_is_read_again_as_it_was(as_editor, upload, tmp_path):
    one = upload(HEADER + "A,Design,Solar,5\nB,Design,Solar,x\n=1+1,Nowhere,Solar,7\n")
    for query, rows in ({}, 3), ({"rows": "wrong"}, 2):
        content = body(as_editor.get(address(one, "import-errors"), query))
        path = tmp_path / "errors.xlsx"
        path.write_bytes(content)
        table = open_table(path, path.name)
        assert [head.name for head in table.columns] == HEADER.strip().split(",")
        found = list(table.rows())
        assert len(found) == rows
        assert ("B", "Design", "Solar", "x") in [row.cells for row in found]
        with ZipFile(BytesIO(content)) as package:
            comments = package.read("xl/comments1.xml").decode()
        assert comments.count("<comment ") == 2, "one for each wrong cell"
        assert "is no number" in comments


def test_a_long_file_with_errors_is_made_by_a_job(as_editor, upload, monkeypatch):
    monkeypatch.setattr("oegen.pages.importing.error_file.LONG", 1)
    one = upload(HEADER + "B,Design,Solar,x\n")
    answer = as_editor.get(address(one, "import-errors"))
    run_due_jobs()
    job = Job.objects.get(kind="import-errors")
    assert answer.url == job.get_absolute_url() and job.error == ""
    assert body(as_editor.get(f"{answer.url}file/")).startswith(b"PK")


def test_an_import_is_its_person_s_alone(as_editor, as_manager, administrator, client, upload):
    one = upload(HEADER)
    client.force_login(administrator)
    for name in ("import", "import-errors"):
        assert client.get(address(one, name)).status_code == 404
        assert as_manager.get(address(one, name)).status_code == 403


def test_a_preview_that_failed_says_why_and_what_to_do(as_editor, upload):
    one = upload(HEADER)
    one.path.write_bytes(b"")
    post(as_editor, one, "preview")
    run_due_jobs()
    page = as_editor.get(address(one)).text
    assert "There is no preview." in page and "the file is empty" in page
    assert "Preview again" in page and reverse("imports") in page
    assert ImportState(one.state) == ImportState.PLANNED


def test_of_a_file_whose_columns_are_not_known_the_columns_come_first(as_editor, upload):
    one = upload("Project,Strange\nA,b\n")
    assert as_editor.get(address(one)).url == address(one, "import-columns")
