"""Base views of lists with filters."""

import re
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.core.exceptions import BadRequest
from django.db.models import QuerySet
from django.http import (
    Http404,
    HttpResponseBase,
    JsonResponse,
    QueryDict,
)
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.utils.functional import cached_property
from django.utils.text import capfirst
from django.views.decorators.vary import vary_on_headers
from django_filters.views import FilterView
from django_tables2 import SingleTableMixin

from oegen import asof, exports
from oegen.audit.changesets import ChangeSet
from oegen.core import clock
from oegen.imports.tables.reading import Marker
from oegen.imports.tables.reading.marker import LABEL
from oegen.pages import downloads, preferences
from oegen.pages.filters import DefaultFilter
from oegen.pages.models import ListPreference, SavedView
from oegen.pages.preferences import ViewForm
from oegen.pages.selection import ALL, Selection, values_of
from oegen.pages.tables import RecordTable

#: The number of saved views that are tabs; the menu has them all.
MAX_TABS = 5


#: For people who change a download and import it.
_IMPORT = (
    "Change cells, and import the file. An empty cell leaves the value as it is; (clear) empties "
    "it. A text that begins with “(left out:” did not go into its cell, and stays as it is. Leave "
    "the version and the ID of each row: they say which record it is, and how it was."
)


@dataclass(frozen=True)
class QuickView:
    """A set of filters that people ask for often, as a tab above the results."""

    label: str
    url: str
    is_current: bool


def _tabs(views: list[SavedView], open_view: SavedView | None) -> list[SavedView]:
    """The first views for the reader, their own before what others share, and the open one."""
    tabs = [view for view in views if view.is_for_me and not view.is_hidden]  # type: ignore[attr-defined]
    first = tabs[:MAX_TABS]
    if open_view and open_view not in first:
        first = [*tabs[: MAX_TABS - 1], open_view]
    return first


@method_decorator(vary_on_headers("HX-Request"), name="dispatch")
class FilteredPage(FilterView):
    """A page of filters and the records that match them; its state is the query string.

    An invalid filter value gives an empty result and an error message beside the filter; query
    parameters other than filters and ``page_parameters`` are reported and ignored. An htmx request
    gets only the part that depends on the filters. ``?counts=<filter>`` returns the number of
    records for each choice of that filter, as JSON.
    """

    template_name = "oegen/list.html"
    results_template_name = "oegen/parts/list_results.html"
    #: The part that depends on the filters; its outermost element is #results.
    state_template_name = ""
    #: Links to other views of the same records, if there are any.
    switch_template_name = ""
    section = ""
    #: Applied if the query string has no value for that filter.
    default_filter: DefaultFilter | None = None
    #: Valid query parameters other than the filters.
    page_parameters = frozenset({asof.PARAMETER, "page", "sort", "columns", "download"})

    def get(self, request, *args, **kwargs):
        if "counts" in request.GET:
            return self.count_choices(request.GET["counts"])
        return super().get(request, *args, **kwargs)

    def count_choices(self, name: str) -> JsonResponse:
        try:
            return JsonResponse(self.get_filterset(self.get_filterset_class()).counts(name))
        except KeyError as error:
            raise Http404(f"There is no filter “{name}” that counts its choices.") from error

    def get_filterset(self, filterset_class):
        filterset = super().get_filterset(filterset_class)
        filterset.default_filter = self.default_filter
        return filterset

    def get_filterset_kwargs(self, filterset_class):
        kwargs = super().get_filterset_kwargs(filterset_class)
        if self.default_filter and not Selection.from_data(
            self.request.GET, self.default_filter.name
        ):
            data = self.request.GET.copy()
            data[self.default_filter.name] = self.default_filter.code
            kwargs["data"] = data
        return kwargs

    def get_template_names(self):
        is_part = self.request.headers.get("HX-Request") == "true"
        return [self.results_template_name if is_part else self.template_name]

    def get_queryset(self):
        return super().get_queryset().recorded()

    def has_invalid_filters(self) -> bool:
        return self.filterset.is_bound and not self.filterset.is_valid()

    def usual_filters(self) -> dict[str, dict[str, list[str]]]:
        """Sets of filters that are tabs above the results, by their labels."""
        return {}

    def _quick_views(self) -> list[QuickView]:
        """The tabs of the usual filters; other query parameters stay."""
        default = self.default_filter
        start = {default.name: [default.code]} if default else {}
        active = self.filterset.active_values
        return [
            QuickView(label, self._address_of(filters), active == start | filters)
            for label, filters in self.usual_filters().items()
        ]

    def _address_of(self, filters: dict[str, list[str]]) -> str:
        query = self.request.GET.copy()
        for name in (*self.filterset.parameters, "page"):
            query.pop(name, None)
        for name, values in filters.items():
            query.setlist(name, values)
        return f"{self.request.path}?{query.urlencode()}" if query else self.request.path

    def url_without(self, *names: str) -> str:
        query = self.request.GET.copy()
        for name in names:
            query.pop(name, None)
        return f"{self.request.path}?{query.urlencode()}" if query else self.request.path

    def get_context_data(self, **kwargs):
        meta = self.filterset.queryset.model._meta
        active = self.filterset.active_values
        known = {*self.filterset.parameters, *self.page_parameters}
        default = self.default_filter if self.filterset.uses_default_filter else None
        if default:
            active.pop(default.name)
        return super().get_context_data(**kwargs) | {
            "section": self.section,
            "meta": meta,
            "singular": meta.verbose_name,
            "plural": meta.verbose_name_plural,
            "is_wrong": self.has_invalid_filters(),
            "is_filtered": bool(active),
            "all_query": self.filterset.query_with(default.name, ALL) if default else "",
            "default_filter": self.default_filter,
            "quick_views": self._quick_views(),
            "unknown_parameters": [name for name in self.request.GET if name not in known],
            "state_template_name": self.state_template_name,
            "switch_template_name": self.switch_template_name,
        }


