from django.contrib import admin

from oegen.pages.selection import ALL
from pipelines.filters import status_choices
from pipelines.models import Technology


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


class TechnologyFilter(admin.RelatedFieldListFilter):
    """The technologies of facilities, in their order."""

    def field_choices(self, field, request, model_admin):
        return [(technology.pk, str(technology)) for technology in Technology.objects.in_use()]
