"""How the figures of the dashboard follow from the tables: the one definition from which SQL, DAX
and metric views are written."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto
from functools import cached_property

from dashboard.figures import FIGURES
from dashboard.figures.figure import Figure
from dashboard.warehouse.tables import FACTS_HOLDER, FACTS_PROJECT_FACILITY, Table
from pipelines.choices import RAG, UNCONFIRMED_DAYS, CapacityBasis, Outcome
from pipelines.querysets import DONE, HELD, OPEN


@dataclass(frozen=True)
class Is:
    """The column has this value."""

    column: str
    value: str | bool


@dataclass(frozen=True)
class IsKnown:
    """The column has a value, or, if not ``known``, has none."""

    column: str
    known: bool = True


@dataclass(frozen=True)
class IsOlder:
    """The time is before the last ``days`` days, or is not known."""

    column: str
    days: int


Condition = Is | IsKnown | IsOlder


class Kind(Enum):
    #: The sum over distinct facilities of the maximum: right for every group and filter.
    SUM_OF_MAXIMA = auto()
    #: Right by the holders of the table alone.
    SUM = auto()
    #: The number of distinct values.
    COUNT = auto()


@dataclass(frozen=True)
class Measure:
    """A number of the tables at the end of a day.

    ``part`` is what the figure calls it: “value”, or the name of one of its parts. ``rows`` if only
    the rows of the figure have it. ``about`` says how it differs from the figure's value.
    """

    name: str
    figure_name: str
    kind: Kind
    column: str
    where: tuple[Condition, ...] = ()
    part: str = "value"
    about: str = ""
    rows: bool = False
    table: Table = FACTS_PROJECT_FACILITY

    @property
    def figure(self) -> Figure:
        return FIGURES[self.figure_name]

    @property
    def title(self) -> str:
        return f"{self.figure.title}, {self.about}" if self.about else self.figure.title

    @property
    def unit(self) -> str:
        """As in the figure, for its value; else from the name."""
        if self.part == "value":
            return self.figure.unit
        for suffix, unit in _UNITS.items():
            if self.name.endswith(suffix):
                return unit
        return "facilities"

    @property
    def description(self) -> str:
        part = f" Of it: {self.about}." if self.about else ""
        basis = self.figure.basis if self.part == "value" else ""
        return f"{self.figure.definition}{part} {basis}".strip()

    @property
    def decimals(self) -> int:
        return 0 if self.kind is Kind.COUNT else 3

    @cached_property
    def conditions(self) -> tuple[Condition, ...]:
        """All that a row has to meet to be counted."""
        if self.kind is Kind.SUM_OF_MAXIMA:
            return (*self.where, IsKnown("facility_id"))
        return self.where


_UNITS = {"_mwp_dc": "MWp (DC)", "_mw_ac": "MW (AC)", "_mwh": "MWh", "_mw": "MW"}


@dataclass(frozen=True)
class Grouping:
    """A figure with rows: the measure in groups. ``keys`` are the columns by the names that they
    have in the figure's rows; ``part`` is what these call the measure."""

    figure_name: str
    measure: str
    keys: dict[str, str]
    where: tuple[Condition, ...] = ()
    part: str = "capacity_mw"


_OPEN = (Is("state", OPEN),)
_UNCONFIRMED = (*_OPEN, IsOlder("rag_confirmed_at", UNCONFIRMED_DAYS))

#: The parts of the portfolio that have a figure of MW and one of projects.
_PARTS: dict[str, tuple[Condition, ...]] = {
    "open": _OPEN,
    "on-hold": (Is("state", HELD),),
    "completed": (Is("state", DONE),),
    "overdue": (Is("is_overdue", True),),
    "unconfirmed": _UNCONFIRMED,
    "red": (*_OPEN, Is("rag_status", str(RAG.RED))),
}


def _capacity(name: str, where: tuple[Condition, ...]) -> Measure:
    column = name.replace("-", "_")
    return Measure(
        f"{column}_capacity_mw", f"{name}-capacity", Kind.SUM_OF_MAXIMA, "capacity_mw", where
    )