class DownloadedPage(FilteredPage):
    """With ``?download=`` one of ``exports.KINDS``, a file of what the filters select."""

    def get(self, request, *args, **kwargs):
        kind = request.GET.get("download")
        if kind in exports.KINDS:
            self.filterset = self.get_filterset(self.get_filterset_class())
            if not self.has_invalid_filters():
                self.object_list = self.filterset.qs
                return self.download(kind)
        return super().get(request, *args, **kwargs)

    def download(self, kind: str) -> HttpResponseBase:
        raise NotImplementedError


class ListPage(SingleTableMixin, DownloadedPage):
    """A list page: a queryset, a filterset and a table.

    Above the table are the number of all filtered records and their capacity, if the queryset has
    one. ``?download=csv`` or ``xlsx`` returns all pages as a file.

    A POST saves the user's preferences for this list; its parameter ``do`` names the action. It
    redirects to the same query string.
    """

    state_template_name = "oegen/parts/list_state.html"
    empty_text = ""
    #: What those may do about an empty list who can't add to it.
    remedy_text = "Portfolio managers add them in the admin."
    #: Whether a download can be imported again.
    is_imported = True

    def usual_filters(self):
        return {capfirst(self.default_filter.adjective) if self.default_filter else "All": {}}

    def download(self, kind: str) -> HttpResponseBase:
        table = self.get_ordered_table()
        title = str(self.filterset.queryset.model._meta.verbose_name_plural)
        # Read before the rows, so that no change between the two is taken for older.
        marker = self.file_marker(table)
        facts = self.file_facts(table, title, marker) if kind == exports.XLSX else ()
        columns, rows = table.file_columns(), table.file_rows()
        sheet = exports.Sheet(
            title, columns, rows, facts, marker=marker if self.is_imported else None
        )
        return downloads.answer(self.request, sheet, kind, self.object_list.order_by().count())

    def file_marker(self, table: RecordTable) -> Marker:
        """What an import of the download has to know."""
        query = QueryDict(self.state(table), mutable=True)
        query.pop("columns")
        newest = ChangeSet.objects.order_by("-number")
        if moment := clock.past_moment():
            newest = newest.filter(recorded_at__lte=moment)
        return Marker(
            kind=self.section,
            change_set=newest.values_list("number", flat=True).first() or 0,
            columns=tuple(table.columns.names()),
            filters=tuple((name, one) for name, values in query.lists() for one in values),
            view=self._file_view(table),
            day=clock.past_day(),
        )

    def _file_view(self, table: RecordTable) -> str:
        """The name of the saved view that the download shows, empty if it is none."""
        views = preferences.views_of(self.request.user, self.section)
        return next((view.name for view in views.filter(query=self.state(table))[:1]), "")

    def file_facts(self, table: RecordTable, title: str, marker: Marker) -> list[tuple[str, Any]]:
        """Metadata for a download: day, time, user, URL, filters, totals and the marker."""
        day = clock.past_day()
        facts = [
            ("As of", f"the end of {day:%-d %b %Y}" if day else "now"),
            ("Made at", timezone.now()),
            ("Made by", str(self.request.user)),
            ("Address", self.request.build_absolute_uri(self.url_without("download", "page"))),
        ]
        if marker.view:
            facts.append(("View", marker.view))
        chips = [(f"Filter: {chip.label}", chip.text) for chip in self.filterset.chips()]
        facts += chips or [("Filters", f"none, all {title}")]
        facts.append((capfirst(title), self.object_list.order_by().count()))
        if hasattr(self.object_list, "capacity"):
            facts += self.object_list.capacity().facts
        if not self.is_imported:
            return facts
        return [
            *facts,
            ("Change set", marker.change_set),
            ("Import", _IMPORT),
            (LABEL, str(marker)),
        ]

    def post(self, request, *args, **kwargs):
        actions = {
            "columns": self.choose_columns,
            "usual-columns": self.choose_default_columns,
            "page-size": self.choose_page_size,
            "save-view": self.save_view,
            "rename-view": self.rename_view,
            "remove-view": self.remove_view,
            "copy-view": self.copy_view,
            "hide-view": self.hide_view,
            "show-view": self.show_view,
        }
        action = actions.get(request.POST.get("do"))
        if action is None:
            raise BadRequest("This list does not know what to do with that form.")
        return redirect(action() or self.url_without("page"))

    @cached_property
    def preference(self) -> ListPreference:
        return preferences.preference_of(self.request.user, self.section)

    def get_ordered_table(self) -> RecordTable:
        requested = self.request.GET.get("columns", "")
        shown = requested.split(",") if requested else self.preference.columns
        table = self.table_class(self.object_list, shown)
        order = self.request.GET.getlist("sort")
        if order:
            table.order_by = order
        return table

    def get_table(self, **kwargs):
        table = self.get_ordered_table()
        size = self.preference.page_size or preferences.DEFAULT_PAGE_SIZE
        table.open_page(self.request.GET.get("page"), size)
        return table

    def state(self, table: RecordTable) -> str:
        """The query string that reproduces the filters, order and columns for any user."""
        query = QueryDict(mutable=True)
        for name in self.filterset.data:
            values = values_of(self.filterset.data, name)
            if values and name in {*self.filterset.parameters, "sort"}:
                query.setlist(name, values)
        query["columns"] = ",".join(table.columns.names())
        return query.urlencode(safe=",")

    def get_context_data(self, **kwargs):
        context = super().get_context_data(**kwargs)
        table = context["table"]
        listed = self.object_list
        capacity = table.capacity
        if capacity is None and hasattr(listed, "capacity"):
            capacity = listed.capacity()
        state = self.state(table)
        of_which = None
        if self.default_filter and self.filterset.shows_all and not context["is_wrong"]:
            of_which = self._default_among(listed, self.default_filter)
        views = preferences.listed_views_of(self.request.user, self.section)
        open_view = next((view for view in views if view.query == state), None)
        return context | {
            "empty_text": self.empty_text,
            "remedy_text": self.remedy_text,
            "total": table.paginator.count,
            "capacity": capacity,
            "of_which": of_which,
            "page_sizes": preferences.PAGE_SIZES,
            "state": state,
            "saved_views": views,
            "saved_tabs": _tabs(views, open_view),
            "sharing": preferences.SHARING,
            "may_remove_shared": self.request.user.has_perm(preferences.REMOVE_SHARED),
            **self._empty_list_context(table),
            "open_view": open_view,
        }

    def _empty_list_context(self, table: RecordTable) -> dict:
        """Drop the "show all" link if there are no records at all."""
        is_plain = self.filterset.uses_default_filter and not table.paginator.count
        return {"all_query": ""} if is_plain and not self.filterset.queryset.exists() else {}

    def _default_among(self, listed, default: DefaultFilter) -> dict:
        """Count and capacity of the listed records that match the default filter."""
        part = self.filterset.filters[default.name].pick(listed, [default.code]).order_by()
        return {
            "query": self.filterset.query_with(default.name, default.code),
            "total": part.count(),
            "capacity": part.capacity() if hasattr(part, "capacity") else None,
        }

    # POST actions: each returns the URL to redirect to, or None for the same query string.

    def choose_columns(self) -> str:
        columns = self.table_class.valid_columns(
            [next(iter(self.table_class.base_columns)), *self.request.POST.getlist("columns")]
        )
        preferences.choose_columns(user=self.request.user, list_name=self.section, columns=columns)
        return self.url_without("columns", "page")

    def choose_default_columns(self) -> str:
        preferences.choose_columns(user=self.request.user, list_name=self.section, columns=[])
        return self.url_without("columns", "page")

    def choose_page_size(self) -> None:
        try:
            size = int(self.request.POST.get("page_size", ""))
            preferences.choose_page_size(
                user=self.request.user, list_name=self.section, page_size=size
            )
        except ValueError as error:
            raise BadRequest("A page has 25, 50 or 100 rows.") from error

    def save_view(self) -> str | None:
        form = ViewForm(self.request.POST)
        if not form.is_valid():
            self._refuse_form(form)
            return None
        self.filterset = self.get_filterset(self.get_filterset_class())
        self.object_list = self.filterset.queryset.none()
        query = self.state(self.get_ordered_table())
        try:
            view = preferences.save_view(
                owner=self.request.user, list_name=self.section, query=query, **form.cleaned_data
            )
        except preferences.ViewNameTakenError as error:
            self._refuse(str(error))
            return None
        return f"{self.request.path}?{view.query}"

    def rename_view(self) -> None:
        view = self._get_view()
        form = ViewForm(self.request.POST)
        if not form.is_valid():
            self._refuse_form(form)
            return
        try:
            preferences.rename_view(view=view, user=self.request.user, **form.cleaned_data)
        except preferences.ViewNameTakenError as error:
            self._refuse(str(error))

    def remove_view(self) -> None:
        view = self._get_view()
        preferences.remove_view(view=view, user=self.request.user)
        messages.success(self.request, f"The view “{view.name}” is removed. No record is changed.")

    def copy_view(self) -> str | None:
        view = self._get_visible_view()
        try:
            copy = preferences.copy_view(view=view, user=self.request.user)
        except preferences.ViewNameTakenError as error:
            self._refuse(str(error))
            return None
        return f"{self.request.path}?{copy.query}"

    def hide_view(self) -> None:
        preferences.hide_view(view=self._get_visible_view(), user=self.request.user)

    def show_view(self) -> None:
        preferences.show_view(view=self._get_visible_view(), user=self.request.user)

    def _get_view(self) -> SavedView:
        return self._view_among(SavedView.objects.filter(list_name=self.section))

    def _get_visible_view(self) -> SavedView:
        return self._view_among(preferences.views_of(self.request.user, self.section))

    def _view_among(self, views: QuerySet[SavedView]) -> SavedView:
        key = self.request.POST.get("view", "")
        if not re.fullmatch(r"[0-9]{1,18}", key):
            raise Http404("There is no such view.")
        return get_object_or_404(views, pk=key)

    def _refuse_form(self, form: ViewForm) -> None:
        [first, *_] = form.errors.values()
        self._refuse(str(first[0]))

    def _refuse(self, message: str) -> None:
        messages.warning(self.request, f"The view was not saved. {message}")
