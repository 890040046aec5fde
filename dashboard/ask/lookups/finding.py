"""The lookup ``find``: records by name."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django import forms
from django.urls import reverse

from dashboard.ask.findings import Findings, Found, page_address
from dashboard.ask.lookups.base import (
    Arguments,
    Asker,
    Lookup,
    PastDayField,
    Schema,
    plain_arguments,
)
from dashboard.ask.lookups.schemas import day, strict, text
from dashboard.ask.names import MODELS, PERSONAL, find_named


class FindArguments(Arguments):
    name = forms.CharField(max_length=200)
    as_of = PastDayField()


def kinds_for(asker: Asker) -> list[str]:
    return [kind for kind in MODELS if asker.may_read_personal or kind not in PERSONAL]


def _read(arguments: dict[str, Any], asker: Asker, findings: Findings) -> Found:
    name = arguments["name"]
    with asker.reading(arguments["as_of"]):
        found = find_named(name, kinds_for(asker))
        records = tuple(
            findings.add_record(one.kind, one.pk, one.name, link=page_address(one.url))
            for one in found
        )
        link = page_address(f"{reverse('search')}?{urlencode({'q': name})}")
    findings.names.add(name)
    remarks: tuple[str, ...] = ()
    if not found:
        remarks = (f"There is no record of the name “{name}”.",)
    elif found[0].is_corrected:
        remarks = (f"There is no “{name}”; these names are close to it.",)
    return findings.add_found(
        Found(
            *("find", plain_arguments(arguments), f"Records called “{name}”", link),
            items=records,
            main=records,
            remarks=remarks,
        )
    )


def _schema(asker: Asker) -> Schema:
    return strict(
        {
            "name": text("A name, or a part of one. It may have typing errors."),
            "as_of": day("Read as of the end of this day; null for the page's day."),
        }
    )


LOOKUP = Lookup(
    "find",
    "Records by name: pipelines, counterparties, facilities, information points. Look up a name "
    "before you ask for its record or filter by it.",
    FindArguments,
    _read,
    _schema,
)
