"""counterparties.csv, and counterparties that only other files mention."""

import uuid
from collections.abc import Callable, Container
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from django.core.exceptions import ValidationError
from django.utils import timezone

from counterparties import questions
from counterparties.models import Contact, ContactRole, Counterparty, CounterpartyContact
from dashboard.demo_import.importer import (
    CREATED_ROW,
    UNCHANGED_ROW,
    UPDATED_ROW,
    Importer,
    ImportRun,
    PastRow,
    Writes,
    changed_fields,
    check_fields,
    check_past_fields,
)
from dashboard.demo_import.past import Past
from oegen.audit.audited import AuditedModel
from oegen.audit.questions import Question
from oegen.core.text import clean_line, likeness_key, name_key
from oegen.imports import Cell, Row, RowForm, derived_id, identifier, moment, one_line, text

#: The role of each column of people.
ROLES = {
    "CEO": "ceo",
    "PlatformLead": "platform-lead",
    "DealLead": "deal-lead",
    "FinanceLead": "finance-lead",
}
Record = TypeVar("Record", bound=AuditedModel)

NAME_SPACE, ALIAS_SPACE = "counterparty", "alias of counterparty"

#: The heading in the summary for people matched by name.
NAMESAKES = "One person at several counterparties, matched by name alone"


class CounterpartyForm(RowForm):
    ID = Cell(identifier, required=True)
    CounterpartyName = Cell(one_line, required=True)
    CEO = Cell(one_line, empty="")
    Strategy = Cell(text, empty="")
    PlatformLead = Cell(one_line, empty="")
    DealLead = Cell(one_line, empty="")
    FinanceLead = Cell(one_line, empty="")
    Created = Cell(moment)
    LastModified = Cell(moment)


def reference_by_name(name: str) -> tuple[str, str]:
    """The key of a reference by name."""
    return NAME_SPACE, name.casefold()


class CounterpartyNames:
    """Look-up of counterparties by name, then by alias."""

    def __init__(self, run: ImportRun):
        self._scratch = run.scratch
        for key, name in Counterparty.objects.order_by().values_list("pk", "name").iterator():
            self.add(name, key)
        for one in Counterparty.objects.order_by("name").exclude(aliases="").iterator():
            for alias in one.alias_list:
                self.add(alias, one.pk, space=ALIAS_SPACE)

    def add(self, name: str, key: uuid.UUID, space: str = NAME_SPACE) -> None:
        self._scratch.add_name(space, name, key)
        self._scratch.first_of("similar name", likeness_key(name), key, name)

    def questions_about(self, name: str, key: uuid.UUID) -> list[Question]:
        """``questions_about_counterparty`` for a name, without a query for each row."""
        other = self._scratch.id_of_name(ALIAS_SPACE, name)
        if other and other != key:
            return [questions.question_about_alias(name, Counterparty.objects.get(pk=other).name)]
        likeness = likeness_key(name)
        if not likeness:
            return []
        other, other_name = self._scratch.first_of("similar name", likeness, key, name)
        if other == key or name_key(other_name) == name_key(name):
            return []
        return [questions.question_about_name(name, other_name)]

    def holder(self, name: str) -> uuid.UUID | None:
        """The counterparty of that name, aliases excluded."""
        return self._scratch.id_of_name(NAME_SPACE, name)

    def find(self, name: str) -> uuid.UUID | None:
        return self.holder(name) or self._scratch.id_of_name(ALIAS_SPACE, name)

    def first_reference(self, counterparty: Counterparty) -> datetime | None:
        """When the audit first refers to it, by id or name."""
        return self._scratch.first_reference(counterparty.pk, reference_by_name(counterparty.name))

    def placeholder(self, key: uuid.UUID) -> Counterparty:
        """An unsaved placeholder for an id that no file describes."""
        name = f"Unknown counterparty {str(key)[:8]}"
        if self.holder(name):
            name = f"Unknown counterparty {key}"
        self.add(name, key)
        return Counterparty(id=key, name=name, is_placeholder=True)


