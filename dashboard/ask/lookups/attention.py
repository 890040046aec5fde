"""The lookup ``attention``: which open pipelines need attention, and why."""

from __future__ import annotations

from typing import Any

from django.http import QueryDict
from django.urls import reverse

from dashboard.ask.findings import Finding, Findings, Found, page_address
from dashboard.ask.lookups import tables
from dashboard.ask.lookups.base import (
    AnyOrNone,
    Arguments,
    Asker,
    Lookup,
    PastDayField,
    Schema,
    in_words,
    plain_arguments,
    valid_filters,
)
from dashboard.ask.lookups.figure import VALUE, Wanted, default_comparison
from dashboard.ask.lookups.schemas import day, filters_of, strict
from dashboard.figures import FIGURES
from pipelines.choices import Reason
from pipelines.filters import PipelineFilter
from pipelines.models import Pipeline
from pipelines.querysets import OPEN


class AttentionArguments(Arguments):
    filters = AnyOrNone(required=False)
    as_of = PastDayField()


def _read(arguments: dict[str, Any], asker: Asker, findings: Findings) -> Found:
    with asker.reading(arguments["as_of"]):
        query = arguments["filters"]
        filterset = valid_filters(PipelineFilter, query, asker, Pipeline.objects.all())
        words = in_words(filterset)
        by_reason, first = (
            Wanted(FIGURES[name], VALUE, query, asker, words)
            for name in ("attention", "attention-first")
        )
        reasons = by_reason.read_now()
        link = by_reason.figure.link(by_reason.lists, default_comparison()).url
        whole = findings.add_figure(
            "Need attention", reasons.value, "pipelines", basis=by_reason.figure.basis, link=link
        )
        urgent = findings.add_figure(
            "Urgent",
            reasons.parts["urgent"],
            "pipelines",
            basis=by_reason.figure.basis,
            link=_urgent_link(query),
        )
        labels: list[Finding] = [
            findings.add_figure(
                row["label"], row["pipelines"], "pipelines",
                basis=by_reason.figure.basis, link=row["url"],
            )
            for row in reasons.rows or []
            if row["pipelines"]
        ]  # fmt: skip
        found = first.read_now()
        for row in found.rows or []:
            row["why"] = "; ".join(str(Reason(code).chip) for code in row["reasons"])
        table = tables.of_rows(first.figure, found, findings, link)
    main: tuple[Finding, ...] = (whole, urgent, *labels)
    title = f"What needs attention{f', {words}' if words else ''}"
    return findings.add_found(
        Found(
            *("attention", plain_arguments(arguments), title, link),
            items=(*main, *(tables.findings_in(table) if table else [])),
            main=main,
            table=table,
        )
    )


def _urgent_link(query: QueryDict) -> str:
    """The list of what has an urgent reason; empty if the filters have reasons themselves."""
    if "attention" in query:
        return ""
    listed = query.copy()
    listed.setlist("attention", [str(reason) for reason in Reason if reason.is_urgent])
    listed["status"] = OPEN
    return page_address(f"{reverse('pipelines')}?{listed.urlencode()}")


def _schema(asker: Asker) -> Schema:
    return strict(
        {
            "filters": filters_of(PipelineFilter, asker),
            "as_of": day("Read as of the end of this day; null for the page's day."),
        }
    )


LOOKUP = Lookup(
    "attention",
    "Which open pipelines need attention, by reason, and the first ten of them.",
    AttentionArguments,
    _read,
    _schema,
)
