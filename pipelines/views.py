import re
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import BadRequest, PermissionDenied
from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.views.decorators.http import require_POST

from oegen.core.exceptions import StaleRecordError
from oegen.pages.lists import ListPage
from oegen.people.requests import SignedInRequest
from oegen.search.ordering import natural
from pipelines import services
from pipelines.filtered import EDIT_DIALOG, QuickViews
from pipelines.filters import OPEN_BY_DEFAULT, FacilityFilter, PipelineFilter
from pipelines.models import Facility, Pipeline, RegisterFinding
from pipelines.querysets import Megawatts
from pipelines.tables import FacilityTable, PipelineTable


class PipelineList(QuickViews, ListPage):
    queryset = Pipeline.objects.order_by(natural("project_name"), "pk")
    filterset_class = PipelineFilter
    table_class = PipelineTable
    section = "pipelines"
    switch_template_name = "pipelines/parts/view_switch.html"
    default_filter = OPEN_BY_DEFAULT
    empty_text = "A pipeline is a project on its way from Discovery to Completed."

    def get_context_data(self, **kwargs):
        """``parts``: the capacity of each technology filtered by. ``held``: the MW of each holder
        filtered by. ``shares``: the totals of the shown net and weighted columns."""
        is_filtered = self.filterset.is_bound and not self.has_invalid_filters()
        technologies = self.filterset.technologies if is_filtered else {}
        holders = self.filterset.holders if is_filtered else {}
        context = super().get_context_data(**kwargs)
        return context | {
            "edit_template_name": EDIT_DIALOG,
            "connect_url": self._connect_url(),
            "shares": self._shares(context["table"]),
            "foot_template_name": "pipelines/parts/register_licences.html",
            "register_licences": self._register_licences(context["table"]),
            "parts": {
                code: (name, self.object_list.facilities().of_technology(code).capacity())
                for code, name in technologies.items()
            },
            "held": {
                key: (name, self.object_list.held_mw(**holder))
                for key, (name, holder) in holders.items()
            },
        }

    def _connect_url(self) -> str:
        query = self.request.GET.copy()
        for name in self.page_parameters:
            query.pop(name, None)
        return f"{reverse('connect')}?{query.urlencode()}" if query else reverse("connect")

    def _register_licences(self, table) -> QuerySet[Any]:
        """Of the registers whose findings are shown or filtered by."""
        if "registers" not in {*table.columns.names(), *self.filterset.active_values}:
            return RegisterFinding.objects.none()
        names = "register", "attribution", "licence_url"
        return RegisterFinding.objects.now().order_by("register").values(*names).distinct()

    def _shares(self, table) -> list[tuple[str, Megawatts]]:
        names = {
            "net_mw": "net",
            "gross_weighted_mw": "gross weighted",
            "net_weighted_mw": "net weighted",
        }
        shown = [name for name in table.columns.names() if name in names]
        if not shown:
            return []
        found = self.object_list.shares_of_capacity()
        return [(names[name], getattr(found, name.removesuffix("_mw"))) for name in shown]


@require_POST
def confirm_rag(request: SignedInRequest, pk: UUID) -> HttpResponse:
    """Confirm the rating if the pipeline is still at the version shown on the page."""
    if not request.user.has_perm("pipelines.change_pipeline"):
        raise PermissionDenied
    pipeline = get_object_or_404(Pipeline, pk=pk)
    version = request.POST.get("version", "")
    if not re.fullmatch(r"[0-9]{1,9}", version):
        raise BadRequest("The version sent by this page is not valid. Load the page again.")
    try:
        services.confirm_rag(key=pk, version=int(version), person=request.user)
    except StaleRecordError:
        messages.warning(
            request,
            "Somebody changed this pipeline while you had it open, so nothing was confirmed. Look "
            "at it as it is now, then confirm it if it still holds.",
        )
    except services.NothingToConfirmError as error:
        messages.warning(request, str(error))
    else:
        messages.success(request, f"The RAG of {pipeline} is confirmed as of today.")
    return redirect(pipeline)


class FacilityList(ListPage):
    queryset = Facility.objects.order_by(natural("name"), "pk")
    filterset_class = FacilityFilter
    table_class = FacilityTable
    section = "facilities"
    empty_text = "A facility is one plant at one place; a pipeline is made of them."
