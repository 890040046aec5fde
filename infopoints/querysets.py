from datetime import date

from django.db.models import Count, Exists, F, OuterRef

from infopoints.choices import Status
from oegen import search
from oegen.querysets import AuditedQuerySet
from pipelines.querysets import of_technology


class InformationPointQuerySet(AuditedQuerySet):
    def live(self):
        """Open or watched: what still matters."""
        return self.exclude(status=Status.CLOSED)

    def count_by_band(self, width: int) -> dict[tuple[int, int], int]:
        """The number of points by band of impact and band of likelihood, each counted from 0."""
        bands = self.order_by().annotate(
            impact_band=(F("impact") - 1) / width, likelihood_band=(F("likelihood") - 1) / width
        )
        rows = bands.values_list("impact_band", "likelihood_band").annotate(Count("pk"))
        return {(impact, likelihood): number for impact, likelihood, number in rows}

    def by_rating(self):
        return self.order_by("-rating", "-impact", "title")

    def review_due(self, day: date):
        """Not closed, and to be looked at again by that day."""
        return self.live().filter(review_on__lte=day)

    def of_technology(self, code: str):
        """That concern it; a code that ends with ALL_KINDS is of its kinds too."""
        links = self.model.technologies.through.objects.filter(information_point=OuterRef("pk"))
        return self.filter(Exists(links.filter(of_technology(code)).order_by()))

    def matching(self, text: str):
        """Every word of the text in the title, the description or the market."""
        return search.matching(self, text)
