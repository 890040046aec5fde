from django.contrib import admin

from oegen.admin import AuditedAdmin
from pipelines.models import StageTransition


@admin.register(StageTransition)
class StageTransitionAdmin(AuditedAdmin):
    """The day on which a move took effect can be corrected. What moved, and when that was
    recorded, can't."""

    reason_required_for = ("effective_on",)
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
        """A transition has no page of its own."""
        return

    @admin.display(description="Moved to")
    def status(self, transition):
        return transition.status_label
