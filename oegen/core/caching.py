"""What is computed from records and cached until they change."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache as once
from hashlib import sha256
from pathlib import Path
from threading import Lock, RLock
from typing import Any, TypeVar, cast
from weakref import WeakValueDictionary

from django.apps import apps
from django.core.cache import cache

T = TypeVar("T")

#: How long results are cached that depend on records.
CACHE_SECONDS = 3600

#: What the process holds, with its key: one pair, which threads exchange as a whole.
_held: list[tuple[str, Any]] = [("", None)]

#: Of what is being computed, by key: those that a thread uses.
_locks: WeakValueDictionary[str, RLock] = WeakValueDictionary()
_locks_lock = Lock()

_is_bypassed: ContextVar[bool] = ContextVar("oegen_cache_is_bypassed", default=False)


def cache_key(*conditions: object) -> str:
    """A key that is the same only for the same conditions and the same release.

    A digest, because SQL and filters may contain characters and lengths that keys must not have.
    """
    return sha256(":".join(map(str, (_release(), *conditions))).encode()).hexdigest()


def keep(compute: Callable[[], T], *conditions: object, seconds: int = CACHE_SECONDS) -> T:
    """The cached result of ``compute`` under these conditions, or a new one. ``seconds`` is how
    long it is cached."""
    key = cache_key(*conditions)
    found: T | None = read(key)
    if found is None:
        with computing(key):
            found = read(key)
            if found is None:
                found = compute()
                write(key, found, seconds)
    return found


def hold(compute: Callable[[], T], *conditions: object) -> T:
    """The result of ``compute`` under these conditions, of which the process holds the last: for
    one that many pages need, and that takes longer to cache than to compute. It must not be
    changed."""
    if _is_bypassed.get():
        return compute()
    key = cache_key(*conditions)
    with computing(key):
        known, found = _held[0]
        # The cache says whether it was emptied since.
        if known != key or read(key) is None:
            found = compute()
            write(key, True)
            _held[0] = key, found
        return cast("T", found)


@contextmanager
def computing(key: str) -> Iterator[None]:
    """Compute inside what will be cached under the key, unless it is by then: one thread of the
    process at a time. After a write several ask for the same, and each would need its memory.

    What is computed may need other keys, but none that needs this one.
    """
    if _is_bypassed.get():
        yield
        return
    with _locks_lock:
        lock = _locks.setdefault(key, RLock())
    with lock:
        yield


def read(key: str) -> Any:
    """What is cached under a ``cache_key``; None if nothing is."""
    return None if _is_bypassed.get() else cache.get(key)


def write(key: str, value: Any, seconds: int = CACHE_SECONDS) -> None:
    if not _is_bypassed.get():
        cache.set(key, value, timeout=seconds)


def forget(key: str) -> None:
    cache.delete(key)


@contextmanager
def uncached() -> Iterator[None]:
    """Compute everything inside, for figures that have to be of one snapshot: what is cached may be
    newer than its key."""
    token = _is_bypassed.set(True)
    try:
        yield
    finally:
        _is_bypassed.reset(token)


@once
def _release() -> int:
    """The time of the newest source file: another release may define or draw figures
    differently."""
    return max(
        file.stat().st_mtime_ns
        for app in apps.get_app_configs()
        if "site-packages" not in app.path
        for suffix in ("py", "html")
        for file in Path(app.path).rglob(f"*.{suffix}")
    )
