"""Webhooks, from a change to a receiver: a real HTTPS server on loopback, which verifies what it
gets with the package that receivers use."""

import json
import time
from datetime import timedelta

import pytest
from django.contrib.auth.models import Permission
from django.core.exceptions import ValidationError
from django.utils import timezone
from standardwebhooks import Webhook as Verifier
from standardwebhooks import WebhookVerificationError

from oegen import audit
from oegen.alerts.outbox import write_timed_alerts
from oegen.api.webhooks import outbox, services, signing
from oegen.models import Alert, AlertRule, ChangeSet, Job, Notice, SecurityEvent, WebhookDelivery
from pipelines.models import Pipeline
from tests.support.builders import make_contact, make_pipeline, make_user, make_webhook
from tests.support.https_receiver import names_lead_to, respond
from tests.support.jobs import run_due_jobs, run_job

pytestmark = pytest.mark.django_db


def verify(request, secret) -> dict:
    method, _, headers, body = request
    assert (method, headers["content-type"]) == ("POST", "application/json")
    return Verifier(secret).verify(body, headers)


def messages_of(webhook) -> list[WebhookDelivery]:
    return list(webhook.deliveries.order_by("created_at"))


# From a change to a message --------------------------------------------------------------------


def test_a_change_is_told_by_number_and_ids_under_a_signature(receiver, make):
    webhook, secret = make()
    with audit.change_set(reason="Secret reason"):
        larch = make_pipeline("Larch Solar", capacity_mw=12)
    run_due_jobs()

    (request,) = receiver.requests
    told = verify(request, secret)
    change_set = ChangeSet.objects.latest("number")
    data = told.pop("data")
    (delivery,) = messages_of(webhook)
    assert told == {
        "type": "portfolio.changed",
        "timestamp": f"{delivery.created_at:%Y-%m-%dT%H:%M:%SZ}",
    }
    assert (data["change_set"], data["events"], data["complete"]) == (change_set.number, [], True)
    assert {"kind": "pipelines", "id": str(larch.pk)} in data["records"]
    assert {one["kind"] for one in data["records"]} >= {"pipelines", "facilities"}
    assert "Larch" not in request[3].decode() and "reason" not in request[3].decode()
    assert request[2]["webhook-id"] == delivery.message_id
    assert (delivery.state, delivery.response_status, delivery.attempts) == ("sent", 200, 1)


def test_an_alert_is_told_with_the_change_in_one_message(receiver, make):
    larch = make_pipeline("Larch", rag_status="green")
    _, secret = make("/both", events=["changed", "rag-worsened"])
    alerts, _ = make("/alerts", events=["rag-worsened", "stage-moved"])
    with audit.change_set():
        Pipeline.objects.filter(pk=larch.pk).update(rag_status="red")
        Pipeline.objects.filter(pk=larch.pk).update(rag_comment="The grid offer is late.")
    with audit.change_set():
        Pipeline.objects.filter(pk=larch.pk).update(rag_comment="It came.")
    run_due_jobs()

    event = {"event": "rag-worsened", "kind": "pipelines", "id": str(larch.pk)}
    first, second = (verify(one, secret) for one in receiver.requests if one[1] == "/both")
    assert (first["type"], first["data"]["events"]) == ("portfolio.changed", [event])
    assert second["data"]["events"] == []
    assert second["data"]["change_set"] == first["data"]["change_set"] + 1
    (delivery,) = messages_of(alerts)
    assert (delivery.type, delivery.payload["events"]) == ("portfolio.alerted", [event])
    assert delivery.payload["records"] == []


def test_alerts_are_told_as_active_rules_report_them(make):
    webhook, _ = make(events=["rtb-slipped", "rag-worsened"])
    AlertRule.objects.filter(event="rag-worsened").update(is_active=False)
    larch = make_pipeline("Larch", rtb_date="2030-01-01", rag_status="green")
    with audit.change_set():
        Pipeline.objects.filter(pk=larch.pk).update(rtb_date="2030-01-15", rag_status="red")
    assert messages_of(webhook) == [], "14 days are less than the rule's 30"
    with audit.change_set():
        Pipeline.objects.filter(pk=larch.pk).update(rtb_date="2030-06-01")
    assert [one.event_names for one in messages_of(webhook)] == [["RTB date slipped"]]


