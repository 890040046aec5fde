"""The audit page and undoing a change set, in a real browser."""

import pytest
from playwright.sync_api import expect

from counterparties.models import Contact
from oegen import audit
from oegen.models import ChangeSet
from oegen.people import roles
from tests.support.builders import make_counterparty, make_user


@pytest.fixture
def signed_in(browser_page, sign_in):
    sign_in(browser_page, make_user(roles.PORTFOLIO_MANAGERS, "priya", first_name="Priya"))
    return browser_page


def test_the_audit_filters_while_one_types_and_keeps_its_state_in_the_address(
    signed_in, live_server
):
    make_counterparty("Larch Power")
    make_counterparty("Rowan Energy")
    page = signed_in
    page.goto(f"{live_server.url}/audit/")

    page.get_by_label("Record name").press_sequentially("larch", delay=20)

    page.wait_for_url(lambda url: url.endswith("/audit/?name=larch"))
    expect(page.locator(".audit-table tbody tr")).to_have_count(1)
    expect(page.locator("#said")).to_have_text("1 entry")
    page.reload()
    expect(page.get_by_label("Record name")).to_have_value("larch")
    expect(page.locator(".audit-table tbody tr")).to_have_count(1)


def test_an_import_is_undone_from_the_audit(signed_in, live_server):
    with audit.change_set(reason="March file", source=audit.Source.IMPORT) as imported:
        Contact.objects.bulk_create(Contact(name=f"Contact {n}") for n in range(3))
    page = signed_in
    page.goto(f"{live_server.url}/audit/?type=contact")

    page.locator(".audit-set a").first.click()
    page.get_by_role("link", name="Undo all of it").click()
    expect(page.get_by_role("heading", name="3 contacts would be removed")).to_be_visible()
    page.get_by_label("Why").fill("The wrong file")
    page.get_by_role("button", name=f"Undo change set {imported.number}").click()

    message = f"Change set {imported.number} is undone, all of it."
    expect(page.get_by_text(message)).to_be_visible()
    new = ChangeSet.objects.latest("number")
    expect(page.get_by_role("heading", name=f"Change set {new.number}")).to_be_visible()
    assert not Contact.objects.exists()
