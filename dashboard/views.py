from datetime import date
from functools import cache
from urllib.parse import urlencode

from django.core.paginator import Paginator
from django.http import QueryDict
from django.views.generic import TemplateView

from dashboard import charts, metrics
from dashboard.holding import held_at, held_version
from dashboard.metrics.overview import Answer
from oegen import asof, search
from oegen.audit.changesets import newest_seal
from oegen.audit.narrative import news
from oegen.core import clock
from oegen.core.caching import cache_key, keep
from oegen.models import User
from oegen.people.requests import SignedInRequest
from pipelines.filtered import EDIT_DIALOG, ComparedPipelines, select_pipelines
from pipelines.filters import reader_key
from pipelines.querysets import OPEN, ConditionsQuerySet

#: The tabs of the dashboard.
TABS = {
    "health": "Health",
    "dates": "Dates",
    "capacity": "Capacity",
    "risks": "Risks",
    "counterparties": "Counterparties",
}


class Dashboard(ComparedPipelines):
    """How the filtered pipelines are going and what changed since the day ``compare``; below, the
    figures of one ``tab``."""

    template_name = "dashboard/dashboard.html"
    state_template_name = "dashboard/parts/state.html"
    switch_template_name = ""
    section = "dashboard"
    page_parameters = ComparedPipelines.page_parameters | {"tab"}

    def get(self, request, *args, **kwargs):
        if "counts" in request.GET:
            return super().get(request, *args, **kwargs)
        self.filterset = self.get_filterset(self.get_filterset_class())
        # The figures select the pipelines: the page lists none.
        self.object_list = self.filterset.queryset.none()
        return self.render_to_response(self.get_context_data(filter=self.filterset))

    def get_context_data(self, **kwargs):
        since, problem = self.comparison_day()
        context = super().get_context_data(**kwargs) | {
            "since": since,
            "since_problem": problem,
            "clear_url": self.url_without(*self.filterset.parameters, "page"),
            "edit_template_name": EDIT_DIALOG,
            "tabs": TABS,
            "tab": self._tab(),
            "tab_template_name": f"dashboard/tabs/{self._tab()}.html",
        }
        if context["is_wrong"]:
            figures = {"status_text": "A filter has a value it does not know."}
        else:
            figures = self._figures(since, self.filterset.active_values)
        return context | figures | {"latest": cache(_latest_changes)}

    def _figures(self, since: date, filters: dict) -> dict:
        """The figures for the template. They are prepared when it names them, which it does not
        while it has what they look like in its fragments, cached under ``figures_key``."""
        lists = charts.Lists(filters)
        selection = selection_of(filters, self.request.user)
        tab = self._tab()
        held = held_version(since, tab, filters=selection)
        key = held or metrics.overview_key(since, filters=selection)

        @cache
        def overview() -> metrics.Overview:
            return metrics.overview(self.selected, since, tab, filters=selection, version=key)

        def summary() -> dict:
            found = overview().answer
            now = found.headline
            return {
                "is_empty": not any(group.total.pipelines for group in found.statuses),
                "status_text": f"{now.open.pipelines:,} open, {now.open.capacity.mw:,.1f} MW",
            }

        @cache
        def answer() -> dict:
            return answer_of(overview().answer, since, lists)

        @cache
        def tab_figures() -> dict:
            return _TAB_FIGURES[tab](overview(), since, lists)

        return {
            "held_at": held and held_at(held),
            **keep(summary, "summary", *key),
            "answer": answer,
            "figures": tab_figures,
            "figures_key": cache_key("figures", *key),
        }

    def _tab(self) -> str:
        tab = self.request.GET.get("tab", "")
        return tab if tab in TABS else "health"

    def get_filterset(self, filterset_class):
        self._filters_read_at = clock.past_moment()
        return super().get_filterset(filterset_class)

    def selected(self) -> ConditionsQuerySet:
        is_read = clock.past_moment() == self._filters_read_at
        return select_pipelines(self.request.GET, self.request, self.filterset if is_read else None)


def _latest_changes() -> list[news.Batch]:
    """Kept until the next change set, of whatever kind, with the addresses of its records."""
    newest = newest_seal()

    def read() -> list[news.Batch]:
        with asof.whole_history():
            found = news.latest(limit=5)
        # Reads the addresses, which the template would.
        tuple(entry.url for batch in found for entry in batch.entries)
        return found

    return keep(read, "latest changes", newest, clock.past_day(), clock.today())


def query_of(filters: dict) -> str:
    """The filters as in an address, in one order."""
    return urlencode(sorted(filters.items()), doseq=True)


def selection_of(filters: dict, reader: User) -> str:
    """The filters as a part of cache keys; empty if there are none."""
    selection, reader_id = reader_key(QueryDict(query_of(filters)), reader)
    return f"{selection} {reader_id}" if reader_id else selection


