from pipelines.querysets.capacity import ZERO, Capacity, Megawatts
from pipelines.querysets.codes import (
    ALL_KINDS,
    DONE,
    ENDED,
    HELD,
    NO_DATE,
    NO_FACILITY,
    OPEN,
    OVERDUE,
)
from pipelines.querysets.facility import FacilityQuerySet, of_technology
from pipelines.querysets.holding import PipelineCounterpartyQuerySet, amounts_held
from pipelines.querysets.pipeline import PipelineQuerySet

__all__ = [
    "ALL_KINDS",
    "DONE",
    "ENDED",
    "HELD",
    "NO_DATE",
    "NO_FACILITY",
    "OPEN",
    "OVERDUE",
    "ZERO",
    "Capacity",
    "FacilityQuerySet",
    "Megawatts",
    "PipelineCounterpartyQuerySet",
    "PipelineQuerySet",
    "amounts_held",
    "of_technology",
]
