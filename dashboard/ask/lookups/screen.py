"""The lookup ``screen``: the page that the asker looks at, or another page with filters."""

from __future__ import annotations

from typing import Any

from django import forms
from django.http import QueryDict
from django.urls import Resolver404, resolve, reverse

from dashboard.ask.findings import Finding, Findings, Found, page_address
from dashboard.ask.lookups import record
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
from dashboard.ask.lookups.figure import VALUE, Wanted, default_comparison, exact_unit
from dashboard.ask.lookups.schemas import day, filters_of, one_of, optional, strict
from dashboard.ask.names import MODELS
from dashboard.figures import FIGURES
from oegen.pages.commands import parse_page
from pipelines.filters import PipelineFilter
from pipelines.models import Pipeline

#: Pages of filtered pipelines, by what they are called.
PAGES = {
    "dashboard": "Dashboard",
    "pipelines": "Pipelines",
    "board": "Board",
    "timeline": "Timeline",
    "map": "Map",
    "changes": "Changes",
    "report": "Committee report",
}

#: The figures of a page of pipelines.
FIGURES_OF_PAGE = ("open-capacity", "open-pipelines", "red-pipelines", "overdue-pipelines")


class ScreenArguments(Arguments):
    kind = forms.ChoiceField(required=False, choices=[(name, name) for name in PAGES])
    filters = AnyOrNone(required=False)
    as_of = PastDayField()


def _read(arguments: dict[str, Any], asker: Asker, findings: Findings) -> Found:
    name, query = arguments["kind"], arguments["filters"]
    if not name:
        name, query = _page_of(asker)
        match = _record_of(asker)
        if match:
            kind, key = match
            cleaned = {"kind": kind, "id": key, "as_of": arguments["as_of"]}
            return record.LOOKUP.read(cleaned, asker, findings)
    with asker.reading(arguments["as_of"]):
        filterset = valid_filters(PipelineFilter, query, asker, Pipeline.objects.all())
        words = in_words(filterset)
        address = f"{reverse(name)}?{query.urlencode()}" if query else reverse(name)
        link = page_address(address)
        main: list[Finding] = []
        for one in FIGURES_OF_PAGE:
            figure = FIGURES[one]
            wanted = Wanted(figure, VALUE, query, asker, words)
            found = wanted.read_now()
            main.append(
                findings.add_figure(
                    figure.title,
                    found.value,
                    exact_unit(found, VALUE, figure.unit),
                    basis=figure.basis,
                    link=figure.link(wanted.lists, default_comparison()).url,
                )
            )
    title = f"{PAGES[name]}{f', {words}' if words else ''}"
    return findings.add_found(
        Found(
            *("screen", plain_arguments(arguments), title, link),
            items=tuple(main),
            main=tuple(main),
        )
    )


def _page_of(asker: Asker) -> tuple[str, QueryDict]:
    """The page's name and filters. Raises LookupRefusedError for a page that has none."""
    path, text = parse_page(asker.page or reverse("dashboard"))
    try:
        name = resolve(path).url_name or ""
    except Resolver404 as error:
        raise LookupRefusedError("There is no such page.") from error
    if name not in PAGES and not _record_of(asker):
        known = ", ".join(PAGES.values())
        raise LookupRefusedError(f"This page shows no figures of pipelines; these do: {known}.")
    given = QueryDict(text)
    filters = QueryDict(mutable=True)
    for parameter in PipelineFilter().parameters:
        if values := given.getlist(parameter):
            filters.setlist(parameter, values)
    return name, filters


def _record_of(asker: Asker) -> tuple[str, Any] | None:
    """The kind and key of the record whose page it is."""
    try:
        match = resolve(parse_page(asker.page or "/")[0])
    except Resolver404:
        return None
    if match.url_name in MODELS and "pk" in match.kwargs:
        return match.url_name, match.kwargs["pk"]
    return None


def filters_of_page(asker: Asker) -> QueryDict:
    """The filters of the page; none for a page without figures of pipelines."""
    try:
        return _page_of(asker)[1]
    except LookupRefusedError:
        return QueryDict()


def _schema(asker: Asker) -> Schema:
    return strict(
        {
            "kind": optional(one_of(PAGES, "The page; null for the one that is looked at.")),
            "filters": filters_of(PipelineFilter, asker),
            "as_of": day("Read as of the end of this day; null for the page's day."),
        }
    )


LOOKUP = Lookup(
    "screen",
    "The page that is looked at, its filters and its figures; or the address of another page.",
    ScreenArguments,
    _read,
    _schema,
)
