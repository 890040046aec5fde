"""What changes whenever something that pages about registers read does: a part of cache keys."""

from __future__ import annotations

from oegen import asof, audit
from oegen.core import clock, sql
from pipelines.registers.models import Edition, Match, Register


def registers_version() -> list[object]:
    """On a past page the editions that are fetched later count, too: what was known on a day
    depends on the date of the editions."""
    contents = sql.fetch(
        f"SELECT contents FROM {asof.stored_table(Edition)} ORDER BY contents"  # noqa: S608
    )
    return [*audit.table_version(Register, Match), clock.past_day(), contents]
