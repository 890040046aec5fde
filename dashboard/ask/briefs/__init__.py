"""Briefs: what changed, what needs attention and what comes next, each sentence with its figures.

Written from templates: every number, name of a record and day is a placeholder for what a lookup
found, as in the sentences of a model.
"""

from __future__ import annotations

from datetime import date
from typing import Any

from django.http import QueryDict
from django.urls import Resolver404, resolve

from dashboard.ask.briefs import portfolio, records
from dashboard.ask.briefs.writing import Brief, Heading, Section, Writer
from dashboard.ask.lookups import Asker, LookupRefusedError
from dashboard.ask.lookups.screen import filters_of_page
from oegen.core.folding import fold
from oegen.pages.commands import parse_page

#: What is asked for a brief of the page.
BRIEF_ME = "Brief me"

_ASKS = frozenset({"brief me", "brief", "brief me on this", "brief me on this page", "briefing"})

#: The pages whose filters a brief has; those of records are in ``records.KINDS``.
_PAGES = frozenset({"dashboard", "report", "pipelines", "board", "timeline", "map", "changes"})


def asks_for_brief(question: str) -> bool:
    return fold(question).strip(" .?!") in _ASKS


def has_brief(asker: Asker) -> bool:
    """Whether there is a brief of the asker's page."""
    name, _ = _page_of(asker)
    return name in _PAGES or name in records.KINDS


def brief_of(asker: Asker) -> Brief:
    """The brief of the asker's page. Raises LookupRefusedError for a page that has none; so may its
    lines, if the record of the page is not there."""
    name, keywords = _page_of(asker)
    if name in records.KINDS:
        writer = Writer(asker)
        return Brief(records.lines_of(writer, name, keywords["pk"]), writer.findings)
    if name not in _PAGES:
        raise LookupRefusedError(
            "There is no brief of this page. The dashboard has one, and so have pipelines and "
            "counterparties."
        )
    return brief_of_pipelines(asker, filters_of_page(asker), _comparison_day(asker))


def brief_of_pipelines(asker: Asker, query: QueryDict, since: date | None = None) -> Brief:
    """The brief of the filtered pipelines, of the time since the end of that day."""
    writer = Writer(asker, since)
    return Brief(portfolio.lines_of(writer, query), writer.findings)


def _page_of(asker: Asker) -> tuple[str, dict[str, Any]]:
    try:
        match = resolve(parse_page(asker.page or "/")[0])
    except Resolver404:
        return "", {}
    return str(match.url_name), match.kwargs


def _comparison_day(asker: Asker) -> date | None:
    """The day that the page compares with; None for its usual one."""
    text = QueryDict(parse_page(asker.page or "/")[1]).get("compare", "")
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


__all__ = [
    "BRIEF_ME",
    "Brief",
    "Heading",
    "Section",
    "asks_for_brief",
    "brief_of",
    "brief_of_pipelines",
    "has_brief",
]