def test_what_a_new_day_brings_is_told_once(make):
    webhook, _ = make(events=["rtb-overdue"])
    yesterday = timezone.localdate() - timedelta(days=1)
    with audit.change_set(recorded_at=timezone.now() - timedelta(days=9)):
        larch = make_pipeline("Larch", rtb_date=yesterday)
    for _ in range(2):
        write_timed_alerts(timezone.localdate())
    (delivery,) = messages_of(webhook)
    assert delivery.change_set is None
    assert delivery.payload["events"][0]["id"] == str(larch.pk)
    assert json.loads(delivery.body())["data"]["change_set"] is None


def test_what_is_rolled_back_and_what_sets_up_the_site_is_not_told(make):
    webhook, _ = make()
    with pytest.raises(ZeroDivisionError), audit.change_set():
        make_pipeline("Larch")
        _ = 1 / 0
    for source in (audit.Source.SAMPLE, audit.Source.MIGRATION):
        with audit.change_set(source=source):
            make_pipeline("Rowan")
    assert messages_of(webhook) == []
    assert not Job.objects.filter(kind="send-webhook").exists()


def test_many_records_are_named_in_part(make, monkeypatch):
    monkeypatch.setattr(outbox, "MAX_NAMED", 3)
    webhook, _ = make(events=["changed", "pipeline-created"])
    with audit.change_set():
        for number in range(5):
            make_pipeline(f"Rowan {number}")
    (delivery,) = messages_of(webhook)
    payload = delivery.payload
    assert (len(payload["records"]), len(payload["events"]), payload["complete"]) == (3, 3, False)


# Who may be told -------------------------------------------------------------------------------


def test_a_webhook_never_tells_what_its_owner_may_not_read(make, manager):
    may_read, _ = make()
    with audit.change_set():
        manager.user_permissions.add(Permission.objects.get(codename="add_webhook"))
    may_not, _ = make(owner=manager)
    WebhookDelivery.objects.all().delete()
    with audit.change_set():
        AlertRule.objects.filter(code="slack-completed").update(name="Renamed")
        make_user()
    (delivery,) = messages_of(may_read)
    assert {one["kind"] for one in delivery.payload["records"]} == {"alert-rules"}
    assert messages_of(may_not) == []


@pytest.mark.parametrize("lost", ["permission", "account"])
def test_without_its_owner_s_permission_nothing_is_written_or_sent(receiver, make, lost):
    webhook, _ = make()
    make_pipeline("Larch")
    owner = webhook.owner
    with audit.change_set():
        if lost == "permission":
            owner.groups.clear()
        else:
            owner.is_active = False
            owner.save()
    number = len(messages_of(webhook))
    make_pipeline("Rowan")
    run_due_jobs()
    webhook.refresh_from_db()
    assert receiver.requests == []
    assert len(messages_of(webhook)) == number
    assert webhook.switched_off_why == "Priya Shah may not have webhooks any more."
    assert {one.state for one in messages_of(webhook)} == {"parked"}


def test_a_mention_is_told_to_the_person_mentioned_only(make, administrator):
    from oegen.models import Comment

    own, _ = make(events=["mentioned"])
    other, _ = make(events=["mentioned"], owner=administrator)
    larch = make_pipeline("Larch")
    with audit.change_set(person=administrator):
        Comment.objects.create(subject=larch, author=administrator, text="@priya, please look")
    assert [one.event_names for one in messages_of(own)] == [["Mentioned in a comment"]]
    assert messages_of(other) == []


# Signatures ------------------------------------------------------------------------------------


def test_while_a_secret_is_replaced_either_verifies_and_then_only_the_new_one(
    receiver, make, clock, deliver
):
    webhook, first = make()
    second = services.rotate_secret(webhook=webhook, made_at=webhook.secret_made_at)
    make_pipeline("Larch")
    deliver(webhook)
    for secret in (first, second):
        assert verify(receiver.requests[-1], secret)["type"] == "portfolio.changed"
    # A day later, for a receiver that sees the same time.
    old_clock, clock.now = clock.now, webhook.previous_until
    headers = signing.signed_headers("msg_1", old_clock, "{}", webhook.secrets(clock()))
    assert Verifier(second).verify("{}", headers) == {}
    with pytest.raises(WebhookVerificationError, match="No matching signature"):
        Verifier(first).verify("{}", headers)
    with pytest.raises(services.SecretChangedError):
        services.rotate_secret(
            webhook=webhook, made_at=webhook.secret_made_at - timedelta(seconds=1)
        )
    services.end_previous_secret(webhook=webhook)
    assert webhook.secrets(timezone.now()) == [second]


