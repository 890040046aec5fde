"""Counts of requests and places that few may take at a time, shared by the processes of this host.

They are in a cache and not in the database, whose writer lock no request must wait for to be
counted. They may be lost, as everything in a cache.
"""

from __future__ import annotations

import fcntl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from uuid import uuid4

from django.conf import settings
from django.core.cache import caches
from django.utils import timezone

#: The number of lock files that keys are spread over.
_LOCKS = 64


@dataclass(frozen=True)
class Count:
    """``number`` includes this time; in ``seconds_left``, rounded up, it starts again at 0."""

    number: int
    seconds_left: int


def increment(key: str, window: int) -> Count:
    """Count once more in the current window of ``window`` seconds; windows begin at multiples of
    it. Atomic on this host: Django's caches in files lose counts of requests at the same time."""
    cache = caches["counters"]
    with _locked(key):
        now = time.time()
        start = int(now // window) * window
        counted_since, number = cache.get(key, (start, 0))
        number = number + 1 if counted_since == start else 1
        cache.set(key, (start, number), timeout=window)
    return Count(number, max(1, int(start + window - now + 0.999)))


@dataclass(frozen=True)
class Place:
    """A place that was taken; ``holder`` tells it from one that was taken after it ran out."""

    key: str
    holder: str


def take_place(key: str, places: int, seconds: int) -> Place | None:
    """Take one of ``places`` places until it is freed, or for ``seconds``; None if none is free."""
    cache = caches["counters"]
    holder = uuid4().hex
    with _locked(key):
        for number in range(places):
            one = f"{key}:{number}"
            if cache.get(one) is None:
                cache.set(one, holder, timeout=seconds)
                return Place(one, holder)
    return None


def free_place(place: Place) -> None:
    cache = caches["counters"]
    with _locked(place.key.rpartition(":")[0]):
        if cache.get(place.key) == place.holder:
            cache.delete(place.key)


def note_time(key: str, *, at_most_every: timedelta) -> None:
    """Store that something happened now, unless it did less than ``at_most_every`` ago."""
    last, now = time_of(key), timezone.now()
    if last is None or now - last >= at_most_every:
        caches["counters"].set(key, now, timeout=None)


def time_of(key: str) -> datetime | None:
    """The time of the last ``note_time``; None if it is not known."""
    found: datetime | None = caches["counters"].get(key)
    return found


def times_of(keys: list[str]) -> dict[str, datetime]:
    """``time_of`` for those keys that have one."""
    found: dict[str, datetime] = caches["counters"].get_many(keys)
    return found


@contextmanager
def _locked(key: str) -> Iterator[None]:
    folder = settings.VAR_DIR / "locks"
    folder.mkdir(parents=True, exist_ok=True)
    number = int(sha256(key.encode()).hexdigest(), 16) % _LOCKS
    with (folder / f"counter-{number}").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
