"""Checks of each record's history, version by version, and of the record itself."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import groupby
from operator import attrgetter
from typing import Any, NamedTuple
from uuid import UUID

from django.db import connection

from oegen import audit
from oegen.audit import seals
from oegen.audit.audited import AuditedModel
from oegen.audit.integrity.chain import altered_row_findings, is_earlier
from oegen.audit.integrity.finding import Finding, entry_name, format_time, record_name
from oegen.audit.integrity.reading import Chunk, Faults, fault_findings, read, read_chunks
from oegen.audit.registry import Row
from oegen.core.database import key_set
from oegen.core.sql import fetch, uuid_of

#: A record or a history row, with its invalid values.
Read = tuple[Any, Faults]


def findings(model: type[AuditedModel], counts: Counter[str]) -> Iterator[Finding]:
    """Check the history rows of each record one after the other, and that each record equals the
    last one."""
    counts["records"] += model._base_manager.count()
    history = audit.history_model(model)
    altered: list[int] = []
    suspects: set[UUID] = set()
    for key, members in groupby(_read_history(history, altered), attrgetter("id")):
        entries = list(members)
        if key and _follow_one_another(entries):
            continue
        rows = [entry.read() for entry in entries]
        found = [one for row in rows for one in fault_findings(*row)]
        if key:
            found += _version_findings(rows)
        if found:
            yield from found
            suspects.add(key)
    yield from altered_row_findings(history, altered)
    unlike = _unlike_last_rows(model)
    if unlike is None:
        yield from _record_findings(model, None)
    elif unlike or suspects:
        yield from _record_findings(model, unlike | suspects)


class _Entry(NamedTuple):
    """What versions are checked by; ``read`` gives the whole row. Named like the columns."""

    id: UUID | None
    version: int
    history_id: int
    history_type: str
    history_date: datetime
    place: int
    chunk: Chunk[Any]

    def read(self) -> Read:
        return self.chunk.row(self.place)


def _read_history(history: type[Row], altered: list[int]) -> Iterator[_Entry]:
    """All rows of a history, by record and version. Adds the keys of those that do not match their
    digests to ``altered``; also of rows of older formats, which may match."""
    for chunk in read_chunks(history.objects.order_by("id", "version", "history_id")):
        digests = seals.digests_of(history, chunk.columns)
        stored = chunk.values("history_id", "digest")
        altered += [
            key for (key, digest), found in zip(stored, digests, strict=True) if digest != found
        ]
        for place, values in enumerate(chunk.values(*_Entry._fields[:5])):
            yield _Entry._make((*values, place, chunk))


def _follow_one_another(entries: list[_Entry]) -> bool:
    """Whether there is nothing to find about the versions of a record, none of them imported: so it
    is with most. ``_version_findings`` looks at the others."""
    last = None
    for entry in entries:
        if entry.place in entry.chunk.faults or _expected(last, entry, has_past=False):
            return False
        if last and (
            entry.history_id < last.history_id or is_earlier(entry.history_date, last.history_date)
        ):
            return False
        last = entry
    return True


def _version_findings(rows: list[Read]) -> Iterator[Finding]:
    """Check the history rows of one record, in the order of their versions."""
    written = [pair for pair in rows if pair[0].version != 0]
    last: Row | None = None
    last_faults: Faults = {}
    for row, faults in written:
        if not (faults or last_faults):
            yield from _step_findings(last, row, has_past=len(written) < len(rows))
        last, last_faults = row, faults


def _unlike_last_rows(model: type[AuditedModel]) -> set[UUID] | None:
    """The keys of records that are not what their last history rows say, or of which one is
    missing; None if a key is invalid.

    The last rows are those of the highest version, which is right where versions follow one
    another; other histories have findings already.
    """
    history = audit.history_model(model)
    recorded = {field.attname: field.column for field in history._meta.concrete_fields}
    pairs = [
        (field.column, recorded[field.attname])
        for field in model._meta.concrete_fields
        if not field.generated
    ]
    same = "IS NOT DISTINCT FROM" if connection.vendor == "postgresql" else "IS"
    is_equal = " AND ".join(f'live."{live}" {same} last."{column}"' for live, column in pairs)
    records, rows = model._meta.db_table, history._meta.db_table
    unlike = fetch(
        f"""
        SELECT live.id FROM {records} AS live
        LEFT JOIN (
            SELECT id, MAX(version) AS version FROM {rows} WHERE version <> 0 GROUP BY id
        ) AS newest ON newest.id = live.id
        LEFT JOIN {rows} AS last ON last.id = newest.id AND last.version = newest.version
        WHERE last.id IS NULL OR last.history_type = '{audit.REMOVED}' OR NOT ({is_equal})
        UNION ALL
        SELECT gone.id FROM {rows} AS gone
        WHERE NOT EXISTS (SELECT 1 FROM {records} AS live WHERE live.id = gone.id)
            AND NOT EXISTS (
                SELECT 1 FROM {rows} AS removal WHERE removal.id = gone.id
                AND removal.version >= gone.version AND removal.history_type = '{audit.REMOVED}'
            )
        """  # noqa: S608
    )
    keys = set()
    for (raw,) in unlike:
        try:
            key = uuid_of(raw)
        except (AttributeError, ValueError):
            return None
        if raw not in (key, key.hex):
            return None
        keys.add(key)
    return keys


def _record_findings(model: type[AuditedModel], keys: set[UUID] | None) -> Iterator[Finding]:
    """Compare the records with these keys, or all, with their histories, reading both in the order
    of their keys."""
    rows: Any = audit.history_model(model).objects.order_by("id", "version", "history_id")
    records: Any = model._base_manager.order_by("pk")
    if keys is not None:
        rows, records = (one.filter(id__in=key_set(keys)) for one in (rows, records))
    unreadable: list[Finding] = []

    def readable(rows: Iterable[Read]) -> Iterator[Read]:
        for row, faults in rows:
            unreadable.extend(fault_findings(row, faults))
            if row.pk is not None and getattr(row, "id", None) is not None:
                yield row, faults

    records = readable(read(records))
    record, faults = next(records, (None, {}))
    for key, members in groupby(readable(read(rows)), lambda pair: pair[0].id):
        written = [pair for pair in members if pair[0].version != 0]
        last = written[-1] if written else None
        while record is not None and record.pk.hex < key.hex:
            yield _without_history(record)
            record, faults = next(records, (None, {}))
        if record is not None and record.pk == key:
            yield from _last_row_findings(model, last, (record, faults))
            record, faults = next(records, (None, {}))
        else:
            yield from _last_row_findings(model, last, None)
    while record is not None:
        yield _without_history(record)
        record, faults = next(records, (None, {}))
    yield from unreadable


def _without_history(record: AuditedModel) -> Finding:
    return Finding(record_name(type(record), record), "it is here, and no history row says so")


def _last_row_findings(
    model: type[AuditedModel], last: Read | None, live: Read | None
) -> Iterator[Finding]:
    """Compare the last history row of a record with the record."""
    row, row_faults = last or (None, {})
    if live is None:
        if row is not None and row.history_type != audit.REMOVED:
            yield Finding(
                record_name(model, row),
                "it is gone, and no entry says who removed it",
                evidence=row.digest or "",
            )
        return
    record, faults = live
    if row is None:
        yield _without_history(record)
    elif row.history_type == audit.REMOVED:
        yield Finding(
            record_name(model, record),
            "it is here, and its last entry is a removal",
            evidence=row.digest or "",
        )
    else:
        yield from _differences(model, record, row, {*faults, *row_faults})


def _step_findings(last: Row | None, row: Row, *, has_past: bool) -> Iterator[Finding]:
    """Check ``row`` as the successor of ``last``."""
    if expected := _expected(last, row, has_past=has_past):
        yield Finding(entry_name(row), expected, evidence=row.digest)
    if last is None:
        return
    if row.history_id < last.history_id:
        yield Finding(
            entry_name(row), "it stands before the entry it follows on", evidence=row.digest
        )
    if is_earlier(row.history_date, last.history_date):
        yield Finding(
            entry_name(row),
            "the clock was set back before it was written",
            "date",
            format_time(row.history_date),
            f"after {format_time(last.history_date)}",
            evidence=row.digest,
        )


def _expected(last: Row | _Entry | None, row: Row | _Entry, *, has_past: bool) -> str:
    """An error message if ``row`` can't be the successor of ``last``; else empty."""
    if last is None:
        # Imported rows about a record's past come before its version 1.
        first = row.history_type == audit.CREATED or (has_past and row.history_type == "~")
        if row.version == 1 and first:
            return ""
        return "the entries before it are missing"
    if last.history_type == audit.REMOVED:
        if row.history_type == audit.CREATED and row.version == last.version + 1:
            return ""
        return "it follows on a removal, and is no return of the record"
    if row.history_type == audit.CREATED:
        return "it adds a record that was there already"
    step = 0 if row.history_type == audit.REMOVED else 1
    if row.version != last.version + step:
        return f"it follows on version {last.version}: the entries between are missing or doubled"
    return ""


def _differences(
    model: type[AuditedModel], live: AuditedModel, last: Row, unreadable: set[str]
) -> Iterator[Finding]:
    for field in model._meta.concrete_fields:
        if field.generated or field.attname in unreadable:
            continue
        values = [getattr(row, field.attname) for row in (live, last)]
        if type(values[0]) is type(values[1]) and values[0] == values[1]:
            continue
        now, recorded = (seals.normalize(field, value) for value in values)
        if now != recorded:
            yield Finding(
                record_name(model, live),
                "it was changed past the history",
                str(field.verbose_name),
                repr(now),
                repr(recorded),
                evidence=str(last.digest),
            )
