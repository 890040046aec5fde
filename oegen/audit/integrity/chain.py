"""The chain of seals, and the history rows that it covers.

The rows of all change sets are compared with the seals by their stored digests. Only where these
differ, or a row does not match its digest (oegen.audit.integrity.records), whole change sets are
read to say what is wrong.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from functools import partial
from itertools import chain as chain_of
from itertools import groupby
from operator import itemgetter
from typing import Any
from uuid import UUID

from django.db.models import Exists, OuterRef, QuerySet

from oegen import audit
from oegen.audit import seals
from oegen.audit.audited import AuditedModel
from oegen.audit.changesets import ChangeSet
from oegen.audit.integrity.finding import Finding, entry_name, format_time
from oegen.audit.integrity.reading import fault_findings, read, read_chunks
from oegen.audit.registry import Row

#: The number of change sets that are compared with their rows at a time: each takes a statement of
#: every history table.
CHUNK = 10_000

#: What is read of every row.
COMPARED = ("change_set_id", "history_id", "digest", "history_date")

#: The allowed difference between the clocks of several servers.
CLOCK_TOLERANCE = timedelta(seconds=5)

#: Sources whose history rows may be back-dated.
BACK_DATED = (audit.Source.IMPORT, audit.Source.SAMPLE, audit.Source.MIGRATION)


def findings(counts: Counter[str]) -> Iterator[Finding]:
    number, seal, seal_format, sealed_at = 0, seals.START, 1, None
    while True:
        # In chunks, not by one long query, because rows are read in between.
        chunk = list(read(ChangeSet.objects.filter(number__gt=number).order_by("number")[:CHUNK]))
        numbered = [(one, faults) for one, faults in chunk if one.number is not None]
        before = number
        for change_set, faults in chunk:
            yield from fault_findings(change_set, faults)
        if not numbered:
            return
        for change_set, faults in numbered:
            counts["change sets"] += 1
            where = f"Change set {change_set.number}"
            own_format = change_set.seal_format or 1
            seal_of = None if faults else partial(seals.seal_of, change_set, seal)
            yield from link_findings(where, change_set, number, seal_of)
            if own_format < seal_format:
                yield Finding(
                    where,
                    "it is sealed by an older format than those before it",
                    "format",
                    str(own_format),
                    f"{seal_format} before it",
                    evidence=change_set.seal or "",
                )
            if sealed_at and change_set.sealed_at and is_earlier(change_set.sealed_at, sealed_at):
                yield Finding(
                    where,
                    "the clock was set back before it was written",
                    "sealed at",
                    format_time(change_set.sealed_at),
                    f"after {format_time(sealed_at)}",
                    evidence=change_set.seal or "",
                )
            number, seal = change_set.number, change_set.seal or ""
            seal_format = max(seal_format, own_format)
            sealed_at = change_set.sealed_at or sealed_at
        selected = ChangeSet.objects.filter(number__gt=before, number__lte=number).order_by()
        suspects = _unlike_sealed([one for one, _ in numbered], selected, counts)
        if suspects:
            numbers = [one.number for one in suspects]
            yield from _row_findings(suspects, selected.filter(number__in=numbers))


def link_findings(
    where: str, one: Any, number: int, seal_of: Callable[[], str] | None
) -> Iterator[Finding]:
    """Check that a change set or security event follows the one with ``number`` in its chain.
    ``seal_of`` computes its expected seal; None if it can't be read."""
    if one.number != number + 1:
        gone = f"{number + 1} to {one.number - 1}"
        yield Finding(where, f"the ones before it are missing (numbers {gone})")
    elif seal_of and (found := seal_of()) != one.seal:
        yield Finding(
            where,
            "its seal does not follow from what it says and the seal before it: it, "
            "or the seal of the one before, was altered",
            evidence=f"{found} {one.seal}",
        )


def is_earlier(when: datetime, before: datetime) -> bool:
    """Whether the clock was set back in between."""
    return when < before - CLOCK_TOLERANCE


def _unlike_sealed(
    chunk: list[ChangeSet], selected: QuerySet[ChangeSet], counts: Counter[str]
) -> list[ChangeSet]:
    """The change sets whose rows, by their stored digests, are not the sealed ones, or are dated
    outside of their time. ``selected`` selects the same change sets."""
    by_key = {change_set.pk: change_set for change_set in chunk if change_set.pk}
    found: dict[UUID, dict[str, list[int | str]]] = {key: {} for key in by_key}
    misdated: set[UUID] = set()
    for history in map(audit.history_model, audit.tracked_models()):
        label = history._meta.label_lower
        # A subquery: for each of many tables, a list of keys takes longer than the rows.
        rows = history.objects.filter(change_set__in=selected.values("pk"))
        chunks = read_chunks(rows.order_by("change_set_id", "history_id"), *COMPARED)
        ordered = chain_of.from_iterable(chunk.values(*COMPARED) for chunk in chunks)
        for key, members in groupby(ordered, itemgetter(0)):
            if key not in by_key:
                continue  # Its change set can't be read.
            tally = seals.Tally()
            span = _span(by_key[key])
            for _, history_id, digest, when in members:
                tally.add(history_id, digest)
                if span and not (when and span[0] <= when <= span[1]):
                    misdated.add(key)
            counts["history rows"] += tally.rows
            found[key][label] = tally.as_contents()
    return [
        change_set
        for key, change_set in by_key.items()
        if key in misdated or change_set.contents != found[key]
    ]


