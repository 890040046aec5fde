"""The pages of changes: between two days for each pipeline, and the latest change sets."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import groupby

from django.core.paginator import Page, Paginator
from django.http import Http404
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.views.generic import TemplateView

from dashboard import metrics
from dashboard.change_words import ChangeWords
from dashboard.metrics.changes import Change, Changes, StepPipeline
from dashboard.metrics.kinds import KINDS
from dashboard.metrics.movement import STEPS
from oegen import asof, exports
from oegen.audit import table_version
from oegen.audit.changesets import newest_seal
from oegen.audit.narrative import news
from oegen.core import clock
from oegen.core.caching import cache_key, keep
from oegen.core.words import count
from oegen.exports import FileColumn
from oegen.models import AccountRecord, ChangeSet
from oegen.pages.columns import truncate
from oegen.pages.lists import FilteredPage
from pipelines.facts.kept import facts_and_others_version
from pipelines.filtered import select_pipelines
from pipelines.filters import PipelineFilter, reader_key
from pipelines.models import Facility, Milestone, Pipeline
from pipelines.querysets import ConditionsQuerySet

#: The models of which nothing is told that is not in the facts.
BY_FACTS = (Pipeline, Facility, Milestone)

#: Lines of each kind while all kinds are shown; a single kind is paginated.
FIRST_LINES = 10
PAGE_SIZE = 50

COLUMNS = [
    FileColumn("From the end of", exports.DAY_WIDTH),
    FileColumn("To the end of", exports.DAY_WIDTH),
    FileColumn("Kind", exports.TEXT_WIDTH // 2),
    FileColumn("Pipeline", exports.NAME_WIDTH),
    FileColumn("What", exports.TEXT_WIDTH),
    FileColumn("Old"),
    FileColumn("New"),
    FileColumn("MW before", exports.NUMBER_WIDTH, exports.number_format(places=1)),
    FileColumn("MW after", exports.NUMBER_WIDTH, exports.number_format(places=1)),
    FileColumn("Who"),
    FileColumn("When", exports.MOMENT_WIDTH),
    FileColumn("Why", exports.TEXT_WIDTH),
    FileColumn("Change set"),
    FileColumn("Effective on", exports.DAY_WIDTH),
    # The MW columns above mix both bases; these can be added up.
    *(
        FileColumn(f"{unit} {end}", exports.NUMBER_WIDTH, exports.number_format(suffix, places=1))
        for unit, suffix in (
            ("MWp DC", "MWp"),
            ("MW AC", "MW"),
            ("Of which storage, MW", "MW"),
            ("MWh", "MWh"),
        )
        for end in ("before", "after")
    ),
    FileColumn("Pipeline ID", exports.ID_WIDTH),
]


@dataclass(frozen=True)
class Day:
    """An end of the range. If the address has an invalid day, ``problem`` is the error message and
    ``day`` the default."""

    name: str
    label: str
    day: date
    problem: str


@dataclass(frozen=True)
class Line:
    change: Change
    phrase: str
    url: str


@dataclass(frozen=True)
class Group:
    """The first lines of one kind of change; ``more`` is the number of the others. ``key`` is that
    of the fragment."""

    code: str
    label: str
    total: metrics.Total
    lines: list[Line]
    more: int
    key: str


@dataclass(frozen=True)
class StepLine:
    """A pipeline behind a step of the walk, with its changes, which may be none."""

    pipeline: StepPipeline
    url: str
    lines: list[Line]


@dataclass(frozen=True)
class Span:
    """A preset range: from the end of ``start`` to the end of the range shown."""

    label: str
    start: date


def spans_up_to(end: date) -> list[Span]:
    return [
        Span("Week", end - timedelta(days=7)),
        Span("Month", clock.a_month_before(end)),
        Span("Quarter", clock.months_before(end, 3)),
        Span("Year to date", date(end.year - 1, 12, 31)),
    ]


class ChangesPage(FilteredPage):
    """What changed for the filtered pipelines between the end of ``from`` and the end of ``to``.
    Without ``from`` it is the dashboard's comparison, ``compare`` or a month before.

    ``kind`` shows all lines of one kind of change, ``step`` the pipelines behind one step of the
    MW walk. ``?download=csv`` or ``xlsx`` gives all lines as a file.
    """

    queryset = Pipeline.objects.all()
    filterset_class = PipelineFilter
    template_name = "dashboard/changes.html"
    results_template_name = "dashboard/parts/changes_results.html"
    state_template_name = "dashboard/parts/changes_state.html"
    switch_template_name = "oegen/history/parts/switch.html"
    section = "changes"
    page_parameters = FilteredPage.page_parameters | {"from", "to", "kind", "step", "compare"}

    def setup(self, request, *args, **kwargs):
        super().setup(request, *args, **kwargs)
        self.end = self._day("to", "To the end of", clock.today(), clock.today())
        before = self.end.day - timedelta(days=1)
        # ``compare`` is the dashboard's parameter for the same day.
        default = clock.a_month_before(self.end.day)
        self.start = self._day("from", "From the end of", default, before, other_name="compare")
        self.step = self._known("step", STEPS)
        self.kind = "" if self.step else self._known("kind", KINDS)

    def get(self, request, *args, **kwargs):
        kind = request.GET.get("download")
        if kind in exports.KINDS and not (self.start.problem or self.end.problem):
            self.filterset = self.get_filterset(self.get_filterset_class())
            if not self.has_invalid_filters():
                return exports.download(self._sheet(), kind)
        return super().get(request, *args, **kwargs)

    def get_context_data(self, **kwargs):
        context = super().get_context_data(**kwargs) | {
            "start": self.start,
            "end": self.end,
            "kind": self.kind,
            "step": self.step,
            "spans": spans_up_to(self.end.day),
            "clear_url": self.url_without(*self.filterset.parameters, "page"),
            "unknown": [
                self.request.GET[name]
                for name, known in (("kind", KINDS), ("step", STEPS))
                if self.request.GET.get(name) and self.request.GET[name] not in known
            ],
        }
        if context["is_wrong"]:
            return context
        key = self._version()
        return context | keep(self._results, *key) | {"results_key": cache_key(*key)}

    def _version(self) -> tuple[object, ...]:
        """What changes when the results do; read before anything else is."""
        if self.filterset.asks_facts_only:
            # People are named.
            written = facts_and_others_version(BY_FACTS), *table_version(AccountRecord)
        else:
            written = (newest_seal(),)
        days = self.start.day, self.end.day, clock.today(), clock.past_day()
        return "changes", *written, *days, *reader_key(self.request.GET, self.request.user)

    def _results(self) -> dict:
        # All lines are read only where a page of them is shown.
        limit = None if self.kind or self.step else FIRST_LINES
        with self._changes(limit) as (found, walk):
            results = self._step_context(found) if self.step else self._kinds(found)
            return {"walk": walk} | results

    def _day(
        self, name: str, label: str, default: date, latest: date, *, other_name: str = ""
    ) -> Day:
        query = self.request.GET
        text = (query.get(name) or query.get(other_name, "")).strip()
        if not text:
            return Day(name, label, default, "")
        day, problem = default, ""
        try:
            day = date.fromisoformat(text)
        except ValueError:
            problem = f"“{truncate(text, 40)}” is not a date. Write it as {default}."
        if day > latest:
            problem = f"Choose a day up to {date_format(latest)}."
        elif day < asof.FIRST_DAY:
            problem = f"Nothing is known from before {date_format(asof.FIRST_DAY)}."
        return Day(name, label, default if problem else day, problem)

    def _known(self, name: str, codes: Iterable[str]) -> str:
        value = self.request.GET.get(name, "")
        return value if value in codes else ""

    def _select(self) -> ConditionsQuerySet:
        return select_pipelines(self.request.GET, self.request)

    @contextmanager
    def _changes(self, limit: int | None = None) -> Iterator[tuple[Changes, metrics.Walk]]:
        """With a ``limit``, that is how many lines of each kind can be read."""
        end = None if self.end.day == clock.today() else self.end.day
        with (
            metrics.portfolio(self._select, self.start.day) as before,
            metrics.portfolio(self._select, end, before=before) as now,
            metrics.first_changes(before, now, limit)
            if limit
            else metrics.changes(before, now, step=self.step) as found,
        ):
            yield found, metrics.walk(before, now, found.anew)

    def _kinds(self, found: Changes) -> dict:
        totals = found.totals()
        counts = {kind: total.pipelines for kind, total in totals.items()}
        page = None
        if self.kind:
            page = self._page(counts.get(self.kind, 0))
            start = page.start_index() - 1 if page.paginator.count else 0
            shown = {self.kind: found.of_kind(self.kind, start, PAGE_SIZE)}
        else:
            shown = found.first(FIRST_LINES)
        lines = self._lines([change for kind in shown.values() for change in kind])
        groups = []
        reader = clock.today(), *reader_key(self.request.GET, self.request.user)
        for kind, total in totals.items():
            own = [line for line in lines if line.change.kind == kind]
            more = 0 if self.kind else counts[kind] - len(own)
            drawn = kind, KINDS[kind].label, total, own, more
            groups.append(Group(*drawn, cache_key("changes of a kind", *reader, *drawn)))
        number = sum(counts.values())
        return {
            "groups": groups,
            "page": page,
            "total": number,
            "pipelines": found.pipelines(),
            "status_text": count(number, "change"),
        }

    def _step_context(self, found: Changes) -> dict:
        total = found.step_pipeline_count()
        page = self._page(total)
        pipelines = found.step_pipelines(page.start_index() - 1 if total else 0, PAGE_SIZE)
        lines = self._lines([change for one in pipelines for change in one.changes])
        live = self._live(one.pipeline_id for one in pipelines)
        return {
            "step_total": found.step_total(),
            "step_pipelines": [
                StepLine(
                    one,
                    _url(one.pipeline_id, live),
                    [line for line in lines if line.change.pipeline_id == one.pipeline_id],
                )
                for one in pipelines
            ],
            "page": page,
            "total": total,
            "status_text": count(total, "pipeline"),
        }

    def _page(self, total: int) -> Page:
        return Paginator(range(total), PAGE_SIZE).get_page(self.request.GET.get("page"))

    def _lines(self, changes: list[Change]) -> list[Line]:
        words = ChangeWords()
        live = self._live(change.pipeline_id for change in changes)
        return [
            Line(change, words.phrase(change), _url(change.pipeline_id, live)) for change in changes
        ]

    @staticmethod
    def _live(keys: Iterable[uuid.UUID]) -> set[uuid.UUID]:
        """The keys of the pipelines that still exist."""
        known = Pipeline.objects.filter(pk__in=set(keys)).order_by()
        return set(known.values_list("pk", flat=True))

    def _sheet(self) -> exports.Sheet:
        chips = [(f"Filter: {chip.label}", chip.text) for chip in self.filterset.chips()]
        facts = [
            ("From the end of", self.start.day),
            ("To the end of", self.end.day),
            ("Made at", timezone.now()),
            ("Made by", str(self.request.user)),
            ("Address", self.request.build_absolute_uri(self.url_without("download", "page"))),
            *(chips or [("Filters", "none, all pipelines")]),
        ]
        return exports.Sheet("changes", COLUMNS, self._rows(), facts)

    def _rows(self) -> Iterator[list]:
        """All lines as rows of a file, read in chunks."""
        words = ChangeWords()
        with self._changes() as (found, _):
            for change in self._all(found):
                yield self._row(change, words)

    def _all(self, found: Changes) -> Iterator[Change]:
        if self.step:
            for start in range(0, found.step_pipeline_count(), exports.CHUNK):
                for one in found.step_pipelines(start, exports.CHUNK):
                    yield from one.changes
            return
        for kind, total in found.totals().items():
            if self.kind in ("", kind):
                for start in range(0, total.pipelines, exports.CHUNK):
                    yield from found.of_kind(kind, start, exports.CHUNK)

    def _row(self, change: Change, words: ChangeWords) -> list:
        write = change.last_write
        facts = [
            self.start.day,
            self.end.day,
            KINDS[change.kind].label,
            change.shown_state.name,
            words.phrase(change),
            *words.cells(change),
            *(end and end.capacity and end.capacity.mw for end in (change.was, change.now)),
            *((write.author, write.when) if write else ("", None)),
            write.reason if write else "",
            write.change_set if write else None,
            change.effective_on,
            *(
                end and end.capacity and getattr(end.capacity, name)
                for name in ("mwp_dc", "mw_ac", "storage_mw", "storage_mwh")
                for end in (change.was, change.now)
            ),
            str(change.pipeline_id),
        ]
        return [exports.export_value(fact) for fact in facts]


def _url(pipeline: uuid.UUID, live: set[uuid.UUID]) -> str:
    """The pipeline's page, or the history of a removed one."""
    if pipeline in live:
        return reverse("pipeline", args=[pipeline])
    return reverse("history", args=[Pipeline._meta.model_name, pipeline])


class LatestChanges(TemplateView):
    """The latest change sets, newest first; ``before`` is the last one of the previous page."""

    template_name = "dashboard/latest_changes.html"
    page_size = 25

    def get_context_data(self, **kwargs):
        before = self._before()
        batches = news.latest(limit=self.page_size + 1, before=before)
        shown = batches[: self.page_size]
        days = groupby(shown, lambda batch: timezone.localdate(batch.change_set.recorded_at))
        return super().get_context_data(**kwargs) | {
            "section": "changes",
            "days": [(day, list(of_day)) for day, of_day in days],
            "is_later_page": before is not None,
            "older_than": shown[-1].change_set.pk if len(batches) > len(shown) else None,
        }

    def _before(self) -> ChangeSet | None:
        key = self.request.GET.get("before")
        if not key:
            return None
        try:
            return get_object_or_404(ChangeSet, pk=uuid.UUID(key))
        except ValueError:
            raise Http404(f"“{key}” is not the key of a change.") from None
