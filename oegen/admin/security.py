from typing import cast

from django.contrib import admin
from django.core.exceptions import ObjectDoesNotExist

from oegen.admin.lists import StrictFiltersMixin
from oegen.admin.options import AuditedAdmin
from oegen.admin.read_only import ReadOnlyMixin
from oegen.admin.removal import RemovalMixin
from oegen.audit.integrity.models import Acknowledgement
from oegen.people.models import SecurityEvent
from oegen.people.models.security import SecurityEventQuerySet


@admin.register(SecurityEvent)
class SecurityEventAdmin(ReadOnlyMixin, RemovalMixin, StrictFiltersMixin, admin.ModelAdmin):
    """Security events, read-only. A run of failures is one row with their count."""

    list_display = ["last_at", "kind", "who", "count", "address", "about"]
    list_filter = ["kind"]
    search_fields = ["username"]
    search_help_text = "A username; what was typed and is nobody's is kept as a digest only."
    date_hierarchy = "last_at"
    list_per_page = 50
    show_full_result_count = False
    list_select_related = ["origin"]
    readonly_fields = [
        "number",
        "kind",
        "who",
        "username_digest",
        "first_at",
        "last_at",
        "count",
        "address",
        "about",
        "sealed_at",
        "seal",
    ]
    fields = [*readonly_fields]

    def get_queryset(self, request):
        events = cast("SecurityEventQuerySet", super().get_queryset(request))
        return events.newest_of_runs()

    @admin.display(description="Account", ordering="username")
    def who(self, event):
        return event.username or "nobody's username"

    @admin.display(description="From address")
    def address(self, event):
        try:
            return event.origin.address
        except ObjectDoesNotExist:
            return "not kept any more"

    @admin.display(description="About")
    def about(self, event):
        return ", ".join(f"{name}: {value}" for name, value in event.details.items()) or "–"


@admin.register(Acknowledgement)
class AcknowledgementAdmin(AuditedAdmin):
    """Acknowledged findings. ``audit_check`` creates them; a finding whose acknowledgement is
    deleted here is open again."""

    list_display = ["finding", "reason", "created_at"]
    search_fields = ["finding", "reason"]
    fieldsets = [(None, {"fields": ["finding", "fingerprint", "reason", "created_at"]})]
    readonly_fields = ["finding", "fingerprint", "created_at"]
    view_on_site = False

    def has_add_permission(self, request):
        return False
