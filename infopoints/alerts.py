"""The alert events of information points, registered with oegen.alerts by ``AppConfig.ready``."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from uuid import UUID

from infopoints.models import (
    InformationPoint,
    InformationPointCounterparty,
    InformationPointTechnology,
)
from oegen.alerts.events import Event, Occurrence, Subject, describes, detects
from oegen.audit.changes import Changes

RATED = Event(
    "information-point-rated", "Information point rated high", unit="points", is_reached=True
)


@detects(RATED, models=[InformationPoint])
def rating_changes(changes: Changes) -> Iterator[Occurrence]:
    for change in changes.of(InformationPoint, "impact", "likelihood"):
        if change.after is None:
            continue
        before, after = _rating(change.before), _rating(change.after)
        if before != after:
            yield Occurrence(
                RATED,
                InformationPoint,
                change.key,
                f"{before:,}" if before else "",
                f"{after:,} of 10,000 (impact {change.after['impact']} × likelihood "
                f"{change.after['likelihood']})",
                size=Decimal(after),
                size_before=Decimal(before),
            )


def _rating(values: dict | None) -> int:
    """The value of the generated column, which has no history; 0 if there was no record."""
    return values["impact"] * values["likelihood"] if values else 0


@describes(InformationPoint)
def points_in_messages(keys: list[UUID]) -> dict[UUID, Subject]:
    technologies: dict[UUID, dict] = {}
    links = InformationPointTechnology.objects.filter(information_point__in=keys)
    for link in links.select_related("technology").order_by("technology__order"):
        technologies.setdefault(link.information_point_id, {})[link.technology_id] = link.technology
    counterparties: dict[UUID, set] = {}
    counterparty_links = InformationPointCounterparty.objects.filter(
        information_point__in=keys
    ).order_by()
    for point, counterparty in counterparty_links.values_list("information_point", "counterparty"):
        counterparties.setdefault(point, set()).add(counterparty)
    found = {}
    for key, point in InformationPoint.objects.in_bulk(keys).items():
        own = technologies.get(key, {})
        found[key] = Subject(
            name=point.title,
            noun=str(InformationPoint._meta.verbose_name),
            url=point.get_absolute_url(),
            technology=", ".join(one.name for one in own.values()),
            technologies=frozenset(own) | {one.parent_id for one in own.values() if one.parent_id},
            counterparties=frozenset(counterparties.get(key, set())),
        )
    return found