def altered_row_findings(history: type[Row], altered: Sequence[int]) -> Iterator[Finding]:
    """Compare the change sets of these history rows with what was sealed."""
    for start in range(0, len(altered), CHUNK):
        rows = history.objects.filter(pk__in=altered[start : start + CHUNK])
        selected = ChangeSet.objects.filter(pk__in=rows.values("change_set_id")).order_by()
        found = [one for one, _ in read(selected.filter(number__isnull=False))]
        yield from _row_findings([one for one in found if one.number is not None], selected)


def _row_findings(chunk: list[ChangeSet], selected: QuerySet[ChangeSet]) -> Iterator[Finding]:
    """Compare all rows of some change sets with their sealed contents. ``selected`` selects the
    same change sets."""
    by_key = {change_set.pk: change_set for change_set in chunk if change_set.pk}
    found: dict[UUID, dict[str, list[int | str]]] = {key: {} for key in by_key}
    has_findings: set[tuple[UUID, str]] = set()
    for history in map(audit.history_model, audit.tracked_models()):
        label = history._meta.label_lower
        rows = history.objects.filter(change_set__in=selected.values("pk"))
        ordered = read(rows.order_by("change_set_id", "history_id"))
        for key, members in groupby(ordered, lambda pair: pair[0].change_set_id):
            if key not in by_key:
                continue  # Its change set can't be read.
            tally = seals.Tally()
            for row, faults in members:
                if faults:
                    has_findings.add((key, label))
                    tally.add(row.history_id, row.digest or "")
                    yield from fault_findings(row, faults)
                    continue
                digest = seals.digest_of(row, by_key[key].seal_format or 1)
                tally.add(row.history_id, digest)
                if digest != row.digest:
                    has_findings.add((key, label))
                    yield Finding(
                        entry_name(row),
                        "it does not say what it said when sealed",
                        evidence=f"{digest} {row.digest}",
                    )
                yield from _date_findings(row, by_key[key])
            found[key][label] = tally.as_contents()
    for key, change_set in by_key.items():
        yield from _contents_findings(change_set, found[key], has_findings)


def _contents_findings(
    change_set: ChangeSet,
    actual: dict[str, list[int | str]],
    has_findings: set[tuple[UUID, str]],
) -> Iterator[Finding]:
    where = f"Change set {change_set.number}"
    contents = change_set.contents
    is_table = isinstance(contents, dict) and all(
        isinstance(one, list) and len(one) == 2 for one in contents.values()
    )
    if not is_table:
        if contents is not None:  # Otherwise it is unreadable and reported already.
            yield Finding(where, f"its contents are no list of tables: {contents!r:.200}")
        return
    for label in sorted({*contents, *actual}):
        sealed, found = contents.get(label, [0, ""]), actual.get(label, [0, ""])
        if found[0] != sealed[0]:
            yield Finding(
                where,
                "history rows were added or removed",
                f"number of {label}",
                str(found[0]),
                str(sealed[0]),
                evidence=str(found[1]),
            )
        elif found != sealed and (change_set.pk, label) not in has_findings:
            yield Finding(
                where,
                f"its rows of {label} are not the ones that were sealed",
                evidence=str(found[1]),
            )


def rows_without_change_set(model: type[AuditedModel]) -> Iterator[Finding]:
    """Find history rows whose change set does not exist."""
    known = ChangeSet.objects.filter(pk=OuterRef("change_set_id"))
    history = audit.history_model(model)
    for row, faults in read(history.objects.filter(~Exists(known))):
        yield from fault_findings(row, faults)
        if "change_set_id" not in faults:
            yield Finding(entry_name(row), "it belongs to no change set", evidence=row.digest or "")


def _date_findings(row: Row, change_set: ChangeSet) -> Iterator[Finding]:
    """Check that the row is dated within the time of its change set."""
    span = _span(change_set)
    if span and not span[0] <= row.history_date <= span[1]:
        yield Finding(
            entry_name(row),
            f"its date lies outside the time of its change set {change_set.number}",
            "date",
            format_time(row.history_date),
            f"{format_time(change_set.recorded_at)} to {format_time(change_set.sealed_at)}",
            evidence=row.digest,
        )


def _span(change_set: ChangeSet) -> tuple[datetime, datetime] | None:
    """The time in which its rows are dated; None if they may be back-dated."""
    if change_set.source in BACK_DATED or not (change_set.recorded_at and change_set.sealed_at):
        return None
    return change_set.recorded_at - CLOCK_TOLERANCE, change_set.sealed_at + CLOCK_TOLERANCE
