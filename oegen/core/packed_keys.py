"""Thousands of keys of records as bytes, which a cache keeps in less than half the space of text.

The bytes of the keys follow each other, ``KEY_BYTES`` for each.
"""

from __future__ import annotations

import sys
from array import array
from collections.abc import Iterator, Set
from itertools import chain
from operator import not_
from struct import Struct
from uuid import UUID

KEY_BYTES = 16

#: Keys are read so many at a time.
_SEVERAL = Struct(f"{KEY_BYTES}s" * 512)


def pack(keys: str) -> bytes:
    """``keys`` are in hexadecimal digits, with or without hyphens, and spaces between them."""
    return bytes.fromhex(keys.replace("-", ""))


def unpack(packed: bytes) -> list[UUID]:
    return [UUID(bytes=one) for one in each(packed)]


def count(packed: bytes) -> int:
    return len(packed) // KEY_BYTES


def part(packed: bytes, start: int, size: int) -> bytes:
    """The keys from that place on, as many as there are up to ``size``."""
    return packed[KEY_BYTES * start : KEY_BYTES * (start + size)]


def each(packed: bytes) -> Iterator[bytes]:
    start = len(packed) % _SEVERAL.size
    first = (packed[place : place + KEY_BYTES] for place in range(0, start, KEY_BYTES))
    others = _SEVERAL.iter_unpack(memoryview(packed)[start:])
    return chain(first, chain.from_iterable(others))


def are_wanted(packed: bytes, only: Set[bytes] | None, but: Set[bytes]) -> Iterator[bool]:
    """Whether each is one of these or, where these are None, one of all ``but`` those."""
    if only is not None:
        return map(only.__contains__, each(packed))
    return map(not_, map(but.__contains__, each(packed)))


def pack_numbers(numbers: str) -> array[int]:
    """``numbers`` are in eight hexadecimal digits each, with spaces between them."""
    found = array("I", bytes.fromhex(numbers))
    if sys.byteorder == "little":
        found.byteswap()
    return found
