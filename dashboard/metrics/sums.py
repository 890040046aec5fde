"""Totals of groups of pipelines, added up in memory from rows that were grouped in SQL.

Counts are of pipelines. Capacities are of distinct facilities: one that several pipelines share
counts once in each total and once in each group, so groups may add up to more than their total.
Where the pipelines of such a facility differ in ownership, probability or their product, the
highest counts. So the rows of shared facilities, which are few, are kept one by one.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from operator import neg
from typing import Any, NamedTuple, cast

from dashboard.metrics.columns import KEYS, Column, Condition, selector, values_of
from oegen.core.sql import Values
from pipelines.querysets import WHOLE, Capacity, Megawatts, mw_of

#: Rows are added up when there are so many: in thousands of pieces, they take megabytes.
SEVERAL = 8

NO_CAPACITY = Capacity()
NO_MEGAWATTS = Megawatts()


#: The number of facilities and of those with a capacity; their kW, their kWh, the kW of storage;
#: the kW by ownership and by probability, in kW / WHOLE, and by both, in kW / WHOLE²; the kW that
#: have a probability.
Numbers = tuple[int, int, int, int, int, int, int, int, int]


class SumRow(NamedTuple):
    """The sums of the facts with equal ``keys``, as in ``Sums``, and equal basis, except those of
    shared facilities."""

    keys: Values
    basis: str | None
    pipelines: int
    pipelines_of_technology: int
    numbers: Numbers

    def __neg__(self) -> SumRow:
        numbers = cast(Numbers, tuple(map(neg, self.numbers)))
        pipelines = -self.pipelines, -self.pipelines_of_technology
        return SumRow(self.keys, self.basis, *pipelines, numbers)


class SharedRow(NamedTuple):
    """The fact of a pipeline and a facility that is in several pipelines. Ids are text."""

    keys: Values
    first_row: int
    basis: str
    pipeline: str
    facility: str
    is_storage: int
    kw: int | None
    kwh: int | None
    ownership: int
    probability: int | None
    first_row_of_technology: int = 0


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


#: The rows of a shared facility.
Members = tuple[SharedRow, ...]


@dataclass(frozen=True)
class Sums:
    """``facilities`` are the shared ones. ``keys`` are the columns whose values the rows have as
    theirs."""

    rows: tuple[SumRow, ...]
    facilities: tuple[Members, ...]
    keys: tuple[Column, ...] = KEYS

    @classmethod
    def for_totals(
        cls, rows: Iterable[SumRow], facilities: Iterable[Members], keys: tuple[Column, ...] = KEYS
    ) -> Sums:
        """With the same totals in a fraction of the memory, but without what they are made of."""
        result = cls((), (), keys)
        vars(result)["_index"] = _Index(rows, facilities)
        return result

    def changed(
        self, rows: Iterable[SumRow], facilities: Collection[tuple[Members, Members]]
    ) -> Sums:
        """With more ``rows``, and shared ``facilities`` that had some rows and now have others; for
        totals alone, as of ``for_totals``."""
        result = Sums((), (), self.keys)
        vars(result)["_before"] = self, tuple(rows), facilities
        return result

    @cached_property
    def _index(self) -> _Index:
        return _Index(self.rows, self.facilities)

    def totals_by(self, *keys: Column, where: Iterable[Condition] = ()) -> dict[Values, Total]:
        """The total of each group by the values of ``keys``, which are some of those of the sums. A
        condition on the technology requires ``Column.TECHNOLOGY`` in them."""
        return self.added_by(*keys, where=where).totals()

    def added_by(
        self, *keys: Column, where: Iterable[Condition] = (), distinct: bool = True
    ) -> Adder:
        """What ``totals_by`` is made of. Unless ``distinct``, a facility counts in each of its
        pipelines."""
        wanted = keys, tuple(where), distinct
        if wanted not in self._known:
            self._known[wanted] = self._added_by(*wanted).added_up()
        return self._known[wanted].added_up()

    @cached_property
    def _known(self) -> dict[tuple[tuple[Column, ...], tuple[Condition, ...], bool], Adder]:
        """What was asked for already."""
        return {}

    def _added_by(
        self, keys: tuple[Column, ...], where: tuple[Condition, ...], distinct: bool
    ) -> Adder:
        read, selects = values_of(keys, self.keys), selector(where, self.keys)
        by_technology = Column.TECHNOLOGY in keys
        if before := vars(self).get("_before"):
            known, more, facilities = before
            sums: Adder = known.added_by(*keys, where=where, distinct=distinct)
            for row in more:
                if selects(row.keys):
                    pipelines = row.pipelines_of_technology if by_technology else row.pipelines
                    sums.add(read(row.keys), row.basis, pipelines, row.numbers)
            for was, now in facilities:
                for members, sign in ((was, -1), (now, 1)):
                    placed = [
                        (read(one.keys) if selects(one.keys) else None, one) for one in members
                    ]
                    sums.add_facility(
                        placed, sign=sign, by_technology=by_technology, distinct=distinct
                    )
            return sums
        index = self._index
        groups = [read(values) if selects(values) else None for values in index.places]
        sums = Adder()
        for (place, basis), (pipelines, of_technology, *numbers) in index.rows.items():
            group = groups[place]
            if group is not None:
                sums.add(group, basis, of_technology if by_technology else pipelines, numbers)
        if not distinct:
            return sums
        for (one, other, basis), excess in index.pairs.items():
            group = groups[one]
            if group is not None and group == groups[other]:
                sums.add(group, basis, 0, excess, sign=-1)
        for places, members in index.larger:
            sums.subtract_excess(
                (groups[place], *member) for place, member in zip(places, members, strict=True)
            )
        return sums


class _Index:
    """The facts of ``Sums``, prepared for grouping them many times.

    A shared facility is first counted in each of its pipelines. Where several of these are in one
    group, the excess is subtracted again.
    """

    def __init__(self, rows: Iterable[SumRow], facilities: Iterable[Members]) -> None:
        #: The distinct keys, numbered from 0.
        self.places: dict[Values, int] = {}
        #: By place and basis: the numbers of pipelines, by technology too, and ``Numbers``.
        self.rows: dict[Values, tuple[int, ...]] = {}
        #: The excess of the facilities of two pipelines, by the places of these and basis.
        self.pairs: dict[Values, tuple[int, ...]] = {}
        #: The places, and the rows with their numbers, of facilities of more pipelines.
        self.larger: list[tuple[list[int], list[tuple[SharedRow, Numbers]]]] = []
        grouped, pairs = self._grouped(rows), defaultdict(list)
        for rows_of_one in facilities:
            members = [(row, _numbers_of(row)) for row in rows_of_one]
            places = [self._place(row.keys) for row in rows_of_one]
            for place, (shared, numbers) in zip(places, members, strict=True):
                own = (shared.first_row, shared.first_row_of_technology, *numbers)
                _append(grouped[place, shared.basis], own)
            if len(members) == 2:
                pairs[(*places, members[0][0].basis)].append(_excess(members))
            else:
                self.larger.append((places, members))
        self.rows = {key: _total_of(own) for key, own in grouped.items()}
        self.pairs = {key: _total_of(own) for key, own in pairs.items()}

    def _grouped(self, rows: Iterable[SumRow]) -> dict[Values, list[tuple[int, ...]]]:
        found: dict[Values, list[tuple[int, ...]]] = defaultdict(list)
        for row in rows:
            own = (row.pipelines, row.pipelines_of_technology, *row.numbers)
            found[self._place(row.keys), row.basis].append(own)
        return found

    def _place(self, keys: Values) -> int:
        return self.places.setdefault(keys, len(self.places))


def _excess(members: Sequence[tuple[SharedRow, Numbers]]) -> tuple[int, ...]:
    """What the numbers of the rows of a facility add up to above those of the facility."""
    if len(members) == 2:
        (row, numbers), (other, others) = members
        if row.kw == other.kw and row.kwh == other.kwh:
            # Above the larger of two is the smaller.
            return tuple(map(min, numbers, others))
    together = _numbers_of_several([row for row, _ in members])
    columns = zip(*(numbers for _, numbers in members), together, strict=True)
    return tuple(sum(own) - one for *own, one in columns)


def _append(rows: list[tuple[int, ...]], row: tuple[int, ...]) -> None:
    """Append to rows of which only the sums matter, and keep these few."""
    rows.append(row)
    if len(rows) == SEVERAL:
        rows[:] = [_total_of(rows)]


def _total_of(rows: list[tuple[int, ...]]) -> tuple[int, ...]:
    """The sums of the columns."""
    return rows[0] if len(rows) == 1 else tuple(map(sum, zip(*rows, strict=True)))


class Adder:
    """Adds up numbers of pipelines and ``Numbers`` by group and basis."""

    def __init__(self) -> None:
        #: Added up at the end, all at once.
        self._added: dict[tuple[Values, str | None], list[tuple[int, ...]]] = defaultdict(list)

    def add(
        self,
        key: Values,
        basis: str | None,
        pipelines: int,
        numbers: Iterable[int],
        sign: int = 1,
    ) -> None:
        added = (pipelines, *numbers)
        self._added[key, basis].append(added if sign > 0 else tuple(map(neg, added)))

    def extend(self, other: Adder, sign: int = 1) -> None:
        for key, basis, pipelines, numbers in other.rows():
            self.add(key, basis, pipelines, numbers, sign)

    def add_facility(
        self,
        members: Sequence[tuple[Values | None, SharedRow]],
        *,
        sign: int = 1,
        by_technology: bool = False,
        distinct: bool = True,
    ) -> None:
        """Add a facility by the rows of its pipelines, each with its group; None is no group.
        ``distinct`` and ``by_technology`` as in ``Sums.added_by``."""
        counted = [(key, row, _numbers_of(row)) for key, row in members if key is not None]
        for key, row, numbers in counted:
            pipelines = row.first_row_of_technology if by_technology else row.first_row
            self.add(key, row.basis, pipelines, numbers, sign)
        if distinct:
            self.subtract_excess(counted, sign)

    def subtract_excess(
        self, members: Iterable[tuple[Values | None, SharedRow, Numbers]], sign: int = 1
    ) -> None:
        """Subtract what the rows of a facility, added with their groups, add up to above the
        facility, which counts once in each group, with the highest of its shares. None is no
        group."""
        groups: dict[Values | None, list[tuple[SharedRow, Numbers]]] = defaultdict(list)
        for key, *member in members:
            groups[key].append(cast("tuple[SharedRow, Numbers]", member))
        for key, rows in groups.items():
            if key is not None and len(rows) > 1:
                self.add(key, rows[0][0].basis, 0, _excess(rows), -sign)

    def added_up(self) -> Adder:
        """The same in a new one, with one row for each group and basis."""
        result = Adder()
        result._added |= {key: [_total_of(added)] for key, added in self._added.items()}
        return result

    def rows(self) -> Iterator[tuple[Values, str | None, int, tuple[int, ...]]]:
        """The group, basis, number of pipelines and ``Numbers`` of each."""
        for (key, basis), added in self._added.items():
            pipelines, *numbers = _total_of(added)
            yield key, basis, pipelines, tuple(numbers)

    def totals(self) -> dict[Values, Total]:
        """The groups that have a pipeline or a facility."""
        totals: dict[Values, Total] = {}
        for key, basis, pipelines, numbers in self.rows():
            if pipelines or any(numbers):
                total = _total(basis, pipelines, *numbers)
                totals[key] = totals[key] + total if key in totals else total
        return totals


def _numbers_of(row: SharedRow) -> Numbers:
    """The numbers of the facility of the row."""
    kw, probability = row.kw or 0, row.probability or 0
    return (
        1,
        int(row.kw is not None),
        kw,
        row.kwh or 0,
        kw if row.is_storage else 0,
        kw * row.ownership,
        kw * probability,
        kw * row.ownership * probability,
        kw if row.probability is not None else 0,
    )


def _numbers_of_several(rows: list[SharedRow]) -> Numbers:
    """The numbers of one facility, from its rows in a group."""
    kw = max((row.kw for row in rows if row.kw is not None), default=None)
    kwh = max((row.kwh for row in rows if row.kwh is not None), default=0)
    ownership = max(row.ownership for row in rows)
    known = [row for row in rows if row.probability is not None]
    probability = max((row.probability or 0 for row in known), default=0)
    product = max((row.ownership * (row.probability or 0) for row in known), default=0)
    size = kw or 0
    return (
        1,
        int(kw is not None),
        size,
        kwh,
        size if any(row.is_storage for row in rows) else 0,
        size * ownership,
        size * probability,
        size * product,
        size if known else 0,
    )


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
