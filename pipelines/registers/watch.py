"""What a public register says of a project of ours otherwise than we do: rules without a database.

A register is not more right than we are: it may be older, or mean another part of the site. So each
finding says who says what, and there is none about a project that has ended or is completed.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal

from oegen.core.words import day as in_words
from oegen.core.words import number
from pipelines.choices import RAG, CapacityBasis, FindingKind
from pipelines.reference import CONSTRUCTION
from pipelines.registers.choices import RegisterOutcome
from pipelines.registers.matching.blocking import distance_km
from pipelines.registers.matching.scoring import MAX_DC_PER_AC
from pipelines.registers.matching.subjects import Point

#: From which share of the larger one on, capacities differ.
CAPACITY_DIFFERS = Decimal("0.1")

#: How much more a solar plant has in DC than in AC, at most, to be of one size.
MOST_DC = Decimal(MAX_DC_PER_AC)

#: From which distance on places differ; where the register's is approximate.
FAR_KM, FAR_KM_APPROXIMATE = 5.0, 60.0

#: How long before a consent expires that is said.
EXPIRES_WITHIN = timedelta(days=180)

#: How far a register may lag behind.
LAG = timedelta(days=180)

#: The order of stages, and what registers call having got there.
_ORDER = ("discovery", "design", "procurement", CONSTRUCTION, "commissioning", "completed")
_REACHED = {
    "discovery": "not applied for yet",
    "design": "applied for",
    "procurement": "consented",
    CONSTRUCTION: "under construction",
    "completed": "in operation",
}

_ENDED = {
    RegisterOutcome.REFUSED: "refused",
    RegisterOutcome.WITHDRAWN: "withdrawn",
    RegisterOutcome.SUPERSEDED: "superseded by another project",
    RegisterOutcome.GONE: "decommissioned",
}


@dataclass(frozen=True)
class Plant:
    """A facility of ours; ``point`` is (latitude, longitude)."""

    capacity_mw: Decimal | None = None
    basis: str = CapacityBasis.AC
    export_limit_mw: Decimal | None = None
    point: Point | None = None


@dataclass(frozen=True)
class Ours:
    """A project of ours. ``stage`` is the code, which it is in since ``moved_on``; ``plants`` are
    those that the register's project is: all of them, or one."""

    stage: str
    stage_name: str
    rag: str = ""
    moved_on: date | None = None
    rtb_date: date | None = None
    cod_date: date | None = None
    plants: tuple[Plant, ...] = ()


@dataclass(frozen=True)
class Said:
    """What the newest ``edition`` of a register says of a project, which may have several entries
    of it: ``sum_mw`` is the capacity of all. ``days`` are by their name without “_on”; ``seen_on``
    is the edition that had it last."""

    register: str
    edition: date
    outcome: str
    stage: str = ""
    days: dict[str, date] = field(default_factory=dict)
    capacity_mw: Decimal | None = None
    sum_mw: Decimal | None = None
    basis: str = CapacityBasis.AC
    point: Point | None = None
    is_approximate: bool = False
    is_vanished: bool = False
    seen_on: date | None = None


@dataclass(frozen=True)
class Finding:
    """``begins_on``: the day from which on it counts; None: at once."""

    kind: FindingKind
    text: str
    begins_on: date | None = None


def find_differences(ours: Ours, said: Said) -> Iterator[Finding]:
    """The findings about an open project, or one on hold. Once a register says that a project has
    ended, nothing else that it says matters."""
    ended = _ended(ours, said)
    if ended is not None:
        yield ended
        return
    for rule in (_stage, _expiry, _grid, _capacity, _place):
        finding = rule(ours, said)
        if finding is not None:
            yield finding


def _ours(ours: Ours) -> str:
    """“you say Green”; what is not rated is told by its stage."""
    if ours.rag:
        return f"you say {RAG(ours.rag).label}"
    return f"you have it in {ours.stage_name}, not rated"


def _since(said: Said, *names: str) -> str:
    """“ on 3 May 2026”, of the latest of the days that are known."""
    days = [said.days[name] for name in names if name in said.days]
    return f" on {in_words(max(days))}" if days else ""


def _ended(ours: Ours, said: Said) -> Finding | None:
    word = _ENDED.get(RegisterOutcome(said.outcome))
    if word:
        name = {"refused": "refused", "withdrawn": "withdrawn", "gone": "decommissioned"}
        when = _since(said, name.get(said.outcome, ""))
        return Finding(FindingKind.ENDED, f"{said.register} says {word}{when}, {_ours(ours)}.")
    if said.is_vanished:
        seen = f" after the edition of {in_words(said.seen_on)}" if said.seen_on else ""
        text = f"{said.register} no longer lists it{seen}, {_ours(ours)}."
        return Finding(FindingKind.VANISHED, text)
    return None


