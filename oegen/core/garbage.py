"""When Python looks for garbage in reference cycles."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

#: The number of new objects after which to look; a hundred times as many as usual.
MANY_OBJECTS = 70_000


@contextmanager
def rare_garbage_collection() -> Iterator[None]:
    """Look for cycles less often, for work that makes many objects which stay: a seventh of its
    time would be spent on looking at them again and again."""
    before = gc.get_threshold()
    gc.set_threshold(MANY_OBJECTS, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)
