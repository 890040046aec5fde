"""An import is looked through, decided, applied and undone, in a real browser; every part of its
preview in light and dark, on a phone and a desktop."""

import pytest
from playwright.sync_api import expect

from oegen.imports.tables.models import ImportState, TableImport
from oegen.imports.tables.preview_file import Section
from oegen.imports.tables.running import preview_import
from pipelines.models import Pipeline
from tests.browser.test_every_page import faults_of, look_at
from tests.support.builders import make_import, make_pipeline
from tests.support.jobs import run_due_jobs

pytestmark = pytest.mark.heavy

HOSTILE = "<img src=x onerror=alert(1)> مرحبا " + "x" * 80


@pytest.fixture
def page(browser_page, sign_in, portfolio_manager, settings, tmp_path):
    settings.IMPORT_FILES_DIR = tmp_path / "imports"
    sign_in(browser_page, portfolio_manager)
    return browser_page


@pytest.fixture
def one(page, portfolio_manager):
    """One of everything: a conflict, a question, an error, a new pipeline, a changed one, one that
    the source has no more."""
    oak, elm = make_pipeline("Oak", rag_status="green"), make_pipeline("Elm")
    make_pipeline("Bïrch")
    version = Pipeline.objects.get(pk=oak.pk).version
    oak.rag_status = "red"
    oak.save()
    header = "ID,Version,Project,RAG,RAG comment,Next step,Technology,Capacity (MW),Status\n"
    rows = [
        f"{oak.pk},{version},Oak,Amber,New,,,,",
        f"{elm.pk},,Elm,,,{HOSTILE},,,",
        ",,Birch,,,,Solar,5,Design",
        f",,{HOSTILE},,,,Solar,{HOSTILE},Design",
        f",,New {HOSTILE},,,,Solar,7,Design",
    ]
    return make_import(portfolio_manager, header + "\n".join(rows) + "\n")


def test_an_import_is_decided_applied_and_undone(page, live_server, one):
    address = f"{live_server.url}{one.get_absolute_url()}"
    faults = look_at(page, address, [f"?show={section}" for section in Section])
    assert faults == []

    page.goto(address)
    page.get_by_label("Another one: add a new pipeline").check()
    page.get_by_role("button", name="Save these answers").click()
    expect(page.get_by_text("1 answer saved, 1 to go.")).to_be_visible()
    page.get_by_role("link", name="Conflicts").click()
    page.get_by_label("Take Amber").check()
    page.get_by_role("button", name="Save these decisions").click()
    expect(page.get_by_text("It begins as soon as a worker is free.")).to_be_visible()
    assert faults_of(page) == []
    run_due_jobs()
    # The page looks every second, and is another one when the job has ended.
    expect(page.get_by_text("Nothing is imported yet")).to_be_visible(timeout=30_000)

    page.get_by_label("Why").fill("The list of November")
    page.get_by_role("button", name="Import ", exact=False).last.click()
    expect(page.get_by_text("can't be imported as they are", exact=False)).to_be_visible()
    assert faults_of(page) == []
    expect(page.get_by_label("Why")).to_have_value("The list of November")
    page.get_by_label("Leave the").check()
    page.locator("#apply").get_by_role("button").click()
    run_due_jobs()
    expect(page.get_by_role("heading", name="is imported")).to_be_visible(timeout=30_000)
    assert faults_of(page) == []
    assert Pipeline.objects.get(project_name="Oak").rag_status == "amber"

    page.locator("summary", has_text="Undo the import").click()
    page.locator("#undo_reason").fill("Wrong list")
    page.get_by_role("button", name="Undo the import").click()
    run_due_jobs()
    expect(page.get_by_role("heading", name="is undone")).to_be_visible(timeout=30_000)
    assert faults_of(page) == []
    assert Pipeline.objects.get(project_name="Oak").rag_status == "red"


def test_a_preview_that_failed_is_no_dead_end(page, live_server, one):
    one.path.write_bytes(b"")
    page.goto(f"{live_server.url}{one.get_absolute_url()}")
    TableImport.objects.filter(pk=one.pk).update(choices={"match:4:": "new"})
    page.reload()
    page.get_by_role("button", name="Preview again").click()
    run_due_jobs()
    expect(page.get_by_text("There is no preview.")).to_be_visible(timeout=30_000)
    assert faults_of(page) == []
    one.path.write_text("Project,Next step\nOak,Call\n", encoding="utf-8")
    page.get_by_role("button", name="Preview again").click()
    run_due_jobs()
    expect(page.get_by_text("Nothing is imported yet")).to_be_visible(timeout=30_000)
    one.refresh_from_db()
    assert one.state == ImportState.PLANNED
    assert preview_import(one).counts["changed"] == 1
