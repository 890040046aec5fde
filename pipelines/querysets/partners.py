"""Pipelines by their counterparties: lead developers, holders and others."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal
from functools import partial
from typing import TYPE_CHECKING, Self

from django.core.exceptions import EmptyResultSet
from django.db import connections
from django.db.models import (
    Exists,
    F,
    OuterRef,
    Subquery,
    UUIDField,
    Value,
)

from counterparties.querysets import filter_links
from oegen.search.ordering import natural
from pipelines.querysets.capacity import ZERO
from pipelines.querysets.exact import KILO, WHOLE, mw_of, whole_number
from pipelines.querysets.holding import held_capacity_sql
from pipelines.querysets.links import FacilityLinksQuerySet
from pipelines.reference import LEAD_DEVELOPER_ID

if TYPE_CHECKING:
    from counterparties.models import Counterparty


class PartnersQuerySet(FacilityLinksQuerySet):
    """The part of PipelineQuerySet that is about counterparties."""

    def led_by(self, counterparty: Counterparty) -> Self:
        links = self.model.counterparties.through.objects
        return self.filter(
            Exists(
                links.filter(
                    pipeline=OuterRef("pk"), counterparty=counterparty, role=LEAD_DEVELOPER_ID
                )
            )
        )

    def held_by(self, counterparty: Counterparty) -> Self:
        """Pipelines of which the counterparty holds a part; see PipelineCounterpartyQuerySet."""
        links = self.model.counterparties.through.objects.holding()
        held = links.filter(pipeline=OuterRef("pk"), counterparty=counterparty)
        return self.filter(Exists(held.order_by()))

    def held_by_others(self, counterparties: Iterable[Counterparty]) -> Self:
        """Pipelines of which a counterparty other than these holds a part."""
        links = self.model.counterparties.through.objects.holding()
        held = links.filter(pipeline=OuterRef("pk")).exclude(counterparty__in=counterparties)
        return self.filter(Exists(held.order_by()))

    def held_by_nobody(self) -> Self:
        """Pipelines that are not completely held."""
        links = self.model.counterparties.through.objects.holding_all()
        return self.filter(~Exists(links.filter(pipeline=OuterRef("pk")).order_by()))

    def held_mw(
        self, *, by: Counterparty | None = None, by_others_than: Sequence[Counterparty] = ()
    ) -> Decimal:
        """The capacity held by a counterparty, or by all counterparties other than these; without
        arguments, the capacity that nobody holds. See ``held_capacity_sql``."""
        links = self.model.facilities.through.objects.filter(pipeline__in=self._keys())
        kw = whole_number(F("facility__capacity_mw") * KILO)
        facilities = links.order_by().values("pipeline_id", "facility_id")
        facilities = facilities.annotate(kw=kw, shared=Value(1))
        try:
            sql, params = facilities.query.sql_with_params()
        except EmptyResultSet:
            return ZERO
        links_to_holders = self.model.counterparties.through.objects
        held, more = links_to_holders.filter(pipeline__in=self._keys()).holders_sql(sql)
        holders = [by] if by else by_others_than
        condition = "IS NULL"
        if holders:
            condition = f"{'' if by else 'NOT '}IN ({', '.join(['%s'] * len(holders))})"
        connection = connections[self.db]
        prepare = partial(self.model._meta.pk.get_db_prep_value, connection=connection)
        with connection.cursor() as cursor:
            cursor.execute(
                f"""
                WITH held AS ({held})
                SELECT SUM(kw) FROM ({held_capacity_sql("held")}) AS amounts
                WHERE holder {condition}
                """,  # noqa: S608 - SQL of our own
                [*params, *more, *(prepare(holder.pk) for holder in holders)],
            )
            [amount] = cursor.fetchone()
        return mw_of(amount, WHOLE)

    def linked_to(self, counterparty: Counterparty) -> Self:
        """With the counterparty in any role."""
        links = self.model.counterparties.through.objects.filter(pipeline=OuterRef("pk"))
        return self.filter(Exists(links.filter(counterparty=counterparty)))

    def with_counterparty(self, name: str = "", roles: Iterable[str] = ()) -> Self:
        """With a counterparty whose name or aliases contain ``name``, in a role with one of the
        codes; an empty argument does not filter."""
        links = self.model.counterparties.through.objects.filter(pipeline=OuterRef("pk"))
        return self.filter(Exists(filter_links(links, name, roles)))

    def with_lead_developer_order(self) -> Self:
        """Adds ``lead_developer_order``, the sort key of the lead developer's name."""
        lead = self.model.counterparties.through.objects.filter(
            pipeline=OuterRef("pk"), role=LEAD_DEVELOPER_ID
        ).order_by()
        key = lead.values(natural("counterparty__name"))[:1]
        return self.annotate(lead_developer_order=Subquery(key))

    def with_lead_developer(self) -> Self:
        """Adds ``lead_developer`` (name) and ``lead_developer_id`` to each row."""
        lead = self.model.counterparties.through.objects.filter(
            pipeline=OuterRef("pk"), role=LEAD_DEVELOPER_ID
        ).order_by()
        return self.annotate(
            lead_developer=Subquery(lead.values("counterparty__name")[:1]),
            lead_developer_id=Subquery(lead.values("counterparty")[:1], output_field=UUIDField()),
        )