def _pipelines(name: str, where: tuple[Condition, ...]) -> Measure:
    column = name.replace("-", "_")
    return Measure(f"{column}_pipelines", f"{name}-pipelines", Kind.COUNT, "pipeline_id", where)


def _of_open(
    name: str,
    part: str,
    about: str,
    *where: Condition,
    kind: Kind = Kind.SUM_OF_MAXIMA,
    column: str = "capacity_mw",
    figure: str = "open-capacity",
) -> Measure:
    return Measure(name, figure, kind, column, (*_OPEN, *where), part, about)


_AC = Is("capacity_basis", str(CapacityBasis.AC))

MEASURES: dict[str, Measure] = {
    one.name: one
    for one in (
        *(_capacity(name, where) for name, where in _PARTS.items()),
        *(_pipelines(name, where) for name, where in _PARTS.items()),
        _of_open(
            *("open_capacity_mwp_dc", "capacity_mwp_dc", "MWp (DC)"),
            Is("capacity_basis", str(CapacityBasis.DC)),
        ),
        _of_open("open_capacity_mw_ac", "capacity_mw_ac", "MW (AC), with storage", _AC),
        _of_open(
            *("open_storage_mw", "storage_mw", "storage, MW (AC)"), _AC, Is("is_storage", True)
        ),
        _of_open("open_storage_mwh", "storage_mwh", "storage, MWh", column="storage_mwh"),
        _of_open(
            *("open_facilities", "facilities", "facilities"),
            kind=Kind.COUNT,
            column="facility_id",
        ),
        _of_open(
            "open_facilities_without_capacity",
            "facilities_without_capacity",
            "facilities without capacity",
            IsKnown("capacity_mw", known=False),
            kind=Kind.COUNT,
            column="facility_id",
        ),
        _of_open(
            "open_with_probability_mw",
            "with_probability_mw",
            "capacity that has a probability",
            IsKnown("probability_pct"),
            figure="weighted-capacity",
        ),
        _of_open("net_capacity_mw", "value", "", column="net_mw", figure="net-capacity"),
        _of_open(
            *("weighted_capacity_mw", "value", ""),
            column="gross_weighted_mw",
            figure="weighted-capacity",
        ),
        _of_open(
            *("net_weighted_capacity_mw", "value", ""),
            column="net_weighted_mw",
            figure="net-weighted-capacity",
        ),
        Measure(
            *("total_capacity_mw", "capacity-by-status", Kind.SUM_OF_MAXIMA, "capacity_mw"),
            about="all projects",
        ),
        Measure(
            "held_capacity_mw",
            "capacity-by-counterparty",
            Kind.SUM,
            "held_mw",
            part="held_mw",
            about="by holder, never as a total",
            rows=True,
            table=FACTS_HOLDER,
        ),
    )
}

GROUPINGS: dict[str, Grouping] = {
    one.figure_name: one
    for one in (
        Grouping("capacity-by-rag", "open_capacity_mw", {"rag": "rag_status"}),
        Grouping("capacity-by-status", "total_capacity_mw", {"status": "status"}),
        Grouping(
            *("capacity-by-status-and-rag", "open_capacity_mw"),
            {"status": "status", "rag": "rag_status"},
        ),
        Grouping("capacity-by-technology", "open_capacity_mw", {"technology": "technology"}),
        Grouping(
            *("capacity-by-technology-and-status", "total_capacity_mw"),
            {"technology": "technology", "status": "status"},
            (Is("outcome", str(Outcome.ACTIVE)),),
        ),
        Grouping("capacity-by-rtb-year", "open_capacity_mw", {"bucket": "rtb_bucket"}),
        Grouping(
            *("capacity-by-rtb-year-and-technology", "open_capacity_mw"),
            {"bucket": "rtb_bucket", "technology": "technology"},
        ),
        Grouping("capacity-by-country", "open_capacity_mw", {"country": "country"}),
        Grouping(
            *("capacity-by-counterparty", "held_capacity_mw"),
            {"counterparty_id": "holder_id"},
            part="held_mw",
        ),
    )
}
