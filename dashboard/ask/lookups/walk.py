"""The lookup ``explain``: why the open capacity changed, as the steps of the MW walk."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.utils import timezone
from django.utils.formats import date_format

from dashboard.ask.findings import Finding, Findings, Found
from dashboard.ask.lookups import tables
from dashboard.ask.lookups.base import (
    AnyOrNone,
    Arguments,
    Asker,
    Lookup,
    LookupRefusedError,
    PastDayField,
    Schema,
    in_words,
    plain_arguments,
    valid_filters,
)
from dashboard.ask.lookups.figure import VALUE, Wanted
from dashboard.ask.lookups.schemas import day, filters_of, strict
from dashboard.figures import FIGURES
from oegen.core import clock
from pipelines.filters import PipelineFilter
from pipelines.models import Pipeline

#: ``from`` is no name in Python.
ExplainArguments = type(
    "ExplainArguments",
    (Arguments,),
    {"filters": AnyOrNone(required=False), "from": PastDayField(), "to": PastDayField()},
)


def _read(arguments: dict[str, Any], asker: Asker, findings: Findings) -> Found:
    """From the end of ``from``, by default a month before, to the end of ``to``, by default the
    day that is read."""
    end: date | None = arguments["to"]
    if end == timezone.localdate() and asker.as_of is None:
        end = None
    with asker.reading(end):
        last = clock.today()
        since: date = arguments["from"] or clock.a_month_before(last)
        if since >= last:
            raise LookupRefusedError(f"from: Give a day before {date_format(last)}.")
        query = arguments["filters"]
        filterset = valid_filters(PipelineFilter, query, asker, Pipeline.objects.all())
        figure = FIGURES["mw-walk"]
        wanted = Wanted(figure, VALUE, query, asker, in_words(filterset))
        found, _ = wanted.read(since)
        link = figure.link(wanted.lists, since).url
        listed = FIGURES["open-capacity"].link(wanted.lists, since).url
        opening, closing = (
            findings.add_figure(
                "Open capacity",
                found.parts[f"{name}_mw"],
                "MW",
                basis=figure.basis,
                day=at,
                link=tables.on_day(listed, at) if at != timezone.localdate() else listed,
            )
            for name, at in (("opening", since), ("closing", last))
        )
        change = findings.add_comparison(closing, opening, link=link)
        table = tables.of_rows(figure, found, findings, link)
        days = (findings.add_day(since), findings.add_day(last))
    main: list[Finding] = [opening, closing, *([change] if change else [])]
    steps = tables.findings_in(table) if table else []
    title = f"Open capacity from {date_format(since)} to {date_format(last)}"
    if wanted.words:
        title = f"{title}, {wanted.words}"
    return findings.add_found(
        Found(
            *("explain", plain_arguments(arguments), title, link),
            items=(*main, *days, *steps),
            main=tuple(main),
            table=table,
        )
    )


def _schema(asker: Asker) -> Schema:
    return strict(
        {
            "filters": filters_of(PipelineFilter, asker),
            "from": day("From the end of this day; null for a month before."),
            "to": day("To the end of this day; null for the page's day."),
        }
    )


LOOKUP = Lookup(
    "explain",
    "Why the open capacity changed between two days: what was open at both ends, and the steps "
    "from one to the other, which add up.",
    ExplainArguments,
    _read,
    _schema,
)
