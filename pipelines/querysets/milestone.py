from __future__ import annotations

from typing import Self

from oegen import search
from oegen.audit.querysets import AuditedQuerySet


class MilestoneQuerySet(AuditedQuerySet):
    def matching(self, text: str) -> Self:
        """Search: with every word of the text in one of SEARCH_FIELDS."""
        return search.matching(self, text)

    def with_search_facts(self) -> Self:
        return self.select_related("pipeline", "kind")
