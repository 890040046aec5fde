"""The pages of webhooks, and everybody's in the admin."""

import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from oegen.api.webhooks import services
from oegen.models import Job, Webhook, WebhookDelivery
from tests.support.builders import make_pipeline, make_webhook
from tests.support.readers import parsed

pytestmark = pytest.mark.django_db

PAGE = "/webhooks/"

TYPED = {
    "name": "Grid model",
    "url": "https://receiver.example/hooks?key=1",
    "events": ["changed", "stage-moved"],
}


@pytest.fixture
def editor(client, portfolio_manager):
    client.force_login(portfolio_manager)
    return client


def shown_secret(html: str) -> str:
    return re.search(r'id="webhook-secret">(whsec_[^<]+)<', html)[1]


def test_a_secret_is_shown_once_and_never_stored_by_a_browser(editor):
    response = editor.post(PAGE, TYPED)
    secret = shown_secret(response.text)
    assert response["Cache-Control"] == "no-store, private"
    webhook = Webhook.objects.get()
    assert webhook.secrets(timezone.now()) == [secret]
    assert webhook.events == "changed stage-moved"
    for address in (PAGE, webhook.get_absolute_url()):
        assert secret not in editor.get(address).text
    assert "You have a webhook named “Grid model” already" in editor.post(PAGE, TYPED).text

    made_at = webhook.secret_made_at.isoformat()
    response = editor.post(webhook.get_absolute_url(), {"do": "rotate", "made_at": made_at})
    assert response["Cache-Control"] == "no-store, private"
    assert "too until" in response.text
    newer = shown_secret(response.text)
    webhook.refresh_from_db()
    assert webhook.secrets(timezone.now()) == [newer, secret]
    # Sent again, as by a reload of the answer, it makes no third one.
    again = editor.post(
        webhook.get_absolute_url(), {"do": "rotate", "made_at": made_at}, follow=True
    )
    assert "so it was not replaced again" in again.text
    editor.post(webhook.get_absolute_url(), {"do": "end-previous"})
    webhook.refresh_from_db()
    assert webhook.secrets(timezone.now()) == [newer]


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ({"name": ""}, "Give it a name that says what it is for."),
        ({"url": ""}, "Enter the address of the receiver."),
        ({"url": "http://receiver.example/"}, "The address does not begin with https://"),
        ({"url": "https://192.168.1.7/"}, "192.168.1.7 is no public address, so it is not asked."),
        ({"events": []}, "Choose at least one thing that it is told of."),
    ],
)
def test_what_is_wrong_is_said_at_its_field_and_the_rest_is_kept(
    editor, portfolio_manager, typed, sentence
):
    html = editor.post(PAGE, TYPED | typed).text
    assert sentence in html
    assert typed.get("name", "Grid model") in html
    assert not Webhook.objects.exists()
    webhook, _ = make_webhook(portfolio_manager)
    html = editor.post(webhook.get_absolute_url(), {"do": "change", **TYPED, **typed}).text
    assert sentence in html
    webhook.refresh_from_db()
    assert webhook.url == "https://receiver.example/"


def test_a_webhook_is_changed_switched_and_tested_on_its_page(editor, portfolio_manager):
    webhook, _ = make_webhook(portfolio_manager)
    address = webhook.get_absolute_url()
    assert "Changed." in editor.post(address, {"do": "change", **TYPED}, follow=True).text
    html = editor.post(address, {"do": "test"}, follow=True).text
    assert "not tried yet" in html and "hx-get" in html
    part = editor.get(address, {"part": "deliveries"}).text
    assert "not tried yet" in part and "<html" not in part
    delivery = WebhookDelivery.objects.get()
    delivery.sent_at, delivery.response_status, delivery.attempts = timezone.now(), 204, 3
    delivery.save()
    text = parsed(editor.get(address)).text
    assert "Arrived" in text and "answered 204" in text and "tried 3 times" in text
    editor.post(address, {"do": "again", "delivery": str(delivery.pk)})
    delivery.refresh_from_db()
    assert delivery.state == "waiting"
    assert Job.objects.waiting().filter(kind="send-webhook", key=f"webhook:{webhook.pk}").exists()
    html = editor.post(address, {"do": "off"}, follow=True).text
    assert "Priya Shah switched it off." in html and "Send a test" not in html
    assert "Switch it on first" in editor.post(address, {"do": "test"}, follow=True).text
    assert "1 switched off" in editor.get(PAGE).text
    assert "told from the next change" in editor.post(address, {"do": "on"}, follow=True).text
    for wrong in ({"do": "x"}, {"do": "again", "delivery": "x"}, {"do": "rotate"}):
        assert editor.post(address, wrong).status_code == 400


def test_people_see_their_own_and_administrators_all_but_no_address(
    client, portfolio_manager, administrator, manager
):
    webhook, _ = make_webhook(portfolio_manager, name="Weather", url=TYPED["url"])
    address = webhook.get_absolute_url()
    make_pipeline("Larch")
    client.force_login(administrator)
    assert "Weather" not in client.get(PAGE).text
    html = client.get(address).text
    assert "receiver.example" in html and "key=1" not in html
    assert "Replace the secret" not in html
    for action in ("rotate", "change", "end-previous"):
        assert client.post(address, {"do": action}).status_code == 403
    listed = reverse("admin:oegen_webhook_changelist")
    assert "Weather" in client.get(listed, {"state": "active"}).text
    page = client.get(reverse("admin:oegen_webhook_change", args=[webhook.pk])).text
    assert "receiver.example" in page and "key=1" not in page and webhook.secret not in page
    chosen = {"action": "switch_off", "_selected_action": [str(webhook.pk)]}
    assert "1 webhook switched off" in client.post(listed, chosen, follow=True).text
    assert "Weather" in client.get(listed, {"state": "off"}).text
    assert "Weather" not in client.get(listed, {"state": "failing"}).text

    own, _ = make_webhook(administrator)
    client.force_login(portfolio_manager)
    assert client.get(own.get_absolute_url()).status_code == 404
    client.force_login(manager)
    for one in (PAGE, address):
        assert client.get(one).status_code == 403


def test_menu_and_palette_lead_there_who_may(client, portfolio_manager, manager):
    for person, is_there in ((portfolio_manager, True), (manager, False)):
        client.force_login(person)
        assert ('href="/webhooks/"' in client.get("/me/alerts/").text) == is_there
        assert ("/webhooks/" in client.get("/search/suggest/", {"q": "webh"}).text) == is_there


def test_queries_do_not_grow_with_the_number_of_messages(editor, portfolio_manager):
    webhook, _ = make_webhook(portfolio_manager)

    def queries(address) -> int:
        editor.get(address)
        with CaptureQueriesContext(connection) as captured:
            assert editor.get(address).status_code == 200
        return len(captured)

    make_pipeline("Larch")
    before = queries(PAGE), queries(webhook.get_absolute_url())
    for number in range(4):
        make_pipeline(f"Rowan {number}")
        services.send_test(webhook=webhook)
    WebhookDelivery.objects.update(next_attempt_at=timezone.now() + timedelta(hours=1))
    assert (queries(PAGE), queries(webhook.get_absolute_url())) == before
    assert before <= (9, 11)
