"""Projects of registers on the map, beside our own facilities."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import astuple
from typing import Any

from django import forms
from django.db.models import FloatField, Q
from django.db.models.functions import Cast, Cos, Power, Radians
from django.http import HttpResponse, JsonResponse

from oegen import asof
from oegen.core.caching import keep
from pipelines import map_layers
from pipelines.choices import CapacityBasis
from pipelines.models import Facility, Technology
from pipelines.registers.choices import RegisterOutcome
from pipelines.registers.licences import registers_shown
from pipelines.registers.matching.blocking import distance_km
from pipelines.registers.models import MatchState, Register, RegisterProject
from pipelines.sites import Bounds, Grid

#: With more projects in sight the map gets groups of neighbours.
MAX_SITES = 500

ANY = ""


def _placed():
    return RegisterProject.objects.in_newest().filter(latitude__isnull=False).order_by()


def _kept_choices(kind: str, read: Callable[[], list[tuple[str, str]]]) -> list[tuple[str, str]]:
    return keep(read, "register layer choices", kind, asof.data_version())


def _register_choices() -> list[tuple[str, str]]:
    def read():
        found = Register.objects.filter(pk__in=_placed().values("register"))
        return [(one.code, one.short_name) for one in found]

    return [(ANY, "Any register"), *_kept_choices("registers", read)]


def _technology_choices() -> list[tuple[str, str]]:
    def read():
        found = Technology.objects.filter(pk__in=_placed().values("technology"))
        return list(found.values_list("code", "name"))

    return [(ANY, "Any technology"), *_kept_choices("technologies", read)]


def _select() -> forms.Select:
    return forms.Select(attrs={"class": "form-select form-select-sm"})


class LayerForm(forms.Form):
    """The names begin with the layer's, since the filters of pipelines stand beside them."""

    beside_register = forms.ChoiceField(
        label="Register", choices=_register_choices, required=False, widget=_select()
    )
    beside_outcome = forms.ChoiceField(
        label="Outcome",
        choices=[(ANY, "Any outcome"), *RegisterOutcome.choices],
        required=False,
        widget=_select(),
        initial=RegisterOutcome.ACTIVE,
    )
    beside_technology = forms.ChoiceField(
        label="Technology", choices=_technology_choices, required=False, widget=_select()
    )


def _is_offered() -> bool:
    return len(_register_choices()) > 1


def _foot_context(filters: dict[str, Any]) -> dict[str, Any]:
    return {
        "number": _picked(filters).count(),
        "registers": registers_shown(*filter(None, [filters["beside_register"]])),
    }


def _picked(filters: dict[str, Any]):
    """Projects in the newest editions that have coordinates and are not known to be ours."""
    ours = Q(matches__state=MatchState.ACCEPTED)
    found = _placed().exclude(ours)
    wanted = {
        "register__code": filters["beside_register"],
        "outcome": filters["beside_outcome"],
        "technology__code": filters["beside_technology"],
    }
    return found.filter(**{path: value for path, value in wanted.items() if value})


def answer(filters: dict[str, Any], bounds: Bounds) -> HttpResponse:
    """``sites`` are [id, name, latitude, longitude, MW or null, unit, technology, status as
    published, operator, register]; ``groups`` and ``bounds`` are those of ``MapData``."""
    grid = Grid(bounds)
    found = keep(
        lambda: _read(filters, grid),
        "register layer",
        asof.data_version(),
        *filters.values(),
        *astuple(grid.bounds),
    )
    return JsonResponse(found, json_dumps_params={"separators": (",", ":"), "ensure_ascii": False})


def _read(filters: dict[str, Any], grid: Grid) -> dict[str, Any]:
    inside = grid.within(_picked(filters))
    sites = _sites(inside[: MAX_SITES + 1])
    groups = []
    if len(sites) > MAX_SITES:
        groups = grid.groups(inside, Q(capacity_basis=CapacityBasis.DC))
        alone = [group.key for group in groups if group.number == 1]
        sites = _sites(RegisterProject.objects.filter(pk__in=alone))
        groups = [group for group in groups if group.number > 1]
    return {
        "sites": sites,
        "groups": [group.as_json() for group in groups],
        "bounds": astuple(grid.bounds),
    }


def _sites(projects) -> list[list[Any]]:
    abbreviations = {one.pk: one.short_name for one in Register.objects.all()}
    names = dict(Technology.objects.values_list("pk", "name"))
    return [
        [
            str(one.pk),
            one.name,
            float(one.latitude),
            float(one.longitude),
            None if one.capacity_mw is None else float(one.capacity_mw),
            one.unit,
            names.get(one.technology_id, one.raw_technology),
            one.raw_status,
            one.operator,
            abbreviations[one.register_id],
        ]
        for one in projects.only(
            *("name", "latitude", "longitude", "capacity_mw", "capacity_basis", "technology_id"),
            *("raw_technology", "raw_status", "operator", "register_id"),
        )
    ]


def nearest(latitude: float, longitude: float) -> HttpResponse:
    """Our nearest facility: its id, its name and how many kilometres it is away; empty if none of
    ours has coordinates."""
    north = Cast("latitude", FloatField()) - latitude
    east = (Cast("longitude", FloatField()) - longitude) * Cos(Radians(latitude))
    placed = Facility.objects.recorded().filter(latitude__isnull=False)
    found = placed.order_by(Power(north, 2) + Power(east, 2), "pk").first()
    if found is None:
        return JsonResponse({})
    km = distance_km((latitude, longitude), (float(found.latitude), float(found.longitude)))
    return JsonResponse({"id": str(found.pk), "name": found.name, "km": round(km, 1)})


map_layers.register(
    map_layers.Layer(
        name="registers",
        label="Projects of public registers",
        form=LayerForm,
        foot="registers/parts/map_layer.html",
        is_offered=_is_offered,
        foot_context=_foot_context,
        answer=answer,
        nearest=nearest,
    )
)
