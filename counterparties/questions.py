"""Questions about counterparties and contacts that may be duplicates.

The models import this module, so the functions get the models from the records, saved or not.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING

from django.utils.text import get_text_list

from oegen.audit.questions import Question
from oegen.search import keys

if TYPE_CHECKING:
    from counterparties.models import Contact, Counterparty, CounterpartyContact

#: Kinds of question; change sets store them.
SIMILAR_NAME, ALIAS, EMAIL, SAME_PLACE = "alike-name", "alias", "same-email", "same-place"


def questions_about_counterparty(counterparty: Counterparty) -> list[Question]:
    """Similar names (equal but for accents or signs), and names that are aliases of others."""
    model, name = type(counterparty), counterparty.name
    holders = list(keys.alias_holders(model, name, exclude=counterparty.pk))
    others = keys.similar_names(model, name, exclude=counterparty.pk).exclude(
        pk__in=[holder.pk for holder in holders]
    )
    found = [replace(question_about_alias(name, other.name), other=other) for other in holders]
    found += [replace(question_about_name(name, other.name), other=other) for other in others]
    for alias in counterparty.alias_list:
        for other in keys.same_name(model, alias, exclude=counterparty.pk):
            text = (
                f"The other name “{alias}” is the name of another counterparty, “{other.name}”. "
                "Do both go by it?"
            )
            found.append(Question(ALIAS, ("aliases",), text, other))
    return found


def question_about_name(name: str, other: str) -> Question:
    return Question(
        SIMILAR_NAME,
        ("name",),
        f"“{name}” differs by accents or signs alone from a name of “{other}”, a counterparty that "
        "is here already. Is it another company?",
    )


def question_about_alias(name: str, other: str) -> Question:
    return Question(
        ALIAS,
        ("name",),
        f"“{name}” is another name of “{other}”, a counterparty that is here already. Is it "
        "another company?",
    )


def questions_about_contact(contact: Contact) -> list[Question]:
    """Contacts with the same e-mail address, or with the same name at the same counterparty."""
    others = type(contact).objects.exclude(pk=contact.pk)
    found = []
    email = contact.email.strip()
    if email:
        for other in others.filter(email__iexact=email):
            text = (
                f"{email} is the e-mail address of “{other.name}”{_at(other)}, who is here "
                "already. Is this another person?"
            )
            found.append(Question(EMAIL, ("email",), text, other))
    if contact._state.adding:
        return found
    places = contact.counterparties.all()
    colleagues = keys.same_name(type(contact), contact.name, exclude=contact.pk)
    colleagues = colleagues.filter(counterparties__in=places).distinct()
    return found + [_question_about_namesake(contact, other, "name") for other in colleagues]


def questions_about_role(link: CounterpartyContact) -> list[Question]:
    """Contacts of the same name with a role at the same counterparty."""
    if not (link.counterparty_id and link.contact_id):
        return []
    contact = link.contact
    colleagues = keys.same_name(type(contact), contact.name, exclude=contact.pk)
    return [
        _question_about_namesake(contact, other, "contact")
        for other in colleagues.filter(counterparties=link.counterparty_id).distinct()
    ]


def _question_about_namesake(contact: Contact, other: Contact, field: str) -> Question:
    return Question(
        SAME_PLACE,
        (field,),
        f"“{contact.name}” has the name of “{other.name}”{_at(other)}, who is here already. Is "
        "this another person?",
        other,
    )


def _at(contact: Contact) -> str:
    """The contact's first roles, in brackets."""
    links = contact.counterparty_links.select_related("role", "counterparty")[:3]
    roles: Iterable[str] = [f"{link.role} at {link.counterparty}" for link in links]
    return f" ({get_text_list(list(roles), 'and')})" if roles else ""
