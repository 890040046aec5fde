"""E-mail: what it says, who gets it, and how each person ends it."""

import re
import smtplib
import time
from unittest.mock import patch

import pytest
from django.core import mail, signing
from django.test import Client
from django.urls import reverse

from oegen.alerts import delivery, preferences
from oegen.models import Alert, AlertPreference, AlertRule
from tests.support.builders import make_user

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def email_is_set_up(settings):
    settings.SENDS_EMAIL = True
    settings.BASE_URL = "https://pipeline.example.com"


@pytest.fixture
def priya():
    return make_user(None, "priya", first_name="Priya", email="priya@oegen.example")


def wants(person, event) -> bool:
    return person.pk in preferences.audience_of([event]).mailed(event)


def test_mail_says_it_in_text_and_html_and_can_be_known_as_a_repeat(make_alert, deliver, priya):
    alert = make_alert(channel="email", recipient=priya)
    assert deliver() == delivery.Tally(sent=1)
    (sent,) = mail.outbox
    assert (sent.to, sent.subject) == (["priya@oegen.example"], "RAG worsened: Larch 1")
    html, kind = sent.alternatives[0]
    assert kind == "text/html"
    for part in (sent.body, html):
        for expected in ("Larch 1", "Green", "Amber", "45.2 MWp", "Priya Shah", "Offer delayed"):
            assert expected in part
        assert "https://pipeline.example.com/pipelines/0c8a3a4e" in part
        assert "https://pipeline.example.com/me/alerts/" in part
        assert "repeat" not in part
    first = sent.message()["Message-ID"]
    Alert.objects.filter(pk=alert.pk).update(sent_at=None, may_be_repeat=True)
    deliver()
    assert mail.outbox[1].message()["Message-ID"] == first
    assert "may be a repeat" in mail.outbox[1].body


def test_words_of_people_break_neither_the_head_nor_the_page(make_alert, deliver, priya):
    evil = "Larch\r\nBcc: everybody@example.com <script>alert(1)</script> & Sons"
    names = ("subject", "title", "old", "new", "note", "who", "why", "technology", "capacity")
    make_alert(channel="email", recipient=priya, **dict.fromkeys(names, evil))
    deliver()
    (sent,) = mail.outbox
    message = sent.message()
    assert message["Bcc"] is None
    assert "\n" not in sent.subject
    assert "<script" not in sent.alternatives[0][0]
    assert "<script>alert(1)</script> & Sons" in sent.body


def test_a_person_who_left_or_has_no_address_is_not_mailed(make_alert, deliver, priya):
    for number, values in enumerate(({"is_active": False}, {"email": ""})):
        alert = make_alert(f"{number}", channel="email", recipient=priya)
        type(priya).objects.filter(pk=priya.pk).update(
            **{"is_active": True, "email": "p@x.example"} | values
        )
        assert deliver() == delivery.Tally(parked=1)
        alert.refresh_from_db()
        assert "Priya " in alert.last_error
    assert mail.outbox == []


@pytest.mark.parametrize(
    ("error", "tally", "is_marked"),
    [
        (smtplib.SMTPServerDisconnected("gone"), delivery.Tally(failed=1), True),
        (TimeoutError(), delivery.Tally(failed=1), True),
        (ConnectionRefusedError("refused"), delivery.Tally(failed=1), False),
        (smtplib.SMTPAuthenticationError(535, b"no"), delivery.Tally(failed=1), False),
        (
            smtplib.SMTPRecipientsRefused({"p": (450, b"later")}),
            delivery.Tally(failed=1),
            False,
        ),
        (
            smtplib.SMTPRecipientsRefused({"p": (550, b"nobody")}),
            delivery.Tally(parked=1),
            False,
        ),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_a_mail_server_can_do_wrong(
    error, tally, is_marked, make_alert, deliver, priya, monkeypatch
):
    def fail(*args, **kwargs):
        raise error

    monkeypatch.setattr("django.core.mail.EmailMultiAlternatives.send", fail)
    alert = make_alert(channel="email", recipient=priya)
    assert deliver() == tally
    alert.refresh_from_db()
    assert alert.may_be_repeat is is_marked
    assert alert.last_error


def test_the_link_unsubscribes_without_login_and_only_by_post(make_alert, deliver, priya):
    AlertPreference.objects.create(user=priya, event="rag-worsened", is_wanted=True)
    AlertPreference.objects.create(user=priya, event="completed", is_wanted=True)
    make_alert(channel="email", recipient=priya)
    deliver()
    head = mail.outbox[0].message()
    address = re.fullmatch("<https://pipeline.example.com(.*)>", head["List-Unsubscribe"])[1]
    assert head["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert address in mail.outbox[0].body
    client = Client(enforce_csrf_checks=True)
    page = client.get(address).content.decode()
    assert page.count("<button") == 1
    assert "RAG worsened" in page
    assert "Priya" not in page, "whoever has the link need not know whose it is"
    assert wants(priya, "rag-worsened"), "looking changes nothing"
    done = client.post(address, {"List-Unsubscribe": "One-Click"})
    assert done.status_code == 200
    assert not wants(priya, "rag-worsened")
    assert wants(priya, "completed")


def test_a_link_that_is_not_ours_is_refused_in_words(client, priya):
    good = preferences.unsubscribe_token(priya, ["completed"])
    gone = preferences.unsubscribe_token(make_user(None, "gone"), ["completed"])
    type(priya).objects.filter(username="gone").delete()
    forged = signing.dumps([priya.pk, "completed"], salt="another")
    unknown = preferences.unsubscribe_token(priya, ["no-such"])
    half_a_year_ago = time.time() - 181 * 86_400
    with patch("django.core.signing.time.time", lambda: half_a_year_ago):
        old = preferences.unsubscribe_token(priya, ["completed"])
    for token in (good[:-1], forged, "x", gone, old, unknown):
        answer = client.post(reverse("unsubscribe", args=[token]))
        assert answer.status_code == 400
        assert "nothing was changed" in answer.content.decode()
    assert not AlertPreference.objects.exists()


def test_each_person_chooses_on_their_own_page(client, priya):
    client.force_login(priya)
    url = reverse("my-alerts")
    page = client.get(url).content.decode()
    boxes = dict(re.findall(r'name="event" value="([^"]+)"( checked)?', page))
    assert [code for code, checked in boxes.items() if checked] == ["mentioned"]
    assert "more than 30 days" in page
    assert "more than 10%" in page
    assert "5,000 points or more" in page
    assert "priya@oegen.example" in page
    client.post(url, {"event": ["rag-worsened", "no-such-event"]})
    page = client.get(url).content.decode()
    boxes = dict(re.findall(r'name="event" value="([^"]+)"( checked)?', page))
    assert [code for code, checked in boxes.items() if checked] == ["rag-worsened"]
    assert wants(priya, "rag-worsened")
    assert not wants(priya, "mentioned")
    AlertRule.objects.filter(event="rag-worsened", channel="email").update(is_active=False)
    page = client.get(url).content.decode()
    assert 'value="digest-week"' in page, "no rule stands behind a digest"
    assert "rag-worsened" not in client.get(url).content.decode()


def test_the_page_says_when_nothing_can_be_sent(client, priya, settings):
    settings.SENDS_EMAIL = False
    type(priya).objects.update(email="")
    client.force_login(priya)
    page = client.get(reverse("my-alerts")).content.decode()
    assert "not set up to send e-mail yet" in page
    assert "You have no e-mail address here, so nothing is mailed to you" in page
