"""Thousands of keys of records as bytes, which a cache keeps in less than half the space of text.

The bytes of the keys follow each other, ``KEY_BYTES`` for each.
"""

from __future__ import annotations

from collections.abc import Iterator
from uuid import UUID

KEY_BYTES = 16


def pack(keys: str) -> bytes:
    """``keys`` are in hexadecimal digits, with or without hyphens, and spaces between them."""
    return bytes.fromhex(keys.replace("-", ""))


def unpack(packed: bytes) -> list[UUID]:
    return [UUID(bytes=one) for one in _each(packed)]


def count(packed: bytes) -> int:
    return len(packed) // KEY_BYTES


def part(packed: bytes, start: int, size: int) -> bytes:
    """The keys from that place on, as many as there are up to ``size``."""
    return packed[KEY_BYTES * start : KEY_BYTES * (start + size)]


def without(packed: bytes, others: bytes) -> bytes:
    left_out = set(_each(others))
    return b"".join(one for one in _each(packed) if one not in left_out)


def _each(packed: bytes) -> Iterator[bytes]:
    return (packed[start : start + KEY_BYTES] for start in range(0, len(packed), KEY_BYTES))