def test_what_is_altered_or_repeated_later_is_refused(receiver, make):
    _, secret = make()
    make_pipeline("Larch")
    run_due_jobs()
    _, _, headers, body = receiver.requests[-1]
    verifier = Verifier(secret)
    with pytest.raises(WebhookVerificationError, match="No matching signature"):
        verifier.verify(body.replace(b"pipelines", b"elsewhere"), headers)
    with pytest.raises(WebhookVerificationError, match="No matching signature"):
        verifier.verify(body, headers | {"webhook-timestamp": str(int(time.time()) + 60)})
    signed = signing.signed_headers(
        "msg_1", timezone.now() - timedelta(minutes=6), body.decode(), [secret]
    )
    with pytest.raises(WebhookVerificationError, match="too old"):
        verifier.verify(body, signed)


def test_secrets_are_stored_encrypted_and_survive_a_new_pepper(make, settings):
    webhook, secret = make()
    webhook.refresh_from_db()
    assert secret not in webhook.secret
    settings.API_TOKEN_PEPPERS = {1: "x" * 40}
    assert webhook.secrets(timezone.now()) == [secret]
    _, newer = make()
    settings.API_TOKEN_PEPPERS = {2: "y" * 40, 1: "x" * 40}
    newest = webhook.owner.webhooks.latest("created_at")
    assert newest.secrets(timezone.now()) == [newer]


def test_a_lost_key_is_said_and_a_new_secret_mends_it(receiver, make, settings, clock, deliver):
    settings.API_TOKEN_PEPPERS = {1: "x" * 40}
    webhook, _ = make()
    settings.API_TOKEN_PEPPERS = {}
    make_pipeline("Larch")
    deliver(webhook)
    assert messages_of(webhook)[0].last_error.startswith("The secret was stored with another")
    secret = services.rotate_secret(webhook=webhook, made_at=webhook.secret_made_at)
    clock.pass_by(minutes=1)
    deliver(webhook)
    assert verify(receiver.requests[-1], secret)


# Failures --------------------------------------------------------------------------------------


def test_a_failure_is_tried_again_with_the_same_id_and_the_next_ones_wait(
    receiver, make, clock, deliver
):
    webhook, _ = make()
    receiver.answers["/"] = respond(500, b"out of order: secrets of the receiver")
    make_pipeline("Larch")
    make_pipeline("Rowan")
    pauses = []
    for _ in range(8):
        deliver(webhook)
        first, second = messages_of(webhook)
        pauses.append((first.next_attempt_at - clock()).total_seconds())
        clock.now = first.next_attempt_at
    assert second.attempts == 0
    assert "answered 500 (Internal Server Error). It has to answer 200 to 299" in first.last_error
    assert all(15 * 2**n <= pause <= 30 * 2**n for n, pause in enumerate(pauses[:7]))
    assert 1800 <= pauses[7] <= 3600
    assert len({request[2]["webhook-id"] for request in receiver.requests}) == 1
    assert len({request[3] for request in receiver.requests}) == 1
    receiver.answers.clear()
    deliver(webhook)
    numbers = [json.loads(request[3])["data"]["change_set"] for request in receiver.requests[-2:]]
    assert numbers == sorted(numbers) and len(set(numbers)) == 2
    webhook.refresh_from_db()
    assert webhook.failing_since is None


def test_messages_go_in_the_order_of_the_numbers_of_their_change_sets(receiver, make, deliver):
    webhook, _ = make()
    for name in ("Larch", "Rowan", "Kestrel"):
        make_pipeline(name)
    # Of two transactions at once, the first to write its message may be the last to get a number.
    first, *_, last = messages_of(webhook)
    for one, other in ((first, last), (last, first)):
        WebhookDelivery.objects.filter(pk=one.pk).update(
            queued_at=min(other.queued_at, one.change_set.sealed_at)
        )
    services.send_test(webhook=webhook)
    assert deliver(webhook).sent == 4
    told = [json.loads(request[3]) for request in receiver.requests]
    assert told[0]["type"] == "webhook.test"
    numbers = [one["data"]["change_set"] for one in told[1:]]
    assert numbers == sorted(numbers)


