from django.contrib import admin

from oegen.admin import AuditedAdmin
from pipelines.models import StageTransition


@admin.register(StageTransition)
class StageTransitionAdmin(AuditedAdmin):
    """Only the effective date of a transition can be edited."""

    list_display = ["pipeline", "status", "effective_on", "recorded_at", "recorded_by"]
    list_select_related = ["pipeline", "stage", "recorded_by"]
    search_fields = ["pipeline__project_name"]
    readonly_fields = ["pipeline", "status", "recorded_at", "recorded_by"]
    fieldsets = [(None, {"fields": [*readonly_fields, "effective_on"]})]

    def has_add_permission(self, request):
        return False

    def has_delete_permission(self, request, obj=None):
        return False

    def view_on_site(self, obj):
        """None: the site has no page for a transition."""
        return

    @admin.display(description="Moved to")
    def status(self, transition):
        return transition.status_label
