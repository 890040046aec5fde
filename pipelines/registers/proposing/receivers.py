"""What changes proposals: editions, records of ours, decisions. An accepted parent is the group."""

from __future__ import annotations

from collections.abc import Collection
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.contrib.contenttypes.models import ContentType
from django.dispatch import receiver

from counterparties.models import Counterparty
from oegen.audit import change_set_closed, rows_removed, rows_written
from oegen.audit.changes import FEW, Changes
from oegen.models import ChangeSet, ExternalReference
from pipelines.models import Facility, Pipeline, PipelineCounterparty, PipelineFacility
from pipelines.registers.models import Edition, Match, RegisterCompany
from pipelines.registers.proposing.asking import PAUSE, ask_for_matching, is_awaited

#: The records by which pairs are found, with the fields that count.
_COMPARED: dict[Any, tuple[str, ...]] = {
    Pipeline: ("project_name",),
    Facility: (*("name", "technology_id", "capacity_mw", "latitude", "longitude", "country"),),
    Counterparty: ("name", "aliases", "country"),
    PipelineFacility: ("pipeline_id", "facility_id"),
    PipelineCounterparty: ("pipeline_id", "counterparty_id"),
    ExternalReference: ("source", "key", "content_type_id", "object_id"),
}


@receiver([rows_written, rows_removed], sender=Edition, dispatch_uid="registers.match_edition")
def match_edition(sender: type[Edition], **kwargs: Any) -> None:
    ask_for_matching(after=timedelta())


@receiver(change_set_closed, dispatch_uid="registers.match_records")
def match_records(sender: type[ChangeSet], changes: Changes, **kwargs: Any) -> None:
    is_large = any(changes.number_of(model) > FEW for model in _COMPARED)
    # Asking first takes statements that most writes don't need.
    if is_large and is_awaited(PAUSE):
        return
    if any(
        change.concerns(*fields)
        for model, fields in _COMPARED.items()
        for change in changes.of(model, *fields)
    ):
        ask_for_matching()


@receiver(rows_written, sender=Match, dispatch_uid="registers.group")
def group_companies(sender: type[Match], instances: list[Match], **kwargs: Any) -> None:
    _set_groups({match.company_id for match in instances if match.company_id})


@receiver(rows_removed, sender=Match, dispatch_uid="registers.ungroup")
def ungroup_companies(sender: type[Match], keys: list[UUID], **kwargs: Any) -> None:
    """A pair that is undecided again is proposed again."""
    rows = Match.history.filter(id__in=keys).exclude(company=None)
    _set_groups(set(rows.values_list("company_id", flat=True)))
    ask_for_matching()


def _set_groups(companies: Collection[UUID]) -> None:
    parents = dict(
        Match.objects.accepted()
        .filter(
            company__in=companies,
            content_type=ContentType.objects.get_for_model(RegisterCompany),
        )
        .values_list("company_id", "object_id")
    )
    changed = []
    for company in RegisterCompany.objects.filter(pk__in=companies):
        if company.group_id != parents.get(company.pk):
            company.group_id = parents.get(company.pk)
            changed.append(company)
    RegisterCompany.objects.bulk_update(changed, ["group"])
