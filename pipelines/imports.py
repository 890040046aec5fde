"""What can be imported of pipelines: projects with their facilities and counterparties, facilities,
milestones."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from typing import Any

from django.core.exceptions import ValidationError
from django.utils import timezone

from counterparties.imports import COMPUTED, COUNTERPARTIES
from oegen.core.text import name_key
from oegen.imports.cells import quote
from oegen.imports.tables.kinds import (
    ImportField,
    ImportKind,
    LinkTo,
    Part,
    Sets,
    part_fields,
    register,
)
from oegen.imports.tables.lookups import Lookups
from oegen.imports.tables.reading import Value
from oegen.imports.tables.readings import Reading, text_of
from oegen.imports.tables.values import (
    Choice,
    Country,
    Day,
    InRole,
    Named,
    Number,
    Person,
    Reads,
    Row,
    Several,
    YesNo,
)
from oegen.models import User
from pipelines.choices import ON_HOLD, RAG, Outcome
from pipelines.models import (
    CounterpartyRole,
    Facility,
    Milestone,
    MilestoneKind,
    Pipeline,
    PipelineCounterparty,
    PipelineFacility,
    Stage,
    Technology,
)
from pipelines.reference import LEAD_DEVELOPER_ID
from pipelines.services import check_effective_day

#: “Birch Energy (Owner)”, as lists show it.
_NAME_IN_ROLE = re.compile(r"(?P<name>.+) \((?P<role>[^()]+(?:\([^()]*\))?[^()]*)\)")


def _total(figures: Iterable[Decimal | None]) -> Decimal | None:
    known = [figure for figure in figures if figure is not None]
    return sum(known, Decimal(0)) if known else None


def _total_of(name: str):
    return lambda records: _total(getattr(record, name) for record in records)


def _basis(facility: Facility) -> str:
    return facility.technology.capacity_basis if facility.technology_id else ""


FACILITIES = register(
    ImportKind(
        name="facilities",
        model=Facility,
        computed=COMPUTED | {"Pipelines", "Capacity, MWp DC", "Capacity, MW AC"},
        own_fields=(
            ImportField(
                name="name",
                label="Facility",
                other_names=("Name", "Facility name", "Plant", "Site", "Site name", "Anlage"),
            ),
            ImportField(
                name="technology",
                label="Technology",
                reads=Row(Technology),
                other_names=("Technology type", "Tech", "Energieträger"),
            ),
            ImportField(
                name="capacity_mw",
                label="Capacity, MW/MWp",
                reads=Number("MW"),
                other_names=("Capacity", "Installed capacity", "Installed capacity (MWelec)"),
                total=_total_of("capacity_mw"),
                basis=_basis,
            ),
            ImportField(
                name="storage_mwh",
                label="Storage, MWh",
                reads=Number("MWh"),
                other_names=("Storage", "Energy", "Nutzbare Speicherkapazität"),
                total=_total_of("storage_mwh"),
            ),
            ImportField(
                name="export_limit_mw",
                label="Export limit, MW",
                reads=Number("MW"),
                other_names=("Export limit", "Grid capacity"),
                total=_total_of("export_limit_mw"),
            ),
            ImportField(name="country", label="Country", reads=Country(), other_names=("Land",)),
            ImportField(
                name="region", label="Region", other_names=("County", "State", "Bundesland")
            ),
            ImportField(
                name="latitude",
                label="Latitude, °N",
                reads=Number("°", 6),
                other_names=(
                    *("Latitude", "Lat", "Y-coordinate", "Northing"),
                    "Koordinate: Breitengrad (WGS84)",
                ),
            ),
            ImportField(
                name="longitude",
                label="Longitude, °E",
                reads=Number("°", 6),
                other_names=(
                    *("Longitude", "Long", "Lon", "Lng", "X-coordinate", "Easting"),
                    "Koordinate: Längengrad (WGS84)",
                ),
            ),
        ),
    )
)


class Status(Reads):
    """A stage, “On hold”, or an outcome, as lists show it."""

    has_vocabulary = True

    def read(self, value: Value, reading: Reading, lookups: Lookups) -> Any:
        key = name_key(text_of(value))
        if key == name_key(ON_HOLD):
            return ON_HOLD
        for outcome in Outcome:
            if key in (outcome.value, name_key(str(outcome.label))) and outcome != Outcome.ACTIVE:
                return outcome
        if found := lookups.rows(Stage).get(key):
            return found
        known = [*dict.fromkeys(row.name for row in lookups.rows(Stage).values()), ON_HOLD]
        known += [str(outcome.label) for outcome in Outcome if outcome != Outcome.ACTIVE]
        raise ValidationError(
            f"{quote(text_of(value))} is no status that is known here: write one of "
            f"{', '.join(known)}."
        )

    def show(self, value: Any) -> str:
        return str(value.label) if isinstance(value, Outcome) else str(value or "")

    def options(self, lookups: Lookups) -> list[tuple[str, str]]:
        rows = dict.fromkeys(lookups.rows(Stage).values())
        others = [(str(outcome), str(outcome.label)) for outcome in Outcome]
        return [*((row.code, row.name) for row in rows), (ON_HOLD, ON_HOLD), *others[1:]]


def _status_of(pipeline: Pipeline) -> Any:
    if not pipeline.stage_id:
        return None
    if pipeline.outcome != Outcome.ACTIVE:
        return Outcome(pipeline.outcome)
    is_held = pipeline.on_hold and not pipeline.stage.is_terminal
    return ON_HOLD if is_held else pipeline.stage


def _set_status(pipeline: Pipeline, value: Any) -> Sets:
    if value is None:
        return []
    if value == ON_HOLD:
        return [(pipeline, {"on_hold": True, "outcome": Outcome.ACTIVE})]
    if isinstance(value, Outcome):
        return [(pipeline, {"outcome": value})]
    values = {"stage": value, "on_hold": False, "on_hold_reason": "", "outcome": Outcome.ACTIVE}
    return [(pipeline, values)]


def _no_day(pipeline: Pipeline) -> date | None:
    return pipeline.status_effective_on


def _prepare(pipeline: Pipeline, changed: set[str], person: User | None) -> None:
    """A new status starts on the day that the row says, if any; a new rating is confirmed."""
    status = {"stage", "on_hold", "outcome"}
    if pipeline.status_effective_on is not None:
        if status & changed:
            check_effective_day(pipeline, changed)
        else:
            pipeline.status_effective_on = None
    if pipeline._state.adding and pipeline.rag_status and pipeline.rag_confirmed_at is None:
        pipeline.rag_confirmed_at = timezone.now()
    if not pipeline._state.adding and not pipeline.on_hold and "on_hold" in changed:
        changed.add("on_hold_reason")
        pipeline.on_hold_reason = ""


FACILITY = Part(
    name="facility",
    label="Facility",
    kind="facilities",
    link=LinkTo(model=PipelineFacility, owner="pipeline", target="facility"),
    is_single=False,
    named_by_owner=True,
)
LEAD = Part(
    name="lead",
    label="Lead developer",
    kind="counterparties",
    link=LinkTo(
        model=PipelineCounterparty,
        owner="pipeline",
        target="counterparty",
        values={"role_id": LEAD_DEVELOPER_ID},
    ),
)

_own = {one.name: one for one in FACILITIES.own_fields}

_FACILITY_FIELDS = part_fields(
    FACILITY.name,
    FACILITIES,
    {
        "name": ("Facilities", ("Facility", "Facility name")),
        "technology": ("Technologies", ("Technology", *_own["technology"].other_names)),
        **{
            name: (_own[name].label, _own[name].other_names)
            for name in (
                *("capacity_mw", "storage_mwh", "export_limit_mw", "country", "region"),
                *("latitude", "longitude"),
            )
        },
    },
)

_LEAD_FIELDS = part_fields(
    LEAD.name,
    COUNTERPARTIES,
    {
        "name": (
            "Lead developer",
            (
                *("Developer", "Operator", "Operator (or Applicant)", "Counterparty"),
                "Name des Anlagenbetreibers (nur Org.)",
            ),
        ),
        "lei": ("Lead developer: LEI", ()),
        "company_number": ("Lead developer: company number", ()),
        "country": ("Lead developer: country", ()),
        "website": ("Lead developer: website", ()),
    },
)

PIPELINES = register(
    ImportKind(
        name="pipelines",
        model=Pipeline,
        name_field="project_name",
        parts=(FACILITY, LEAD),
        prefetch=("milestones",),
        prepare=_prepare,
        grouping_label="Rows with the same value are facilities of one project",
        computed=COMPUTED
        | {
            *("RAG confirmed", "RTB baseline", "RTB against baseline, days", "Needs attention"),
            *("Net, MW/MWp", "Gross weighted, MW/MWp", "Net weighted, MW/MWp"),
            *("Of which storage, MW", "Capacity, MWp DC", "Capacity, MW AC"),
            *("Registers say otherwise", "Licences of registers"),
        },
        own_fields=(
            ImportField(
                name="project_name",
                label="Pipeline",
                other_names=("Project", "Project name", "ProjectName", "Name", "Site name"),
            ),
            ImportField(
                name="stage",
                label="Stage",
                reads=Row(Stage),
                other_names=("Project stage", "Phase"),
            ),
            ImportField(
                name="status",
                attribute="stage",
                label="Status",
                reads=Status(),
                other_names=("Project status", "ProjectStatus", "Development status"),
                get=_status_of,
                set=_set_status,
            ),
            ImportField(
                name="status_effective_on",
                label="Status since",
                reads=Day(),
                other_names=("Stage since", "Effective on"),
                get=_no_day,
            ),
            ImportField(name="on_hold", label="On hold", reads=YesNo()),
            ImportField(name="on_hold_reason", label="Why on hold"),
            ImportField(name="outcome", label="Outcome", reads=Choice(Outcome)),
            ImportField(
                name="rag_status",
                label="RAG",
                reads=Choice(RAG, {"not rated": ""}),
                other_names=("RAG status", "RAGStatus", "Rating"),
            ),
            ImportField(name="rag_comment", label="RAG comment", other_names=("RAGComment",)),
            ImportField(
                name="rtb_date",
                label="RTB date",
                reads=Day(),
                other_names=("RTB", "RTBDate", "Ready to build"),
            ),
            ImportField(
                name="cod_date",
                label="COD",
                reads=Day(),
                other_names=("COD date", "Commercial operation date", "Commercial operation"),
            ),
            ImportField(
                name="ownership_pct",
                label="Ownership, %",
                reads=Number("%", 2),
                other_names=("Ownership", "Our share"),
            ),
            ImportField(
                name="probability_pct",
                label="Own probability, %",
                reads=Number("%", 2),
                other_names=("Probability",),
            ),
            ImportField(name="probability_reason", label="Why this probability"),
            ImportField(
                name="probability_expires_on", label="Probability valid until", reads=Day()
            ),
            ImportField(
                name="responsible",
                label="Responsible",
                reads=Person(),
                other_names=("Project manager",),
            ),
            ImportField(name="next_step", label="Next step"),
            ImportField(name="next_step_on", label="Next step due", reads=Day()),
            ImportField(
                name="counterparties",
                label="Counterparties",
                reads=Several(
                    InRole(
                        "counterparties",
                        CounterpartyRole,
                        _NAME_IN_ROLE,
                        "{name} ({role})",
                        "Birch Energy (Owner)",
                    )
                ),
                link=LinkTo(
                    model=PipelineCounterparty,
                    owner="pipeline",
                    target="counterparty",
                    role="role",
                ),
            ),
            *_FACILITY_FIELDS,
            *_LEAD_FIELDS,
        ),
    )
)


# Milestones -------------------------------------------------------------------------------------


def _set_forecast(milestone: Milestone, value: date | None) -> Sets:
    if name := milestone.pipeline_field:
        return [(milestone.pipeline, {name: value})]
    return [(milestone, {"forecast_on": value})]


def _set_actual(milestone: Milestone, value: date | None) -> Sets:
    """The day it happened; None takes back that it did."""
    if name := milestone.pipeline_field:
        day = [(milestone.pipeline, {name: value})] if value else []
        return [*day, (milestone, {"is_actual": value is not None})]
    return [(milestone, {"actual_on": value})]


def _day_of(milestone: Milestone) -> date | None:
    return milestone.actual or milestone.forecast


def _set_day(milestone: Milestone, value: date | None) -> Sets:
    return _set_actual(milestone, value) if milestone.actual else _set_forecast(milestone, value)


def _confirm(milestone: Milestone, changed: set[str], person: User | None) -> None:
    before = milestone.confirmed_by_id
    milestone.confirm(person, changed)
    if milestone.confirmed_by_id != before:
        changed.add("confirmed_by")


MILESTONES = register(
    ImportKind(
        name="milestones",
        model=Milestone,
        name_field="",
        key_fields=("pipeline", "kind"),
        prepare=_confirm,
        computed=COMPUTED | {"State", "Responsible", "Confirmed by"},
        own_fields=(
            ImportField(
                name="pipeline",
                label="Pipeline",
                reads=Named("pipelines"),
                other_names=("Project", "Project name", "Pipeline ID"),
            ),
            ImportField(
                name="kind",
                label="Milestone",
                reads=Row(MilestoneKind),
                other_names=("Kind", "Kind of milestone", "Event"),
            ),
            ImportField(
                name="day",
                label="Expected or done",
                reads=Day(),
                other_names=("Day", "Date"),
                get=_day_of,
                set=_set_day,
            ),
            ImportField(
                name="forecast",
                label="Forecast",
                reads=Day(),
                other_names=("Expected", "Forecast date", "Due"),
                get=lambda milestone: milestone.forecast,
                set=_set_forecast,
            ),
            ImportField(
                name="actual",
                label="Actual",
                reads=Day(),
                other_names=("Done", "Actual date", "Happened on"),
                get=lambda milestone: milestone.actual,
                set=_set_actual,
            ),
            ImportField(
                name="baseline_on",
                label="Approved baseline",
                reads=Day(),
                other_names=("Baseline",),
            ),
            ImportField(
                name="evidence_note", label="Evidence", other_names=("Evidence note", "Proof")
            ),
            ImportField(
                name="evidence_url",
                label="Link to the evidence",
                other_names=("Evidence link", "Evidence URL"),
            ),
        ),
    )
)
