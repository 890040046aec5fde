"""The alert of a new edition, registered with oegen.alerts by ``AppConfig.ready``."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import UUID

from django.urls import reverse

from oegen.alerts.events import Changes, Event, Occurrence, Subject, describes, detects
from pipelines.registers.models import Edition

NEW_EDITION = Event(
    "register-edition",
    "New edition of a public register",
    "the newest one; an older one that comes later is not told",
)


@detects(NEW_EDITION, models=[Edition])
def new_editions(changes: Changes) -> Iterator[Occurrence]:
    for change in changes.of(Edition, "register_id", "date", "summary"):
        if change.before is not None or change.after is None or not change.is_new:
            continue
        others = Edition.objects.filter(register_id=change.after["register_id"])
        if not others.filter(date__gt=change.after["date"]).exists():
            yield Occurrence(NEW_EDITION, Edition, change.key, new=change.after["summary"])


@describes(Edition)
def editions_in_messages(keys: list[UUID]) -> dict[UUID, Subject]:
    editions = Edition.objects.select_related("register").in_bulk(keys)
    return {
        key: Subject(
            name=str(edition),
            noun=str(Edition._meta.verbose_name),
            url=reverse("history", args=[Edition._meta.model_name, key]),
            countries=frozenset(filter(None, [str(edition.register.country)])),
        )
        for key, edition in editions.items()
    }
