"""Sends what the outbox holds: each alert by one worker, again after a failure, parked in the end.

A worker **claims** an alert for a while, sends it outside any transaction and **settles** it. One
who dies in between leaves a claim that ends: then the alert is sent again and marked as a possible
repeat, because nobody can know how far the other came.
"""

from __future__ import annotations

import logging
import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Count, F, Min
from django.utils import timezone

from oegen.alerts import mail, slack
from oegen.alerts.channels import SendError, configured_channels
from oegen.alerts.models import Alert, Channel
from oegen.core.words import count

logger = logging.getLogger(__name__)

#: Longer than any sending takes.
LEASE = timedelta(minutes=5)

#: The wait after the first failure, doubled with each further one up to the longest.
FIRST_WAIT = timedelta(seconds=30)
LONGEST_WAIT = timedelta(hours=1)

#: After the first try: then comes the last one.
TRIES_FOR = timedelta(days=1)

#: How the error of an alert begins that somebody does not want to be sent.
HELD_BACK = "Held back by"

_spread = random.SystemRandom().uniform


Send = Callable[[Alert], None]


@dataclass
class Tally:
    sent: int = 0
    failed: int = 0
    parked: int = 0


def senders() -> dict[str, Send]:
    known = {Channel.SLACK: slack.send, Channel.EMAIL: mail.send}
    return {channel: known[channel] for channel in configured_channels()}


def deliver(
    *,
    senders: dict[str, Send],
    is_stopped: Callable[[], bool] = lambda: False,
    clock: Callable[[], datetime] = timezone.now,
) -> Tally:
    """Send what is due, until nothing is or ``is_stopped``, which is asked after each alert."""
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
    """The next one due, in this worker's hand until its lease ends."""
    due = Alert.objects.due(channels, now)
    if not due.exists():
        return None
    with transaction.atomic():  # SQLite's transactions take the write lock at their start.
        alert = due.select_for_update(skip_locked=True).first()
        if alert is None:
            return None
        # Settling clears the claim, so whoever claimed it before did not come to that.
        alert.may_be_repeat |= alert.claimed_until is not None
        alert.claimed_until = now + LEASE
        alert.first_tried_at = alert.first_tried_at or now
        alert.attempts += 1
        alert.save(update_fields=["may_be_repeat", "claimed_until", "first_tried_at", "attempts"])
    return alert


def _settle(alert: Alert, **values) -> None:
    """Unless the lease has ended and another worker has it by now."""
    mine = Alert.objects.filter(pk=alert.pk, claimed_until=alert.claimed_until)
    if not mine.update(claimed_until=None, **values):
        logger.warning("Alert %s took longer than its lease; another worker has it.", alert.pk)


def _settle_failure(alert: Alert, error: SendError, now: datetime, tally: Tally) -> None:
    values = {
        "last_error": str(error),
        "may_be_repeat": alert.may_be_repeat or error.may_have_arrived,
    }
    last_try_at = (alert.first_tried_at or now) + TRIES_FOR
    if error.is_final or now >= last_try_at:
        _settle(alert, parked_at=now, **values)
        tally.parked += 1
        logger.error("Alert %s is parked: %s", alert.pk, error)
        return
    wait = min(FIRST_WAIT * 2 ** min(alert.attempts - 1, 20), LONGEST_WAIT) * _spread(0.5, 1)
    next_attempt_at = min(now + wait, last_try_at)
    if error.retry_after is not None:
        next_attempt_at = now + max(error.retry_after, wait)
        others = Alert.objects.waiting().filter(channel=alert.channel)
        others = others.exclude(pk=alert.pk).filter(next_attempt_at__lt=next_attempt_at)
        others.update(next_attempt_at=next_attempt_at)
    _settle(alert, next_attempt_at=next_attempt_at, **values)
    tally.failed += 1
    logger.warning("Alert %s was not sent: %s", alert.pk, error)


def send_again(alerts) -> int:
    """Put parked alerts of the queryset back, as if they were new; gives their number."""
    return alerts.parked().update(
        parked_at=None,
        next_attempt_at=timezone.now(),
        first_tried_at=None,
        attempts=0,
    )


def park(alerts, by: str) -> int:
    """Park alerts that are waiting and in nobody's hand; gives their number."""
    free = alerts.waiting().filter(claimed_until=None)
    return free.update(parked_at=timezone.now(), last_error=f"{HELD_BACK} {by}.")


def state_in_words() -> list[str]:
    """What there is to say about each channel: that it is not set up, or how much waits there."""
    rows = Alert.objects.waiting().order_by().values("channel")
    waiting = {
        row["channel"]: row
        for row in rows.annotate(number=Count("pk"), oldest=Min(F("created_at")))
    }
    failed = Alert.objects.parked().exclude(last_error__startswith=HELD_BACK).order_by()
    parked = dict(failed.values_list("channel").annotate(number=Count("pk")))
    configured = configured_channels()
    told = []
    for channel, variable in ((Channel.SLACK, "SLACK_WEBHOOK_URL"), (Channel.EMAIL, "EMAIL_URL")):
        row = waiting.get(channel, {"number": 0, "oldest": None})
        number = count(row["number"], "alert")
        if channel not in configured:
            told.append(f"{channel.label}: not set up ({variable} is not set), {number} kept")
        elif row["number"]:
            minutes = int((timezone.now() - row["oldest"]).total_seconds() // 60)
            told.append(
                f"{channel.label}: {number} waiting, the oldest for {count(minutes, 'minute')}"
            )
        else:
            told.append(f"{channel.label}: nothing waiting")
        if number_parked := parked.get(channel):
            told[-1] += f", {number_parked:,} parked"
    return told
