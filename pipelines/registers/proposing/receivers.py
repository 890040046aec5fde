"""What changes proposals: editions, records of ours, decisions. An accepted parent is the group."""

from __future__ import annotations

from collections.abc import Collection
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.contrib.contenttypes.models import ContentType
from django.dispatch import receiver

from counterparties.models import Counterparty
from oegen.alerts.events import Changes
from oegen.audit import change_set_closed, history_model, rows_removed, rows_written
from oegen.models import ChangeSet, ExternalReference
from pipelines.models import Facility, Pipeline, PipelineCounterparty, PipelineFacility
from pipelines.registers.models import Edition, Match, RegisterCompany
from pipelines.registers.proposing.asking import PAUSE, ask_for_matching, is_awaited

#: The records by which pairs are found, with the fields that count; no fields: all of them do.
_COMPARED: dict[Any, tuple[str, ...]] = {
    Pipeline: ("project_name",),
    Facility: (*("name", "technology_id", "capacity_mw", "latitude", "longitude", "country"),),
    Counterparty: ("name", "aliases", "country"),
    PipelineFacility: (),
    PipelineCounterparty: (),
    ExternalReference: (),
}

_HISTORIES = {history_model(model) for model in _COMPARED}


@receiver([rows_written, rows_removed], sender=Edition, dispatch_uid="registers.match_edition")
def match_edition(sender: type[Edition], **kwargs: Any) -> None:
    ask_for_matching(after=timedelta())


@receiver(change_set_closed, dispatch_uid="registers.match_records")
def match_records(sender: type[ChangeSet], change_set: ChangeSet, **kwargs: Any) -> None:
    if not _HISTORIES & change_set.written_models or is_awaited(PAUSE):
        return
    changes = Changes(change_set)
    if any(_has_changed(changes, model, fields) for model, fields in _COMPARED.items()):
        ask_for_matching()


def _has_changed(changes: Changes, model: Any, fields: tuple[str, ...]) -> bool:
    return any(
        not fields
        or change.before is None
        or change.after is None
        or any(change.before[name] != change.after[name] for name in fields)
        for change in changes.of(model, *fields)
    )


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
