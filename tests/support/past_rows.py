"""The rows of ``Fact``, and the same rows computed from the records inside ``as_of``."""

from __future__ import annotations

from contextlib import nullcontext
from datetime import date

from django.db.models import Count, F, OuterRef, Subquery

from oegen.asof import as_of
from oegen.core import clock
from pipelines.facts.models import Fact
from pipelines.models import Pipeline, PipelineFacility, StageTransition

_STATE = (
    *("project_name", "stage_id", "on_hold", "outcome", "rag_status", "rag_confirmed_at"),
    *("rtb_date", "responsible_id", "ownership_pct", "probability_pct", "probability_expires_on"),
)
_FACT_STATE = (
    *("project_name", "stage_id", "on_hold", "outcome", "rag_status", "rag_confirmed_at"),
    *("rtb_date", "responsible_id", "owned", "own_chance", "own_chance_until"),
)
_FACT_PLANT = ("sold_on", "facility_id", "technology_id", "kw", "kwh")
_FACT_MARKS = ("is_shared", "is_first", "is_first_of_technology")


def rows_by_facts(day: date | None) -> set[tuple]:
    moment = clock.end_of(day) if day else None
    columns = ("pipeline_id", *_FACT_STATE, *_FACT_PLANT, *_FACT_MARKS)
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
            .annotate(sold_on=Subquery(sale), facility=F("facility_links__facility_id"))
            .values_list(
                *("pk", *_STATE, "sold_on", "facility"),
                "facility_links__facility__technology_id",
                "facility_links__facility__capacity_mw",
                "facility_links__facility__storage_mwh",
            )
        )
        found = sorted(rows, key=lambda row: (row[0].hex, row[-4].hex if row[-4] else ""))
        links = PipelineFacility.objects.order_by().values_list("facility")
        shared = {facility for facility, number in links.annotate(Count("pk")) if number > 1}
    marked = set()
    seen: set[tuple] = set()
    for (
        key,
        *state,
        ownership,
        probability,
        expires_on,
        sold_on,
        facility,
        technology,
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
                    sold_on,
                ),
                *(facility, technology, _times(mw, 1000), _times(mwh, 1000)),
                *(facility in shared, (key,) not in seen, (key, technology) not in seen),
            )
        )
        seen |= {(key,), (key, technology)}
    return marked


def _times(value, factor: int) -> int | None:
    return None if value is None else int(value * factor)
