from pipelines.querysets.capacity import ZERO, Capacity, Megawatts
from pipelines.querysets.codes import (
    ALL_KINDS,
    ANY_FINDING,
    ANY_REASON,
    BETTER,
    DONE,
    ENDED,
    HELD,
    IN_TIME,
    NO_DATE,
    NO_FACILITY,
    ON_COURSE,
    OPEN,
    OVERDUE,
    WORSE,
)
from pipelines.querysets.conditions import ConditionsQuerySet
from pipelines.querysets.exact import KILO, WHOLE, mw_of, part_of, whole_number
from pipelines.querysets.facility import FacilityQuerySet, of_technology
from pipelines.querysets.holding import PipelineCounterpartyQuerySet, held_capacity_sql
from pipelines.querysets.milestone import MilestoneQuerySet
from pipelines.querysets.pipeline import PipelineQuerySet
from pipelines.querysets.shares import is_own_valid
from pipelines.querysets.state import (
    IS_COMPLETED,
    IS_OPEN,
    as_number,
    is_overdue,
    is_sold_ready,
    not_confirmed_since,
    rtb_bucket_of,
    state_of,
    status_of,
)

__all__ = [
    "ALL_KINDS",
    "ANY_FINDING",
    "ANY_REASON",
    "BETTER",
    "DONE",
    "ENDED",
    "HELD",
    "IN_TIME",
    "IS_COMPLETED",
    "IS_OPEN",
    "KILO",
    "NO_DATE",
    "NO_FACILITY",
    "ON_COURSE",
    "OPEN",
    "OVERDUE",
    "WHOLE",
    "WORSE",
    "ZERO",
    "Capacity",
    "ConditionsQuerySet",
    "FacilityQuerySet",
    "Megawatts",
    "MilestoneQuerySet",
    "PipelineCounterpartyQuerySet",
    "PipelineQuerySet",
    "as_number",
    "held_capacity_sql",
    "is_overdue",
    "is_own_valid",
    "is_sold_ready",
    "mw_of",
    "not_confirmed_since",
    "of_technology",
    "part_of",
    "rtb_bucket_of",
    "state_of",
    "status_of",
    "whole_number",
]
