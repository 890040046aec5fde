"""The map: the facilities of the filtered pipelines that have coordinates."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from uuid import UUID

from django.db.models import F, FloatField, TextField
from django.db.models.functions import Cast
from django.http import HttpRequest, JsonResponse
from django.utils.decorators import method_decorator
from django.views.decorators.cache import cache_control
from django.views.decorators.http import etag

from oegen import asof
from oegen.core.caching import cache_key
from oegen.core.words import count
from oegen.search.ordering import natural
from pipelines.choices import RAG, CapacityBasis
from pipelines.filtered import FilteredPipelines
from pipelines.filters import OPEN_BY_DEFAULT
from pipelines.models import PipelineFacility, Technology
from pipelines.querysets import PipelineQuerySet

#: The number of facilities listed beside the map.
MAX_LISTED = 100

#: The rank of each rating, the worst first.
WORST_FIRST = {rating: rank for rank, rating in enumerate([*RAG.values, ""])}


@dataclass(slots=True)
class Site:
    """A facility on the map, with those of the filtered pipelines that it belongs to.

    Keys are strings, as in URLs. ``rag_status`` is the worst of the pipelines', "" if none is
    rated.
    """

    id: str
    name: str
    technology: Technology
    capacity_mw: Decimal | None
    latitude: float
    longitude: float
    rag_status: str = ""
    pipelines: list[tuple[str, str]] = field(default_factory=list)

    def get_rag_status_display(self) -> str:
        return RAG(self.rag_status).label if self.rag_status else ""

    def add(self, pipeline: str, name: str, rag_status: str) -> None:
        self.pipelines.append((pipeline, name))
        if WORST_FIRST[rag_status] < WORST_FIRST[self.rag_status]:
            self.rag_status = rag_status


def _with_dashes(stored: str) -> str:
    """Add the dashes that SQLite leaves out. Twenty thousand UUID objects would take longer to
    build than the rest of the response."""
    if "-" in stored:
        return stored
    return f"{stored[:8]}-{stored[8:12]}-{stored[12:16]}-{stored[16:20]}-{stored[20:]}"


def sites(pipelines: PipelineQuerySet, facilities: list[UUID] | None = None) -> list[Site]:
    """The facilities with coordinates, or those of ``facilities`` that have some, largest first.

    The number of queries does not depend on the number of facilities.
    """
    links = PipelineFacility.objects.filter(facility__latitude__isnull=False)
    if facilities is not None:
        links = links.filter(facility__in=facilities)
        # Filtered by key, because SQLite would otherwise start with all filtered pipelines.
        pipelines = pipelines.filter(pk__in=set(links.values_list("pipeline", flat=True)))
    links = links.filter(pipeline__in=pipelines.order_by().values("pk"))
    technologies = {technology.code: technology for technology in Technology.objects.all()}
    found: list[Site] = []
    last = ""
    for key, name, technology, capacity_mw, latitude, longitude, *pipeline in links.order_by(
        F("facility__capacity_mw").desc(nulls_last=True),
        natural("facility__name"),
        "facility",
        natural("pipeline__project_name"),
    ).values_list(
        Cast("facility", TextField()),
        "facility__name",
        "facility__technology__code",
        "facility__capacity_mw",
        Cast("facility__latitude", FloatField()),
        Cast("facility__longitude", FloatField()),
        Cast("pipeline", TextField()),
        "pipeline__project_name",
        "pipeline__rag_status",
    ):
        # The rows of a facility follow one another.
        if key != last:
            found.append(
                Site(
                    _with_dashes(key),
                    name,
                    technologies[technology],
                    capacity_mw,
                    latitude,
                    longitude,
                )
            )
            last = key
        pipeline_key, *name_and_rating = pipeline
        found[-1].add(_with_dashes(pipeline_key), *name_and_rating)
    return found


def _etag(request: HttpRequest) -> str:
    """It tells without reading the sites whether a browser has them already."""
    code = Path(__file__).stat().st_mtime_ns
    return f'"{cache_key(asof.data_version(), code, request.GET.urlencode())}"'


@method_decorator([etag(_etag), cache_control(private=True, no_cache=True)], "get")
class MapData(FilteredPipelines):
    """The sites as JSON arrays, to keep the response small:

    ``technologies``: [name, unit, whether its capacity is DC];
    ``sites``: [id, name, latitude, longitude, MW or null, index of its technology, RAG letter or
    "", [pipeline id, name, pipeline id, name, …]].
    """

    def render_to_response(self, context, **kwargs):
        found = sites(self.object_list)
        technologies = list({site.technology.pk: site.technology for site in found}.values())
        indexes = {technology.pk: index for index, technology in enumerate(technologies)}
        return JsonResponse(
            {
                "technologies": [
                    [
                        technology.name,
                        technology.unit_label,
                        technology.capacity_basis == CapacityBasis.DC,
                    ]
                    for technology in technologies
                ],
                "sites": [
                    [
                        site.id,
                        site.name,
                        site.latitude,
                        site.longitude,
                        None if site.capacity_mw is None else float(site.capacity_mw),
                        indexes[site.technology.pk],
                        site.rag_status[:1].upper(),
                        [part for pipeline in site.pipelines for part in pipeline],
                    ]
                    for site in found
                ],
            },
            json_dumps_params={"separators": (",", ":"), "ensure_ascii": False},
        )


class Map(FilteredPipelines):
    template_name = "pipelines/map.html"
    state_template_name = "pipelines/parts/map_state.html"
    default_filter = OPEN_BY_DEFAULT

    def get_context_data(self, **kwargs):
        facilities = self.object_list.facilities()
        placed = facilities.filter(latitude__isnull=False)
        largest = placed.order_by(F("capacity_mw").desc(nulls_last=True), natural("name"), "pk")
        first = list(largest.values_list("pk", flat=True)[:MAX_LISTED])
        capacity = facilities.capacity()
        number = placed.count()
        context = super().get_context_data(**kwargs)
        # Without any pipeline there is no link to show all of them.
        is_empty = not number and not self.filterset.queryset.exists()
        return context | {
            "all_query": "" if is_empty else context["all_query"],
            # With the default filter, which MapData does not apply.
            "map_query": self.filterset.data.urlencode(),
            "status_text": f"{count(number, 'facility', 'facilities')} on the map",
            "capacity": capacity,
            "placed": number,
            "unplaced": capacity.facilities - number,
            "sites": sites(self.object_list, first),
            "left_out": max(number - MAX_LISTED, 0),
        }
