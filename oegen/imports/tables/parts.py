"""Parts of rows: records that links tie to the row's own."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any
from uuid import UUID, uuid5

from oegen.audit.audited import AuditedModel
from oegen.core.fields import own_field
from oegen.imports.tables.asking import NEW, About, Asked, Option
from oegen.imports.tables.kinds import ID, REFERENCE, ImportField, Part
from oegen.imports.tables.links import Links
from oegen.imports.tables.matching import Identity, Matcher
from oegen.imports.tables.plans import Cell
from oegen.imports.tables.records import FieldSetter, Registry
from oegen.imports.tables.rows import CLEAR, RowReader, RowValues
from oegen.imports.tables.values import show


@dataclass(frozen=True)
class RowPart:
    """A part as the rows of a file have it: its mapped ``fields``, and what finds its records."""

    part: Part
    matcher: Matcher
    fields: list[ImportField]

    @property
    def label(self) -> str:
        return self.part.label.lower()

    @cached_property
    def names(self) -> list[str]:
        """The names of the fields, and of those that identify the part's record."""
        identifying = [f"{self.part.name}.{name}" for name in (ID, REFERENCE)]
        return [*identifying, *(one.name for one in self.fields)]

    @cached_property
    def name_field(self) -> str:
        """The name of the field with the name of the part's record."""
        return f"{self.part.name}.{self.part.own_kind.name_field}"

    @cached_property
    def other_fields(self) -> list[ImportField]:
        """The fields without that of the name."""
        kind = self.part.own_kind
        stored = kind.fields[kind.name_field].stored_as if kind.name_field else ""
        return [one for one in self.fields if one.stored_as != stored]

    def is_in(self, row: RowValues) -> bool:
        return any(map(row.has, self.names))

    def identifying_field(self, name: str) -> ImportField:
        """The field that identifies the part's record: ID or REFERENCE."""
        return replace(self.part.own_kind.fields[name], name=f"{self.part.name}.{name}")

    def given_field(self, row: RowValues) -> ImportField:
        """The first of the fields that the row has; else the one with the reference."""
        found = next((one for one in self.fields if row.has(one.name)), None)
        return found or self.identifying_field(REFERENCE)


