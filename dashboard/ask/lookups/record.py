"""The lookup ``record``: what is known of one record, and its last changes in words."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django import forms
from django.urls import reverse
from django.utils import timezone

from dashboard.ask.findings import Cell, Finding, Findings, Found, Table, page_address
from dashboard.ask.lookups import facts
from dashboard.ask.lookups.base import (
    Arguments,
    Asker,
    Lookup,
    LookupRefusedError,
    PastDayField,
    Schema,
    plain_arguments,
)
from dashboard.ask.lookups.schemas import day, one_of, strict, text
from dashboard.ask.names import MODELS, PERSONAL
from oegen.audit.narrative import timeline

#: The newest entries of the history that are told.
ENTRIES = 5


class RecordArguments(Arguments):
    kind = forms.ChoiceField(choices=[(kind, kind) for kind in MODELS])
    id = forms.UUIDField()
    as_of = PastDayField()


def _read(arguments: dict[str, Any], asker: Asker, findings: Findings) -> Found:
    kind, key = arguments["kind"], arguments["id"]
    if kind in PERSONAL:
        asker.require_personal("Contacts")
    with asker.reading(arguments["as_of"]):
        record = MODELS[kind].objects.recorded().filter(pk=key).first()
        if record is None:
            raise LookupRefusedError(
                f"id: There is no {MODELS[kind]._meta.verbose_name} with this id on this day. Look "
                "its name up with “find”."
            )
        link = page_address(record.get_absolute_url())
        main = findings.add_record(kind, key, str(record), link=link)
        known = _FACTS[kind](record, asker, findings)
        known["history"] = ()
        history_link = page_address(reverse("history", args=[kind, key]))
        entries = timeline.entries_of(record, limit=ENTRIES)
        rows: list[tuple[Cell, ...]] = []
        for entry in entries:
            if entry.is_comment and not asker.may_read_personal:
                continue
            when = findings.add_day(timezone.localdate(entry.when))
            who = entry.author if asker.may_read_personal else ""
            rows.append((when, who, facts.cut(entry.phrase), facts.cut(entry.reason)))
    items: list[Finding] = [main]
    for cells in known.values():
        items += [cell for cell in cells if not isinstance(cell, str)]
    items += [cell for row in rows for cell in row if not isinstance(cell, str)]
    if rows:
        known["history"] = rows[0]
    table = Table("Last changes", ("When", "Who", "What", "Why"), tuple(rows), history_link)
    return findings.add_found(
        Found(
            *("record", plain_arguments(arguments), str(record), link),
            items=tuple(dict.fromkeys(items)),
            main=(main,),
            table=table if rows else None,
            facts={name: cells for name, cells in known.items() if cells},
        )
    )


_FACTS: dict[str, Callable[[Any, Asker, Findings], dict[str, tuple[Cell, ...]]]] = {
    "pipeline": facts.of_pipeline,
    "counterparty": facts.of_counterparty,
    "facility": facts.of_facility,
    "informationpoint": facts.of_information_point,
    "contact": facts.of_contact,
}


def _schema(asker: Asker) -> Schema:
    kinds = [kind for kind in MODELS if asker.may_read_personal or kind not in PERSONAL]
    return strict(
        {
            "kind": one_of(kinds, "The kind of record, as “find” gives it."),
            "id": text("Its id, as “find” gives it in pk."),
            "as_of": day("Read as of the end of this day; null for the page's day."),
        }
    )


LOOKUP = Lookup(
    "record",
    "What is known of one record: of a pipeline its stage, RAG, RTB date with slip, capacity, "
    "ownership, counterparties, milestones; and the last changes of any record.",
    RecordArguments,
    _read,
    _schema,
)
