"""Which record a row is: by id, external reference, own numbers, name or other name.

What identifies a record for certain is taken. What may be the same record is asked: a similar name,
a name that several have, a person of the same name elsewhere.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid5

from django.contrib.contenttypes.models import ContentType
from django.db.models.functions import Lower

from oegen.audit.audited import AuditedModel
from oegen.core.fields import clean_text, is_free_text, own_field
from oegen.core.record_keys import ALIAS, NAME
from oegen.core.text import clean_line
from oegen.imports.cells import quote
from oegen.imports.tables.asking import NEW, About, Asked, Option
from oegen.imports.tables.kinds import ID, REFERENCE, VERSION, ImportKind
from oegen.imports.tables.lookups import Lookups
from oegen.imports.tables.models import ExternalReference
from oegen.imports.tables.rows import CLEAR, RowValues
from oegen.search.models import RecordKey

#: How many records a question offers.
_OFFERED = 5


@dataclass(frozen=True)
class Match:
    """The record of a row or part: ``record``, or a new one with the key ``new_key``, or neither
    with a ``problem`` (with its field) or a question."""

    record: AuditedModel | None = None
    new_key: UUID | None = None
    problem: str = ""
    field: str = ""
    asked: Asked | None = None


@dataclass
class Identity:
    """What a row says of who a record is. ``prefix`` is that of the part's fields, with a dot."""

    row: RowValues
    prefix: str
    id: UUID | None = None
    reference: str = ""
    name: str = ""
    numbers: dict[str, str] = field(default_factory=dict)
    keys: frozenset[tuple[str, str]] = frozenset()
    problem: str = ""

    @property
    def is_empty(self) -> bool:
        return not (self.id or self.reference or self.name or self.numbers or self.problem)


