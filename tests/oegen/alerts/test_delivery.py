"""Each alert is sent once, by whichever worker; a failure is tried again and parked in the end."""

import logging
from datetime import timedelta

import pytest
from django.utils import timezone

from oegen.alerts import delivery
from oegen.alerts import slack as slack_messages
from oegen.core import backoff
from oegen.jobs.models import Job, State
from oegen.models import Alert
from tests.support.fake_slack import garbage, hang, hang_up, respond
from tests.support.jobs import run_job

pytestmark = pytest.mark.django_db


def test_a_message_says_what_changed_who_and_why_and_leads_to_the_record(
    slack, make_alert, deliver
):
    make_alert()
    assert deliver() == delivery.Tally(sent=1)
    assert deliver() == delivery.Tally()
    (message,) = slack.messages
    assert message["text"] == (
        "RAG worsened: Larch 1, Green → Amber. Priya Shah, 10 Jun 2026, 09:30: “Offer delayed”"
    )
    kinds = [block["type"] for block in message["blocks"]]
    assert kinds == ["section", "section", "section", "context", "actions"]
    words = str(message["blocks"])
    for expected in ("*RAG worsened: Larch 1*", "Green → *Amber*", "Solar", "45.2 MWp"):
        assert expected in words
    (button,) = message["blocks"][-1]["elements"]
    assert button["text"]["text"] == "View pipeline"
    assert button["url"].startswith("http://127.0.0.1/pipelines/")


def test_words_of_people_can_do_nothing_in_slack(slack, make_alert, deliver):
    evil = "<!channel> & <https://evil.example|Log in> " + "&" * 3000
    names = ("subject", "title", "old", "new", "note", "who", "why", "technology", "capacity")
    make_alert(**dict.fromkeys(names, evil))
    deliver()
    (message,) = slack.messages
    for text in [message["text"], *texts_in(message["blocks"])]:
        assert "<" not in text
        assert "&lt;!channel&gt; &amp; " in text or "evil" not in text
        assert len(text) <= 3000


def texts_in(blocks):
    for block in blocks:
        for part in [block, *block.get("fields", []), *block.get("elements", [])]:
            text = part.get("text")
            if text:
                yield text if isinstance(text, str) else text["text"]


def test_a_summary_counts_and_names_and_leads_to_the_change_set(slack, make_alert, deliver):
    record = {"name": "A|B <c>", "url": "/pipelines/1/"}
    groups = [{"event": "Pipeline created", "number": 1200, "records": [record]}]
    make_alert(kind="summary", title="Many changes at once", groups=groups, source="import")
    deliver()
    words = str(slack.messages[0]["blocks"])
    assert "Pipeline created: 1,200" in words
    assert "<http://127.0.0.1/pipelines/1/|A¦B &lt;c&gt;> and 1,199 more" in words


FAILURES = {
    "a server error": (respond(500, "server_error"), "Slack answered 500", False),
    "a page that is not Slack's": (respond(200, "<h1>Hotel Wi-Fi</h1>"), "not Slack", True),
    "a time-out": (hang, "no answer", True),
    "a reset connection": (hang_up, "no answer", True),
    "no HTTP": (garbage, "no answer", True),
    "an alphabet nobody knows": (
        respond(500, "x", Content_Type="text/plain; charset=klingon"),
        "no answer",
        True,
    ),
}


@pytest.mark.parametrize("failure", FAILURES)
def test_after_a_failure_it_is_sent_again_and_marked_if_it_may_have_arrived(
    failure, slack, make_alert, deliver, clock, monkeypatch, caplog
):
    monkeypatch.setattr("oegen.alerts.slack.TIMEOUT_SECONDS", 0.2)
    answer, error, may_have_arrived = FAILURES[failure]
    slack.answers.append(answer)
    alert = make_alert()

    with caplog.at_level(logging.DEBUG):
        assert deliver() == delivery.Tally(failed=1)

    alert.refresh_from_db()
    assert error in alert.last_error
    assert alert.may_be_repeat is may_have_arrived
    assert clock() < alert.next_attempt_at <= clock() + backoff.MIN_WAIT
    assert "secret" not in alert.last_error + caplog.text
    assert deliver() == delivery.Tally(), "it is not due yet"
    clock.pass_by(seconds=31)
    assert deliver() == delivery.Tally(sent=1)
    assert [("may be a repeat" in text) for text in slack.texts] == [False, may_have_arrived]
    alert.refresh_from_db()
    assert (alert.sent_at, alert.last_error, alert.attempts) == (clock(), "", 2)


def test_a_refused_connection_is_no_arrival(settings, make_alert, deliver, clock):
    settings.SLACK_WEBHOOK_URL = "http://127.0.0.1:9/secret"
    alert = make_alert()
    assert deliver() == delivery.Tally(failed=1)
    alert.refresh_from_db()
    assert "could not be reached" in alert.last_error
    assert not alert.may_be_repeat


def test_retry_after_is_honoured_for_all_that_waits_for_slack(slack, make_alert, deliver, clock):
    slack.answers.append(respond(429, "rate_limited", Retry_After="120"))
    for key in "123":
        make_alert(key)
    assert deliver() == delivery.Tally(failed=1)
    assert len(slack.messages) == 1
    clock.pass_by(seconds=119)
    assert deliver() == delivery.Tally()
    clock.pass_by(seconds=1)
    assert deliver() == delivery.Tally(sent=3)
    assert len(slack.messages) == 4


