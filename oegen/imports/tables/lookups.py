"""What an import looks up: vocabularies, people, and records by their names and numbers.

Each is read once for an import, and knows the records that the import makes.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any, TypeVar
from uuid import UUID

from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import ValidationError

from oegen.audit.audited import AuditedModel
from oegen.audit.reference import ReferenceModel
from oegen.core.record_keys import ALIAS, NAME
from oegen.core.text import clean_line, likeness_key, name_key, split_lines
from oegen.imports.cells import quote
from oegen.imports.tables.asking import LEAVE_OUT, NEW, About, Asked, Option
from oegen.imports.tables.kinds import KINDS, ImportKind
from oegen.imports.tables.models import ExternalReference
from oegen.people.models import User
from oegen.search.models import RecordKey

Reference = TypeVar("Reference", bound=ReferenceModel)

#: How many records a message names.
_FEW = 5


class NameIndex:
    """The records of a kind by their names, other names and similar names, as keys of records."""

    def __init__(self, kind: ImportKind):
        self.kind = kind
        self.by_name: dict[str, set[UUID]] = defaultdict(set)
        self.by_alias: dict[str, set[UUID]] = defaultdict(set)
        self.by_likeness: dict[str, set[UUID]] = defaultdict(set)
        model = kind.model
        if model.HAS_KEYS:
            keys = RecordKey.objects.filter(
                content_type=ContentType.objects.get_for_model(model), kind__in=[NAME, ALIAS]
            )
            for key, what, name, likeness in keys.values_list(
                "object_id", "kind", "key", "likeness"
            ).iterator():
                (self.by_name if what == NAME else self.by_alias)[name].add(key)
                if likeness:
                    self.by_likeness[likeness].add(key)
        else:
            attribute = kind.fields[kind.name_field].stored_as
            rows = model._base_manager.order_by().values_list("pk", attribute)
            for key, name in rows.iterator():
                self.add(key, name)

    def add(self, key: UUID, name: str, aliases: str = "") -> None:
        self.by_name[name_key(name)].add(key)
        for text in (name, *split_lines(aliases)):
            if likeness := likeness_key(text):
                self.by_likeness[likeness].add(key)
        for alias in split_lines(aliases):
            self.by_alias[name_key(alias)].add(key)

    def holders(self, name: str) -> set[UUID]:
        """The records of that name; if there are none, those that have it among other names."""
        key = name_key(name)
        return self.by_name.get(key) or self.by_alias.get(key) or set()

    def similar(self, name: str) -> set[UUID]:
        """The records whose name or other name differs by accents and punctuation alone."""
        likeness = likeness_key(name)
        return self.by_likeness.get(likeness, set()) if likeness else set()


class UnknownNameError(ValidationError):
    """Nothing has the name, but a record of the name could be added: ``asked`` is the question."""

    def __init__(self, message: str, asked: Asked):
        super().__init__(message)
        self.asked = asked


class Lookups:
    """``source`` is that of the external references. ``choices`` and ``save_anyway`` say which
    unknown names are added."""

    def __init__(
        self, source: str = "", choices: dict[str, str] | None = None, *, save_anyway: bool = False
    ):
        self.source = source
        self.choices = choices or {}
        self.save_anyway = save_anyway
        self._rows: dict[type[ReferenceModel], dict[str, Any]] = {}
        self._people: dict[str, list[User]] | None = None
        self._names: dict[str, NameIndex] = {}
        self._records: dict[tuple[str, str], AuditedModel] = {}
        #: The records of this import, by model and key: those that it makes or changes.
        self.planned: dict[tuple[type[AuditedModel], Any], AuditedModel] = {}

    def rows(self, model: type[Reference]) -> dict[str, Reference]:
        """The rows of a reference table by code, name and other name; names come first."""
        if model not in self._rows:
            rows = list(model._base_manager.order_by("order"))
            found: dict[str, Reference] = {}
            for names in (
                lambda row: [row.code, row.name],
                lambda row: split_lines(getattr(row, "aliases", "")),
            ):
                for row in rows:
                    for name in names(row):
                        found.setdefault(name_key(name), row)
            self._rows[model] = found
        return self._rows[model]

    def people(self) -> dict[str, list[User]]:
        """The active users by username, e-mail address and full name."""
        if self._people is None:
            self._people = defaultdict(list)
            for user in User.objects.filter(is_active=True):
                for text in {user.username, user.email, user.get_full_name()} - {""}:
                    if user not in self._people[name_key(text)]:
                        self._people[name_key(text)].append(user)
        return self._people

    def names(self, kind: ImportKind) -> NameIndex:
        if kind.name not in self._names:
            self._names[kind.name] = NameIndex(kind)
        return self._names[kind.name]

    def load(self, model: type[AuditedModel], keys: Iterable[Any]) -> dict[Any, AuditedModel]:
        """The records, as this import has changed them so far."""
        known = {key: self.planned[model, key] for key in keys if (model, key) in self.planned}
        missing = [key for key in keys if key not in known]
        return known | (model._base_manager.in_bulk(missing) if missing else {})

    def referred(self, model: type[AuditedModel], references: Iterable[str]) -> dict[str, UUID]:
        """The keys of the records that the source knows by these references."""
        rows = ExternalReference.objects.filter(
            source=self.source,
            content_type=ContentType.objects.get_for_model(model),
            key__in=list(references),
        )
        return dict(rows.values_list("key", "object_id"))

    def one(self, kind_name: str, text: str) -> AuditedModel:
        """The one record that the text names: by id, reference, name or other name. Raises
        ValidationError."""
        found = self._records.get((kind_name, text))
        if found is None:
            found = self._records[kind_name, text] = self._find(KINDS[kind_name], text)
        return found

    def _find(self, kind: ImportKind, text: str) -> AuditedModel:
        noun = kind.model._meta.verbose_name
        keys: Iterable[UUID]
        is_id = False
        try:
            keys = {UUID(text.strip())}
            is_id = True
        except ValueError:
            keys = self.names(kind).holders(text)
            if not keys and self.source:
                keys = self.referred(kind.model, [text]).values()
        found = list(self.load(kind.model, list(keys)).values())
        if len(found) == 1:
            return found[0]
        if found:
            ids = ", ".join(str(record.pk) for record in found[:_FEW])
            raise ValidationError(
                f"{quote(text)} is the name of {len(found)} {kind.label}: write the ID of the one "
                f"that is meant ({ids})."
            )
        similar = self.load(kind.model, list(self.names(kind).similar(text))).values()
        hint = "".join(f" Is “{record}” meant?" for record in list(similar)[:1])
        message = (
            f"There is no {noun} {quote(text)}.{hint} Write the name or the ID of one that is "
            "here, or add it first."
        )
        if kind.placeholder is None or is_id:
            raise ValidationError(message)
        asked = Asked(
            key=f"add:{kind.name}:{name_key(text)}",
            about=About.MATCH,
            text=f"There is no {noun} {quote(text)}.{hint} Add it?",
            options=(
                Option(NEW, f"Add it as a placeholder, which {kind.label} can describe later"),
                Option(LEAVE_OUT, "Leave the row out"),
            ),
        )
        if asked.answer(self.choices) != NEW and not self.save_anyway:
            raise UnknownNameError(message, asked)
        record = kind.placeholder(clean_line(text))
        self.planned[kind.model, record.pk] = record
        self.names(kind).add(record.pk, str(record))
        return record
