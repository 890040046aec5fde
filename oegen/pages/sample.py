"""Whether the database contains the sample portfolio, which every page shows as a notice."""

from __future__ import annotations

import time

from django.db import DEFAULT_DB_ALIAS, connections

from oegen import asof, audit
from oegen.audit.changesets import ChangeSet

#: The sample is loaded into an empty database, so its change sets are among the first.
FIRST_CHANGE_SETS = 10_000

#: How long a negative result is cached.
CACHE_SECONDS = 60

#: By database: until when a negative result is cached; infinity for a positive one.
_cached_until: dict[str, float] = {}


def is_loaded() -> bool:
    """Whether ``load_sample`` was ever run. The history preserves that."""
    database = str(connections[DEFAULT_DB_ALIAS].settings_dict["NAME"])
    until = _cached_until.get(database, 0)
    if until > time.monotonic():
        return until == float("inf")
    found = find_sample()
    _cached_until[database] = float("inf") if found else time.monotonic() + CACHE_SECONDS
    return found


def find_sample() -> bool:
    """The uncached check, by a query whose cost does not depend on the size of the database."""
    with connections[DEFAULT_DB_ALIAS].cursor() as cursor:
        cursor.execute(
            f"SELECT 1 FROM {asof.stored_table(ChangeSet)} "  # noqa: S608
            "WHERE number <= %s AND source = %s LIMIT 1",
            [FIRST_CHANGE_SETS, audit.Source.SAMPLE],
        )
        return cursor.fetchone() is not None
