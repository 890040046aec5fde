"""Change lists of the admin: sorting, searching and strict filters."""

from functools import partial
from typing import cast

from django.contrib import admin, messages
from django.contrib.admin import DateFieldListFilter
from django.contrib.admin.exceptions import DisallowedModelAdminLookup
from django.contrib.admin.options import BaseModelAdmin, IncorrectLookupParameters
from django.contrib.admin.views.main import ChangeList
from django.core.exceptions import EmptyResultSet
from django.core.paginator import Page, Paginator
from django.db.models import Case, IntegerField, QuerySet, Value, When
from django.http import HttpResponseRedirect
from django.utils.functional import cached_property
from django.utils.text import Truncator

from oegen import asof, audit, search
from oegen.core.folding import fold, words_of
from oegen.pages.paging import FoundPage, find_page
from oegen.search import ordering


class FoundPages(Paginator):
    """The pages of business records, found and counted in one statement as the site's lists are."""

    object_list: QuerySet

    @cached_property
    def count(self):
        return self._found(1).count

    @cached_property
    def _version(self) -> str:
        return asof.data_version()

    def page(self, number):
        number = self.validate_number(number)
        rows = self.object_list.model._default_manager.filter(pk__in=self._found(number).keys)
        return Page(rows.order_by(*self.object_list.query.order_by), number, self)

    def _found(self, number: int) -> FoundPage:
        start = (number - 1) * self.per_page
        try:
            return find_page(self.object_list, start, self.per_page, self._version)
        except EmptyResultSet:
            return FoundPage([], 0, None)


class OrderedChangeList(ChangeList):
    """A change list that sorts names by their sort keys, and that finds a page's records before it
    reads their annotations."""

    def get_queryset(self, request, exclude_parameters=None):
        model_admin = cast("OrderedNamesMixin", self.model_admin)
        self.root_queryset = model_admin.with_columns(self.root_queryset)
        return super().get_queryset(request, exclude_parameters)

    def get_results(self, request):
        super().get_results(request)
        found = self.result_list
        if not self.multi_page and not self.show_all:
            found = self.paginator.page(1).object_list
        page = self.root_queryset.filter(pk__in=found.values("pk"))
        page = page.order_by(*self.queryset.query.order_by)
        self.result_list = self.apply_select_related(page)

    def get_ordering_field(self, field_name):
        field = super().get_ordering_field(field_name)
        return ordering.path_of(self.model, field) if isinstance(field, str) else field


class OrderedNamesMixin(BaseModelAdmin):
    """Sorts names by their sort keys, in change lists and inlines."""

    def get_changelist(self, request, **kwargs):
        return OrderedChangeList

    def with_columns(self, queryset):
        """Annotate what only the columns of the change list show, and no form."""
        return queryset

    def get_ordering(self, request):
        default = super().get_ordering(request) or self.opts.ordering or ()
        return [
            ordering.path_of(self.model, one) if isinstance(one, str) else one for one in default
        ]


class FoldedSearchMixin(admin.ModelAdmin):
    """Searches as the site does, ignoring accents, case and apostrophes, in change lists and
    autocompletes. Autocompletes list names that start with the text first."""

    def get_paginator(self, request, queryset, per_page, *args, **kwargs):
        # Rows that are not filtered are read by an index, as many as the page has.
        if queryset.query.has_filters() and self.model in audit.business_models():
            return FoundPages(queryset, per_page)
        return super().get_paginator(request, queryset, per_page, *args, **kwargs)

    def get_search_results(self, request, queryset, search_term):
        if not search_term.strip() or "\x00" in search_term:
            return super().get_search_results(request, queryset, search_term)
        if not getattr(self.model, "SEARCH_FIELDS", ()):
            return self._search_unindexed(queryset, search_term), False
        matching = getattr(queryset, "matching", None) or partial(search.matching, queryset)
        found = matching(search_term)
        if request.path.endswith("/autocomplete/"):
            starts = When(pk__in=search.keys_starting_with(self.model, search_term), then=Value(0))
            named = When(pk__in=search.keys_containing(self.model, search_term), then=Value(1))
            rank = Case(starts, named, default=Value(2), output_field=IntegerField())
            found = found.order_by(rank, *self.get_ordering(request), "pk")
        return found, False

    def _search_unindexed(self, queryset, search_term):
        """Search in Python in models that are not indexed: vocabularies and accounts are small."""
        words = words_of(search_term)
        rows = queryset.order_by().values_list("pk", *self.search_fields)
        found = [
            key
            for key, *texts in rows
            if all(word in fold("\n".join(filter(None, texts))) for word in words)
        ]
        return queryset.filter(pk__in=found)


class UnknownFilterError(Exception):
    """The query string of a change list has an unknown filter, or an unknown value of one."""


class StrictFiltersMixin(admin.ModelAdmin):
    """Reports unknown filters in the query string. Depending on the filter, Django ignores them,
    shows an empty list or answers 400."""

    def get_changelist_instance(self, request):
        # These would fail in the database.
        if any("\x00" in text or "regex" in name for name, text in request.GET.items()):
            raise UnknownFilterError
        try:
            changelist = super().get_changelist_instance(request)
        except (IncorrectLookupParameters, DisallowedModelAdminLookup) as error:
            raise UnknownFilterError from error
        requested = set(changelist.get_filters_params())
        if requested - self._known_parameters(changelist):
            raise UnknownFilterError
        for spec in changelist.filter_specs:
            # A date range can have any value; others must be one of the choices.
            if not spec.used_parameters or isinstance(spec, DateFieldListFilter):
                continue
            if not any(choice["selected"] for choice in spec.choices(changelist)):
                raise UnknownFilterError
        return changelist

    @staticmethod
    def _known_parameters(changelist) -> set[str]:
        """The query parameters of the list's filters."""
        days = [f"{changelist.date_hierarchy}__{part}" for part in ("year", "month", "day")]
        return {*days, *(name for spec in changelist.filter_specs for name in spec.used_parameters)}

    def changelist_view(self, request, extra_context=None):
        try:
            return super().changelist_view(request, extra_context)
        except UnknownFilterError:
            query = Truncator(" and ".join(f"{k}={v}" for k, v in request.GET.items())).chars(200)
            nothing_done = " Nothing was saved." if request.method == "POST" else ""
            self.message_user(
                request,
                f"The list is shown without filters, because its address asks for “{query}”, "
                f"which it does not know. Choose a filter of the list instead.{nothing_done}",
                messages.WARNING,
            )
            return HttpResponseRedirect(request.path)
