"""A project or a company of a register beside a record of ours, cell by cell."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from django.db.models import Count, Q, Sum

from counterparties.models import Counterparty
from oegen.core.fields import country_name
from oegen.core.words import count, day, degrees, number, plain
from pipelines.choices import CapacityBasis, Outcome
from pipelines.models import Facility, Pipeline
from pipelines.models.pipeline import ON_HOLD
from pipelines.registers.choices import RegisterOutcome
from pipelines.registers.matching.blocking import distance_km
from pipelines.registers.matching.companies import parse_company, parse_operators
from pipelines.registers.matching.normalising import parse_name
from pipelines.registers.matching.scoring import MAX_DC_PER_AC
from pipelines.registers.matching.subjects import Point, point_of
from pipelines.registers.models import RegisterCompany, RegisterProject

#: Capacities differ if they are more than this share apart, places by more than so many km.
_SAME_SHARE, _SAME_KM = 0.05, 1.0

#: Names of companies that a cell has at most.
_FEW = 4


@dataclass(frozen=True)
class Cell:
    """What both sides say of one thing; ``note`` says how they compare, if more is to be said."""

    label: str
    ours: str
    theirs: str
    differs: bool = False
    note: str = ""


def compare_project(record: Pipeline | Facility, project: RegisterProject) -> list[Cell]:
    """``record`` has its facilities, pipelines and counterparties prefetched."""
    return [cell for cell in _project_cells(record, project) if cell.ours or cell.theirs]


def facilities_of(record: Pipeline | Facility) -> list[Facility]:
    return list(record.facilities.all()) if isinstance(record, Pipeline) else [record]


def _pipelines_of(record: Pipeline | Facility) -> list[Pipeline]:
    return [record] if isinstance(record, Pipeline) else list(record.pipelines.all())


def _project_cells(record: Pipeline | Facility, project: RegisterProject) -> Iterator[Cell]:
    facilities, pipelines = facilities_of(record), _pipelines_of(record)
    names = list(dict.fromkeys([str(record), *map(str, facilities)]))
    is_named = any(parse_name(one).key == parse_name(project.name).key for one in names)
    yield Cell("Name", " / ".join(names), project.name, not is_named)
    yield _technology(facilities, project)
    yield _capacity(facilities, project)
    yield from _place(facilities, project)
    companies = {
        link.counterparty: None for one in pipelines for link in one.counterparty_links.all()
    }
    yield _companies(list(companies), project)
    yield _status(pipelines, project)
    yield Cell("Application submitted", "", _day(project.submitted_on))
    yield Cell("Consented", "", _day(project.consented_on))
    yield Cell("Ready to build", _days(one.rtb_date for one in pipelines), "")
    operational = project.operational_on or project.expected_on or project.grid_on
    yield Cell("In operation", _days(one.cod_date for one in pipelines), _day(operational))
    yield Cell("Reference", "", project.key)


def _technology(facilities: list[Facility], project: RegisterProject) -> Cell:
    ours = {one.technology_id: one.technology for one in facilities}
    theirs = project.technology.name if project.technology else project.raw_technology
    kin = {key for one in ours.values() for key in (one.pk, one.parent_id) if key}
    differs = bool(ours and theirs) and (
        project.technology is None
        or not {project.technology.pk, project.technology.parent_id} & kin
    )
    return Cell("Technology", ", ".join(map(str, ours.values())), theirs, differs)


def _capacity(facilities: list[Facility], project: RegisterProject) -> Cell:
    known = [one.capacity_mw for one in facilities if one.capacity_mw is not None]
    units = {one.technology.unit_label for one in facilities}
    unit = units.pop() if len(units) == 1 else "MW, mixed"
    ours = sum(known) if known and len(known) == len(facilities) else None
    theirs = project.capacity_mw
    basis = {one.technology.capacity_basis for one in facilities}
    note, differs = "", False
    if ours and theirs and theirs > 0:
        ratio = float(ours) / float(theirs)
        most = 1 + _SAME_SHARE
        if basis == {CapacityBasis.DC} and project.capacity_basis == CapacityBasis.AC:
            note = "Ours is DC, theirs AC: a solar park has more DC."
            differs = not 1 / most <= ratio <= MAX_DC_PER_AC
        else:
            differs = not 1 / most <= ratio <= most
    return Cell(
        "Capacity",
        f"{plain(ours)} {unit}" if ours is not None else "",
        f"{plain(theirs)} {project.unit}" if theirs is not None else "",
        differs,
        note,
    )


def _place(facilities: list[Facility], project: RegisterProject) -> Iterator[Cell]:
    placed = [
        found for one in facilities if (found := point_of(one.latitude, one.longitude)) is not None
    ]
    point = point_of(project.latitude, project.longitude)
    note, differs = "", False
    if point is not None and placed:
        distance = min(distance_km(one, point) for one in placed)
        about = "About " if project.is_approximate else ""
        note = f"{about}{number(distance)} km apart."
        differs = distance > _SAME_KM and not project.is_approximate
    ours, theirs = map(_in_degrees, placed[:_FEW]), _in_degrees(point) if point else ""
    yield Cell("Point", "; ".join(ours), theirs, differs, note)
    regions = list(dict.fromkeys(one.region for one in facilities if one.region))
    countries = {one.country for one in facilities if one.country}
    yield Cell(
        "Country",
        ", ".join(map(country_name, sorted(countries))),
        country_name(project.country),
        bool(countries and project.country) and project.country not in countries,
    )
    where = dict.fromkeys(filter(None, (project.place, project.region)))
    yield Cell("Where", ", ".join(regions), ", ".join(where))


def _in_degrees(point: Point) -> str:
    latitude, longitude = (Decimal(f"{value:.4f}") for value in point)
    return f"{degrees(latitude, 'NS')}, {degrees(longitude, 'EW')}"


def _companies(ours: list[Counterparty], project: RegisterProject) -> Cell:
    mine = {
        parsed.key
        for one in ours
        for name in (one.name, *one.alias_list)
        if (parsed := parse_company(name)) is not None
    }
    theirs = {one.key for one in parse_operators(project.operator)}
    names = [one.name for one in ours]
    text = ", ".join(names[:_FEW])
    if len(names) > _FEW:
        text += f" and {len(names) - _FEW} more"
    differs = bool(mine and theirs) and not mine & theirs and not project.is_private
    return Cell("Companies", text, project.operator, differs)


def _status(pipelines: list[Pipeline], project: RegisterProject) -> Cell:
    ours = ", ".join(dict.fromkeys(one.status_label for one in pipelines))
    theirs = project.raw_status
    stage = project.stage.name if project.stage else ""
    if project.outcome == RegisterOutcome.ON_HOLD:
        stage = ON_HOLD
    label = stage or str(RegisterOutcome(project.outcome).label)
    if label.casefold() != theirs.casefold():
        theirs = f"{theirs} ({label})" if theirs else label
    differs = bool(pipelines) and not any(_has_status(one, project) for one in pipelines)
    return Cell("Status", ours, theirs, differs)


def _has_status(pipeline: Pipeline, project: RegisterProject) -> bool:
    if pipeline.outcome != Outcome.ACTIVE or project.stage_id is None:
        return str(pipeline.outcome) == str(project.outcome)
    return pipeline.stage_id == project.stage_id


def _day(value: date | None) -> str:
    return day(value) if value else ""


def _days(values: Iterable[date | None]) -> str:
    return ", ".join(dict.fromkeys(day(value) for value in values if value))


# Companies ------------------------------------------------------------------------------------


def compare_company(record: Counterparty | RegisterCompany, company: RegisterCompany) -> list[Cell]:
    cells = [
        Cell("Name", record.name, company.name, _key(record.name) != _key(company.name)),
        Cell("Other names", ", ".join(_aliases(record)), ", ".join(company.aliases)),
    ]
    if isinstance(record, RegisterCompany):
        ours, theirs = _register_facts(record), _register_facts(company)
    else:
        ours, theirs = _own_facts(record), _register_facts(company)
        cells.append(
            Cell(
                "Number",
                ", ".join(filter(None, (record.company_number, record.lei))),
                _number(company),
            )
        )
    labels = ("Countries", "Technologies", "Projects")
    cells += [Cell(label, ours[label], theirs[label]) for label in labels]
    return [cell for cell in cells if cell.ours or cell.theirs]


def _aliases(record: Counterparty | RegisterCompany) -> list[str]:
    return record.alias_list if isinstance(record, Counterparty) else list(record.aliases)


def _number(company: RegisterCompany) -> str:
    return ", ".join(str(one) for one in company.identifiers.values())


def _key(name: str) -> str:
    parsed = parse_company(name)
    return parsed.key if parsed else name


def _register_facts(company: RegisterCompany) -> dict[str, str]:
    projects = RegisterProject.objects.in_newest().filter(company_links__company=company)
    countries = projects.order_by("country").values_list("country", flat=True).distinct()
    kinds = (
        projects.exclude(technology=None)
        .order_by()
        .values("technology__name")
        .annotate(number=Count("pk"))
        .order_by("-number", "technology__name")
        .values_list("technology__name", flat=True)
    )
    sums = projects.order_by().aggregate(number=Count("pk"), mw=Sum("capacity_mw"))
    return {
        "Countries": ", ".join(country_name(one) for one in countries if one),
        "Technologies": ", ".join(kinds[:_FEW]),
        "Projects": _projects(sums["number"], sums["mw"], "project"),
    }


def _own_facts(counterparty: Counterparty) -> dict[str, str]:
    pipelines = Pipeline.objects.filter(counterparties=counterparty).distinct()
    facilities = Facility.objects.filter(pipelines__in=pipelines.order_by().values("pk"))
    kinds = facilities.order_by("technology__order").values_list("technology__name", flat=True)
    countries = facilities.filter(~Q(country="")).order_by("country")
    names = [counterparty.country, *countries.values_list("country", flat=True).distinct()]
    capacity = pipelines.capacity()
    return {
        "Countries": ", ".join(dict.fromkeys(country_name(one) for one in names if one)),
        "Technologies": ", ".join(list(dict.fromkeys(kinds))[:_FEW]),
        "Projects": _projects(pipelines.count(), capacity.mw, "pipeline"),
    }


def _projects(amount: int, megawatts: Any, noun: str) -> str:
    if not amount:
        return f"No {noun}"
    return f"{count(amount, noun)}, {number(megawatts or 0)} MW"
