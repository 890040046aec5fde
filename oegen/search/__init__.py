"""Search, duplicate detection and sorting of names, by tables that are derived from the records.

Imports ``audit`` and ``core``.
"""

from oegen.search.documents import kinds, rebuild, record_count, texts_of
from oegen.search.query import Finding, Group, changed_last_by, matching, named, starting

__all__ = [
    "Finding",
    "Group",
    "changed_last_by",
    "kinds",
    "matching",
    "named",
    "rebuild",
    "record_count",
    "starting",
    "texts_of",
]