def test_a_slow_receiver_does_not_hold_up_another(receiver, make, monkeypatch):
    monkeypatch.setattr("oegen.api.webhooks.sending.TIMEOUT", timedelta(seconds=1.5))
    monkeypatch.setattr("oegen.api.webhooks.sending.RUN_FOR", timedelta(0))
    slow, _ = make("/slow")
    quick, _ = make("/quick")
    receiver.answers["/slow"] = lambda handler: receiver.is_over.wait(2)
    for name in ("Larch", "Rowan"):
        make_pipeline(name)
    runs = [job.key for job in run_due_jobs() if job.kind == "send-webhook"]
    assert sorted(runs) == sorted([f"webhook:{slow.pk}", *2 * [f"webhook:{quick.pk}"]])
    assert {one.state for one in messages_of(quick)} == {"sent"}
    first, second = messages_of(slow)
    assert "did not answer in full within 1.5 seconds" in first.last_error
    assert (first.attempts, second.attempts) == (1, 0)
    assert Job.objects.waiting().filter(key=f"webhook:{slow.pk}").count() == 1


def test_after_five_days_of_failure_it_is_switched_off_with_a_word_to_its_owner(
    receiver, make, clock, deliver, settings, mailoutbox
):
    settings.SENDS_EMAIL = True
    webhook, _ = make()
    webhook.owner.email = "priya@oegen.example"
    webhook.owner.save()
    WebhookDelivery.objects.all().delete()
    receiver.answers["/"] = respond(503)
    for number in range(7):
        make_pipeline(f"Rowan {number}")
    start = clock()
    while clock() - start < timedelta(days=5):
        deliver(webhook)
        clock.pass_by(hours=6)
    webhook.refresh_from_db()
    states = [one.state for one in messages_of(webhook)]
    assert (webhook.failing_since, webhook.is_active) == (start, True)
    assert states[0] == "parked" and states[-1] == "waiting", "one is tried for a day"
    assert not Notice.objects.exists()

    deliver(webhook)
    webhook.refresh_from_db()
    assert webhook.switched_off_at == start + timedelta(days=5)
    assert webhook.switched_off_why.startswith("Nothing has arrived for 5 days. The last failure:")
    last = messages_of(webhook)[-1]
    assert (last.state, last.last_error) == (
        "parked",
        "The webhook was switched off before it was sent.",
    )
    (notice,) = Notice.objects.all()
    assert (notice.recipient, notice.url) == (webhook.owner, webhook.get_absolute_url())
    assert "answered 503 (Service Unavailable)" in notice.payload["note"]
    tried = len(receiver.requests)
    make_pipeline("Unheard")
    run_due_jobs()
    assert len(receiver.requests) == tried
    assert Alert.objects.get(event="webhook-off").sent_at
    (mail,) = mailoutbox
    assert mail.subject == f"Webhook switched off: {webhook}"
    assert webhook.get_absolute_url() in mail.body

    receiver.answers.clear()
    services.switch_on(webhook=webhook, by=webhook.owner)
    make_pipeline("Heard again")
    run_due_jobs()
    assert len(receiver.requests) == tried + 1


def test_a_success_in_between_begins_the_five_days_anew(receiver, make, clock, deliver):
    webhook, _ = make()
    receiver.answers["/"] = respond(500)
    make_pipeline("Larch")
    deliver(webhook)
    clock.pass_by(days=4)
    receiver.answers.clear()
    services.send_test(webhook=webhook)
    deliver(webhook)
    receiver.answers["/"] = respond(500)
    make_pipeline("Rowan")
    clock.pass_by(days=2)
    deliver(webhook)
    webhook.refresh_from_db()
    assert (webhook.is_active, webhook.failing_since) == (True, clock())


def test_gone_switches_off_at_once(receiver, make):
    webhook, _ = make()
    receiver.answers["/"] = respond(410)
    make_pipeline("Larch")
    run_due_jobs()
    webhook.refresh_from_db()
    assert webhook.switched_off_why.endswith("answered 410 (Gone): it wants no more messages.")
    assert Notice.objects.get().recipient == webhook.owner