def _stage(ours: Ours, said: Said) -> Finding | None:
    """A register that is ahead; or one by which a project that we build has no consent yet, longer
    than registers lag behind."""
    if said.stage not in _REACHED or ours.stage not in _ORDER:
        return None
    theirs, mine = _ORDER.index(said.stage), _ORDER.index(ours.stage)
    is_behind = mine >= _ORDER.index(CONSTRUCTION) and said.stage in ("discovery", "design")
    if is_behind and (ours.moved_on is None or ours.moved_on + LAG > said.edition):
        return None
    if theirs <= mine and not is_behind:
        return None
    day = {
        "design": "submitted",
        "procurement": "consented",
        CONSTRUCTION: "construction",
        "completed": "operational",
    }
    when = _since(said, day.get(said.stage, ""))
    text = f"{said.register} says {_REACHED[said.stage]}{when}, you say {ours.stage_name}."
    return Finding(FindingKind.STAGE, text)


def _expiry(ours: Ours, said: Said) -> Finding | None:
    """A consent that expires before construction has begun on either side."""
    expires = said.days.get("consent_expires")
    is_built = ours.stage in _ORDER[_ORDER.index(CONSTRUCTION) :]
    if expires is None or said.stage != "procurement" or is_built:
        return None
    text = f"{said.register} has the consent until {in_words(expires)}"
    if ours.rtb_date and ours.rtb_date > expires:
        text += f", you are ready to build on {in_words(ours.rtb_date)}"
    return Finding(FindingKind.EXPIRY, f"{text}.", expires - EXPIRES_WITHIN)


def _grid(ours: Ours, said: Said) -> Finding | None:
    grid = said.days.get("grid")
    if grid is None or ours.rtb_date is None or grid <= ours.rtb_date:
        return None
    text = (
        f"{said.register} says that the grid connection is effective on {in_words(grid)}, "
        f"{_later(grid - ours.rtb_date)} your RTB date of {in_words(ours.rtb_date)}"
    )
    if ours.cod_date and grid > ours.cod_date:
        text += f" and after your COD of {in_words(ours.cod_date)}"
    return Finding(FindingKind.GRID, f"{text}.")


def _later(difference: timedelta) -> str:
    return f"{difference.days:,} {'day' if difference.days == 1 else 'days'} after"


def _capacity(ours: Ours, said: Said) -> Finding | None:
    """Compared on one basis: a register's AC with what a solar plant may export, or else with what
    its modules can have."""
    if not said.capacity_mw or said.capacity_mw <= 0 or not ours.plants:
        return None
    lowest = highest = Decimal(0)
    for plant in ours.plants:
        if plant.capacity_mw is None:
            return None
        least, most = _range_of(plant, said.basis)
        lowest, highest = lowest + least, highest + most
    for capacity in filter(None, (said.capacity_mw, said.sum_mw)):
        nearest = min(max(capacity, lowest), highest)
        if abs(nearest - capacity) <= CAPACITY_DIFFERS * max(nearest, capacity):
            return None
    return Finding(
        FindingKind.CAPACITY,
        f"{said.register} says {_mw(said.capacity_mw, said.basis)}, you say {_ours_mw(ours)}.",
    )


def _range_of(plant: Plant, basis: str) -> tuple[Decimal, Decimal]:
    """What its capacity may be on that basis, at least and at most."""
    capacity = plant.capacity_mw or Decimal(0)
    if plant.basis == basis:
        return capacity, capacity
    if basis == CapacityBasis.DC:
        return capacity, capacity * MOST_DC
    if plant.export_limit_mw:
        return plant.export_limit_mw, plant.export_limit_mw
    return capacity / MOST_DC, capacity


def _ours_mw(ours: Ours) -> str:
    by_basis: dict[str, Decimal] = {}
    for plant in ours.plants:
        by_basis[plant.basis] = by_basis.get(plant.basis, Decimal(0)) + (plant.capacity_mw or 0)
    text = " and ".join(_mw(capacity, basis) for basis, capacity in sorted(by_basis.items()))
    limits = [plant.export_limit_mw for plant in ours.plants if plant.basis == CapacityBasis.DC]
    known = [limit for limit in limits if limit]
    return f"{text}, {number(sum(known))} MW export limit" if known else text


def _mw(capacity: Decimal, basis: str) -> str:
    return f"{number(capacity)} {'MWp' if basis == CapacityBasis.DC else 'MW'}"


def _place(ours: Ours, said: Said) -> Finding | None:
    points = [plant.point for plant in ours.plants if plant.point]
    if said.point is None or not points:
        return None
    distance = min(distance_km(point, said.point) for point in points)
    if distance <= (FAR_KM_APPROXIMATE if said.is_approximate else FAR_KM):
        return None
    return Finding(
        FindingKind.PLACE, f"{said.register} has it {number(distance)} km from where you have it."
    )
