"""The rows of ``Fact``, and the same rows computed from the records inside ``as_of``."""

from __future__ import annotations

from collections import defaultdict
from contextlib import nullcontext
from datetime import date
from uuid import UUID

from django.db.models import Count, F, OuterRef, Subquery

from oegen.asof import as_of
from oegen.core import clock
from pipelines.facts.models import Fact
from pipelines.models import Milestone, Pipeline, PipelineFacility, StageTransition

_STATE = (
    *("project_name", "stage_id", "on_hold", "outcome", "rag_status", "rag_confirmed_at"),
    *("rtb_date", "responsible_id", "ownership_pct", "probability_pct", "probability_expires_on"),
)
_FACT_STATE = (
    *("project_name", "stage_id", "on_hold", "outcome", "rag_status", "rag_confirmed_at"),
    *("rtb_date", "responsible_id", "owned", "own_chance", "own_chance_until"),
)
_FACT_PROGRESS = ("rtb_first", "rtb_baseline", "is_rtb_actual", "milestone_due", "proven__kinds")
_FACT_PLANT = ("sold_on", "facility_id", "technology_id", "country", "kw", "kwh")
_FACT_MARKS = ("is_shared", "is_first", "is_first_of_technology")


def rows_by_facts(day: date | None) -> set[tuple]:
    moment = clock.end_of(day) if day else None
    columns = ("pipeline_id", *_FACT_STATE, *_FACT_PROGRESS, *_FACT_PLANT, *_FACT_MARKS)
    rows = list(Fact.objects.at(moment).values_list(*columns))
    assert len(rows) == len(set(rows))
    return set(rows)


def rows_by_records(day: date | None) -> set[tuple]:
    with as_of(day) if day else nullcontext():
        sales = StageTransition.objects.filter(pipeline=OuterRef("pk"), outcome="sold")
        sale = sales.order_by("-effective_on", "-recorded_at", "-pk").values("effective_on")[:1]
        rows = (
            Pipeline.objects.recorded()
            .order_by()
            .with_first_dates()
            .annotate(sold_on=Subquery(sale), facility=F("facility_links__facility_id"))
            .values_list(
                *("pk", *_STATE, "first_rtb_date", "sold_on", "facility"),
                "facility_links__facility__technology_id",
                "facility_links__facility__country",
                "facility_links__facility__capacity_mw",
                "facility_links__facility__storage_mwh",
            )
        )
        found = sorted(rows, key=lambda row: (row[0].hex, row[-5].hex if row[-5] else ""))
        links = PipelineFacility.objects.order_by().values_list("facility")
        progress = _progress()
        shared = {facility for facility, number in links.annotate(Count("pk")) if number > 1}
    marked = set()
    seen: set[tuple] = set()
    for (
        key,
        *state,
        ownership,
        probability,
        expires_on,
        rtb_first,
        sold_on,
        facility,
        technology,
        country,
        mw,
        mwh,
    ) in found:
        marked.add(
            (
                *(
                    key,
                    *state,
                    _times(ownership, 100),
                    _times(probability, 100),
                    expires_on,
                    rtb_first,
                    *progress.get(key, (None, False, None, None)),
                    sold_on,
                ),
                *(facility, technology, country or "", _times(mw, 1000), _times(mwh, 1000)),
                *(facility in shared, (key,) not in seen, (key, technology) not in seen),
            )
        )
        seen |= {(key,), (key, technology)}
    return marked


def _progress() -> dict[UUID, tuple]:
    """The approved RTB baseline, whether RTB is actual, the next forecast and the proven kinds of
    milestones, by pipeline."""
    milestones: dict[UUID, list[Milestone]] = defaultdict(list)
    for one in Milestone.objects.select_related("kind", "pipeline"):
        milestones[one.pipeline_id].append(one)
    found = {}
    for key, own in milestones.items():
        others = [one for one in own if one.kind.code not in ("rtb", "cod")]
        [rtb] = [one for one in own if one.kind.code == "rtb"] or [Milestone()]
        found[key] = (
            rtb.baseline_on,
            rtb.is_actual and rtb.actual is not None,
            min((one.forecast for one in others if one.forecast), default=None),
            " ".join(sorted(one.kind_id.hex for one in others if one.is_proven)) or None,
        )
    return found


def _times(value, factor: int) -> int | None:
    return None if value is None else int(value * factor)
