from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.text import Truncator, capfirst

from oegen import audit
from oegen.audit import questions
from oegen.core.exceptions import StaleRecordError
from oegen.core.fields import REASON_LIMIT
from oegen.models import ChangeSet, User
from pipelines.choices import Outcome
from pipelines.models import Pipeline, Stage, StageTransition
from pipelines.querysets import HELD

#: How long the user who moved or edited a pipeline can undo that.
UNDO_WITHIN = timedelta(minutes=10)

#: The fields that moves and edits write and their undo restores.
UNDONE_FIELDS = (
    *("stage_id", "on_hold", "on_hold_reason", "rtb_date", "rag_status", "rag_comment"),
    *("rag_confirmed_at", "responsible_id", "next_step", "next_step_on"),
)

#: The ways of changing a pipeline that can be undone so: on the board, and where it is shown.
UNDOABLE = (audit.Source.BOARD, audit.Source.PAGE)

#: The reason of a confirmation.
STILL_RIGHT = "Still right"

#: Prefix of the reason of an undo.
UNDONE = "Undo: "


class NotMovableError(Exception):
    """The pipeline has ended or already has that status. The message is shown to users."""


class UndoRefusedError(Exception):
    """A move or an edit can't be undone. The message is shown to users."""


class NothingToConfirmError(Exception):
    """The pipeline has no rating. The message is shown to users."""


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
) -> Edit:
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
    before = pipeline.status_label
    set_status(pipeline, to, effective_on, on_hold_reason=on_hold_reason, rtb_date=rtb_date)
    pipeline.full_clean()
    written = {"stage", "on_hold", "on_hold_reason", "rtb_date"}
    answered = questions.require_answers(pipeline, changed=written, answers=save_anyway)
    with audit.change_set(person=person, reason=reason, source=audit.Source.BOARD) as change_set:
        pipeline.save()
        questions.record_answers(pipeline, answered)
    return Edit(pipeline, change_set, _moved(pipeline, before))


def require_active(pipeline: Pipeline) -> None:
    """Raises NotMovableError if the project has ended."""
    if pipeline.outcome != Outcome.ACTIVE:
        raise NotMovableError(
            f"It was {pipeline.get_outcome_display().lower()}, so it has no place on the board. "
            "Make it active again in its form first."
        )


def set_status(
    pipeline: Pipeline,
    to: str,
    effective_on: date,
    *,
    on_hold_reason: str = "",
    rtb_date: date | None = None,
) -> None:
    """Set what ``move_pipeline`` writes, without saving. Raises NotMovableError and
    ValidationError."""
    require_active(pipeline)
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


@transaction.atomic
def edit_pipeline(
    *,
    pipeline_id: UUID,
    version: int,
    values: Mapping[str, Any],
    reason: str,
    person: User,
    save_anyway: Collection[str] = (),
) -> Edit:
    """Set fields of a pipeline, by name. ``save_anyway`` has the keys of the questions that the
    user confirmed.

    Raises StaleRecordError when ``version`` is no longer the pipeline's, and ValidationError by
    field for values that the rules refuse and for questions that are not answered.
    """
    pipeline = _lock(pipeline_id)
    if pipeline is None:
        raise ValidationError({NON_FIELD_ERRORS: "Somebody removed it while you had it open."})
    if pipeline.version != version:
        pipeline.version = version
        raise StaleRecordError(pipeline)
    changed = [name for name, value in values.items() if getattr(pipeline, name) != value]
    if not changed:
        raise ValidationError({NON_FIELD_ERRORS: "Nothing is different from what was there."})
    for name in changed:
        setattr(pipeline, name, values[name])
    pipeline.full_clean()
    answered = questions.require_answers(pipeline, changed=set(changed), answers=save_anyway)
    reason = Truncator(reason).chars(REASON_LIMIT)
    with audit.change_set(person=person, reason=reason, source=audit.Source.PAGE) as change_set:
        pipeline.save()
        questions.record_answers(pipeline, answered)
    return Edit(pipeline, change_set, _edited(pipeline, changed))


