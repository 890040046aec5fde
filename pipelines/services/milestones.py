"""Changing the milestones of pipelines."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.core.exceptions import NON_FIELD_ERRORS, PermissionDenied, ValidationError
from django.db import transaction

from oegen import audit
from oegen.core.exceptions import StaleRecordError
from oegen.models import ChangeSet, User
from pipelines.models import Milestone, MilestoneKind
from pipelines.services.undoing import lock


@transaction.atomic
def edit_milestone(
    *,
    pipeline_id: UUID,
    kind: MilestoneKind,
    version: int,
    values: Mapping[str, Any],
    reason: str,
    person: User,
) -> ChangeSet:
    """Set fields of a milestone, by name; ``version`` 0: the pipeline has none of the kind yet.

    Raises StaleRecordError when ``version`` is no longer the milestone's, ValidationError by field
    for values that the rules refuse, and PermissionDenied for a field that the person may not
    change.
    """
    pipeline = lock(pipeline_id)
    if pipeline is None:
        raise ValidationError({NON_FIELD_ERRORS: "Somebody removed it while you had it open."})
    found = Milestone.objects.select_for_update(no_key=True).filter(pipeline=pipeline, kind=kind)
    milestone = found.first() or Milestone(pipeline=pipeline, kind=kind, version=0)
    milestone.pipeline = pipeline
    if milestone.version != version:
        raise StaleRecordError(milestone)
    changed = {name for name, value in values.items() if getattr(milestone, name) != value}
    if not changed:
        raise ValidationError({NON_FIELD_ERRORS: "Nothing is different from what was there."})
    if not person.has_perms(
        [one for name, one in milestone.FIELD_PERMISSIONS.items() if name in changed]
    ):
        raise PermissionDenied
    if milestone._state.adding:
        milestone.version = 1
    for name in changed:
        setattr(milestone, name, values[name])
    milestone.confirm(person, changed)
    milestone.full_clean()
    source = audit.Source.PAGE
    with audit.change_set(person=person, reason=reason, source=source) as change_set:
        milestone.save()
    return change_set
