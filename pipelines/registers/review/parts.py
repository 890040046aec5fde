"""The parts of the page, as plain data for its template."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db.models import Count, prefetch_related_objects

from oegen.core.words import number
from pipelines.models import Facility, Pipeline
from pipelines.records import places_of
from pipelines.registers.matching.deciding import Band
from pipelines.registers.matching.subjects import point_of
from pipelines.registers.models import Match, Proposal, Register, RegisterProject
from pipelines.registers.review import queue
from pipelines.registers.review.comparing import (
    Cell,
    compare_company,
    compare_project,
    facilities_of,
)
from pipelines.registers.review.queue import Queue

BAND_LABELS = {
    Band.SURE: "Sure",
    Band.LIKELY: "Likely",
    Band.POSSIBLE: "Possible",
    Band.DOUBTFUL: "Doubtful",
}

#: Pairs that are accepted together at most.
MAX_TOGETHER = 200

#: Reads the address of a pair from its key.
Address = Callable[[str], str]

_RECORD_PARTS: dict[type[Any], tuple[str, ...]] = {
    Pipeline: ("stage", "facilities__technology", "counterparty_links__counterparty"),
    Facility: ("technology", "pipelines__stage", "pipelines__counterparty_links__counterparty"),
}


@dataclass(frozen=True)
class Line:
    """A pair in the list, with what it is called on both sides."""

    proposal: Proposal
    key: str
    url: str
    kind: str
    band: str

    @property
    def source(self) -> Any:
        return self.proposal.source

    @property
    def megawatts(self) -> str:
        """Of a proposal with ``with_megawatts``."""
        return number(Decimal(f"{self.proposal.mw:.3f}"))  # type: ignore[attr-defined]

    @property
    def runner_up(self) -> str:
        """How far the next best project is behind, or the best one ahead; of projects only."""
        margin = self.proposal.margin
        if self.proposal.project_id is None:
            return ""
        if margin is None:
            return "No other project comes near."
        where = (
            "The next best is {} points behind." if margin >= 0 else "Another is {} points ahead."
        )
        return where.format(number(abs(margin)))


@dataclass(frozen=True)
class Compared:
    """The pair that is looked at. ``others`` are pairs that can't be right if this one is."""

    line: Line
    cells: Sequence[Cell]
    places: Sequence[dict[str, Any]]
    others: Sequence[Line]


@dataclass(frozen=True)
class Together:
    """Pairs that can be accepted together: of the surest band and of one kind of record."""

    kind: str
    lines: Sequence[Line]


@dataclass(frozen=True)
class Decided:
    """A match with the entry of the history that decided it, whose change set can be undone."""

    match: Match
    entry: Any
    is_alone: bool


def line_of(proposal: Proposal, address: Address) -> Line:
    key = proposal.key
    return Line(
        proposal, key, address(key), queue.kind_of(proposal), BAND_LABELS[Band(proposal.band)]
    )


def read_lines(found: Queue, address: Address) -> list[Line]:
    """The pair that is looked at and those after it."""
    return [line_of(one, address) for one in queue.load(found.upcoming)]


def compare(line: Line, address: Address) -> Compared:
    pair = line.proposal
    record: Any = pair.record
    prefetch_related_objects([record], *_RECORD_PARTS.get(type(record), ()))
    others = Proposal.objects.undecided().exclude(pk=pair.pk)
    places: list[dict[str, Any]] = []
    if pair.company is not None:
        cells = compare_company(record, pair.company)
        others = others.filter(company=pair.company)
    elif pair.project is not None:
        cells, places = compare_project(record, pair.project), _places(record, pair.project)
        others = others.filter(
            content_type=pair.content_type_id,
            object_id=pair.object_id,
            project__register=pair.project.register_id,
        )
    rows = others.select_related("project", "company").prefetch_related("record")
    lines = [line_of(one, address) for one in rows.order_by("-score") if one.record is not None]
    return Compared(line, cells, places, lines)


def _places(record: Pipeline | Facility, project: RegisterProject) -> list[dict[str, Any]]:
    """For the small map; that of the register is drawn hollow."""
    found = [{**one, "name": f"Ours: {one['name']}"} for one in places_of(facilities_of(record))]
    if point := point_of(project.latitude, project.longitude):
        found.append(
            {
                "name": f"{project.register.name}: {project.name}",
                "size": "",
                "latitude": point[0],
                "longitude": point[1],
                "url": "",
                "is_hollow": True,
            }
        )
    return found


def read_together(tab: str, register: str, address: Address) -> list[Together]:
    """By kind of record; none of fewer than two pairs. A record or a project of several pairs is to
    be looked at."""
    proposals = queue.waiting(tab, register=register, band=Band.SURE)
    kinds = proposals.order_by().values("content_type_id").annotate(found=Count("pk"))
    found = []
    for kind in kinds.order_by("content_type_id"):
        rows = proposals.filter(content_type=kind["content_type_id"]).by_doubt()
        rows = rows.select_related("project", "company").prefetch_related("record")
        pairs = _unambiguous([one for one in rows[:MAX_TOGETHER] if one.record is not None])
        if len(pairs) > 1:
            lines = [line_of(one, address) for one in pairs]
            found.append(Together(lines[0].kind, lines))
    return found


def _unambiguous(pairs: list[Proposal]) -> list[Proposal]:
    sources = Counter(one.project_id or one.company_id for one in pairs)
    # Several companies of registers may be one counterparty.
    records = Counter(one.object_id for one in pairs if one.project_id)
    return [
        one
        for one in pairs
        if sources[one.project_id or one.company_id] == 1 and records[one.object_id] <= 1
    ]


def read_decided(matches: Sequence[Match]) -> list[Decided]:
    rows = (
        Match.history.filter(id__in=[match.pk for match in matches])
        .select_related("change_set__person")
        .order_by("history_id")
    )
    newest = {row.id: row for row in rows}
    label = Match.history.model._meta.label_lower
    sets = {row.change_set_id for row in newest.values()}
    sizes = Counter(
        Match.history.filter(change_set__in=sets).values_list("change_set_id", flat=True)
    )
    return [
        Decided(
            match,
            row,
            is_alone=sizes[row.change_set_id] == 1 and list(row.change_set.contents) == [label],
        )
        for match in matches
        if (row := newest[match.pk])
    ]


def registers_of(projects: Iterable[RegisterProject | None]) -> list[Register]:
    """The registers whose data are shown, each once, for their licences; all active ones if only
    companies are shown."""
    found = {one.register.pk: one.register for one in projects if one is not None}
    return list(found.values()) or list(Register.objects.active())
