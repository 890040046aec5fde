"""The board: a column for each status, and moving a pipeline between them."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from operator import attrgetter
from typing import cast
from uuid import UUID

from django import forms
from django.contrib.auth.mixins import PermissionRequiredMixin
from django.core.exceptions import ValidationError
from django.db.models import F, Window
from django.db.models.functions import RowNumber
from django.http import HttpResponse, JsonResponse, QueryDict
from django.shortcuts import get_object_or_404, render
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.safestring import SafeString
from django.views import View

from oegen import asof
from oegen.audit.narrative import timeline
from oegen.core.caching import keep
from oegen.core.days import DayField
from oegen.core.exceptions import StaleRecordError
from oegen.core.fields import ReasonFormField, TextFormField
from oegen.pages.columns import PartColumn
from oegen.pages.forms import AnswersField, DialogForm
from oegen.people.requests import SignedInRequest
from oegen.search.ordering import natural
from pipelines.choices import ON_HOLD
from pipelines.editing import MAY_EDIT, answer_of
from pipelines.filtered import FilteredPipelines, list_url
from pipelines.filters import reader_key
from pipelines.models import Pipeline, Stage
from pipelines.querysets import HELD, Capacity, PipelineQuerySet
from pipelines.services import (
    NotMovableError,
    last_move,
    move_pipeline,
)
from pipelines.tables import LISTED_FACILITIES, technology_keys

#: The number of cards shown in a column; the list shows the rest.
CARDS = 20


@dataclass(frozen=True)
class Card:
    """A pipeline, with the parts of its card that many share."""

    pipeline: Pipeline
    technologies: SafeString
    rag: SafeString


@dataclass(frozen=True)
class Column:
    """One status, with its first cards; ``count`` and ``capacity`` cover all its pipelines."""

    code: str
    name: str
    is_end: bool
    is_target: bool
    cards: list[Card]
    count: int
    capacity: Capacity
    list_url: str


def columns(pipelines: PipelineQuerySet, query: QueryDict) -> list[Column]:
    """The open stages, On hold, then the terminal stages without their cards.

    An inactive stage is shown while it has pipelines. The number of queries does not depend on the
    number of pipelines.
    """
    shown = pipelines.active().with_status()
    counts = shown.count_by("status")
    capacities = shown.capacity_by("status")
    stages = list(Stage.objects.order_by("is_terminal", "order"))
    cards = _cards_by_status(shown, stages)
    statuses = [(stage.code, stage.name, stage.is_terminal, stage.is_active) for stage in stages]
    first_terminal = sum(not stage.is_terminal for stage in stages)
    statuses.insert(first_terminal, (HELD, ON_HOLD, False, True))
    return [
        Column(
            code=code,
            name=name,
            is_end=is_end,
            is_target=is_target,
            cards=cards[code],
            count=counts.get(code, 0),
            capacity=capacities.get(code, Capacity()),
            list_url=list_url(query, "status", code),
        )
        for code, name, is_end, is_target in statuses
        if is_target or counts.get(code)
    ]


def _cards_by_status(shown: PipelineQuerySet, stages: list[Stage]) -> dict[str, list[Card]]:
    """The first cards of each column, ordered by RTB date with unknown dates last."""
    order = (F("rtb_date").asc(nulls_last=True), F(natural("project_name")), F("pk"))
    placed = (
        shown.filter(stage__is_terminal=False)
        .order_by()
        .annotate(place=Window(RowNumber(), partition_by=F("status"), order_by=order))
        .filter(place__lte=CARDS)
    )
    pipelines = (
        Pipeline.objects.filter(pk__in=list(placed.values_list("pk", flat=True)))
        .prefetch_related(LISTED_FACILITIES)
        .with_status()
        .with_capacity()
        .with_overdue()
        .order_by(*order)
    )
    by_key = {stage.pk: stage for stage in stages}
    technologies = PartColumn("pipelines/parts/technologies.html", cache_key=technology_keys)
    rag = PartColumn("pipelines/parts/rag.html", cache_key=attrgetter("rag_status"))
    cards = defaultdict(list)
    for pipeline in pipelines:
        pipeline.stage = by_key[pipeline.stage_id]
        parts = technologies.cell(pipeline, None), rag.cell(pipeline, None)
        cards[pipeline.status].append(Card(pipeline, *parts))
    return cards


class MoveForm(DialogForm):
    """A move to another status. The page shows the fields that the chosen status needs; the models
    validate them."""

    prefix_of_ids = "move"

    version = forms.IntegerField(min_value=1, widget=forms.HiddenInput)
    to = forms.ChoiceField(label="Move to", error_messages={"required": "Choose where it goes."})
    on_hold_reason = TextFormField(
        label="Waiting for",
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text="What has to happen before the work goes on.",
    )
    rtb_date = DayField(
        label="Ready to build on",
        required=False,
        help_text="The day it was: it can't be in the future.",
    )
    effective_on = DayField(
        label="Since",
        initial=timezone.localdate,
        help_text="The day it happened, today or earlier.",
        error_messages={"required": "Give the day it happened."},
    )
    reason = ReasonFormField(
        label="Why",
        widget=forms.Textarea(attrs={"rows": 2}),
        error_messages={"required": "Say why it moves: the history keeps this sentence."},
    )

    save_anyway = AnswersField()

    #: Fields that only some statuses need.
    CONDITIONAL = ("on_hold_reason", "rtb_date")

    def __init__(self, data: QueryDict | None = None):
        super().__init__(data)
        stages = list(Stage.objects.active().order_by("is_terminal", "order"))
        open_stages = [(stage.code, stage.name) for stage in stages if not stage.is_terminal]
        self.ends = [(stage.code, stage.name) for stage in stages if stage.is_terminal]
        to = cast(forms.ChoiceField, self.fields["to"])
        to.choices = [*open_stages, (HELD, ON_HOLD), *self.ends]
        for name in self.CONDITIONAL:
            targets = HELD if name == "on_hold_reason" else " ".join(dict(self.ends))
            # For the template alone.
            self.fields[name].asked_by = targets  # type: ignore[attr-defined]


class Board(FilteredPipelines):
    template_name = "pipelines/board.html"
    state_template_name = "pipelines/parts/board_state.html"

    def get_context_data(self, **kwargs):
        context = super().get_context_data(**kwargs)
        may_move = self.request.user.has_perm(MAY_EDIT)
        reader = reader_key(self.request.GET, self.request.user)
        total, drawn = keep(
            lambda: self._draw(may_move=may_move), "board", asof.data_version(), may_move, *reader
        )
        return context | {
            "total": total,
            "columns": drawn,
            "may_move": may_move,
            "move_form": MoveForm() if may_move else None,
            "move": last_move(self.request.user) if may_move else None,
        }

    def _draw(self, *, may_move: bool) -> tuple[int, SafeString]:
        """The number of pipelines on the board, and its columns."""
        shown = columns(self.object_list, self.request.GET)
        context = {"columns": shown, "may_move": may_move}
        html = render_to_string("pipelines/parts/board_columns.html", context)
        return sum(column.count for column in shown), html


class MoveCard(PermissionRequiredMixin, View):
    """Moves a pipeline. 201: JSON with a message, the URL of the undo and the seconds left for it.
    422: the form with its errors. 409: the form with what others changed since the page was
    loaded."""

    permission_required = MAY_EDIT
    raise_exception = True
    http_method_names = ["post"]

    def post(self, request: SignedInRequest, pk: UUID) -> HttpResponse:
        get_object_or_404(Pipeline, pk=pk)
        form = MoveForm(request.POST)
        if not form.is_valid():
            return self._render_form(form, 422)
        try:
            move = move_pipeline(pipeline_id=pk, person=request.user, **form.cleaned_data)
        except StaleRecordError:
            return self._conflict(form, pk)
        except NotMovableError as error:
            form.add_error("to", str(error))
            return self._render_form(form, 422)
        except ValidationError as error:
            form.add_errors_of(error)
            return self._render_form(form, 422)
        return JsonResponse(answer_of(move), status=201)

    def _render_form(self, form: MoveForm, status: int, **context) -> HttpResponse:
        context = {"move_form": form, **context}
        return render(self.request, "pipelines/parts/move_form.html", context, status=status)

    def _conflict(self, form: MoveForm, pk: UUID) -> HttpResponse:
        """Show the form with the pipeline's new version, so that posting it again moves it."""
        pipeline = get_object_or_404(Pipeline.objects.select_related("stage"), pk=pk)
        seen = form.cleaned_data["version"]
        data = self.request.POST.copy()
        data["version"] = str(pipeline.version)
        form.data = data
        entries = timeline.entries_since(pipeline, seen)
        return self._render_form(form, 409, conflict=entries, pipeline=pipeline)
