"""Writes that follow from what registers say."""

from __future__ import annotations

from django.contrib.contenttypes.models import ContentType

from counterparties.models import Counterparty
from oegen import audit
from oegen.people.models import User
from oegen.search import keys
from pipelines.registers.models import Match, MatchState, RegisterCompany


def same_counterparty(company: RegisterCompany) -> Counterparty | None:
    """The counterparty that has the company's name, or a likely one, as name or other name."""
    for names in (keys.same_name, keys.alias_holders, keys.similar_names):
        found: Counterparty | None = names(Counterparty, company.name).first()
        if found is not None:
            return found
    return None


def add_counterparty(*, company: RegisterCompany, person: User) -> Counterparty:
    """Accept that the company is the counterparty of its name, which is added if there is none.

    Raises ValidationError for a name that no counterparty may have.
    """
    reason = f"{company} of public registers is our counterparty"
    with audit.change_set(person=person, reason=reason):
        counterparty = same_counterparty(company)
        if counterparty is None:
            counterparty = Counterparty(name=company.name)
            counterparty.full_clean()
            counterparty.save()
        match = Match.objects.filter(
            company=company,
            content_type=ContentType.objects.get_for_model(Counterparty),
            object_id=counterparty.pk,
        ).first() or Match(company=company, record=counterparty)
        match.state = MatchState.ACCEPTED
        match.save()
    return counterparty
