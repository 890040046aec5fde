"""Computing facts from the versions of records: pure functions, without queries.

A version is valid at times later than ``since`` and not later than ``until``. Queries as of a day
use the first moment of the next day.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, date, datetime
from itertools import chain, pairwise
from typing import Any, Generic, NamedTuple, TypeVar
from uuid import UUID

from oegen import audit
from oegen.core import clock

Values = TypeVar("Values", bound=tuple[Any, ...])

#: Limits of open intervals, before and after all recorded times.
BEGINNING = datetime(1900, 1, 1, tzinfo=UTC)
FOREVER = clock.FOREVER


class HistoryRow(NamedTuple, Generic[Values]):
    """A history row, with the values that facts are derived from; None where there are none."""

    moment: datetime
    history_type: str
    values: Values | None


class Version(NamedTuple, Generic[Values]):
    """The values of a record during an interval."""

    since: datetime
    until: datetime
    values: Values


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
    """What facts hold of a milestone. ``due_on``: the forecast while it is ahead; ``proven``: the
    id of its kind, as hex digits, if it happened and there is evidence."""

    baseline_on: date | None
    due_on: date | None
    has_happened: bool
    proven: str


class Progress(NamedTuple):
    """The columns of ``Fact`` about milestones and the RTB dates of before. ``proven``: the ids of
    the kinds that are proven, as hex digits; None if none is."""

    rtb_first: date | None
    rtb_baseline: date | None
    is_rtb_actual: bool
    milestone_due: date | None
    proven: str | None


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
    rows: Sequence[HistoryRow[Values]], live: Values | None, *, extend_to_beginning: bool = False
) -> list[Version[Values]]:
    """The versions of one record, from its history in the order of moment and id.

    The last version has the stored values, ``live``, and is still valid; None: the record was
    removed. ``extend_to_beginning`` extends the first version to BEGINNING, for records that others
    may refer to before they were recorded.
    """
    if not rows:
        return [Version(BEGINNING, FOREVER, live)] if live is not None else []
    versions = [
        Version(row.moment, following.moment, row.values)
        for row, following in pairwise(rows)
        if row.values is not None
        and row.history_type != audit.REMOVED
        and row.moment < following.moment
    ]
    if live is not None:
        versions.append(Version(rows[-1].moment, FOREVER, live))
    first = rows[0]
    if extend_to_beginning and versions and first.values is not None:
        versions.insert(0, Version(BEGINNING, first.moment, first.values))
    return versions


def shared_spans(links: Iterable[Version[Any]]) -> list[tuple[datetime, datetime]]:
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
    ``rtb`` is the milestone of that date; ``milestones`` are those that the pipeline has no date of
    its own for.
    """

    states: Sequence[Version[PipelineState]] = ()
    first_rtb: tuple[datetime, date] | None = None
    sales: Sequence[Version[Sale]] = ()
    rtb: Sequence[Version[MilestoneState]] = ()
    milestones: Sequence[Version[MilestoneState]] = ()

    def sold_on(self, since: datetime) -> date | None:
        sales = valid_after(since, self.sales)
        return max(sales).effective_on if sales else None

    def progress(self, since: datetime, state: PipelineState) -> Progress:
        rtb = first_after(since, self.rtb)
        milestones = valid_after(since, self.milestones)
        due = [one.due_on for one in milestones if one.due_on]
        return Progress(
            self.first_rtb[1] if self.first_rtb and self.first_rtb[0] <= since else None,
            rtb.baseline_on if rtb else None,
            bool(rtb and rtb.has_happened and state.rtb_date),
            min(due, default=None),
            " ".join(sorted([one.proven for one in milestones if one.proven])) or None,
        )


class FacilityLink(NamedTuple):
    """A version of a link of the pipeline, with the versions of its facility and the times at which
    that was shared."""

    version: Version[Any]
    facility_id: UUID
    facility_versions: Sequence[Version[FacilityState]]
    shared: Sequence[tuple[datetime, datetime]]


def valid_after(since: datetime, versions: Iterable[Version[Values]]) -> list[Values]:
    """The values of the versions that are valid right after that time."""
    return [values for begun, ended, values in versions if begun <= since < ended]


def first_after(since: datetime, versions: Iterable[Version[Values]]) -> Values | None:
    """The values of the first version that is valid right after that time; None if none is."""
    return next((values for begun, ended, values in versions if begun <= since < ended), None)


def intervals_of(history: PipelineHistory, links: Iterable[FacilityLink]) -> list[Interval]:
    """The facts of one pipeline. Adjacent intervals with equal values are merged."""
    # The same order as that of the databases.
    links = sorted(links, key=lambda link: link.facility_id.hex)
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
    if not states:
        return []
    versions: Iterable[Version[Any]] = chain(
        *(states, history.sales, history.rtb, history.milestones),
        (link.version for link in links),
        *(link.facility_versions for link in links),
    )
    edges = {moment for since, until, _ in versions for moment in (since, until)}
    if history.first_rtb:
        edges.add(history.first_rtb[0])
    for link in links:
        edges.update(*link.shared)
    first = min([version.since for version in states])
    last = max([version.until for version in states])
    return sorted([edge for edge in edges if first <= edge <= last])


def _intervals_between(
    since: datetime,
    until: datetime,
    history: PipelineHistory,
    links: Iterable[FacilityLink],
) -> Iterator[Interval]:
    state = first_after(since, history.states)
    if state is None:
        return
    shared_by_all = (since, until, state, history.progress(since, state), history.sold_on(since))
    technologies: set[UUID] = set()
    for link in links:
        if not link.version.since <= since < link.version.until:
            continue
        facility = first_after(since, link.facility_versions)
        if facility is None:
            continue
        yield Interval(
            *shared_by_all,
            link.facility_id,
            facility,
            is_shared=any(start <= since < end for start, end in link.shared),
            is_first=not technologies,
            is_first_of_technology=facility.technology_id not in technologies,
        )
        technologies.add(facility.technology_id)
    if not technologies:
        yield Interval(
            *shared_by_all, None, None, is_shared=False, is_first=True, is_first_of_technology=True
        )
