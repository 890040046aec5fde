"""What pages over filtered pipelines have in common: list, board, map, dashboard."""

from __future__ import annotations

from dataclasses import dataclass

from oegen.pages.lists import FilteredPage
from oegen.people.requests import SignedInRequest
from pipelines.choices import RAG
from pipelines.filters import PipelineFilter
from pipelines.models import Pipeline
from pipelines.querysets import ANY_REASON, OVERDUE

#: What edit.js needs on a page; empty for those who may not change pipelines.
EDIT_DIALOG = "pipelines/parts/edit_dialog.html"


@dataclass(frozen=True)
class QuickView:
    """A set of filters that people ask for often, as a tab above the results."""

    label: str
    url: str
    is_current: bool


class QuickViews(FilteredPage):
    """A page with tabs of usual filters; other query parameters stay."""

    request: SignedInRequest

    def get_context_data(self, **kwargs):
        return super().get_context_data(**kwargs) | {"quick_views": self._quick_views()}

    def _quick_views(self) -> list[QuickView]:
        default = self.default_filter
        start = {default.name: [default.code]} if default else {}
        views: dict[str, dict[str, list[str]]] = {
            "Open" if default else "All": {},
            "Mine": {"responsible": [self.request.user.username]},
            "Needs attention": {"attention": [ANY_REASON]},
            "Red": {"rag": [RAG.RED]},
            "Overdue": {"rtb": [OVERDUE]},
        }
        active = self.filterset.active_values
        return [
            QuickView(label, self._address_of(filters), active == start | filters)
            for label, filters in views.items()
        ]

    def _address_of(self, filters: dict[str, list[str]]) -> str:
        query = self.request.GET.copy()
        for name in (*self.filterset.parameters, "page"):
            query.pop(name, None)
        for name, values in filters.items():
            query.setlist(name, values)
        return f"{self.request.path}?{query.urlencode()}" if query else self.request.path


class FilteredPipelines(QuickViews):
    """A page whose ``object_list`` is the filtered pipelines."""

    queryset = Pipeline.objects.all()
    filterset_class = PipelineFilter
    section = "pipelines"
    switch_template_name = "pipelines/parts/view_switch.html"
