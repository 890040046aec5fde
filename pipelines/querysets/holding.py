from __future__ import annotations

from typing import Any, Self

from django.db.models import (
    BigIntegerField,
    Case,
    F,
    OuterRef,
    Q,
    Subquery,
    Sum,
    Value,
    When,
    Window,
)
from django.db.models.functions import Round

from oegen.audit.querysets import AuditedQuerySet
from pipelines.querysets.exact import WHOLE, part_of, whole_number
from pipelines.reference import LEAD_DEVELOPER_ID

#: The sum of the shares of a pipeline that is completely held, in %.
WHOLE_SHARE = 100

_HOLDS = Q(share_pct__isnull=False) | Q(role=LEAD_DEVELOPER_ID, shares=None)

#: Links of ``holding`` whose pipeline is completely held.
_IS_COMPLETE = Q(share_pct=None) | Q(shares__gte=WHOLE_SHARE)


class PipelineCounterpartyQuerySet(AuditedQuerySet):
    def holding(self) -> Self:
        """The links by which a counterparty holds a part of the pipeline: those with a share or, if
        no link has one, that of the lead developer. ``shares`` is an alias for their sum."""
        shares = (
            self.model._base_manager.filter(pipeline=OuterRef("pipeline"))
            .order_by()
            .values("pipeline")
            # SQLite adds decimals as floating point.
            .annotate(total=Round(Sum("share_pct"), precision=2))
            .values("total")
        )
        return self.alias(shares=Subquery(shares)).filter(_HOLDS)

    def holding_all(self) -> Self:
        """The links of ``holding`` whose pipeline is completely held."""
        return self.holding().filter(_IS_COMPLETE)

    def with_parts(self) -> Self:
        """Adds to each row of ``holding`` its ``part`` of the pipeline and the ``rest`` that nobody
        holds, in hundredths of a percent. Shares that exceed 100 % together are scaled down."""
        scaled = whole_number(F("share_pct") * WHOLE / F("shares"))
        return self.annotate(
            part=Case(
                When(share_pct=None, then=Value(WHOLE)),
                When(shares__gt=WHOLE_SHARE, then=scaled),
                default=whole_number(F("share_pct") * 100),
                output_field=BigIntegerField(),
            ),
            rest=Case(
                When(_IS_COMPLETE, then=Value(0)),
                default=WHOLE - whole_number(F("shares") * 100),
                output_field=BigIntegerField(),
            ),
        )

    def holders_sql(self, facilities: str) -> tuple[str, tuple[Any, ...]]:
        """SQL that joins facilities with the holders of their pipelines, and its parameters. The
        links may be filtered by pipeline, not otherwise.

        ``facilities`` is SQL that selects ``pipeline_id``, ``facility_id``, ``kw`` and ``shared``
        (1 if several rows may have the facility, 0 if certainly not); its parameters come before
        those returned. Added are ``holder`` (a counterparty's key or null), ``part`` and ``rest``.
        A facility has a row for each link that holds its pipeline.
        """
        # Not ``holding``, which sums the shares once for each link: here all links are read.
        shares = Round(Window(Sum("share_pct"), partition_by=F("pipeline")), precision=2)
        links = self.alias(shares=shares).filter(_HOLDS).with_parts().order_by()
        columns = links.values("pipeline_id", "counterparty_id", "part", "rest")
        sql, params = columns.query.sql_with_params()
        held = f"""
            SELECT facts.pipeline_id, facility_id, kw, shared, counterparty_id AS holder, part,
                COALESCE(rest, {WHOLE}) AS rest
            FROM ({facilities}) AS facts
            LEFT JOIN ({sql}) AS links ON links.pipeline_id = facts.pipeline_id
        """  # noqa: S608 - SQL of our own
        return held, params


def held_capacity_sql(held: str, *, by_facility: bool = False) -> str:
    """SQL for the capacity of each holder: ``holder`` (null for nobody) and ``kw``, in kW / WHOLE;
    ``by_facility``: of each holder and ``facility_id``.

    ``held`` names a table with the columns of ``PipelineCounterpartyQuerySet.holders_sql``. A
    facility of several pipelines counts once for each holder, nobody included, with the largest
    part.
    """
    keys = "holder, facility_id" if by_facility else "holder"
    # Only shared facilities, which are few, need the grouping by facility.
    return f"""
        SELECT {keys}, SUM(kw) AS kw FROM (
            SELECT holder, facility_id, {part_of("kw", "part")} AS kw FROM {held}
            WHERE shared = 0 AND holder IS NOT NULL
            UNION ALL
            SELECT holder, facility_id, {part_of("MAX(kw)", "MAX(part)")} FROM (
                SELECT holder, facility_id, MAX(kw) AS kw, SUM(part) AS part FROM {held}
                WHERE shared = 1 AND holder IS NOT NULL GROUP BY holder, facility_id, pipeline_id
            ) AS in_pipelines GROUP BY holder, facility_id
            UNION ALL
            SELECT NULL, facility_id, {part_of("MAX(kw)", "MAX(rest)")} FROM {held}
            WHERE rest > 0 GROUP BY facility_id
        ) AS facilities GROUP BY {keys}
    """  # noqa: S608
