from __future__ import annotations

from typing import Self

from django.db.models import F, OuterRef, Q, Subquery

from oegen.audit.reference import ReferenceQuerySet

_IN_USE = Q(next_in_use=F("pk"))


class TechnologyQuerySet(ReferenceQuerySet):
    def in_use(self) -> Self:
        """The technologies of facilities."""
        return self._with_next_in_use().filter(_IN_USE)

    def active_or_in_use(self) -> Self:
        return self._with_next_in_use().filter(Q(is_active=True) | _IN_USE)

    def _with_next_in_use(self) -> Self:
        # The first one in use from this one on, which the databases look up in the index. For
        # EXISTS, PostgreSQL reads all facilities.
        facilities = self.model._meta.get_field("facilities").related_model._default_manager
        found = facilities.filter(technology__gte=OuterRef("pk")).order_by("technology_id")
        return self.alias(next_in_use=Subquery(found.values("technology_id")[:1]))
