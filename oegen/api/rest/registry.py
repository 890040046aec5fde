"""The routes of the API, which applications register in ``AppConfig.ready()``."""

from __future__ import annotations

from collections.abc import Container, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from django.urls import URLPattern

    from oegen.api.rest.viewsets import RecordViewSet
    from oegen.audit.audited import AuditedModel
    from oegen.people.models import User

#: The view sets by their part of the address.
VIEWSETS: dict[str, type[RecordViewSet]] = {}

#: What is no records, by its part of the address.
ADDRESSES: dict[str, Sequence[URLPattern]] = {}


def register(route: str, viewset: type[RecordViewSet]) -> None:
    """Serve the view set under ``/api/v1/<route>/``."""
    VIEWSETS[route] = viewset


def register_addresses(route: str, patterns: Sequence[URLPattern]) -> None:
    """Serve the patterns below ``/api/v1/<route>/``. The one of that address itself is named
    ``api-<route>-list``, as those of records are."""
    ADDRESSES[route] = patterns


def route_of(model: type[AuditedModel]) -> str:
    """The part of the address under which records of the model are. Raises KeyError."""
    for route, viewset in VIEWSETS.items():
        if viewset.queryset.model is model:
            return route
    raise KeyError(model._meta.label)


def readable_by(
    person: User, *, personal: bool = True, among: Container[type[AuditedModel]] | None = None
) -> dict[type[AuditedModel], type[RecordViewSet]]:
    """The view sets of the records that the person may read, by model; without ``personal``, none
    of contacts and comments. ``among``: of these models only."""
    return {
        view.queryset.model: view
        for view in VIEWSETS.values()
        if (personal or not view.is_personal)
        and (among is None or view.queryset.model in among)
        and (not view.read_permission or person.has_perm(view.read_permission))
    }
