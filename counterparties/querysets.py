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
from oegen.search.ordering import by

Links = TypeVar("Links", bound=QuerySet[Any])


class CounterpartyQuerySet(AuditedQuerySet):
    def current(self) -> Self:
        """Neither archived nor stand-ins that an import made for an unknown reference."""
        return self.filter(archived_at=None, is_placeholder=False)

    def called(self, text: str) -> Self:
        """With the text in the name or in another name."""
        found = Q(pk__in=search.named(self.model, text)) | Q(aliases__icontains=text)
        if not clock.past_day():
            # Keys are of today; on a past page other names are found as they are written.
            found |= Q(pk__in=keys.with_alias(self.model, text))
        return self.filter(found)

    def starting_first(self, text: str) -> Self:
        """Those whose name starts with the text before the others, each group by name."""
        starts = Q(pk__in=search.starting(self.model, text))
        return self.order_by(Case(When(starts, then=0), default=1), by("name"), "pk")

    def placeholders(self) -> Self:
        return self.filter(is_placeholder=True)

    def archived(self) -> Self:
        return self.exclude(archived_at=None)

    def in_role(self, *codes: str) -> Self:
        """With a role of one of the codes in a pipeline."""
        links = self.model.pipelines.through.objects
        return self.filter(
            Exists(links.filter(counterparty=OuterRef("pk"), role__code__in=codes).order_by())
        )

    def with_contact_count(self) -> Self:
        """Adds ``contact_count`` to each row; several roles of one person count once."""
        # Not a join: it would group every counterparty to show fifty.
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
        """Every word of the text in the names, the strategy or another fact."""
        return search.matching(self, text)


def narrowed(links: Links, name: str, roles: Iterable[str]) -> Links:
    """Those of the links whose counterparty has the text in a name of its, and whose role has one
    of the codes; either may be left empty."""
    if name:
        counterparties = links.model._meta.get_field("counterparty").related_model.objects
        links = links.filter(counterparty__in=counterparties.called(name))
    if roles:
        links = links.filter(role__code__in=roles)
    return links


class ContactQuerySet(AuditedQuerySet):
    def at_counterparty(self, name: str = "", roles: Iterable[str] = ()) -> Self:
        """With a role at a counterparty whose name or another name contains ``name``, in a role
        of one of the codes; either may be left empty."""
        links = self.model.counterparties.through.objects.filter(contact=OuterRef("pk"))
        return self.filter(Exists(narrowed(links.order_by(), name, roles)))

    def matching(self, text: str) -> Self:
        """Every word of the text in the name, the job title, the e-mail or the phone number."""
        return search.matching(self, text)


class CounterpartyContactQuerySet(AuditedQuerySet):
    def current(self, today: date | None = None) -> Self:
        """Roles held on the day: begun or without a beginning, and not yet over."""
        return self.filter(self._is_current(today))

    def with_current(self, today: date | None = None) -> Self:
        """Adds ``is_current`` to each row."""
        return self.annotate(is_current=ExpressionWrapper(self._is_current(today), BooleanField()))

    @staticmethod
    def _is_current(today: date | None) -> Q:
        day = today or clock.today()
        begun = Q(valid_from=None) | Q(valid_from__lte=day)
        return begun & (Q(valid_until=None) | Q(valid_until__gte=day))
