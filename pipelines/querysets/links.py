from __future__ import annotations

from typing import Any

from django.db.models import OuterRef, Q, QuerySet, Subquery, Sum

from oegen.audit.querysets import AuditedQuerySet


class FacilityLinksQuerySet(AuditedQuerySet):
    """The base of the parts of PipelineQuerySet: its keys, and sums over each row's facilities."""

    def _keys(self) -> QuerySet[Any, dict[str, Any]]:
        keys = self.order_by().values("pk")
        # A set of keys needs no DISTINCT, and PostgreSQL can't join a subquery that has one.
        keys.query.distinct = False
        return keys

    def _own_capacity(self) -> Subquery:
        return self._own_sum("capacity_mw")

    def _own_sum(self, field: str, condition: Q | None = None) -> Subquery:
        """The sum of a field over the row's facilities that satisfy the condition."""
        links = self.model.facilities.through.objects.filter(pipeline=OuterRef("pk"))
        if condition is not None:
            links = links.filter(condition)
        sums = links.order_by().values("pipeline").annotate(total=Sum(f"facility__{field}"))
        return Subquery(sums.values("total"))
