"""Tells the story of each project: its creation and what happened to it until today."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from uuid import UUID

from dashboard.sample import sentences
from dashboard.sample.cast import Cast
from dashboard.sample.decks import Deck
from dashboard.sample.ledger import Event, Ledger
from dashboard.sample.names import Unrepeated, plant_name, site_name
from dashboard.sample.plans import Plan, Planner, Step
from dashboard.sample.plants import (
    STORAGE_HOURS,
    export_limit_mw,
    position_near,
    resized_mw,
    size_mw,
    size_of_battery_beside,
)
from dashboard.sample.ratings import Rating
from dashboard.sample.sentences import COMPLETED, CONSTRUCTION, PROCUREMENT
from dashboard.sample.vocabulary import Vocabulary
from oegen.core.fields import country_name
from oegen.models import Comment
from pipelines.choices import Outcome
from pipelines.models import (
    Facility,
    Pipeline,
    PipelineCounterparty,
    PipelineFacility,
    StageTransition,
)

#: Which kind of company takes a role, and in which stages it usually comes in.
JOINERS = {
    "landowner": ("landowner", range(2)),
    "grid-operator": ("grid", range(3)),
    "investor": ("investor", range(1, 4)),
    "offtaker": ("offtaker", range(1, 5)),
    "epc": ("builder", range(2, 5)),
    "o-and-m": ("operator", range(3, 6)),
}
#: Kinds that have business in their own country only.
LOCAL = ("landowner", "grid")

EXTENSIONS = [(True, 4), (False, 56)]


def long_date(day: date) -> str:
    return f"{day.day} {day:%B %Y}"


class Portfolio:
    """What the stories share."""

    def __init__(self, cast: Cast, vocabulary: Vocabulary, ledger: Ledger):
        self.cast = cast
        self.vocabulary = vocabulary
        self.ledger = ledger
        self.rng = cast.rng
        self.clock = cast.clock
        self.planner = Planner(self.rng, self.clock)
        self.unrepeated = Unrepeated()
        self._extensions = Deck(self.rng, EXTENSIONS)

    def tell(self, count: int) -> list[Story]:
        """The stories of ``count`` projects, all of them in the ledger."""
        stories: list[Story] = []
        extendable: list[Story] = []
        for _ in range(count):
            extended = None
            if self._extensions.deal() and extendable:
                extended = extendable.pop(self.rng.randrange(len(extendable)))
            plan = self.planner.plan(beside=extended.plan if extended else None)
            story = Story(self, plan, extended)
            story.tell()
            stories.append(story)
            if not extended and len(plan.technologies) == 1 and plan.opened < len(self.clock) - 80:
                extendable.append(story)
        return stories


class Story:
    def __init__(self, portfolio: Portfolio, plan: Plan, extended: Story | None = None):
        self.portfolio = portfolio
        self.plan = plan
        self.extended = extended
        self.rng = portfolio.rng
        self.keeper = portfolio.cast.colleague()
        self.stage = plan.start
        self.facilities: list[Facility] = []
        self.rating = Rating(self.rng, plan)
        self.roles: set[str] = set()
        self.companies: list[UUID] = []
        self.status_since: date | None = None

    def tell(self) -> None:
        self._create()
        for step in self.plan.steps:
            match step.kind:
                case "move":
                    self._move(step)
                case "hold":
                    self._hold(step)
                case "release":
                    self._release(step)
                case "end":
                    self._end(step)
                case "slip":
                    self._slip(step)
                case "rag":
                    self._rate(step)
                case "confirm":
                    self._confirm(step)
                case "capacity":
                    self._resize(step)
                case "join":
                    self._join(step)
                case "sell-down":
                    self._sell_down(step)
                case "probability":
                    self._set_probability(step)
                case "comment":
                    self._comment(step)

    # Creation

    def _create(self) -> None:
        plan, rng = self.plan, self.rng
        event = self._event(plan.opened, sentences.CREATIONS[plan.early])
        if self.extended:
            self.site = f"{self.extended.site} Extension"
        else:
            self.site = site_name(rng, plan.place)
        kind = plan.technologies[0] if len(plan.technologies) == 1 else "mixed"
        name = plant_name(self.site, plan.place, kind)
        self.pipeline = event.add(
            Pipeline,
            project_name=self.portfolio.unrepeated(name, plan.place.name),
            stage_id=self.portfolio.vocabulary.stages[plan.start],
            rtb_date=plan.rtb_date,
            cod_date=plan.cod_date,
            ownership_pct=Decimal(plan.ownership_pct),
            **self._rated(event, self.rating.first(self.stage)),
        )
        self._keep_transition(event, rng.randint(20, 400) if plan.early else rng.randint(0, 25))
        for technology in plan.technologies:
            self._build(event, technology)
        if self.extended:
            self._attach(event, self.extended.facilities[0])
        self._cast(event)

    def _build(self, event: Event, technology: str) -> None:
        plan, rng = self.plan, self.rng
        capacity = None
        if self.facilities and self.facilities[0].capacity_mw:
            capacity = size_of_battery_beside(rng, self.facilities[0].capacity_mw)
        elif plan.trait != "no capacity":
            capacity = size_mw(rng, technology)
        latitude, longitude = position_near(rng, plan.place)
        hours = rng.choice(STORAGE_HOURS)
        if len(plan.technologies) == 1:
            name = self.pipeline.project_name
        else:
            name = self.portfolio.unrepeated(
                plant_name(self.site, plan.place, technology), plan.place.name
            )
        facility = event.add(
            Facility,
            name=name,
            technology_id=self.portfolio.vocabulary.technologies[technology],
            capacity_mw=capacity,
            storage_mwh=capacity * hours if capacity and technology == "bess" else None,
            export_limit_mw=export_limit_mw(rng, technology, capacity) if capacity else None,
            latitude=latitude,
            longitude=longitude,
            country=plan.place.country,
            region=plan.place.region,
        )
        self.facilities.append(facility)
        self._attach(event, facility)

    def _attach(self, event: Event, facility: Facility) -> None:
        event.add(PipelineFacility, pipeline_id=self.pipeline.pk, facility_id=facility.pk)

    def _cast(self, event: Event) -> None:
        rng, partner_pct = self.rng, Decimal(100 - self.plan.ownership_pct)
        lead_shares = partner_pct and rng.random() < 0.6
        self._engage(event, "lead-developer", "developer", partner_pct if lead_shares else None)
        if partner_pct and not lead_shares:
            self._engage(event, "co-developer", "developer", partner_pct)
        for role, likely in (("landowner", 0.25), ("grid-operator", 0.25), ("epc", 0.6)):
            if self._has_room_for(role) and rng.random() < likely:
                self._engage(event, role, JOINERS[role][0])

    def _has_room_for(self, role: str) -> bool:
        kind, stages = JOINERS[role]
        if self.stage not in stages or role in self.roles:
            return False
        return kind not in LOCAL or self.portfolio.cast.knows(
            kind, self.plan.place.country, self._day
        )

    def _engage(self, event: Event, role: str, kind: str, share: Decimal | None = None) -> None:
        """Give the role, which nobody has yet, to a company, if possible one that is new here."""
        for _ in range(4):
            company = self.portfolio.cast.pick(kind, self.plan.place.country, self._day)
            if company.id not in self.companies:
                break
        self.companies.append(company.id)
        self.roles.add(role)
        event.add(
            PipelineCounterparty,
            pipeline_id=self.pipeline.pk,
            counterparty_id=company.id,
            role_id=self.portfolio.vocabulary.roles[role],
            share_pct=share,
        )
        return company

    # Status

    def _move(self, step: Step) -> None:
        self.stage += 1
        pipeline, rng = self.pipeline, self.rng
        back = self._days_back(step)
        effective = self.portfolio.clock.days[step.day] - timedelta(back)
        changes: dict = {"stage_id": self.portfolio.vocabulary.stages[self.stage]}
        if self.stage == CONSTRUCTION:
            changes["rtb_date"] = effective - timedelta(rng.randint(0, 30))
            changes["cod_date"] = max(
                self.plan.final_cod_date, changes["rtb_date"] + timedelta(120)
            )
        elif self.stage == COMPLETED:
            ran = effective - timedelta(rng.randint(0, 10))
            changes["cod_date"] = max(pipeline.rtb_date, ran)
        reason = rng.choice(sentences.MOVES[self.stage]).format(
            rtb=long_date(changes.get("rtb_date") or effective)
        )
        event = self._event(step.day, reason)
        changes |= self._rated(event, self.rating.after_move(self.stage))
        event.change(pipeline, **changes)
        self._keep_transition(event, back)

    def _hold(self, step: Step) -> None:
        reason = self.rng.choice(sentences.HOLDS).format(
            country=country_name(self.plan.place.country)
        )
        event = self._event(step.day, reason)
        event.change(self.pipeline, on_hold=True, on_hold_reason=reason)
        self._keep_transition(event, self._days_back(step))

    def _release(self, step: Step) -> None:
        event = self._event(step.day, self._release_reason())
        event.change(self.pipeline, on_hold=False, on_hold_reason="")
        self._keep_transition(event, self._days_back(step))

    def _release_reason(self) -> str:
        held = self.pipeline.on_hold_reason
        for hold, release in zip(sentences.HOLDS, sentences.RELEASES, strict=True):
            if hold.split("{", 1)[0] in held:
                return release
        raise LookupError(f"No release is written for the hold “{held}”.")

    def _end(self, step: Step) -> None:
        buyer = self.portfolio.cast.pick("investor", self.plan.place.country, step.day)
        reason = self.rng.choice(sentences.ENDINGS[self.plan.trait]).format(buyer=buyer.name)
        event = self._event(step.day, reason)
        event.change(self.pipeline, outcome=Outcome(self.plan.trait).value)
        self._keep_transition(event, self._days_back(step))

    def _days_back(self, step: Step) -> int:
        return 0 if self.rng.random() < 0.45 else self.rng.randint(2, 35)

    def _keep_transition(self, event: Event, days_back: int) -> None:
        """Back-dated by so many days, but never to before the transition that went before."""
        effective = event.when.date() - timedelta(days_back)
        if self.status_since and effective <= self.status_since:
            effective = self.status_since + timedelta(1)
        self.status_since = effective
        event.add(
            StageTransition,
            pipeline_id=self.pipeline.pk,
            stage_id=self.pipeline.stage_id,
            on_hold=self.pipeline.on_hold,
            outcome=self.pipeline.outcome,
            effective_on=effective,
            recorded_at=event.when,
            recorded_by_id=event.person.pk,
        )

    # Dates and ratings

    @property
    def _is_over(self) -> bool:
        return self.pipeline.outcome != Outcome.ACTIVE or self.stage == COMPLETED

    def _slip(self, step: Step) -> None:
        """RTB and COD move together; once it is being built, only COD moves."""
        pipeline = self.pipeline
        if self._is_over:
            return
        if self.stage >= CONSTRUCTION:
            later = timedelta(self.rng.randint(14, 75))
            issue = self.rating.issue(self.stage)
            event = self._event(step.day, issue.cause)
            event.change(
                pipeline,
                cod_date=pipeline.cod_date + later,
                **self._rated(event, self.rating.after_slip(issue)),
            )
            return
        if not step.slip_days or not pipeline.rtb_date:
            return
        moved = timedelta(step.slip_days)
        changes = {"rtb_date": pipeline.rtb_date + moved}
        if pipeline.cod_date:
            changes["cod_date"] = pipeline.cod_date + moved
        if pipeline.on_hold:
            event = self._event(step.day, sentences.SLIP_ON_HOLD)
        elif step.slip_days < 0:
            event = self._event(step.day, self.rng.choice(sentences.SLIP_EARLIER))
        else:
            issue = self.rating.issue(self.stage)
            event = self._event(step.day, issue.cause)
            changes |= self._rated(event, self.rating.after_slip(issue))
        event.change(pipeline, **changes)

    def _rate(self, step: Step) -> None:
        if self._is_over or self.pipeline.on_hold or not self.rating.is_kept:
            return
        reason, changes = self.rating.swing(self.stage)
        event = self._event(step.day, reason)
        event.change(self.pipeline, **self._rated(event, changes))

    @staticmethod
    def _rated(event: Event, changes: dict) -> dict:
        return {**changes, "rag_confirmed_at": event.when} if changes else {}

    def _confirm(self, step: Step) -> None:
        if self._is_over or not self.pipeline.rag_status:
            return
        event = self._event(step.day, "Monthly review, no change")
        event.change(self.pipeline, rag_confirmed_at=event.when)

    # Everything else

    def _resize(self, step: Step) -> None:
        facility = self.facilities[0]
        if self._is_over or self.stage >= CONSTRUCTION or facility.capacity_mw is None:
            return
        up = self.rng.random() < 0.4
        technology = self.plan.technologies[0]
        size = resized_mw(self.rng, technology, facility.capacity_mw, up)
        if size == facility.capacity_mw:
            return
        reasons = sentences.CAPACITY_UP if up else sentences.CAPACITY_DOWN
        changes = {
            "capacity_mw": size,
            "export_limit_mw": min(size, facility.export_limit_mw),
        }
        if facility.storage_mwh:
            hours = facility.storage_mwh / facility.capacity_mw
            changes["storage_mwh"] = (size * hours).quantize(Decimal("0.1"))
        self._event(step.day, self.rng.choice(reasons)).change(facility, **changes)

    def _join(self, step: Step) -> None:
        if self._is_over:
            return
        self._day = step.day
        fitting = [role for role in JOINERS if self._has_room_for(role)]
        if fitting:
            role = self.rng.choice(fitting)
            event = self._event(step.day, sentences.JOINS[role])
            self._engage(event, role, JOINERS[role][0])

    def _sell_down(self, step: Step) -> None:
        if self._is_over or self.stage < PROCUREMENT or self.pipeline.ownership_pct != 100:
            return
        ours = Decimal(self.rng.choice((51, 60, 75)))
        event = self._event(step.day, sentences.OWNERSHIP)
        event.change(self.pipeline, ownership_pct=ours)
        self._engage(event, "owner", "investor", 100 - ours)

    def _set_probability(self, step: Step) -> None:
        if self._is_over:
            return
        reason, span = self.rng.choice(sentences.PROBABILITY)
        today = self.portfolio.clock.today
        expires = (None, today + timedelta(self.rng.randint(30, 300)), today - timedelta(20))
        self._event(step.day, reason).change(
            self.pipeline,
            probability_pct=Decimal(self.rng.randrange(*span, 5)),
            probability_reason=reason,
            probability_expires_on=self.rng.choice(expires),
        )

    def _comment(self, step: Step) -> None:
        event = self._event(step.day)
        event.add(
            Comment,
            content_type_id=self.portfolio.vocabulary.pipeline_type,
            object_id=self.pipeline.pk,
            author_id=event.person.pk,
            text=self.rng.choice(sentences.COMMENTS).format(place=self.plan.place.name),
        )

    def _event(self, day: int, reason: str = "") -> Event:
        """By the colleague who keeps the project, most of the time."""
        self._day = day
        portfolio = self.portfolio
        person = self.keeper if self.rng.random() < 0.75 else portfolio.cast.colleague()
        return portfolio.ledger.event(portfolio.clock.moment(day, self.rng), person, reason)
