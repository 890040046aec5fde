"""Adding, changing and switching webhooks, new secrets, and sending again."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from oegen.alerts.events import event_choices
from oegen.api.webhooks import sending, signing
from oegen.api.webhooks.models import (
    BOTH_VALID_FOR,
    CHANGED,
    DeliveryType,
    Webhook,
    WebhookDelivery,
)
from oegen.core import outbound
from oegen.people.models import SecurityEvent, User
from oegen.people.security import record_security_event

#: The number of active webhooks of one person: each is written to by every change set.
MAX_ACTIVE = 20


class SecretChangedError(Exception):
    """The secret was replaced since the page was opened; the text is shown to people."""

    def __init__(self) -> None:
        super().__init__(
            "The secret was replaced since you opened this page, so it was not replaced again. If "
            "you don't have the new one, make another."
        )


@transaction.atomic
def add_webhook(*, owner: User, name: str, url: str, events: Iterable[str]) -> tuple[Webhook, str]:
    """Add a webhook. Returns it with its secret, which is not shown again.

    Raises ValidationError.
    """
    _check_number(owner)
    secret = signing.make_secret()
    webhook = Webhook(
        owner=owner,
        name=name,
        url=_checked(url),
        events=_in_order(events),
        secret=signing.encrypt(secret),
    )
    webhook.full_clean()
    webhook.save(force_insert=True)
    _record(webhook, "added", owner)
    return webhook, secret


@transaction.atomic
def change_webhook(*, webhook: Webhook, name: str, url: str, events: Iterable[str]) -> None:
    """Change what a webhook is called, where it leads and what it is told of. Raises
    ValidationError."""
    webhook.name, webhook.url, webhook.events = name, _checked(url), _in_order(events)
    webhook.full_clean()
    webhook.save(update_fields=["name", "url", "events"])
    _record(webhook, "changed", webhook.owner)


@transaction.atomic
def rotate_secret(*, webhook: Webhook, made_at: datetime) -> str:
    """Replace the secret that was made at ``made_at``, which stays valid for BOTH_VALID_FOR;
    returns the new one. Raises SecretChangedError."""
    now = timezone.now()
    stored = Webhook.objects.select_for_update().get(pk=webhook.pk)
    if stored.secret_made_at != made_at:
        raise SecretChangedError
    secret = signing.make_secret()
    try:
        signing.decrypt(stored.secret)
        previous, until = stored.secret, now + BOTH_VALID_FOR
    except signing.SecretLostError:
        previous, until = "", None  # It can sign nothing any more.
    webhook.secret, webhook.secret_made_at = signing.encrypt(secret), now
    webhook.previous_secret, webhook.previous_until = previous, until
    webhook.save(update_fields=["secret", "secret_made_at", "previous_secret", "previous_until"])
    _record(webhook, "secret replaced", webhook.owner)
    return secret


@transaction.atomic
def end_previous_secret(*, webhook: Webhook) -> None:
    """Let the previous secret sign nothing from now on."""
    webhook.previous_secret, webhook.previous_until = "", None
    webhook.save(update_fields=["previous_secret", "previous_until"])
    _record(webhook, "previous secret ended", webhook.owner)


@transaction.atomic
def switch_off(*, webhook: Webhook, by: User) -> bool:
    """Switch a webhook off; what waits is parked. False if it was off before."""
    if not sending.switch_off(webhook, f"{by} switched it off.", timezone.now()):
        return False
    _record(webhook, "switched off", by)
    return True


@transaction.atomic
def switch_on(*, webhook: Webhook, by: User) -> None:
    """Switch a webhook on, as if it had never failed. What it missed is not sent. Raises
    ValidationError."""
    _check_number(webhook.owner)
    webhook.switched_off_at, webhook.switched_off_why = None, ""
    webhook.failing_since = None
    webhook.save(update_fields=["switched_off_at", "switched_off_why", "failing_since"])
    _record(webhook, "switched on", by)


@transaction.atomic
def send_test(*, webhook: Webhook) -> WebhookDelivery:
    """Send a message that tells nothing, before all others. Raises ValidationError."""
    _check_is_active(webhook)
    delivery = WebhookDelivery.objects.create(webhook=webhook, type=DeliveryType.TEST)
    sending.enqueue_sending(webhook)
    return delivery


@transaction.atomic
def send_again(*, delivery: WebhookDelivery) -> None:
    """Send a message once more, with the same id, after those that wait; one that waits is tried
    now. Raises ValidationError."""
    _check_is_active(delivery.webhook)
    now = timezone.now()
    values: dict[str, Any] = {"first_tried_at": None, "attempts": 0, "next_attempt_at": now}
    if delivery.state != "waiting":
        values |= {"queued_at": now, "sent_at": None, "parked_at": None, "last_error": ""}
    WebhookDelivery.objects.filter(pk=delivery.pk).update(**values)
    sending.enqueue_sending(delivery.webhook)


def _check_is_active(webhook: Webhook) -> None:
    if not webhook.is_active:
        raise ValidationError(f"“{webhook}” is switched off. Switch it on first.")


def _check_number(owner: User) -> None:
    if owner.webhooks.active().count() >= MAX_ACTIVE:
        raise ValidationError(
            f"You have {MAX_ACTIVE} active webhooks, which is the most. Switch one off first."
        )


def _checked(url: str) -> str:
    """The address, if one may be asked. Raises ValidationError."""
    try:
        outbound.parse_url(url)
    except outbound.OutboundError as error:
        raise ValidationError({"url": str(error)}) from error
    return url


def _in_order(events: Iterable[str]) -> str:
    chosen = set(events)
    codes = [CHANGED, *(code for code, _ in event_choices())]
    return " ".join(code for code in codes if code in chosen)


def _record(webhook: Webhook, what: str, by: User) -> None:
    record_security_event(
        SecurityEvent.Kind.WEBHOOK,
        account=by,
        details={
            "webhook": webhook.name,
            "of": webhook.owner.get_username(),
            "what": what,
            "host": webhook.host,
        },
    )
