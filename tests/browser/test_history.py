"""A record's history in a real browser: filter it, look at a state, restore it, bring one back."""

from datetime import date

import pytest
from playwright.sync_api import Page, expect

from oegen.models import Comment
from pipelines.models import Pipeline, Stage
from tests.support.browser_filters import choose
from tests.support.builders import make_counterparty, make_pipeline
from tests.support.readers import HOSTILE, history_page


@pytest.fixture
def pipeline(db):
    pipeline = make_pipeline(
        "Kestrel Moor", lead_developer=make_counterparty("Acme"), rtb_date=date(2027, 3, 14)
    )
    pipeline.rag_comment = HOSTILE
    pipeline.save()
    pipeline.stage = Stage.objects.get(code="procurement")
    pipeline.save()
    return pipeline


@pytest.fixture
def page(browser_page, sign_in, portfolio_manager) -> Page:
    sign_in(browser_page, portfolio_manager)
    return browser_page


def test_earlier_state_is_found_looked_at_and_restored(page, live_server, pipeline):
    page.goto(f"{live_server.url}{pipeline.get_absolute_url()}")
    page.get_by_role("link", name="Whole history").click()
    expect(page.get_by_role("heading", name="History of Kestrel Moor")).to_be_visible()
    expect(page.locator(".history-entry")).to_have_count(4)

    choose(page, "field", "RAG comment")
    expect(page.locator(".history-entry")).to_have_count(1)
    expect(page.locator("#said")).to_have_text("1 entry")
    assert page.url.endswith("?field=rag_comment")
    expect(page.get_by_role("cell", name=HOSTILE)).to_be_visible()
    page.get_by_role("link", name="this entry").click()

    expect(page.get_by_text("Entry 2 of 3, version 2. It is different now.")).to_be_visible()
    page.get_by_role("link", name="Earlier entry").click()
    expect(page.get_by_text("Entry 1 of 3, version 1.")).to_be_visible()
    page.get_by_role("link", name="Restore this state").click()

    expect(page.get_by_role("row", name="Stage Procurement Design")).to_be_visible()
    page.get_by_role("button", name="Restore it").click()
    expect(page.get_by_label("Why")).to_be_focused()  # the browser asks for the reason
    page.get_by_label("Why").fill("Moved by mistake")
    page.get_by_role("button", name="Restore it").click()

    page.wait_for_url(lambda url: url.endswith(pipeline.get_absolute_url()))
    expect(page.get_by_role("status").first).to_contain_text("Kestrel Moor")
    expect(page.get_by_role("status").first).to_contain_text("is again as it was on")
    pipeline.refresh_from_db()
    assert (pipeline.stage.code, pipeline.rag_comment) == ("design", "")


def test_removed_record_is_found_in_the_list_and_brought_back(page, live_server, pipeline):
    Comment.objects.create(subject=pipeline, text="Spoke to the council")
    key = pipeline.pk
    pipeline.delete()
    page.goto(f"{live_server.url}/audit/removed/")

    page.get_by_label("Name or reason").fill("kestrel")
    expect(page).to_have_url(f"{live_server.url}/audit/removed/?q=kestrel")
    page.get_by_role("link", name="Kestrel Moor", exact=True).click()
    expect(page.get_by_text("This pipeline was removed")).to_be_visible()
    page.get_by_role("link", name="Bring back").click()
    expect(page.get_by_text("comment “Spoke to the council” back")).to_be_visible()
    page.get_by_label("Why").fill("It was another one")
    page.get_by_role("button", name="Bring it back").click()

    page.wait_for_url(lambda url: url.endswith(f"/pipelines/{key}/"))
    expect(page.get_by_role("status").first).to_contain_text("is back")
    assert Pipeline.objects.get(pk=key).comments.get().text == "Spoke to the council"


@pytest.mark.heavy
@pytest.mark.parametrize("width", [390, 1440])
def test_history_of_long_words_is_no_wider_than_the_screen(page, live_server, width):
    long = f"{HOSTILE} {'x' * 200}"
    pipeline = make_pipeline("y" * 200, lead_developer=make_counterparty("z" * 200))
    pipeline.rag_comment = pipeline.probability_reason = long
    pipeline.save()
    row = pipeline.history.latest("history_id")
    first = pipeline.history.earliest("history_id")
    history = history_page(pipeline)
    gone = make_pipeline("w" * 200)
    gone.delete()
    page.set_viewport_size({"width": width, "height": 800})
    for path in (
        history,
        f"{history}{row.history_id}/",
        f"{history}{first.history_id}/restore/",
        "/audit/removed/",
    ):
        page.goto(f"{live_server.url}{path}")
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path


def test_history_can_be_read_without_javascript(browser, live_server, pipeline, manager, client):
    client.force_login(manager)
    context = browser.new_context(java_script_enabled=False)
    context.add_cookies(
        [
            {
                "name": "sessionid",
                "value": client.cookies["sessionid"].value,
                "url": live_server.url,
            }
        ]
    )
    page = context.new_page()
    page.goto(f"{live_server.url}{history_page(pipeline)}")

    control = page.locator("#id_field")
    control.locator("summary").click()
    control.get_by_label("Stage", exact=True).check()
    control.get_by_role("button", name="Filter").click()

    expect(page.locator(".history-entry")).to_have_count(1)
    context.close()
