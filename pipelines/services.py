from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, timedelta
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from oegen import audit
from oegen.audit import questions
from oegen.core.exceptions import StaleRecordError
from oegen.core.fields import REASON_LIMIT
from oegen.models import ChangeSet, User
from pipelines.choices import Outcome
from pipelines.models import Pipeline, Stage, StageTransition
from pipelines.querysets import HELD

#: How long the user who moved a pipeline can undo the move.
UNDO_WITHIN = timedelta(minutes=10)

#: The fields that a move writes and its undo restores.
MOVED_FIELDS = ("stage_id", "on_hold", "on_hold_reason", "rtb_date")

#: Prefix of the reason of an undo.
UNDONE = "Undo: "


class NotMovableError(Exception):
    """The pipeline has ended or already has that status. The message is shown to users."""


class UndoRefusedError(Exception):
    """A move can't be undone. The message is shown to users."""


class NothingToConfirmError(Exception):
    """The pipeline has no rating. The message is shown to users."""


@dataclass(frozen=True)
class Move:
    """A move on the board; ``before`` and ``after`` are the status labels."""

    pipeline: Pipeline
    change_set: ChangeSet
    before: str
    after: str

    @property
    def message(self) -> str:
        return f"{self.pipeline} moved from {self.before} to {self.after}."

    @property
    def seconds_left(self) -> int:
        """Seconds until the move can no longer be undone."""
        left = self.change_set.recorded_at + UNDO_WITHIN - timezone.now()
        return max(int(left.total_seconds()), 0)


def record_stage_transitions(pipelines: list[Pipeline]) -> None:
    """Write a StageTransition for each pipeline that differs from its newest one.

    Effective on the pipeline's ``status_effective_on``, else today.
    """
    latest = {}
    # Query also for pipelines just inserted: a restored one already has transitions.
    known = StageTransition.objects.filter(pipeline__in=pipelines).order_by("recorded_at")
    for row in known.values_list("pipeline_id", "stage_id", "on_hold", "outcome"):
        latest[row[0]] = row[1:]
    moved = [
        pipeline
        for pipeline in pipelines
        if latest.get(pipeline.pk) != (pipeline.stage_id, pipeline.on_hold, pipeline.outcome)
    ]
    if not moved:
        return
    with audit.change_set(savepoint=False) as change_set:
        moment = change_set.recorded_at if change_set.back_dated else timezone.now()
        StageTransition.objects.bulk_create(
            pipeline.next_transition(recorded_at=moment, recorded_by=change_set.person)
            for pipeline in moved
        )


@transaction.atomic
def move_pipeline(
    *,
    pipeline_id: UUID,
    version: int,
    to: str,
    reason: str,
    effective_on: date,
    person: User,
    on_hold_reason: str = "",
    rtb_date: date | None = None,
    save_anyway: Collection[str] = (),
) -> Move:
    """Move a pipeline to a stage, given by its code, or put it on hold (``HELD``).

    A move to a stage clears the hold; a hold keeps the stage and stores ``on_hold_reason``.
    ``rtb_date`` is written for a terminal stage only. ``save_anyway`` has the keys of the questions
    that the user confirmed.

    Raises StaleRecordError when ``version`` is no longer the pipeline's, NotMovableError, and
    ValidationError by field for what the rules of the new status refuse and for questions that
    are not answered.
    """
    pipeline = _lock(pipeline_id)
    if pipeline is None:
        raise NotMovableError("Somebody removed it while you had the board open.")
    if pipeline.version != version:
        pipeline.version = version
        raise StaleRecordError(pipeline)
    if pipeline.outcome != Outcome.ACTIVE:
        raise NotMovableError(
            f"It was {pipeline.get_outcome_display().lower()}, so it has no place on the board. "
            "Make it active again in its form first."
        )
    before = pipeline.status_label
    if to == HELD:
        if not on_hold_reason.strip():
            raise ValidationError({"on_hold_reason": "Say what it is waiting for."})
        if pipeline.stage.is_terminal:
            raise NotMovableError(
                f"A {pipeline.stage.name.lower()} project can't be on hold: choose the stage it "
                "is held in first."
            )
        pipeline.on_hold, pipeline.on_hold_reason = True, on_hold_reason
    else:
        pipeline.stage = Stage.objects.get(code=to)
        pipeline.on_hold, pipeline.on_hold_reason = False, ""
        if pipeline.stage.is_terminal:
            pipeline.rtb_date = rtb_date
    if pipeline.status_label == before:
        raise NotMovableError(f"It is at {before} already: choose another place for it.")
    pipeline.status_effective_on = effective_on
    pipeline.next_transition().clean()
    pipeline.full_clean()
    written = {"stage", "on_hold", "on_hold_reason", "rtb_date"}
    answered = questions.require_answers(pipeline, changed=written, answers=save_anyway)
    with audit.change_set(person=person, reason=reason, source=audit.Source.BOARD) as change_set:
        pipeline.save()
        questions.record_answers(pipeline, answered)
    return Move(pipeline, change_set, before, pipeline.status_label)


