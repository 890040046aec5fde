from __future__ import annotations

from django.db.models import BigIntegerField, Case, F, OuterRef, Q, Subquery, Sum, Value, When
from django.db.models.functions import Cast, Round

from oegen.querysets import AuditedQuerySet
from pipelines.reference import LEAD_DEVELOPER_ID

#: The shares of a pipeline's counterparties, in %, are parts of it.
WHOLE_SHARE = 100


class PipelineCounterpartyQuerySet(AuditedQuerySet):
    def holding(self):
        """The links by which a counterparty holds a part of the pipeline: those with a share or,
        where nobody has one, that of the lead developer.

        Adds ``part`` to each row, in hundredths of a percent. Shares that add up to more than
        100 % are scaled down to it.
        """
        shares = (
            self.model._base_manager.filter(pipeline=OuterRef("pipeline"))
            .order_by()
            .values("pipeline")
            .annotate(total=Sum("share_pct"))
            .values("total")
        )
        given = self.annotate(shares=Subquery(shares)).filter(
            Q(share_pct__isnull=False) | Q(role=LEAD_DEVELOPER_ID, shares=None)
        )
        scaled = F("share_pct") * 100 * WHOLE_SHARE / F("shares")
        return given.annotate(
            part=Case(
                When(share_pct=None, then=Value(100 * WHOLE_SHARE)),
                When(shares__gt=WHOLE_SHARE, then=Cast(Round(scaled), BigIntegerField())),
                default=Cast(Round(F("share_pct") * 100), BigIntegerField()),
                output_field=BigIntegerField(),
            )
        )
