"""Delivery of the outbox: each alert is sent by one worker, retried after failures and finally
parked.

A worker **claims** an alert with a lease, sends it outside any transaction and **settles** it. If
it dies in between, the lease expires: the alert is sent again and marked as a possible repeat,
because it is unknown whether it was sent before.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Count, F, Min
from django.utils import timezone

from oegen import jobs
from oegen.alerts import mail, slack
from oegen.alerts.channels import SendError, configured_channels
from oegen.alerts.models import Alert, Channel
from oegen.core.backoff import pause_after
from oegen.core.words import count

logger = logging.getLogger(__name__)

#: Longer than sending can take.
LEASE = timedelta(minutes=5)

#: The time after the first attempt at which the last one is made.
RETRY_FOR = timedelta(days=1)

#: Prefix of ``last_error`` for alerts that a user parked.
PARKED_BY = "Held back by"

#: The kind of job that delivers (oegen.alerts.jobs).
SEND_ALERTS = "send-alerts"


Send = Callable[[Alert], None]


@dataclass
class Tally:
    """What became of the messages that were due, here and in oegen.api.webhooks."""

    sent: int = 0
    failed: int = 0
    parked: int = 0

    def in_words(self, noun: str) -> str:
        """“Alerts: 3 sent, 1 to be tried again.”"""
        done = [
            f"{number:,} {word}"
            for number, word in (
                (self.sent, "sent"),
                (self.failed, "to be tried again"),
                (self.parked, "parked"),
            )
            if number
        ]
        return f"{noun.capitalize()}s: {', '.join(done)}." if done else f"No {noun} was due."


def senders() -> dict[str, Send]:
    known = {Channel.SLACK: slack.send, Channel.EMAIL: mail.send}
    return {channel: known[channel] for channel in configured_channels()}


def deliver(
    *,
    senders: dict[str, Send],
    is_stopped: Callable[[], bool] = lambda: False,
    clock: Callable[[], datetime] = timezone.now,
) -> Tally:
    """Send due alerts until there are none or ``is_stopped``, which is called before each alert."""
    tally = Tally()
    while not is_stopped() and (alert := _claim(list(senders), clock())):
        try:
            senders[alert.channel](alert)
        except SendError as error:
            _settle_failure(alert, error, clock(), tally)
        else:
            _settle(alert, sent_at=clock(), last_error="")
            tally.sent += 1
    return tally


def _claim(channels: list[str], now: datetime) -> Alert | None:
    """Claim the next due alert for the time of a lease."""
    due = Alert.objects.due(channels, now)
    if not due.exists():
        return None
    with transaction.atomic():  # SQLite's transactions take the write lock at their start.
        alert = due.select_for_update(skip_locked=True).first()
        if alert is None:
            return None
        # Settling clears the claim, so an earlier worker with this claim died.
        alert.may_be_repeat |= alert.claimed_until is not None
        alert.claimed_until = now + LEASE
        alert.first_tried_at = alert.first_tried_at or now
        alert.attempts += 1
        alert.save(update_fields=["may_be_repeat", "claimed_until", "first_tried_at", "attempts"])
    return alert


def _settle(alert: Alert, **values) -> None:
    """Write the result, unless the lease expired and another worker claimed the alert."""
    claimed = Alert.objects.filter(pk=alert.pk, claimed_until=alert.claimed_until)
    if not claimed.update(claimed_until=None, **values):
        logger.warning("Alert %s took longer than its lease; another worker has it.", alert.pk)


def _settle_failure(alert: Alert, error: SendError, now: datetime, tally: Tally) -> None:
    values = {
        "last_error": str(error),
        "may_be_repeat": alert.may_be_repeat or error.may_have_arrived,
    }
    last_try_at = (alert.first_tried_at or now) + RETRY_FOR
    if error.is_final or now >= last_try_at:
        _settle(alert, parked_at=now, **values)
        tally.parked += 1
        logger.error("Alert %s is parked: %s", alert.pk, error)
        return
    wait = pause_after(alert.attempts)
    next_attempt_at = min(now + wait, last_try_at)
    if error.retry_after is not None:
        next_attempt_at = now + max(error.retry_after, wait)
        others = Alert.objects.waiting().filter(channel=alert.channel)
        others = others.exclude(pk=alert.pk).filter(next_attempt_at__lt=next_attempt_at)
        others.update(next_attempt_at=next_attempt_at)
    _settle(alert, next_attempt_at=next_attempt_at, **values)
    tally.failed += 1
    logger.warning("Alert %s was not sent: %s", alert.pk, error)


@transaction.atomic
def send_again(alerts) -> int:
    """Reset the parked alerts of a queryset, so that they are sent again; returns their number."""
    number: int = alerts.parked().update(
        parked_at=None,
        next_attempt_at=timezone.now(),
        first_tried_at=None,
        attempts=0,
    )
    if number:
        jobs.enqueue(SEND_ALERTS)
    return number


def park(alerts, by: str) -> int:
    """Park the waiting, unclaimed alerts of a queryset; returns their number."""
    unclaimed = alerts.waiting().filter(claimed_until=None)
    return unclaimed.update(parked_at=timezone.now(), last_error=f"{PARKED_BY} {by}.")


def status_lines() -> list[str]:
    """A line about each channel for /healthz: whether it is configured and what is waiting."""
    rows = Alert.objects.waiting().order_by().values("channel")
    waiting = {
        row["channel"]: row
        for row in rows.annotate(number=Count("pk"), oldest=Min(F("created_at")))
    }
    failed = Alert.objects.parked().exclude(last_error__startswith=PARKED_BY).order_by()
    parked = dict(failed.values_list("channel").annotate(number=Count("pk")))
    configured = configured_channels()
    lines = []
    for channel, variable in ((Channel.SLACK, "SLACK_WEBHOOK_URL"), (Channel.EMAIL, "EMAIL_URL")):
        row = waiting.get(channel, {"number": 0, "oldest": None})
        number = count(row["number"], "alert")
        if channel not in configured:
            lines.append(f"{channel.label}: not set up ({variable} is not set), {number} kept")
        elif row["number"]:
            minutes = int((timezone.now() - row["oldest"]).total_seconds() // 60)
            lines.append(
                f"{channel.label}: {number} waiting, the oldest for {count(minutes, 'minute')}"
            )
        else:
            lines.append(f"{channel.label}: nothing waiting")
        if number_parked := parked.get(channel):
            lines[-1] += f", {number_parked:,} parked"
    return lines
