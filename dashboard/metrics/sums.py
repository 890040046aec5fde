"""Totals of groups of pipelines, added up in memory from rows that were grouped in SQL.

Counts are of pipelines. Capacities are of distinct facilities: one that several pipelines share
counts once in each total and once in each group, so groups may add up to more than their total.
Where the pipelines of such a facility differ in ownership, probability or their product, the
highest counts. So the rows of shared facilities, which are few, are kept one by one.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum, StrEnum
from typing import Any, NamedTuple

from pipelines.querysets import OPEN, WHOLE, Capacity, Megawatts, mw_of

#: A row of SQL, the parameters of a statement, or the values of the keys of a group.
Values = tuple[Any, ...]

NO_CAPACITY = Capacity()
NO_MEGAWATTS = Megawatts()


class Column(StrEnum):
    """The columns of facts as the metrics read them: one row per pipeline and facility; a pipeline
    without facilities has one row. Booleans are 0 or 1, because SQLite and PostgreSQL differ in
    theirs."""

    ID = "id"
    NAME = "name"
    #: A stage's code.
    STAGE = "stage"
    #: Values of pipelines.querysets.status_of and state_of.
    STATUS = "status"
    STATE = "state"
    #: "" is unrated.
    RAG = "rag"
    RTB_DATE = "rtb_date"
    RTB_BUCKET = "rtb_bucket"
    OVERDUE = "overdue"
    SOLD_READY = "sold_ready"
    UNCONFIRMED = "unconfirmed"
    #: Ownership and probability, in hundredths of a percent.
    OWNERSHIP = "ownership"
    PROBABILITY = "probability"
    #: 0 for pipelines outside the filter.
    IN_FILTER = "in_filter"
    FACILITY = "facility_id"
    TECHNOLOGY = "technology_id"
    #: A CapacityBasis.
    BASIS = "basis"
    #: 1 where the capacity is MW AC of storage.
    IS_STORAGE = "is_storage"
    KW = "kw"
    KWH = "kwh"
    #: 1 in one row of each pipeline, and of each pipeline and technology; else 0.
    FIRST_ROW = "first_row"
    FIRST_ROW_OF_TECHNOLOGY = "first_row_of_technology"
    #: 1 where the facility belongs to several pipelines.
    SHARED = "shared"


#: The columns by which totals can be grouped, in the order of ``SumRow`` and ``SharedRow``.
KEYS = (
    Column.STATUS,
    Column.STATE,
    Column.RAG,
    Column.RTB_BUCKET,
    Column.TECHNOLOGY,
    Column.OVERDUE,
    Column.UNCONFIRMED,
)


class Condition(Enum):
    """Conditions on facts: a column, one of ``KEYS``, and its value; None is any value at all."""

    IS_OPEN = (Column.STATE, OPEN)
    IS_OVERDUE = (Column.OVERDUE, 1)
    IS_UNCONFIRMED = (Column.UNCONFIRMED, 1)
    HAS_TECHNOLOGY = (Column.TECHNOLOGY, None)

    @property
    def column(self) -> Column:
        return self.value[0]

    @property
    def sql(self) -> str:
        column, value = self.value
        return f"{column} IS NOT NULL" if value is None else f"{column} = {value!r}"

    def holds(self, value: Any) -> bool:
        wanted = self.value[1]
        return value is not None if wanted is None else bool(value == wanted)


class SumRow(NamedTuple):
    """The sums of the facts with equal ``keys``, values of ``KEYS``, and equal basis, except those
    of shared facilities. ``net`` and ``weighted`` are in kW / WHOLE, ``net_weighted`` in
    kW / WHOLE²."""

    keys: Values
    basis: str | None
    pipelines: int
    pipelines_of_technology: int
    facilities: int
    known: int
    kw: int
    kwh: int
    storage_kw: int
    net: int
    weighted: int
    net_weighted: int
    with_probability: int


class SharedRow(NamedTuple):
    """The fact of a pipeline and a facility that is in several pipelines. Ids and dates are as the
    database returns them: as text by SQLite."""

    keys: Values
    first_row: int
    basis: str
    pipeline: Any
    facility: Any
    is_storage: int
    kw: int | None
    kwh: int | None
    ownership: int
    probability: int | None
    first_row_of_technology: int = 0
    rtb_date: Any = None
    sold_ready: int = 0


@dataclass(frozen=True)
class Total:
    """A number of pipelines, and the capacity of all their facilities together.

    ``net`` is capacity × ownership. ``weighted`` is capacity × probability, gross;
    ``net_weighted`` is capacity × ownership × probability. ``with_probability`` is the part of
    the capacity that has a probability.
    """

    pipelines: int = 0
    capacity: Capacity = NO_CAPACITY
    net: Megawatts = NO_MEGAWATTS
    weighted: Megawatts = NO_MEGAWATTS
    net_weighted: Megawatts = NO_MEGAWATTS
    with_probability: Megawatts = NO_MEGAWATTS

    def __add__(self, other: Total) -> Total:
        return Total(
            self.pipelines + other.pipelines,
            self.capacity + other.capacity,
            self.net + other.net,
            self.weighted + other.weighted,
            self.net_weighted + other.net_weighted,
            self.with_probability + other.with_probability,
        )

    @property
    def share_with_probability(self) -> Decimal | None:
        """The part of the MW that has a probability, 0 to 1; None if there are no MW."""
        return self.with_probability.mw / self.capacity.mw if self.capacity.mw else None


@dataclass(frozen=True)
class Sums:
    rows: tuple[SumRow, ...]
    shared: tuple[SharedRow, ...]

    def totals_by(self, *keys: Column, where: Iterable[Condition] = ()) -> dict[Values, Total]:
        """The total of each group by the values of ``keys``, which are ``KEYS``. A condition on the
        technology requires ``Column.TECHNOLOGY`` in them."""
        read = values_of(keys)
        selects = selector(where)
        by_technology = Column.TECHNOLOGY in keys
        sums = Adder()
        for row in self.rows:
            if selects(row.keys):
                number = row.pipelines_of_technology if by_technology else row.pipelines
                sums.add(read(row.keys), row.basis, (number, *row[4:]))
        sums.add_shared(
            (
                read(row.keys),
                row,
                row.first_row_of_technology if by_technology else row.first_row,
            )
            for row in self.shared
            if selects(row.keys)
        )
        return sums.totals()


def values_of(columns: Iterable[Column]) -> Callable[[Values], Values]:
    """A function that reads these of the values of ``KEYS``."""
    places = [KEYS.index(column) for column in columns]
    return lambda keys: tuple([keys[place] for place in places])


def selector(where: Iterable[Condition]) -> Callable[[Values], bool]:
    """A function that says whether values of ``KEYS`` meet all conditions."""
    checks = [(KEYS.index(one.column), one) for one in where]
    return lambda keys: all(one.holds(keys[place]) for place, one in checks)


class Adder:
    """Adds up numbers by group and basis: those of ``SumRow`` from ``pipelines`` on, without
    ``pipelines_of_technology``."""

    def __init__(self) -> None:
        self._sums: dict[tuple[Values, str | None], list[int]] = {}

    def add(self, key: Values, basis: str | None, numbers: Iterable[int], sign: int = 1) -> None:
        known = self._sums.get((key, basis))
        if known is None:
            self._sums[key, basis] = [sign * number for number in numbers]
        else:
            for place, number in enumerate(numbers):
                known[place] += sign * number

    def add_shared(self, rows: Iterable[tuple[Values, SharedRow, int]]) -> None:
        """Add rows of shared facilities, each with its group and the number of pipelines that it
        counts for: a facility counts once in each group, with the highest of its shares."""
        by_facility: dict[tuple[Values, Any], list[SharedRow]] = defaultdict(list)
        for key, row, pipelines in rows:
            by_facility[key, row.facility].append(row)
            if pipelines:
                self.add(key, row.basis, (pipelines, *[0] * 9))
        for (key, _), members in by_facility.items():
            self.add(key, members[0].basis, (0, *_numbers_of(members)))

    def totals(self) -> dict[Values, Total]:
        totals: dict[Values, Total] = {}
        for (key, basis), numbers in self._sums.items():
            total = _total(basis, *numbers)
            totals[key] = totals[key] + total if key in totals else total
        return totals


def _numbers_of(rows: list[SharedRow]) -> Iterator[int]:
    """The numbers of one facility, from ``facilities`` on."""
    kw, kwh = _highest(row.kw for row in rows), _highest(row.kwh for row in rows)
    ownership = max(row.ownership for row in rows)
    known = [row.probability for row in rows if row.probability is not None]
    products = [row.ownership * row.probability for row in rows if row.probability is not None]
    size = kw or 0
    yield 1
    yield int(kw is not None)
    yield size
    yield kwh or 0
    yield size if any(row.is_storage for row in rows) else 0
    yield size * ownership
    yield size * max(known, default=0)
    yield size * max(products, default=0)
    yield size if known else 0


def _highest(values: Iterable[int | None]) -> int | None:
    return max((value for value in values if value is not None), default=None)


def _total(basis: str | None, *sums: int) -> Total:
    pipelines, facilities, known, kw, kwh, storage_kw, *shares = sums
    net, weighted, net_weighted, with_probability = shares
    return Total(
        pipelines,
        Capacity.of(
            basis,
            mw_of(kw),
            storage_mwh=mw_of(kwh),
            facilities=facilities,
            facilities_without_capacity=facilities - known,
            storage_mw=mw_of(storage_kw),
        ),
        megawatts(basis, net, WHOLE),
        megawatts(basis, weighted, WHOLE),
        megawatts(basis, net_weighted, WHOLE * WHOLE),
        megawatts(basis, with_probability),
    )


def megawatts(basis: str | None, kw: Any, parts: int = 1) -> Megawatts:
    return Megawatts.of(basis, mw_of(kw, parts))
