"""What can be imported of counterparties: companies with their people, and contacts."""

import re
from typing import Any

from counterparties.models import Contact, ContactRole, Counterparty, CounterpartyContact
from counterparties.reference import CONTACT_ROLES
from oegen.audit.seeding import reference_id
from oegen.imports.tables.kinds import (
    ImportField,
    ImportKind,
    LinkTo,
    Part,
    part_fields,
    register,
)
from oegen.imports.tables.values import Country, InRole, Names, Several

#: “CEO at Birch Energy”, as lists show it.
_ROLE_AT = re.compile(r"(?P<role>.+?) at (?P<name>.+)")

COMPUTED = frozenset({"Added", "Last changed"})

CONTACTS = register(
    ImportKind(
        name="contacts",
        model=Contact,
        names_identify=False,
        own_numbers=("email",),
        computed=COMPUTED,
        own_fields=(
            ImportField(
                name="name",
                label="Contact",
                other_names=("Name", "Contact name", "Full name", "Person", "Ansprechpartner"),
            ),
            ImportField(
                name="job_title",
                label="Job title",
                other_names=("Title", "Position", "Function"),
            ),
            ImportField(
                name="roles",
                label="Roles",
                reads=Several(
                    InRole(
                        "counterparties",
                        ContactRole,
                        _ROLE_AT,
                        "{role} at {name}",
                        "CEO at Birch Energy",
                    )
                ),
                link=LinkTo(
                    model=CounterpartyContact, owner="contact", target="counterparty", role="role"
                ),
            ),
            ImportField(
                name="email",
                label="E-mail",
                other_names=("Email", "E-mail address", "Mail"),
            ),
            ImportField(
                name="phone",
                label="Phone",
                other_names=("Telephone", "Phone number", "Mobile", "Telefon"),
            ),
            ImportField(
                name="aliases",
                label="Other names",
                reads=Names(),
                other_names=("Aliases", "Also known as"),
            ),
        ),
    )
)


def _role_part(code: str, label: str) -> Part:
    return Part(
        name=code.replace("-", "_"),
        label=label,
        kind="contacts",
        link=LinkTo(
            model=CounterpartyContact,
            owner="counterparty",
            target="contact",
            values={"role_id": reference_id("contactrole", code)},
        ),
    )


_PEOPLE = tuple(_role_part(code, label) for code, label in CONTACT_ROLES)


def _people_fields(part: Part) -> tuple[ImportField, ...]:
    plain = part.label.replace(" ", "")
    return part_fields(
        part.name,
        CONTACTS,
        {
            "name": (part.label, (plain, f"{part.label} name")),
            "email": (f"{part.label}: e-mail", (f"{part.label} email",)),
        },
    )


def _has_a_description(record: Counterparty, changed: set[str], person: Any) -> None:
    """A company that a row describes is no placeholder."""
    if record.is_placeholder and not record._state.adding:
        record.is_placeholder = False
        changed.add("is_placeholder")


def _placeholder(name: str) -> Counterparty:
    return Counterparty(name=name, is_placeholder=True)


COUNTERPARTIES = register(
    ImportKind(
        name="counterparties",
        model=Counterparty,
        parts=_PEOPLE,
        asks_by_keys=True,
        computed=COMPUTED | {"Contacts", "Pipelines", "Archived"},
        prepare=_has_a_description,
        placeholder=_placeholder,
        own_fields=(
            ImportField(
                name="name",
                label="Counterparty",
                other_names=(
                    *("Name", "Counterparty name", "CounterpartyName", "Company", "Company name"),
                    *("Organisation", "Organization", "Firma", "Operator (or Applicant)"),
                ),
            ),
            ImportField(
                name="aliases",
                label="Other names",
                reads=Names(),
                other_names=("Aliases", "Also known as", "Trading names"),
            ),
            ImportField(name="strategy", label="Strategy"),
            ImportField(
                name="country",
                label="Country",
                reads=Country(),
                other_names=("Country of registration", "Land"),
            ),
            ImportField(
                name="company_number",
                label="Company number",
                other_names=("Registration number", "Companies House number"),
            ),
            ImportField(name="lei", label="LEI", other_names=("Legal entity identifier",)),
            ImportField(
                name="website", label="Website", other_names=("URL", "Web site", "Homepage")
            ),
            *(one for part in _PEOPLE for one in _people_fields(part)),
        ),
    )
)
