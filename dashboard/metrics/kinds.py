"""The kinds of changes between two days, as conditions in SQL."""

from __future__ import annotations

from dataclasses import dataclass

from pipelines.choices import Outcome
from pipelines.querysets import DONE, ENDED, HELD, OPEN

AT_BOTH_ENDS = "state IS NOT NULL AND was_state IS NOT NULL"
_COMPLETED = f"state = '{DONE}' AND was_state <> '{DONE}'"
_IS_SOLD = f"status = '{Outcome.SOLD}'"
_REOPENED = f"state IN ('{OPEN}', '{HELD}') AND was_state IN ('{DONE}', '{ENDED}')"


def _differ(pairs: dict[str, str]) -> str:
    return " OR ".join(
        f"COALESCE({one}, 0) <> COALESCE({other}, 0)" for one, other in pairs.items()
    )


#: Sizes are compared by the capacity bases at the start, so that a change of basis is no resizing.
_RESIZED = _differ({"dc_then": "was_dc", "ac_then": "was_ac", "kwh": "was_kwh"})
_REBASED = _differ({"dc": "dc_then", "ac": "ac_then"})


@dataclass(frozen=True)
class Kind:
    """A kind of change. ``condition`` is SQL over the columns of the state at the end and, with the
    prefix ``was_``, at the start. The change is attributed to the last write of the first of its
    ``aspects`` (see last_writes) that was written."""

    label: str
    condition: str
    aspects: tuple[str, ...]


#: In the order of the page.
KINDS = {
    "new": Kind("New", "was_state IS NULL AND restored = 0", ("added",)),
    "restored": Kind("Restored", "was_state IS NULL AND restored = 1", ("added",)),
    "moved": Kind(
        "Moved to another stage",
        f"stage <> was_stage AND NOT ({_COMPLETED}) AND NOT ({_REOPENED} AND was_state = '{DONE}')",
        ("stage",),
    ),
    "completed": Kind("Completed", _COMPLETED, ("stage", "outcome")),
    "reopened": Kind("Reopened", _REOPENED, ("outcome", "stage")),
    "on-hold": Kind(
        "Put on hold",
        f"state = '{HELD}' AND was_state <> '{HELD}'",
        ("hold", "outcome", "stage"),
    ),
    "off-hold": Kind(
        "Taken off hold", f"state = '{OPEN}' AND was_state = '{HELD}'", ("hold", "stage")
    ),
    "sold": Kind("Sold", f"{_IS_SOLD} AND status <> was_status", ("outcome",)),
    "ended": Kind(
        "Withdrawn or refused",
        f"state = '{ENDED}' AND NOT ({_IS_SOLD}) AND status <> was_status",
        ("outcome",),
    ),
    "slipped": Kind("RTB date slipped", "rtb_date > was_rtb_date", ("rtb",)),
    "earlier": Kind("RTB date brought forward", "rtb_date < was_rtb_date", ("rtb",)),
    "dated": Kind("RTB date given", "rtb_date IS NOT NULL AND was_rtb_date IS NULL", ("rtb",)),
    "undated": Kind("RTB date cleared", "rtb_date IS NULL AND was_rtb_date IS NOT NULL", ("rtb",)),
    "rated": Kind("Re-rated", "rag <> was_rag", ("rag",)),
    "resized": Kind("Resized", _RESIZED, ("size",)),
    "basis": Kind("Capacity basis changed", _REBASED, ("basis",)),
    "renamed": Kind("Renamed", "name <> was_name", ("name",)),
    "removed": Kind("Removed", "state IS NULL", ("removed",)),
}


#: The kinds that are a change of status.
MOVES = ("moved", "completed", "reopened", "on-hold", "off-hold", "sold", "ended")

#: The kinds that can be counted from what moved (moved.py); others compare sizes or names.
COUNTED = ("moved", "completed", "reopened", "on-hold", "off-hold", "sold", "ended", "rated")
