"""The committee report: the dashboard's answer on paper, and a table of the projects."""

from __future__ import annotations

from dashboard.views import Dashboard
from oegen.core.fields import country_name
from oegen.search.ordering import natural
from pipelines.models import Pipeline
from pipelines.querysets import Capacity

#: The most projects in the table; the list has them all.
MOST = 500


class Report(Dashboard):
    """Takes the filters, the day and the comparison day of the dashboard."""

    template_name = "dashboard/report.html"
    page_parameters = Dashboard.page_parameters - {"tab"}

    def get_context_data(self, **kwargs):
        context = super().get_context_data(**kwargs)
        if context["is_wrong"] or context["is_empty"]:
            return context
        projects = self._projects()
        return context | {
            "projects": projects[:MOST],
            "others": max(len(projects) - MOST, 0),
            "countries": self._countries(),
            "comments": self._comments(context["answer"]()["attention"].rows),
        }

    def _tab(self) -> str:
        """The tab whose figures the report has, whatever the address names."""
        return "capacity"

    def _projects(self) -> list[Pipeline]:
        """The open pipelines, in the order of their stages."""
        found = self.object_list.open().select_related("stage", "responsible").with_capacity()
        found = found.with_overdue().order_by("stage__order", natural("project_name"), "pk")
        return list(found[: MOST + 1])

    def _countries(self) -> list[tuple[str, Capacity]]:
        """Open capacity by the country of the facilities, the largest first."""
        found = self.object_list.open().capacity_by("facility_links__facility__country")
        named = [(country_name(code) or "No country", one) for code, one in found.items()]
        return sorted(named, key=lambda pair: (-pair[1].mw, pair[0]))

    @staticmethod
    def _comments(rows) -> list[tuple]:
        """The rows of what needs attention, each with the RAG comment of its pipeline."""
        keys = [row.needing.pipeline_id for row in rows]
        known = dict(Pipeline.objects.filter(pk__in=keys).values_list("pk", "rag_comment"))
        return [(row, known.get(row.needing.pipeline_id, "")) for row in rows]
