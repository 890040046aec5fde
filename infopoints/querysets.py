from django.db.models import Q

from infopoints.choices import Status
from oegen.querysets import AuditedQuerySet


class InformationPointQuerySet(AuditedQuerySet):
    def live(self):
        """Open or watched: what still matters."""
        return self.exclude(status=Status.CLOSED)

    def by_rating(self):
        return self.order_by("-rating", "-impact", "title")

    def matching(self, text: str):
        """Every word of the text in the title, the description or the market."""
        found = self
        for word in text.split():
            found = found.filter(
                Q(title__icontains=word)
                | Q(description__icontains=word)
                | Q(market__icontains=word)
            )
        return found
