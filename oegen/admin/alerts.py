from django.contrib import admin, messages
from django.contrib.admin.widgets import AutocompleteSelect
from django.db import models
from django.db.models import Case, When
from django.utils.html import format_html
from django.utils.text import capfirst

from oegen.admin.lists import StrictFiltersMixin
from oegen.admin.reference import ReferenceAdmin
from oegen.admin.removal import RemovalMixin
from oegen.alerts import delivery, outbox
from oegen.alerts.events import EVENTS
from oegen.alerts.models import Alert, AlertRule
from oegen.core.fields import own_field
from oegen.core.pointers import PointerField, target_of
from oegen.core.words import count


def _foreign_key_to(model: type[models.Model]) -> models.ForeignKey:
    """Any foreign key to the model: the admin's autocomplete views need one to find the records."""
    fields = (relation.field for relation in model._meta.related_objects)
    keys = (field for field in fields if isinstance(field, models.ForeignKey))
    return next(key for key in keys if not key.get_limit_choices_to())


@admin.register(AlertRule)
class AlertRuleAdmin(ReferenceAdmin):
    """Alert rules; the list can activate and deactivate them."""

    list_display = ["name", "event", "limit", "channel", "country", "is_active"]
    list_editable = ["is_active"]
    list_filter = ["channel", "is_active", "event"]
    fieldsets = [
        (None, {"fields": ["name", "is_active", "order"]}),
        ("What", {"fields": ["event", "threshold", "kinds"]}),
        ("Only of", {"fields": ["technology", "counterparty", "country"]}),
        ("Where to", {"fields": ["channel"]}),
    ]
    #: The code is generated, so the form does not ask for it.
    prepopulated_fields = {}

    def formfield_for_dbfield(self, db_field, request, **kwargs):
        if db_field.name == "is_active":
            kwargs["help_text"] = "Untick it to keep the rule and send nothing by it."
        if isinstance(db_field, PointerField) and db_field.target:
            kwargs |= {
                "label": capfirst(db_field.verbose_name),
                "help_text": db_field.help_text,
                "required": not db_field.blank,
            }
            db_field = _foreign_key_to(db_field.target)
            kwargs["widget"] = AutocompleteSelect(db_field, self.admin_site)
        return super().formfield_for_dbfield(db_field, request, **kwargs)

    def save_model(self, request, obj, form, change):
        if not change:
            obj.take_code()
        super().save_model(request, obj, form, change)

    def get_list_display(self, request):
        # Cached per request: Django can sort only by the same function.
        if not hasattr(request, "technology_column"):
            request.technology_column = self._technology_column()
        shown = [*super().get_list_display(request)]
        return [*shown[:4], request.technology_column, *shown[4:]]

    def _technology_column(self):
        """A column with the technologies' names, read in one query, that sorts by their order."""
        target = target_of(own_field(self.model, "technology"))
        technologies = target._default_manager.all() if target else []
        names = {technology.pk: technology for technology in technologies}
        places = [When(technology=key, then=place) for place, key in enumerate(names)]

        @admin.display(
            description="Technology", ordering=Case(*places, output_field=models.IntegerField())
        )
        def technology(rule):
            return names.get(rule.technology_id)

        return technology

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
    """The outbox, read-only, with actions to resend or park alerts."""

    list_display = ["title", "channel", "receiver", "created_at", "state", "attempts", "error"]
    list_filter = [StateFilter, "channel", EventFilter]
    list_select_related = ["recipient"]
    list_per_page = 50
    show_full_result_count = False
    actions = ["send_again", "hold_back"]
    readonly_fields = [
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
    fields = [*readonly_fields]

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
