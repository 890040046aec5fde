"""An invented register, which says of invented projects what a planning authority would.

Rows of real registers are about real projects: none of them is a project of the sample. So that
matches and what follows from them can be seen, this one has the sample's own projects, some with
something else than we say, and others of the sample's developers.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from random import Random

from counterparties.models import Counterparty
from dashboard.sample.names import plant_name, site_name
from dashboard.sample.tables import PLACES, TECHNOLOGIES, Row, choose, span
from oegen.imports.tables.kinds import REFERENCE
from pipelines.choices import RAG, Outcome
from pipelines.models import Facility, Pipeline
from pipelines.registers.adapters.declared import DeclaredStatus as Status

CODE = "sample-planning"

#: What the record of the register says; the heading of each column, and its field.
REGISTER = {
    "code": CODE,
    "name": "Sample planning register",
    "publisher": "Invented for the sample portfolio",
    "country": "GB",
    "licence_name": "None, invented data",
    "licence_url": "https://planning.example/licence",
    "attribution": (
        "Sample planning register: no such register, authority or project exists, all of it is "
        "invented."
    ),
}
FIELDS = {
    "Reference": REFERENCE,
    "Project": "name",
    "Applicant": "operator",
    "Technology": "technology",
    "Capacity (MW)": "capacity_mw",
    "Latitude": "latitude",
    "Longitude": "longitude",
    "Country": "country",
    "Region": "region",
    "Status": "status",
    "Applied": "submitted",
    "Refused": "refused",
    "Withdrawn": "withdrawn",
    "Consented": "consented",
    "Consent expires": "consent_expires",
    "Construction": "construction",
    "Operation": "operational",
    "Grid connection": "grid",
}
_READINGS = {
    "capacity_mw": {"decimal": ".", "unit": "MW", "basis": "ac"},
    "latitude": {"decimal": ".", "system": "4326"},
    "longitude": {"decimal": ".", "system": "4326"},
}
_DAYS = ("submitted", "refused", "withdrawn", "consented", "construction", "operational")
MAPPING = {
    "columns": [
        {
            "heading": heading,
            "field": name,
            "reading": _READINGS.get(name, {"order": "ymd"} if name in _DAYS else {}),
        }
        for heading, name in FIELDS.items()
    ]
}

#: The column of the day on which an application got its status.
_COLUMNS = {
    Status.APPLIED: "Applied",
    Status.REFUSED: "Refused",
    Status.WITHDRAWN: "Withdrawn",
    Status.CONSENTED: "Consented",
    Status.CONSTRUCTION: "Construction",
    Status.BUILT: "Operation",
}

#: What an application has become when a project is in a stage.
_BY_STAGE = {
    "design": Status.APPLIED,
    "procurement": Status.CONSENTED,
    "construction": Status.CONSTRUCTION,
    "commissioning": Status.CONSTRUCTION,
    "completed": Status.BUILT,
}
_BY_OUTCOME = {Outcome.REFUSED: Status.REFUSED, Outcome.WITHDRAWN: Status.WITHDRAWN}
_BEFORE = {
    Status.BUILT: Status.CONSTRUCTION,
    Status.CONSTRUCTION: Status.CONSENTED,
    Status.CONSENTED: Status.APPLIED,
    Status.REFUSED: Status.APPLIED,
    Status.WITHDRAWN: Status.APPLIED,
}

#: How many days it takes until a status, from the one before it: at least, at most.
_TAKES = {
    Status.REFUSED: (150, 500),
    Status.WITHDRAWN: (60, 600),
    Status.CONSENTED: (120, 800),
    Status.CONSTRUCTION: (150, 900),
}

#: How long a consent is good for.
_GOOD_FOR = timedelta(3 * 365)

#: Other applications for each developer.
_OTHERS = 7

#: The most projects of ours, and developers, that the register knows, however large the sample is.
_MOST_PROJECTS, _MOST_DEVELOPERS = 300, 60

#: Of so many matches one is left to people.
_ONE_OF = 3
_OLDEST_DAYS, _NEWEST_DAYS = 3400, 60


@dataclass
class Application:
    """A row of the register. ``days`` are those on which it got its statuses."""

    reference: str
    name: str
    applicant: str
    technology: str
    capacity_mw: Decimal
    latitude: float
    longitude: float
    country: str
    region: str
    days: dict[Status, date] = field(default_factory=dict)
    expires_on: date | None = None
    grid_on: date | None = None
    #: The facility of ours that it is.
    facility: Facility | None = None

    def row(self, on: date) -> dict[str, str] | None:
        """What the edition of the day says; None if the application was made later."""
        reached = {status: day for status, day in self.days.items() if day <= on}
        if not reached:
            return None
        status = max(reached, key=lambda one: (reached[one], list(_COLUMNS).index(one)))
        row = {
            "Reference": self.reference,
            "Project": self.name,
            "Applicant": self.applicant,
            "Technology": self.technology,
            "Capacity (MW)": f"{self.capacity_mw}",
            "Latitude": f"{self.latitude:.5f}",
            "Longitude": f"{self.longitude:.5f}",
            "Country": self.country,
            "Region": self.region,
            "Status": str(status.label),
            "Grid connection": f"{self.grid_on or ''}",
        }
        if Status.CONSENTED in reached:
            row["Consent expires"] = f"{self.expires_on or reached[Status.CONSENTED] + _GOOD_FOR}"
        return row | {_COLUMNS[one]: f"{day}" for one, day in reached.items()}


def is_left_to_people(number: int) -> bool:
    """Whether nobody has decided the match of our project with that place among these, from 0."""
    return number % _ONE_OF == _ONE_OF - 1


def invent_applications(rng: Random, today: date) -> list[Application]:
    """The applications of our projects first, in the order of their names."""
    found = [*_of_our_projects(rng, today), *_of_others(rng, today)]
    for number, application in enumerate(found, start=1):
        application.reference = f"SPR/{number:04}"
    return found


# Our projects


def _of_our_projects(rng: Random, today: date) -> Iterator[Application]:
    """One for the first facility of each project that has been designed and has a capacity."""
    pipelines = Pipeline.objects.prefetch_related(
        "transitions__stage", "facilities__technology", "counterparty_links__counterparty"
    ).order_by("project_name")
    seen: set[Facility] = set()
    alike: Counter[tuple[str, str]] = Counter()
    for pipeline in pipelines[:_MOST_PROJECTS]:
        facility = min(pipeline.facilities.all(), key=lambda one: one.name, default=None)
        days = _days_of(rng, pipeline)
        if facility is None or facility in seen or facility.capacity_mw is None or not days:
            continue
        application = Application(
            reference="",
            name=facility.name,
            applicant=_lead_of(pipeline),
            technology=facility.technology.code,
            capacity_mw=facility.export_limit_mw or facility.capacity_mw,
            latitude=float(facility.latitude),
            longitude=float(facility.longitude),
            country=str(facility.country),
            region=facility.region,
            days=days,
            facility=facility,
        )
        if is_left_to_people(len(seen)):
            _describe_otherwise(application)
        elif pipeline.outcome == Outcome.ACTIVE:
            kind = pipeline.stage.code, pipeline.rag_status
            _differ(application, pipeline, alike[kind], today)
            alike[kind] += 1
        seen.add(facility)
        yield application


def _describe_otherwise(application: Application) -> None:
    """As registers often do, with two letters in the wrong order: so that matching is not sure."""
    name, middle = application.name, len(application.name) * 2 // 3
    application.name = name[:middle] + name[middle:][1::-1] + name[middle + 2 :]
    if application.applicant:
        application.applicant = f"{application.applicant.split()[0]} Projects Ltd"
    application.latitude += 0.015
    application.capacity_mw = (application.capacity_mw * Decimal("0.92")).quantize(Decimal("0.1"))


def _lead_of(pipeline: Pipeline) -> str:
    links = sorted(pipeline.counterparty_links.all(), key=lambda link: link.created_at)
    return links[0].counterparty.name if links else ""


def _days_of(rng: Random, pipeline: Pipeline) -> dict[Status, date]:
    """By status the day on which the project got there, with days before for what it had behind
    it when it was entered."""
    days: dict[Status, date] = {}
    for transition in sorted(pipeline.transitions.all(), key=lambda one: one.effective_on):
        status = _BY_OUTCOME.get(transition.outcome) or _BY_STAGE.get(transition.stage.code)
        if status and status not in days:
            days[status] = transition.effective_on
    for status in reversed(_COLUMNS):
        before = _BEFORE.get(status)
        if status in days and before and before not in days:
            shortest, longest = _TAKES.get(status, (250, 500))
            days[before] = days[status] - timedelta(rng.randint(shortest, longest))
    return days


def _differ(application: Application, pipeline: Pipeline, number: int, today: date) -> None:
    """Let the register say something else than we do about some of the projects in a stage with a
    rating, which are numbered."""
    days = application.days
    # A decision comes after the application.
    applied = min(days[Status.APPLIED], today - timedelta(300))
    match pipeline.stage.code, number:
        case "design", 0 if pipeline.rag_status == RAG.GREEN:
            days |= {Status.APPLIED: applied, Status.REFUSED: today - timedelta(44)}
        case "design", 0:
            days |= {Status.APPLIED: applied, Status.CONSENTED: today - timedelta(61)}
        case "design", 1:
            smaller = application.capacity_mw * Decimal("0.7")
            application.capacity_mw = smaller.quantize(Decimal("0.1"))
        case "procurement", 0:
            application.expires_on = today + timedelta(97)
        case "procurement", 1 if pipeline.rtb_date:
            application.grid_on = pipeline.rtb_date + timedelta(640)
        case "construction", 0:
            application.latitude += 0.07


# Projects of others


def _of_others(rng: Random, today: date) -> Iterator[Application]:
    developers = Counterparty.objects.filter(
        pipeline_links__role__code__in=("lead-developer", "co-developer")
    )
    for developer in developers.distinct().order_by("name")[:_MOST_DEVELOPERS]:
        for _ in range(_OTHERS):
            yield _of_other(rng, developer, today)


def _of_other(rng: Random, developer: Counterparty, today: date) -> Application:
    technology = rng.choice(list(TECHNOLOGIES))
    languages = set(TECHNOLOGIES[technology]["languages"].split(", "))
    fitting = [row for row in PLACES if row["language"] in languages]
    near = [row for row in fitting if row["country"] == developer.country]
    place = rng.choice(near or fitting)
    return Application(
        reference="",
        name=plant_name(site_name(rng, place), place, technology),
        applicant=developer.name,
        technology=technology,
        capacity_mw=_choose_mw(rng, TECHNOLOGIES[technology]),
        latitude=rng.gauss(float(place["latitude"]), 0.1),
        longitude=rng.gauss(float(place["longitude"]), 0.15),
        country=place["country"],
        region=place["region"],
        days=_invent_days(rng, technology, today),
    )


def _choose_mw(rng: Random, row: Row) -> Decimal:
    smallest, largest = span(row, "megawatts")
    size = smallest * (largest / smallest) ** rng.random()
    if row["turbines_mw"]:
        turbine = float(choose(rng, row, "turbines_mw")[0])
        size = turbine * math.ceil(size / turbine)
    return Decimal(f"{size:.1f}")


def _invent_days(rng: Random, technology: str, today: date) -> dict[Status, date]:
    """Until today: seven of ten applications are granted, and four of five of these built."""
    day = today - timedelta(rng.randint(_NEWEST_DAYS, _OLDEST_DAYS))
    days = {Status.APPLIED: day}
    decision = rng.choices((Status.CONSENTED, Status.REFUSED, Status.WITHDRAWN), (70, 18, 12))[0]
    path = [decision]
    if decision == Status.CONSENTED and rng.random() < 0.8:
        path += [Status.CONSTRUCTION, Status.BUILT]
    for status in path:
        shortest, longest = _TAKES.get(status) or span(TECHNOLOGIES[technology], "build_days")
        day += timedelta(rng.randint(shortest, longest))
        if day > today:
            break
        days[status] = day
    return days