class Matcher:
    """Finds the records of a kind, for the rows of one import. ``by_name`` False: names are those
    within another record, and identify none here."""

    def __init__(
        self,
        kind: ImportKind,
        lookups: Lookups,
        choices: dict[str, str],
        namespace: UUID,
        *,
        save_anyway: bool,
        part: str = "",
        by_name: bool = True,
    ):
        self.kind = kind
        self.lookups = lookups
        self.choices = choices
        self.namespace = namespace
        self.save_anyway = save_anyway
        self.part = part
        self.by_name = by_name and bool(kind.name_field)
        self.prefix = f"{part}." if part else ""
        #: The fields that may have a number which identifies a record, such as its LEI.
        self._key_names = [
            self.prefix + one.name
            for one in kind.fields.values()
            if one.name not in (ID, REFERENCE, VERSION, kind.name_field) and not one.part
        ]
        #: The references of this import's source, by record.
        self._referred: dict[UUID, str] = {}
        #: What this import makes new, by reference, own numbers and keys.
        self._new: dict[tuple[str, str], UUID] = {}
        self._found_references: dict[str, UUID] = {}
        self._found_numbers: dict[tuple[str, str], set[UUID]] = {}

    # Identities -------------------------------------------------------------------------------

    def identity(self, row: RowValues) -> Identity:
        def text(name: str) -> str:
            value = row.values.get(self.prefix + name)
            return clean_line(str(value)) if value not in (None, CLEAR) else ""

        found = Identity(row, self.prefix, reference=text(REFERENCE))
        if self.kind.name_field:
            found.name = text(self.kind.name_field)
        if given := text(ID):
            try:
                found.id = UUID(given)
            except ValueError:
                found.problem = (
                    f"{quote(given)} is no ID. An ID is 32 hex digits with hyphens, as in our "
                    "exports. Leave it empty for a new record."
                )
        found.numbers = {
            name: text(name).casefold() for name in self.kind.own_numbers if text(name)
        }
        if self.kind.model.HAS_KEYS and any(map(row.has, self._key_names)):
            found.keys = self._unique_keys(row)
        return found

    def _unique_keys(self, row: RowValues) -> frozenset[tuple[str, str]]:
        """The numbers that identify the record, such as its LEI, as search keeps them."""
        record = self.kind.model()
        for one in self.kind.fields.values():
            value = row.values.get(self.prefix + one.name)
            if isinstance(value, str) and one.set is None and one.name not in (ID, REFERENCE):
                stored = own_field(self.kind.model, one.stored_as)
                value = clean_text(stored, value) if is_free_text(stored) else value
                setattr(record, one.stored_as, value)
        return frozenset(
            (key.kind, key.key)
            for key in record.record_keys()
            if key.is_unique and key.kind not in (NAME, ALIAS)
        )

    def prefetch(self, identities: Iterable[Identity]) -> None:
        """Read what the identities of a batch of rows refer to, in a fixed number of queries."""
        identities = list(identities)
        model = self.kind.model
        self._found_references = {}
        if references := {one.reference for one in identities if one.reference}:
            self._found_references = self.lookups.referred(model, references)
        self._found_numbers = defaultdict(set)
        for name in self.kind.own_numbers:
            values = {one.numbers[name] for one in identities if name in one.numbers}
            if values:
                rows = model._base_manager.annotate(own_number=Lower(name)).filter(
                    own_number__in=values
                )
                for key, value in rows.values_list("pk", "own_number"):
                    self._found_numbers[name, value].add(key)
        if keys := {key for one in identities for key in one.keys}:
            found = RecordKey.objects.filter(
                content_type=ContentType.objects.get_for_model(model),
                kind__in={kind for kind, _ in keys},
                key__in={key for _, key in keys},
            )
            for kind, number, record in found.values_list("kind", "key", "object_id"):
                self._found_numbers[kind, number].add(record)
        self._prefetch_records(identities)

    def _prefetch_records(self, identities: list[Identity]) -> None:
        wanted = {one.id for one in identities if one.id}
        wanted |= set(self._found_references.values())
        for keys in self._found_numbers.values():
            wanted |= keys
        if self.by_name and any(not one.id for one in identities):
            index = self.lookups.names(self.kind)
            for one in identities:
                if one.name and not one.id:
                    wanted |= index.holders(one.name) | index.similar(one.name)
        self._records = self.lookups.load(self.kind.model, wanted)
        if self.lookups.source:
            rows = ExternalReference.objects.of_records(self.kind.model, list(self._records))
            rows = rows.filter(source=self.lookups.source)
            self._referred |= dict(rows.values_list("object_id", "key"))

    def made_before(self, rows: Iterable[RowValues]) -> set[int]:
        """The rows of which an earlier slice of the same import has made the record."""
        keys = {self.new_key(row): row.number for row in rows}
        found = self.kind.model._base_manager.filter(pk__in=list(keys))
        return {keys[key] for key in found.values_list("pk", flat=True)}

    def new_key(self, row: RowValues) -> UUID:
        """The key of the new record of a row: the same whenever this import is planned."""
        return uuid5(self.namespace, f"{row.number}:{self.part}")

    # Matching ---------------------------------------------------------------------------------

    def match(self, one: Identity, *, may_be_new: bool = True) -> Match:
        if one.problem:
            return Match(problem=one.problem, field=f"{self.prefix}{ID}")
        if one.id:
            return self._by_id(one)
        if one.reference:
            key = self._found_references.get(one.reference) or self._new.get(
                (REFERENCE, one.reference)
            )
            if key and (record := self._record(key)) is not None:
                return Match(record)
        for number in [*one.numbers.items(), *sorted(one.keys)]:
            keys = self._found_numbers.get(number, set())
            found = [record for key in keys if (record := self._record(key)) is not None]
            if len(found) == 1:
                return Match(found[0])
            if found:
                return self._ask(one, found, f"{number[1]} is that of several {self.kind.label}")
            if (key := self._new.get(number)) and (record := self._record(key)) is not None:
                return Match(record)
        if one.name and self.by_name:
            return self._by_name(one)
        return Match(new_key=self.new_key(one.row))

    def known(self, one: Identity) -> AuditedModel | None:
        """The stored record of that id or reference."""
        key = one.id or self._found_references.get(one.reference)
        return self._record(key) if key else None

    def add_new(self, one: Identity, record: AuditedModel) -> None:
        """Let later rows find the new record."""
        if one.reference:
            self._new[REFERENCE, one.reference] = record.pk
            self._referred[record.pk] = one.reference
        for number in [*one.numbers.items(), *one.keys]:
            self._new.setdefault(number, record.pk)
        if self.by_name:
            stored = self.kind.fields[self.kind.name_field].stored_as
            name = getattr(record, stored) or one.name
            self.lookups.names(self.kind).add(record.pk, name, getattr(record, "aliases", ""))

    def refer(self, record: AuditedModel, reference: str) -> bool:
        """Note that the source knows the record by this reference; False if that is known."""
        key = self._found_references.get(reference)
        is_known = key == record.pk or self._referred.get(record.pk) == reference
        self._referred[record.pk] = reference
        return not (is_known and key == record.pk)

    def reference_to(self, record: AuditedModel, reference: str) -> ExternalReference:
        """An unsaved reference."""
        return ExternalReference(
            source=self.lookups.source,
            key=reference,
            content_type=ContentType.objects.get_for_model(type(record)),
            object_id=record.pk,
        )

    def _record(self, key: UUID) -> AuditedModel | None:
        planned = self.lookups.planned.get((self.kind.model, key))
        return planned if planned is not None else self._records.get(key)

    def _by_id(self, one: Identity) -> Match:
        assert one.id is not None  # noqa: S101 - for mypy
        if (record := self._record(one.id)) is not None:
            return Match(record)
        return Match(
            problem=f"There is no {self.kind.model._meta.verbose_name} with the ID {one.id} (any "
            "more). Correct it, or leave the cell empty to add a new one.",
            field=f"{self.prefix}{ID}",
        )

    def _by_name(self, one: Identity) -> Match:
        index = self.lookups.names(self.kind)
        holders = self._possible(one, index.holders(one.name))
        if len(holders) == 1 and self.kind.names_identify:
            return Match(holders[0])
        if holders:
            if len(holders) > 1:
                why = f"{quote(one.name)} is the name of {len(holders)} {self.kind.label}"
            else:
                why = f"{quote(one.name)} is the name of one of the {self.kind.label} already"
            return self._ask(one, holders, why)
        similar = self._possible(one, index.similar(one.name))
        if similar:
            why = (
                f"{quote(one.name)} differs by accents or signs alone from {quote(str(similar[0]))}"
            )
            return self._ask(one, similar, why, is_similar=True)
        return Match(new_key=self.new_key(one.row))

    def _possible(self, one: Identity, keys: Iterable[UUID]) -> list[AuditedModel]:
        """The records of these that may be meant: not those that the source knows by another
        reference."""
        found = [record for key in sorted(keys) if (record := self._record(key)) is not None]
        if not one.reference:
            return found
        return [
            record
            for record in found
            if self._referred.get(record.pk, one.reference) == one.reference
        ]

    def _ask(
        self, one: Identity, found: list[AuditedModel], why: str, *, is_similar: bool = False
    ) -> Match:
        """The match that was chosen, or the question.

        Where questions are answered without looking, a similar name is another record, and an equal
        one the same.
        """
        label = self.kind.model._meta.verbose_name
        options = [Option(str(record.pk), describe(record)) for record in found[:_OFFERED]]
        options.append(Option(NEW, f"Another one: add a new {label}"))
        asked = Asked(
            key=f"match:{one.row.number}:{self.part}",
            about=About.MATCH,
            text=f"{why}. Is it the same?",
            options=tuple(options),
            suggestion=str(found[0].pk),
            row=one.row.number,
        )
        chosen = asked.answer(self.choices)
        if not chosen and self.save_anyway and (is_similar or len(found) == 1):
            chosen = NEW if is_similar else asked.suggestion
        if not chosen:
            return Match(asked=asked)
        if chosen == NEW:
            return Match(new_key=self.new_key(one.row))
        return Match(next(record for record in found if str(record.pk) == chosen))


def describe(record: AuditedModel) -> str:
    """A record for a list to choose from: its name, and what tells it from its namesakes."""
    facts = [
        str(value)
        for name in ("country", "company_number", "email", "capacity_mw", "region")
        if (value := getattr(record, name, ""))
    ]
    return f"{record} ({', '.join(facts)})" if facts else str(record)


def key_values(kind: ImportKind, row: RowValues) -> tuple[Any, ...] | None:
    """The values of the kind's ``key_fields`` in the row; None if one is not given."""
    values = [row.values.get(name) for name in kind.key_fields]
    if not values or any(value is None or value is CLEAR for value in values):
        return None
    return tuple(getattr(value, "pk", value) for value in values)
