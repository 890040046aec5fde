"""Whether the portfolio is the invented one, which every page says."""

from __future__ import annotations

import time

from django.db import DEFAULT_DB_ALIAS, connections

from oegen import asof, audit
from oegen.audit.changesets import ChangeSet

#: The sample is for an empty database, so that its change sets are among the first.
FIRST_CHANGE_SETS = 10_000

#: How long it may take until the pages of a running site say so.
ASKED_EVERY_SECONDS = 60

#: Until when a database is known to hold no sample; for ever, infinity, that it does.
_asked: dict[str, float] = {}


def is_loaded() -> bool:
    """Whether ``load_sample`` ever wrote to the database: history is never removed."""
    database = str(connections[DEFAULT_DB_ALIAS].settings_dict["NAME"])
    until = _asked.get(database, 0)
    if until > time.monotonic():
        return until == float("inf")
    found = find_sample()
    _asked[database] = float("inf") if found else time.monotonic() + ASKED_EVERY_SECONDS
    return found


def find_sample() -> bool:
    """As is_loaded, by a query whose cost does not grow with the database."""
    with connections[DEFAULT_DB_ALIAS].cursor() as cursor:
        cursor.execute(
            f"SELECT 1 FROM {asof.stored_table(ChangeSet)} "  # noqa: S608
            "WHERE number <= %s AND source = %s LIMIT 1",
            [FIRST_CHANGE_SETS, audit.Source.SAMPLE],
        )
        return cursor.fetchone() is not None
