"""Search, duplicate detection and sorting of names, by tables that are derived from the records.

Imports ``audit`` and ``core``.
"""

from oegen.search.documents import kinds, rebuild, record_count, texts_of
from oegen.search.query import (
    Finding,
    Group,
    SearchResults,
    changed_last_by,
    keys_containing,
    keys_starting_with,
    matching,
)

__all__ = [
    "Finding",
    "Group",
    "SearchResults",
    "changed_last_by",
    "keys_containing",
    "keys_starting_with",
    "kinds",
    "matching",
    "rebuild",
    "record_count",
    "texts_of",
]
