"""The undo of a move or an edit."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.text import capfirst

from oegen import audit
from oegen.core.fields import REASON_LIMIT
from oegen.models import ChangeSet, User
from pipelines.models import Pipeline

#: How long the user who moved or edited a pipeline can undo that.
UNDO_WITHIN = timedelta(minutes=10)

#: The fields that moves and edits write and their undo restores.
UNDONE_FIELDS = (
    *("stage_id", "on_hold", "on_hold_reason", "rtb_date", "rag_status", "rag_comment"),
    *("rag_confirmed_at", "responsible_id", "next_step", "next_step_on"),
)

#: The ways of changing a pipeline that can be undone so: on the board, and where it is shown.
UNDOABLE = (audit.Source.BOARD, audit.Source.PAGE)

#: Prefix of the reason of an undo.
UNDONE = "Undo: "


class UndoRefusedError(Exception):
    """A move or an edit can't be undone. The message is shown to users."""


@dataclass(frozen=True)
class Edit:
    """A change by ``move_pipeline`` or ``edit_pipeline``; ``message`` says what it was."""

    pipeline: Pipeline
    change_set: ChangeSet
    message: str

    @property
    def seconds_left(self) -> int:
        """Seconds until it can no longer be undone."""
        left = self.change_set.recorded_at + UNDO_WITHIN - timezone.now()
        return max(int(left.total_seconds()), 0)


def last_move(person: User) -> Edit | None:
    """The user's newest move on the board; None if it can't be undone or already is."""
    newest = (
        ChangeSet.objects.filter(
            person=person,
            source=audit.Source.BOARD,
            recorded_at__gt=timezone.now() - UNDO_WITHIN,
        )
        .order_by("-recorded_at")
        .first()
    )
    if newest is None or newest.reason.startswith(UNDONE):
        return None
    row = Pipeline.history.get(change_set=newest)
    pipeline = (
        Pipeline.objects.filter(pk=row.id, version=row.version).select_related("stage").first()
    )
    if pipeline is None:
        return None
    before = Pipeline.history.get(id=row.id, version=row.version - 1)
    return Edit(pipeline, newest, moved(pipeline, before.instance.status_label))


@transaction.atomic
def undo_edit(*, pipeline_id: UUID, change_set_id: UUID, person: User) -> str:
    """Undo a move or an edit in a new change set; returns a sentence that says so.

    The restored status keeps the effective date that it had before the move, so its time in stage
    is not reset. Raises UndoRefusedError unless it was this person's, made within
    ``UNDO_WITHIN``, and nobody has changed the pipeline since.
    """
    pipeline = lock(pipeline_id)
    if pipeline is None:
        raise UndoRefusedError("Somebody removed the pipeline, so there is nothing to undo.")
    edited = Pipeline.history.filter(
        id=pipeline_id, change_set=change_set_id, change_set__source__in=UNDOABLE
    ).select_related("change_set")
    row = edited.first()
    if row is None:
        raise UndoRefusedError("There is no such change to undo.")
    source = row.change_set.source
    what, back = (
        ("move", "move the pipeline back")
        if source == audit.Source.BOARD
        else ("change", "change it back")
    )
    if row.change_set.person_id != person.pk:
        raise UndoRefusedError(
            f"{row.change_set.person} made this {what}. Only they can undo it; you can {back} "
            "with a reason of your own."
        )
    if timezone.now() - row.change_set.recorded_at > UNDO_WITHIN:
        minutes = int(UNDO_WITHIN.total_seconds() // 60)
        raise UndoRefusedError(
            f"The {what} is more than {minutes} minutes old. {capfirst(back)} with a reason."
        )
    if pipeline.version != row.version:
        raise UndoRefusedError(
            f"The pipeline has been changed since, so the {what} stays. Look at what changed, then "
            f"{back} with a reason."
        )
    before = Pipeline.history.get(id=pipeline_id, version=row.version - 1)
    for name in UNDONE_FIELDS:
        setattr(pipeline, name, getattr(before, name))
    try:
        pipeline.full_clean()
    except ValidationError as refusal:
        raise UndoRefusedError(" ".join(refusal.messages)) from refusal
    earlier = pipeline.transitions.exclude(recorded_at__gte=row.change_set.recorded_at)
    began = earlier.order_by("-recorded_at").first()
    pipeline.status_effective_on = began.effective_on if began else None
    reason = f"{UNDONE}{row.change_set.reason}"[:REASON_LIMIT]
    with audit.change_set(person=person, reason=reason, source=source):
        pipeline.save()
    if source == audit.Source.BOARD:
        return f"Undone: {pipeline} is at {pipeline.status_label} again."
    return f"Undone: {pipeline} is as it was before."


def lock(pipeline_id: UUID) -> Pipeline | None:
    """The pipeline, locked by SELECT … FOR UPDATE; None if it was removed.

    Without a join: if this had to wait for another writer, PostgreSQL checks the new row version
    against the rows already joined, and drops it if they no longer match.
    """
    return Pipeline.objects.select_for_update(no_key=True).filter(pk=pipeline_id).first()


def moved(pipeline: Pipeline, before: str) -> str:
    return f"{pipeline} moved from {before} to {pipeline.status_label}."
