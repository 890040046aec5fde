"""The filters of the pages, for the API: the same names, choices and sentences.

Unlike a page, a request with an unknown parameter or an invalid value is refused, and nothing is
filtered by default.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import django_filters
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import QuerySet
from django.utils.text import capfirst
from rest_framework.filters import BaseFilterBackend
from rest_framework.request import Request

from oegen import asof
from oegen.api.rest.paging import KeyPagination
from oegen.audit.audited import AuditedModel
from oegen.pages.filters import (
    AmountFilter,
    DayFilter,
    RecordFilter,
    TextFilter,
    WholeNumberFilter,
)
from oegen.pages.selection import NOT, SelectionFilter

#: The JSON schema of a value, by the class of the filter; others take a string.
VALUES: dict[type[django_filters.Filter], dict[str, Any]] = {
    WholeNumberFilter: {"type": "integer", "minimum": 0, "maximum": 1_000_000_000},
    AmountFilter: {"type": "number", "minimum": 0, "maximum": 1_000_000_000},
    DayFilter: {"type": "string", "format": "date"},
    RecordFilter: {"type": "string", "format": "uuid"},
    TextFilter: {"type": "string", "maxLength": 200},
}


def refuse_unknown(request: Request, known: Iterable[str]) -> None:
    """Raises ValidationError for parameters that are not known, by parameter."""
    known = {*known, asof.PARAMETER}
    unknown = [name for name in request.query_params if name not in known]
    if unknown:
        names = ", ".join(sorted(known))
        raise ValidationError(
            dict.fromkeys(unknown, f"There is no such parameter here; there are: {names}.")
        )


def read_filters(
    request: Request,
    queryset: QuerySet,
    filterset_class: type[django_filters.FilterSet],
    *,
    others: Iterable[str],
) -> django_filters.FilterSet:
    """The valid filters of the request. ``others`` are the parameters that it may have besides.
    Raises ValidationError, by parameter."""
    filterset = filterset_class(request.query_params, queryset=queryset, request=request)
    refuse_unknown(request, [*others, *getattr(filterset, "parameters", filterset.filters)])
    if not filterset.is_valid():
        raise ValidationError(filterset.errors.as_data())
    return filterset


class RecordFilterBackend(BaseFilterBackend):
    """Applies the view's ``filterset_class``. Raises ValidationError, by parameter."""

    def filter_queryset(self, request, queryset, view):
        others = KeyPagination.parameters
        if view.filterset_class is None:
            refuse_unknown(request, others)
            return queryset
        return read_filters(request, queryset, view.filterset_class, others=others).qs

    def get_schema_operation_parameters(self, view) -> list[dict[str, Any]]:
        """The parameters for the OpenAPI description."""
        return [] if view.filterset_class is None else parameters_of(view.filterset_class)


def parameters_of(filterset_class: type[django_filters.FilterSet]) -> list[dict[str, Any]]:
    """The parameters of the filters, as OpenAPI has them."""
    filters = filterset_class.base_filters
    return [one for name, given in filters.items() for one in _parameters(name, given)]


def _parameters(name: str, given: django_filters.Filter) -> Iterator[dict[str, Any]]:
    label = str(given.label or capfirst(name))
    if isinstance(given, SelectionFilter):
        codes = {"type": "array", "items": {"type": "string", "maxLength": 200}}
        for parameter, text in ((name, label), (f"{name}{NOT}", f"{label}: not these")):
            description = f"{text}. Codes, as the list of that page has them in its address."
            yield {
                "name": parameter,
                "in": "query",
                "description": description,
                "schema": codes,
                "explode": True,
                "style": "form",
            }
        return
    schema = next(
        (schema for kind, schema in VALUES.items() if isinstance(given, kind)), {"type": "string"}
    )
    choices = given.extra.get("choices")
    if isinstance(choices, list | tuple):
        schema = {"type": "string", "enum": [str(code) for code, _ in choices]}
    yield {"name": name, "in": "query", "description": f"{label}.", "schema": schema}


def filterset_for(model: type[AuditedModel]) -> type[django_filters.FilterSet]:
    """A filter for each foreign key to an audited record, for models whose pages have no filters
    of their own: links and reference tables."""
    filters: dict[str, Any] = {}
    for field in model._meta.concrete_fields:
        if not isinstance(field, models.ForeignKey):
            continue
        target = field.remote_field.model
        if isinstance(target, type) and issubclass(target, AuditedModel):
            filters[field.name] = RecordFilter(
                target._meta.label, capfirst(str(field.verbose_name)), field_name=field.name
            )
    filters["Meta"] = type("Meta", (), {"model": model, "fields": []})
    return type(f"{model.__name__}KeyFilter", (django_filters.FilterSet,), filters)
