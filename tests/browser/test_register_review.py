"""The review queue in a real browser: its keys, and the page with pairs whose names are hostile."""

from datetime import date

import pytest
from playwright.sync_api import expect

from pipelines.registers.models import Match, Proposal, RegisterProject
from tests.browser.test_every_page import HOSTILE, look_at
from tests.support.builders import make_counterparty, make_pipeline
from tests.support.registers import ingest_repd

pytestmark = pytest.mark.heavy


@pytest.fixture
def pairs(db):
    """Three pairs of projects, and one of a company."""
    ingest_repd(
        date(2025, 1, 31),
        *({"Ref ID": key, "Site Name": f"{HOSTILE} {key}"} for key in ("1", "2", "3")),
    )
    for number, project in enumerate(RegisterProject.objects.order_by("key")):
        Proposal.objects.create(
            project=project,
            record=make_pipeline(f"{HOSTILE} {project.key}", capacity_mw=5),
            score=60 + number,
            band="sure",
            reasons=[{"kind": "name", "weight": -1.5, "text": "The names share no word."}],
        )
    company = project.company_links.get().company
    Proposal.objects.create(
        company=company, record=make_counterparty(HOSTILE), score=50, band="possible"
    )


def test_keys_decide_and_lead_through_the_queue(
    browser_page, sign_in, live_server, portfolio_manager, pairs
):
    page = browser_page
    sign_in(page, portfolio_manager)
    page.goto(f"{live_server.url}/registers/review/")
    place = page.get_by_label("Pairs").locator("span.nowrap")
    expect(place).to_have_text("1 of 3")
    for key, where in (("j", "2 of 3"), ("k", "1 of 3"), ("j", "2 of 3"), ("n", "2 of 2")):
        page.keyboard.press(key)
        expect(place).to_have_text(where)
    page.keyboard.press("y")
    expect(place).to_have_text("1 of 1")
    assert sorted(Match.objects.values_list("state", flat=True)) == ["accepted", "refused"]
    page.get_by_role("button", name="Undo").click()
    expect(place).to_have_text("2 of 2")
    assert Match.objects.get().state == "refused"


def test_queue_is_whole_with_hostile_names(
    browser_page, sign_in, live_server, portfolio_manager, pairs
):
    browser_page.emulate_media(color_scheme="light", reduced_motion="reduce")
    sign_in(browser_page, portfolio_manager)
    Match.objects.create(
        project=RegisterProject.objects.get(key="1"), record=make_pipeline(HOSTILE), state="refused"
    )
    addresses = [f"/registers/review/{query}" for query in ("", "?tab=companies", "?tab=decided")]
    assert look_at(browser_page, live_server.url, addresses) == []
