"""Writes of several records at once, and what pages change."""

from pipelines.services.changing import (
    STILL_RIGHT,
    NothingToConfirmError,
    Together,
    confirm_rag,
    edit_pipeline,
    edit_together,
    plan_together,
    set_confirmed,
)
from pipelines.services.milestones import edit_milestone
from pipelines.services.moving import (
    NotMovableError,
    check_effective_day,
    move_pipeline,
    record_stage_transitions,
    require_active,
    set_status,
)
from pipelines.services.undoing import (
    UNDO_WITHIN,
    UNDONE_FIELDS,
    Edit,
    UndoRefusedError,
    last_move,
    undo_edit,
)

__all__ = [
    "STILL_RIGHT",
    "UNDONE_FIELDS",
    "UNDO_WITHIN",
    "Edit",
    "NotMovableError",
    "NothingToConfirmError",
    "Together",
    "UndoRefusedError",
    "check_effective_day",
    "confirm_rag",
    "edit_milestone",
    "edit_pipeline",
    "edit_together",
    "last_move",
    "move_pipeline",
    "plan_together",
    "record_stage_transitions",
    "require_active",
    "set_confirmed",
    "set_status",
    "undo_edit",
]