def answer_of(found: Answer, since: date, lists: charts.Lists) -> dict:
    return {
        "sentence": charts.sentence(found, since, lists),
        "rag_bar": charts.rag_bar(found.rag, lists),
        "rag_note": charts.shared_facilities_note(found.rag, found.headline.open.capacity.mw),
        "tiles": charts.tiles(found.headline, found.before, lists),
        "has_weighted": charts.has_weighted(found.headline),
        "funnel": charts.funnel(found, lists),
        "funnel_note": charts.funnel_note(found.stages),
        "attention": charts.attention_list(found.attention, found.statuses, lists),
        "whose": charts.whose(since, lists),
        "slippage": found.slippage,
        "dates": lists.tab("dates", since),
        "moves": charts.moves(found.changes, since, lists),
        "rag_rows": charts.rag_table(found.rag_moves, since, lists),
        "rag_finding": charts.rag_finding(found.rag_moves),
        "rag_known": sum(move.total.pipelines for move in found.rag_moves),
        "changes": lists.changes(since),
    }


def _dates(found: metrics.Overview, since: date, lists: charts.Lists) -> dict:
    known = [group.technology for group in found.tab.technologies if group.technology]
    open_mw = found.answer.headline.open.capacity.mw
    return {
        "years": charts.rtb_years(found.tab.years, known, lists, open_mw),
        "slippage": found.answer.slippage,
        "baselines": found.tab.baselines,
        "late": lists.pipelines(status=OPEN, late_days=1),
        "stages": charts.stage_rows(found.answer.stages, lists),
    }


def _capacity(found: metrics.Overview, since: date, lists: charts.Lists) -> dict:
    answer, sizes = found.answer, found.tab
    return {
        "walk": charts.walk_chart(sizes.walk, since, lists),
        "growth": charts.growth_chart(sizes.growth, lists),
        "heat": charts.heat_table(
            sizes.heat, answer.statuses, sizes.technologies, answer.headline.open, lists
        ),
        "technologies": charts.technologies(sizes.technologies, lists),
    }


def _risks(found: metrics.Overview, since: date, lists: charts.Lists) -> dict:
    risks = found.tab
    return {
        "scatter": charts.scatter(risks.point_counts) if risks.point_counts else None,
        "top_points": charts.point_rows(risks.top_points, lists),
        "exposures": charts.point_rows(risks.exposures, lists),
    }


def _counterparties(found: metrics.Overview, since: date, lists: charts.Lists) -> dict:
    open_mw = found.answer.headline.open.capacity.mw
    return {"holders": charts.concentration(found.tab.concentration, lists, open_mw)}


def _none(found: metrics.Overview, since: date, lists: charts.Lists) -> dict:
    """For a tab of which the answer has all figures."""
    return {}


_TAB_FIGURES = {
    "health": _none,
    "dates": _dates,
    "capacity": _capacity,
    "risks": _risks,
    "counterparties": _counterparties,
}


class Search(TemplateView):
    """Records with all the words of ``q``, or with what may have been meant by them: the first of
    each kind, or all of one ``kind``."""

    template_name = "dashboard/search.html"
    longest_query = 200
    first_hits = 8
    page_size = 50
    request: SignedInRequest

    def get_context_data(self, **kwargs):
        query = self.request.GET.get("q", "").strip()
        text = query[: self.longest_query]
        finding = search.Finding.of(text)
        shown = finding.shown
        wanted = self.request.GET.get("kind", "")
        kinds = {model._meta.model_name: model for model in search.kinds()}
        kind = wanted if wanted in kinds else ""
        page = None
        if kind:
            total = shown.totals.get(kinds[kind], 0)
            page = Paginator(range(total), self.page_size).get_page(self.request.GET.get("page"))
        return super().get_context_data(**kwargs) | {
            "section": "search",
            "query": text,
            "longest_query": self.longest_query,
            "is_cut": text != query,
            "words": finding.typed.words,
            "corrected": shown.text if finding.is_corrected else "",
            "meant": finding.meant.text if finding.meant else "",
            "total": shown.total,
            "kind": kind,
            "unknown_kind": wanted if wanted != kind else "",
            "page": page,
            "groups": [self._group(shown, model, kind, page) for model in shown.totals],
            "nouns": [str(model._meta.verbose_name_plural) for model in kinds.values()],
            "recent": [] if finding.typed.words else search.changed_last_by(self.request.user),
        }

    def _group(self, finding, model, kind, page) -> search.Group:
        if not kind:
            return finding.group(model, limit=self.first_hits)
        if model._meta.model_name != kind:
            return finding.group(model)
        return finding.group(model, start=page.start_index() - 1, limit=self.page_size)
