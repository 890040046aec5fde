"""The RTB gates: the milestones that have to be proven before a project is ready to build.

A facility has the gates of the set of its technology, else of the technology that it is a kind of,
else of any; for each, a set of its country comes before that of any country. A project has the
gates of all its facilities.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property, reduce
from operator import or_
from uuid import UUID

from django.apps import apps
from django.db.models import Q

from oegen.core.compiled import compiled
from pipelines.querysets.state import IS_OPEN, is_past_rtb

#: Stands for the countries without a set of their own.
OTHERS = ""


@dataclass(frozen=True)
class Gates:
    """``sets``: the ids of kinds of milestones, by technology and country; ``parents``: by
    technology, the one that it is a kind of."""

    sets: Mapping[tuple[UUID | None, str], frozenset[UUID]]
    parents: Mapping[UUID, UUID | None]

    @classmethod
    def load(cls) -> Gates:
        """The active sets of the present or of the past day that is open."""
        kinds: dict[tuple[UUID | None, str], set[UUID]] = defaultdict(set)
        for technology, country, kind in _gates():
            kinds[technology, country] |= {kind} - {None}
        sets = {place: frozenset(gates) for place, gates in kinds.items()}
        return cls(sets, dict(_parents()))

    def __hash__(self) -> int:
        return hash(self.version)

    @cached_property
    def version(self) -> str:
        """What changes when a gate does: a part of cache keys."""
        sets = ((*map(str, place), *sorted(map(str, gates))) for place, gates in self.sets.items())
        return str((sorted(sets), sorted(map(str, self.parents.items()))))

    def of(self, technology: UUID | None, country: str) -> frozenset[UUID]:
        """The gates of a facility of that technology and country, or of a project without one."""
        parent = self.parents.get(technology) if technology else None
        for own in dict.fromkeys((technology, parent, None)):
            for place in dict.fromkeys((country, OTHERS)):
                if (own, place) in self.sets:
                    return self.sets[own, place]
        return frozenset()

    def of_all(self, plants: Iterable[tuple[UUID | None, str]]) -> frozenset[UUID]:
        """The gates of a project whose facilities are of these technologies and countries."""
        return frozenset().union(*(self.of(*plant) for plant in set(plants) or {(None, OTHERS)}))

    def any_proven(self) -> Q:
        """The condition for a fact: a milestone that is a gate of any set is proven."""
        gates = frozenset().union(*self.sets.values())
        return reduce(or_, (Q(proven__kinds__contains=gate.hex) for gate in gates), Q(pk__in=[]))

    def are_open(self) -> Q:
        """The condition for a fact: a gate of its facility is not proven."""
        countries = sorted({country for _, country in self.sets} - {OTHERS})
        places: dict[frozenset[UUID], Q] = defaultdict(Q)
        for technology in (*self.parents, None):
            own = Q(technology=technology)
            rest = frozenset(self.of(technology, OTHERS))
            different = [one for one in countries if self.of(technology, one) != rest]
            for country in different:
                places[self.of(technology, country)] |= own & Q(country=country)
            places[rest] |= own & ~Q(country__in=different) if different else own
        condition = Q(pk__in=[])
        for gates, where in places.items():
            for gate in gates:
                condition |= where & ~Q(proven__kinds__contains=gate.hex)
        return condition


def is_unproven(gates: Gates) -> Q:
    """The condition for a fact: open, said to be ready to build or from Construction on, and a gate
    of its facility is not proven."""
    return IS_OPEN & (Q(is_rtb_actual=True) | is_past_rtb()) & gates.are_open()


@compiled
def _gates():
    sets = apps.get_model("pipelines", "GateSet").objects.filter(is_active=True).order_by()
    return sets.values_list("technology_id", "country", "gates__kind_id")


@compiled
def _parents():
    technologies = apps.get_model("pipelines", "Technology").objects.order_by()
    return technologies.values_list("pk", "parent_id")
