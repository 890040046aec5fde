"""What changed, in a real browser: narrowed in place, opened by kind and step, fit for paper."""

from datetime import datetime, timedelta

from django.utils import timezone
from playwright.sync_api import expect

from oegen import audit
from oegen.people import roles
from tests.support.browser_filters import choose
from tests.support.builders import make_pipeline, make_user


def days_ago(days: int) -> datetime:
    return timezone.now() - timedelta(days=days)


def test_changes_are_narrowed_in_place_opened_and_printed(browser_page, sign_in, live_server):
    with audit.change_set(recorded_at=days_ago(40)):
        moor = make_pipeline("Kestrel Moor", capacity_mw=40)
        down = make_pipeline("Rowan Down", capacity_mw=90, technology="wind")
    with audit.change_set(reason="Grid <b>queue</b>", recorded_at=days_ago(2)):
        for pipeline in (moor, down):
            pipeline.on_hold = True
            pipeline.save()
    page = browser_page
    sign_in(page, make_user(roles.MANAGERS, "morgan"))
    page.goto(f"{live_server.url}/changes/")
    lines = page.locator(".change-line")
    expect(lines).to_have_count(2)

    page.evaluate("window.untouched = true")
    choose(page, "technology", "Wind, kind not given")
    expect(lines).to_have_count(1)
    expect(page.locator("#said")).to_have_text("1 change")
    page.locator("#id_to").fill("2100-01-01")
    expect(page.locator("#id_to_error")).to_contain_text("Choose a day up to")
    expect(page.locator("#id_to")).to_have_attribute("aria-invalid", "true")
    expect(lines).to_have_count(1)
    assert page.evaluate("window.untouched"), "the page was not loaded again"

    page.goto(f"{live_server.url}/changes/")
    page.get_by_role("link", name="Put on hold −130.0").click()
    page.wait_for_url(lambda url: "step=on+hold" in url)
    expect(page.locator(".change-total")).to_contain_text("2 facilities of 2 pipelines · −130.0")
    expect(lines.first).to_contain_text("Grid <b>queue</b>")

    page.set_viewport_size({"width": 390, "height": 844})
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.emulate_media(media="print")
    expect(page.locator("form.filters")).to_be_hidden()
    expect(page.locator(".totals")).to_be_visible()
