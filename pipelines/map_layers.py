"""What else the map can show beside our facilities. Higher packages register it.

A layer is switched on by its name in the query, ``?beside=registers``, and filtered by a form whose
fields are query parameters, too. Its data are like those of ``MapData``, for a part of the world.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django import forms
from django.http import Http404, HttpRequest, HttpResponse, QueryDict

from pipelines.sites import Bounds

#: The query parameter with the name of the layer that is on.
BESIDE = "beside"


@dataclass(frozen=True)
class Layer:
    """``form`` is the class of its filters, which all have a default; ``answer`` gives the data
    that the cleaned filters pick inside the bounds, ``nearest`` what is told of a place. The
    template ``foot`` is shown while the layer is on. ``is_offered`` says whether it has any data.
    """

    name: str
    label: str
    form: type[forms.Form]
    foot: str
    is_offered: Callable[[], bool]
    foot_context: Callable[[dict[str, Any]], dict[str, Any]]
    answer: Callable[[dict[str, Any], Bounds], HttpResponse]
    nearest: Callable[[float, float], HttpResponse]

    def parameters(self) -> frozenset[str]:
        return frozenset(self.form.base_fields)

    def bind(self, query: QueryDict) -> forms.Form:
        """With the defaults of what the query leaves out."""
        data = {
            name: query.get(name, field.initial or "")
            for name, field in self.form.base_fields.items()
        }
        return self.form(data)


_layers: dict[str, Layer] = {}


def register(layer: Layer) -> None:
    _layers[layer.name] = layer


def layers() -> list[Layer]:
    return list(_layers.values())


def layer_named(name: str) -> Layer:
    """Raises Http404."""
    if name not in _layers:
        raise Http404(f"There is no layer “{name}”.")
    return _layers[name]


def read_place(request: HttpRequest) -> tuple[float, float]:
    """Latitude and longitude of ``?at=``; raises ValueError."""
    latitude, longitude = map(float, request.GET["at"].split(","))
    if not (-90 <= latitude <= 90 and -180 <= longitude <= 180):
        raise ValueError(request.GET["at"])
    return latitude, longitude
