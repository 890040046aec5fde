from infopoints.choices import Status
from oegen.querysets import AuditedQuerySet


class InformationPointQuerySet(AuditedQuerySet):
    def live(self):
        """Open or watched: what still matters."""
        return self.exclude(status=Status.CLOSED)

    def by_rating(self):
        return self.order_by("-rating", "-impact", "title")
