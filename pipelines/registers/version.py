"""What changes whenever something that pages about registers read does: a part of cache keys."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from oegen import asof, audit
from oegen.core import clock, sql
from oegen.core.caching import keep
from pipelines.models import Technology
from pipelines.registers.models import Edition, Match, Register

T = TypeVar("T")

#: How long is cached what stays the same until another edition is written.
_SECONDS = 24 * 3600


def keep_with_editions(compute: Callable[[], T], *conditions: object) -> T:
    """The result of ``compute``, cached until an edition, a register or a technology, whose name
    choices show, is written."""
    return keep(compute, *conditions, *_editions_version(), seconds=_SECONDS)


def keep_with_registers(compute: Callable[[], T], *conditions: object) -> T:
    """As above, and until a match is: groups of companies follow from these."""
    version = [*_editions_version(), *audit.table_version(Match)]
    return keep(compute, *conditions, *version, seconds=_SECONDS)


def _editions_version() -> list[object]:
    """On a past page the editions that are fetched later count, too: what was known on a day
    depends on the date of the editions."""
    contents = sql.fetch(
        f"SELECT contents FROM {asof.stored_table(Edition)} ORDER BY contents"  # noqa: S608
    )
    return [*audit.table_version(Register, Technology), clock.past_day(), contents]
