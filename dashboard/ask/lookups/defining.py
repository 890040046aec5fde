"""The lookup ``define``: what a word of the product means."""

from __future__ import annotations

from typing import Any

from django import forms
from django.http import QueryDict

from dashboard.ask.definitions import define, definitions
from dashboard.ask.findings import Finding, Findings, Found
from dashboard.ask.lookups.base import (
    Arguments,
    Asker,
    Lookup,
    LookupRefusedError,
    Schema,
    plain_arguments,
)
from dashboard.ask.lookups.figure import VALUE, Wanted, default_comparison, exact_unit
from dashboard.ask.lookups.schemas import strict, text
from dashboard.figures import FIGURES


class DefineArguments(Arguments):
    term = forms.CharField(max_length=200)


def _read(arguments: dict[str, Any], asker: Asker, findings: Findings) -> Found:
    """Several terms stand with commas between."""
    terms = [one.strip() for one in arguments["term"].split(",") if one.strip()]
    found = []
    for term in terms:
        definition = define(term)
        if definition is None:
            some = ", ".join(sorted({one.term for one in definitions().values()})[:40])
            raise LookupRefusedError(
                f"term: “{term}” has no definition here; some that have: {some}."
            )
        found.append(definition)
        findings.names.add(term)
    main: list[Finding] = []
    link = ""
    with asker.reading():
        for one in dict.fromkeys(found):
            if not one.figure:
                continue
            figure = FIGURES[one.figure]
            wanted = Wanted(figure, VALUE, QueryDict(), asker, "")
            link = figure.link(wanted.lists, default_comparison()).url
            now = wanted.read_now()
            if now.value is not None:
                unit = exact_unit(now, VALUE, figure.unit)
                main.append(
                    findings.add_figure(
                        figure.title, now.value, unit, basis=figure.basis, link=link
                    )
                )
    return findings.add_found(
        Found(
            *("define", plain_arguments(arguments), ", ".join(one.term for one in found), link),
            items=tuple(main),
            main=tuple(main),
            remarks=tuple(dict.fromkeys(one.sentence for one in found)),
        )
    )


def _schema(asker: Asker) -> Schema:
    return strict({"term": text("The word, such as overdue, net MW or RTB slippage.")})


LOOKUP = Lookup(
    "define",
    "What a word of this tool means, and how much there is of it now.",
    DefineArguments,
    _read,
    _schema,
)
