"""counterparties.csv, and counterparties that other files only refer to."""

import uuid
from collections.abc import Callable, Container
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from django.core.exceptions import ValidationError
from django.utils import timezone

from counterparties import alike
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

#: The role that each column of people stands for.
ROLES = {
    "CEO": "ceo",
    "PlatformLead": "platform-lead",
    "DealLead": "deal-lead",
    "FinanceLead": "finance-lead",
}
Record = TypeVar("Record", bound=AuditedModel)

NAME_SPACE, ALIAS_SPACE = "counterparty", "alias of counterparty"

#: The heading of people who were found by their name in the summary.
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
    """The key of a reference to a counterparty by its name."""
    return NAME_SPACE, name.casefold()


class CounterpartyNames:
    """Every counterparty by its name, and by its aliases where no name is the same."""

    def __init__(self, run: ImportRun):
        self._scratch = run.scratch
        for key, name in Counterparty.objects.order_by().values_list("pk", "name").iterator():
            self.keep(name, key)
        for one in Counterparty.objects.order_by("name").exclude(aliases="").iterator():
            for alias in one.alias_list:
                self.keep(alias, one.pk, space=ALIAS_SPACE)

    def keep(self, name: str, key: uuid.UUID, space: str = NAME_SPACE) -> None:
        self._scratch.keep_name(space, name, key)
        self._scratch.first_of("alike", likeness_key(name), key, name)

    def questions_about(self, name: str, key: uuid.UUID) -> list[Question]:
        """As alike.questions_about_counterparty asks of a name, without a query for each row."""
        other = self._scratch.id_of_name(ALIAS_SPACE, name)
        if other and other != key:
            return [alike.question_about_alias(name, Counterparty.objects.get(pk=other).name)]
        likeness = likeness_key(name)
        if not likeness:
            return []
        other, other_name = self._scratch.first_of("alike", likeness, key, name)
        if other == key or name_key(other_name) == name_key(name):
            return []
        return [alike.question_about_name(name, other_name)]

    def holder(self, name: str) -> uuid.UUID | None:
        """Who has this very name."""
        return self._scratch.id_of_name(NAME_SPACE, name)

    def find(self, name: str) -> uuid.UUID | None:
        return self.holder(name) or self._scratch.id_of_name(ALIAS_SPACE, name)

    def first_reference(self, counterparty: Counterparty) -> datetime | None:
        """When the old audit first refers to it, by its id or its name."""
        return self._scratch.first_reference(counterparty.pk, reference_by_name(counterparty.name))

    def placeholder(self, key: uuid.UUID) -> Counterparty:
        """An unsaved stand-in for a reference to a counterparty that no file describes."""
        name = f"Unknown counterparty {str(key)[:8]}"
        if self.holder(name):
            name = f"Unknown counterparty {key}"
        self.keep(name, key)
        return Counterparty(id=key, name=name, is_placeholder=True)


def contact_ids(name: str) -> tuple[uuid.UUID, uuid.UUID]:
    """The id of a person of that name, and the one that earlier versions gave: they told names
    apart by all but case."""
    return derived_id("contact", name_key(name)), derived_id("contact", name.casefold())


def contact_of(name: str, known: Container[uuid.UUID] = ()) -> Contact:
    """An unsaved contact: one person for each name, as oegen.core.text.name_key compares them;
    by the earlier id where it is among the ``known``."""
    own, earlier = contact_ids(name)
    return Contact(id=earlier if earlier in known else own, name=name)


def role_link(counterparty: uuid.UUID, role: ContactRole, contact: uuid.UUID):
    """An unsaved link. Its id belongs to the role at the counterparty: a new person in the role
    is a change of it."""
    return CounterpartyContact(
        id=derived_id("counterpartycontact", counterparty, role.code),
        counterparty_id=counterparty,
        role=role,
        contact_id=contact,
    )


def stamped(instance: Record, created: datetime | None, modified: datetime | None) -> Record:
    """A new record with the dates that its file gives it."""
    instance.created_at = created or modified or timezone.now()
    instance.modified_at = modified or instance.created_at
    return instance


