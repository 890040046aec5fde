"""Records that are known by a part of them: the project of a turbine that a register names."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from oegen.audit.audited import AuditedModel
from oegen.imports.tables.asking import NEW, TAKE, About, Asked, Option
from oegen.imports.tables.kinds import ID, REFERENCE, ImportKind
from oegen.imports.tables.lookups import Lookups
from oegen.imports.tables.matching import Identity
from oegen.imports.tables.parts import RowPart
from oegen.imports.tables.rows import RowReader, RowValues


class OwnerFinder:
    """Finds the records of rows by their parts."""

    def __init__(
        self,
        kind: ImportKind,
        lookups: Lookups,
        reader: RowReader,
        row_parts: Iterable[RowPart],
        choices: dict[str, str],
        *,
        save_anyway: bool,
    ):
        self.kind = kind
        self.lookups = lookups
        self.reader = reader
        self.row_parts = [one for one in row_parts if not one.part.is_single]
        self.choices = choices
        self.save_anyway = save_anyway

    def find(self, rows: Iterable[RowValues]) -> dict[int, AuditedModel]:
        """The records of rows that say nothing of their own record, by a part that is known to be
        in one alone."""
        found: dict[int, AuditedModel] = {}
        rows = list(rows)
        for row_part in self.row_parts:
            part, matcher = row_part.part, row_part.matcher
            names = [f"{part.name}.{name}" for name in (ID, REFERENCE)]
            if not any(name in self.reader.by_field for name in names):
                continue
            identities = [matcher.identity(row) for row in rows]
            matcher.prefetch(identities)
            records = {
                row.number: record.pk
                for row, one in zip(rows, identities, strict=True)
                if (one.id or one.reference) and (record := matcher.known(one)) is not None
            }
            owners: dict[Any, set[Any]] = defaultdict(set)
            links = part.link.model._base_manager.filter(
                **{f"{part.link.target}__in": set(records.values())}
            )
            keys = f"{part.link.target}_id", f"{part.link.owner}_id"
            for target, owner in links.values_list(*keys):
                owners[target].add(owner)
            only = {
                key: next(iter(several)) for key, several in owners.items() if len(several) == 1
            }
            loaded = self.lookups.load(self.kind.model, set(only.values()))
            found |= {row: loaded[only[key]] for row, key in records.items() if key in only}
        return found

    def new_name(
        self, row: RowValues, identity: Identity, owner: AuditedModel
    ) -> tuple[AuditedModel | None, bool]:
        """The record whose part the row has, if the row's name is a new name of it; and whether
        that is asked. Without looking, it is."""
        noun = self.kind.model._meta.verbose_name
        asked = Asked(
            key=f"rename:{owner.pk}:{identity.name}",
            about=About.MATCH,
            text=f"The row's part belongs to “{owner}”, and the row says “{identity.name}”. Is "
            "that a new name?",
            options=(
                Option(TAKE, f"Yes, rename “{owner}”"),
                Option(NEW, f"No, it is part of another {noun} as well: add that"),
            ),
            suggestion=TAKE,
            row=row.number,
        )
        answer = asked.answer(self.choices) or (TAKE if self.save_anyway else "")
        if not answer:
            row.plan.asked.append(asked)
        return (owner if answer == TAKE else None), not answer
