"""Computing facts from the versions of records: pure functions, without queries.

A version is valid at times later than ``since`` and not later than ``until``. Queries as of a day
use the first moment of the next day.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, date, datetime
from itertools import pairwise
from typing import Any, NamedTuple
from uuid import UUID

from oegen import audit

#: Limits of open intervals, before and after all recorded times.
BEGINNING = datetime(1900, 1, 1, tzinfo=UTC)
FOREVER = datetime(9999, 12, 31, tzinfo=UTC)


class HistoryRow(NamedTuple):
    """A history row, with the values that facts are derived from; None where there are none."""

    moment: datetime
    history_type: str
    values: tuple[Any, ...] | None


class Version(NamedTuple):
    """The values of a record during an interval."""

    since: datetime
    until: datetime
    values: tuple[Any, ...]

    def is_valid_after(self, since: datetime) -> bool:
        """Whether the version is valid right after that time."""
        return self.since <= since < self.until


class PipelineState(NamedTuple):
    """The columns of ``Fact`` about the pipeline; ``owned`` and ``own_chance`` in hundredths of a
    percent."""

    project_name: str
    stage_id: UUID
    on_hold: bool
    outcome: str
    rag_status: str
    rag_confirmed_at: datetime | None
    rtb_date: date | None
    responsible_id: int | None
    owned: int
    own_chance: int | None
    own_chance_until: date | None


class FacilityState(NamedTuple):
    """The columns of ``Fact`` about the facility, in whole kW and kWh."""

    technology_id: UUID
    kw: int | None
    kwh: int | None


class Sale(NamedTuple):
    """A recorded sale. The fields are in sort order: the last sale is the greatest."""

    effective_on: date
    recorded_at: datetime
    key: UUID


class Interval(NamedTuple):
    """A fact without its pipeline. ``facility_id`` and ``facility`` are None for a pipeline without
    facilities; the other fields are those of ``Fact``."""

    since: datetime
    until: datetime
    pipeline: PipelineState
    sold_on: date | None
    facility_id: UUID | None
    facility: FacilityState | None
    is_shared: bool
    is_first: bool
    is_first_of_technology: bool


def versions_of(
    rows: Sequence[HistoryRow], live: tuple[Any, ...] | None, *, extend_to_beginning: bool = False
) -> list[Version]:
    """The versions of one record, from its history in the order of moment and id.

    The last version has the stored values, ``live``, and is still valid; None: the record was
    removed. ``extend_to_beginning`` extends the first version to BEGINNING, for records that others
    may refer to before they were recorded.
    """
    if not rows:
        return [Version(BEGINNING, FOREVER, live)] if live is not None else []
    versions = []
    ends = [row.moment for row in rows[1:]] + [FOREVER]
    for row, until in zip(rows, ends, strict=True):
        values = row.values
        if until == FOREVER:
            values = live
        elif row.history_type == audit.REMOVED:
            values = None
        if values is not None and row.moment < until:
            versions.append(Version(row.moment, until, values))
    first = rows[0]
    if extend_to_beginning and versions and first.values is not None:
        versions.insert(0, Version(BEGINNING, first.moment, first.values))
    return versions


def shared_spans(links: Iterable[Version]) -> list[tuple[datetime, datetime]]:
    """The times at which more than one link of a facility was valid, given their versions."""
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
    """A version of a link of the pipeline, with the versions of its facility and the times at which
    that was shared."""

    version: Version
    facility_id: UUID
    facility_versions: Sequence[Version]
    shared: Sequence[tuple[datetime, datetime]]


def intervals_of(
    states: Sequence[Version], links: Sequence[FacilityLink], sales: Sequence[Version]
) -> list[Interval]:
    """The facts of one pipeline. Adjacent intervals with equal values are merged."""
    found: list[Interval] = []
    #: The index of the last interval of each facility in ``found``.
    last: dict[UUID | None, int] = {}
    for since, until in pairwise(_edges(states, links, sales)):
        for row in _intervals_between(since, until, states, links, sales):
            index = last.get(row.facility_id)
            if index is not None and found[index].until == since:
                earlier = found[index]
                if earlier[2:] == row[2:]:
                    found[index] = earlier._replace(until=until)
                    continue
            last[row.facility_id] = len(found)
            found.append(row)
    return found


def _edges(
    states: Sequence[Version], links: Sequence[FacilityLink], sales: Sequence[Version]
) -> list[datetime]:
    """All times at which a value may change, within the lifetime of the pipeline."""
    edges = {moment for version in (*states, *sales) for moment in (version.since, version.until)}
    for link in links:
        edges |= {link.version.since, link.version.until}
        edges |= {
            moment
            for version in link.facility_versions
            for moment in (version.since, version.until)
        }
        edges |= {moment for span in link.shared for moment in span}
    if not states:
        return []
    first = min(version.since for version in states)
    last = max(version.until for version in states)
    return sorted(edge for edge in edges if first <= edge <= last)


def _intervals_between(
    since: datetime,
    until: datetime,
    states: Sequence[Version],
    links: Sequence[FacilityLink],
    sales: Sequence[Version],
) -> Iterator[Interval]:
    state = next(
        (PipelineState(*version.values) for version in states if version.is_valid_after(since)),
        None,
    )
    if state is None:
        return
    valid_sales = [Sale(*version.values) for version in sales if version.is_valid_after(since)]
    sold_on = max(valid_sales).effective_on if valid_sales else None
    technologies: set[UUID] = set()
    present = [link for link in links if link.version.is_valid_after(since)]
    # The same order as that of the databases.
    present.sort(key=lambda link: link.facility_id.hex)
    number = 0
    for link in present:
        facility = next(
            (
                FacilityState(*version.values)
                for version in link.facility_versions
                if version.is_valid_after(since)
            ),
            None,
        )
        if facility is None:
            continue
        yield Interval(
            since,
            until,
            state,
            sold_on,
            link.facility_id,
            facility,
            is_shared=any(start <= since < end for start, end in link.shared),
            is_first=number == 0,
            is_first_of_technology=facility.technology_id not in technologies,
        )
        number += 1
        technologies.add(facility.technology_id)
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
