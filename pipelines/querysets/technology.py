from __future__ import annotations

from typing import Self

from django.db.models import F, OuterRef, Subquery

from oegen.audit.reference import ReferenceQuerySet


class TechnologyQuerySet(ReferenceQuerySet):
    def in_use(self) -> Self:
        """The technologies of facilities."""
        # The first one in use from this one on, which the databases look up in the index. For
        # EXISTS, PostgreSQL reads all facilities.
        facilities = self.model._meta.get_field("facilities").related_model._default_manager
        found = facilities.filter(technology__gte=OuterRef("pk")).order_by("technology_id")
        next_in_use = Subquery(found.values("technology_id")[:1])
        return self.alias(next_in_use=next_in_use).filter(next_in_use=F("pk"))
