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
from pipelines.reference import FIELD_OF_KIND, RTB_ID

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
    country: str
    kw: int | None
    kwh: int | None


class Sale(NamedTuple):
    """A recorded sale. The fields are in sort order: the last sale is the greatest."""

    effective_on: date
    recorded_at: datetime
    key: UUID


class MilestoneState(NamedTuple):
    """What facts hold of a milestone; ``is_proven``: it happened, and there is evidence."""

    kind_id: UUID
    baseline_on: date | None
    forecast_on: date | None
    has_happened: bool
    is_proven: bool


class Progress(NamedTuple):
    """The columns of ``Fact`` about milestones and the RTB dates of before. ``proven``: the ids of
    the kinds that are proven, as hex digits; None if none is."""

    rtb_first: date | None
    rtb_baseline: date | None
    is_rtb_actual: bool
    milestone_due: date | None
    proven: str | None

    @classmethod
    def of(
        cls,
        state: PipelineState,
        rtb_first: date | None,
        milestones: Sequence[MilestoneState],
    ) -> Progress:
        own = [one for one in milestones if one.kind_id not in FIELD_OF_KIND]
        rtb = next((one for one in milestones if one.kind_id == RTB_ID), None)
        ahead = [one.forecast_on for one in own if one.forecast_on and not one.has_happened]
        return cls(
            rtb_first,
            rtb.baseline_on if rtb else None,
            bool(rtb and rtb.has_happened and state.rtb_date),
            min(ahead, default=None),
            " ".join(sorted(one.kind_id.hex for one in own if one.is_proven)) or None,
        )


class Interval(NamedTuple):
    """A fact without its pipeline. ``facility_id`` and ``facility`` are None for a pipeline without
    facilities; the other fields are those of ``Fact``."""

    since: datetime
    until: datetime
    pipeline: PipelineState
    progress: Progress
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


class PipelineHistory(NamedTuple):
    """What the facts of one pipeline are computed from, but for its facilities.

    ``first_rtb``: the first RTB date that was recorded, with the time of that; None if none was.
    """

    states: Sequence[Version] = ()
    first_rtb: tuple[datetime, date] | None = None
    sales: Sequence[Version] = ()
    milestones: Sequence[Version] = ()

    def state_at(self, since: datetime) -> PipelineState | None:
        return next(
            (PipelineState(*one.values) for one in self.states if one.is_valid_after(since)), None
        )

    def sold_on(self, since: datetime) -> date | None:
        sales = [Sale(*one.values) for one in self.sales if one.is_valid_after(since)]
        return max(sales).effective_on if sales else None

    def progress(self, since: datetime, state: PipelineState) -> Progress:
        milestones = [
            MilestoneState(*one.values) for one in self.milestones if one.is_valid_after(since)
        ]
        first = None
        if self.first_rtb and self.first_rtb[0] <= since:
            first = self.first_rtb[1]
        return Progress.of(state, first, milestones)


class FacilityLink(NamedTuple):
    """A version of a link of the pipeline, with the versions of its facility and the times at which
    that was shared."""

    version: Version
    facility_id: UUID
    facility_versions: Sequence[Version]
    shared: Sequence[tuple[datetime, datetime]]


def intervals_of(history: PipelineHistory, links: Sequence[FacilityLink]) -> list[Interval]:
    """The facts of one pipeline. Adjacent intervals with equal values are merged."""
    found: list[Interval] = []
    #: The index of the last interval of each facility in ``found``.
    last: dict[UUID | None, int] = {}
    for since, until in pairwise(_edges(history, links)):
        for row in _intervals_between(since, until, history, links):
            index = last.get(row.facility_id)
            if index is not None and found[index].until == since:
                earlier = found[index]
                if earlier[2:] == row[2:]:
                    found[index] = earlier._replace(until=until)
                    continue
            last[row.facility_id] = len(found)
            found.append(row)
    return found


def _edges(history: PipelineHistory, links: Sequence[FacilityLink]) -> list[datetime]:
    """All times at which a value may change, within the lifetime of the pipeline."""
    states = history.states
    versions = (*states, *history.sales, *history.milestones)
    edges = {moment for version in versions for moment in (version.since, version.until)}
    if history.first_rtb:
        edges.add(history.first_rtb[0])
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
    history: PipelineHistory,
    links: Sequence[FacilityLink],
) -> Iterator[Interval]:
    state = history.state_at(since)
    if state is None:
        return
    progress, sold_on = history.progress(since, state), history.sold_on(since)
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
            progress,
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
            progress,
            sold_on,
            None,
            None,
            is_shared=False,
            is_first=True,
            is_first_of_technology=True,
        )
