"""The admin's own words: people remove records, and the page says where they are."""

import re
from html import unescape

import pytest
from django.urls import reverse

from counterparties.models import Counterparty
from tests.support.builders import make_counterparty, make_pipeline, make_user

pytestmark = pytest.mark.django_db


def shown(response) -> str:
    """What a person reads: no addresses, no names of fields, and what its buttons say."""
    html = response.content.decode()
    html = re.sub(r"<(script|style)\b.*?</\1>", " ", html, flags=re.S)
    buttons = re.findall(r'<input type="submit"[^>]*value="([^"]*)"', html)
    return " ".join(unescape(" ".join([re.sub(r"<[^>]*>", " ", html), *buttons])).split())


def crumbs(response) -> str:
    found = re.search(r'<div class="breadcrumbs">(.*?)</div>', response.content.decode(), re.S)
    return " ".join(unescape(re.sub(r"<[^>]*>", "", found[1])).split())


class TestRemoving:
    @pytest.fixture(autouse=True)
    def _administrator(self, client, administrator):
        client.force_login(administrator)

    def pages(self, client, record):
        for action in ("change", "delete"):
            yield client.get(f"/admin/counterparties/counterparty/{record.pk}/{action}/")
        yield client.get("/admin/counterparties/counterparty/")
        pipeline = make_pipeline(lead_developer=record)
        yield client.get(f"/admin/pipelines/pipeline/{pipeline.pk}/change/")
        yield client.get(f"/admin/counterparties/counterparty/{record.pk}/delete/")
        yield client.get(f"/admin/oegen/user/{make_user().pk}/delete/")
        yield client.post(
            "/admin/counterparties/counterparty/",
            {"action": "delete_selected", "_selected_action": [make_counterparty().pk]},
        )

    def test_no_page_says_delete(self, client):
        for response in self.pages(client, make_counterparty()):
            text = shown(response)
            assert "delet" not in text.lower(), response.request["PATH_INFO"]
            assert "remove" in text.lower(), response.request["PATH_INFO"]

    def test_message_after_a_removal_says_removed(self, client):
        record = make_counterparty("Larch Power")
        address = f"/admin/counterparties/counterparty/{record.pk}/delete/"
        guard = client.get(address).context["guard"]

        response = client.post(address, {"post": "yes", "guard": guard}, follow=True)

        assert "The counterparty “Larch Power” was removed." in shown(response)

    def test_message_after_removing_several_says_removed(self, client):
        chosen = [make_counterparty().pk, make_counterparty().pk]
        response = client.post(
            "/admin/counterparties/counterparty/",
            {"action": "delete_selected", "_selected_action": chosen, "post": "yes"},
            follow=True,
        )

        assert "Removed 2 counterparties." in shown(response)
        assert not Counterparty.objects.exists()


def test_mail_goes_by_one_name(client, administrator):
    client.force_login(administrator)
    for model in ("oegen/user", "counterparties/contact"):
        for page in ("", "add/"):
            text = shown(client.get(f"/admin/{model}/{page}"))
            if page or model == "oegen/user":
                assert "E-mail" in text
            assert "Email" not in text


def test_breadcrumbs_name_the_section_once(desk):
    record = make_pipeline("Kestrel Moor")
    pages = {
        "changelist": "Admin › Pipelines",
        "add": "Admin › Pipelines › Add",
        "change": "Admin › Pipelines › Kestrel Moor",
        "delete": "Admin › Pipelines › Kestrel Moor › Remove",
    }
    for action, words in pages.items():
        args = [record.pk] if action in ("change", "delete") else []
        response = desk.client.get(reverse(f"admin:pipelines_pipeline_{action}", args=args))
        assert crumbs(response) == words


def test_breadcrumbs_of_what_only_administrators_see_are_the_same(client, administrator):
    client.force_login(administrator)
    person = make_user(username="kit", first_name="Kit", last_name="Lane")
    pages = {
        reverse("admin:oegen_alert_changelist"): "Admin › Alerts",
        reverse("admin:auth_group_changelist"): "Admin › Groups",
        reverse("admin:oegen_user_add"): "Admin › Users › Add",
        reverse("admin:oegen_user_change", args=[person.pk]): "Admin › Users › Kit Lane",
    }
    for address, words in pages.items():
        assert crumbs(client.get(address)) == words


def test_every_field_of_a_table_has_a_name_for_screen_readers(desk):
    pipeline = make_pipeline("Kestrel Moor", lead_developer=make_counterparty())

    table = desk.client.get("/admin/pipelines/pipeline/").content.decode()
    form = desk.client.get(f"/admin/pipelines/pipeline/{pipeline.pk}/change/").content.decode()

    assert 'aria-label="RTB date of Kestrel Moor"' in table
    assert 'aria-label="Remove this row"' in form
    for html, prefix in ((table, "form-0"), (form, "counterparty_links-0")):
        fields = re.findall(rf'<(?:input|select|textarea)[^>]*name="{prefix}-[^>]*>', html)
        unnamed = [f for f in fields if 'type="hidden"' not in f and "aria-label=" not in f]
        assert fields
        assert unnamed == []


def test_the_front_page_names_people_and_permissions_and_no_actions_nobody_recorded(
    client, administrator
):
    client.force_login(administrator)

    page = client.get("/admin/").content.decode()

    assert "People and permissions" in page
    assert "Authentication and Authorization" not in page
    assert "Recent actions" not in page
