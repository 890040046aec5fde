"""Random writes that build up the history of a portfolio, day by day."""

import random
from datetime import UTC, date, datetime, timedelta

from django.utils import timezone

from counterparties.models import Contact, ContactRole, Counterparty, CounterpartyContact
from infopoints.models import InformationPoint, InformationPointPipeline
from oegen import audit
from oegen.models import Comment
from pipelines.choices import Outcome
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
from pipelines.reference import RTB
from tests.support.builders import make_information_point, make_pipeline

FIRST_DAY = date(2026, 2, 20)  # Over the change to summer time, on 29 March.


class Clock:
    def __init__(self, monkeypatch):
        self.moment = datetime(2026, 2, 20, 9, tzinfo=UTC)
        monkeypatch.setattr(timezone, "now", lambda: self.moment)

    def begin(self, day: date):
        self.moment = datetime(day.year, day.month, day.day, 9, tzinfo=UTC)

    def tick(self):
        self.moment += timedelta(minutes=1)


class Player:
    """Makes random writes of every kind that changes what pages show."""

    def __init__(self, seed: int, person):
        self.rng = random.Random(seed)
        self.person = person
        self.made = 0

    def any(self, model):
        rows = list(model.objects.order_by("pk"))
        return self.rng.choice(rows) if rows else None

    def name(self) -> str:
        self.made += 1
        return f"{self.rng.choice(['Kestrel', 'Rowan', 'Ålesund', 'Corrie'])} {self.made}"

    def write(self):
        actions = (
            [self.add] * 4
            + [self.change] * 6
            + [self.link] * 4
            + [self.unlink] * 2
            + [self.move] * 3
            + [self.mark] * 3
            + [self.remove, self.rename_vocabulary, self.comment, self.in_bulk, self.end]
        )
        with audit.change_set(person=self.person, reason="Played"):
            self.rng.choice(actions)()

    def add(self):
        rng = self.rng
        make_pipeline(
            self.name(),
            stage=rng.choice(["discovery", "design", "construction", "completed"]),
            capacity_mw=rng.choice([None, 0, rng.randint(1, 400)]),
            rag_status=rng.choice(["", "red", "amber", "green"]),
            rtb_date=rng.choice([None, date(2026, 3, rng.randint(1, 28))]),
        )
        Counterparty.objects.create(name=self.name())
        Contact.objects.create(name=self.name())
        make_information_point(self.name())

    def change(self):
        rng = self.rng
        if pipeline := self.any(Pipeline):
            pipeline.rag_status = rng.choice(["", "red", "amber", "green"])
            pipeline.project_name = rng.choice([pipeline.project_name, self.name()])
            if not pipeline.stage.is_terminal:
                pipeline.on_hold = rng.random() < 0.3
                pipeline.on_hold_reason = "Grid" if pipeline.on_hold else ""
            pipeline.save()
        if facility := self.any(Facility):
            facility.capacity_mw = rng.randint(0, 500)
            facility.technology = rng.choice(list(Technology.objects.filter(is_storage=False)))
            facility.storage_mwh = None
            facility.country = rng.choice(["", "ES", "GB"])
            facility.save()

    def link(self):
        pipeline, facility = self.any(Pipeline), self.any(Facility)
        if pipeline and facility:
            PipelineFacility.objects.get_or_create(pipeline=pipeline, facility=facility)
        if pipeline and (counterparty := self.any(Counterparty)):
            PipelineCounterparty.objects.get_or_create(
                pipeline=pipeline,
                counterparty=counterparty,
                role=CounterpartyRole.objects.get(code="owner"),
            )
            if contact := self.any(Contact):
                CounterpartyContact.objects.get_or_create(
                    counterparty=counterparty, contact=contact, role=ContactRole.objects.first()
                )
            if point := self.any(InformationPoint):
                InformationPointPipeline.objects.get_or_create(
                    information_point=point, pipeline=pipeline
                )

    def unlink(self):
        for model in (PipelineFacility, PipelineCounterparty, InformationPointPipeline):
            if link := self.any(model):
                link.delete()

    def move(self):
        if pipeline := self.any(Pipeline):
            pipeline.on_hold, pipeline.on_hold_reason = False, ""
            pipeline.stage = Stage.objects.get(
                code=self.rng.choice(["design", "procurement", "completed"])
            )
            pipeline.save()

    def mark(self):
        """A milestone, or the dates of RTB."""
        rng = self.rng
        if not (pipeline := self.any(Pipeline)):
            return
        kind = rng.choice(MilestoneKind.objects.exclude(code="cod"))
        found = Milestone.objects.filter(pipeline=pipeline, kind=kind).first()
        milestone = found or Milestone(pipeline=pipeline, kind=kind)
        if found and rng.random() < 0.2:
            found.delete()
            return
        milestone.evidence_note = rng.choice(["", "Permit 12"])
        milestone.baseline_on = rng.choice([None, date(2026, 3, rng.randint(1, 28))])
        if kind.code == RTB:
            pipeline.rtb_date = rng.choice([None, date(2026, 3, rng.randint(1, 28))])
            pipeline.save()
            milestone.is_actual = rng.random() < 0.5
        else:
            milestone.forecast_on = rng.choice([None, date(2026, 3, rng.randint(1, 28))])
            milestone.actual_on = rng.choice([None, date(2026, 2, 1)])
        milestone.save()

    def remove(self):
        if pipeline := self.any(Pipeline):
            pipeline.information_point_links.all().delete()
            pipeline.delete()

    def rename_vocabulary(self):
        Technology.objects.filter(code="wind").update(name=f"Wind {self.made}")

    def comment(self):
        if pipeline := self.any(Pipeline):
            Comment.objects.create(subject=pipeline, text=self.name(), author=self.person)

    def end(self):
        if pipeline := self.any(Pipeline):
            pipeline.outcome = self.rng.choice([Outcome.WITHDRAWN, Outcome.SOLD, Outcome.ACTIVE])
            pipeline.save()

    def in_bulk(self):
        Pipeline.objects.filter(rag_status="amber").update(rag_comment=self.name())
