"""The links that tie records to others, as they are and as they were when a file was exported."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

from oegen.audit.audited import AuditedModel
from oegen.audit.choices import REMOVED
from oegen.imports.tables import conflicts
from oegen.imports.tables.kinds import LinkTo
from oegen.imports.tables.records import Registry


@dataclass
class Links:
    """The links of a batch's records by one LinkTo; ``base`` are those at the export, by owner, of
    owners whose links were changed since."""

    to: LinkTo
    by_owner: dict[Any, list[AuditedModel]] = field(default_factory=lambda: defaultdict(list))
    base: dict[Any, list[AuditedModel]] = field(default_factory=dict)
    #: The targets as they were at the export, of those changed since.
    target_base: dict[Any, AuditedModel] = field(default_factory=dict)

    def target_key(self, link: AuditedModel) -> Any:
        return getattr(link, f"{self.to.target}_id")


class LinkReader:
    """Reads the links of a batch in a fixed number of queries."""

    def __init__(self, registry: Registry, since: int | None):
        self.registry = registry
        self.since = since

    def read(self, to: LinkTo, owners: list[AuditedModel], *, with_targets: bool) -> Links:
        found = Links(to)
        keys = [owner.pk for owner in owners]
        if not keys:
            return found
        rows = to.model._base_manager.filter(**{f"{to.owner}__in": keys}, **to.values)
        names = [to.target, *([to.role] if to.role else [])]
        for link in rows.select_related(*names).order_by("created_at", "pk"):
            known = self.registry.planned.get((to.model, link.pk))
            if known is not None and known.action == REMOVED:
                continue
            link = known.record if known is not None else link
            self._share_target(to, link)
            found.by_owner[getattr(link, f"{to.owner}_id")].append(link)
        if self.since is not None:
            self._read_base(found, keys, with_targets=with_targets)
        return found

    def _share_target(self, to: LinkTo, link: AuditedModel) -> None:
        """Let the link's target be the instance that is planned, if it is."""
        target = getattr(link, to.target)
        planned = self.registry.planned.get((type(target), target.pk))
        if planned is not None:
            link._state.fields_cache[to.target] = planned.record
        else:
            self.registry.attach(target)

    def _read_base(self, found: Links, keys: list[Any], *, with_targets: bool) -> None:
        to, since = found.to, self.since
        assert since is not None  # noqa: S101 - for mypy
        owner = f"{to.owner}_id"
        changed = conflicts.changed_since(to.model, owner, keys, since)
        then = conflicts.at_change_set(to.model, owner, changed, since).values()
        found.base = {key: [] for key in changed}
        for link in then:
            if all(getattr(link, name) == value for name, value in to.values.items()):
                found.base[getattr(link, owner)].append(link)
        if with_targets:
            targets = [
                getattr(link, to.target) for links in found.by_owner.values() for link in links
            ]
            if targets:
                model = type(targets[0])
                changed = conflicts.changed_since(model, "id", [one.pk for one in targets], since)
                found.target_base = conflicts.at_change_set(model, "id", changed, since)
                for record in found.target_base.values():
                    self.registry.attach(record)
