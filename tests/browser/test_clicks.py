"""Ten frequent tasks, walked with the mouse and counted: typing, Tab and Enter cost no click."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import expect

from counterparties.models import Counterparty
from dashboard.models import FrozenReport
from pipelines.models import Facility, Milestone, Pipeline
from tests.support.builders import make_facility, make_pipeline

pytestmark = pytest.mark.heavy

COUNT = """document.addEventListener("click", (event) => {
  if (event.isTrusted && event.detail > 0)
    sessionStorage.setItem("clicks", 1 + Number(sessionStorage.getItem("clicks")));
}, true);"""


@pytest.fixture
def page(browser_page, sign_in, portfolio_manager):
    long_ago = timezone.now() - timedelta(days=70)
    overdue = timezone.localdate() - timedelta(days=20)
    for number in range(30):
        make_pipeline(
            f"Moor {number:02}",
            capacity_mw=10 + number,
            rag_status=("red", "amber", "green")[number % 3],
            rag_confirmed_at=long_ago,
            rtb_date=overdue if number % 2 else None,
        )
    for facility in Facility.objects.all():
        facility.country = "ES" if facility.name < "Moor 10" else "IT"
        facility.save()
    make_facility("Elsewhere", country="FR")
    sign_in(browser_page, portfolio_manager)
    browser_page.context.add_init_script(COUNT)
    return browser_page


def test_ten_tasks(page, live_server):
    counted = {}

    def start(address: str):
        page.goto(f"{live_server.url}{address}")
        page.wait_for_load_state("networkidle")
        page.evaluate("sessionStorage.setItem('clicks', 0)")

    def done(task: str, most: int):
        counted[task] = int(page.evaluate("sessionStorage.getItem('clicks')"))
        assert counted[task] <= most, counted

    dialog, notice = page.locator("dialog[open]"), page.locator(".edit-notice")
    row = page.locator("tbody tr").filter(has_text="Moor 00")

    start(reverse("pipelines"))
    row.locator("td.col-rag_status").click()
    dialog.get_by_label("Amber").click()
    dialog.get_by_label("Why, in a sentence").fill("Grid offer is late")
    page.keyboard.press("Enter")
    expect(notice).to_contain_text("is amber")
    done("re-rate with a comment", 3)

    start(reverse("pipelines"))
    row.locator("td.col-rtb_date").click()
    dialog.get_by_label("Ready to build on").fill("2030-01-01")
    dialog.get_by_label("Why").fill("Offer moved")
    page.keyboard.press("Enter")
    expect(notice).to_contain_text("is 1 Jan 2030")
    done("move an RTB date", 3)

    start("/")
    page.get_by_role("link", name="Not confirmed in 60 days").click()
    page.get_by_label("Select all of this page").click()
    page.get_by_role("button", name="Still right").click()
    dialog.get_by_role("button", name="Save").click()
    expect(notice).to_contain_text("29 pipelines confirmed")
    done("confirm stale ratings", 4)

    start(reverse("counterparties"))
    page.get_by_role("link", name="Add counterparty").click()
    page.locator("#id_name").fill("Larch Power")
    for number, name in enumerate(("Ann Birch", "Bo Elm")):
        page.locator(f"#id_contact_links-{number}-new_contact").click()
        page.keyboard.type(name)
        page.keyboard.press("Tab")
        page.keyboard.type(f"{number}@larch.example")
        page.locator(f"#contact_links-{number} .field-role .select2-selection").click()
        page.locator(".select2-search__field").last.fill("CEO" if number else "Deal")
        page.locator(".select2-results__option--highlighted").wait_for()
        page.keyboard.press("Enter")
    page.locator("#id_contact_links-1-new_email").press("Enter")
    page.wait_for_url("**/counterparties/**")
    assert Counterparty.objects.get().contact_links.count() == 2
    done("a company with two people", 7)

    start("/")
    page.keyboard.press("Control+k")
    page.keyboard.type("red amber overdue spain italy")
    page.get_by_role("option").filter(has_text="Pipelines:").first.wait_for()
    page.keyboard.press("Enter")
    page.wait_for_url("**/pipelines/?**")
    expect(page.locator(".totals")).to_contain_text("10 pipelines")
    done("red or amber, overdue, in Spain or Italy", 0)

    start("/")
    page.keyboard.press("Control+k")
    page.keyboard.type("moor 17")
    page.get_by_role("option").filter(has_text="Moor 17").first.wait_for()
    page.keyboard.press("Enter")
    page.wait_for_url(f"**{Pipeline.objects.get(project_name='Moor 17').get_absolute_url()}")
    done("open a project by its name", 0)

    page.evaluate("sessionStorage.setItem('clicks', 0)")
    page.get_by_role("button", name="Change the milestone Grid offer accepted").click()
    dialog.get_by_label("Happened on").fill("2026-03-01")
    dialog.get_by_label("What proves it").fill("Offer 12")
    page.keyboard.press("Enter")
    expect(notice).to_contain_text("is saved")
    assert Milestone.objects.get().is_proven
    done("record a milestone with its evidence", 3)

    page.evaluate("sessionStorage.setItem('clicks', 0)")
    page.get_by_role("button", name="Change the person responsible").click()
    dialog.get_by_label("Responsible").select_option(label="Priya Shah")
    page.keyboard.press("Enter")
    expect(notice).to_contain_text("Priya Shah is responsible")
    done("name who is responsible", 3)

    start("/")
    page.get_by_role("link", name="All changes").first.click()
    page.wait_for_url("**/changes/**")
    done("what changed in a month", 1)

    start("/")
    page.get_by_role("link", name="Report", exact=True).click()
    page.get_by_text("Freeze", exact=True).click()
    page.get_by_role("button", name="Freeze the report").click()
    expect(page.locator("main > .alert")).to_contain_text("stays as it is now")
    assert FrozenReport.objects.count() == 1
    done("freeze the committee report", 3)
    assert len(counted) == 10
