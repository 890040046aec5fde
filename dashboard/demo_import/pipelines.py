"""pipelines.csv: each row is a pipeline with its facility and lead developer."""

import uuid
from collections import defaultdict
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.text import get_text_list

from counterparties.models import Counterparty
from dashboard.demo_import.counterparties import CounterpartyNames, with_dates
from dashboard.demo_import.importer import (
    CREATED_ROW,
    UNCHANGED_ROW,
    UPDATED_ROW,
    Importer,
    ImportRun,
    PastRow,
    Writes,
    changed_fields,
    check_past_fields,
    check_record,
)
from dashboard.demo_import.moves import first_stage, moves_of, transitions_before
from dashboard.demo_import.past import Past
from dashboard.demo_import.vocabulary import Vocabulary
from oegen.audit import questions
from oegen.imports import (
    Cell,
    Row,
    RowForm,
    day,
    derived_id,
    identifier,
    moment,
    number,
    one_line,
    quote,
    text,
)
from pipelines.choices import RAG
from pipelines.models import (
    Facility,
    Pipeline,
    PipelineCounterparty,
    PipelineFacility,
    StageTransition,
    Technology,
)
from pipelines.reference import LEAD_DEVELOPER_ID

#: The columns of older audit rows with the capacity of each technology.
OLD_CAPACITY = {"solar": "SolarCapacity", "wind": "WindCapacity", "bess": "BESSCapacity"}
USE_CAPACITY = (
    f"In this older layout {get_text_list([*OLD_CAPACITY.values()], 'and')} hold the capacity: "
    "add a column “Capacity” with the figure that belongs to each row’s technology."
)
GUESSED = "On hold, and the stage beneath guessed as Discovery"


def rag(value: str) -> str:
    if value.lower() not in RAG.values:
        raise ValidationError(
            f"{quote(value)} is not a RAG rating. Write {', '.join(RAG.labels)} or nothing."
        )
    return value.lower()


class PipelineForm(RowForm):
    ID = Cell(identifier, required=True)
    CounterpartyID = Cell(identifier)
    ProjectName = Cell(one_line, required=True)
    Long = Cell(number(places=6, rounded=True))
    Lat = Cell(number(places=6, rounded=True))
    Technology = Cell(one_line, required=True)
    Capacity = Cell(number(places=3))
    ProjectStatus = Cell(one_line, required=True)
    RTBDate = Cell(day)
    RAGStatus = Cell(rag, empty="")
    RAGComment = Cell(text, empty="")
    LastModified = Cell(moment)
    Created = Cell(moment)


def facility_id_of(pipeline: uuid.UUID) -> uuid.UUID:
    return derived_id("facility", pipeline)


def facility_link(pipeline: uuid.UUID, facility: uuid.UUID) -> PipelineFacility:
    return PipelineFacility(
        id=derived_id("pipelinefacility", pipeline, facility),
        pipeline_id=pipeline,
        facility_id=facility,
    )


def lead_link(pipeline: uuid.UUID, counterparty: uuid.UUID) -> PipelineCounterparty:
    """An unsaved link. Its id derives from the pipeline: a new lead developer changes the link."""
    return PipelineCounterparty(
        id=derived_id("lead developer", pipeline),
        pipeline_id=pipeline,
        counterparty_id=counterparty,
        role_id=LEAD_DEVELOPER_ID,
    )


@dataclass
class PipelineBatch:
    writes: Writes
    pipelines: dict[uuid.UUID, Pipeline]
    facilities: dict[uuid.UUID, Facility]
    #: The facilities of each pipeline.
    linked: dict[uuid.UUID, set[uuid.UUID]]
    leads: dict[uuid.UUID, PipelineCounterparty]
    #: The existing ids among the derived ids of lead links; their role may have changed.
    link_ids: set[uuid.UUID]
    counterparties: set[uuid.UUID]


