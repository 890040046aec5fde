"""Searching pairs in all registers, and writing what was found."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from uuid import UUID

from django.contrib.contenttypes.models import ContentType
from django.db.models import Model

from oegen import audit
from oegen.core import bulk
from oegen.core.words import count
from pipelines.registers.models import Match, MatchState, Proposal, Register
from pipelines.registers.proposing.companies import find_companies
from pipelines.registers.proposing.decisions import Decisions
from pipelines.registers.proposing.ours import read_portfolio
from pipelines.registers.proposing.pairs import Key, Pair
from pipelines.registers.proposing.projects import find_projects

#: The reason of matches that nobody decided.
ACCEPTED_ALONE = "Matched without a person: in the surest band, as the reasons of each match say."

_BATCH = 500


@dataclass(frozen=True)
class Proposed:
    """How many pairs a run found, and how many of them it accepted."""

    proposals: int
    accepted: int

    @property
    def message(self) -> str:
        found = f"{count(self.proposals, 'pair')} to review"
        return f"{found}, {count(self.accepted, 'match', 'matches')} accepted alone."


def propose_all(
    *,
    report: Callable[[int, int, str], None] = lambda done, total, note: None,
    finish: Callable[[str], object] = lambda message: None,
) -> Proposed:
    """Search all registers and write the proposals anew. ``finish`` is called in the transaction of
    the write, with a sentence about it."""
    registers = list(Register.objects.active())
    decisions, portfolio = Decisions.read(), read_portfolio()
    pairs: list[Pair] = []
    for done, register in enumerate(registers):
        report(done, len(registers) + 1, register.name)
        pairs += find_projects(register, portfolio, decisions)
    report(len(registers), len(registers) + 1, "Companies")
    pairs += find_companies(decisions)
    return _store(pairs, finish)


def _store(pairs: list[Pair], finish: Callable[[str], object]) -> Proposed:
    """What was decided or removed while the pairs were searched is left out."""
    with audit.change_set(source=audit.Source.CODE, reason=ACCEPTED_ALONE):
        decisions = Decisions.read()
        kinds = {model: ContentType.objects.get_for_model(model) for model in _models(pairs)}
        existing = {model: _existing(model, pairs) for model in kinds}
        left = [
            pair
            for pair in pairs
            if pair.key not in decisions.decided and pair.record_id in existing[pair.model]
        ]
        accepted = _accept(left, kinds, decisions)
        Proposal.objects.all().delete()
        bulk.insert(Proposal, [_proposal(pair, kinds[pair.model]) for pair in left])
        proposed = Proposed(len(left) - len(accepted), len(accepted))
        finish(proposed.message)
    return proposed


def _models(pairs: Iterable[Pair]) -> set[type[Model]]:
    return {pair.model for pair in pairs}


def _existing(model: type[Model], pairs: Iterable[Pair]) -> set[UUID]:
    wanted = list({pair.record_id for pair in pairs if pair.model is model})
    found: set[UUID] = set()
    for start in range(0, len(wanted), _BATCH):
        batch = wanted[start : start + _BATCH]
        found.update(model._base_manager.filter(pk__in=batch).values_list("pk", flat=True))
    return found


def _accept(
    pairs: Iterable[Pair], kinds: dict[type[Model], ContentType], decisions: Decisions
) -> set[Key]:
    """Accept those that need no person, unless somebody undid it before."""
    sure = [pair for pair in pairs if pair.may_accept and pair.key not in decisions.withdrawn]
    Match.objects.bulk_create(
        Match(
            **{f"{pair.source}_id": pair.source_id},
            content_type=kinds[pair.model],
            object_id=pair.record_id,
            state=MatchState.ACCEPTED,
            score=pair.score,
            reasons=pair.stored_reasons,
        )
        for pair in sure
    )
    return {pair.key for pair in sure}


def _proposal(pair: Pair, content_type: ContentType) -> Proposal:
    return Proposal(
        **{f"{pair.source}_id": pair.source_id},
        content_type=content_type,
        object_id=pair.record_id,
        score=pair.score,
        band=pair.band,
        margin=pair.stored_margin,
        reasons=pair.stored_reasons,
    )