class PartPlanner:
    """Plans the parts of rows. ``renames``: another name in the file is a new name of the
    same record, as in our own exports."""

    def __init__(
        self,
        registry: Registry,
        reader: RowReader,
        setter: FieldSetter,
        choices: dict[str, str],
        namespace: UUID,
        *,
        renames: bool,
        is_grouped: bool,
        save_anyway: bool,
    ):
        self.registry = registry
        self.reader = reader
        self.setter = setter
        self.choices = choices
        self.namespace = namespace
        self.renames = renames
        self.is_grouped = is_grouped
        self.save_anyway = save_anyway

    # Parts ------------------------------------------------------------------------------------

    def plan_part(
        self, row: RowValues, owner: AuditedModel, row_part: RowPart, links: Links
    ) -> None:
        if not row_part.is_in(row):
            return
        if row_part.part.is_single:
            self._plan_single(row, owner, row_part, links)
        else:
            self._plan_one_of(row, owner, row_part, links)

    def _plan_single(
        self, row: RowValues, owner: AuditedModel, row_part: RowPart, links: Links
    ) -> None:
        linked = links.by_owner.get(owner.pk, [])
        name = row_part.name_field
        name_field = next(
            (one for one in row_part.fields if one.name == name),
            row_part.identifying_field(REFERENCE),
        )
        if row.values.get(name) is CLEAR:
            for link in linked:
                self.add_cell(row, name_field, show(getattr(link, links.to.target)), "")
                self.registry.remove(link, row.number)
            links.by_owner[owner.pk] = []
            return
        text = row.texts.get(name, "")
        current = [getattr(link, links.to.target) for link in linked]
        identity = row_part.matcher.identity(row)
        if text and not (identity.id or identity.reference):
            same = next((one for one in current if str(one) == text), None)
            if same is not None:
                row.failed.pop(name, None)
                self._set_part_fields(row, same, row_part, links)
                return
        target = self._find_or_add(row, row_part, identity)
        if target is None:
            return
        if any(one.pk == target.pk for one in current):
            self._set_part_fields(row, target, row_part, links)
            return
        if len(current) > 1:
            self.reader.refuse(
                row,
                name_field,
                f"There are {len(current)} in this role ({show(current)}): change them in their "
                "form, and leave this cell empty.",
            )
            return
        if owner.pk in links.base:
            then = {links.target_key(link) for link in links.base[owner.pk]}
            if target.pk in then:
                return
            if then != {one.pk for one in current} and self.setter.is_kept(
                row,
                name_field,
                linked[0] if linked else owner,
                self._names(links, then),
                show(current),
                str(target),
            ):
                return
        self._set_part_fields(row, target, row_part, links)
        self.add_cell(row, name_field, show(current), str(target))
        if linked:
            self.registry.use(linked[0], row.number)
            self.registry.set(
                linked[0],
                {links.to.target: target},
                row.number,
                self.reader.origin(row, name_field),
            )
        else:
            self.add_link(row, owner, target, links)

    def _plan_one_of(
        self, row: RowValues, owner: AuditedModel, row_part: RowPart, links: Links
    ) -> None:
        linked = {
            link.pk: getattr(link, links.to.target) for link in links.by_owner.get(owner.pk, [])
        }
        identity = row_part.matcher.identity(row)
        records = list(linked.values())
        target = None
        if identity.id or identity.reference or identity.problem:
            named = identity.name
            identity.name = ""
            target = self._find_or_add(row, row_part, identity, owner, named)
            if target is None:
                return
        elif len(records) > 1 and self._is_total(row, row_part, records):
            return
        else:
            found = self._among(row, owner, row_part, identity, records)
            if found is None:
                return
            target = found
        self._set_part_fields(row, target, row_part, links)
        if target.pk not in {one.pk for one in records}:
            self.add_link(row, owner, target, links)

    def _among(
        self,
        row: RowValues,
        owner: AuditedModel,
        row_part: RowPart,
        identity: Identity,
        records: list[AuditedModel],
    ) -> AuditedModel | None:
        """The part among those of the owner; else a new one. None: it is refused or asked."""
        name = identity.name
        same = [one for one in records if str(one).casefold() == name.casefold()]
        if len(same) == 1:
            return same[0]
        if not records or (name and self.is_grouped):
            return self._new(row, row_part, identity, owner)
        if len(records) == 1 and (not name or self.renames):
            return records[0]
        if name:
            return self._ask_which(row, owner, row_part, identity, records)
        texts = ", ".join(f"“{one}”" for one in records[:5])
        self.reader.refuse(
            row,
            row_part.given_field(row),
            f"“{owner}” has several of these ({texts}), and the row does not say which "
            f"{row_part.label} it means: add a column with its name or ID, or change them in their "
            "own list.",
        )
        return None

    def _ask_which(
        self,
        row: RowValues,
        owner: AuditedModel,
        row_part: RowPart,
        identity: Identity,
        records: list[AuditedModel],
    ) -> AuditedModel | None:
        label = row_part.label
        asked = Asked(
            key=f"match:{row.number}:{row_part.part.name}",
            about=About.MATCH,
            text=f"“{owner}” has no {label} called “{identity.name}”. Is it a new name?",
            options=(
                *(Option(str(one.pk), f"The new name of “{one}”") for one in records[:5]),
                Option(NEW, f"Another {label}"),
            ),
            row=row.number,
        )
        chosen = asked.answer(self.choices) or (NEW if self.save_anyway else "")
        if not chosen:
            row.plan.asked.append(asked)
            return None
        if chosen == NEW:
            return self._new(row, row_part, identity, owner)
        return next(one for one in records if str(one.pk) == chosen)

    def _is_total(self, row: RowValues, row_part: RowPart, records: list[AuditedModel]) -> bool:
        """Whether the row says of several records what they show together, as our exports do."""
        for one in row_part.fields:
            if not row.has(one.name):
                continue
            text = row.texts.get(one.name, "")
            if one.total is not None and one.name in row.values:
                if row.values[one.name] != one.total(records):
                    return False
            elif sorted(text.split(", ")) != sorted(one.total_of(records).split(", ")):
                return False
        for one in row_part.fields:
            row.failed.pop(one.name, None)
        return True

    def _find_or_add(
        self,
        row: RowValues,
        row_part: RowPart,
        identity: Identity,
        owner: AuditedModel | None = None,
        name: str = "",
    ) -> AuditedModel | None:
        if identity.is_empty:
            self.reader.refuse(
                row,
                row_part.given_field(row),
                f"The row does not say which {row_part.label} this is about: give its name.",
            )
            return None
        matcher, part = row_part.matcher, row_part.part
        match = matcher.match(identity)
        if match.problem:
            self.reader.refuse(row, row_part.identifying_field(ID), match.problem)
            return None
        if match.asked:
            row.plan.asked.append(match.asked)
            return None
        if match.record is not None:
            record = self.registry.use(match.record, row.number).record
            self._refer(row, matcher, identity, record)
            return record
        identity.name = identity.name or name
        if identity.reference and not identity.name and not part.named_by_owner:
            self.reader.refuse(
                row,
                row_part.identifying_field(REFERENCE),
                f"{matcher.lookups.source} knows no {part.own_kind.model._meta.verbose_name} here "
                "by this reference: import it first, or give its name, too.",
            )
            return None
        return self._new(row, row_part, identity, owner)

    def _new(
        self,
        row: RowValues,
        row_part: RowPart,
        identity: Identity,
        owner: AuditedModel | None = None,
    ) -> AuditedModel:
        part, matcher = row_part.part, row_part.matcher
        kind = part.own_kind
        record = kind.model(id=matcher.new_key(row))
        name = identity.name or (str(owner) if owner is not None and part.named_by_owner else "")
        if kind.name_field:
            stored = kind.fields[kind.name_field].stored_as
            origin = self.reader.origin(row, row_part.given_field(row))
            planned = self.registry.add(record, row.number)
            self.registry.set(record, {stored: name}, row.number, origin)
            planned.origins.setdefault(stored, origin)
        self.setter.set_fields(row, record, row_part.other_fields, is_new=True)
        self._refer(row, matcher, identity, record)
        matcher.add_new(identity, record)
        return record

    def _refer(
        self, row: RowValues, matcher: Matcher, identity: Identity, record: AuditedModel
    ) -> None:
        if identity.reference:
            add_reference(self.registry, self.namespace, row, matcher, identity, record)

    def _set_part_fields(
        self, row: RowValues, record: AuditedModel, row_part: RowPart, links: Links
    ) -> None:
        """Set the fields on the part's record. A single part's name only says which it is."""
        planned = self.registry.planned.get((type(record), record.pk))
        if planned is not None and planned.is_new and row.number in planned.setters:
            return
        own = row_part.other_fields if row_part.part.is_single else row_part.fields
        if any(row.has(one.name) for one in own):
            record = self.registry.use(record, row.number).record
            base = links.target_base.get(record.pk)
            self.setter.set_fields(row, record, own, base=base)

    def add_link(
        self, row: RowValues, owner: AuditedModel, target: AuditedModel, links: Links, **more: Any
    ) -> None:
        to = links.to
        role = getattr(more.get(to.role), "pk", "") if to.role else ""
        key = uuid5(
            self.namespace, f"{to.model.__name__}:{owner.pk}:{target.pk}:{role}:{to.values}"
        )
        link = to.model(id=key, **{to.owner: owner, to.target: target}, **to.values, **more)
        self.registry.add(link, row.number)
        if target._state.adding and (type(target), target.pk) not in self.registry.planned:
            self.registry.add(target, row.number)
        for record in (owner, target):
            planned = self.registry.planned.get((type(record), record.pk))
            if planned is not None:
                planned.users.add(row.number)
        links.by_owner[owner.pk].append(link)

    def _names(self, links: Links, keys: Iterable[Any]) -> str:
        model = own_field(links.to.model, links.to.target).related_model
        assert isinstance(model, type)  # noqa: S101 - for mypy
        return show(list(model._base_manager.filter(pk__in=list(keys))))

    def add_cell(self, row: RowValues, one: ImportField, old: str, new: str) -> None:
        row.plan.cells.append(Cell(self.reader.origin(row, one).place, one.label, old, new))


def add_reference(
    registry: Registry,
    namespace: UUID,
    row: RowValues,
    matcher: Matcher,
    identity: Identity,
    record: AuditedModel,
) -> None:
    """Plan to note the record's reference, if the source is not known to have it."""
    if not matcher.refer(record, identity.reference):
        return
    reference = matcher.reference_to(record, identity.reference)
    reference.pk = uuid5(namespace, f"reference:{record.pk}:{identity.reference}")
    registry.add(reference, row.number)
    planned = registry.planned.get((type(record), record.pk))
    if planned is not None:
        planned.users.add(row.number)
