"""The queue of a tab: which pairs wait, in which order, and which one is looked at."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import Q

from oegen.models import ChangeSet
from pipelines.registers.models import Match, Proposal, RegisterCompany
from pipelines.registers.models.match import ProposalQuerySet, pair_key

PROJECTS, COMPANIES, DECIDED = "projects", "companies", "decided"

#: Pairs that are listed below the one that is looked at.
LISTED = 15


@dataclass(frozen=True)
class Place:
    """A pair in the queue, with the key of its proposal."""

    id: int
    key: str


def find(key: str) -> Proposal | None:
    """The pair if it still waits."""
    parsed = parse_key(key)
    if parsed is None:
        return None
    source, record = parsed
    found = (
        Proposal.objects.undecided()
        .filter(Q(project=source) | Q(company=source), object_id=record)
        .select_related("project", "company")
        .first()
    )
    return found if found is not None and found.record is not None else None


def key_of_change(change_set: ChangeSet) -> str:
    """The key of a pair that the change set decided; empty if it decided none."""
    row = Match.history.filter(change_set=change_set).order_by("history_id").first()
    return pair_key(row.project_id or row.company_id, row.object_id) if row else ""


def parse_key(text: str) -> tuple[UUID, UUID] | None:
    """The source and the record that a key names; None for a text that is none."""
    source, _, record = text.partition(".")
    try:
        return UUID(source), UUID(record)
    except ValueError:
        return None


@dataclass(frozen=True)
class Queue:
    """The pairs that wait, those that were put off last."""

    places: Sequence[Place]
    current: int = 0

    @property
    def place(self) -> Place | None:
        return self.places[self.current] if self.places else None

    @property
    def previous(self) -> Place | None:
        return self.places[self.current - 1] if self.current else None

    @property
    def next(self) -> Place | None:
        after = self.current + 1
        return self.places[after] if after < len(self.places) else None

    @property
    def upcoming(self) -> Sequence[Place]:
        return self.places[self.current : self.current + LISTED]


def waiting(tab: str, *, register: str = "", band: str = "") -> ProposalQuerySet:
    """The undecided ones of a tab; ``register`` is a code, and of projects only."""
    proposals = Proposal.objects.undecided()
    proposals = proposals.of_companies() if tab == COMPANIES else proposals.of_projects()
    if register and tab == PROJECTS:
        proposals = proposals.filter(project__register__code=register)
    return proposals.filter(band=band) if band else proposals


def read_queue(proposals: ProposalQuerySet, key: str, later: Collection[str]) -> Queue:
    """At the pair with the key, else at the first. A pair that waits no more leads to the first."""
    rows = proposals.by_doubt().values_list("pk", "project_id", "company_id", "object_id")
    places = [
        Place(pk, pair_key(project or company, record)) for pk, project, company, record in rows
    ]
    if later:
        places.sort(key=lambda place: place.key in later)
    positions = {place.key: position for position, place in enumerate(places)}
    return Queue(places, positions.get(key, 0))


def load(places: Iterable[Place]) -> list[Proposal]:
    """The proposals, in order, with both sides; without those whose record was removed."""
    keys = [place.id for place in places]
    rows = (
        Proposal.objects.filter(pk__in=keys)
        .with_megawatts()
        .select_related(
            *("project__register", "project__technology", "project__stage", "company"),
        )
        .prefetch_related("record")
    )
    found = {row.pk: row for row in rows}
    return [found[key] for key in keys if key in found and found[key].record is not None]


def count_waiting() -> dict[str, int]:
    proposals = Proposal.objects.undecided()
    return {
        PROJECTS: proposals.of_projects().count(),
        COMPANIES: proposals.of_companies().count(),
        DECIDED: Match.objects.count(),
    }


def kind_of(proposal: Proposal) -> str:
    """What our side is, in a word for people."""
    record: Any = proposal.record
    return "group" if isinstance(record, RegisterCompany) else str(record._meta.verbose_name)
