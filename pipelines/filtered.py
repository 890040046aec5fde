"""What pages over filtered pipelines have in common: list, board, map, dashboard."""

from __future__ import annotations

from datetime import date

from django.http import HttpRequest, QueryDict
from django.urls import reverse
from django.utils.formats import date_format

from oegen import asof
from oegen.core import clock
from oegen.pages.filters import MINE
from oegen.pages.lists import FilteredPage
from oegen.pages.selection import NOT
from pipelines.choices import RAG
from pipelines.filters import PipelineFilter
from pipelines.models import Fact, Pipeline
from pipelines.querysets import ANY_REASON, OVERDUE, ConditionsQuerySet, PipelineQuerySet

#: What edit.js needs on a page; empty for those who may not change pipelines.
EDIT_DIALOG = "pipelines/parts/edit_dialog.html"

#: The query parameter of the comparison day.
COMPARE = "compare"

#: Those of filters.
_PARAMETERS = {one for name in PipelineFilter.base_filters for one in (name, f"{name}{NOT}")}


class QuickViews(FilteredPage):
    """A page with tabs of the usual filters of pipelines."""

    def usual_filters(self) -> dict[str, dict[str, list[str]]]:
        return {
            "Open" if self.default_filter else "All": {},
            "Mine": {"responsible": [MINE]},
            "Needs attention": {"attention": [ANY_REASON]},
            "Red": {"rag": [RAG.RED]},
            "Overdue": {"rtb": [OVERDUE]},
        }


class FilteredPipelines(QuickViews):
    """A page whose ``object_list`` is the filtered pipelines."""

    queryset = Pipeline.objects.all()
    filterset_class = PipelineFilter
    section = "pipelines"
    switch_template_name = "pipelines/parts/view_switch.html"


class ComparedPipelines(FilteredPipelines):
    """A page that compares with the end of the day ``compare``."""

    page_parameters = FilteredPipelines.page_parameters | {COMPARE}

    def comparison_day(self) -> tuple[date, str]:
        return comparison_day(self.request.GET)


def comparison_day(query: QueryDict) -> tuple[date, str]:
    """By default a month before the day that is read; and the error message for an invalid day in
    the query."""
    today = clock.today()
    default = clock.a_month_before(today)
    text = query.get(COMPARE, "")
    if not text:
        return default, ""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return default, f"“{text}” is not a date. Write it as {default}."
    if not asof.FIRST_DAY <= day < today:
        return default, f"Choose a day before {date_format(today)} to compare with."
    return day, ""


def select_pipelines(
    query: QueryDict, request: HttpRequest, known: PipelineFilter | None = None
) -> ConditionsQuerySet:
    """The pipelines that match the filters of the query on the day being read, or the keys of their
    facts where the filters ask for nothing else: for a past day there is no table of pipelines to
    make then.

    A filter value that did not exist then, such as a counterparty entered later, matches nothing.
    The filters of the query are read again unless they are ``known`` as of that day.
    """
    everything: PipelineQuerySet = Pipeline.objects.all()
    if _PARAMETERS.isdisjoint(query):
        # Without the choices of a form, which would be read as of each day.
        return everything
    found = known or PipelineFilter(query, request=request)
    if not found.active_values:
        return everything
    if not found.is_valid():
        return everything.none()
    if not found.asks_facts_only:
        return found.filter_queryset(everything)
    facts = Fact.objects.now()
    return found.filter_queryset(
        facts.by_pipeline() if found.asks_capacity else facts.filter(is_first=True)
    )


def list_url(query: QueryDict, name: str, code: str) -> str:
    """The list with the filters of the query, and the filter ``name`` with that code alone."""
    listed = query.copy()
    for parameter in ("page", f"{name}{NOT}"):
        listed.pop(parameter, None)
    listed[name] = code
    return f"{reverse('pipelines')}?{listed.urlencode()}"
