"""The stage transitions of pipelines, derived from the demo's audit."""

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
    """The first audit row that shows the pipeline in a stage, or on hold in it."""

    stage: Stage
    on_hold: bool
    moment: datetime


def first_stage(scratch: Scratch, vocabulary: Vocabulary, pipeline: uuid.UUID) -> Stage | None:
    """The earliest stage in the audit; holds are skipped."""
    stages = (stage for stage, _ in _statuses(scratch, vocabulary, pipeline) if stage)
    return next(stages, None)


def moves_of(scratch: Scratch, vocabulary: Vocabulary, pipeline: uuid.UUID) -> list[Move]:
    """Oldest first; rows that repeat a status are left out."""
    moves: list[Move] = []
    stage = first_stage(scratch, vocabulary, pipeline) or vocabulary.discovery
    for shown, moment in _statuses(scratch, vocabulary, pipeline):
        stage = shown or stage
        move = Move(stage, shown is None, moment)
        if not moves or (moves[-1].stage, moves[-1].on_hold) != (move.stage, move.on_hold):
            moves.append(move)
    return moves


def _statuses(
    scratch: Scratch, vocabulary: Vocabulary, pipeline: uuid.UUID
) -> Iterator[tuple[Stage | None, datetime]]:
    """The stage, None for a hold, and moment of each audit row, oldest first."""
    for cells in scratch.past_cells(pipeline):
        try:
            stage = vocabulary.stage(cells.get("ProjectStatus", "").strip())
        except ValidationError:
            # The row has been rejected for this reason.
            continue
        yield stage, datetime.fromisoformat(cells[AuditFile.MOMENT])


def transitions_before(pipeline: Pipeline, moves: list[Move]) -> list[StageTransition]:
    """The unsaved transitions up to the pipeline's current status. The last one is left out: saving
    the pipeline writes it, with the effective date that is set here."""
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
