"""The projects of the sample: their creation and what happens to them until today."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from counterparties.models import Counterparty
from dashboard.sample.companies import FIRST_DAYS, LOCAL_KINDS, Companies
from dashboard.sample.history import Event, History
from dashboard.sample.milestones import ProjectMilestones
from dashboard.sample.names import UniqueNames, plant_name, site_name
from dashboard.sample.tables import (
    ISSUES,
    PLACES,
    PROPORTIONS,
    TECHNOLOGIES,
    TEXTS,
    Row,
    choose,
    evenly,
    span,
    weighted,
)
from oegen.audit.seeding import reference_id
from oegen.core.fields import country_name
from pipelines import reference
from pipelines.choices import RAG, Outcome
from pipelines.models import (
    Facility,
    Pipeline,
    PipelineCounterparty,
    PipelineFacility,
    StageTransition,
)

DISCOVERY, DESIGN, PROCUREMENT, CONSTRUCTION, COMMISSIONING, COMPLETED = range(6)
STAGE_IDS = [reference_id("stage", code) for code, *_ in reference.STAGES]

#: The traits that keep a project in a stage: the stages, and the method that ends it, if any.
STUCK = {
    "held": ((DISCOVERY, DESIGN, PROCUREMENT), "hold"),
    "withdrawn": ((DISCOVERY, DESIGN), "end"),
    "refused": ((DESIGN,), "end"),
    "sold": ((PROCUREMENT,), "end"),
    "overdue": ((PROCUREMENT,), ""),
    "no date": ((DISCOVERY,), ""),
    "no capacity": ((DISCOVERY,), ""),
}

#: The kind of company for each role, the stages in which it joins, and the reason.
ROLES = {
    "landowner": ("landowner", range(2), "Option agreement signed"),
    "grid-operator": ("grid", range(3), "Connection application accepted"),
    "investor": ("investor", range(1, 4), "Investor joined at heads of terms"),
    "offtaker": ("offtaker", range(1, 5), "Offtake term sheet signed"),
    "epc": ("builder", range(2, 5), "Preferred contractor selected"),
    "o-and-m": ("operator", range(3, 6), "Operations contract awarded"),
}


class Projects:
    def __init__(self, history: History, companies: Companies):
        self.history = history
        self.companies = companies
        self.unique_names = UniqueNames(history.rng)
        self.mixes = evenly(history.rng, PROPORTIONS["mixes"])
        self.traits = evenly(history.rng, PROPORTIONS["traits"])
        self.stages = evenly(history.rng, dict(enumerate(PROPORTIONS["first_stages"])))

    def create(self, count: int) -> list[Project]:
        """Create projects with their later changes; one in fifteen extends an earlier one."""
        projects: list[Project] = []
        for number in range(count):
            recent = projects[-14:] if number % 15 == 14 else []
            extended = next((project for project in recent if project.can_be_extended), None)
            projects.append(Project(self, extended))
            projects[-1].run()
        return projects


class Project:
    """A pipeline with its facilities. Its public methods, except ``run``, are the incidents."""

    def __init__(self, projects: Projects, extended: Project | None):
        self._projects = projects
        self._history = projects.history
        self._rng = rng = projects.history.rng
        self._manager = rng.choice(self._history.colleagues)
        self._rag = ""
        self._issue: Row | None = None
        self._roles: set[str] = set()
        self._partners: set[UUID] = set()
        self._status_since: date | None = None
        self._facilities: list[Facility] = []
        self.opened: int
        self.technologies: list[str]
        self.place: Row
        self._site: str
        self.trait = next(projects.traits)
        self.stage = next(projects.stages)
        if self.trait in STUCK:
            self.stage = rng.choice(STUCK[self.trait][0])
        last = len(self._history.days)
        if extended:
            self._is_old, self.opened = False, rng.randrange(extended.opened + 15, last - 30)
            self.technologies, self.place = extended.technologies, extended.place
            self._site = f"{extended._site} Extension"
        else:
            self._is_old = self.stage > DESIGN or rng.random() < 0.4
            self.opened = FIRST_DAYS + rng.randrange(12 if self._is_old else last - 40)
            self.technologies = next(projects.mixes).split()
            (language,) = choose(rng, TECHNOLOGIES[self.technologies[0]], "languages")
            self.place = rng.choice([row for row in PLACES if row["language"] == language])
            self._site = site_name(rng, self.place)
        self._stuck_until = self.opened + (last - self.opened) * rng.uniform(0.2, 0.85)
        self._create(extended)

    @property
    def can_be_extended(self) -> bool:
        return self.opened < len(self._history.days) - 80 and len(self.technologies) == 1

    @property
    def is_active(self) -> bool:
        return self.pipeline.outcome == Outcome.ACTIVE and self.stage < COMPLETED

    def run(self) -> None:
        """Run an incident every two months or so until today."""
        day = self.opened
        while (day := day + self._rng.randint(10, 85)) < len(self._history.days) and self.is_active:
            incident = weighted(self._rng, PROPORTIONS["incidents"])
            getattr(self, self._due_step(day) or incident)(day)

    def _due_step(self, day: int) -> str:
        """The method that is due on the day; empty if none is."""
        pipeline = self.pipeline
        if pipeline.on_hold:
            return "release" if self._rng.random() < 0.06 else ""
        if self.trait in STUCK:
            return STUCK[self.trait][1] if day > self._stuck_until else ""
        due = pipeline.rtb_date if self.stage < CONSTRUCTION else pipeline.cod_date
        days_left = PROPORTIONS["moves_days_before"][self.stage]
        is_time = due and due - self._history.days[day] < timedelta(days_left)
        return "move" if is_time and self._rng.random() < 0.7 else ""

    def _event(self, day: int, reason: str = "") -> Event:
        """Add an event, in most cases by the manager of the project."""
        person = self._manager if self._rng.random() < 0.75 else None
        return self._history.event(day, reason, person)

    def _change(self, day: int, reason: str, **changes: Any) -> Event:
        """Change the pipeline; a rating counts as confirmed when it is given. Most changes come
        with a new next step."""
        event = self._event(day, reason)
        if self._rng.random() < 0.6:
            changes |= self._next_step(self._history.days[day])
        if "rag_status" in changes:
            changes["rag_confirmed_at"] = event.when
        event.change(self.pipeline, **changes)
        self._milestones.catch_up(event)
        return event

    # Creation

    def _create(self, extended: Project | None) -> None:
        rng, rating = self._rng, self._rate_first()
        reason = "Taken over from the old project tracker"
        event = self._event(self.opened, reason if self._is_old else "New opportunity approved")
        created, build = self._history.days[self.opened], self._choose_build_time()
        due = created + timedelta(rng.randint(*PROPORTIONS["days_ahead"][self.stage]))
        rtb_date: date | None = due
        cod_date: date | None = due + build
        if self.stage >= CONSTRUCTION:
            rtb_date, cod_date = min(due - build, created - timedelta(rng.randint(30, 300))), due
        if self.trait == "no date":
            rtb_date = cod_date = None
        ours = rng.choice(PROPORTIONS["ownership"])
        kind = "hybrid" if len(self.technologies) > 1 else self.technologies[0]
        self.pipeline = event.add(
            Pipeline,
            project_name=self._make_name(kind),
            stage_id=STAGE_IDS[self.stage],
            rtb_date=rtb_date,
            cod_date=cod_date,
            ownership_pct=Decimal(ours),
            rag_confirmed_at=event.when if rating else None,
            responsible_id=self._manager.pk if rng.random() < 0.95 else None,
            **self._next_step(created),
            **rating,
        )
        self._add_transition(event, rng.randint(20, 400) if self._is_old else rng.randint(0, 25))
        for technology in self.technologies:
            self._add_facility(event, technology)
        for facility in [*self._facilities, *(extended._facilities if extended else [])]:
            event.add(PipelineFacility, pipeline_id=self.pipeline.pk, facility_id=facility.pk)
        self._add_partners(event, Decimal(100 - ours) or None)
        self._milestones = ProjectMilestones(self.pipeline)
        self._milestones.start(event)

    def _next_step(self, day: date) -> dict[str, Any]:
        """Nothing once completed."""
        if self.stage >= COMPLETED:
            return {"next_step": "", "next_step_on": None}
        due = day + timedelta(self._rng.randint(14, 120))
        return {
            "next_step": self._rng.choice(TEXTS["next_steps"][self.stage]),
            "next_step_on": due if self._rng.random() < 0.8 else None,
        }

    def _make_name(self, technology: str) -> str:
        name = plant_name(self._site, self.place, technology)
        return self._projects.unique_names.make(name, self.place["name"])

    def _add_facility(self, event: Event, technology: str) -> None:
        rng, place = self._rng, self.place
        name, capacity, storage, export = self.pipeline.project_name, None, None, None
        if len(self.technologies) > 1:
            name = self._make_name(technology)
        if self.trait != "no capacity":
            beside = self._facilities[0].capacity_mw if self._facilities else None
            capacity = export = self._choose_mw(technology, beside)
            if technology == "solar":
                # Solar is built bigger than its connection.
                export = _tenths(capacity * Decimal(rng.choice(("0.65", "0.7", "0.8"))))
            elif technology == "bess":
                storage = capacity * rng.choice(PROPORTIONS["storage_hours"])
        self._facilities.append(
            event.add(
                Facility,
                name=name,
                technology_id=reference_id("technology", technology),
                capacity_mw=capacity,
                storage_mwh=storage,
                export_limit_mw=export,
                # Some kilometres from the place.
                latitude=Decimal(f"{rng.gauss(float(place['latitude']), 0.025):.5f}"),
                longitude=Decimal(f"{rng.gauss(float(place['longitude']), 0.035):.5f}"),
                country=place["country"],
                region=place["region"],
            )
        )

    def _choose_mw(self, technology: str, beside: Decimal | None) -> Decimal:
        """A size nearer the lower end; a battery beside a plant has a share of the plant's."""
        rng, row = self._rng, TECHNOLOGIES[technology]
        smallest, largest = span(row, "megawatts")
        if beside:
            return _limited_mw(technology, beside * Decimal(rng.choice(("0.3", "0.5", "0.7"))))
        wanted = Decimal(smallest * (largest / smallest) ** (rng.random() ** 0.9))
        if row["turbines_mw"]:
            [size] = choose(rng, row, "turbines_mw")
            turbine = Decimal(size)
            return turbine * max(smallest // turbine + 1, wanted // turbine)
        return wanted.quantize(Decimal("0.1" if technology == "solar" else "1"))

    def _choose_build_time(self) -> timedelta:
        """From ready to build to commercial operation."""
        return timedelta(self._rng.randint(*span(TECHNOLOGIES[self.technologies[0]], "build_days")))

    # Partners

    def _add_partners(self, event: Event, share: Decimal | None) -> None:
        """Add the lead developer, who has the share that is not ours or leaves it to another."""
        rng, stage = self._rng, self.stage
        partners = [("lead-developer", "developer", share)]
        if share and rng.random() < 0.4:
            partners = [("lead-developer", "developer", None), ("co-developer", "developer", share)]
        for role, (kind, stages, _) in ROLES.items():
            if stage in stages and rng.random() < 0.35:
                partners.append((role, kind, None))
        for role, kind, role_share in partners:
            if company := self._find_partner(kind, self.opened):
                self._add_partner(event, role, company, role_share)

    def _find_partner(self, kind: str, day: int) -> Counterparty | None:
        """A company of the kind that has no role here yet."""
        country = self.place["country"]
        for _ in range(4):
            company = self._projects.companies.pick(kind, country, day)
            is_near = kind not in LOCAL_KINDS or company.country == country
            if is_near and company.pk not in self._partners:
                return company
        return None

    def _add_partner(self, event, role: str, company: Counterparty, share: Decimal | None = None):
        self._partners.add(company.pk)
        self._roles.add(role)
        event.add(
            PipelineCounterparty,
            pipeline_id=self.pipeline.pk,
            counterparty_id=company.pk,
            role_id=reference_id("counterpartyrole", role),
            share_pct=share,
        )

    def join(self, day: int) -> None:
        role, (kind, stages, reason) = self._rng.choice(list(ROLES.items()))
        company = self._find_partner(kind, day)
        if company and self.stage in stages and role not in self._roles:
            self._add_partner(self._event(day, reason), role, company)

    def sell_down(self, day: int) -> None:
        investor = self._find_partner("investor", day)
        if investor and self.stage >= PROCUREMENT and self.pipeline.ownership_pct == 100:
            ours = Decimal(self._rng.choice((51, 60, 75)))
            event = self._change(day, "Share sold down to free up capital", ownership_pct=ours)
            self._add_partner(event, "owner", investor, 100 - ours)

    # Status

    def move(self, day: int) -> None:
        self.stage += 1
        stage, rng, days_back = self.stage, self._rng, self._days_back()
        effective = self._history.days[day] - timedelta(days_back)
        ready = effective - timedelta(rng.randint(0, 30))
        changes: dict[str, Any] = {"stage_id": STAGE_IDS[stage]}
        if stage == CONSTRUCTION:
            changes["rtb_date"] = ready
            changes["cod_date"] = ready + self._choose_build_time()
        elif stage == COMPLETED:
            ran_on = effective - timedelta(rng.randint(0, 10))
            changes["cod_date"] = max(self.pipeline.rtb_date or ran_on, ran_on)
        reason = rng.choice(TEXTS["moves"][stage]).format(rtb=f"{ready.day} {ready:%B %Y}")
        changes |= self._next_step(self._history.days[day])
        event = self._change(day, reason, **changes, **self._rate_after_move())
        if stage == CONSTRUCTION:
            self._milestones.reach_rtb(event)
        self._add_transition(event, days_back)

    def hold(self, day: int) -> None:
        self.trait = ""
        reason, self._reason_to_release = self._rng.choice(TEXTS["holds"])
        reason = reason.format(country=country_name(self.place["country"]))
        event = self._change(day, reason, on_hold=True, on_hold_reason=reason)
        self._add_transition(event, self._days_back())

    def release(self, day: int) -> None:
        event = self._change(day, self._reason_to_release, on_hold=False, on_hold_reason="")
        self._add_transition(event, self._days_back())

    def end(self, day: int) -> None:
        buyer = self._projects.companies.pick("investor", self.place["country"], day)
        reason = self._rng.choice(TEXTS["endings"][self.trait]).format(buyer=buyer.name)
        event = self._change(day, reason, outcome=self.trait)
        self._add_transition(event, self._days_back())

    def _days_back(self) -> int:
        """The number of days by which a change of status is entered late."""
        return 0 if self._rng.random() < 0.45 else self._rng.randint(2, 35)

    def _add_transition(self, event: Event, days_back: int) -> None:
        """Add a transition, effective after the previous one."""
        effective = event.when.date() - timedelta(days_back)
        if self._status_since:
            effective = max(effective, self._status_since + timedelta(1))
        self._status_since = effective
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

    # Ratings

    def _find_issue(self) -> Row:
        """The current issue, or a new one that fits the stage."""
        stage, technology = str(self.stage), self.technologies[0]
        fitting = (
            row
            for row in ISSUES
            if stage in row["stages"] and technology in row["technologies"].split()
        )
        self._issue = self._issue or self._rng.choice(list(fitting))
        return self._issue

    def _rate(self, rag: RAG) -> dict[str, str]:
        """The fields of a rating by the current issue, which ends when the rating is green."""
        is_easing = (self._rag, rag) == (RAG.RED, RAG.AMBER)
        if rag == RAG.GREEN and not self._issue:
            comment = self._rng.choice(TEXTS["green"][self.stage])
        else:
            comment = self._find_issue()["easing" if is_easing else rag.value]
        if rag == RAG.GREEN:
            self._issue = None
        self._rag = rag.value
        return {"rag_status": rag.value, "rag_comment": comment}

    def _rate_first(self) -> dict[str, str]:
        draw, stage, trait = self._rng.random(), self.stage, self.trait
        if trait == "no rating" or (draw > 0.93 and stage < CONSTRUCTION):
            return {}
        is_green = stage == COMPLETED or (draw < 0.68 and trait != "overdue")
        return self._rate(RAG.GREEN if is_green else RAG.AMBER)

    def _rate_after_move(self) -> dict[str, str]:
        """A move ends the issue, unless it belongs to the new stage too."""
        stage, issue = self.stage, self._issue
        if not self._rag or (issue and str(stage) in issue["stages"] and stage < COMPLETED):
            return {}
        if self.trait != "overdue":
            return self._rate(RAG.GREEN)
        self._issue = None
        return self._rate(RAG.AMBER)

    def rate(self, day: int) -> None:
        if self.pipeline.on_hold or self.trait == "no rating":
            return
        if not self._rag:
            self._change(day, "First rating", **self._rate(RAG.GREEN))
            return
        draw, topic = self._rng.random(), self._find_issue()["name"]
        if self._rag == RAG.AMBER:
            rag = RAG.RED if draw < 0.45 or self.trait == "overdue" else RAG.GREEN
        else:
            rag = RAG.AMBER if draw < 0.7 or self._rag == RAG.RED else RAG.RED
        is_better = RAG.values.index(rag) > RAG.values.index(self._rag)
        reason = f"{topic} looks {'better' if is_better else 'worse'}"
        self._change(day, reason, **self._rate(rag))

    # Dates, sizes, comments

    def slip(self, day: int) -> None:
        """Move RTB and COD together; from construction on, COD only."""
        pipeline, is_built = self.pipeline, self.stage >= CONSTRUCTION
        if not pipeline.rtb_date or self.trait == "overdue":
            return
        later = timedelta(self._rng.choice(PROPORTIONS["slip_days"]))
        changes: dict[str, Any] = {}
        if not is_built:
            changes["rtb_date"] = pipeline.rtb_date + later
        if pipeline.cod_date:
            changes["cod_date"] = pipeline.cod_date + later
        if pipeline.on_hold:
            reason = "Date moved on while the project is on hold"
        elif later < timedelta(0):
            reason = self._rng.choice(TEXTS["slip_earlier"])
        else:
            reason = self._find_issue()["delay"]
            if self._rag == RAG.GREEN:
                changes |= self._rate(RAG.AMBER)
        event = self._change(day, reason, **changes)
        if not is_built:
            self._milestones.shift(event, later)

    def confirm(self, day: int) -> None:
        if self._rag:
            event = self._event(day, "Monthly review, no change")
            event.change(self.pipeline, rag_confirmed_at=event.when)
            self._milestones.catch_up(event)

    def resize(self, day: int) -> None:
        facility, rng = self._facilities[0], self._rng
        if self.stage >= CONSTRUCTION or not facility.capacity_mw:
            return
        factor, reason = rng.choice(list(TEXTS["new_sizes"].items()))
        size = _limited_mw(self.technologies[0], facility.capacity_mw * Decimal(factor))
        if size == facility.capacity_mw:
            return
        changes = {
            "capacity_mw": size,
            "export_limit_mw": min(size, facility.export_limit_mw or size),
        }
        if facility.storage_mwh:
            changes["storage_mwh"] = _tenths(facility.storage_mwh * size / facility.capacity_mw)
        self._event(day, reason).change(facility, **changes)

    def set_probability(self, day: int) -> None:
        rng, today = self._rng, self._history.today
        reason, (low, high) = rng.choice(list(TEXTS["probabilities"].items()))
        self._change(
            day,
            reason,
            probability_pct=Decimal(rng.randrange(low, high, 5)),
            probability_reason=reason,
            probability_expires_on=rng.choice((None, today + timedelta(90), today - timedelta(20))),
        )

    def comment(self, day: int) -> None:
        event = self._event(day)
        event.comment(self.pipeline, TEXTS["comments"], place=self.place["name"])


def _limited_mw(technology: str, megawatts: Decimal) -> Decimal:
    """The size, limited to the range of the technology."""
    smallest, largest = span(TECHNOLOGIES[technology], "megawatts")
    return min(Decimal(largest), max(Decimal(smallest), _tenths(megawatts)))


def _tenths(number: Decimal) -> Decimal:
    return number.quantize(Decimal("0.1"))
