"""The pages of frozen reports: all of them, one, and one beside today's figures."""

from __future__ import annotations

from copy import copy

from django.http import QueryDict
from django.utils import timezone
from django.views.generic import DetailView, ListView

from dashboard.comparing import figure_groups, project_changes
from dashboard.models import FrozenReport
from dashboard.report import Report
from dashboard.report_content import drawable
from dashboard.report_file import report_sheet
from dashboard.services import proof_of
from oegen import exports
from pipelines.models import Pipeline


class FrozenReports(ListView):
    queryset = FrozenReport.objects.recorded().select_related("frozen_by").defer("content")
    template_name = "dashboard/frozen_reports.html"
    context_object_name = "reports"
    paginate_by = 50
    extra_context = {"section": "dashboard"}


class FrozenReportPage(DetailView):
    """``?download=xlsx`` is the report as a file."""

    queryset = FrozenReport.objects.select_related("frozen_by")
    template_name = "dashboard/frozen_report.html"
    context_object_name = "frozen"

    def get(self, request, *args, **kwargs):
        if request.GET.get("download") != exports.XLSX:
            return super().get(request, *args, **kwargs)
        frozen = self.get_object()
        proof = proof_of(frozen)
        facts = [
            ("Frozen at", frozen.created_at),
            ("Frozen by", str(frozen.frozen_by)),
            ("Note", frozen.note),
            ("Seal", proof.change_set.seal if proof.change_set else ""),
            ("Checked", "; ".join(proof.problems) or "as it was frozen"),
            ("Made at", timezone.now()),
            ("Made by", str(request.user)),
            ("Address", request.build_absolute_uri(frozen.get_absolute_url())),
        ]
        sheet = report_sheet(frozen.name, drawable(frozen.content), facts)
        return exports.download(sheet, exports.XLSX)

    def get_context_data(self, **kwargs):
        content = drawable(self.object.content, day=self.object.day)
        return super().get_context_data(**kwargs) | {
            "section": "dashboard",
            "pack": content,
            "since": content["since"],
            "proof": proof_of(self.object),
        }


class FrozenReportToday(DetailView):
    """What has become of the figures and the projects of a frozen report."""

    queryset = FrozenReport.objects.select_related("frozen_by")
    template_name = "dashboard/frozen_today.html"
    context_object_name = "frozen"

    def get_context_data(self, **kwargs):
        frozen = self.object
        report = Report()
        request = copy(self.request)
        request.GET = QueryDict(f"{frozen.query}&compare={frozen.since}")
        report.setup(request)
        content = report.content()
        is_wrong = report.has_invalid_filters()
        then = drawable(frozen.content, day=frozen.day)
        context = super().get_context_data(**kwargs) | {
            "section": "dashboard",
            "then": then,
            "is_wrong": is_wrong,
            "projects": project_changes(
                then, Pipeline.objects.none() if is_wrong else report.selected().pipelines()
            ),
        }
        if content is None:
            return context
        now = drawable(content)
        return context | {
            "now": now,
            "sentences": (("Then", then), ("Now", now)),
            "groups": figure_groups(then, now),
        }
