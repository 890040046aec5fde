"""The list of milestones of all pipelines."""

from __future__ import annotations

from operator import attrgetter, methodcaller

from django.db.models import Case, F, When
from django.urls import reverse
from django.utils.html import format_html

from oegen.exports import FileValue
from oegen.pages.columns import (
    Column,
    DayColumn,
    MomentColumn,
    NullsLastPartColumn,
    PersonColumn,
    TextColumn,
    truncate,
)
from oegen.pages.filters import (
    MINE,
    DayFilter,
    DefaultFilter,
    NameFilter,
    PageFilterSet,
    TextFilter,
    is_person,
)
from oegen.pages.lists import ListPage
from oegen.pages.selection import SelectionFilter
from oegen.pages.tables import RecordTable
from oegen.search import keys_containing
from oegen.search.ordering import natural
from pipelines.filters import NOBODY, responsible_choices, status_choices
from pipelines.models import Milestone, MilestoneKind, Pipeline
from pipelines.querysets import OPEN
from pipelines.querysets.milestone import AHEAD, DONE, MISSED, NO_DAY

_STATES = {MISSED: "Missed", AHEAD: "Ahead", DONE: "Done", NO_DAY: "No date"}

OPEN_BY_DEFAULT = DefaultFilter("status", OPEN, "of open pipelines")


def kind_choices() -> list[tuple[str, str]]:
    return list(MilestoneKind.objects.values_list("code", "name"))


class MilestoneFilter(PageFilterSet):
    primary = ("q", "kind", "state", "status", "responsible")
    ranges = (("day_from", "day_to"),)

    q = TextFilter()
    kind = SelectionFilter(
        "Milestone",
        kind_choices,
        pick="of_kind",
        group_by="kind__code",
        empty_label="Any milestone",
    )
    state = SelectionFilter(
        "State", list(_STATES.items()), select="of_state", empty_label="Any state"
    )
    status = SelectionFilter(
        "Status of the pipeline", status_choices, pick="of_status", empty_label="Any status"
    )
    responsible = SelectionFilter(
        "Responsible",
        responsible_choices,
        pick="of_responsible",
        group_by="pipeline__responsible__username",
        buckets={NOBODY: None},
        is_combined=lambda code: code == MINE,
        empty_label="Anybody",
    )
    day_from = DayFilter("day", "gte", "Expected or done from")
    day_to = DayFilter("day", "lte", "Expected or done to")
    pipeline = NameFilter("Pipeline", method="filter_pipeline")

    class Meta:
        model = Milestone
        fields: list[str] = []

    def of_kind(self, queryset, codes):
        return queryset.filter(kind__code__in=codes)

    def of_status(self, queryset, codes):
        return queryset.filter(pipeline__in=Pipeline.objects.order_by().of_status(*codes))

    def of_responsible(self, queryset, codes):
        reader = self.request.user
        return queryset.filter(is_person("pipeline__responsible", codes, reader, nobody=NOBODY))

    def filter_pipeline(self, queryset, name, value):
        return queryset.filter(pipeline__in=keys_containing(Pipeline, value)) if value else queryset


class PipelineColumn(Column):
    def __init__(self):
        super().__init__(
            "Pipeline", order_by=(natural("pipeline__project_name"),),
            file_value=FileValue(("pipeline__project_name",)),
        )  # fmt: skip

    def cell(self, record, value):
        return format_html(
            '<a href="{}#milestones-title">{}</a>',
            reverse("pipeline", args=[record.pipeline_id]),
            truncate(value, 90),
        )


_with_kind = methodcaller("select_related", "kind")
_with_day = methodcaller("with_day")


class StateColumn(Column):
    def __init__(self):
        super().__init__(
            orderable=False,
            annotate=_with_day,
            empty_values=("",),
            file_value=FileValue(("state",), _STATES.get),
        )

    def cell(self, record, value):
        return _STATES[value]


def _kind_names() -> list[str]:
    return [name for _, name in kind_choices()]


class MilestoneTable(RecordTable):
    default_columns = ("kind", "day", "baseline_on", "responsible", "evidence_note")

    pipeline = PipelineColumn()
    kind = Column("Milestone", order_by=("kind__order",), annotate=_with_kind,
                  file_value=FileValue(("kind__name",)), file_choices=_kind_names)  # fmt: skip
    day = NullsLastPartColumn(
        "pipelines/parts/milestone_day.html",
        "Expected or done",
        cache_key=attrgetter("day", "state"),
        annotate=_with_day,
    )
    state = StateColumn()
    baseline_on = DayColumn("Approved baseline")
    forecast_on = DayColumn("Forecast")
    actual_on = DayColumn("Actual")
    responsible = PersonColumn("pipeline__responsible")
    evidence_note = TextColumn("Evidence")
    evidence_url = TextColumn("Link to the evidence")
    confirmed_by = PersonColumn("confirmed_by")
    created_at = MomentColumn("Added")
    modified_at = MomentColumn("Last changed")


class MilestoneList(ListPage):
    queryset = Milestone.objects.select_related("pipeline")
    filterset_class = MilestoneFilter
    table_class = MilestoneTable
    section = "milestones"
    default_filter = OPEN_BY_DEFAULT
    empty_text = "A milestone is an event on the way of a project, such as its grid offer."

    def usual_filters(self):
        return {
            "Open": {},
            "Mine": {"responsible": [MINE]},
            "Missed": {"state": [MISSED]},
        }

    def get_context_data(self, **kwargs):
        return super().get_context_data(**kwargs) | {"parent_section": "pipelines"}

    def get_queryset(self):
        """What is ahead or missed, the first first; what is done, the last first. Built for each
        request, because the states depend on the day."""
        is_done = Case(When(state=DONE, then=F("day")))
        first = is_done.desc(nulls_first=True), F("day").asc(nulls_last=True)
        found = super().get_queryset().with_day()
        return found.order_by(*first, natural("pipeline__project_name"), "kind__order", "pk")
