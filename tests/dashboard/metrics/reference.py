"""The portfolio in lists and dicts, and the rules of the numbers written out once more: one record
at a time, in plain Python."""

from collections import defaultdict
from datetime import date
from decimal import Decimal

from dashboard.metrics import Total
from infopoints.models import InformationPointPipeline
from pipelines.models import (
    Facility,
    Pipeline,
    PipelineCounterparty,
    PipelineFacility,
    StageTransition,
)
from pipelines.querysets import Capacity, Megawatts

EARLY = ("discovery", "design", "procurement")


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
        self.moves = defaultdict(list)
        for move in StageTransition.objects.select_related("stage"):
            self.moves[move.pipeline_id].append(move)

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
        """Those with a facility of it; None is for those without any facility."""
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
        """Of all facilities of the pipelines, or of those of one technology."""
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
            owned = max(pipeline.ownership_pct for pipeline in owners)
            net += Megawatts(*split(mw * owned / 100))
            chances = [self.probability(pipeline) for pipeline in owners]
            if known := [chance for chance in chances if chance is not None]:
                weighted += Megawatts(*split(mw * max(known) / 100))
                with_probability += Megawatts(*split(mw))
                products = [
                    owner.ownership_pct * chance
                    for owner, chance in zip(owners, chances, strict=True)
                    if chance is not None
                ]
                net_weighted += Megawatts(*split(mw * max(products) / 10_000))
        # To a tenth of a watt.
        net_weighted = Megawatts(round(net_weighted.mwp_dc, 7), round(net_weighted.mw_ac, 7))
        return Total(len(pipelines), capacity, net, weighted, net_weighted, with_probability)

    # Who holds what

    def parts(self, pipeline) -> dict:
        """The part, 0 to 1, of each counterparty, and under None nobody's if there is any."""
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
        """What of the pipelines each counterparty holds, in MW, and of which it holds a part;
        under None what nobody holds."""
        largest, tied = defaultdict(dict), defaultdict(set)
        for pipeline in pipelines:
            for holder, part in self.parts(pipeline).items():
                tied[holder].add(pipeline)
                for key in self.links[pipeline.pk]:
                    largest[holder][key] = max(largest[holder].get(key, 0), part)
        held = {
            holder: sum((self.mw(key) * part for key, part in largest[holder].items()), Decimal(0))
            for holder in tied
        }
        return held, tied

    # Ready to build

    def was_ready_when_sold(self, pipeline) -> bool:
        """Its RTB date had come by the sale. A day late it was overdue, unless it was built by
        then or being built."""
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
        """(pipeline, stage code, days, how it ended) of each stay; how: "moved", "ended", ""."""
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
        """Of a pipeline and a stage: "", "on", "sold", "ended" or "undecided"."""
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
