"""Sends the messages to webhooks, those of one webhook in their order.

A message is tried until it arrives, for a day, after growing pauses, while the next ones wait; then
it is parked. The receiver has to answer 2xx within TIMEOUT; redirects are not followed, and of its
answer only the status is kept. A webhook that nothing reaches for FAILS_FOR is switched off; one
that answers 410 (Gone), at once. A test is tried once, does not wait and does not count as failure.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from http import HTTPStatus
from uuid import UUID

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from oegen import jobs
from oegen.alerts.delivery import Tally
from oegen.api.webhooks import notices, signing
from oegen.api.webhooks.models import (
    USE_WEBHOOKS,
    Webhook,
    WebhookDelivery,
    WebhookDeliveryQuerySet,
)
from oegen.core import outbound
from oegen.core.backoff import pause_after
from oegen.jobs.models import Job

logger = logging.getLogger(__name__)

#: The kind of job that sends (oegen.api.webhooks.jobs).
SEND_WEBHOOK = "send-webhook"

TIMEOUT = timedelta(seconds=10)

#: The time after the first attempt at which the last one is made.
RETRY_FOR = timedelta(days=1)

#: After so long without a success, a failure switches the webhook off.
FAILS_FOR = timedelta(days=5)

#: After so long a run makes room for the jobs of other webhooks.
RUN_FOR = timedelta(seconds=10)

#: The body of an answer is not used, so no more of it is read.
MAX_ANSWER_BYTES = 64_000

SWITCHED_OFF = "The webhook was switched off before it was sent."


@dataclass(frozen=True)
class Answer:
    """What became of an attempt: the status, if there was an answer, and what was wrong."""

    status: int | None
    error: str = ""

    @property
    def is_gone(self) -> bool:
        return self.status == HTTPStatus.GONE


def enqueue_sending(webhook: Webhook, run_after: datetime | None = None) -> None:
    """Ask, in the current transaction, for the job that sends what is due."""
    jobs.enqueue(
        SEND_WEBHOOK,
        key=job_key(webhook),
        title=webhook.name,
        run_after=run_after,
        webhook=str(webhook.pk),
    )


def enqueue_next(webhook: Webhook) -> None:
    """Ask for a run when the next message is due, unless there is one by then."""
    delivery = _next(webhook)
    if delivery is None or not webhook.is_active:
        return
    moment = delivery.next_attempt_at
    if not Job.objects.waiting().filter(key=job_key(webhook), run_after__lte=moment).exists():
        enqueue_sending(webhook, max(moment, timezone.now()))


def job_key(webhook: Webhook) -> str:
    """One job at a time for each webhook, so that its messages stay in their order."""
    return f"webhook:{webhook.pk}"


def deliver(
    key: UUID,
    *,
    is_stopped: Callable[[], bool] = lambda: False,
    clock: Callable[[], datetime] = timezone.now,
) -> Tally:
    """Send the messages to a webhook that are due, until one fails, RUN_FOR has passed or
    ``is_stopped``."""
    tally = Tally()
    end = time.monotonic() + RUN_FOR.total_seconds()
    while not is_stopped():
        webhook = Webhook.objects.active().select_related("owner").filter(pk=key).first()
        if webhook is None:
            break
        if not webhook.owner.has_perm(USE_WEBHOOKS):
            switch_off(webhook, f"{webhook.owner} may not have webhooks any more.", clock())
            break
        delivery = _claim(webhook, clock())
        if delivery is None:
            break
        answer = _send(webhook, delivery, clock())
        if answer.error:
            _settle_failure(webhook, delivery, answer, clock(), tally)
            if not delivery.is_test:
                break
        else:
            _settle_success(webhook, delivery, answer, clock())
            tally.sent += 1
        if time.monotonic() >= end:
            break
    return tally


@transaction.atomic
def switch_off(webhook: Webhook, why: str, now: datetime) -> bool:
    """Switch a webhook off and park what waits; False if it was off before."""
    off = Webhook.objects.active().filter(pk=webhook.pk)
    if not off.update(switched_off_at=now, switched_off_why=why):
        return False
    park(webhook.deliveries.waiting(), now)
    return True


def park(waiting: WebhookDeliveryQuerySet, now: datetime) -> None:
    """Park messages of webhooks that are off."""
    waiting.filter(last_error="").update(last_error=SWITCHED_OFF)
    waiting.update(parked_at=now)


def _next(webhook: Webhook) -> WebhookDelivery | None:
    waiting: WebhookDelivery | None = webhook.deliveries.waiting().in_sending_order().first()
    return waiting


def _claim(webhook: Webhook, now: datetime) -> WebhookDelivery | None:
    """Count an attempt at the next message, if it is due; None if it is not, or another worker has
    it."""
    delivery = _next(webhook)
    if delivery is None or delivery.next_attempt_at > now:
        return None
    delivery.first_tried_at = delivery.first_tried_at or now
    delivery.attempts += 1
    unclaimed = WebhookDelivery.objects.waiting().filter(
        pk=delivery.pk, attempts=delivery.attempts - 1
    )
    claimed = unclaimed.update(attempts=F("attempts") + 1, first_tried_at=delivery.first_tried_at)
    return delivery if claimed else None


def _send(webhook: Webhook, delivery: WebhookDelivery, now: datetime) -> Answer:
    """Make one attempt."""
    body = delivery.body()
    try:
        secrets = webhook.secrets(now)
    except signing.SecretLostError as error:
        return Answer(None, str(error))
    headers = signing.signed_headers(delivery.message_id, now, body, secrets)
    try:
        response = outbound.request(
            "POST",
            webhook.url,
            headers={"content-type": "application/json", **headers},
            body=body.encode(),
            seconds=TIMEOUT.total_seconds(),
            max_bytes=MAX_ANSWER_BYTES,
        )
    except outbound.OutboundError as error:
        # What a receiver says beside its status does not count, even if it can't be read.
        is_read = error.status is not None and not isinstance(error, outbound.RedirectError)
        return _judge(webhook, error.status) if is_read else Answer(error.status, str(error))
    return _judge(webhook, response.status)


def _judge(webhook: Webhook, status: int | None) -> Answer:
    if status is not None and 200 <= status < 300:
        return Answer(status)
    try:
        phrase = f" ({HTTPStatus(status or 0).phrase})"
    except ValueError:
        phrase = ""
    return Answer(
        status,
        f"{webhook.host} answered {status}{phrase}. It has to answer 200 to 299 once it has the "
        "message.",
    )


def _owned(delivery: WebhookDelivery) -> WebhookDeliveryQuerySet:
    """The message, unless it was sent again or parked meanwhile."""
    return WebhookDelivery.objects.waiting().filter(pk=delivery.pk, attempts=delivery.attempts)


@transaction.atomic
def _settle_success(
    webhook: Webhook, delivery: WebhookDelivery, answer: Answer, now: datetime
) -> None:
    # Also if it was parked meanwhile: it has arrived.
    tried = WebhookDelivery.objects.filter(pk=delivery.pk, attempts=delivery.attempts)
    tried.update(sent_at=now, parked_at=None, response_status=answer.status, last_error="")
    Webhook.objects.filter(pk=webhook.pk).exclude(failing_since=None).update(failing_since=None)


@transaction.atomic
def _settle_failure(
    webhook: Webhook, delivery: WebhookDelivery, answer: Answer, now: datetime, tally: Tally
) -> None:
    logger.warning("Webhook %s: %s", webhook.pk, answer.error)
    values = {"response_status": answer.status, "last_error": answer.error}
    last_try_at = (delivery.first_tried_at or now) + RETRY_FOR
    if delivery.is_test or now >= last_try_at:
        _owned(delivery).update(parked_at=now, **values)
        tally.parked += 1
    else:
        wait = pause_after(delivery.attempts)
        _owned(delivery).update(next_attempt_at=min(now + wait, last_try_at), **values)
        tally.failed += 1
    if not delivery.is_test and webhook.failing_since is None:
        webhook.failing_since = now
        Webhook.objects.filter(pk=webhook.pk, failing_since=None).update(failing_since=now)
    if answer.is_gone:
        why = f"{webhook.host} answered 410 (Gone): it wants no more messages."
    elif webhook.failing_since and now - webhook.failing_since >= FAILS_FOR:
        why = f"Nothing has arrived for {FAILS_FOR.days} days. The last failure: {answer.error}"
    else:
        return
    if switch_off(webhook, why, now):
        notices.tell_owner(webhook, why, now)
