from datetime import date
from typing import Self

from django.db.models import Count, Exists, F, OuterRef

from infopoints.choices import Status
from oegen import search
from oegen.audit.querysets import AuditedQuerySet
from oegen.search.ordering import natural
from pipelines.querysets import of_technology

#: Code for both statuses that are not closed.
LIVE = "live"


class InformationPointQuerySet(AuditedQuerySet):
    def live(self) -> Self:
        """Open or watched."""
        return self.exclude(status=Status.CLOSED)

    def of_status(self, *codes: str) -> Self:
        """Any of the statuses, and ``LIVE``."""
        live = [status for status in Status if status != Status.CLOSED]
        wanted = [status for code in codes for status in (live if code == LIVE else [code])]
        return self.filter(status__in=wanted)

    def count_by_band(self, width: int) -> dict[tuple[int, int], int]:
        """The number of points by the indexes of their bands of impact and likelihood."""
        bands = self.order_by().annotate(
            impact_band=(F("impact") - 1) / width, likelihood_band=(F("likelihood") - 1) / width
        )
        rows = bands.values_list("impact_band", "likelihood_band").annotate(Count("pk"))
        return {(impact, likelihood): number for impact, likelihood, number in rows}

    def count_by_impact_and_likelihood(self) -> list[tuple[int, int, int]]:
        """Each pair of impact and likelihood that occurs, with its number of points."""
        places = self.order_by("impact", "likelihood").values_list("impact", "likelihood")
        return list(places.annotate(Count("pk")))

    def by_rating(self) -> Self:
        return self.order_by("-rating", "-impact", natural("title"))

    def review_due(self, day: date) -> Self:
        """Not closed, with a review date up to that day."""
        return self.live().filter(review_on__lte=day)

    def of_technology(self, *codes: str) -> Self:
        """About any of the technologies; see the function ``of_technology``."""
        links = self.model.technologies.through.objects.filter(information_point=OuterRef("pk"))
        return self.filter(Exists(links.filter(of_technology(*codes)).order_by()))

    def about_counterparty(self, name: str) -> Self:
        """About a counterparty whose name or aliases contain ``name``."""
        counterparties = self.model.counterparties.rel.model.objects
        links = self.model.counterparties.through.objects.filter(
            counterparty__in=counterparties.name_contains(name)
        )
        return self.filter(pk__in=links.order_by().values("information_point"))

    def about_pipeline(self, name: str) -> Self:
        """About a pipeline whose name contains ``name``."""
        links = self.model.pipelines.through.objects.filter(
            pipeline__in=search.keys_containing(self.model.pipelines.rel.model, name)
        )
        return self.filter(pk__in=links.order_by().values("information_point"))

    def matching(self, text: str) -> Self:
        """Search: with every word of the text in one of SEARCH_FIELDS."""
        return search.matching(self, text)
