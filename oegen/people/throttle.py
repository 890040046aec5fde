"""Delays that grow with each wrong password.

The counts are in the database, so that all workers share them. An attempt is reserved before the
password is checked, so that parallel attempts gain nothing over sequential ones. An attempt during
a delay costs no hashing and takes no write lock.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone
from django.utils.crypto import salted_hmac

from oegen.core.words import count
from oegen.people.models import AttemptCount

#: A count without new failures for this long is reset.
FORGET_AFTER = timedelta(days=1)

#: Limits the table; beyond it, the lowest and then the oldest counts are deleted.
MAX_ROWS = 50_000

#: Limits the exponent, not the delay.
_MAX_FAILURES = 1_000


@dataclass(frozen=True)
class Limit:
    """After ``allowed`` failures the next attempt has to wait 1 second, then 2, 4 … up to
    ``max_wait``."""

    name: str
    allowed: int
    max_wait: timedelta
    #: Whether a correct password resets the count. Not if it is shared: anybody with an account
    #: could reset it between guesses.
    resets_on_success: bool = True

    def wait_after(self, failures: int) -> timedelta:
        if failures < self.allowed:
            return timedelta(0)
        seconds = 2 ** min(failures - self.allowed, 30)
        return min(timedelta(seconds=seconds), self.max_wait)


#: An address may be a whole office.
ADDRESS = Limit("address", allowed=20, max_wait=timedelta(minutes=5), resets_on_success=False)
ACCOUNT = Limit("account", allowed=3, max_wait=timedelta(minutes=15))
DEVICE = Limit("device", allowed=3, max_wait=timedelta(minutes=15))
OWN_PASSWORD = Limit("own password", allowed=3, max_wait=timedelta(minutes=15))

Counted = tuple[Limit, str]


class TooSoonError(Exception):
    """An attempt was made during a delay. ``seconds``: the remaining time, rounded up."""

    def __init__(self, wait: timedelta):
        self.seconds = max(1, math.ceil(wait.total_seconds()))
        super().__init__(f"{self.seconds} s are left")

    @property
    def in_words(self) -> str:
        number, unit = self.seconds, "second"
        if number > 90:
            number, unit = math.ceil(number / 60), "minute"
        return count(number, unit)


@dataclass(frozen=True)
class Reservation:
    counts: dict[str, Limit]
    #: The highest of the counts, including this attempt.
    failures: int

    @transaction.atomic
    def cancel(self) -> None:
        """Undo the count, when the password was correct."""
        for row in _locked(self.counts):
            if self.counts[row.key].resets_on_success:
                row.delete()
            else:
                row.failures = max(row.failures - 1, 0)
                row.retry_at = row.counted_at + self.counts[row.key].wait_after(row.failures)
                row.save(update_fields=["failures", "retry_at"])


def reserve(counted: Iterable[Counted]) -> Reservation:
    """Count an attempt as a failure until ``cancel`` is called. Raises TooSoonError, without
    counting, during a delay."""
    limits = {_digest(limit, what): limit for limit, what in counted}
    now = timezone.now()
    _refuse_too_soon(AttemptCount.objects.filter(key__in=limits), limits, now)
    with transaction.atomic():
        new = [AttemptCount(key=key, counted_at=now, retry_at=now) for key in sorted(limits)]
        AttemptCount.objects.bulk_create(new, ignore_conflicts=True)
        rows = list(_locked(limits))
        now = timezone.now()  # Waiting for locks may have taken a while.
        _refuse_too_soon(rows, limits, now)
        for row in rows:
            earlier = 0 if row.counted_at < now - FORGET_AFTER else row.failures
            row.failures = min(earlier + 1, _MAX_FAILURES)
            row.counted_at = now
            row.retry_at = now + limits[row.key].wait_after(row.failures)
            row.save()
        if any(row.failures == 1 for row in rows):
            _forget(now)
    return Reservation(limits, max(row.failures for row in rows))


def _digest(limit: Limit, what: str) -> str:
    return salted_hmac(f"oegen.people.throttle.{limit.name}", what, algorithm="sha256").hexdigest()


def _locked(keys: Iterable[str]):
    rows = AttemptCount.objects.select_for_update(no_key=True)
    return rows.filter(key__in=list(keys)).order_by("key")


def _refuse_too_soon(rows: Iterable[AttemptCount], limits: dict[str, Limit], now: datetime) -> None:
    # Ignore a wait of more than twice the max_wait: the clock was wrong when it was written.
    waits = [
        row.retry_at - now for row in rows if row.retry_at - now <= 2 * limits[row.key].max_wait
    ]
    if (wait := max(waits, default=timedelta(0))) > timedelta(0):
        raise TooSoonError(wait)


def _forget(now: datetime) -> None:
    AttemptCount.objects.filter(counted_at__lt=now - FORGET_AFTER).delete()
    if AttemptCount.objects.count() > MAX_ROWS:
        lowest = AttemptCount.objects.order_by("failures", "counted_at")[: MAX_ROWS // 10]
        AttemptCount.objects.filter(pk__in=list(lowest.values_list("pk", flat=True))).delete()
