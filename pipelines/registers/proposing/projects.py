"""Pairs of projects of a register and pipelines or facilities of ours."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any
from uuid import UUID

from pipelines.models import Technology
from pipelines.registers.matching.blocking import Index
from pipelines.registers.matching.deciding import Band, Proposal, propose
from pipelines.registers.matching.reasons import reasons
from pipelines.registers.matching.subjects import Ours, Subject, subject_of_ours
from pipelines.registers.models import Register
from pipelines.registers.proposing.decisions import Decisions
from pipelines.registers.proposing.entries import read_entries
from pipelines.registers.proposing.ours import MODELS, Portfolio
from pipelines.registers.proposing.pairs import Pair

#: A pipeline as a whole is not proposed for an entry that one of its facilities may be so surely.
_BETTER_AS_SITE = (Band.SURE, Band.LIKELY)


def find_projects(register: Register, portfolio: Portfolio, decisions: Decisions) -> Iterator[Pair]:
    """The proposals of one register. A record with a project of it that stands has none."""
    entries, ids = read_entries(register)
    if not entries:
        return
    index = Index(entries, _parents())
    sites = _subjects(portfolio.sites(), register, decisions)
    wholes = _subjects(portfolio.wholes(), register, decisions)
    refused = _refused([*sites, *wholes], ids, decisions)
    others = {key for key, pk in ids.items() if pk in decisions.taken_projects}
    found = propose(sites, index, refused, others)
    taken = {
        one.entry.key
        for proposals in found.values()
        for one in proposals
        if one.band in _BETTER_AS_SITE
    }
    as_wholes = propose(wholes, index, refused, others)
    for proposals in (*found.values(), *as_wholes.values()):
        for one in proposals:
            if proposals is as_wholes.get(one.subject.key) and one.entry.key in taken:
                continue
            is_touched = (one.subject.key[1], register.pk) in decisions.touched
            yield _pair(one, ids[one.entry.key], may_accept=not is_touched and _may_accept(one))


def _parents() -> dict[str, str]:
    rows = Technology.objects.exclude(parent=None).values_list("code", "parent__code")
    return dict(rows.order_by())


def _subjects(records: Iterable[Ours], register: Register, decisions: Decisions) -> list[Subject]:
    found = (
        subject_of_ours(one) for one in records if (one.id, register.pk) not in decisions.standing
    )
    return [subject for subject in found if subject.name.words]


def _refused(
    subjects: Iterable[Subject], ids: Mapping[str, UUID], decisions: Decisions
) -> dict[Any, set[str]]:
    """By subject, the keys of entries that were decided."""
    keys = {pk: key for key, pk in ids.items()}
    decided: dict[UUID, set[str]] = defaultdict(set)
    for source, record in decisions.decided:
        if source in keys:
            decided[record].add(keys[source])
    return {subject.key: decided[subject.key[1]] for subject in subjects}


def _pair(proposal: Proposal, project: UUID, *, may_accept: bool) -> Pair:
    kind, key = proposal.subject.key
    return Pair(
        source="project",
        source_id=project,
        model=MODELS[kind],
        record_id=key,
        probability=proposal.probability,
        band=proposal.band,
        margin=proposal.margin,
        reasons=reasons(proposal),
        may_accept=may_accept,
    )


def _may_accept(proposal: Proposal) -> bool:
    """In the surest band, and not by name and capacity alone: of two lists that have nothing else
    in common, one such pair in twenty is wrong."""
    weights = proposal.weights
    return proposal.band is Band.SURE and (
        proposal.is_exact or weights.has_both_points or weights.identifier > 0
    )
