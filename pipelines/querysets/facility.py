from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

from django.db import connections
from django.db.models import Count, Exists, OuterRef, Q, QuerySet, Subquery
from django.db.models.expressions import BaseExpression
from django.db.models.functions import Coalesce

from oegen import search
from oegen.audit.querysets import AuditedQuerySet
from oegen.core import clock
from oegen.core.compiled import in_one_row
from pipelines.querysets.capacity import Capacity, capacity_of_sums, sums_of_capacity
from pipelines.querysets.codes import ALL_KINDS


def of_technology(*codes: str, path: str = "technology__") -> Q:
    """Condition: of any of the technologies, to which the lookup ``path`` leads. A code with the
    suffix ``ALL_KINDS`` includes the kinds of its technology."""
    parents = [code.removesuffix(ALL_KINDS) for code in codes]
    families = [code.removesuffix(ALL_KINDS) for code in codes if code.endswith(ALL_KINDS)]
    condition = Q(**{f"{path}code__in": parents})
    if families:
        condition |= Q(**{f"{path}parent__code__in": families})
    return condition


#: Primary keys, as a queryset or an expression that selects them.
Keys = QuerySet[Any] | BaseExpression


class FacilityQuerySet(AuditedQuerySet):
    def in_pipelines(self, pipelines: Keys) -> Self:
        """The distinct facilities of a set of pipelines."""
        links = self.model.pipelines.through.objects.filter(pipeline__in=pipelines)
        # IN, because with EXISTS SQLite would evaluate the pipelines once for each facility.
        return self.filter(pk__in=links.order_by().values("facility"))

    def in_any_pipeline(self) -> Self:
        """``in_pipelines`` for all pipelines, at a quarter of the cost."""
        links = self.model.pipelines.through.objects.filter(facility=OuterRef("pk"))
        return self.filter(Exists(links.order_by()))

    def capacity(self) -> Capacity:
        return capacity_of_sums(self.order_by().aggregate(**sums_of_capacity()))

    def capacity_sums(self, keys: Keys) -> QuerySet[Any, Any]:
        """One row with the sums of the facilities with these keys, for ``capacity_of``."""
        return self.model.objects.filter(pk__in=keys).in_one_row()

    def in_one_row(self) -> QuerySet[Any, Any]:
        return in_one_row(self, **sums_of_capacity())

    @staticmethod
    def capacity_of(sums: Sequence[Any]) -> Capacity:
        return capacity_of_sums(dict(zip(sums_of_capacity(), sums, strict=True)))

    def matching(self, text: str) -> Self:
        """Search: with every word of the text in one of SEARCH_FIELDS."""
        return search.matching(self, text)

    def with_search_facts(self) -> Self:
        return self.select_related("technology")

    def of_technology(self, *codes: str) -> Self:
        return self.filter(of_technology(*codes))

    def countries(self) -> list[str]:
        """The country codes that occur among all facilities, not only those of this queryset."""
        if clock.past_day():
            # A past table has no index of countries.
            return list(self.model.objects.values_list("country", flat=True).order_by().distinct())
        table = self.model._meta.db_table
        with connections[self.db].cursor() as cursor:
            # The databases look each next code up in the index; DISTINCT reads all rows.
            cursor.execute(
                f"""
                WITH RECURSIVE used (code) AS (
                    SELECT MIN(country) FROM "{table}"
                    UNION ALL
                    SELECT (SELECT MIN(country) FROM "{table}" WHERE country > code) FROM used
                    WHERE code IS NOT NULL
                )
                SELECT code FROM used WHERE code IS NOT NULL
                """  # noqa: S608 - SQL of our own
            )
            return [code for (code,) in cursor.fetchall()]

    def with_pipeline_count(self) -> Self:
        """Adds ``pipeline_count`` to each row."""
        links = (
            self.model.pipelines.through.objects.filter(facility=OuterRef("pk"))
            .order_by()
            .values("facility")
            .annotate(number=Count("pk"))
            .values("number")
        )
        return self.annotate(pipeline_count=Coalesce(Subquery(links), 0))
