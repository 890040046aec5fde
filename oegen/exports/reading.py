"""Reading the rows of a download: only the values that its columns need, a chunk at a time.

No model instances are made, and each column of a chunk is computed as a whole.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from operator import attrgetter
from typing import Any

from django.db.models import Model, Prefetch, QuerySet
from django.db.models.constants import LOOKUP_SEP

from oegen.exports.sheets import CHUNK, export_values


@dataclass(frozen=True)
class LinkedRows:
    """The rows that ``prefetch``, which must have a queryset, reads for each record, in its order;
    ``owner`` is the lookup from such a row to the record's key.

    The prefetch needs ``to_attr``, too: without it, Django makes a queryset for each record, which
    takes longer than reading the rows.
    """

    prefetch: Prefetch
    owner: str

    def of_keys(self, keys: Sequence[Any], lookups: Sequence[str]) -> dict[Any, list[tuple]]:
        """By the record's key, the values of each lookup over its rows; only records with rows."""
        rows: QuerySet = self.prefetch.queryset  # type: ignore[assignment]  # None is allowed, too
        rows = rows.filter(**{f"{self.owner}__in": keys}).prefetch_related(None)
        found: dict[Any, list[list]] = {}
        for key, *values in rows.values_list(self.owner, *lookups):
            found.setdefault(key, []).append(values)
        return {key: list(zip(*values, strict=True)) for key, values in found.items()}


@dataclass(frozen=True)
class FileValue:
    """A value of each record, computed from the values of ``lookups``: those of the record or,
    with ``linked``, of its linked rows, for each lookup a sequence."""

    lookups: tuple[str, ...]
    compute: Callable[..., Any] | None = None
    linked: LinkedRows | None = None

    def __deepcopy__(self, memo: dict) -> FileValue:
        """Tables copy their columns for each use."""
        return self

    def of_record(self, record: Model) -> Any:
        """The value of a model instance; linked rows must be prefetched."""
        getters = [attrgetter(lookup.replace(LOOKUP_SEP, ".")) for lookup in self.lookups]
        values: list[Any]
        if self.linked is None:
            values = [get(record) for get in getters]
        else:
            rows = getattr(record, self.linked.prefetch.prefetch_to)
            values = [[get(row) for row in rows] for get in getters]
        return self.compute(*values) if self.compute else values[0]


def file_rows(records: QuerySet, columns: Iterable[FileValue]) -> Iterator[tuple]:
    """A row of ``export_value`` values for each record; ``records`` must have the annotations that
    the columns look up."""
    columns = list(columns)
    own = _lookups(column for column in columns if column.linked is None)
    linked = {
        one: _lookups(column for column in columns if column.linked == one)
        for one in dict.fromkeys(column.linked for column in columns if column.linked)
    }
    rows = records.prefetch_related(None).values_list("pk", *own).iterator(chunk_size=CHUNK)
    while chunk := list(islice(rows, CHUNK)):
        keys, *values = zip(*chunk, strict=True)
        values_of: dict[tuple[LinkedRows | None, str], Sequence[Any]] = {
            (None, name): value for name, value in zip(own, values, strict=True)
        }
        for one, names in linked.items():
            found = one.of_keys(keys, names)
            nothing = [()] * len(names)
            by_record = zip(*(found.get(key, nothing) for key in keys), strict=True)
            values_of |= {(one, name): value for name, value in zip(names, by_record, strict=True)}
        made = []
        for column in columns:
            needed = [values_of[column.linked, name] for name in column.lookups]
            result = list(map(column.compute, *needed)) if column.compute else needed[0]
            made.append(export_values(result))
        yield from zip(*made, strict=True)


def _lookups(columns: Iterable[FileValue]) -> list[str]:
    return list(dict.fromkeys(name for column in columns for name in column.lookups))
