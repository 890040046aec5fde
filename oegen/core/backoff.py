"""Pauses between attempts: exponential back-off with jitter, so that what failed together is not
tried again together."""

from __future__ import annotations

import random
from datetime import timedelta

#: The pause after the first failure, and the longest.
MIN_WAIT = timedelta(seconds=30)
MAX_WAIT = timedelta(hours=1)

_jitter = random.SystemRandom().uniform


def pause_after(attempts: int) -> timedelta:
    """The pause after so many failed attempts (at least 1): doubled each time up to MAX_WAIT, and
    shortened at random by up to a half."""
    doubled: timedelta = MIN_WAIT * 2 ** min(attempts - 1, 20)
    return min(doubled, MAX_WAIT) * _jitter(0.5, 1)
