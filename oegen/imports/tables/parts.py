"""Parts of rows: records that links tie to the row's own."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
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
        self,
        row: RowValues,
        owner: AuditedModel,
        part: Part,
        matcher: Matcher,
        links: Links,
        fields: list[ImportField],
    ) -> None:
        names = [one.name for one in fields]
        given = [
            name
            for name in [*names, *(f"{part.name}.{n}" for n in (ID, REFERENCE))]
            if row.has(name)
        ]
        if not given:
            return
        if part.is_single:
            self._plan_single(row, owner, part, matcher, links, fields)
        else:
            self._plan_one_of(row, owner, part, matcher, links, fields)

    def _plan_single(
        self,
        row: RowValues,
        owner: AuditedModel,
        part: Part,
        matcher: Matcher,
        links: Links,
        fields: list[ImportField],
    ) -> None:
        linked = links.by_owner.get(owner.pk, [])
        name = f"{part.name}.{part.own_kind.name_field}"
        name_field = next((one for one in fields if one.name == name), part_field(part, REFERENCE))
        if row.values.get(name) is CLEAR:
            for link in linked:
                self.add_cell(row, name_field, show(getattr(link, links.to.target)), "")
                self.registry.remove(link, row.number)
            links.by_owner[owner.pk] = []
            return
        text = row.texts.get(name, "")
        current = [getattr(link, links.to.target) for link in linked]
        identity = matcher.identity(row)
        if text and not (identity.id or identity.reference):
            same = next((one for one in current if str(one) == text), None)
            if same is not None:
                row.failed.pop(name, None)
                self._set_part_fields(row, same, part, fields, links)
                return
        target = self._find_or_add(row, part, matcher, identity, fields)
        if target is None:
            return
        if any(one.pk == target.pk for one in current):
            self._set_part_fields(row, target, part, fields, links)
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
        self._set_part_fields(row, target, part, fields, links)
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
        self,
        row: RowValues,
        owner: AuditedModel,
        part: Part,
        matcher: Matcher,
        links: Links,
        fields: list[ImportField],
    ) -> None:
        linked = {
            link.pk: getattr(link, links.to.target) for link in links.by_owner.get(owner.pk, [])
        }
        identity = matcher.identity(row)
        records = list(linked.values())
        target = None
        if identity.id or identity.reference or identity.problem:
            named = identity.name
            identity.name = ""
            target = self._find_or_add(row, part, matcher, identity, fields, owner, named)
            if target is None:
                return
        elif len(records) > 1 and self._is_total(row, fields, records):
            return
        else:
            found = self._among(row, owner, part, matcher, identity, records, fields)
            if found is None:
                return
            target = found
        self._set_part_fields(row, target, part, fields, links)
        if target.pk not in {one.pk for one in records}:
            self.add_link(row, owner, target, links)

    def _among(
        self,
        row: RowValues,
        owner: AuditedModel,
        part: Part,
        matcher: Matcher,
        identity: Identity,
        records: list[AuditedModel],
        fields: list[ImportField],
    ) -> AuditedModel | None:
        """The part among those of the owner; else a new one. None: it is refused or asked."""
        name = identity.name
        same = [one for one in records if str(one).casefold() == name.casefold()]
        if len(same) == 1:
            return same[0]
        if not records or (name and self.is_grouped):
            return self._new(row, part, matcher, identity, fields, owner)
        if len(records) == 1 and (not name or self.renames):
            return records[0]
        label = part.label.lower()
        if name:
            return self._ask_which(row, owner, part, matcher, identity, records, fields)
        texts = ", ".join(f"“{one}”" for one in records[:5])
        self.reader.refuse(
            row,
            given_field(row, part, fields),
            f"“{owner}” has several of these ({texts}), and the row does not say which {label} it "
            "means: add a column with its name or ID, or change them in their own list.",
        )
        return None

    def _ask_which(
        self,
        row: RowValues,
        owner: AuditedModel,
        part: Part,
        matcher: Matcher,
        identity: Identity,
        records: list[AuditedModel],
        fields: list[ImportField],
    ) -> AuditedModel | None:
        label = part.label.lower()
        asked = Asked(
            key=f"match:{row.number}:{part.name}",
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
            return self._new(row, part, matcher, identity, fields, owner)
        return next(one for one in records if str(one.pk) == chosen)

    def _is_total(
        self, row: RowValues, fields: list[ImportField], records: list[AuditedModel]
    ) -> bool:
        """Whether the row says of several records what they show together, as our exports do."""
        for one in fields:
            if not row.has(one.name):
                continue
            text = row.texts.get(one.name, "")
            if one.total is not None and one.name in row.values:
                if row.values[one.name] != one.total(records):
                    return False
            elif sorted(text.split(", ")) != sorted(one.total_of(records).split(", ")):
                return False
        for one in fields:
            row.failed.pop(one.name, None)
        return True

    def _find_or_add(
        self,
        row: RowValues,
        part: Part,
        matcher: Matcher,
        identity: Identity,
        fields: list[ImportField],
        owner: AuditedModel | None = None,
        name: str = "",
    ) -> AuditedModel | None:
        if identity.is_empty:
            self.reader.refuse(
                row,
                given_field(row, part, fields),
                f"The row does not say which {part.label.lower()} this is about: give its name.",
            )
            return None
        match = matcher.match(identity)
        if match.problem:
            self.reader.refuse(row, part_field(part, ID), match.problem)
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
                part_field(part, REFERENCE),
                f"{matcher.lookups.source} knows no {part.own_kind.model._meta.verbose_name} here "
                "by this reference: import it first, or give its name, too.",
            )
            return None
        return self._new(row, part, matcher, identity, fields, owner)

    def _new(
        self,
        row: RowValues,
        part: Part,
        matcher: Matcher,
        identity: Identity,
        fields: list[ImportField],
        owner: AuditedModel | None = None,
    ) -> AuditedModel:
        kind = part.own_kind
        record = kind.model(id=matcher.new_key(row))
        name = identity.name or (str(owner) if owner is not None and part.named_by_owner else "")
        if kind.name_field:
            stored = kind.fields[kind.name_field].stored_as
            origin = self.reader.origin(row, given_field(row, part, fields))
            planned = self.registry.add(record, row.number)
            self.registry.set(record, {stored: name}, row.number, origin)
            planned.origins.setdefault(stored, origin)
        self.setter.set_fields(row, record, self._other_fields(part, fields), is_new=True)
        self._refer(row, matcher, identity, record)
        matcher.add_new(identity, record)
        return record

    def _other_fields(self, part: Part, fields: list[ImportField]) -> list[ImportField]:
        name = part.own_kind.name_field
        stored = part.own_kind.fields[name].stored_as if name else ""
        return [one for one in fields if one.stored_as != stored]

    def _refer(
        self, row: RowValues, matcher: Matcher, identity: Identity, record: AuditedModel
    ) -> None:
        if identity.reference:
            add_reference(self.registry, self.namespace, row, matcher, identity, record)

    def _set_part_fields(
        self,
        row: RowValues,
        record: AuditedModel,
        part: Part,
        fields: list[ImportField],
        links: Links,
    ) -> None:
        """Set the fields on the part's record. A single part's name only says which it is."""
        planned = self.registry.planned.get((type(record), record.pk))
        if planned is not None and planned.is_new and row.number in planned.setters:
            return
        own = self._other_fields(part, fields) if part.is_single else fields
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


def part_field(part: Part, name: str) -> ImportField:
    """The field that identifies the part's record."""
    return replace(part.own_kind.fields[name], name=f"{part.name}.{name}")


def given_field(row: RowValues, part: Part, fields: Iterable[ImportField]) -> ImportField:
    """The first of the part's fields that the row has; else the one with its reference."""
    return next((one for one in fields if row.has(one.name)), part_field(part, REFERENCE))


def part_names(part: Part, fields: Iterable[ImportField]) -> list[str]:
    """The names of the part's mapped fields, and of those that identify its record."""
    return [f"{part.name}.{ID}", f"{part.name}.{REFERENCE}", *(one.name for one in fields)]


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