@pytest.mark.parametrize(
    ("answer", "is_sent", "words"),
    [
        (respond(204), True, ""),
        (respond(201, b"x" * 100_000), True, ""),
        (
            respond(302, Location="https://receiver.example/"),
            False,
            "redirects (302), which",
        ),
        (respond(400, b"no"), False, "answered 400 (Bad Request)."),
        (respond(599), False, "answered 599."),
        (lambda handler: handler.wfile.write(b"nonsense\r\n\r\n"), False, "is not HTTP"),
    ],
    ids=["204", "long", "redirect", "400", "599", "nonsense"],
)
def test_only_an_answer_of_200_to_299_counts(receiver, make, deliver, answer, is_sent, words):
    webhook, _ = make()
    receiver.answers["/"] = answer
    make_pipeline("Larch")
    deliver(webhook)
    (delivery,) = messages_of(webhook)
    assert (delivery.state == "sent") == is_sent
    assert words in delivery.last_error
    assert len(receiver.requests) == 1


def test_a_private_address_is_refused_at_entry_and_at_sending(
    portfolio_manager, deliver, monkeypatch
):
    for url in ("https://10.0.0.1/", "https://127.1/", "http://receiver.example/"):
        with pytest.raises(ValidationError):
            make_webhook(portfolio_manager, url=url)
    webhook, _ = make_webhook(portfolio_manager, url="https://inside.example/")
    make_pipeline("Larch")
    with names_lead_to(monkeypatch, lambda name: ["10.0.0.1"]):
        deliver(webhook)
    (delivery,) = messages_of(webhook)
    assert "inside.example leads to 10.0.0.1. 10.0.0.1 is no public address" in delivery.last_error
    assert delivery.state == "waiting"


# By hand ---------------------------------------------------------------------------------------


def test_a_test_is_tried_once_and_is_no_failure(receiver, make):
    webhook, _ = make()
    receiver.answers["/"] = respond(500)
    services.send_test(webhook=webhook)
    run_due_jobs()
    (delivery,) = messages_of(webhook)
    webhook.refresh_from_db()
    assert (delivery.state, delivery.attempts, webhook.failing_since) == ("parked", 1, None)


def test_sent_again_it_is_the_same_message(receiver, make):
    webhook, secret = make()
    make_pipeline("Larch")
    run_due_jobs()
    services.send_again(delivery=messages_of(webhook)[0])
    run_due_jobs()
    first, second = receiver.requests
    assert first[2]["webhook-id"] == second[2]["webhook-id"]
    assert verify(first, secret) == verify(second, secret)
    services.switch_off(webhook=webhook, by=webhook.owner)
    with pytest.raises(ValidationError, match="Switch it on first"):
        services.send_again(delivery=WebhookDelivery.objects.select_related("webhook").get())


def test_tidying_forgets_what_is_old_and_asks_for_missing_jobs(receiver, make):
    webhook, _ = make()
    make_pipeline("Old")
    run_due_jobs()
    WebhookDelivery.objects.update(queued_at=timezone.now() - timedelta(days=31))
    make_pipeline("New")
    Job.objects.filter(kind="send-webhook").delete()
    services.rotate_secret(webhook=webhook, made_at=webhook.secret_made_at)
    type(webhook).objects.update(previous_until=timezone.now())
    run_job("tidy")
    (delivery,) = messages_of(webhook)
    assert delivery.state == "sent"
    webhook.refresh_from_db()
    assert (webhook.previous_secret, webhook.previous_until) == ("", None)


def test_what_is_done_to_a_webhook_is_a_security_event(make, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        webhook, _ = make(name="Grid model")
        services.rotate_secret(webhook=webhook, made_at=webhook.secret_made_at)
        services.switch_off(webhook=webhook, by=webhook.owner)
    events = SecurityEvent.objects.filter(kind="webhook").order_by("number")
    assert [one.details["what"] for one in events] == ["added", "secret replaced", "switched off"]
    assert events[0].details["webhook"] == "Grid model"
    assert webhook.url not in str([one.details for one in events])


def test_saving_asks_once_for_webhooks_and_twenty_are_the_most(make, portfolio_manager):
    for _ in range(services.MAX_ACTIVE):
        make()
    with pytest.raises(ValidationError, match="which is the most"):
        make()
    make_contact("Ann")
    assert WebhookDelivery.objects.count() == services.MAX_ACTIVE
