"""The portfolio as of the end of a day, for every query inside ``as_of(day)``.

Imports ``search``, ``audit`` and ``core``.
"""

from oegen.asof.tables import (
    as_of,
    data_version,
    first_entry,
    is_written,
    register_past_rows,
    stored_table,
    table,
    whole_history,
)
from oegen.asof.urls import FIRST_DAY, PARAMETER, URL_ATTRIBUTES, keep_day, keep_day_in

__all__ = [
    "FIRST_DAY",
    "PARAMETER",
    "URL_ATTRIBUTES",
    "as_of",
    "data_version",
    "first_entry",
    "is_written",
    "keep_day",
    "keep_day_in",
    "register_past_rows",
    "stored_table",
    "table",
    "whole_history",
]