@dataclass
class CounterpartyBatch:
    writes: Writes
    counterparties: dict[uuid.UUID, Counterparty]
    contacts: set[uuid.UUID]
    links: dict[uuid.UUID, CounterpartyContact]
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
        elsewhere = CounterpartyContact.objects.filter(contact__in=people).order_by("pk")
        for link in elsewhere.select_related("contact", "counterparty", "role"):
            self._first_place(link.contact, link.role, link.counterparty)
        return CounterpartyBatch(
            writes=Writes(self.run.scratch, Counterparty, Contact, CounterpartyContact),
            counterparties=Counterparty.objects.in_bulk(ids),
            contacts=set(Contact.objects.filter(pk__in=people).values_list("pk", flat=True)),
            links={link.pk: link for link in links},
            held={(link.counterparty_id, link.role_id, link.contact_id) for link in links},
        )

    def place(self, row: Row, batch: CounterpartyBatch) -> str:
        data = row.data
        values = {
            "name": data["CounterpartyName"],
            "strategy": data["Strategy"],
            # A placeholder that a file describes at last is one no longer.
            "is_placeholder": False,
        }
        known = batch.counterparties.get(data["ID"])
        is_new = known is None
        counterparty = known or stamped(
            Counterparty(id=data["ID"]), data["Created"], data["LastModified"]
        )
        changed = changed_fields(counterparty, values)
        # Not its clean, which looks for the name with a query; the names are at hand here.
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
            asked = self.names.questions_about(counterparty.name, counterparty.pk)
            self.ask(row, counterparty, asked)
        self.names.keep(counterparty.name, counterparty.pk)
        if is_new:
            batch.writes.create(counterparty, self.names.first_reference(counterparty))
        elif changed:
            batch.writes.update(counterparty, changed)
        moved = self._place_people(row, counterparty, people, batch)
        if is_new:
            return CREATED_ROW
        return UPDATED_ROW if changed or moved else UNCHANGED_ROW

    def _place_people(self, row: Row, counterparty, people: dict, batch) -> bool:
        """Plan the writes of contacts and roles; whether there were any.

        Roles that people gave by hand stay.
        """
        moved = False
        for column, code in ROLES.items():
            contact, role = people.get(column), self.roles[code]
            link_id = role_link(counterparty.pk, role, uuid.UUID(int=0)).pk
            link = batch.links.get(link_id)
            if contact is None:
                if link:
                    batch.writes.remove(link)
                    moved = True
                continue
            if contact.pk not in batch.contacts:
                batch.contacts.add(contact.pk)
                batch.writes.create(
                    stamped(contact, counterparty.created_at, counterparty.modified_at)
                )
                self.run.made["contacts"] += 1
            other, place = self._first_place(contact, role, counterparty)
            if (counterparty.pk, role.pk, contact.pk) in batch.held:
                continue
            moved = True
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
                self.run.made["roles of contacts"] += 1
        return moved

    def _first_place(self, contact, role, counterparty) -> tuple[uuid.UUID, str]:
        """The counterparty at which the person was met first, and the role there, in words."""
        place = f"{role} at {counterparty.name}"
        return self.run.scratch.first_of("person", str(contact.pk), counterparty.pk, place)

    def load_past(self, rows: list[PastRow], past: Past) -> None:
        entities = {row.entity for row in rows}
        people = _contact_ids(rows)
        self.known_people = set(Contact.history.filter(id__in=people).values_list("id", flat=True))
        past.read(Counterparty, id__in=entities)
        past.read(Contact, id__in=people)
        past.read(CounterpartyContact, counterparty__in=entities)

    def tell(self, row: PastRow, past: Past) -> None:
        data = row.data
        counterparty = stamped(
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
            past.begin(counterparty, first)
        past.tell(counterparty, row, always=True)
        links = []
        for column, contact in people.items():
            contact.version = 0
            past.tell(contact, row)
            link = role_link(row.entity, self.roles[ROLES[column]], contact.pk)
            link.version = 0
            links.append(link)
        past.tell_links(CounterpartyContact, row.entity, links, row)


def _contact_ids(rows: list[Row] | list[PastRow]) -> set[uuid.UUID]:
    names = {row.data[column] for row in rows for column in ROLES}
    return {key for name in names for key in contact_ids(name)}


def _check_person(contact: Contact, column: str, check: Callable[[Contact], None]) -> None:
    try:
        check(contact)
    except ValidationError as error:
        raise ValidationError({column: error.messages}) from None
