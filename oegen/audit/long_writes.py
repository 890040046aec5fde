"""Writes in several change sets that take minutes, such as the parts of a long import.

What takes long to compute from all records need not be computed anew after each part: while one is
under way, readers may show what was true before, and say so.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime

from django.utils import timezone

from oegen.audit.signals import long_write_begins, long_write_ends
from oegen.core import caching

#: After so many seconds without a part a write is not under way any more: its worker died.
SILENCE = 90

_KEY = "long-write"


@contextmanager
def long_write(parts: int) -> Iterator[Callable[[], None]]:
    """Inside, a write in so many parts is under way; call what it gives after each part. A write in
    one part is nothing special.

    A receiver of the signals that fails is logged and does not end the write: it only prepares what
    readers would compute.
    """
    if parts < 2:
        yield lambda: None
        return
    began = timezone.now()

    def goes_on() -> None:
        caching.write(_KEY, began, SILENCE)

    long_write_begins.send_robust(None, began=began)
    goes_on()
    try:
        yield goes_on
        long_write_ends.send_robust(None)
    finally:
        caching.forget(_KEY)


def long_write_since() -> datetime | None:
    """When the long write began that is under way; None if none is."""
    found: datetime | None = caching.read(_KEY)
    return found
