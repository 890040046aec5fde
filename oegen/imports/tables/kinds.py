"""What can be imported: kinds of rows, their fields, and the other records that a row may hold.

A kind is for one model. A row of it is a record of that model, found or new, and may hold
**parts**: other records that a link ties to it, such as the facility of a pipeline. The packages
register their kinds in ``imports.py``, which ``AppConfig.ready`` imports.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from django.core.exceptions import ObjectDoesNotExist
from django.db import models

from oegen.audit.audited import AuditedModel
from oegen.imports.tables.values import Reads, Text, show
from oegen.people.models import User

#: The kinds by name, in the order of registration.
KINDS: dict[str, ImportKind] = {}

#: The fields that every kind has, and every part with its name and a dot before it.
ID, VERSION, REFERENCE = "id", "version", "reference"

#: A record and what is to be set on it, by attribute.
Sets = Iterable[tuple[AuditedModel, Mapping[str, Any]]]


@dataclass(frozen=True, kw_only=True)
class LinkTo:
    """A model whose rows tie a record (``owner``) to others (``target``). ``values`` are fixed,
    such as the role; ``role`` is the foreign key of a role that varies."""

    model: type[AuditedModel]
    owner: str
    target: str
    values: Mapping[str, Any] = field(default_factory=dict)
    role: str = ""


@dataclass(frozen=True, kw_only=True)
class ImportField:
    """A field of a kind.

    ``attribute`` is that of the model. ``get`` is the value that a record has, and ``set`` what is
    set for another, if that is more than the attribute. A field with a ``link`` holds the records
    that are linked. ``total`` is the value that several records of a part show together; only a
    file's text that equals it is taken, for such a part.
    """

    name: str
    label: str
    reads: Reads = field(default_factory=Text)
    other_names: tuple[str, ...] = ()
    part: str = ""
    attribute: str = ""
    get: Callable[[Any], Any] | None = None
    set: Callable[[Any, Any], Sets] | None = None
    link: LinkTo | None = None
    total: Callable[[list[Any]], Any] | None = None
    #: Of a capacity: where the record's is measured, “dc” or “ac”.
    basis: Callable[[Any], str] | None = None

    @property
    def stored_as(self) -> str:
        return self.attribute or self.name.rpartition(".")[2]

    def value_of(self, record: Any) -> Any:
        """None also for a foreign key that a new record does not have yet."""
        try:
            return self.get(record) if self.get else getattr(record, self.stored_as)
        except ObjectDoesNotExist:
            return None

    def sets_on(self, record: Any, value: Any) -> Sets:
        return self.set(record, value) if self.set else [(record, {self.stored_as: value})]

    def total_of(self, records: list[Any]) -> str:
        """What the records show together in a file."""
        if self.total is not None:
            return show(self.total(records))
        texts = (self.reads.show(self.value_of(record)) for record in records)
        return ", ".join(dict.fromkeys(filter(None, texts)))


@dataclass(frozen=True, kw_only=True)
class Part:
    """A record in a row beside that of the kind.

    ``kind`` is the name of its own kind. With ``is_single`` there is one at a time: another one
    takes the place of that which is linked. Else a row may add one; it is then looked for among
    those of the row's record first, which gives it its name if it has none of its own.
    """

    name: str
    label: str
    kind: str
    link: LinkTo
    is_single: bool = True
    named_by_owner: bool = False

    @property
    def own_kind(self) -> ImportKind:
        return KINDS[self.kind]


def _nothing(record: Any, changed: set[str], person: User | None) -> None:
    return None


@dataclass(frozen=True, kw_only=True)
class ImportKind:
    """A kind of rows.

    ``name_field`` is the field with the record's name, empty if it has none; ``names_identify``
    says whether equal names are one record. ``key_fields`` identify a record together, of a model
    whose records have no name. ``own_numbers`` are fields of which no two records have the same
    value, whatever the case. ``computed`` are the columns of our own lists that follow from others:
    they are left out in a file that we exported. ``prefetch`` names the related records that the
    model's rules read of a record which is changed. ``prepare`` does what a form does besides the
    model's rules, and may add to the changed fields. With ``asks_by_keys`` the model asks no
    questions but about other records with the same or similar names.
    """

    name: str
    model: type[AuditedModel]
    own_fields: tuple[ImportField, ...]
    parts: tuple[Part, ...] = ()
    name_field: str = "name"
    names_identify: bool = True
    key_fields: tuple[str, ...] = ()
    own_numbers: tuple[str, ...] = ()
    computed: frozenset[str] = frozenset()
    prefetch: tuple[str, ...] = ()
    prepare: Callable[[Any, set[str], User | None], None] = _nothing
    asks_by_keys: bool = False
    #: Makes a record of a name that is not known yet, for other rows that name it.
    placeholder: Callable[[str], Any] | None = None
    grouping_label: str = ""

    @property
    def label(self) -> str:
        return str(self.model._meta.verbose_name_plural)

    @cached_property
    def fields(self) -> dict[str, ImportField]:
        found = {
            ID: ImportField(name=ID, label="ID", other_names=("UUID", "Record ID")),
            VERSION: ImportField(name=VERSION, label="Version"),
            REFERENCE: ImportField(
                name=REFERENCE,
                label="External reference",
                other_names=("Reference", "Ref ID", "External ID", "External key"),
            ),
        }
        for part in self.parts:
            for name, label in ((ID, "ID"), (REFERENCE, "external reference")):
                key = f"{part.name}.{name}"
                found[key] = ImportField(name=key, label=f"{part.label}: {label}", part=part.name)
        return {one.name: one for one in self.own_fields} | found

    def fields_of(self, part: str) -> list[ImportField]:
        """The fields of the part, without those that only identify its record."""
        return [
            one
            for one in self.own_fields
            if one.part == part and one.name not in (ID, VERSION, REFERENCE)
        ]

    def part(self, name: str) -> Part:
        return next(part for part in self.parts if part.name == name)

    @property
    def link_models(self) -> set[type[models.Model]]:
        links = [part.link for part in self.parts]
        links += [one.link for one in self.own_fields if one.link]
        return {link.model for link in links}


def register(kind: ImportKind) -> ImportKind:
    KINDS[kind.name] = kind
    return kind


def part_fields(
    part: str, kind: ImportKind, fields: Mapping[str, tuple[str, tuple[str, ...]]]
) -> tuple[ImportField, ...]:
    """Fields of a part: those of its own kind, by name, with their labels and other names here."""
    own = {one.name: one for one in kind.own_fields}
    return tuple(
        replace(
            own[name],
            name=f"{part}.{name}",
            part=part,
            attribute=own[name].stored_as,
            label=label,
            other_names=other_names,
        )
        for name, (label, other_names) in fields.items()
    )
