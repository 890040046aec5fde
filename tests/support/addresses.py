"""Addresses of the site's routes, for tests of every page."""

import re
from collections.abc import Iterable

from django.contrib import admin
from django.contrib.contenttypes.models import ContentType
from django.db import models

from oegen.alerts.preferences import unsubscribe_token
from oegen.models import ChangeSet, Comment, User
from pipelines.models import Pipeline


def address_of(route: str, records: dict[type[models.Model], models.Model]) -> str:
    """The address of a route, as tests/permissions writes it, at one of the records.

    A route that needs more than the key of a record of that address raises LookupError.
    """
    pipeline = records[Pipeline]
    special = {
        "admin/autocomplete/": (
            "admin/autocomplete/?app_label=pipelines&model_name=pipeline&field_name=stage"
        ),
        "admin/r/<path:content_type_id>/<path:object_id>/": (
            f"admin/r/{ContentType.objects.get_for_model(Pipeline).pk}/{pipeline.pk}/"
        ),
        "admin/<app_label>/": "admin/pipelines/",
        "admin/(?P<url>.*)$": "admin/nowhere/",
        "api/^.*$": "api/nowhere/",
        "odata/^v1/as-of/(?P<day>[^/]+)(?:/(?P<path>.*))?$": "odata/v1/as-of/2026-03-31/",
        "pipelines/map/layers/<slug:name>/": "pipelines/map/layers/registers/?bounds=-9,49,2,61",
        "odata/^(?:v1)?(?:/(?P<path>.*))?$": "odata/v1/Pipelines",
    }
    if route in special:
        return f"/{special[route]}"
    route = route.replace("<uuid:change_set>", str(ChangeSet.objects.latest("recorded_at").pk))
    route = route.replace("edit/<slug:what>", "edit/rag")
    route = route.replace("milestones/<slug:kind>", "milestones/rtb")
    route = route.replace("together/<slug:what>", "together/confirm")
    route = route.replace("<uuid:comment>", str(records[Comment].pk))
    token = unsubscribe_token(records[User], ["completed"])
    route = route.replace("<str:token>", token)
    # Of the comment, which its author may take back.
    number = records[Comment].history.latest().change_set.number
    route = route.replace("<int:number>", str(number))
    route = _of_history(route, pipeline)
    found = re.fullmatch(r"([^<]*)<(?:uuid:pk|path:object_id|id)>([^<]*)", route)
    if found:
        before, after = found.groups()
        route = f"{before}{_by_address(records.values())[before].pk}{after}"
    elif "<" in route:
        raise LookupError(f"tests/support/addresses.py does not know what stands in “{route}”.")
    return f"/{route}"


def _of_history(route: str, record: models.Model) -> str:
    """A route of the history pages at the record and its newest entry; others as they are."""
    route = route.replace("<str:kind>/<uuid:pk>", f"{record._meta.model_name}/{record.pk}")
    return route.replace("<int:entry>", str(record.history.latest("history_id").history_id))


def _by_address(records: Iterable[models.Model]) -> dict[str, models.Model]:
    """The records by what their addresses begin with, on the pages and in the admin."""
    found = {}
    for record in records:
        found[f"admin/{record._meta.app_label}/{record._meta.model_name}/"] = record
        if hasattr(record, "get_absolute_url"):
            found[record.get_absolute_url().strip("/").removesuffix(str(record.pk))] = record
    missing = set(admin.site._registry) - {type(record) for record in records}
    if missing:
        raise LookupError(f"make_portfolio in tests/support/builders.py makes no {missing}.")
    return found
