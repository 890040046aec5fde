"""A seeded history is played forward day by day. What each page and metric showed at the end of a
day is kept, and asked for again when all is over: it must be the same."""

import random
import re
from datetime import UTC, date, datetime, timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from counterparties.models import Contact, ContactRole, Counterparty, CounterpartyContact
from dashboard import metrics
from infopoints.models import InformationPoint, InformationPointPipeline
from oegen import audit
from oegen.asof import as_of
from oegen.models import Comment
from pipelines.models import (
    CounterpartyRole,
    Facility,
    Pipeline,
    PipelineCounterparty,
    PipelineFacility,
    Stage,
    Technology,
)
from tests.builders import make_information_point, make_pipeline

pytestmark = pytest.mark.django_db

FIRST_DAY = date(2026, 2, 20)  # Over the change to summer time, on 29 March.
DAYS = 40
LISTS = ("pipelines", "facilities", "counterparties", "contacts", "infopoints")


class Clock:
    def __init__(self, monkeypatch):
        self.moment = datetime(2026, 2, 20, 9, tzinfo=UTC)
        monkeypatch.setattr(timezone, "now", lambda: self.moment)

    def begin(self, day: date):
        self.moment = datetime(day.year, day.month, day.day, 9, tzinfo=UTC)

    def tick(self):
        self.moment += timedelta(minutes=1)


class Player:
    """Writes at random, by every kind of write that changes what pages show."""

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
            + [self.remove, self.rename_vocabulary, self.comment, self.in_bulk]
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

    def remove(self):
        if pipeline := self.any(Pipeline):
            pipeline.information_point_links.all().delete()
            pipeline.delete()

    def rename_vocabulary(self):
        Technology.objects.filter(code="wind").update(name=f"Wind {self.made}")

    def comment(self):
        if pipeline := self.any(Pipeline):
            Comment.objects.create(subject=pipeline, text=self.name(), author=self.person)

    def in_bulk(self):
        Pipeline.objects.filter(rag_status="amber").update(rag_comment=self.name())


@pytest.fixture
def see(client, portfolio_manager):
    """All that the site shows at this moment, or of a day."""

    def see(query: str = "") -> dict:
        client.force_login(portfolio_manager)
        seen = {}
        joint = f"?{query}&" if query else "?"
        for name in LISTS:
            answer = client.get(f"{reverse(name)}{joint}download=csv")
            seen[f"{name}, downloaded"] = b"".join(answer.streaming_content)
        for address in (f"{reverse('pipelines')}{joint}q=kestrel&status=open", reverse("board")):
            html = client.get(address if "?" in address else f"{address}{joint}").text
            seen[address.split("?")[0]] = re.findall(r"/pipelines/[0-9a-f-]{36}/", html)
        return seen

    return see


def numbers() -> dict:
    everything = Pipeline.objects.all()
    return {
        "headline": metrics.headline(everything),
        "status": metrics.by_status(everything),
        "rag": metrics.by_rag(everything.open()),
        "technology": [
            (group.technology and (group.technology.pk, group.technology.name), group.total)
            for group in metrics.by_technology(everything)
        ],
        "years": metrics.by_rtb_year(everything.open()),
        "names": sorted(str(pipeline) for pipeline in everything),
    }


@pytest.mark.parametrize("seed", [1])
def test_every_day_is_shown_again_as_it_was(seed, monkeypatch, see, portfolio_manager):
    clock = Clock(monkeypatch)
    player = Player(seed, portfolio_manager)
    shown, counted = {}, {}
    for number in range(DAYS):
        day = FIRST_DAY + timedelta(days=number)
        clock.begin(day)
        for _ in range(player.rng.randint(0, 6)):
            player.write()
            clock.tick()
        # Late in the evening of London.
        clock.moment = datetime(day.year, day.month, day.day, 22, 30, tzinfo=UTC)
        counted[day] = numbers()
        if number % 3 == 0:
            shown[day] = see()
    clock.begin(FIRST_DAY + timedelta(days=DAYS + 30))

    for day, then in counted.items():
        with as_of(day):
            assert numbers() == then, day
    for day, then in shown.items():
        again = see(f"as_of={day}")
        for what, seen in then.items():
            assert again[what] == seen, (day, what)
    assert len({repr(one) for one in counted.values()}) > DAYS / 2