def contact_ids(name: str) -> tuple[uuid.UUID, uuid.UUID]:
    """The id for a person of that name, and the id that earlier versions of the import derived from
    the case-folded name."""
    return derived_id("contact", name_key(name)), derived_id("contact", name.casefold())


def contact_of(name: str, known: Container[uuid.UUID] = ()) -> Contact:
    """An unsaved contact: one for each name (by ``name_key``), with the id of earlier versions if
    that is ``known``."""
    own, earlier = contact_ids(name)
    return Contact(id=earlier if earlier in known else own, name=name)


def role_link(
    counterparty: uuid.UUID, role: ContactRole, contact: uuid.UUID
) -> CounterpartyContact:
    """An unsaved link. Its id derives from counterparty and role, so a new person in the role
    changes the link."""
    return CounterpartyContact(
        id=derived_id("counterpartycontact", counterparty, role.code),
        counterparty_id=counterparty,
        role=role,
        contact_id=contact,
    )


def with_dates(instance: Record, created: datetime | None, modified: datetime | None) -> Record:
    """Set the dates of a new record to those of its file."""
    instance.created_at = created or modified or timezone.now()
    instance.modified_at = modified or instance.created_at
    return instance


@dataclass
class CounterpartyBatch:
    writes: Writes
    counterparties: dict[uuid.UUID, Counterparty]
    contacts: set[uuid.UUID]
    links: dict[uuid.UUID, CounterpartyContact]
    #: The keys of counterparty, role and contact of the existing links.
    held: set[tuple]


