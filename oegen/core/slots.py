"""A limit on how many expensive operations run at once, across all processes of this host."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from typing import Any

from django.conf import settings


class NoSlotError(Exception):
    """All slots are taken."""


class Slot:
    """One of ``number`` slots of that name, held until ``release`` or the end of the process.

    Raises NoSlotError when all are taken.
    """

    def __init__(self, name: str, number: int):
        folder = settings.SLOTS_DIR
        folder.mkdir(parents=True, exist_ok=True)
        for index in range(number):
            file = (folder / f"{name}-{index}").open("w")
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                file.close()
            else:
                self._file = file
                return
        raise NoSlotError(name)

    def release(self) -> None:
        self._file.close()

    def release_after(self, parts: Iterator[Any]) -> ReleasingChunks:
        """Wrap the chunks of a streaming response: closing it releases the slot, even if it was
        not read to its end."""
        return ReleasingChunks(self, parts)


class ReleasingChunks:
    """Chunks of a response; ``close``, which Django calls at its end, releases the slot."""

    def __init__(self, slot: Slot, parts: Iterator[Any]):
        self._slot = slot
        self._parts = parts

    def __iter__(self) -> ReleasingChunks:
        return self

    def __next__(self) -> Any:
        return next(self._parts)

    def close(self) -> None:
        self._slot.release()
