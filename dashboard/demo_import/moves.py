"""What the demo's audit tells of a pipeline's way from status to status."""

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from django.core.exceptions import ValidationError
from django.utils import timezone

from dashboard.demo_import.past import AuditFile
from dashboard.demo_import.scratch import Scratch
from dashboard.demo_import.vocabulary import Vocabulary
from oegen.imports import derived_id
from pipelines.choices import Outcome
from pipelines.models import Pipeline, Stage, StageTransition


@dataclass(frozen=True)
class Move:
    """That the audit first showed the pipeline in a stage, or on hold in it, at a moment."""

    stage: Stage
    on_hold: bool
    moment: datetime


def stage_told(scratch: Scratch, vocabulary: Vocabulary, pipeline: uuid.UUID) -> Stage | None:
    """The earliest stage that the audit shows; a hold is none."""
    stages = (stage for stage, _ in _told(scratch, vocabulary, pipeline) if stage)
    return next(stages, None)


def moves_told(scratch: Scratch, vocabulary: Vocabulary, pipeline: uuid.UUID) -> list[Move]:
    """Oldest first; rows that show the same status again are no move."""
    moves: list[Move] = []
    stage = stage_told(scratch, vocabulary, pipeline) or vocabulary.discovery
    for told, moment in _told(scratch, vocabulary, pipeline):
        stage = told or stage
        move = Move(stage, told is None, moment)
        if not moves or (moves[-1].stage, moves[-1].on_hold) != (move.stage, move.on_hold):
            moves.append(move)
    return moves


def _told(scratch, vocabulary, pipeline) -> Iterator[tuple[Stage | None, datetime]]:
    for cells in scratch.past_cells(pipeline):
        try:
            stage = vocabulary.stage(cells.get("ProjectStatus", "").strip())
        except ValidationError:
            # That row is in the rejects, with this reason.
            continue
        yield stage, datetime.fromisoformat(cells[AuditFile.MOMENT])


def transitions_before(pipeline: Pipeline, moves: list[Move]) -> list[StageTransition]:
    """The transitions that led to the pipeline's present status, which is not among them: it is
    written with the pipeline, and takes effect when the audit first showed it."""
    moves = list(moves)
    if moves and (moves[-1].stage.pk, moves[-1].on_hold) == (pipeline.stage_id, pipeline.on_hold):
        pipeline.status_effective_on = timezone.localdate(moves.pop().moment)
    return [
        StageTransition(
            id=derived_id("stagetransition", pipeline.pk, move.moment.isoformat()),
            pipeline_id=pipeline.pk,
            stage=move.stage,
            on_hold=move.on_hold,
            outcome=Outcome.ACTIVE,
            effective_on=timezone.localdate(move.moment),
            recorded_at=move.moment,
        )
        for move in moves
    ]
