from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.core.paginator import Paginator
from django.views.generic import TemplateView

from dashboard import charts, metrics
from oegen import asof, clock, search, timeline
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
        since, problem = self._since()
        found = metrics.overview(Pipeline.objects.all, since, filters="")
        now, before = found.headline, found.before
        open_mw = now.open.capacity.mw
        return super().get_context_data(**kwargs) | {
            "section": "dashboard",
            "is_empty": not any(group.total.pipelines for group in found.statuses),
            "pipeline_meta": Pipeline._meta,
            "since": since,
            "since_problem": problem,
            "overview": found,
            "rag_moves": charts.rag_table(found.rag_moves),
            "tiles": [
                self._tile("Open", now.open, before.open, status=OPEN),
                self._tile("On hold", now.on_hold, before.on_hold, status=HELD),
                self._tile("Completed", now.completed, before.completed, status=COMPLETED),
                self._tile("Overdue", now.overdue, before.overdue, rtb=OVERDUE),
            ],
            "charts": [
                charts.rtb_years(found.years, list(Technology.objects.all()), open_mw),
                charts.rag_split(found.rag, open_mw),
                charts.technologies(found.technologies),
                charts.statuses(found.statuses, open_mw),
            ],
            "latest": timeline.latest(limit=8),
        }

    @staticmethod
    def _tile(title: str, total: metrics.Total, before: metrics.Total, **filters) -> Tile:
        warns = title == "Overdue" and total.pipelines > 0
        change = total.capacity.mw - before.capacity.mw
        return Tile(title, total, charts.pipelines_url(**filters), change, warns)

    def _since(self) -> tuple[date, str]:
        """The day that figures are compared with, a month before the page's unless the address
        names one, and what is wrong with the one it names."""
        today = clock.today()
        usual = metrics.a_month_before(today)
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
