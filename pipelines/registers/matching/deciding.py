"""What follows from the scores: sure enough to be accepted, proposed to a person, or nothing."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from pipelines.registers.matching.blocking import Index
from pipelines.registers.matching.exact import pair_exactly
from pipelines.registers.matching.scoring import Scorer, Weights
from pipelines.registers.matching.subjects import Subject

#: Entries that are proposed for one site at most.
MAX_PROPOSALS = 2

#: The first and the second are proposed if they have this share of the odds of all candidates and
#: of the case that the register has none.
FIRST, SECOND = 0.05, 0.02

#: A score, and how far the next is behind, count up to this.
MAX_SCORE = MAX_MARGIN = 14.0

#: Two sites that would both be one entry: the better one is, if it is better by this score.
CLAIM_MARGIN = 3.0


class Band(StrEnum):
    """How sure a proposal is, from sure enough to be accepted without a person."""

    SURE = "sure"
    LIKELY = "likely"
    POSSIBLE = "possible"
    DOUBTFUL = "doubtful"


#: The probability from which a proposal is in a band; the last takes the rest.
BANDS = ((0.974, Band.SURE), (0.85, Band.LIKELY), (0.4, Band.POSSIBLE), (0.0, Band.DOUBTFUL))

#: The probability of a pair whose fields are equal.
EXACT = 0.999


@dataclass(frozen=True, slots=True)
class Proposal:
    """An entry that a site may be.

    ``score`` is the sum of the weights, less the logarithm of the number of entries: above 0 it is
    rather the same than not. ``margin`` is how far the best other candidate of the site is behind,
    infinite if there is none; for a second proposal it is negative. ``probability`` is calibrated.
    """

    subject: Subject
    entry: Subject
    score: float
    margin: float
    probability: float
    band: Band
    weights: Weights
    is_exact: bool = False


def propose(
    subjects: Iterable[Subject],
    index: Index,
    refused: Mapping[Any, Collection[str]] | None = None,
    others: Collection[str] = (),
) -> dict[Any, list[Proposal]]:
    """For each subject, by its key, its proposals, best first.

    The subjects are of one kind, as an entry is SURE for one of them at most: a pipeline and its
    facility may both be the same entry. ``refused`` has, by the key of a subject, the keys of
    entries that a person said it is not; ``others`` are the keys of entries that are another
    subject's, which are not proposed but count as runner-up. Raises ValueError for a subject
    without a name.
    """
    refused = refused or {}
    subjects = list(subjects)
    exact = {
        subject.key: entry
        for subject, entry in pair_exactly(subjects, index.entries)
        if entry.key not in refused.get(subject.key, ()) and entry.key not in others
    }
    taken = {entry.key for entry in exact.values()}
    found = {}
    for subject in subjects:
        if subject.key in exact:
            found[subject.key] = [_exact_proposal(subject, exact[subject.key], index)]
        else:
            found[subject.key] = _propose_for(
                subject, index, {*refused.get(subject.key, ()), *taken}, others
            )
    _settle_claims(found)
    return found


def _exact_proposal(subject: Subject, entry: Subject, index: Index) -> Proposal:
    weights = Scorer(subject, index).compare(entry)
    score = weights.total - math.log(len(index.entries) + 1)
    return Proposal(subject, entry, score, math.inf, EXACT, Band.SURE, weights, is_exact=True)


def _propose_for(
    subject: Subject, index: Index, excluded: Collection[str], others: Collection[str]
) -> list[Proposal]:
    scorer = Scorer(subject, index)
    chance = math.log(len(index.entries) + 1)
    scored = []
    for number in scorer.candidates():
        entry = index.entries[number]
        if entry.key not in excluded:
            weights = scorer.compare(entry)
            scored.append((weights.total - chance, entry.key, entry, weights))
    scored.sort(key=lambda one: (-one[0], one[1]))
    whole = 1.0 + sum(_odds(one[0]) for one in scored)
    free = [one for one in scored if one[1] not in others]
    proposals: list[Proposal] = []
    for place, (score, key, entry, weights) in enumerate(free[:MAX_PROPOSALS]):
        if _odds(score) / whole < (SECOND if place else FIRST):
            break
        rivals = [one[0] for one in scored[:2] if one[1] != key]
        margin = score - rivals[0] if rivals else math.inf
        probability = _probability(score, margin, weights, index.doubles.excess(entry))
        band = _band(probability, weights, is_first=not place)
        proposals.append(Proposal(subject, entry, score, margin, probability, band, weights))
    return proposals


def _odds(score: float) -> float:
    return math.exp(min(score, 50.0))


def _probability(score: float, margin: float, weights: Weights, double: float) -> float:
    """The share of such pairs that are the same.

    A logistic regression over pairs of distorted editions of REPD of 2023 to 2025, half of them of
    rows that the edition had lost: ``tests.benchmarks.matching`` measures how well it holds.
    """
    known_operator = max(weights.operator, 0.0)
    log_odds = (
        -3.08
        + 0.228 * min(score, MAX_SCORE)
        + 0.205 * min(margin, MAX_MARGIN)
        + 1.6 * weights.capacity
        + (0.0 if weights.has_both_capacities else 1.59)
        + 0.188 * weights.place
        + (0.0 if weights.has_both_points else 2.748)
        - 0.115 * min(weights.shared, 16.0)
        - 0.929 * min(weights.only_ours, 3)
        - 1.927 * min(weights.only_theirs, 3)
        - double
        + 0.5 * known_operator
        + max(weights.identifier, 0.0)
    )
    return 1 / (1 + math.exp(-max(-50.0, min(log_odds, 50.0))))


def _band(probability: float, weights: Weights, *, is_first: bool) -> Band:
    band = next(band for least, band in BANDS if probability >= least)
    if band is Band.SURE and not (is_first and _may_be_sure(weights)):
        return Band.LIKELY
    return band


def _may_be_sure(weights: Weights) -> bool:
    """Whether nothing forbids it, and the identifier says so, or every word of ours is the
    register's and both capacities are known: of others three times as many are wrong."""
    if weights.is_vetoed or not weights.has_same_numbers:
        return False
    is_named = weights.shared > 0 and not weights.only_ours and weights.has_both_capacities
    return weights.identifier > 0 or is_named


def _settle_claims(found: dict[Any, list[Proposal]]) -> None:
    """Leave an entry SURE for the one subject that has it clearly best, if any."""
    claims: dict[str, list[Proposal]] = defaultdict(list)
    for proposals in found.values():
        for proposal in proposals[:1]:
            claims[proposal.entry.key].append(proposal)
    for claim in claims.values():
        claim.sort(key=lambda one: (one.is_exact, one.score), reverse=True)
        if len(claim) == 1:
            continue
        is_clear = claim[0].is_exact or claim[0].score - claim[1].score >= CLAIM_MARGIN
        for proposal in claim[1:] if is_clear else claim:
            if proposal.band is Band.SURE:
                found[proposal.subject.key][0] = replace(proposal, band=Band.LIKELY)
