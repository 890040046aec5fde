"""SQL of facts that is written once for all days: Django takes as long to write it as the database
to read some thousand rows."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

from django.db import connection

from oegen.core import clock
from oegen.core.sql import Values
from pipelines.choices import UNCONFIRMED_DAYS

#: Stands for the effective day; no fact is of it.
_ANY_DAY = date(1800, 1, 1)


def write_for_any_day(write: Callable[[], tuple[str, Values]]) -> tuple[str, Values]:
    """SQL, with parameters for ``of_today``, of expressions that depend on the effective day, and
    on the day from which on a rating is confirmed, only."""
    with clock.override_day(_ANY_DAY):
        return write()


def of_today(params: Values) -> Values:
    """The parameters that ``write_for_any_day`` gave, for the effective day."""
    with clock.override_day(_ANY_DAY):
        any_day = _days()
    days = dict(zip(any_day, _days(), strict=True))
    return tuple(days.get(one, one) if isinstance(one, date | str) else one for one in params)


def _days() -> Values:
    return (
        connection.ops.adapt_datefield_value(clock.today()),
        connection.ops.adapt_datetimefield_value(clock.days_ago(UNCONFIRMED_DAYS)),
    )
