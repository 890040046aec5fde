"""Fields of rows that list the records which are linked to the row's own."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from oegen.audit.audited import AuditedModel
from oegen.imports.tables.kinds import ImportField
from oegen.imports.tables.links import Links
from oegen.imports.tables.parts import PartPlanner
from oegen.imports.tables.rows import CLEAR, RowValues


class ListPlanner:
    """Plans lists; links are added as those of parts are."""

    def __init__(self, parts: PartPlanner):
        self.parts = parts
        self.registry = parts.registry

    def plan_list(
        self, row: RowValues, owner: AuditedModel, one: ImportField, links: Links
    ) -> None:
        """Let the owner's links be those that the cell lists."""
        linked = links.by_owner.get(owner.pk, [])
        if one.name in row.failed:
            text = row.texts.get(one.name, "")
            if text and _pieces(text) == _pieces(self._shown(one, links, linked)):
                del row.failed[one.name]
            return
        if one.name not in row.values:
            return
        value = row.values[one.name]
        wanted = self._wanted(one, frozenset() if value is CLEAR else value)
        current = {self._pair(links, link): link for link in linked}
        added, removed = wanted.keys() - current.keys(), current.keys() - wanted.keys()
        if owner.pk in links.base:
            then = {self._pair(links, link) for link in links.base[owner.pk]}
            # What others added or removed since stays so, unless the file says otherwise.
            added = {pair for pair in added if pair not in then}
            removed = {pair for pair in removed if pair in then}
        if not added and not removed:
            return
        before = self._shown(one, links, linked)
        for pair in removed:
            self.registry.remove(current[pair], row.number)
            links.by_owner[owner.pk].remove(current[pair])
        for pair in sorted(added, key=str):
            target, role = wanted[pair]
            more = {links.to.role: role} if links.to.role else {}
            self.parts.add_link(row, owner, target, links, **more)
        self.parts.add_cell(row, one, before, self._shown(one, links, links.by_owner[owner.pk]))

    def _wanted(self, one: ImportField, values: Iterable[Any]) -> dict[Any, tuple[Any, Any]]:
        found = {}
        for value in values:
            target, role = value if isinstance(value, tuple) else (value, None)
            found[target.pk, role.pk if role is not None else None] = (target, role)
        return found

    def _pair(self, links: Links, link: AuditedModel) -> tuple[Any, Any]:
        role = getattr(link, f"{links.to.role}_id") if links.to.role else None
        return links.target_key(link), role

    def _shown(self, one: ImportField, links: Links, linked: Iterable[AuditedModel]) -> str:
        to = links.to
        shown = getattr(one.reads, "one", one.reads)
        texts = []
        for link in linked:
            target = getattr(link, to.target)
            texts.append(shown.show((target, getattr(link, to.role)) if to.role else target))
        return "; ".join(sorted(texts))


def _pieces(text: str) -> list[str]:
    return sorted(piece.strip() for piece in text.replace(";", ",").split(","))