@dataclass(frozen=True)
class Together:
    """The pipelines that ``edit_together`` saved, in one change set, and the others by name, with
    the reason why they were left as they are."""

    saved: tuple[Pipeline, ...]
    left_out: tuple[tuple[str, str], ...]
    change_set: ChangeSet | None


def plan_together(
    pipelines: Iterable[Pipeline], change: Callable[[Pipeline], set[str]]
) -> tuple[list[Pipeline], list[tuple[str, str]]]:
    """Apply ``change``, which returns the names of the fields that it sets, to each pipeline,
    without saving: those that can be saved, and the names of the others with the reason."""
    planned, left_out = [], []
    for pipeline in pipelines:
        try:
            written = change(pipeline)
            pipeline.full_clean()
            questions.require_answers(pipeline, changed=written, answers=())
        except (NotMovableError, NothingToConfirmError) as error:
            left_out.append((str(pipeline), str(error)))
        except ValidationError as error:
            left_out.append((str(pipeline), " ".join(error.messages)))
        else:
            planned.append(pipeline)
    return planned, left_out


@transaction.atomic
def edit_together(
    *,
    versions: Mapping[UUID, int],
    change: Callable[[Pipeline], set[str]],
    reason: str,
    person: User,
) -> Together:
    """Change the pipelines whose version is still the one given, by key. The others, and those that
    the rules refuse, are left as they are; so are those with a question, which is asked where one
    pipeline is changed alone."""
    locked = Pipeline.objects.select_for_update(no_key=True).filter(pk__in=versions).order_by("pk")
    current, left_out = [], []
    for pipeline in locked:
        if pipeline.version == versions[pipeline.pk]:
            current.append(pipeline)
        else:
            left_out.append((str(pipeline), "Somebody changed it meanwhile."))
    planned, refused = plan_together(current, change)
    change_set = None
    if planned:
        source = audit.Source.PAGE
        with (
            audit.change_set(person=person, reason=reason, source=source) as change_set,
            audit.saves_together(),
        ):
            for pipeline in planned:
                pipeline.save()
    return Together(tuple(planned), (*left_out, *refused), change_set)


def _moved(pipeline: Pipeline, before: str) -> str:
    return f"{pipeline} moved from {before} to {pipeline.status_label}."


def _edited(pipeline: Pipeline, changed: Collection[str]) -> str:
    if "rag_status" in changed:
        rating = pipeline.get_rag_status_display() or "not rated"
        return f"{pipeline} is {rating.lower()}."
    if "rtb_date" in changed:
        day = date_format(pipeline.rtb_date) if pipeline.rtb_date else "empty"
        return f"The RTB date of {pipeline} is {day}."
    if "responsible" in changed:
        return f"{pipeline.responsible or 'Nobody'} is responsible for {pipeline}."
    return f"{pipeline} is saved."


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
    return Edit(pipeline, newest, _moved(pipeline, before.instance.status_label))


@transaction.atomic
def undo_edit(*, pipeline_id: UUID, change_set_id: UUID, person: User) -> str:
    """Undo a move or an edit in a new change set; returns a sentence that says so.

    The restored status keeps the effective date that it had before the move, so its time in stage
    is not reset. Raises UndoRefusedError unless it was this person's, made within
    ``UNDO_WITHIN``, and nobody has changed the pipeline since.
    """
    pipeline = _lock(pipeline_id)
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
    with audit.change_set(person=person, reason=STILL_RIGHT):
        pipeline = Pipeline.objects.order_by().select_for_update(no_key=True).get(pk=key)
        if pipeline.version != version:
            raise StaleRecordError(pipeline)
        set_confirmed(pipeline)
        pipeline.save()


def set_confirmed(pipeline: Pipeline) -> set[str]:
    """Confirm the rating, without saving. Raises NothingToConfirmError."""
    if not pipeline.rag_status:
        raise NothingToConfirmError("There is no rating to confirm: choose one instead.")
    pipeline.rag_confirmed_at = timezone.now()
    return {"rag_confirmed_at"}