def test_a_pause_of_nothing_is_still_a_wait(slack, make_alert, deliver, clock):
    slack.answers.append(respond(429, "rate_limited", Retry_After="0"))
    make_alert()
    assert deliver() == delivery.Tally(failed=1)
    assert len(slack.messages) == 1


def test_waits_grow_with_a_spread_up_to_the_last_try_after_a_day(slack, make_alert, deliver, clock):
    slack.answers = [respond(500, "no")] * 100
    alert = make_alert()
    waits = []
    while alert.parked_at is None:
        deliver()
        alert.refresh_from_db()
        waits.append(alert.next_attempt_at - clock.now)
        began = clock.now
        clock.now = max(alert.next_attempt_at, clock.now)
    waits = waits[:-1]
    assert all(
        wait <= backoff.MIN_WAIT * 2**number and wait <= backoff.MAX_WAIT
        for number, wait in enumerate(waits)
    )
    assert all(
        wait >= min(backoff.MIN_WAIT * 2**number, backoff.MAX_WAIT) / 2
        for number, wait in enumerate(waits[:-1])
    )
    assert len({wait / timedelta(seconds=1) for wait in waits}) > 10
    assert began == alert.first_tried_at + delivery.RETRY_FOR == alert.parked_at
    assert alert.last_error == "Slack answered 500: “no”."


def test_a_message_that_slack_refuses_is_parked_at_once(slack, make_alert, deliver):
    slack.answers.append(respond(400, "invalid_blocks"))
    make_alert()
    assert deliver() == delivery.Tally(parked=1)
    assert delivery.status_lines()[0] == "Slack: nothing waiting, 1 parked"


def test_a_parked_alert_is_sent_again_from_the_admin(
    slack, make_alert, deliver, client, administrator, clock
):
    slack.answers.append(respond(400, "invalid_blocks"))
    alert, other = make_alert("1"), make_alert("2")
    deliver()
    client.force_login(administrator)
    url = "/admin/oegen/alert/"
    page = client.get(url, {"state": "parked"}).content.decode()
    assert "invalid_blocks" in page
    assert "Larch 1" in page
    assert "Larch 2" not in page
    page = client.post(
        url, {"action": "send_again", "_selected_action": [alert.pk, other.pk]}, follow=True
    )
    assert "1 alert will be sent again" in page.content.decode()
    clock.now = Alert.objects.get(pk=alert.pk).next_attempt_at
    assert deliver() == delivery.Tally(sent=1)
    assert len(slack.messages) == 3


def test_an_alert_that_waits_can_be_held_back(make_alert, client, administrator):
    alert = make_alert()
    client.force_login(administrator)
    client.post("/admin/oegen/alert/", {"action": "hold_back", "_selected_action": [alert.pk]})
    alert.refresh_from_db()
    assert (alert.state, alert.last_error) == ("parked", "Held back by Ada Okafor.")
    assert "parked" not in " ".join(delivery.status_lines()), "somebody wanted it so"


def test_a_worker_who_died_leaves_a_lease_and_the_repeat_is_marked(
    slack, make_alert, deliver, clock
):
    alert = make_alert()
    Alert.objects.update(claimed_until=clock() + delivery.LEASE, attempts=1)
    assert deliver() == delivery.Tally(), "somebody has it in hand"
    clock.pass_by(minutes=6)
    assert deliver() == delivery.Tally(sent=1)
    alert.refresh_from_db()
    assert alert.may_be_repeat
    assert slack.texts[0].endswith(
        "(This may be a repeat: an earlier try ended without an answer.)"
    )


def test_the_row_in_hand_is_settled_before_the_end(slack, make_alert, deliver):
    for key in "123":
        make_alert(key)
    assert deliver(is_stopped=lambda: len(slack.messages) == 2) == delivery.Tally(sent=2)
    assert Alert.objects.waiting().count() == 1


def test_without_a_channel_alerts_are_kept_and_the_health_page_says_so(
    settings, make_alert, client
):
    settings.SLACK_WEBHOOK_URL, settings.SENDS_EMAIL = "", False
    make_alert()
    assert run_job("send-alerts").message == "No alert was due."
    output = "Slack: not set up (SLACK_WEBHOOK_URL is not set), 1 alert kept\n"
    answer = client.get("/healthz")
    assert answer.status_code == 200
    assert output in answer.content.decode()
    assert Alert.objects.waiting().count() == 1
    settings.SLACK_WEBHOOK_URL = "https://hooks.slack.example/x"
    assert "Slack: 1 alert waiting, the oldest for " in client.get("/healthz").content.decode()


def test_the_job_sends_and_comes_again_when_the_next_alert_is_due(slack, make_alert):
    slack.answers.append(respond(500, "no"))
    first, _ = make_alert("1"), make_alert("2")
    job = run_job("send-alerts")
    assert (job.state, job.message) == (State.DONE, "Alerts: 1 sent, 1 to be tried again.")
    first.refresh_from_db()
    again = Job.objects.get(kind="send-alerts", state=State.WAITING)
    assert again.run_after == first.next_attempt_at > timezone.now()
    assert run_job("send-alerts").message == "No alert was due."
    assert Job.objects.waiting().filter(kind="send-alerts").count() == 1


def test_what_slack_is_asked_to_pause_for_can_be_a_moment_too():
    assert slack_messages._pause("30") == timedelta(seconds=30)
    assert slack_messages._pause("Wed, 21 Oct 2015 07:28:00 GMT") == timedelta(0)
    assert slack_messages._pause("soon") is None
