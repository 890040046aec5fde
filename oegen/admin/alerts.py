from django.contrib import admin, messages
from django.utils.html import format_html

from oegen.admin.lists import StrictFiltersMixin
from oegen.admin.reference import ReferenceAdmin
from oegen.admin.removal import RemovalMixin
from oegen.alerts import delivery, outbox
from oegen.alerts.events import EVENTS
from oegen.alerts.models import Alert, AlertRule
from oegen.core.words import count


@admin.register(AlertRule)
class AlertRuleAdmin(ReferenceAdmin):
    """What goes out, and where; switched on and off in the list."""

    list_display = ["name", "event", "limit", "channel", "technology", "country", "is_active"]
    list_editable = ["is_active"]
    list_filter = ["channel", "is_active", "event"]
    list_select_related = ["technology"]
    autocomplete_fields = ["technology", "counterparty"]
    fieldsets = [
        (None, {"fields": ["name", "is_active", "order"]}),
        ("What", {"fields": ["event", "threshold"]}),
        ("Only of", {"fields": ["technology", "counterparty", "country"]}),
        ("Where to", {"fields": ["channel"]}),
    ]
    #: Nobody knows a rule by its code, so nobody is asked for it.
    prepopulated_fields = {}

    def formfield_for_dbfield(self, db_field, request, **kwargs):
        if db_field.name == "is_active":
            kwargs["help_text"] = "Untick it to keep the rule and send nothing by it."
        return super().formfield_for_dbfield(db_field, request, **kwargs)

    def save_model(self, request, obj, form, change):
        if not change:
            obj.take_code()
        super().save_model(request, obj, form, change)

    @admin.display(description="From", ordering="threshold")
    def limit(self, rule):
        event = EVENTS.get(rule.event)
        if rule.threshold is None or event is None:
            return ""
        return f"{rule.threshold.normalize():,f} {event.unit}".replace(" %", "%")


class EventFilter(admin.SimpleListFilter):
    title = "event"
    parameter_name = "event"

    def lookups(self, request, model_admin):
        summary = (outbox.SUMMARY, "Many changes at once")
        return [*((event.code, event.name) for event in EVENTS.values()), summary]

    def queryset(self, request, queryset):
        return queryset.filter(event=self.value()) if self.value() else queryset


class StateFilter(admin.SimpleListFilter):
    title = "state"
    parameter_name = "state"

    def lookups(self, request, model_admin):
        return [("parked", "Parked"), ("waiting", "Waiting"), ("sent", "Sent")]

    def queryset(self, request, queryset):
        if self.value() == "parked":
            return queryset.parked()
        if self.value() == "waiting":
            return queryset.waiting()
        return queryset.exclude(sent_at=None) if self.value() == "sent" else queryset


@admin.register(Alert)
class AlertAdmin(RemovalMixin, StrictFiltersMixin, admin.ModelAdmin):
    """The outbox: read, and told what to do with what is parked or waiting."""

    list_display = ["title", "channel", "receiver", "created_at", "state", "attempts", "error"]
    list_filter = [StateFilter, "channel", EventFilter]
    list_select_related = ["recipient"]
    list_per_page = 50
    show_full_result_count = False
    actions = ["send_again", "hold_back"]
    fields = [
        "title",
        "about",
        "channel",
        "receiver",
        "state",
        "created_at",
        "sent_at",
        "parked_at",
        "next_attempt_at",
        "attempts",
        "last_error",
        "may_be_repeat",
    ]
    readonly_fields = fields

    def changelist_view(self, request, extra_context=None):
        return super().changelist_view(request, {"title": "Alerts", **(extra_context or {})})

    def has_add_permission(self, request):
        return False

    def has_delete_permission(self, request, obj=None):
        return False

    @admin.display(description="Message", ordering="event")
    def title(self, alert):
        return str(alert)

    @admin.display(description="To")
    def receiver(self, alert):
        return alert.recipient or "the channel"

    @admin.display(description="Error", ordering="last_error")
    def error(self, alert):
        return "" if alert.sent_at else alert.last_error

    @admin.display(description="About")
    def about(self, alert):
        if not alert.payload.get("url"):
            return ""
        return format_html('<a href="{}">{}</a>', alert.payload["url"], alert.payload["subject"])

    @admin.action(description="Send the selected alerts again", permissions=["change"])
    def send_again(self, request, queryset):
        number = delivery.send_again(queryset)
        self.message_user(
            request,
            f"{count(number, 'alert')} will be sent again; those that are not parked were left "
            "alone.",
            messages.SUCCESS if number else messages.WARNING,
        )

    @admin.action(description="Do not send the selected alerts", permissions=["change"])
    def hold_back(self, request, queryset):
        number = delivery.park(queryset, by=str(request.user))
        self.message_user(
            request,
            f"{count(number, 'alert')} parked; those that are sent, parked already or being sent "
            "were left alone.",
            messages.SUCCESS if number else messages.WARNING,
        )
