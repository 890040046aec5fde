"""What pages over filtered pipelines have in common: list, board, map, dashboard."""

from __future__ import annotations

from oegen.pages.filters import MINE
from oegen.pages.lists import FilteredPage
from pipelines.choices import RAG
from pipelines.filters import PipelineFilter
from pipelines.models import Pipeline
from pipelines.querysets import ANY_REASON, OVERDUE

#: What edit.js needs on a page; empty for those who may not change pipelines.
EDIT_DIALOG = "pipelines/parts/edit_dialog.html"


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
