"""The alert of the warehouse, registered with oegen.alerts by ``AppConfig.ready``."""

from __future__ import annotations

from uuid import UUID

from django.urls import reverse
from django.utils import timezone

from oegen.alerts.events import Event, Occurrence, Subject, describes
from oegen.alerts.outbox import write_occurrences
from oegen.jobs.models import Schedule

#: The job whose schedule the alert is about.
CHECK_WAREHOUSE = "check-warehouse"

CHECK_FAILED = Event(
    "warehouse-check",
    "Check of the warehouse failed",
    "figures from its tables are not those of the pages, or it could not be read",
)


def write_warehouse_alert(note: str) -> None:
    """Write the alert that the check of the warehouse failed, once a day."""
    schedule = Schedule.objects.filter(kind=CHECK_WAREHOUSE).order_by("order").first()
    if schedule is None:
        return  # Whoever removed it runs the check by hand, and sees what it says.
    moment = f"{CHECK_FAILED.code}:{timezone.localdate()}"
    write_occurrences([Occurrence(CHECK_FAILED, Schedule, schedule.pk, note=note, moment=moment)])


@describes(Schedule)
def schedules_in_messages(keys: list[UUID]) -> dict[UUID, Subject]:
    return {
        key: Subject(name=str(schedule), noun="the warehouse", url=reverse("warehouse"))
        for key, schedule in Schedule.objects.in_bulk(keys).items()
    }
