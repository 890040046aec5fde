"""Freezing a committee report, and checking a frozen one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from uuid import UUID

from django.db import DEFAULT_DB_ALIAS

from dashboard.models import FrozenReport
from dashboard.report_content import FORMAT, Content
from oegen import audit
from oegen.audit import seals
from oegen.audit.registry import Row
from oegen.core import caching, database
from oegen.models import ChangeSet, User


def freeze_report(
    *, key: UUID, name: str, note: str, person: User, read: Callable[[], Content | None]
) -> FrozenReport | None:
    """Store what ``read`` returns, with the seal of the newest change set that it contains; None if
    there is nothing to report on. A ``key`` that is there already gives that report."""
    known: FrozenReport | None = FrozenReport.objects.filter(pk=key).first()
    if known is not None:
        return known
    # In a transaction of its own: on PostgreSQL, the change set that is written next has to see
    # later ones than the snapshot does, to follow on them.
    with database.snapshot(DEFAULT_DB_ALIAS, read_only=False), caching.uncached():
        content = read()
        newest = ChangeSet.objects.order_by("-number").values_list("number", "seal")
        number, seal = newest.first() or (0, seals.START)
    if content is None:
        return None
    figures = content["figures"]
    red = next(row for row in figures["rag"] if row["key"] == "red")
    with audit.change_set(person=person):
        frozen, _ = FrozenReport.objects.get_or_create(
            pk=key,
            defaults={
                "name": name,
                "note": note,
                "day": date.fromisoformat(content["day"]),
                "since": date.fromisoformat(content["since"]),
                "query": content["query"],
                "frozen_by": person,
                "open_mw": Decimal(figures["key"][0]["mw"]),
                "red_mw": Decimal(red["mw"]),
                "format": FORMAT,
                "content": content,
                "data_number": number,
                "data_seal": seal,
            },
        )
    return frozen


@dataclass(frozen=True)
class Proof:
    """The change set that a frozen report was written in, and what of it does not agree with its
    seal: nothing, if the report is as it was frozen."""

    change_set: ChangeSet | None
    problems: tuple[str, ...]


def proof_of(frozen: FrozenReport) -> Proof:
    """Compute the digest and the seal of a frozen report again. ``audit_check`` also follows the
    chain of seals from its start."""
    history = audit.history_model(FrozenReport)
    rows = list(history.objects.filter(id=frozen.pk).select_related("change_set"))
    if len(rows) != 1:
        return Proof(None, (f"The history has {len(rows)} entries of it, not one.",))
    [row] = rows
    return Proof(row.change_set, tuple(_problems(frozen, row)))


def _problems(frozen: FrozenReport, row: Row) -> Iterator[str]:
    for field in FrozenReport._meta.concrete_fields:
        now, then = (seals.normalize(field, getattr(one, field.attname)) for one in (frozen, row))
        if now != then:
            yield f"Its {field.verbose_name} is not what was frozen."
    change_set = row.change_set
    if seals.digest_of(row, change_set.seal_format or 1) != row.digest:
        yield "Its entry in the history was altered."
    tally = seals.Tally()
    rows = type(row).objects.filter(change_set=change_set).order_by("history_id")
    for key, digest in rows.values_list("history_id", "digest"):
        tally.add(key, digest)
    before = seal_of_number(change_set.number - 1)
    is_sealed = (
        change_set.contents.get(type(row)._meta.label_lower) == tally.as_contents()
        and before is not None
        and seals.seal_of(change_set, before) == change_set.seal
    )
    if not is_sealed:
        yield "The seal of its change set does not cover it."
    if seal_of_number(frozen.data_number) != frozen.data_seal:
        yield "The history that its figures were taken from was altered."


def seal_of_number(number: int) -> str | None:
    """The seal of the change set with that number; None if there is none."""
    if not number:
        return seals.START
    return ChangeSet.objects.filter(number=number).values_list("seal", flat=True).first()
