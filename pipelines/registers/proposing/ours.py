"""Our records as matching needs them.

An entry of a register is a plant at a site, which is a facility here. A facility that makes up a
pipeline of its own is looked for as that pipeline, under both names, so that nobody has to decide
the same thing twice. A pipeline of several facilities is looked for as a whole as well.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.contrib.contenttypes.models import ContentType

from counterparties.models import Counterparty
from oegen.core.text import name_key, split_lines
from oegen.models import ExternalReference
from pipelines.models import Facility, Pipeline, PipelineCounterparty, PipelineFacility
from pipelines.registers.matching.subjects import Ours
from pipelines.registers.models import Match, Register

PIPELINE, FACILITY = "pipeline", "facility"

MODELS: dict[str, type[Pipeline | Facility]] = {PIPELINE: Pipeline, FACILITY: Facility}


@dataclass(frozen=True, slots=True)
class _Plant:
    name: str
    technology: str
    basis: str
    capacity_mw: Decimal | None
    latitude: Decimal | None
    longitude: Decimal | None
    country: str


@dataclass
class Portfolio:
    """Pipelines and facilities, read once for all registers."""

    pipelines: dict[UUID, str] = field(default_factory=dict)
    plants: dict[UUID, _Plant] = field(default_factory=dict)
    facilities_of: dict[UUID, list[UUID]] = field(default_factory=lambda: defaultdict(list))
    pipelines_of: dict[UUID, list[UUID]] = field(default_factory=lambda: defaultdict(list))
    companies_of: dict[UUID, list[str]] = field(default_factory=lambda: defaultdict(list))
    #: By the record, then by the register's code.
    references: dict[UUID, dict[str, str]] = field(default_factory=dict)

    def sites(self) -> list[Ours]:
        """A site each, no two of which are one entry."""
        found = []
        for key, plant in self.plants.items():
            pipelines = self.pipelines_of[key]
            if len(pipelines) == 1 and self.facilities_of[pipelines[0]] == [key]:
                found.append(self._pipeline(pipelines[0], [plant], plant.name, also=key))
            else:
                found.append(self._facility(key, plant, pipelines))
        found += (self._pipeline(key, []) for key in self.pipelines if not self.facilities_of[key])
        return found

    def wholes(self) -> list[Ours]:
        """The pipelines of several facilities, each as one."""
        return [
            self._pipeline(key, [self.plants[one] for one in facilities])
            for key, facilities in self.facilities_of.items()
            if len(facilities) > 1
        ]

    def _facility(self, key: UUID, plant: _Plant, pipelines: Iterable[UUID]) -> Ours:
        return Ours(
            kind=FACILITY,
            id=key,
            name=plant.name,
            technologies=frozenset([plant.technology]),
            capacity_mw=plant.capacity_mw,
            basis=plant.basis,
            latitude=plant.latitude,
            longitude=plant.longitude,
            country=plant.country,
            counterparties=tuple(name for one in pipelines for name in self.companies_of[one]),
            identifiers=self.references.get(key, {}),
        )

    def _pipeline(
        self, key: UUID, plants: Collection[_Plant], *aliases: str, also: UUID | None = None
    ) -> Ours:
        """The capacity is known if that of each facility is, the place is the middle of those that
        have one. ``also`` is a facility whose references count, too."""
        known = [one.capacity_mw for one in plants if one.capacity_mw is not None]
        bases = {one.basis for one in plants}
        countries = {one.country for one in plants}
        latitude = _middle([one.latitude for one in plants])
        longitude = _middle([one.longitude for one in plants])
        return Ours(
            kind=PIPELINE,
            id=key,
            name=self.pipelines[key],
            aliases=aliases,
            technologies=frozenset(one.technology for one in plants),
            capacity_mw=sum(known, Decimal()) if plants and len(known) == len(plants) else None,
            basis=bases.pop() if len(bases) == 1 else "",
            latitude=latitude,
            longitude=longitude,
            country=countries.pop() if len(countries) == 1 else "",
            counterparties=tuple(self.companies_of[key]),
            identifiers=(self.references.get(also, {}) if also else {})
            | self.references.get(key, {}),
        )


def _middle(degrees: Iterable[Decimal | None]) -> Decimal | None:
    known = [one for one in degrees if one is not None]
    return sum(known, Decimal()) / len(known) if known else None


def read_portfolio() -> Portfolio:
    found = Portfolio(pipelines=dict(Pipeline.objects.order_by().values_list("pk", "project_name")))
    plants = Facility.objects.order_by().values_list(
        *("pk", "name", "technology__code", "technology__capacity_basis", "capacity_mw"),
        *("latitude", "longitude", "country"),
    )
    found.plants = {key: _Plant(*values) for key, *values in plants.iterator()}
    for pipeline, facility in (
        PipelineFacility.objects.order_by().values_list("pipeline_id", "facility_id").iterator()
    ):
        found.facilities_of[pipeline].append(facility)
        found.pipelines_of[facility].append(pipeline)
    names = _names_of_companies()
    links = PipelineCounterparty.objects.order_by().values_list("pipeline_id", "counterparty_id")
    for pipeline, counterparty in links.distinct().iterator():
        found.companies_of[pipeline] += names[counterparty]
    for model in MODELS.values():
        found.references |= read_references(model)
    return found


def _names_of_companies() -> dict[UUID, list[str]]:
    """The names of counterparties, their other names, and what registers call those of them that
    are matched."""
    found: dict[UUID, list[str]] = defaultdict(list)
    for key, name, aliases in Counterparty.objects.order_by().values_list("pk", "name", "aliases"):
        found[key] += [name, *split_lines(aliases)]
    matched = Match.objects.accepted().filter(
        company__isnull=False, content_type=ContentType.objects.get_for_model(Counterparty)
    )
    for key, name in matched.order_by().values_list("object_id", "company__name"):
        found[key].append(name)
    return found


def read_references(model: type[Any]) -> dict[UUID, dict[str, str]]:
    """The keys by which registers know records of the model, by record and code of the register.
    A reference is a register's if its source is the code or the name of that."""
    codes = {}
    for register in Register.objects.all():
        codes[name_key(register.code)] = codes[name_key(register.name)] = register.code
    found: dict[UUID, dict[str, str]] = defaultdict(dict)
    references = ExternalReference.objects.filter(
        content_type=ContentType.objects.get_for_model(model)
    )
    for key, source, text in references.order_by("pk").values_list("object_id", "source", "key"):
        if code := codes.get(name_key(source)):
            found[key][code] = f"{found[key].get(code, '')} {text}".strip()
    return dict(found)
