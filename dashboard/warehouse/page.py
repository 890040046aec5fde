"""The page of the warehouse, for administrators."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.contrib.auth.mixins import PermissionRequiredMixin
from django.utils import timezone
from django.views.generic import TemplateView

from dashboard.models import WarehouseRun
from dashboard.warehouse import WarehouseError, require_packages
from oegen.models import ChangeSet

#: From when on tables that lack something count as late: the job runs every hour.
LATE = timedelta(hours=2)

#: What is shown of the destination; its address may name accounts.
PLACES = {"s3": "S3", "abfss": "Azure", "": "a folder of the server"}


@dataclass(frozen=True)
class Lag:
    """The number of change sets that the tables lack, and for how long they have lacked one."""

    change_sets: int
    since: datetime | None

    @property
    def minutes(self) -> int:
        return int((timezone.now() - self.since).total_seconds() // 60) if self.since else 0

    @property
    def is_late(self) -> bool:
        return self.since is not None and timezone.now() - self.since > LATE


def lag_behind(number: int) -> Lag:
    """How far tables lag that contain the change sets up to that number."""
    missing = ChangeSet.objects.filter(number__gt=number)
    first = missing.order_by("number").values_list("sealed_at", flat=True).first()
    newest = ChangeSet.objects.order_by("-number").values_list("number", flat=True).first()
    return Lag(max(0, (newest or 0) - number), first)


class WarehousePage(PermissionRequiredMixin, TemplateView):
    """What runs left; nothing is asked of the destination."""

    template_name = "dashboard/warehouse.html"
    permission_required = "dashboard.view_warehouserun"
    raise_exception = True

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        syncs = WarehouseRun.objects.filter(kind=WarehouseRun.Kind.SYNC)
        synced = syncs.filter(problem="").first()
        return super().get_context_data(**kwargs) | {
            "is_configured": bool(settings.WAREHOUSE),
            "place": PLACES.get(settings.WAREHOUSE.partition("://")[0], PLACES[""]),
            "missing": _missing_packages(),
            "run": syncs.first(),
            "synced": synced,
            "lag": lag_behind(synced.change_set or 0) if synced else None,
            "check": WarehouseRun.objects.filter(kind=WarehouseRun.Kind.CHECK).first(),
        }


def _missing_packages() -> str:
    try:
        require_packages()
    except WarehouseError as error:
        return str(error)
    return ""
