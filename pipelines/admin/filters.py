from django.contrib import admin

from oegen.pages.selection import ALL
from pipelines.filters import status_choices


class StatusFilter(admin.SimpleListFilter):
    """The stages, On hold and the outcomes, in one filter."""

    title = "status"
    parameter_name = "status"

    def lookups(self, request, model_admin):
        return [(one.code, one.label) for one in status_choices() if one.code != ALL]

    def queryset(self, request, queryset):
        return queryset.of_status(self.value()) if self.value() else queryset


class OverdueFilter(admin.SimpleListFilter):
    title = "overdue"
    parameter_name = "overdue"

    def lookups(self, request, model_admin):
        return [("yes", "RTB date gone by")]

    def queryset(self, request, queryset):
        return queryset.overdue() if self.value() == "yes" else queryset
