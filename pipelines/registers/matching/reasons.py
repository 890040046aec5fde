"""Why a pair is proposed, in sentences for a person who decides."""

from __future__ import annotations

from dataclasses import dataclass

from pipelines.registers.matching.blocking import distance_km
from pipelines.registers.matching.deciding import Proposal
from pipelines.registers.matching.subjects import Subject

#: So many reasons are shown.
MOST = 5


@dataclass(frozen=True, slots=True)
class Reason:
    """``weight`` speaks for the pair if it is positive, against it if negative."""

    kind: str
    weight: float
    text: str


def reasons(proposal: Proposal) -> list[Reason]:
    """The reasons of most weight for or against the pair, those first."""
    ours, theirs, weights = proposal.subject, proposal.entry, proposal.weights
    found = [Reason("name", weights.name, _name(proposal))]
    if weights.identifier:
        says = "is the same" if weights.identifier > 0 else "differs"
        found.append(Reason("identifier", weights.identifier, f"An identifier {says}."))
    if weights.numbers:
        found.append(Reason("numbers", weights.numbers, _numbers(ours, theirs)))
    if ours.point is not None and theirs.point is not None:
        found.append(Reason("place", weights.place, _place(proposal)))
    if ours.capacity_mw and theirs.capacity_mw:
        text = f"{_format_mw(ours.capacity_mw)} and {_format_mw(theirs.capacity_mw)} MW."
        found.append(Reason("capacity", weights.capacity, text))
    if weights.technology:
        same = "the same" if weights.technology > 0 else "not the same"
        found.append(Reason("technology", weights.technology, f"The technology is {same}."))
    if weights.operator:
        found.append(Reason("operator", weights.operator, _operator(weights.operator)))
    return sorted(found, key=lambda reason: -abs(reason.weight))[:MOST]


def _name(proposal: Proposal) -> str:
    weights = proposal.weights
    if not weights.shared:
        return "The names share no word."
    if not weights.only_ours and not weights.only_theirs:
        return "The names have the same words."
    return (
        f"The names share words; {weights.only_ours} of ours and {weights.only_theirs} of the "
        "register's stand alone."
    )


def _numbers(ours: Subject, theirs: Subject) -> str:
    mine = sorted(ours.name.numbers | ours.name.phases | ours.name.qualifiers)
    other = sorted(theirs.name.numbers | theirs.name.phases | theirs.name.qualifiers)
    if mine == other:
        return f"Both names have {', '.join(mine)}."
    mine_text, other_text = ", ".join(mine) or "no number", ", ".join(other) or "no number"
    return f"Our name has {mine_text}, the register's {other_text}."


def _place(proposal: Proposal) -> str:
    ours, theirs = proposal.subject, proposal.entry
    if ours.point is None or theirs.point is None:
        raise ValueError("Only two points have a distance.")
    distance = distance_km(ours.point, theirs.point)
    about = "About " if ours.is_approximate or theirs.is_approximate else ""
    return f"{about}{distance:.1f} km apart."


def _operator(weight: float) -> str:
    if weight < 0:
        return "The companies differ."
    return "The companies are the same, or one is named after the other."


def _format_mw(capacity: float) -> str:
    return f"{capacity:.3f}".rstrip("0").rstrip(".")
