"""The map: the facilities of the filtered pipelines that have coordinates."""

from __future__ import annotations

from dataclasses import astuple
from itertools import chain
from typing import Any
from urllib.parse import urlencode

from django.core.exceptions import BadRequest
from django.db.models import F
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.views.decorators.cache import cache_control
from django.views.decorators.http import etag, require_safe

from oegen import asof
from oegen.core.caching import cache_key, keep
from oegen.core.words import count
from oegen.search.ordering import natural
from pipelines import map_layers
from pipelines.choices import CapacityBasis
from pipelines.filtered import FilteredPipelines
from pipelines.filters import OPEN_BY_DEFAULT, reader_key
from pipelines.querysets import FacilityQuerySet
from pipelines.sites import Bounds, Grid, Group, Site, sites

#: The number of facilities listed beside the map.
MAX_LISTED = 100

#: With more facilities the map gets groups of neighbours.
MAX_SITES = 500


def parse_bounds(text: str) -> Bounds:
    try:
        return Bounds.parse(text)
    except ValueError as error:
        raise BadRequest(
            "The bounds of a map are west,south,east,north in degrees, such as -10.5,49,2,61."
        ) from error


class MapData(FilteredPipelines):
    """The sites as JSON arrays, to keep the response small:

    ``technologies``: [name, unit, whether its capacity is DC];
    ``sites``: [id, name, latitude, longitude, MW or null, index of its technology, RAG letter or
    "", [pipeline id, name, pipeline id, name, …]].

    Of more than MAX_SITES facilities, neighbours are added up: ``groups`` are [latitude, longitude,
    number of facilities, MWp (DC), MW (AC), west, south, east, north], and ``sites`` only those
    without a neighbour. A map then asks for what it shows: ``?bounds=west,south,east,north``, in
    degrees. ``bounds`` is the part of the world that the answer has completely, which is larger;
    null is all of it.
    """

    page_parameters = FilteredPipelines.page_parameters | {"bounds"}

    @method_decorator(cache_control(private=True, no_cache=True))
    def get(self, request, *args, **kwargs):
        """A browser that has the data already is told so without reading them."""
        self.version = asof.data_version(), *reader_key(request.GET, request.user)
        key = cache_key("map", *self.version)
        return etag(lambda *args, **kwargs: f'"{key}"')(super().get)(request, *args, **kwargs)

    def render_to_response(self, context, **kwargs):
        text = self.request.GET.get("bounds")
        if text is None:
            answer = keep(self.everything, "map", *self.version)
        else:
            answer = self.inside(parse_bounds(text))
        return JsonResponse(
            answer, json_dumps_params={"separators": (",", ":"), "ensure_ascii": False}
        )

    @property
    def placed(self) -> FacilityQuerySet:
        return self.object_list.facilities().filter(latitude__isnull=False)

    def everything(self) -> dict[str, Any]:
        found = self.few(self.placed)
        if found is not None:
            return self.answer(found)
        return self.grouped(Grid(Bounds.around(self.placed)))

    def inside(self, bounds: Bounds) -> dict[str, Any]:
        grid = Grid(bounds)
        found = self.few(grid.within(self.placed))
        answer = self.grouped(grid) if found is None else self.answer(found)
        return answer | {"bounds": astuple(grid.bounds)}

    def few(self, facilities: FacilityQuerySet) -> list[Site] | None:
        """The facilities, or None if they are too many to show each."""
        found = sites(self.object_list, facilities.order_by().values("pk")[: MAX_SITES + 1])
        return found if len(found) <= MAX_SITES else None

    def grouped(self, grid: Grid) -> dict[str, Any]:
        groups = grid.groups(self.placed)
        alone = [group.key for group in groups if group.number == 1]
        return self.answer(
            sites(self.object_list, alone) if alone else [],
            [group for group in groups if group.number > 1],
        )

    @staticmethod
    def answer(found: list[Site], groups: list[Group] | None = None) -> dict[str, Any]:
        technologies = list({site.technology.pk: site.technology for site in found}.values())
        indexes = {technology.pk: index for index, technology in enumerate(technologies)}
        return {
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
            "groups": [group.as_json() for group in groups or []],
            "bounds": None,
        }


@require_safe
def layer_data(request: HttpRequest, name: str) -> HttpResponse:
    """What a layer has inside ``?bounds=``, or what it says of the place ``?at=``."""
    layer = map_layers.layer_named(name)
    if "at" in request.GET:
        try:
            return layer.nearest(*map_layers.read_place(request))
        except ValueError as error:
            raise BadRequest(
                "A place is latitude,longitude in degrees, such as 52.1,-1.9."
            ) from error
    form = layer.bind(request.GET)
    if not form.is_valid():
        raise BadRequest(" ".join(map(str, chain(*form.errors.values()))))
    return layer.answer(form.cleaned_data, parse_bounds(request.GET.get("bounds", "")))


class Map(FilteredPipelines):
    template_name = "pipelines/map.html"
    state_template_name = "pipelines/parts/map_state.html"
    default_filter = OPEN_BY_DEFAULT

    def setup(self, request, *args, **kwargs):
        super().setup(request, *args, **kwargs)
        self.page_parameters = FilteredPipelines.page_parameters | self._layer_parameters()

    @staticmethod
    def _layer_parameters() -> frozenset[str]:
        own = (layer.parameters() for layer in map_layers.layers())
        return frozenset({map_layers.BESIDE}).union(*own)

    def get_context_data(self, **kwargs):
        filters = self.filterset.data
        version = asof.data_version(), *reader_key(filters, self.request.user)
        found = keep(self._read, "map page", *version)
        context = super().get_context_data(**kwargs)
        shown = filters.copy()
        for name in self._layer_parameters():
            shown.pop(name, None)
        # Without any pipeline there is no link to show all of them.
        is_empty = not found["placed"] and not self.filterset.queryset.exists()
        return context | {
            "all_query": "" if is_empty else context["all_query"],
            # With the default filter, which MapData does not apply.
            "map_query": shown.urlencode(),
            "status_text": f"{count(found['placed'], 'facility', 'facilities')} on the map",
            "layers": self._layers(),
            **found,
        }

    def _layers(self) -> list[dict[str, Any]]:
        """The layers with their forms, and what is shown of the one that is on."""
        found = []
        for layer in map_layers.layers():
            if not layer.is_offered():
                continue
            form = layer.bind(self.request.GET)
            is_on = self.request.GET.get(map_layers.BESIDE) == layer.name
            shown = {"layer": layer, "form": form, "is_on": is_on}
            if is_on and form.is_valid():
                query = urlencode(form.data)
                shown["url"] = f"{reverse('map-layer', args=[layer.name])}?{query}"
                shown |= layer.foot_context(form.cleaned_data)
            found.append(shown)
        return found

    def _read(self) -> dict[str, Any]:
        facilities = self.object_list.facilities()
        placed = facilities.filter(latitude__isnull=False)
        largest = placed.order_by(F("capacity_mw").desc(nulls_last=True), natural("name"), "pk")
        first = list(largest.values_list("pk", flat=True)[:MAX_LISTED])
        capacity = facilities.capacity()
        number = placed.count()
        return {
            "capacity": capacity,
            "placed": number,
            "unplaced": capacity.facilities - number,
            "sites": sites(self.object_list, first),
            "left_out": max(number - MAX_LISTED, 0),
        }
