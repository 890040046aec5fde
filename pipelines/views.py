import re
from itertools import chain
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import BadRequest, PermissionDenied
from django.db.models import Prefetch, QuerySet
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.functional import cached_property
from django.views.decorators.http import require_POST

from counterparties.models import CounterpartyContact
from oegen.core import clock
from oegen.core.exceptions import StaleRecordError
from oegen.core.words import plain
from oegen.pages.lists import ListPage
from oegen.pages.records import RecordPage
from oegen.people.requests import SignedInRequest
from oegen.search.ordering import natural
from pipelines import services
from pipelines.choices import UNCONFIRMED_DAYS
from pipelines.filtered import EDIT_DIALOG, QuickViews
from pipelines.filters import OPEN_BY_DEFAULT, FacilityFilter, PipelineFilter
from pipelines.milestones import MAY_EDIT_MILESTONES, milestones_of
from pipelines.models import Facility, Pipeline, RegisterFinding
from pipelines.querysets import Megawatts
from pipelines.tables import FacilityTable, PipelineTable

FACILITIES = Prefetch(
    "facilities",
    # Ordered by technology, so that templates can group them.
    Facility.objects.select_related("technology")
    .with_pipeline_count()
    .order_by("technology__order", natural("name")),
)


def places_of(facilities) -> list[dict]:
    """The facilities with coordinates, for the small map of oegen/records.js."""
    return [
        {
            "name": facility.name,
            "size": _size(facility),
            "latitude": float(facility.latitude),
            "longitude": float(facility.longitude),
            "url": facility.get_absolute_url(),
        }
        for facility in facilities
        if facility.latitude is not None
    ]


def _size(facility) -> str:
    if facility.capacity_mw is None:
        return ""
    return f"{plain(facility.capacity_mw)} {facility.technology.unit_label}"


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


class PipelinePage(RecordPage):
    section = "pipelines"

    def get_queryset(self):
        """Built for each request, because ``with_overdue`` depends on the day."""
        pipelines = Pipeline.objects.select_related("stage", "responsible")
        pipelines = pipelines.prefetch_related(FACILITIES)
        pipelines = pipelines.with_unconfirmed(clock.days_ago(UNCONFIRMED_DAYS))
        return pipelines.with_overdue().with_past_rtb().with_first_dates()

    @cached_property
    def counterparty_links(self):
        roles_today = CounterpartyContact.objects.current().select_related("contact", "role")
        people = Prefetch("counterparty__contact_links", roles_today, to_attr="people")
        links = self.object.counterparty_links.select_related("counterparty", "role")
        return links.prefetch_related(people).order_by("role__order", natural("counterparty__name"))

    @cached_property
    def points(self):
        return self.object.information_points.by_rating()

    @cached_property
    def milestones(self):
        return milestones_of(self.object)

    @cached_property
    def moves(self):
        moves = self.object.transitions.select_related("stage")
        return moves.order_by("-recorded_at", "pk")

    def known_records(self):
        linked = [(link.counterparty, link.role) for link in self.counterparty_links]
        kinds = [*(row.kind for row in self.milestones.rows), *self.milestones.others]
        stages = [self.object.stage, *(move.stage for move in self.moves)]
        known = [*stages, *self.object.facilities.all(), *chain(*linked), *kinds]
        return [*super().known_records(), *known, *self.points]

    def get_context_data(self, **kwargs):
        pipeline = self.object
        itself = Pipeline.objects.filter(pk=pipeline.pk)
        return super().get_context_data(**kwargs) | {
            "unconfirmed_days": UNCONFIRMED_DAYS,
            "capacity": itself.capacity(),
            "points": self.points,
            "points_meta": pipeline.information_points.model._meta,
            "counterparty_links": self.counterparty_links,
            "places": places_of(pipeline.facilities.all()),
            "milestones": self.milestones,
            "may_edit_milestones": self.request.user.has_perms(MAY_EDIT_MILESTONES)
            and not clock.past_day(),
            "moves": self.moves,
        }


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


class FacilityPage(RecordPage):
    queryset = Facility.objects.select_related("technology")
    section = "facilities"

    def get_context_data(self, **kwargs):
        pipelines = self.object.pipelines.select_related("stage").with_capacity().with_overdue()
        return super().get_context_data(**kwargs) | {
            "pipelines": pipelines.order_by(natural("project_name")),
            "places": places_of([self.object]),
        }
