"""The timeline in a real browser: rows are drawn when seen, and the keys walk through them."""

import re
from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from oegen import audit
from oegen.people import roles
from pipelines.models import Pipeline, Stage
from tests.support.builders import make_milestone, make_pipeline, make_user

HOSTILE = "<img src=x onerror=alert(1)> مشروع 🌞"


@pytest.fixture
def portfolio():
    today = timezone.localdate()
    design = Stage.objects.get(code="design")
    with audit.change_set(reason="Many"):
        Pipeline.objects.bulk_create(
            Pipeline(
                project_name=f"Site {number}",
                stage=design,
                rtb_date=today + timedelta(days=200 + number),
            )
            for number in range(1, 601)
        )
    red = make_pipeline(
        HOSTILE,
        rag_status="red",
        capacity_mw=40,
        rtb_date=today + timedelta(days=100),
        cod_date=today + timedelta(days=700),
    )
    red.transitions.update(effective_on=today - timedelta(days=400))
    late = today - timedelta(days=5)
    make_milestone(pipeline=red, kind="grid-offer", forecast_on=late)
    make_milestone(pipeline=red, kind="site-secured", actual_on=late, forecast_on=late)
    return red


@pytest.fixture
def show(browser_page, sign_in, live_server, portfolio):
    def show(query: str = "") -> Page:
        sign_in(browser_page, make_user(roles.MANAGERS, "morgan"))
        browser_page.goto(f"{live_server.url}/pipelines/timeline/{query}")
        browser_page.locator("[data-timeline][data-ready=true]").wait_for()
        return browser_page

    return show


def test_rows_are_drawn_when_seen_and_keys_walk_scroll_and_zoom(show, portfolio):
    page = show()
    box, rows = page.locator("[data-timeline]"), page.locator(".timeline-row")
    lists = page.get_by_role("list", name="Pipelines, each with its stages and dates")

    first = lists.get_by_role("link").first
    expect(first).to_have_attribute("href", portfolio.get_absolute_url())
    words = first.get_attribute("aria-label")
    assert words.startswith(f"{HOSTILE}, Red, 40 MWp, Solar: Design since ")
    assert "next: Grid offer accepted " in words and words.endswith(" (missed)")
    assert rows.first.locator(".timeline-bar").count() == 3
    assert rows.first.locator(".timeline-mark.is-done").count() == 1
    assert page.locator(".timeline-group").all_inner_texts() == [
        "Solar 1 pipeline, 40 MWp",
        "No facility 600 pipelines, 0 MW",
    ]
    assert rows.count() < 60

    first.focus()
    page.keyboard.press("ArrowDown")
    expect(page.locator(":focus")).to_have_attribute("aria-label", _starting("Site 1, "))
    page.keyboard.press("End")
    expect(page.locator(":focus")).to_have_attribute("aria-label", _starting("Site 600, "))
    expect(page.locator(":focus")).to_have_attribute("href", _starting("/pipelines/"))
    assert rows.count() < 60
    expect(page.locator(".timeline-tip")).to_contain_text("Design since")

    wide = box.evaluate("box => box.scrollWidth")
    page.keyboard.press("+")
    expect(page.get_by_role("button", name="Quarters")).to_have_attribute("aria-pressed", "true")
    assert "zoom=quarters" in page.url
    assert box.evaluate("box => box.scrollWidth") > wide
    before = box.evaluate("box => box.scrollLeft")
    page.keyboard.press("ArrowLeft")
    assert box.evaluate("box => box.scrollLeft") < before
    page.keyboard.press("Home")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**{portfolio.get_absolute_url()}")


@pytest.mark.heavy
def test_filters_and_groups_draw_it_anew_and_a_write_meanwhile_too(show):
    page = show("?zoom=quarters")
    page.get_by_label("Search", exact=True).fill("Site 59")
    expect(page.locator(".totals")).to_contain_text("16 pipelines")
    expect(page.locator(".timeline-row")).to_have_count(16)
    assert "zoom=quarters" in page.url

    page.get_by_label("Group by").select_option("Stage")
    expect(page.locator(".timeline-group")).to_contain_text("Design 16 pipelines, 0 MW")
    assert "q=Site+59" in page.url and "group=stage" in page.url

    page.get_by_label("Search", exact=True).fill("")
    expect(page.locator(".totals")).to_contain_text("601 pipelines")
    make_pipeline("Zenith")
    page.locator("[data-timeline]").evaluate("box => box.scrollTop = box.scrollHeight")
    expect(page.locator(".totals")).to_contain_text("602 pipelines")
    expect(page.locator(".timeline-row").last).to_contain_text("Zenith")


def _starting(text: str) -> re.Pattern:
    return re.compile(f"^{re.escape(text)}")
