"""The figures of the dashboard in the API. They hold no names of people."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from functools import partial
from typing import Any

from django.core.exceptions import ValidationError
from django.http import Http404
from django.urls import path
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import (
    OpenApiParameter,
    extend_schema,
    extend_schema_field,
    extend_schema_serializer,
)
from rest_framework import serializers
from rest_framework.response import Response
from rest_framework.reverse import reverse
from rest_framework.viewsets import GenericViewSet

from dashboard.charts import Lists
from dashboard.figures import FIGURES, Compared, Figure
from dashboard.figures.figure import Finding, Parts
from dashboard.figures.kept import read_kept
from dashboard.views import query_of
from oegen.api.rest.access import TokenView
from oegen.api.rest.filters import parameters_of, read_filters
from oegen.api.rest.registry import register_addresses
from oegen.api.rest.viewsets import reading_day
from oegen.core import clock
from pipelines.filtered import COMPARE, comparison_day, select_pipelines
from pipelines.filters import PipelineFilter
from pipelines.models import Pipeline

#: Where the definitions are, in the repository.
DEFINITIONS = "docs/metrics.md"

#: The parameters of the filters, with their values.
Filters = dict[str, list[str]]

PARTS = {
    "type": "object",
    "additionalProperties": {"type": ["string", "integer", "null"]},
    "description": "What the value is made of or goes with, by names with their units.",
}


ROW = {
    "type": "object",
    "additionalProperties": {"type": ["string", "integer", "boolean", "array", "null"]},
}


@extend_schema_field({"type": ["string", "integer", "null"], "examples": ["412.500"]})
class ValueField(serializers.Field):
    """A number: of projects or points an integer, else a decimal as a string."""

    def to_representation(self, value: Any) -> Any:
        return value


@extend_schema_field(PARTS)
class PartsField(serializers.DictField):
    pass


@extend_schema_field(ROW)
class RowField(serializers.DictField):
    pass


class AboutFigureSerializer(serializers.Serializer):
    """What a figure is."""

    name = serializers.SlugField()
    title = serializers.CharField()
    unit = serializers.CharField(help_text="Of the value.")
    basis = serializers.CharField(help_text="What is counted, and how often.")
    definition = serializers.CharField()
    definition_in = serializers.CharField(help_text="The chapter of the documentation.")
    url = serializers.URLField(help_text="The page that lists the records behind it.")
    api_url = serializers.URLField(help_text="Where its values are.")


@extend_schema_serializer(many=False)
class FigureListSerializer(serializers.Serializer):
    results = AboutFigureSerializer(many=True)


class ComparedSerializer(serializers.Serializer):
    day = serializers.DateField()
    value = ValueField(help_text="At the end of that day; null of figures of a change since then.")
    parts = PartsField()


class FigureSerializer(AboutFigureSerializer):
    """A figure with its values."""

    as_of = serializers.DateField(help_text="The day, at its end, or today as it is now.")
    filters = serializers.CharField(help_text="Those that apply, as in an address.")
    value = ValueField(help_text="Null if it is not known, or if there is no single one.")
    parts = PartsField()
    compare = ComparedSerializer(
        allow_null=True, help_text="Null of figures that have no comparison."
    )
    rows = serializers.ListField(
        child=RowField(),
        allow_null=True,
        help_text="Of a table, with units in the names and decimals as strings; null of others. "
        "`url` is the page that lists the records behind the row.",
    )


NAME = OpenApiParameter(
    "name", str, OpenApiParameter.PATH, enum=list(FIGURES), description="The figure."
)
PARAMETERS = [
    OpenApiParameter(
        COMPARE,
        OpenApiTypes.DATE,
        description="Compare with the end of this earlier day; by default a month before.",
    ),
    *(
        OpenApiParameter(
            one["name"],
            one["schema"],
            description=one["description"],
            explode=one.get("explode"),
            style=one.get("style"),
        )
        for one in parameters_of(PipelineFilter)
    ),
]


class FigureViewSet(TokenView, GenericViewSet):
    """The figures by name, of the filtered projects: every parameter is that of the dashboard."""

    route = "metrics"
    filter_backends = ()
    pagination_class = None

    def get_serializer_class(self):
        return FigureListSerializer if self.action == "list" else FigureSerializer

    @extend_schema(
        summary="List the figures",
        description="What each figure is, without its values; the links keep the parameters.",
        parameters=PARAMETERS,
    )
    def list(self, request):
        with reading_day(request):
            since, filters = self._read_query()
            about = [self._about(one, since, filters) for one in FIGURES.values()]
        return Response(self.get_serializer({"results": about}).data)

    @extend_schema(
        summary="Read one figure",
        description="As the dashboard has it, with the same filters and comparison day.",
        parameters=[NAME, *PARAMETERS],
    )
    def retrieve(self, request, name: str):
        figure = FIGURES.get(name)
        if figure is None:
            raise Http404(f"There is no figure “{name}”; there are: {', '.join(FIGURES)}.")
        with reading_day(request):
            since, filters = self._read_query()
            select = partial(select_pipelines, request.query_params, request)
            found, then = read_kept(figure, select, since, filters, request.user)
            answer = {
                **self._about(figure, since, filters),
                "as_of": clock.today(),
                "filters": query_of(filters) if figure.is_filtered else "",
                "value": found.value,
                "parts": found.parts,
                "compare": _compared(figure, since, then),
                "rows": found.rows and [self._with_hosts(row) for row in found.rows],
            }
        return Response(self.get_serializer(answer).data)

    def _read_query(self) -> tuple[date, Filters]:
        """The comparison day, and the parameters of the filters. Raises ValidationError."""
        everything = Pipeline.objects.all()
        filterset = read_filters(self.request, everything, PipelineFilter, others=[COMPARE])
        since, problem = comparison_day(self.request.query_params)
        if problem:
            raise ValidationError({COMPARE: problem})
        return since, filterset.active_values

    def _about(self, figure: Figure, since: date, filters: Filters) -> Parts:
        address = reverse("api-metrics-detail", args=[figure.name], request=self.request)
        query = self.request.query_params.urlencode()
        return {
            "name": figure.name,
            "title": figure.title,
            "unit": figure.unit,
            "basis": figure.basis,
            "definition": figure.definition,
            "definition_in": f"{DEFINITIONS}#{figure.anchor}",
            "url": self._absolute(figure.link(Lists(filters), since).url),
            "api_url": f"{address}?{query}" if query else address,
        }

    def _with_hosts(self, row: Parts) -> Parts:
        return {
            name: self._absolute(value) if name.endswith("url") and value else value
            for name, value in row.items()
        }

    @property
    def _absolute(self) -> Callable[[str], str]:
        return self.request.build_absolute_uri


def _compared(figure: Figure, since: date, then: Finding | None) -> Parts | None:
    if figure.compared is Compared.NOTHING:
        return None
    then = then or Finding()
    return {"day": since, "value": then.value, "parts": then.parts}


register_addresses(
    "metrics",
    [
        path("", FigureViewSet.as_view({"get": "list"}), name="api-metrics-list"),
        path("<slug:name>/", FigureViewSet.as_view({"get": "retrieve"}), name="api-metrics-detail"),
    ],
)