class CounterpartyImporter(Importer):
    file_name = "counterparties.csv"
    form = CounterpartyForm
    model = Counterparty
    past_key = "CounterpartyName"
    past_models = (Counterparty, Contact, CounterpartyContact)
    columns = {"name": "CounterpartyName", "strategy": "Strategy"}

    def __init__(self, run: ImportRun, names: CounterpartyNames):
        super().__init__(run)
        self.names = names
        self.known_people: set[uuid.UUID] = set()
        self.roles = {one.code: one for one in ContactRole.objects.filter(code__in=ROLES.values())}

    def load(self, rows: list[Row]) -> CounterpartyBatch:
        ids = [row.data["ID"] for row in rows]
        people = _contact_ids(rows)
        links = CounterpartyContact.objects.filter(counterparty__in=ids)
        links_of_people = CounterpartyContact.objects.filter(contact__in=people).order_by("pk")
        for link in links_of_people.select_related("contact", "counterparty", "role"):
            self._first_place(link.contact, link.role, link.counterparty)
        return CounterpartyBatch(
            writes=Writes(self.run.scratch, Counterparty, Contact, CounterpartyContact),
            counterparties=Counterparty.objects.in_bulk(ids),
            contacts=set(Contact.objects.filter(pk__in=people).values_list("pk", flat=True)),
            links={link.pk: link for link in links},
            held={(link.counterparty_id, link.role_id, link.contact_id) for link in links},
        )

    def plan_row(self, row: Row, batch: CounterpartyBatch) -> str:
        data = row.data
        values = {
            "name": data["CounterpartyName"],
            "strategy": data["Strategy"],
            # A record that a file describes is no placeholder.
            "is_placeholder": False,
        }
        known = batch.counterparties.get(data["ID"])
        is_new = known is None
        counterparty = known or with_dates(
            Counterparty(id=data["ID"]), data["Created"], data["LastModified"]
        )
        changed = changed_fields(counterparty, values)
        # Without ``clean``, which would query for the name of each row.
        check_fields(counterparty)
        people = {
            column: contact_of(clean_line(data[column]), batch.contacts)
            for column in ROLES
            if data[column]
        }
        for column, contact in people.items():
            _check_person(contact, column, check_fields)
        holder = self.names.holder(counterparty.name)
        if "name" in changed and holder and holder != counterparty.pk:
            raise ValidationError(
                {
                    "CounterpartyName": f"“{counterparty.name}” is the name of another "
                    f"counterparty, with the ID {holder}. Two may not share a name: rename one, "
                    "or give the row that ID."
                }
            )
        if is_new or "name" in changed:
            similar = self.names.questions_about(counterparty.name, counterparty.pk)
            self.list_questions(row, counterparty, similar)
        self.names.add(counterparty.name, counterparty.pk)
        if is_new:
            batch.writes.create(counterparty, self.names.first_reference(counterparty))
        elif changed:
            batch.writes.update(counterparty, changed)
        changed_people = self._plan_people(row, counterparty, people, batch)
        if is_new:
            return CREATED_ROW
        return UPDATED_ROW if changed or changed_people else UNCHANGED_ROW

    def _plan_people(self, row: Row, counterparty, people: dict, batch) -> bool:
        """Add the writes of contacts and roles. Returns whether there are any.

        Roles entered by hand stay.
        """
        changed_people = False
        for column, code in ROLES.items():
            contact, role = people.get(column), self.roles[code]
            link_id = role_link(counterparty.pk, role, uuid.UUID(int=0)).pk
            link = batch.links.get(link_id)
            if contact is None:
                if link:
                    batch.writes.remove(link)
                    changed_people = True
                continue
            if contact.pk not in batch.contacts:
                batch.contacts.add(contact.pk)
                batch.writes.create(
                    with_dates(contact, counterparty.created_at, counterparty.modified_at)
                )
                self.run.also_created["contacts"] += 1
            other, place = self._first_place(contact, role, counterparty)
            if (counterparty.pk, role.pk, contact.pk) in batch.held:
                continue
            changed_people = True
            if other != counterparty.pk:
                self.run.remarks.add(
                    NAMESAKES,
                    f"{row.file}, line {row.line}: “{contact.name}”, {role} at "
                    f"{counterparty.name}, is taken for the {place}",
                )
            if link:
                batch.writes.update(link, changed_fields(link, {"contact_id": contact.pk}))
            else:
                batch.writes.create(role_link(counterparty.pk, role, contact.pk))
                self.run.also_created["roles of contacts"] += 1
        return changed_people

    def _first_place(self, contact, role, counterparty) -> tuple[uuid.UUID, str]:
        """The first counterparty at which the person occurs, and the role there in words."""
        place = f"{role} at {counterparty.name}"
        return self.run.scratch.first_of("person", str(contact.pk), counterparty.pk, place)

    def load_past(self, rows: list[PastRow], past: Past) -> None:
        entities = {row.entity for row in rows}
        people = _contact_ids(rows)
        self.known_people = set(Contact.history.filter(id__in=people).values_list("id", flat=True))
        past.read(Counterparty, id__in=entities)
        past.read(Contact, id__in=people)
        past.read(CounterpartyContact, counterparty__in=entities)

    def record_past(self, row: PastRow, past: Past) -> None:
        data = row.data
        counterparty = with_dates(
            Counterparty(
                id=row.entity,
                version=0,
                name=data["CounterpartyName"],
                strategy=data["Strategy"],
            ),
            data["Created"],
            data["LastModified"],
        )
        people = {
            column: contact_of(data[column], self.known_people) for column in ROLES if data[column]
        }
        check_past_fields(counterparty)
        for column, contact in people.items():
            _check_person(contact, column, check_past_fields)
        first = self.names.first_reference(counterparty)
        if first and first < row.moment:
            past.record_start(counterparty, first)
        past.record(counterparty, row, always=True)
        links = []
        for column, contact in people.items():
            contact.version = 0
            past.record(contact, row)
            link = role_link(row.entity, self.roles[ROLES[column]], contact.pk)
            link.version = 0
            links.append(link)
        past.record_links(CounterpartyContact, row.entity, links, row)


def _contact_ids(rows: list[Row] | list[PastRow]) -> set[uuid.UUID]:
    names = {row.data[column] for row in rows for column in ROLES}
    return {key for name in names for key in contact_ids(name)}


def _check_person(contact: Contact, column: str, check: Callable[[Contact], None]) -> None:
    try:
        check(contact)
    except ValidationError as error:
        raise ValidationError({column: error.messages}) from None