def last_move(person: User) -> Move | None:
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
    return Move(pipeline, newest, before.instance.status_label, pipeline.status_label)


@transaction.atomic
def undo_move(*, pipeline_id: UUID, change_set_id: UUID, person: User) -> ChangeSet:
    """Undo a move on the board in a new change set.

    The restored status keeps the effective date that it had before the move, so its time in stage
    is not reset. Raises UndoRefusedError unless it was this person's move, made within
    ``UNDO_WITHIN``, and nobody has changed the pipeline since.
    """
    pipeline = _lock(pipeline_id)
    if pipeline is None:
        raise UndoRefusedError("Somebody removed the pipeline, so there is nothing to undo.")
    moved = Pipeline.history.filter(
        id=pipeline_id, change_set=change_set_id, change_set__source=audit.Source.BOARD
    ).select_related("change_set")
    row = moved.first()
    if row is None:
        raise UndoRefusedError("There is no such move to undo.")
    if row.change_set.person_id != person.pk:
        raise UndoRefusedError(
            f"{row.change_set.person} made this move. Only they can undo it; you can move the "
            "pipeline back with a reason of your own."
        )
    if timezone.now() - row.change_set.recorded_at > UNDO_WITHIN:
        minutes = int(UNDO_WITHIN.total_seconds() // 60)
        raise UndoRefusedError(
            f"The move is more than {minutes} minutes old. Move the pipeline back with a reason."
        )
    if pipeline.version != row.version:
        raise UndoRefusedError(
            "The pipeline has been changed since, so the move stays. Look at what changed, then "
            "move it back with a reason."
        )
    before = Pipeline.history.get(id=pipeline_id, version=row.version - 1)
    for name in MOVED_FIELDS:
        setattr(pipeline, name, getattr(before, name))
    try:
        pipeline.full_clean()
    except ValidationError as refusal:
        raise UndoRefusedError(" ".join(refusal.messages)) from refusal
    earlier = pipeline.transitions.exclude(recorded_at__gte=row.change_set.recorded_at)
    began = earlier.order_by("-recorded_at").first()
    pipeline.status_effective_on = began.effective_on if began else None
    with audit.change_set(
        person=person,
        reason=f"{UNDONE}{row.change_set.reason}"[:REASON_LIMIT],
        source=audit.Source.BOARD,
    ) as change_set:
        pipeline.save()
    return change_set


def _lock(pipeline_id: UUID) -> Pipeline | None:
    """The pipeline, locked by SELECT … FOR UPDATE; None if it was removed.

    Without a join: if this had to wait for another writer, PostgreSQL checks the new row version
    against the rows already joined, and drops it if they no longer match.
    """
    return Pipeline.objects.select_for_update(no_key=True).filter(pk=pipeline_id).first()


def confirm_rag(*, key: UUID, version: int, person: User) -> None:
    """Confirm the RAG rating and its comment.

    Raises StaleRecordError when ``version`` is no longer the pipeline's, and NothingToConfirmError
    if it has no rating.
    """
    with audit.change_set(person=person, reason="Still right"):
        pipeline = Pipeline.objects.order_by().select_for_update(no_key=True).get(pk=key)
        if pipeline.version != version:
            raise StaleRecordError(pipeline)
        if not pipeline.rag_status:
            raise NothingToConfirmError("There is no rating to confirm: choose one instead.")
        pipeline.rag_confirmed_at = timezone.now()
        pipeline.save()
