"""Nothing typed is lost: Enter saves, leaving asks, and a draft comes back to the same person."""

import sqlite3
from contextlib import closing, contextmanager

import pytest
from django.db import connection
from playwright.sync_api import expect

from oegen.models import Comment
from oegen.people import roles
from pipelines.models import Pipeline
from tests.support.builders import make_pipeline, make_user


@pytest.fixture
def at_work(browser_page, sign_in, portfolio_manager, live_server):
    sign_in(browser_page, portfolio_manager)
    browser_page.open = lambda path: browser_page.goto(f"{live_server.url}{path}")
    browser_page.asked = []

    def leave(dialog):
        browser_page.asked.append(dialog.type)
        dialog.accept()

    browser_page.on("dialog", leave)
    return browser_page


def expect_drafts(page, count: int) -> None:
    """Wait until this tab has ``count`` drafts; a page removes old ones after it has loaded."""
    page.wait_for_function(
        "(count) => document.readyState === 'complete' && Object.keys(sessionStorage)"
        ".filter((key) => key.startsWith('oegen:draft:')).length === count",
        arg=count,
    )


OFFER = "that was not saved"


@pytest.fixture
def busy_database(monkeypatch):
    """busy_database(): while it is open, another process writes, and nobody waits long for it."""
    monkeypatch.setitem(connection.settings_dict["OPTIONS"], "timeout", 0.1)

    @contextmanager
    def busy_database():
        with closing(sqlite3.connect(connection.settings_dict["NAME"])) as other:
            other.execute("BEGIN IMMEDIATE")
            yield
            other.execute("ROLLBACK")

    return busy_database


def test_enter_in_the_reason_of_a_list_saves_the_marked_rows(at_work):
    page = at_work
    pipeline = make_pipeline("Kestrel", rag_status="green")
    make_pipeline("Left alone")
    page.open("/admin/pipelines/pipeline/")
    page.get_by_label("RAG of Kestrel", exact=True).select_option("amber")
    expect(page.locator("tr.is-changed")).to_have_count(1)
    expect(page.locator("tr.is-changed")).to_contain_text("Kestrel")
    expect(page.get_by_text("1 row changed, not saved yet.")).to_be_visible()

    page.locator("#changelist-form").get_by_role("button", name="Save").last.click()
    reason = page.get_by_label("Reason")
    expect(reason).to_be_focused()
    expect(reason).to_have_attribute("aria-invalid", "true")
    expect(page.locator("tr.is-changed")).to_have_count(1)

    reason.fill("Grid offer")
    reason.press("Enter")
    expect(page.locator(".messagelist")).to_contain_text("1 pipeline was changed")
    pipeline.refresh_from_db()
    assert pipeline.rag_status == "amber"
    assert page.asked == []
    expect_drafts(page, 0)


def test_a_form_left_asks_first_and_is_offered_again_as_it_was(at_work):
    page = at_work
    page.open("/admin/pipelines/pipeline/add/")
    page.get_by_label("Project name").fill("Kettleby Solar")
    page.locator(".field-stage .select2-selection").first.click()
    page.locator(".select2-results__option", has_text="Design").first.click()
    page.get_by_text("Add another Facility").click()
    page.locator("#id_facility_links-0-name").fill("Kettleby One")
    page.get_by_role("link", name="Facilities", exact=True).click()
    expect(page.get_by_role("heading", name="Facilities", exact=True)).to_be_visible()
    assert page.asked == ["beforeunload"]

    page.go_back()
    expect(page.get_by_text(OFFER)).to_be_visible()
    page.get_by_role("button", name="Bring it back").click()
    expect(page.get_by_label("Project name")).to_have_value("Kettleby Solar")
    expect(page.locator("#id_facility_links-0-name")).to_have_value("Kettleby One")
    expect(page.locator(".field-stage .select2-selection").first).to_contain_text("Design")
    page.get_by_role("button", name="Save", exact=True).click()

    problem = page.locator(".problems a")
    expect(problem).to_have_text("Facility 1, technology")
    box = page.locator("#facility_links-0 .field-technology .select2-selection")
    expect(box).to_be_focused()
    page.get_by_label("Project name").focus()
    problem.click()
    expect(box).to_be_focused()
    box.click()
    page.locator(".select2-search__field").last.fill("Solar")
    page.locator(".select2-results__option", has_text="Solar").first.click()
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("was added successfully")).to_be_visible()
    assert Pipeline.objects.get().facilities.get().name == "Kettleby One"
    expect_drafts(page, 0)