class PipelineImporter(Importer):
    file_name = "pipelines.csv"
    advice = dict.fromkeys(OLD_CAPACITY.values(), USE_CAPACITY)
    form = PipelineForm
    model = Pipeline
    past_key = "ProjectName"
    past_models = (Pipeline, Facility, PipelineFacility, PipelineCounterparty)
    columns = {
        "project_name": "ProjectName",
        "name": "ProjectName",
        "stage": "ProjectStatus",
        "on_hold": "ProjectStatus",
        "rtb_date": "RTBDate",
        "cod_date": "RTBDate",
        "rag_status": "RAGStatus",
        "rag_comment": "RAGComment",
        "technology": "Technology",
        "storage_mwh": "Technology",
        "capacity_mw": "Capacity",
        "longitude": "Long",
        "latitude": "Lat",
    }

    def __init__(self, run: ImportRun, names: CounterpartyNames, vocabulary: Vocabulary):
        super().__init__(run)
        self.names = names
        self.vocabulary = vocabulary
        self.capacity: defaultdict[Technology, Decimal] = defaultdict(Decimal)

    def identify(self, row: Row, record_id: uuid.UUID) -> uuid.UUID:
        """The ID for the first row that has it; for later rows an id derived from their content."""
        claim = self.run.scratch.claim
        whole = derived_id("row", *row.cells)
        if line := claim("pipeline row", whole, row.line):
            raise ValidationError({"ID": f"The row repeats line {line} word for word."})
        first = claim(self.file_name, record_id, row.line)
        if first is None:
            return record_id
        own = derived_id("pipeline", record_id, row.values["ProjectName"].strip())
        if claim(self.file_name, own, row.line):
            own = whole
            claim(self.file_name, own, row.line)
        self.run.remarks.add(
            "IDs derived, because an earlier row has the ID already",
            f"line {row.line}: {row.values['ProjectName']}: {own}, "
            f"because line {first} has {record_id}",
        )
        return own

    def load(self, rows: list[Row]) -> PipelineBatch:
        ids = [row.data["ID"] for row in rows]
        linked = defaultdict(set)
        for pipeline, facility in PipelineFacility.objects.filter(pipeline__in=ids).values_list(
            "pipeline", "facility"
        ):
            linked[pipeline].add(facility)
        facilities = {facility_id_of(key) for key in ids}.union(*linked.values())
        leads = PipelineCounterparty.objects.filter(pipeline__in=ids)
        lead_ids = {row.data["CounterpartyID"] for row in rows} - {None}
        return PipelineBatch(
            writes=Writes(
                self.run.scratch,
                Counterparty,
                Pipeline,
                StageTransition,
                Facility,
                PipelineFacility,
                PipelineCounterparty,
            ),
            pipelines=Pipeline.objects.in_bulk(ids),
            facilities=Facility.objects.in_bulk(facilities),
            linked=linked,
            leads={one.pipeline_id: one for one in leads if one.role_id == LEAD_DEVELOPER_ID},
            link_ids={one.pk for one in leads},
            counterparties=set(
                Counterparty.objects.filter(pk__in=lead_ids).values_list("pk", flat=True)
            ),
        )

    def plan_row(self, row: Row, batch: PipelineBatch) -> str:
        data, writes = row.data, batch.writes
        pipeline = batch.pipelines.get(data["ID"])
        is_new = pipeline is None
        pipeline = pipeline or with_dates(
            Pipeline(id=data["ID"]), data["Created"], data["LastModified"]
        )
        facility = self._facility_of(pipeline, batch)
        facility_is_new = facility is None
        facility = facility or with_dates(
            Facility(id=facility_id_of(pipeline.pk)), data["Created"], data["LastModified"]
        )
        guessed = self._set_status(pipeline, data["ProjectStatus"], is_new)
        renamed = facility_is_new or facility.name == pipeline.project_name
        facility_changed = self._set_facility(facility, data, renamed)
        changed = guessed.changed | self._set_pipeline(pipeline, data)
        check_record(pipeline, facility)

        if is_new:
            _date_new(pipeline, data)
            moves = moves_of(self.run.scratch, self.vocabulary, pipeline.pk)
            for transition in transitions_before(pipeline, moves):
                writes.create(transition)
            writes.create(pipeline)
        elif changed:
            writes.update(pipeline, changed)
        if facility_is_new:
            writes.create(facility)
            self.run.also_created["facilities"] += 1
        elif facility_changed:
            writes.update(facility, facility_changed)
        self.list_questions(
            row, facility, questions.about(facility, None if facility_is_new else facility_changed)
        )
        relinked = self._plan_links(pipeline, facility, data["CounterpartyID"], batch)
        if guessed.is_guess:
            self.run.remarks.add(GUESSED, f"line {row.line}: {pipeline.project_name}")
        self.capacity[facility.technology] += facility.capacity_mw or Decimal(0)
        if is_new:
            return CREATED_ROW
        touched = changed or facility_is_new or facility_changed or relinked
        return UPDATED_ROW if touched else UNCHANGED_ROW

    def _facility_of(self, pipeline: Pipeline, batch: PipelineBatch) -> Facility | None:
        """The facility of an earlier import, else the pipeline's only one, else None."""
        linked = batch.linked[pipeline.pk]
        own = batch.facilities.get(facility_id_of(pipeline.pk))
        if own or not linked:
            return own
        if len(linked) > 1:
            raise ValidationError(
                {
                    "Capacity": f"The pipeline has {len(linked)} facilities by now, and the row "
                    "does not say which it means. Change them in the tool and leave the row out."
                }
            )
        return batch.facilities[next(iter(linked))]

    def _set_facility(self, facility: Facility, data: dict, renamed: bool) -> set[str]:
        technology = self.vocabulary.technology(data["Technology"])
        values = {
            "technology_id": technology.pk,
            "capacity_mw": data["Capacity"],
            "longitude": data["Long"],
            "latitude": data["Lat"],
        }
        if renamed:
            values["name"] = data["ProjectName"]
        changed = changed_fields(facility, values)
        facility.technology = technology
        return changed

    def _set_pipeline(self, pipeline: Pipeline, data: dict) -> set[str]:
        values = {
            "project_name": data["ProjectName"],
            "rtb_date": data["RTBDate"],
            "rag_status": data["RAGStatus"],
            "rag_comment": data["RAGComment"],
        }
        changed = changed_fields(pipeline, values)
        if changed & {"rag_status", "rag_comment"}:
            confirmed = (data["LastModified"] or timezone.now()) if data["RAGStatus"] else None
            changed |= changed_fields(pipeline, {"rag_confirmed_at": confirmed})
        return changed

    def _set_status(self, pipeline: Pipeline, status: str, is_new: bool) -> "_Status":
        stage, is_guess = self.vocabulary.stage(status), False
        values: dict[str, Any] = {"on_hold": stage is None}
        if stage is None and is_new:
            stage = first_stage(self.run.scratch, self.vocabulary, pipeline.pk)
            is_guess = stage is None
            stage = stage or self.vocabulary.discovery
        if stage is not None:
            values["stage_id"] = stage.pk
        if not values["on_hold"]:
            values["on_hold_reason"] = ""
        changed = changed_fields(pipeline, values)
        pipeline.stage = self.vocabulary.stages[pipeline.stage_id]
        return _Status(changed, is_guess)

    def _plan_links(self, pipeline, facility, lead: uuid.UUID | None, batch) -> bool:
        relinked = False
        if facility.pk not in batch.linked[pipeline.pk]:
            batch.writes.create(facility_link(pipeline.pk, facility.pk))
            relinked = True
        link = batch.leads.get(pipeline.pk)
        if lead is None:
            if link:
                batch.writes.remove(link)
            return relinked or bool(link)
        if lead not in batch.counterparties:
            placeholder = self.names.placeholder(lead)
            batch.counterparties.add(lead)
            batch.writes.create(placeholder, self.names.first_reference(placeholder))
            self.run.also_created["placeholder counterparties"] += 1
            self.run.remarks.add(
                "Counterparties that no file describes, made as placeholders",
                f"{placeholder.name}: {lead}",
            )
        if link is None:
            link = lead_link(pipeline.pk, lead)
            if link.pk in batch.link_ids:
                link.pk = uuid.uuid4()
            batch.writes.create(link)
            return True
        if changed := changed_fields(link, {"counterparty_id": lead}):
            batch.writes.update(link, changed)
        return relinked or bool(changed)

    def references(self, data: dict) -> list[object]:
        return [data["CounterpartyID"]] if data["CounterpartyID"] else []

    def past_cells(self, cells: dict[str, str], notes: list[str]) -> dict[str, str]:
        """Older rows have one column of capacity for each technology."""
        if "Capacity" in cells:
            return cells
        family = self.vocabulary.family(cells.get("Technology", ""))
        own = next((OLD_CAPACITY[code] for code in family if code in OLD_CAPACITY), None)
        for column in OLD_CAPACITY.values():
            if column != own and cells.get(column, "").strip() not in ("", "0", "0.0"):
                notes.append(f"It also said {column} {quote(cells[column])}.")
        return {**cells, "Capacity": cells.get(own, "") if own else ""}

    def load_past(self, rows: list[PastRow], past: Past) -> None:
        entities = {row.entity for row in rows}
        past.read(Pipeline, id__in=entities)
        past.read(Facility, id__in=[facility_id_of(key) for key in entities])
        past.read(PipelineFacility, pipeline__in=entities)
        past.read(PipelineCounterparty, pipeline__in=entities)

    def record_past(self, row: PastRow, past: Past) -> None:
        data = row.data
        pipeline = with_dates(
            Pipeline(id=row.entity, version=0), data["Created"], data["LastModified"]
        )
        facility = with_dates(
            Facility(id=facility_id_of(row.entity), version=0),
            data["Created"],
            data["LastModified"],
        )
        if self._set_status(pipeline, data["ProjectStatus"], is_new=True).is_guess:
            row.notes.append("The stage beneath the hold is guessed.")
        self._set_facility(facility, data, renamed=True)
        self._set_pipeline(pipeline, data)
        check_past_fields(pipeline, facility)
        past.record(pipeline, row, always=True)
        past.record(facility, row)
        places = [facility_link(row.entity, facility.pk)]
        leads = [lead_link(row.entity, data["CounterpartyID"])] if data["CounterpartyID"] else []
        for link in (*places, *leads):
            link.version = 0
        past.record_links(PipelineFacility, row.entity, places, row)
        past.record_links(PipelineCounterparty, row.entity, leads, row)


@dataclass(frozen=True)
class _Status:
    changed: set[str]
    is_guess: bool


def _date_new(pipeline: Pipeline, data: dict) -> None:
    """Date the status by the row's last modification, because the file does not have its start."""
    known_on: date = timezone.localdate(pipeline.modified_at)
    pipeline.status_effective_on = min(known_on, timezone.localdate())
