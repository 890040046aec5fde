import uuid
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from itertools import groupby

from django.core.paginator import Paginator
from django.http import Http404
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.views.generic import TemplateView

from dashboard import charts, metrics
from dashboard.comparison import Ends, a_month_before, summary_of
from infopoints.models import InformationPoint
from oegen import asof, clock, search, timeline
from oegen.models import ChangeSet
from pipelines.models import Pipeline, Technology
from pipelines.querysets import HELD, OPEN, OVERDUE
from pipelines.reference import COMPLETED


@dataclass(frozen=True)
class Tile:
    title: str
    total: metrics.Total
    url: str
    #: Of its MW, since the day that the page compares with.
    change_mw: Decimal
    warns: bool = False


class Dashboard(TemplateView):
    template_name = "dashboard/dashboard.html"

    def get_context_data(self, **kwargs):
        # First, because it reads other days, whose tables take the place of this page's.
        since, problem = self._since()
        comparison = summary_of(Pipeline.objects.all, since)
        everything = Pipeline.objects.all()
        open_ones = everything.open()
        headline = metrics.headline(everything)
        statuses = metrics.by_status(everything)
        open_mw = headline.open.capacity.mw
        return super().get_context_data(**kwargs) | {
            "section": "dashboard",
            "is_empty": not any(group.total.pipelines for group in statuses),
            "pipeline_meta": Pipeline._meta,
            "since": since,
            "since_problem": problem,
            "comparison": comparison,
            "rag_moves": charts.rag_table(comparison.rag_moves),
            "slips": comparison.slippage.slips[:8],
            "tiles": [
                self._tile("Open", headline.open, comparison.ends["open"], status=OPEN),
                self._tile("On hold", headline.on_hold, comparison.ends["held"], status=HELD),
                self._tile(
                    "Completed",
                    headline.completed,
                    comparison.ends["completed"],
                    status=COMPLETED,
                ),
                self._tile("Overdue", headline.overdue, comparison.ends["overdue"], rtb=OVERDUE),
            ],
            "charts": [
                charts.rtb_years(
                    metrics.by_rtb_year(open_ones), list(Technology.objects.all()), open_mw
                ),
                charts.rag_split(metrics.by_rag(open_ones), open_mw),
                charts.technologies(metrics.by_technology(open_ones)),
                charts.statuses(statuses, open_mw),
            ],
            "latest": timeline.latest(limit=8),
            "points": InformationPoint.objects.live().by_rating()[:8],
        }

    @staticmethod
    def _tile(title: str, total: metrics.Total, ends: Ends, **filters) -> Tile:
        warns = title == "Overdue" and total.pipelines > 0
        return Tile(title, total, charts.pipelines_url(**filters), ends.change_mw, warns)

    def _since(self) -> tuple[date, str]:
        """The day that figures are compared with, a month before the page's unless the address
        names one, and what is wrong with the one it names."""
        today = clock.today()
        usual = a_month_before(today)
        text = self.request.GET.get("compare", "")
        if not text:
            return usual, ""
        try:
            day = date.fromisoformat(text)
        except ValueError:
            return usual, f"“{text}” is no day. Write it as {usual}."
        if not asof.FIRST_DAY <= day < today:
            return usual, f"Choose a day before {today:%d %b %Y} to compare with."
        return day, ""


class Search(TemplateView):
    """Everything with all the words of ``q``; the first of each kind, or of one ``kind`` all."""

    template_name = "dashboard/search.html"
    longest_query = 200
    first_hits = 8
    page_size = 50

    def get_context_data(self, **kwargs):
        query = self.request.GET.get("q", "").strip()
        text = query[: self.longest_query]
        finding = search.Finding(text)
        wanted = self.request.GET.get("kind", "")
        kinds = {model._meta.model_name: model for model in search.kinds()}
        kind = wanted if wanted in kinds else ""
        page = None
        if kind:
            total = finding.totals.get(kinds[kind], 0)
            page = Paginator(range(total), self.page_size).get_page(self.request.GET.get("page"))
        return super().get_context_data(**kwargs) | {
            "section": "search",
            "query": text,
            "longest_query": self.longest_query,
            "is_cut": text != query,
            "words": finding.words,
            "total": finding.total,
            "kind": kind,
            "unknown_kind": wanted if wanted != kind else "",
            "page": page,
            "groups": [self._group(finding, model, kind, page) for model in finding.totals],
            "nouns": [str(model._meta.verbose_name_plural) for model in kinds.values()],
            "recent": [] if finding.words else search.changed_last_by(self.request.user),
        }

    def _group(self, finding, model, kind, page) -> search.Group:
        if not kind:
            return finding.group(model, limit=self.first_hits)
        if model._meta.model_name != kind:
            return finding.group(model)
        return finding.group(model, start=page.start_index() - 1, limit=self.page_size)


class Changes(TemplateView):
    """What everybody changed, newest first; ``before`` is the last change set of a page."""

    template_name = "dashboard/changes.html"
    page_size = 25

    def get_context_data(self, **kwargs):
        before = self._before()
        batches = timeline.latest(limit=self.page_size + 1, before=before)
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