@pytest.mark.heavy
def test_a_comment_outlives_the_session_for_its_writer_alone(at_work, portfolio_manager, sign_in):
    page = at_work
    pipeline = make_pipeline("Kestrel")
    page.open(pipeline.get_absolute_url())
    page.get_by_label("Add a comment").fill("Spoke to the council at length")
    page.context.clear_cookies(name="sessionid")
    page.get_by_role("button", name="Comment", exact=True).click()
    expect(page.get_by_text("You were signed out, so nothing was saved.")).to_be_visible()

    sign_in(page, make_user(roles.PORTFOLIO_MANAGERS))
    page.open(pipeline.get_absolute_url())
    expect(page.get_by_label("Add a comment")).to_have_value("")
    expect(page.get_by_text(OFFER)).to_have_count(0)

    sign_in(page, portfolio_manager)
    page.open(pipeline.get_absolute_url())
    page.get_by_role("button", name="Bring it back").click()
    expect(page.get_by_label("Add a comment")).to_have_value("Spoke to the council at length")
    assert not Comment.objects.exists()
    page.get_by_role("button", name="Comment", exact=True).click()
    expect(page.locator(".comment-text")).to_have_text("Spoke to the council at length")
    expect(page.get_by_text(OFFER)).to_have_count(0)

    page.get_by_label("Add a comment").fill("And another")
    page.reload()
    expect_drafts(page, 1)
    page.locator("summary", has_text=", menu").click()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    expect_drafts(page, 0)


def test_a_move_on_the_board_is_offered_again_with_the_version_it_was_typed_on(at_work):
    page = at_work
    pipeline = make_pipeline("Kestrel")
    page.open("/pipelines/board/")
    page.get_by_role("button", name="Move Kestrel").click()
    page.get_by_label("Why").fill("Tender is out")
    page.keyboard.press("Escape")
    pipeline.rag_comment = "Others were here"
    pipeline.save()
    page.reload()
    page.get_by_role("button", name="Move Kestrel").click()
    page.get_by_role("button", name="Bring it back").click()
    expect(page.get_by_label("Why")).to_have_value("Tender is out")
    page.get_by_role("button", name="Move", exact=True).click()
    expect(
        page.get_by_text("This pipeline was changed while you had the board open")
    ).to_be_visible()
    page.console.expect("409")
    page.get_by_role("button", name="Move", exact=True).click()
    expect(page.get_by_text("Kestrel moved from Design to Procurement.")).to_be_visible()
    expect_drafts(page, 0)


@pytest.mark.heavy
@pytest.mark.parametrize("form", ["comment", "admin"])
def test_what_a_busy_database_refused_comes_back_and_is_saved(at_work, busy_database, form):
    page = at_work
    pipeline = make_pipeline("Kestrel")
    if form == "admin":
        page.open(f"/admin/pipelines/pipeline/{pipeline.pk}/change/")
        box, button = page.get_by_label("RAG comment"), "Save"
    else:
        page.open(pipeline.get_absolute_url())
        box, button = page.get_by_label("Add a comment"), "Comment"
    save = page.get_by_role("button", name=button, exact=True)
    box.fill("Spoke to the council at length")

    with busy_database():
        save.click()
        expect(page.get_by_role("heading", name="Nothing was saved")).to_be_visible()
        page.get_by_role("link", name="Open the page again").click()
        expect(box).to_have_value("")
        page.get_by_role("button", name="Bring it back").click()
        expect(box).to_have_value("Spoke to the council at length")
        save.click()
        expect(page.get_by_role("heading", name="Nothing was saved")).to_be_visible()
    page.go_back()
    # A browser may fill in by itself what was typed; then there is nothing to offer.
    if not box.input_value():
        page.get_by_role("button", name="Bring it back").click()
    expect(box).to_have_value("Spoke to the council at length")
    save.click()

    expect(page.get_by_role("heading", name="Kestrel")).to_be_visible()
    expect(page.get_by_text("Spoke to the council at length").first).to_be_visible()
    expect_drafts(page, 0)
    page.console.expect("503")
    assert page.asked == []
    pipeline.refresh_from_db()
    texts = [pipeline.rag_comment, *Comment.objects.values_list("text", flat=True)]
    assert texts.count("Spoke to the council at length") == 1
