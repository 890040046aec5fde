"""Results that are kept in the cache: until what they were computed from changes."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import TypeVar

from django.core.cache import cache

from oegen import audit
from oegen.core import clock
from oegen.core.caching import CACHE_SECONDS, cache_key
from oegen.models import AuditedModel, ChangeSet
from pipelines.models import FactRevision, Stage, Technology

T = TypeVar("T")

#: Part of every cache key, because another release may define or draw figures differently.
_RELEASE = max(
    file.stat().st_mtime_ns
    for package in ("dashboard", "oegen", "pipelines")
    for suffix in ("py", "html")
    for file in (Path(__file__).parents[2] / package).rglob(f"*.{suffix}")
)


def key_of(*conditions: object) -> str:
    """The key of what is cached under these conditions."""
    return cache_key(_RELEASE, *conditions)


def keep(compute: Callable[[], T], *conditions: object) -> T:
    """The cached result of ``compute`` under these conditions, or a new one."""
    key = key_of(*conditions)
    found: T | None = cache.get(key)
    if found is None:
        found = compute()
        cache.set(key, found, timeout=CACHE_SECONDS)
    return found


def facts_version(until: datetime) -> list[object]:
    """What changes when the facts up to that moment, of an earlier day, do or what they refer to.

    Read it before what is to be cached: with a concurrent write, newer figures then get an older
    key, never the reverse.
    """
    before = ChangeSet.objects.filter(sealed_at__lt=until).order_by("-sealed_at", "-number")
    return [
        clock.today(),
        until,
        before.values_list("seal", flat=True).first(),
        FactRevision.objects.filter(changed_from__lt=until).count(),
        *table_version(Stage),
        *table_version(Technology),
    ]


def table_version(model: type[AuditedModel]) -> list[object]:
    """What changes with each write of a record of this model, because history only grows."""
    history = audit.history_model(model).objects
    newest = history.order_by("-history_id").values_list("digest", flat=True)
    return [history.count(), newest.first()]
