from __future__ import annotations

from django.contrib import admin

from oegen.admin.options import AuditedAdmin
from oegen.admin.people import subject_link
from oegen.imports.tables.models import ExternalReference


@admin.register(ExternalReference)
class ExternalReferenceAdmin(AuditedAdmin):
    """Imports add them; here a wrong one is found, corrected or removed."""

    list_display = ["__str__", "about", "source"]
    list_filter = ["source"]
    search_fields = ["key", "source"]
    fieldsets = [(None, {"fields": ["about", "source", "key"]})]
    readonly_fields = ["about"]
    view_on_site = False

    def get_queryset(self, request):
        return super().get_queryset(request).prefetch_related("record")

    def has_add_permission(self, request):
        return False

    @admin.display(description="About")
    def about(self, reference):
        return subject_link(reference.record)
