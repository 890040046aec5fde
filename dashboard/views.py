from datetime import date
from functools import cache
from urllib.parse import urlencode

from django.core.paginator import Paginator
from django.urls import reverse
from django.utils.formats import date_format
from django.views.generic import TemplateView

from dashboard import charts, metrics
from oegen import asof, search
from oegen.audit.narrative import news
from oegen.core import clock
from oegen.people.requests import SignedInRequest
from pipelines.filtered import FilteredPipelines
from pipelines.models import Pipeline
from pipelines.querysets import PipelineQuerySet


class Dashboard(FilteredPipelines):
    """The figures of the filtered pipelines, and their change since the day ``compare``."""

    template_name = "dashboard/dashboard.html"
    state_template_name = "dashboard/parts/state.html"
    switch_template_name = ""
    section = "dashboard"
    page_parameters = FilteredPipelines.page_parameters | {"compare"}

    def get_context_data(self, **kwargs):
        since, problem = self._since()
        context = super().get_context_data(**kwargs) | {
            "since": since,
            "since_problem": problem,
            "clear_url": self._clear_url(),
        }
        if context["is_wrong"]:
            figures = {"status_text": "A filter has a value it does not know."}
        else:
            figures = self._figures(since, self.filterset.active_values)
        # After the figures: on a past page they read a second day, which drops the tables of the
        # first.
        return context | figures | {"latest": news.latest(limit=5)}

    def _figures(self, since: date, filters: dict) -> dict:
        """The figures for the template. Their charts are drawn when it names them, which it does
        not while it has them in its fragments, cached under ``figures_key``."""
        lists = charts.Lists(filters)
        selection = urlencode(sorted(filters.items()), doseq=True)
        key = metrics.overview_key(since, filters=selection)

        @cache
        def overview() -> metrics.Overview:
            return metrics.overview(self._select, since, filters=selection)

        @cache
        def drawn() -> dict:
            return self._charts(overview(), since, lists)

        def summary() -> dict:
            found = overview()
            now = found.headline
            return {
                "is_empty": not any(group.total.pipelines for group in found.statuses),
                "status_text": f"{now.open.pipelines:,} open, {now.open.capacity.mw:,.1f} MW",
                "slippage": found.slippage,
                "moves": charts.moves(found.changes, since, lists),
            }

        return {
            **metrics.keep(summary, "summary", *key),
            "changes": lists.changes(since),
            "figures": drawn,
            "figures_key": metrics.key_of(*key),
        }

    @staticmethod
    def _charts(found: metrics.Overview, since: date, lists: charts.Lists) -> dict:
        now = found.headline
        open_mw = now.open.capacity.mw
        known = [group.technology for group in found.technologies if group.technology]
        return {
            "tiles": charts.tiles(now, found.before, lists),
            "years": charts.rtb_years(found.years, known, lists, open_mw),
            "walk": charts.walk_chart(found.walk, since, lists),
            "heat": charts.heat_table(
                found.heat, found.statuses, found.technologies, now.open, lists
            ),
            "growth": charts.growth_chart(found.growth, lists),
            "rag_rows": charts.rag_table(found.rag_moves, since, lists),
            "rag_finding": charts.rag_finding(found.rag_moves),
            "rag_known": sum(move.total.pipelines for move in found.rag_moves),
            "stages": charts.stage_rows(found.stages, lists),
            "scatter": charts.scatter(found.point_counts) if found.point_counts else None,
            "top_points": charts.point_rows(found.top_points, lists),
            "exposures": charts.point_rows(found.exposures, lists),
            "holders": charts.concentration(found.concentration, lists, open_mw),
            "rag": charts.rag_split(found.rag, lists, open_mw),
            "technologies": charts.technologies(found.technologies, lists),
            "statuses": charts.statuses(found.statuses, lists, open_mw),
        }

    def _select(self) -> PipelineQuerySet:
        """The filtered pipelines on the day being read. A filter value that did not exist then,
        such as a counterparty entered later, matches nothing."""
        everything = Pipeline.objects.all()
        found = self.filterset_class(self.request.GET, queryset=everything, request=self.request)
        return found.qs if found.is_valid() else everything.none()

    def _clear_url(self) -> str:
        """The address of this page without filters, compared with the same day."""
        compare = self.request.GET.get("compare")
        query = f"?{urlencode({'compare': compare})}" if compare else ""
        return f"{reverse('dashboard')}{query}"

    def _since(self) -> tuple[date, str]:
        """The day to compare with, by default a month before the page's, and the error message for
        an invalid day in the address."""
        today = clock.today()
        default = metrics.a_month_before(today)
        text = self.request.GET.get("compare", "")
        if not text:
            return default, ""
        try:
            day = date.fromisoformat(text)
        except ValueError:
            return default, f"“{text}” is not a date. Write it as {default}."
        if not asof.FIRST_DAY <= day < today:
            return default, f"Choose a day before {date_format(today)} to compare with."
        return day, ""


class Search(TemplateView):
    """Records with all the words of ``q``: the first of each kind, or all of one ``kind``."""

    template_name = "dashboard/search.html"
    longest_query = 200
    first_hits = 8
    page_size = 50
    request: SignedInRequest

    def get_context_data(self, **kwargs):
        query = self.request.GET.get("q", "").strip()
        text = query[: self.longest_query]
        finding = search.SearchResults(text)
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
