from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any, Self, TypeVar

from django.db.models import (
    BooleanField,
    Case,
    Count,
    Exists,
    ExpressionWrapper,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    When,
)
from django.db.models.functions import Coalesce

from oegen import search
from oegen.audit.querysets import AuditedQuerySet
from oegen.core import clock
from oegen.search import keys
from oegen.search.ordering import natural

Links = TypeVar("Links", bound=QuerySet[Any])


class CounterpartyQuerySet(AuditedQuerySet):
    def current(self) -> Self:
        """Neither archived nor a placeholder that an import made for an unknown reference."""
        return self.filter(archived_at=None, is_placeholder=False)

    def name_contains(self, text: str) -> Self:
        """Those with the text in the name or an alias."""
        found = Q(pk__in=search.keys_containing(self.model, text)) | Q(aliases__icontains=text)
        if not clock.past_day():
            # Keys exist for today only; a past page matches other names as they are written.
            found |= Q(pk__in=keys.with_alias(self.model, text))
        return self.filter(found)

    def starting_first(self, text: str) -> Self:
        """Order by name, with those whose name starts with the text first."""
        starts = Q(pk__in=search.keys_starting_with(self.model, text))
        return self.order_by(Case(When(starts, then=0), default=1), natural("name"), "pk")

    def placeholders(self) -> Self:
        return self.filter(is_placeholder=True)

    def archived(self) -> Self:
        return self.exclude(archived_at=None)

    def in_role(self, *codes: str) -> Self:
        """With a role in a pipeline that has one of the codes."""
        links = self.model.pipelines.through.objects
        return self.filter(
            Exists(links.filter(counterparty=OuterRef("pk"), role__code__in=codes).order_by())
        )

    def with_contact_count(self) -> Self:
        """Adds ``contact_count`` to each row; several roles of one person count once."""
        # A subquery, because a join would group every counterparty to show fifty.
        links = (
            self.model.contacts.through.objects.filter(counterparty=OuterRef("pk"))
            .order_by()
            .values("counterparty")
            .annotate(number=Count("contact", distinct=True))
            .values("number")
        )
        return self.annotate(contact_count=Coalesce(Subquery(links), 0))

    def with_pipeline_count(self) -> Self:
        """Adds ``pipeline_count`` to each row; several roles in one pipeline count once."""
        links = (
            self.model.pipelines.through.objects.filter(counterparty=OuterRef("pk"))
            .order_by()
            .values("counterparty")
            .annotate(number=Count("pipeline", distinct=True))
            .values("number")
        )
        return self.annotate(pipeline_count=Coalesce(Subquery(links), 0))

    def matching(self, text: str) -> Self:
        """Search: with every word of the text in one of SEARCH_FIELDS."""
        return search.matching(self, text)


def filter_links(links: Links, name: str, roles: Iterable[str]) -> Links:
    """The links whose counterparty has ``name`` in its name or aliases and whose role has one of
    the codes; an empty argument does not filter."""
    if name:
        counterparties = links.model._meta.get_field("counterparty").related_model.objects
        links = links.filter(counterparty__in=counterparties.name_contains(name))
    if roles:
        links = links.filter(role__code__in=roles)
    return links


class ContactQuerySet(AuditedQuerySet):
    def at_counterparty(self, name: str = "", roles: Iterable[str] = ()) -> Self:
        """With a role at a counterparty whose name or aliases contain ``name``, in a role with one
        of the codes; an empty argument does not filter."""
        links = self.model.counterparties.through.objects.filter(contact=OuterRef("pk"))
        return self.filter(Exists(filter_links(links.order_by(), name, roles)))

    def matching(self, text: str) -> Self:
        """Search: with every word of the text in one of SEARCH_FIELDS."""
        return search.matching(self, text)


class CounterpartyContactQuerySet(AuditedQuerySet):
    def current(self, today: date | None = None) -> Self:
        """Roles held on the day; an empty start or end is no limit."""
        return self.filter(self._is_current(today))

    def with_current(self, today: date | None = None) -> Self:
        """Adds ``is_current`` to each row."""
        return self.annotate(is_current=ExpressionWrapper(self._is_current(today), BooleanField()))

    @staticmethod
    def _is_current(today: date | None) -> Q:
        day = today or clock.today()
        has_started = Q(valid_from=None) | Q(valid_from__lte=day)
        return has_started & (Q(valid_until=None) | Q(valid_until__gte=day))
