import uuid
from dataclasses import dataclass
from itertools import groupby

from django.core.paginator import Paginator
from django.http import Http404
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.views.generic import TemplateView

from dashboard import charts, metrics
from infopoints.models import InformationPoint
from oegen import search, timeline
from oegen.models import ChangeSet
from pipelines.models import Pipeline, Technology
from pipelines.querysets import HELD, OPEN, OVERDUE
from pipelines.reference import COMPLETED


@dataclass(frozen=True)
class Tile:
    title: str
    total: metrics.Total
    url: str
    warns: bool = False


class Dashboard(TemplateView):
    template_name = "dashboard/dashboard.html"

    def get_context_data(self, **kwargs):
        everything = Pipeline.objects.all()
        open_ones = everything.open()
        headline = metrics.headline(everything)
        statuses = metrics.by_status(everything)
        open_mw = headline.open.capacity.mw
        return super().get_context_data(**kwargs) | {
            "section": "dashboard",
            "is_empty": not any(group.total.pipelines for group in statuses),
            "pipeline_meta": Pipeline._meta,
            "tiles": [
                Tile("Open", headline.open, charts.pipelines_url(status=OPEN)),
                Tile("On hold", headline.on_hold, charts.pipelines_url(status=HELD)),
                Tile("Completed", headline.completed, charts.pipelines_url(status=COMPLETED)),
                Tile(
                    "Overdue",
                    headline.overdue,
                    charts.pipelines_url(rtb=OVERDUE),
                    warns=headline.overdue.pipelines > 0,
                ),
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
