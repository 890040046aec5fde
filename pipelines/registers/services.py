"""Decisions about pairs: that a project or a company of a register is a record of ours, or not."""

from __future__ import annotations

from collections.abc import Iterable

from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import PermissionDenied
from django.db import transaction

from counterparties.models import Counterparty
from oegen import audit
from oegen.core.words import count
from oegen.models import AuditedModel, ChangeSet, User
from oegen.search import keys
from pipelines.registers.matching.deciding import Band
from pipelines.registers.models import (
    Match,
    MatchState,
    Proposal,
    RegisterCompany,
    RegisterProject,
)

#: Who may decide.
MAY_DECIDE = "registers.add_match"

Source = RegisterProject | RegisterCompany
Record = AuditedModel | RegisterCompany


class DecisionRefusedError(Exception):
    """A decision can't be made as things stand. The message is shown to users."""


@transaction.atomic
def decide_match(
    *, source: Source, record: Record, state: MatchState, person: User, reason: str = ""
) -> ChangeSet | None:
    """Decide that they are the same, or are not; None if that is decided already.

    The score and its reasons are those of the proposal, if there is one. Raises
    DecisionRefusedError, and PermissionDenied.
    """
    if not person.has_perms([MAY_DECIDE]):
        raise PermissionDenied
    side = {"project" if isinstance(source, RegisterProject) else "company": source}
    kind = ContentType.objects.get_for_model(record)
    pair = {**side, "content_type": kind, "object_id": record.pk}
    match = Match.objects.select_for_update(no_key=True).filter(**pair).first()
    if match is not None and match.state == state:
        return None
    if state == MatchState.ACCEPTED:
        _check(source, record, side, kind)
    if match is None:
        proposal = Proposal.objects.filter(**pair).first()
        match = Match(
            **pair,
            score=proposal.score if proposal else None,
            reasons=proposal.reasons if proposal else [],
        )
    match.state = state
    with audit.change_set(
        person=person, source=audit.Source.PAGE, reason=reason or _sentence(source, record, state)
    ) as change_set:
        match.save()
    return change_set


def _sentence(source: Source, record: Record, state: MatchState) -> str:
    """The decision, as the reason in the history."""
    is_accepted = state == MatchState.ACCEPTED
    if isinstance(record, RegisterCompany):
        return f"{source} {'belongs' if is_accepted else 'does not belong'} to {record}"
    return f"{record} and {source} are {'' if is_accepted else 'not '}the same"


def _check(source: Source, record: Record, side: dict[str, Source], kind: ContentType) -> None:
    """Raise DecisionRefusedError if the source is another record already, or its own parent."""
    others = Match.objects.accepted().filter(**side).exclude(object_id=record.pk)
    if isinstance(source, RegisterCompany):
        others = others.filter(content_type=kind)
    if other := others.first():
        raise DecisionRefusedError(
            f"{source} is {other.record} already. Undo that first, if it is {record}."
        )
    if isinstance(record, RegisterCompany):
        if not isinstance(source, RegisterCompany):
            raise DecisionRefusedError("Only a company belongs to a company of the registers.")
        parent: RegisterCompany | None = record
        while parent is not None:
            if parent.pk == source.pk:
                raise DecisionRefusedError(
                    f"{record} belongs to {source} already, so {source} can't belong to it."
                )
            parent = parent.group


@transaction.atomic
def accept_together(*, proposals: Iterable[Proposal], person: User) -> ChangeSet:
    """Accept proposals of the surest band, all of records of one kind, in one change set.

    Raises DecisionRefusedError if there are others among them, none, or two of one record of ours
    or of the register: these are to be looked at.
    """
    if not person.has_perms([MAY_DECIDE]):
        raise PermissionDenied
    chosen = list(proposals)
    if not chosen:
        raise DecisionRefusedError("None of them waits any more: somebody decided them meanwhile.")
    if any(one.band != Band.SURE for one in chosen):
        raise DecisionRefusedError("Only pairs of the surest band can be accepted together.")
    if len({(one.content_type_id, one.project_id is None) for one in chosen}) > 1:
        raise DecisionRefusedError("Only pairs of one kind can be accepted together.")
    sources = [one.project_id or one.company_id for one in chosen]
    records = [one.object_id for one in chosen if one.project_id]
    if len(set(sources)) < len(sources) or len(set(records)) < len(records):
        raise DecisionRefusedError("Two of them are of one record: decide these one by one.")
    reason = f"{count(len(chosen), 'pair')} of the surest band accepted"
    with audit.change_set(person=person, source=audit.Source.PAGE, reason=reason) as change_set:
        Match.objects.bulk_create(
            Match(
                project_id=one.project_id,
                company_id=one.company_id,
                content_type_id=one.content_type_id,
                object_id=one.object_id,
                state=MatchState.ACCEPTED,
                score=one.score,
                reasons=one.reasons,
            )
            for one in chosen
        )
    return change_set


def same_counterparty(company: RegisterCompany) -> Counterparty | None:
    """The counterparty that has the company's name, or a likely one, as name or other name."""
    for names in (keys.same_name, keys.alias_holders, keys.similar_names):
        found: Counterparty | None = names(Counterparty, company.name).first()
        if found is not None:
            return found
    return None


def add_counterparty(*, company: RegisterCompany, person: User) -> Counterparty:
    """Accept that the company is the counterparty of its name, which is added if there is none.

    Raises ValidationError for a name that no counterparty may have, and as decide_match does.
    """
    reason = f"{company} of public registers is our counterparty"
    with audit.change_set(person=person, reason=reason):
        counterparty = same_counterparty(company)
        if counterparty is None:
            counterparty = Counterparty(name=company.name)
            counterparty.full_clean()
            counterparty.save()
        decide_match(source=company, record=counterparty, state=MatchState.ACCEPTED, person=person)
    return counterparty
