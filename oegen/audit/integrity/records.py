"""Checks of each record's history, version by version, and of the record itself."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import Any

from oegen import audit
from oegen.audit import seals
from oegen.audit.audited import AuditedModel
from oegen.audit.integrity.chain import CLOCK_TOLERANCE
from oegen.audit.integrity.finding import Finding, entry_name, format_time, record_name
from oegen.audit.integrity.reading import Faults, fault_findings, read
from oegen.audit.registry import Row

#: A record or a history row, with its invalid values.
Read = tuple[Any, Faults]


def findings(model: type[AuditedModel], counts: Counter[str]) -> Iterator[Finding]:
    """Compare the records with their histories, reading both in the order of their keys."""
    unreadable: list[Finding] = []

    def readable(rows: Iterable[Read]) -> Iterator[Read]:
        for row, faults in rows:
            unreadable.extend(fault_findings(row, faults))
            if row.pk is not None and getattr(row, "id", None) is not None:
                yield row, faults

    rows = read(audit.history_model(model).objects.order_by("id", "version", "history_id"))
    records = readable(read(model._base_manager.order_by("pk")))
    record, faults = next(records, (None, {}))
    for key, members in groupby(readable(rows), lambda pair: pair[0].id):
        history = list(members)
        while record is not None and record.pk.hex < key.hex:
            yield _without_history(record, counts)
            record, faults = next(records, (None, {}))
        if record is not None and record.pk == key:
            yield from _record_findings(model, history, (record, faults), counts)
            record, faults = next(records, (None, {}))
        else:
            yield from _record_findings(model, history, None, counts)
    while record is not None:
        yield _without_history(record, counts)
        record, faults = next(records, (None, {}))
    yield from unreadable


def _without_history(record: AuditedModel, counts: Counter[str]) -> Finding:
    counts["records"] += 1
    return Finding(record_name(type(record), record), "it is here, and no history row says so")


def _record_findings(
    model: type[AuditedModel], rows: list[Read], live: Read | None, counts: Counter[str]
) -> Iterator[Finding]:
    """Check the history rows of one record, in the order of their versions, and the record."""
    written = [pair for pair in rows if pair[0].version != 0]
    last: Row | None = None
    last_faults: Faults = {}
    for row, faults in written:
        if not (faults or last_faults):
            yield from _step_findings(last, row, has_past=len(written) < len(rows))
        last, last_faults = row, faults
    if live is None:
        if last is not None and last.history_type != audit.REMOVED:
            yield Finding(
                record_name(model, last),
                "it is gone, and no entry says who removed it",
                evidence=last.digest or "",
            )
        return
    counts["records"] += 1
    record, faults = live
    if last is None:
        yield Finding(record_name(model, record), "it is here, and no history row says so")
    elif last.history_type == audit.REMOVED:
        yield Finding(
            record_name(model, record),
            "it is here, and its last entry is a removal",
            evidence=last.digest or "",
        )
    else:
        yield from _differences(model, record, last, {*faults, *last_faults})


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
    if row.history_date < last.history_date - CLOCK_TOLERANCE:
        yield Finding(
            entry_name(row),
            "the clock was set back before it was written",
            "date",
            format_time(row.history_date),
            f"after {format_time(last.history_date)}",
            evidence=row.digest,
        )


def _expected(last: Row | None, row: Row, *, has_past: bool) -> str:
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
