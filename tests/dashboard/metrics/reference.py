"""A reference implementation of the metrics in plain Python, one record at a time."""

from collections import defaultdict
from datetime import date
from decimal import Decimal

from dashboard.metrics import Total
from infopoints.models import InformationPointPipeline
from pipelines.models import (
    Facility,
    GateSet,
    Milestone,
    Pipeline,
    PipelineCounterparty,
    PipelineFacility,
    RegisterFinding,
    StageTransition,
)
from pipelines.querysets import Capacity, Megawatts

EARLY = ("discovery", "design", "procurement")


def staying_until(stays, share) -> int | None:
    """Kaplan and Meier's estimate written out: over each day, of all who are still there."""
    staying = 1.0
    for day in sorted({days for days, _ in stays}):
        at_risk = sum(days >= day for days, _ in stays)
        moved = sum(days == day and moved for days, moved in stays)
        staying *= (at_risk - moved) / at_risk
        if staying <= 1 - share + 1e-9:
            return day
    return None


class Reference:
    def __init__(self, today: date):
        self.today = today
        self.pipelines = list(Pipeline.objects.select_related("stage"))
        self.by_key = {pipeline.pk: pipeline for pipeline in self.pipelines}
        self.facilities = {one.pk: one for one in Facility.objects.select_related("technology")}
        self.links, self.owners = defaultdict(set), defaultdict(set)
        for link in PipelineFacility.objects.all():
            self.links[link.pipeline_id].add(link.facility_id)
            self.owners[link.facility_id].add(link.pipeline_id)
        self.parties = defaultdict(list)
        for link in PipelineCounterparty.objects.select_related("role"):
            self.parties[link.pipeline_id].append(link)
        self.points = defaultdict(set)
        for link in InformationPointPipeline.objects.all():
            self.points[link.information_point_id].add(link.pipeline_id)
        self.milestones = defaultdict(list)
        for milestone in Milestone.objects.select_related("kind", "pipeline"):
            self.milestones[milestone.pipeline_id].append(milestone)
        self.gate_sets = defaultdict(set)
        for gates in GateSet.objects.prefetch_related("gates__kind").filter(is_active=True):
            place = gates.technology_id, gates.country
            self.gate_sets[place] = {gate.kind.code for gate in gates.gates.all()}
        self.moves = defaultdict(list)
        for move in StageTransition.objects.select_related("stage"):
            self.moves[move.pipeline_id].append(move)
        self.findings = defaultdict(set)
        for finding in RegisterFinding.objects.all():
            is_begun = finding.begins_on is None or finding.begins_on <= today
            if finding.valid_from.date() <= today < finding.valid_until.date() and is_begun:
                self.findings[finding.pipeline_id].add(finding.kind)

    # One pipeline

    def state(self, pipeline) -> str:
        if pipeline.outcome != "active":
            return "ended"
        if pipeline.stage.is_terminal:
            return "completed"
        return "on-hold" if pipeline.on_hold else "open"

    def is_open(self, pipeline) -> bool:
        return self.state(pipeline) == "open"

    def is_overdue(self, pipeline) -> bool:
        due = pipeline.rtb_date
        early = pipeline.stage.code in EARLY
        return self.is_open(pipeline) and early and due is not None and due < self.today

    def status(self, pipeline) -> str:
        if pipeline.outcome != "active":
            return pipeline.outcome
        return "on-hold" if pipeline.on_hold else pipeline.stage.code

    def rtb_bucket(self, pipeline) -> str:
        if pipeline.rtb_date is None:
            return "none"
        return "overdue" if self.is_overdue(pipeline) else str(pipeline.rtb_date.year)

    def probability(self, pipeline) -> Decimal | None:
        expires = pipeline.probability_expires_on
        if pipeline.probability_pct is not None and (expires is None or expires >= self.today):
            return pipeline.probability_pct
        return pipeline.stage.default_probability_pct

    def mw(self, facility) -> Decimal:
        return self.facilities[facility].capacity_mw or Decimal(0)

    # Sets of pipelines

    def open(self) -> list:
        return [pipeline for pipeline in self.pipelines if self.is_open(pipeline)]

    def grouped(self, pipelines, key) -> dict:
        groups = defaultdict(list)
        for pipeline in pipelines:
            groups[key(pipeline)].append(pipeline)
        return groups

    def with_technology(self, pipelines, technology) -> list:
        """The pipelines with a facility of the technology; for None, those without a facility."""
        if technology is None:
            return [pipeline for pipeline in pipelines if not self.links[pipeline.pk]]
        return [
            pipeline
            for pipeline in pipelines
            if any(
                self.facilities[key].technology_id == technology for key in self.links[pipeline.pk]
            )
        ]

    def total(self, pipelines, technology=None) -> Total:
        """The total of all facilities of the pipelines, or of those of one technology."""
        mine = defaultdict(list)
        for pipeline in pipelines:
            for key in self.links[pipeline.pk]:
                if technology in (None, self.facilities[key].technology_id):
                    mine[key].append(pipeline)
        capacity = Capacity()
        net, weighted, net_weighted, with_probability = (Megawatts() for _ in range(4))
        for key, owners in mine.items():
            facility, mw = self.facilities[key], self.mw(key)
            is_dc = facility.technology.capacity_basis == "dc"

            def split(amount, is_dc=is_dc):
                return (amount, Decimal(0)) if is_dc else (Decimal(0), amount)

            capacity += Capacity(
                *split(mw),
                facility.storage_mwh or 0,
                1,
                int(facility.capacity_mw is None),
                mw if facility.technology.is_storage and not is_dc else 0,
            )
            ownership = max(pipeline.ownership_pct for pipeline in owners)
            net += Megawatts(*split(mw * ownership / 100))
            probabilities = [self.probability(pipeline) for pipeline in owners]
            if known := [probability for probability in probabilities if probability is not None]:
                weighted += Megawatts(*split(mw * max(known) / 100))
                with_probability += Megawatts(*split(mw))
                products = [
                    owner.ownership_pct * probability
                    for owner, probability in zip(owners, probabilities, strict=True)
                    if probability is not None
                ]
                net_weighted += Megawatts(*split(mw * max(products) / 10_000))
        # To a tenth of a watt.
        net_weighted = Megawatts(round(net_weighted.mwp_dc, 7), round(net_weighted.mw_ac, 7))
        return Total(len(pipelines), capacity, net, weighted, net_weighted, with_probability)

    # Who holds what

    def parts(self, pipeline) -> dict:
        """The share, 0 to 1, of each counterparty; under None the share that nobody holds."""
        links = self.parties[pipeline.pk]
        shared = [link for link in links if link.share_pct is not None]
        parts = defaultdict(Decimal)
        if shared:
            whole = max(sum(link.share_pct for link in shared), 100)
            for link in shared:
                parts[link.counterparty_id] += link.share_pct / whole
            if whole == 100 and sum(parts.values()) < 1:
                parts[None] = 1 - sum(parts.values())
            return parts
        for link in links:
            if link.role.code == "lead-developer":
                return {link.counterparty_id: Decimal(1)}
        return {None: Decimal(1)}

    def held(self, pipelines) -> tuple[dict, dict]:
        """The MW held by each counterparty, and the pipelines of which it holds a part; under None
        those that nobody holds."""
        largest, partners = defaultdict(dict), defaultdict(set)
        for pipeline in pipelines:
            for holder, part in self.parts(pipeline).items():
                partners[holder].add(pipeline)
                for key in self.links[pipeline.pk]:
                    largest[holder][key] = max(largest[holder].get(key, 0), part)
        held = {
            holder: sum((self.mw(key) * part for key, part in largest[holder].items()), Decimal(0))
            for holder in partners
        }
        return held, partners

    # Ready to build

    def was_ready_when_sold(self, pipeline) -> bool:
        """Whether the RTB date had passed by the sale. From the day after it the pipeline was
        overdue, unless it was under construction or completed."""
        moves = sorted(
            self.moves[pipeline.pk], key=lambda one: (one.effective_on, one.recorded_at, one.pk)
        )
        sales = [move.effective_on for move in moves if move.outcome == "sold"]
        due = pipeline.rtb_date
        if pipeline.outcome != "sold" or not sales or due is None or due > sales[-1]:
            return False
        return pipeline.stage.code not in EARLY or due == sales[-1]

    # Stages

    def stays(self) -> list[tuple]:
        """(pipeline, stage code, days, end) of each stay; the end is "moved", "ended" or ""."""
        found = []
        for key, moves in self.moves.items():
            moves.sort(key=lambda move: (move.effective_on, move.recorded_at, move.pk))
            place, began = None, None
            for move in moves:
                here = move.stage if move.outcome == "active" else None
                if place is not None and here != place:
                    how = "moved" if here else "ended"
                    found.append((key, place.code, (move.effective_on - began).days, how))
                if here != place:
                    place, began = here, move.effective_on
            if place is not None:
                found.append((key, place.code, (self.today - began).days, ""))
        return found

    def became(self, pipeline, stage) -> str:
        """The result of a pipeline in a stage: "", "on", "sold", "ended" or "undecided"."""
        entered, went_on, was_here = False, False, False
        last = None
        for move in sorted(
            self.moves[pipeline.pk], key=lambda one: (one.effective_on, one.recorded_at, one.pk)
        ):
            last = move
            if move.outcome != "active":
                continue
            if move.stage == stage:
                entered = was_here = True
            elif was_here and move.stage.order > stage.order:
                went_on = True
        if not entered:
            return ""
        if went_on:
            return "on"
        if last.outcome == "active":
            return "undecided"
        return "sold" if last.outcome == "sold" else "ended"

    # Milestones

    def baselines(self) -> dict:
        """Of each open pipeline with an RTB date: the days against its baseline and against the
        date first recorded, and whether the baseline was approved."""
        found = {}
        for pipeline in self.open():
            if pipeline.rtb_date is None:
                continue
            rows = pipeline.history.order_by("history_date", "history_id")
            first = next(row.rtb_date for row in rows if row.rtb_date)
            approved = [
                one.baseline_on
                for one in self.milestones[pipeline.pk]
                if one.kind.code == "rtb" and one.baseline_on
            ]
            [baseline] = approved or [first]
            found[pipeline.pk] = (
                (pipeline.rtb_date - baseline).days,
                (pipeline.rtb_date - first).days,
                bool(approved),
            )
        return found

    def mean_by_capacity(self, days: dict) -> float | None:
        sizes = {key: float(sum(map(self.mw, self.links[key]))) for key in days}
        total = sum(sizes.values())
        return sum(days[key] * sizes[key] for key in days) / total if total else None

    def has_missed(self, key) -> bool:
        others = (one for one in self.milestones[key] if one.kind.code not in ("rtb", "cod"))
        days = (one.forecast_on for one in others if not one.actual_on)
        return any(day is not None and day < self.today for day in days)

    def is_rtb_actual(self, pipeline) -> bool:
        marks = [one.is_actual for one in self.milestones[pipeline.pk] if one.kind.code == "rtb"]
        return pipeline.rtb_date is not None and any(marks)

    def proofs(self) -> dict:
        """The codes of the kinds of milestones that happened, with evidence, by pipeline."""
        found = defaultdict(set)
        for key, milestones in self.milestones.items():
            for one in milestones:
                if one.actual_on and (one.evidence_url or one.evidence_note):
                    found[key].add(one.kind.code)
        return found

    def gates(self, key) -> set:
        """The codes of the kinds of milestones that are gates of the pipeline."""
        found = set()
        plants = [self.facilities[one] for one in self.links[key]]
        for technology, country in [(one.technology, one.country) for one in plants] or [
            (None, "")
        ]:
            own = technology and technology.pk
            parent = technology and technology.parent_id
            places = [(own, country), (own, ""), (parent, country), (parent, "")]
            places += [(None, country), (None, "")]
            found |= next(
                (self.gate_sets[place] for place in places if place in self.gate_sets), set()
            )
        return found

    # What needs attention

    def reasons(self, was: dict) -> dict:
        """The reasons of each open pipeline that has any, in order. ``was`` has the rating and the
        RTB date a month before of those that were open then."""
        lengths, since = defaultdict(list), {}
        for key, code, days, how in self.stays():
            lengths[code].append((days, how == "moved"))
            if not how:
                since[key] = code, days
        usual = {
            code: staying_until(stays, 0.8)
            for code, stays in lengths.items()
            if sum(moved for _, moved in stays) >= 10
        }
        order = ["green", "amber", "red"]
        proofs = self.proofs()
        all_gates = set().union(*self.gate_sets.values())
        is_proving = any(proofs[pipeline.pk] & all_gates for pipeline in self.open())
        is_used = any(pipeline.responsible_id for pipeline in self.open())
        found = {}
        for pipeline in self.open():
            key, rag, due = pipeline.pk, pipeline.rag_status, pipeline.rtb_date
            then, due_then = was.get(key, ("", None))
            mw = [self.facilities[one].capacity_mw for one in self.links[key]]
            confirmed = pipeline.rag_confirmed_at
            code, days = since.get(key, ("", 0))
            is_unconfirmed = not confirmed or (self.today - confirmed.date()).days > 60
            holds = {
                "red": rag == "red",
                "worsened": bool(rag and then) and order.index(rag) > order.index(then),
                "overdue": self.is_overdue(pipeline),
                "slipped": bool(due and due_then) and (due - due_then).days > 30,
                "missed": self.has_missed(key),
                "register-ended": "ended" in self.findings[key],
                "unrated": not rag,
                "unconfirmed": bool(rag) and is_unconfirmed,
                "no-rtb-date": due is None,
                "no-capacity": all(one is None for one in mw),
                "nobody": is_used and pipeline.responsible_id is None,
                "unproven": is_proving
                and (pipeline.stage.code not in EARLY or self.is_rtb_actual(pipeline))
                and not self.gates(key) <= proofs[key],
                "waiting": usual.get(code) is not None and days > usual[code],
                "register-differs": bool(self.findings[key] - {"ended"}),
            }
            if any(holds.values()):
                found[key] = tuple(code for code, is_so in holds.items() if is_so)
        return found
