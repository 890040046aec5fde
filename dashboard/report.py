"""The committee report: the dashboard's answer on paper, and a table of the projects."""

from __future__ import annotations

from datetime import date
from uuid import uuid4

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse, HttpResponseBase, QueryDict
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.formats import date_format

from dashboard import charts, metrics
from dashboard.models import FrozenReport
from dashboard.report_content import Content, drawable, report_content
from dashboard.report_file import report_sheet
from dashboard.services import freeze_report
from dashboard.views import Dashboard, answer_of, query_of
from oegen import exports
from oegen.core import clock
from oegen.pages.forms import FieldErrors
from oegen.people.requests import SignedInRequest
from pipelines.filters import name_reader

#: The permission to freeze a report.
MAY_FREEZE = "dashboard.freeze_report"


class FreezeForm(forms.ModelForm):
    """``key`` is that of the report to be: a form that is sent twice freezes one."""

    key = forms.UUIDField(widget=forms.HiddenInput)

    class Meta:
        model = FrozenReport
        fields = ("name", "note")
        widgets = {
            "name": forms.TextInput(attrs={"class": "form-control", "autocomplete": "off"}),
            "note": forms.Textarea(attrs={"class": "form-control", "rows": 2}),
        }
        error_messages = {"name": {"required": "Give the report a title."}}

    def __init__(self, data: QueryDict | None = None):
        initial = {"key": uuid4(), "name": f"Committee report, {date_format(clock.today())}"}
        super().__init__(data, initial=initial, auto_id="freeze_%s", error_class=FieldErrors)


class Report(Dashboard):
    """Takes the filters, the day and the comparison day of the dashboard. ``?download=xlsx`` is the
    report as a file. A POST freezes it."""

    template_name = "dashboard/report.html"
    page_parameters = Dashboard.page_parameters - {"tab"}

    def setup(self, request, *args, **kwargs):
        """What is printed and kept says whose projects it is about, whoever reads it."""
        super().setup(request, *args, **kwargs)
        request.GET = name_reader(request.GET, request.user)

    def get(self, request, *args, **kwargs):
        if request.GET.get("download") == exports.XLSX:
            content = self.content()
            if content is not None:
                facts = [
                    ("Made at", timezone.now()),
                    ("Made by", str(request.user)),
                    ("Address", request.build_absolute_uri(self.url_without("download"))),
                ]
                sheet = report_sheet("Committee report", drawable(content), facts)
                return exports.download(sheet, exports.XLSX)
        return super().get(request, *args, **kwargs)

    def post(self, request: SignedInRequest, *args, **kwargs) -> HttpResponseBase:
        if not request.user.has_perm(MAY_FREEZE):
            raise PermissionDenied
        form = FreezeForm(request.POST)
        if not form.is_valid():
            return self._page(form, status=422)
        frozen = freeze_report(
            key=form.cleaned_data["key"],
            name=form.cleaned_data["name"],
            note=form.cleaned_data["note"],
            person=request.user,
            read=self.content,
        )
        if frozen is None:
            form.add_error(None, "There is nothing to freeze: no pipeline matches these filters.")
            return self._page(form, status=422)
        messages.success(request, f"Frozen. “{frozen}” stays as it is now.")
        return redirect(frozen)

    def _page(self, form: FreezeForm, *, status: int) -> HttpResponse:
        response = super().get(self.request)
        response.context_data["freeze_form"] = form
        response.status_code = status
        return response

    def get_context_data(self, **kwargs):
        context = super().get_context_data(**kwargs)
        if self.request.user.has_perm(MAY_FREEZE) and not clock.past_day():
            context["freeze_form"] = FreezeForm()
        return context

    def content(self) -> Content | None:
        """What the report shows; None if there is nothing to report on."""
        self.filterset = self.get_filterset(self.get_filterset_class())
        if self.has_invalid_filters():
            return None
        since, _ = self.comparison_day()
        return self._content(since, self.filterset.active_values)

    def _figures(self, since: date, filters: dict) -> dict:
        content = self._content(since, filters)
        return {"is_empty": content is None, "pack": content and drawable(content)}

    def _content(self, since: date, filters: dict) -> Content | None:
        found = metrics.overview(self.selected, since, "capacity", filters=query_of(filters))
        if not any(group.total.pipelines for group in found.answer.statuses):
            return None
        lists = charts.Lists(filters)
        return report_content(
            found=found,
            answer=answer_of(found.answer, since, lists),
            walk=charts.walk_chart(found.tab.walk, since, lists),
            opened=self.selected().pipelines().open(),
            since=since,
            query=query_of(filters),
            filters=self.filterset.chips(),
            lists=lists,
        )
