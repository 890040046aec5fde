from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from django.db.models import (
    BooleanField,
    Count,
    Exists,
    ExpressionWrapper,
    OuterRef,
    Q,
    Subquery,
    Sum,
)
from django.utils import timezone

from oegen.querysets import AuditedQuerySet
from pipelines.choices import CapacityBasis, Outcome
from pipelines.reference import CONSTRUCTION

ZERO = Decimal(0)


@dataclass(frozen=True)
class Capacity:
    """The capacity of a set of facilities, each counted once.

    MWp (DC) and MW (AC) are kept apart; their sum is a mixed figure and labelled so.
    """

    mwp_dc: Decimal = ZERO
    mw_ac: Decimal = ZERO
    storage_mwh: Decimal = ZERO
    facilities: int = 0
    facilities_without_capacity: int = 0

    @property
    def mw(self) -> Decimal:
        return self.mwp_dc + self.mw_ac

    @property
    def is_mixed(self) -> bool:
        return bool(self.mwp_dc and self.mw_ac)

    @property
    def unit(self) -> str:
        if self.is_mixed:
            return "MW, mixed"
        return "MWp" if self.mwp_dc else "MW"


class FacilityQuerySet(AuditedQuerySet):
    def in_pipelines(self, pipelines) -> FacilityQuerySet:
        """The distinct facilities of a set of pipelines: one row each, in however many it is."""
        through = self.model.pipelines.through
        return self.filter(
            Exists(through.objects.filter(facility=OuterRef("pk"), pipeline__in=pipelines))
        )

    def capacity(self) -> Capacity:
        basis = Q(technology__capacity_basis=CapacityBasis.DC)
        totals = self.order_by().aggregate(
            mwp_dc=Sum("capacity_mw", filter=basis),
            mw_ac=Sum("capacity_mw", filter=~basis),
            storage_mwh=Sum("storage_mwh"),
            facilities=Count("pk"),
            facilities_without_capacity=Count("pk", filter=Q(capacity_mw=None)),
        )
        return Capacity(**{name: value or 0 for name, value in totals.items()})


class PipelineQuerySet(AuditedQuerySet):
    def active(self):
        """Not withdrawn, refused or sold; may be on hold or completed."""
        return self.filter(outcome=Outcome.ACTIVE)

    def open(self):
        """What is pipeline: outcome active, stage not terminal, not on hold."""
        return self.active().filter(stage__is_terminal=False, on_hold=False)

    def on_hold(self):
        return self.active().filter(stage__is_terminal=False, on_hold=True)

    def completed(self):
        return self.active().filter(stage__is_terminal=True)

    def overdue(self, today: date | None = None):
        """Open, RTB date before ``today``, and the stage still before Construction."""
        return self.filter(self._is_overdue(today))

    def with_overdue(self, today: date | None = None):
        """Adds ``is_overdue`` to each row."""
        return self.annotate(is_overdue=ExpressionWrapper(self._is_overdue(today), BooleanField()))

    @staticmethod
    def _is_overdue(today: date | None) -> Q:
        from pipelines.models import Stage

        construction = Stage.objects.filter(code=CONSTRUCTION).values("order")
        return Q(
            outcome=Outcome.ACTIVE,
            on_hold=False,
            stage__is_terminal=False,
            rtb_date__isnull=False,
            rtb_date__lt=today or timezone.localdate(),
            stage__order__lt=Subquery(construction[:1]),
        )

    def not_confirmed_since(self, moment: datetime):
        """Open, with a rating that nobody has set or confirmed from ``moment`` on."""
        return self.open().filter(Q(rag_confirmed_at=None) | Q(rag_confirmed_at__lt=moment))

    def facilities(self) -> FacilityQuerySet:
        from pipelines.models import Facility

        return Facility.objects.in_pipelines(self.order_by().values("pk"))

    def capacity(self) -> Capacity:
        """Of all of them together: a facility in two of these pipelines counts once."""
        return self.facilities().capacity()

    def with_capacity(self):
        """Adds ``capacity_mw`` to each row: its own facilities' sum, mixed bases, None if unknown.

        For showing and sorting rows. Never add these up: facilities can be shared.
        """
        links = (
            self.model.facilities.through.objects.filter(pipeline=OuterRef("pk"))
            .order_by()
            .values("pipeline")
            .annotate(total=Sum("facility__capacity_mw"))
            .values("total")
        )
        return self.annotate(capacity_mw=Subquery(links))

    def with_lead_developer(self):
        """Adds ``lead_developer`` (name) and ``lead_developer_id`` to each row."""
        from pipelines.reference import LEAD_DEVELOPER_ID

        lead = self.model.counterparties.through.objects.filter(
            pipeline=OuterRef("pk"), role=LEAD_DEVELOPER_ID
        ).order_by()
        return self.annotate(
            lead_developer=Subquery(lead.values("counterparty__name")[:1]),
            lead_developer_id=Subquery(lead.values("counterparty")[:1]),
        )
