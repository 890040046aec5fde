"""The map: the facilities of the filtered pipelines, where they are."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from uuid import UUID

from django.db.models import F, FloatField
from django.db.models.functions import Cast
from django.http import JsonResponse
from django.utils.decorators import method_decorator
from django.views.decorators.cache import cache_control
from django.views.decorators.gzip import gzip_page
from django.views.decorators.http import conditional_page

from pipelines.choices import RAG, CapacityBasis
from pipelines.filtered import FilteredPipelines
from pipelines.models import PipelineFacility, Technology
from pipelines.querysets import PipelineQuerySet

#: The facilities that are listed beside the map.
LISTED = 100

#: Kept, because the choices work their values out each time they are asked for them.
WORST_FIRST = (*RAG.values, "")


@dataclass(slots=True)
class Site:
    """A facility on the map, with the pipelines among those asked for that it is part of."""

    id: UUID
    name: str
    technology: Technology
    capacity_mw: Decimal | None
    latitude: float
    longitude: float
    rag_status: str = ""
    pipelines: list[tuple[UUID, str]] = field(default_factory=list)

    def get_rag_status_display(self) -> str:
        return RAG(self.rag_status).label if self.rag_status else ""

    def add(self, pipeline: UUID, name: str, rag_status: str) -> None:
        """Its rating is the worst of its pipelines'; empty when none is rated."""
        self.pipelines.append((pipeline, name))
        self.rag_status = min(self.rag_status, rag_status, key=WORST_FIRST.index)


def sites(pipelines: PipelineQuerySet, facilities: list[UUID] | None = None) -> list[Site]:
    """The facilities with a place, or those named of them, largest first.

    The number of queries does not depend on the number of facilities.
    """
    links = PipelineFacility.objects.filter(facility__latitude__isnull=False)
    if facilities is not None:
        links = links.filter(facility__in=facilities)
        # Their own pipelines by key: SQLite would otherwise begin with all that are asked for.
        pipelines = pipelines.filter(pk__in=set(links.values_list("pipeline", flat=True)))
    links = links.filter(pipeline__in=pipelines.order_by().values("pk"))
    technologies = {technology.code: technology for technology in Technology.objects.all()}
    found: list[Site] = []
    for key, name, technology, capacity_mw, latitude, longitude, *pipeline in links.order_by(
        F("facility__capacity_mw").desc(nulls_last=True),
        "facility__name",
        "facility",
        "pipeline__project_name",
    ).values_list(
        "facility",
        "facility__name",
        "facility__technology__code",
        "facility__capacity_mw",
        Cast("facility__latitude", FloatField()),
        Cast("facility__longitude", FloatField()),
        "pipeline",
        "pipeline__project_name",
        "pipeline__rag_status",
    ):
        # The rows of a facility follow one another.
        if not found or found[-1].id != key:
            place = capacity_mw, latitude, longitude
            found.append(Site(key, name, technologies[technology], *place))
        found[-1].add(*pipeline)
    return found


@method_decorator([gzip_page, conditional_page, cache_control(private=True, no_cache=True)], "get")
class MapData(FilteredPipelines):
    """The sites as arrays, so that ten thousand are a small answer:

    ``technologies``: [name, unit, whether its capacity is DC];
    ``sites``: [id, name, latitude, longitude, MW or null, place of its technology, RAG letter or
    "", [pipeline id, name, pipeline id, name, …]].
    """

    def render_to_response(self, context, **kwargs):
        found = sites(self.object_list)
        technologies = list({site.technology.pk: site.technology for site in found}.values())
        places = {one.pk: place for place, one in enumerate(technologies)}
        return JsonResponse(
            {
                "technologies": [
                    [one.name, one.unit_label, one.capacity_basis == CapacityBasis.DC]
                    for one in technologies
                ],
                "sites": [
                    [
                        str(site.id),
                        site.name,
                        site.latitude,
                        site.longitude,
                        None if site.capacity_mw is None else float(site.capacity_mw),
                        places[site.technology.pk],
                        site.rag_status[:1].upper(),
                        [part for key, name in site.pipelines for part in (str(key), name)],
                    ]
                    for site in found
                ],
            },
            json_dumps_params={"separators": (",", ":"), "ensure_ascii": False},
        )


class Map(FilteredPipelines):
    template_name = "pipelines/map.html"
    state_template_name = "pipelines/parts/map_state.html"

    def get_context_data(self, **kwargs):
        facilities = self.object_list.facilities()
        placed = facilities.filter(latitude__isnull=False)
        largest = placed.order_by(F("capacity_mw").desc(nulls_last=True), "name", "pk")
        first = list(largest.values_list("pk", flat=True)[:LISTED])
        capacity = facilities.capacity()
        number = placed.count()
        return super().get_context_data(**kwargs) | {
            "said": f"{number:,} facilit{'y' if number == 1 else 'ies'} on the map",
            "capacity": capacity,
            "placed": number,
            "unplaced": capacity.facilities - number,
            "sites": sites(self.object_list, first),
            "left_out": max(number - LISTED, 0),
        }
