"""From versions of records to facts: plain functions over plain values.

A version is valid for a moment that is later than its ``since`` and not later than its ``until``:
"the end of a day" is the first moment of the next one, which no longer belongs to the day.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, date, datetime
from itertools import pairwise
from typing import Any, NamedTuple
from uuid import UUID

from oegen import audit

#: Before and after everything that is recorded.
BEGINNING = datetime(1900, 1, 1, tzinfo=UTC)
FOREVER = datetime(9999, 12, 31, tzinfo=UTC)


class HistoryRow(NamedTuple):
    """A row of a history, and what it says of the columns that matter here."""

    moment: datetime
    history_type: str
    values: tuple[Any, ...]


class Version(NamedTuple):
    since: datetime
    until: datetime
    values: tuple[Any, ...]

    def is_valid_after(self, since: datetime) -> bool:
        """Whether it is valid right after that moment."""
        return self.since <= since < self.until


class State(NamedTuple):
    """The columns of ``Fact`` about the pipeline; ``owned`` and ``own_chance`` in hundredths of a
    percent."""

    project_name: str
    stage_id: UUID
    on_hold: bool
    outcome: str
    rag_status: str
    rag_confirmed_at: datetime | None
    rtb_date: date | None
    owned: int
    own_chance: int | None
    own_chance_until: date | None


class Plant(NamedTuple):
    """The columns of ``Fact`` about the facility, in whole kW and kWh."""

    technology_id: UUID
    kw: int | None
    kwh: int | None


class Sale(NamedTuple):
    """A recorded sale, in the order in which the last one is found."""

    effective_on: date
    recorded_at: datetime
    key: UUID


class Interval(NamedTuple):
    """A fact without its pipeline. ``facility_id`` and ``plant`` are None for a pipeline without
    facilities; ``is_first`` and so on as in ``Fact``."""

    since: datetime
    until: datetime
    state: State
    sold_on: date | None
    facility_id: UUID | None
    plant: Plant | None
    is_shared: bool
    is_first: bool
    is_first_of_technology: bool


def versions_of(
    rows: Sequence[HistoryRow], live: tuple[Any, ...] | None, *, from_the_beginning: bool = False
) -> list[Version]:
    """The versions of one record, from its history in the order of moment and id.

    The last one is what is stored, ``live``, and goes on; None: the record was removed.
    ``from_the_beginning``: its first values also hold before it was first recorded, for records
    that others may refer to earlier.
    """
    if not rows:
        return [Version(BEGINNING, FOREVER, live)] if live is not None else []
    found = []
    ends = [row.moment for row in rows[1:]] + [FOREVER]
    for row, until in zip(rows, ends, strict=True):
        values: tuple[Any, ...] | None = row.values
        if until == FOREVER:
            values = live
        elif row.history_type == audit.REMOVED:
            values = None
        if values is not None and row.moment < until:
            found.append(Version(row.moment, until, values))
    if from_the_beginning and found:
        found.insert(0, Version(BEGINNING, rows[0].moment, rows[0].values))
    return found


def shared_spans(links: Iterable[Version]) -> list[tuple[datetime, datetime]]:
    """When more than one of the links of a facility were valid, from their versions."""
    changes: dict[datetime, int] = {}
    for link in links:
        changes[link.since] = changes.get(link.since, 0) + 1
        changes[link.until] = changes.get(link.until, 0) - 1
    spans: list[tuple[datetime, datetime]] = []
    number = 0
    for moment, following in pairwise(sorted(changes)):
        number += changes[moment]
        if number > 1:
            spans.append((moment, following))
    return spans


class FacilityLink(NamedTuple):
    """A version of a link of the pipeline, with the versions of its facility and when that was
    shared."""

    version: Version
    facility_id: UUID
    plants: Sequence[Version]
    shared: Sequence[tuple[datetime, datetime]]


def intervals_of(
    states: Sequence[Version], links: Sequence[FacilityLink], sales: Sequence[Version]
) -> list[Interval]:
    """The facts of one pipeline. Neighbours that say the same are one."""
    found: list[Interval] = []
    open_ones: dict[UUID | None, int] = {}
    for since, until in pairwise(_edges(states, links, sales)):
        for row in _rows_in(since, until, states, links, sales):
            place = open_ones.get(row.facility_id)
            if place is not None and found[place].until == since:
                earlier = found[place]
                if earlier[2:] == row[2:]:
                    found[place] = earlier._replace(until=until)
                    continue
            open_ones[row.facility_id] = len(found)
            found.append(row)
    return found


def _edges(
    states: Sequence[Version], links: Sequence[FacilityLink], sales: Sequence[Version]
) -> list[datetime]:
    """Every moment at which something may change while there is a pipeline."""
    edges = {moment for one in (*states, *sales) for moment in (one.since, one.until)}
    for link in links:
        edges |= {link.version.since, link.version.until}
        edges |= {moment for plant in link.plants for moment in (plant.since, plant.until)}
        edges |= {moment for span in link.shared for moment in span}
    if not states:
        return []
    first, last = min(one.since for one in states), max(one.until for one in states)
    return sorted(edge for edge in edges if first <= edge <= last)


def _rows_in(
    since: datetime,
    until: datetime,
    states: Sequence[Version],
    links: Sequence[FacilityLink],
    sales: Sequence[Version],
) -> Iterator[Interval]:
    state = next((State(*one.values) for one in states if one.is_valid_after(since)), None)
    if state is None:
        return
    sold = max((Sale(*one.values) for one in sales if one.is_valid_after(since)), default=None)
    sold_on = sold.effective_on if sold else None
    technologies: set[UUID] = set()
    present = [link for link in links if link.version.is_valid_after(since)]
    # The databases order keys as they order these texts.
    present.sort(key=lambda link: link.facility_id.hex)
    number = 0
    for link in present:
        plant = next((Plant(*one.values) for one in link.plants if one.is_valid_after(since)), None)
        if plant is None:
            continue
        yield Interval(
            since,
            until,
            state,
            sold_on,
            link.facility_id,
            plant,
            is_shared=any(start <= since < end for start, end in link.shared),
            is_first=number == 0,
            is_first_of_technology=plant.technology_id not in technologies,
        )
        number += 1
        technologies.add(plant.technology_id)
    if not number:
        yield Interval(
            since,
            until,
            state,
            sold_on,
            None,
            None,
            is_shared=False,
            is_first=True,
            is_first_of_technology=True,
        )
