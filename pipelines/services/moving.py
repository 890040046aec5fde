"""Moving pipelines between stages."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import transaction

from oegen import audit
from oegen.audit import questions
from oegen.core.compiled import compiled, one_of
from oegen.core.exceptions import StaleRecordError
from oegen.models import User
from pipelines.choices import Outcome
from pipelines.models import Pipeline, Stage, StageTransition
from pipelines.querysets import HELD
from pipelines.services.undoing import Edit, lock, moved


class NotMovableError(Exception):
    """The pipeline has ended or already has that status. The message is shown to users."""


def record_stage_transitions(pipelines: list[Pipeline]) -> None:
    """Write a StageTransition for each pipeline that differs from its newest one.

    Effective on the pipeline's ``status_effective_on``, else today.
    """
    latest = {}
    # Query also for pipelines just inserted: a restored one already has transitions.
    for row in _known_states(keys=[pipeline.pk for pipeline in pipelines]):
        latest[row[0]] = row[1:]
    moved = [
        pipeline
        for pipeline in pipelines
        if latest.get(pipeline.pk) != (pipeline.stage_id, pipeline.on_hold, pipeline.outcome)
    ]
    if not moved:
        return
    with audit.change_set(savepoint=False) as change_set:
        moment = change_set.row_date()
        StageTransition.objects.bulk_create(
            pipeline.next_transition(recorded_at=moment, recorded_by=change_set.person)
            for pipeline in moved
        )


@compiled
def _known_states(*, keys):
    """The status after each move of the pipelines, from the first on."""
    moves = StageTransition.objects.filter(pipeline__in=one_of(keys, Pipeline))
    ordered = moves.order_by("recorded_at")
    return ordered.values_list("pipeline_id", "stage_id", "on_hold", "outcome")


def check_effective_day(pipeline: Pipeline, changed: Collection[str]) -> None:
    """Raises ValidationError if ``status_effective_on``, which is set, does not fit: no change of
    status among the changed fields (of a new pipeline, all), or a day that its moves refuse."""
    if not {"stage", "on_hold", "outcome"} & set(changed):
        raise ValidationError(
            {
                "status_effective_on": "The status stays as it is, so there is no change to date. "
                "To correct the day of an earlier move, open it under “Moves” on the pipeline’s "
                "page."
            }
        )
    try:
        pipeline.next_transition().clean()
    except ValidationError as error:
        raise ValidationError({"status_effective_on": error.error_dict["effective_on"]}) from error


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
    pipeline = lock(pipeline_id)
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
    return Edit(pipeline, change_set, moved(pipeline, before))


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
