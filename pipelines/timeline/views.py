"""The timeline: a row for each pipeline with its stages, RTB, COD and milestones."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.core.exceptions import BadRequest
from django.http import JsonResponse
from django.utils.decorators import method_decorator
from django.utils.functional import cached_property
from django.views.decorators.cache import cache_control
from django.views.decorators.http import etag

from oegen import asof
from oegen.core import clock
from oegen.core.caching import cache_key, keep
from oegen.core.words import count
from pipelines.facts.kept import facts_and_others_version
from pipelines.filtered import ComparedPipelines, list_url
from pipelines.filters import OPEN_BY_DEFAULT, reader_key
from pipelines.models import Facility, Pipeline, PipelineFacility
from pipelines.querysets import Capacity, Megawatts
from pipelines.reference import COD_ID, RTB_ID
from pipelines.timeline.dates import Mark, Schedule, read_schedules
from pipelines.timeline.order import GroupBy, Order, Vocabulary, read_order

#: The number of rows that are read at a time.
ROWS = 50

#: The scales of time that an address can ask for; timeline.js draws them.
ZOOMS = {"fit": "All", "years": "Years", "quarters": "Quarters", "months": "Months"}

#: Those that other views of the pipelines do not have.
OWN_PARAMETERS = frozenset({"group", "compare", "zoom"})

#: The filters of the list that select a group, by what it is grouped by.
GROUP_FILTERS = {
    GroupBy.TECHNOLOGY: "technology",
    GroupBy.STAGE: "status",
    GroupBy.RESPONSIBLE: "responsible",
}

#: The models of which a timeline reads nothing that is not in the facts, except pipelines' COD.
BY_FACTS = (Pipeline, PipelineFacility, Facility)

_EPOCH = date(1970, 1, 1)


def day_number(day: date | None) -> int | None:
    """The days since 1970, which are shorter in JSON and what a script reckons with."""
    return None if day is None else (day - _EPOCH).days


def capacity_cells(capacity: Megawatts) -> list[Any]:
    return [round(float(capacity.mw), 3), capacity.unit]


class ReadsSchedules(ComparedPipelines):
    default_filter = OPEN_BY_DEFAULT
    page_parameters = ComparedPipelines.page_parameters | OWN_PARAMETERS

    @cached_property
    def version(self) -> tuple[str, str, int | None]:
        """What changes when the rows do; read before anything else is."""
        query = self.request.GET.copy()
        for name in ("start", "zoom", "page"):
            query.pop(name, None)
        if self.filterset.asks_facts_only:
            written = facts_and_others_version(BY_FACTS, ["cod_date"])
        else:
            written = asof.data_version()
        return written, *reader_key(query, self.request.user)

    @property
    def group_by(self) -> GroupBy:
        name = self.request.GET.get("group", "")
        return GroupBy(name) if name in GroupBy.values else GroupBy.TECHNOLOGY

    @cached_property
    def vocabulary(self) -> Vocabulary:
        return Vocabulary()

    def order(self) -> Order:
        return keep(
            lambda: read_order(self.object_list, self.group_by, self.vocabulary),
            "timeline",
            *self.version,
        )

    def rows(self, start: int) -> dict[str, Any]:
        """``rows``: see ``Timeline``; ``version`` is another if others would follow."""
        return keep(lambda: self._read_rows(start), "timeline rows", start, *self.version)

    def _read_rows(self, start: int) -> dict[str, Any]:
        since, _ = self.comparison_day()
        kinds = {kind.pk: place for place, kind in enumerate(self.vocabulary.kinds)}
        stages = {stage.code: place for place, stage in enumerate(self.vocabulary.stages)}
        found = read_schedules(self.order().part(start, ROWS), self.vocabulary, since)
        rows = [self._row(one, stages, kinds) for one in found]
        return {"version": cache_key(*self.version), "start": start, "rows": rows}

    @staticmethod
    def _row(schedule: Schedule, stages: dict, kinds: dict) -> list[Any]:
        def cells(mark: Mark) -> list[Any]:
            then = [] if mark.then is None else [day_number(mark.then)]
            return [kinds[mark.kind_id], day_number(mark.day), mark.state, *then]

        pipeline, capacity = schedule.pipeline, schedule.capacity
        return [
            str(pipeline.pk),
            pipeline.project_name,
            pipeline.rag_status[:1].upper(),
            schedule.status,
            int(schedule.is_over),
            schedule.technology,
            *([None, ""] if capacity is None else capacity_cells(capacity)),
            [
                [stages[one.stage], day_number(one.began), day_number(one.until)]
                for one in schedule.stays
            ],
            [cells(mark) for mark in schedule.marks],
        ]


class Timeline(ReadsSchedules):
    """The page, with the first rows of its timeline as JSON arrays, to keep them small. Days are
    numbers of days since 1970, null if there is none.

    ``groups``: [label, number of pipelines, MW, unit, address of these in the list or ""];
    ``technologies``: [name, colour, colour on dark]; ``stages`` and ``kinds``: names, of which
    ``rtb`` and ``cod`` are the indexes; ``size``: the number of rows that come together;
    ``rows``: [id, name, RAG letter or "", status, whether it is over, index of its technology or
    null, MW or null, unit, stays, marks], with stays [index of the stage, began, until or null] and
    marks [index of the kind, day, 0 (expected), 1 (done) or 2 (missed), and the day it had on the
    comparison day, if that was another].
    """

    template_name = "pipelines/timeline.html"
    state_template_name = "pipelines/parts/timeline_state.html"

    def get_context_data(self, **kwargs):
        since, problem = self.comparison_day()
        data, capacity = keep(self._read, "timeline page", *self.version)
        total = sum(number for _, number, *_ in data["groups"])
        zoom = self.request.GET.get("zoom", "")
        return super().get_context_data(**kwargs) | {
            "total": total,
            "status_text": f"{count(total, 'pipeline')} on the timeline",
            "capacity": capacity,
            "since": since,
            "since_problem": problem,
            "group_by": self.group_by,
            "groupings": GroupBy.choices,
            "zooms": ZOOMS.items(),
            "zoom": zoom if zoom in ZOOMS else "fit",
            "past": clock.past_day(),
            "timeline": data,
        }

    def _read(self) -> tuple[dict[str, Any], Capacity]:
        order = self.order()
        return self._data(order), order.capacity

    def _data(self, order: Order) -> dict[str, Any]:
        since, _ = self.comparison_day()
        kinds = [kind.pk for kind in self.vocabulary.kinds]
        return {
            "today": day_number(clock.today()),
            "since": day_number(since),
            "years": order.years,
            "size": ROWS,
            "technologies": [
                [one.name, one.colour, one.colour_dark] for one in self.vocabulary.technologies
            ],
            "stages": [stage.name for stage in self.vocabulary.stages],
            "kinds": [kind.name for kind in self.vocabulary.kinds],
            "rtb": kinds.index(RTB_ID),
            "cod": kinds.index(COD_ID),
            "groups": [
                [
                    group.label,
                    group.pipelines,
                    *capacity_cells(group.capacity),
                    self._list_of(group.code),
                ]
                for group in order.groups
            ],
            **self.rows(0),
        }

    def _list_of(self, code: str) -> str:
        """The address of a group in the list; empty if no filter selects it."""
        query = self.request.GET.copy()
        for name in OWN_PARAMETERS:
            query.pop(name, None)
        return list_url(query, GROUP_FILTERS[self.group_by], code) if code else ""


class TimelineRows(ReadsSchedules):
    """The rows from ``start`` on; see ``Timeline``."""

    page_parameters = ReadsSchedules.page_parameters | {"start"}

    @method_decorator(cache_control(private=True, no_cache=True))
    def get(self, request, *args, **kwargs):
        """A browser that has the rows already is told so without reading them."""
        self.filterset = self.get_filterset(self.get_filterset_class())
        key = cache_key("timeline", request.GET.get("start"), *self.version)
        return etag(lambda *args, **kwargs: f'"{key}"')(super().get)(request, *args, **kwargs)

    def render_to_response(self, context, **kwargs):
        text = self.request.GET.get("start", "0")
        if not (text.isdecimal() and len(text) < 10):
            raise BadRequest("Rows start at a number, such as 200.")
        return JsonResponse(
            self.rows(int(text)),
            json_dumps_params={"separators": (",", ":"), "ensure_ascii": False},
        )
