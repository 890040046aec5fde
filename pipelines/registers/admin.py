"""What registers say, read-only: people see it on the pages, administrators as it was published."""

from django.contrib import admin
from django.db.models import F
from django.utils.text import Truncator

from oegen.admin import ReferenceAdmin
from oegen.admin.lists import StrictFiltersMixin
from oegen.admin.options import AuditedAdmin
from oegen.admin.read_only import ReadOnlyMixin
from oegen.admin.removal import RemovalMixin
from pipelines.registers.models import (
    Edition,
    Match,
    Register,
    RegisterCompany,
    RegisterProject,
    RegisterState,
    Reject,
)


class PublishedAdmin(ReadOnlyMixin, RemovalMixin, StrictFiltersMixin, admin.ModelAdmin):
    """Rows that follow from files, whose number may be large."""

    list_per_page = 50
    show_full_result_count = False
    view_on_site = False


@admin.register(Register)
class RegisterAdmin(ReferenceAdmin):
    list_display = ["name", "code", "publisher", "country", "licence_name", "is_active"]


@admin.register(Edition)
class EditionAdmin(ReadOnlyMixin, AuditedAdmin):
    """A wrong edition is undone on the page of its change set."""

    list_display = ["__str__", "rows", "rejected", "summary", "created_at"]
    list_filter = ["register"]
    list_select_related = ["register"]
    readonly_fields = ["register"]
    ordering = ["register__order", "-date"]
    view_on_site = False


@admin.register(Match)
class MatchAdmin(ReadOnlyMixin, AuditedAdmin):
    """A decision is undone on the page of its change set."""

    list_display = ["__str__", "record", "score", "created_at"]
    list_filter = ["state", "content_type"]
    list_select_related = ["project", "company"]
    readonly_fields = ["project", "company"]
    ordering = ["-created_at"]
    view_on_site = False


@admin.register(Reject)
class RejectAdmin(PublishedAdmin):
    list_display = ["edition", "row", "reason", "beginning"]
    list_filter = ["edition__register"]
    list_select_related = ["edition__register"]
    ordering = ["edition", "row"]

    @admin.display(description="text")
    def beginning(self, reject):
        return Truncator(reject.text).chars(120)

    def get_queryset(self, request):
        """Without those of contents that an edition had before it was corrected."""
        return super().get_queryset(request).filter(contents=F("edition__contents"))


@admin.register(RegisterProject)
class RegisterProjectAdmin(PublishedAdmin):
    list_display = ["name", "operator", "technology", "capacity_mw", "raw_status", "last_seen_on"]
    list_filter = ["register", "outcome", "stage", "is_vanished"]
    list_select_related = ["technology"]
    search_fields = ["key", "name", "operator"]
    ordering = ["name", "key"]


@admin.register(RegisterState)
class RegisterStateAdmin(PublishedAdmin):
    """What a row said, as published."""

    list_display = ["name", "operator", "raw_status", "capacity_mw"]
    list_filter = ["project__register"]
    search_fields = ["project__key", "name"]
    ordering = ["name", "pk"]


@admin.register(RegisterCompany)
class RegisterCompanyAdmin(PublishedAdmin):
    list_display = ["name", "key", "group"]
    list_select_related = ["group"]
    search_fields = ["name", "name_key", "key"]
