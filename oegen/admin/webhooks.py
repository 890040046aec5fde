from django.contrib import admin, messages
from django.utils.html import format_html

from oegen.admin.lists import StrictFiltersMixin
from oegen.admin.removal import RemovalMixin
from oegen.api.webhooks import services
from oegen.api.webhooks.models import USE_WEBHOOKS, Webhook
from oegen.core.words import count


class StateFilter(admin.SimpleListFilter):
    title = "state"
    parameter_name = "state"

    def lookups(self, request, model_admin):
        return [("active", "Active"), ("failing", "Failing"), ("off", "Switched off")]

    def queryset(self, request, queryset):
        match self.value():
            case "active":
                return queryset.active()
            case "failing":
                return queryset.active().exclude(failing_since=None)
            case "off":
                return queryset.exclude(switched_off_at=None)
        return queryset


@admin.register(Webhook)
class WebhookAdmin(RemovalMixin, StrictFiltersMixin, admin.ModelAdmin):
    """Everybody's webhooks, read-only, with an action to switch them off. Their addresses may hold
    secrets, so only the host is shown. People add their own on their page."""

    list_display = ["name", "owner", "receiver", "state", "told_of", "failing_since", "deliveries"]
    list_filter = [StateFilter]
    list_select_related = ["owner"]
    search_fields = ["name", "owner__username"]
    search_help_text = "A name or a username."
    list_per_page = 50
    show_full_result_count = False
    actions = ["switch_off"]
    readonly_fields = [
        *("name", "owner", "receiver", "state", "told_of", "created_at", "secret_made_at"),
        *("failing_since", "switched_off_at", "switched_off_why", "deliveries"),
    ]
    fields = [*readonly_fields]

    def has_add_permission(self, request):
        return False

    def has_change_permission(self, request, obj=None):
        """For the action; nothing of a webhook can be typed."""
        return obj is None and super().has_change_permission(request, obj)

    def has_delete_permission(self, request, obj=None):
        return False

    @admin.display(description="Receiver", ordering="url")
    def receiver(self, webhook):
        return webhook.host

    @admin.display(description="State")
    def state(self, webhook):
        if not webhook.is_active:
            return "Switched off"
        if not webhook.owner.has_perm(USE_WEBHOOKS):
            return "Sends nothing: its owner may not have webhooks"
        return "Failing" if webhook.failing_since else "Active"

    @admin.display(description="Told of")
    def told_of(self, webhook):
        return ", ".join(webhook.event_names)

    @admin.display(description="Messages")
    def deliveries(self, webhook):
        return format_html('<a href="{}">On its page</a>', webhook.get_absolute_url())

    @admin.action(description="Switch the selected webhooks off", permissions=["change"])
    def switch_off(self, request, queryset):
        number = sum(services.switch_off(webhook=one, by=request.user) for one in queryset)
        self.message_user(
            request,
            f"{count(number, 'webhook')} switched off. Those that were off before were left alone.",
            messages.SUCCESS if number else messages.WARNING,
        )
