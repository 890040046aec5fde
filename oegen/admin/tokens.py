from django.contrib import admin, messages

from oegen.admin.lists import StrictFiltersMixin
from oegen.admin.removal import RemovalMixin
from oegen.api import services, usage
from oegen.api.models import ApiToken, State
from oegen.core.words import count


class StateFilter(admin.SimpleListFilter):
    title = "state"
    parameter_name = "state"

    def lookups(self, request, model_admin):
        return State.choices

    def queryset(self, request, queryset):
        return queryset.in_state(self.value()) if self.value() else queryset


@admin.register(ApiToken)
class ApiTokenAdmin(RemovalMixin, StrictFiltersMixin, admin.ModelAdmin):
    """Everybody's access tokens, read-only, with an action to revoke them. People make their own on
    their page."""

    list_display = ["name", "person", "state", "scopes", "origins", "expires_at", "last_use"]
    list_filter = [StateFilter]
    list_select_related = ["person"]
    search_fields = ["name", "key", "person__username"]
    search_help_text = "A name, a username, or what follows “oegen_” in a token."
    list_per_page = 50
    show_full_result_count = False
    actions = ["revoke"]
    readonly_fields = [
        "name",
        "person",
        "start_of_secret",
        "state",
        "scopes",
        "origins",
        "created_at",
        "expires_at",
        "revoked_at",
        "last_use",
    ]
    fields = [*readonly_fields]

    def changelist_view(self, request, extra_context=None):
        return super().changelist_view(request, {"title": "Access tokens", **(extra_context or {})})

    def has_add_permission(self, request):
        return False

    def has_change_permission(self, request, obj=None):
        """For the action; nothing of a token can be typed."""
        return obj is None and super().has_change_permission(request, obj)

    def has_delete_permission(self, request, obj=None):
        return False

    @admin.display(description="State")
    def state(self, token):
        if token.state == State.ACTIVE and not token.person.is_active:
            return "Refused: the account is not active"
        return token.state.label

    @admin.display(description="Used from", ordering="networks")
    def origins(self, token):
        return token.origins

    @admin.display(description="Begins with")
    def start_of_secret(self, token):
        return token.start_of_secret

    @admin.display(description="Last used", empty_value="no use noted")
    def last_use(self, token):
        return usage.last_uses([token]).get(token.pk)

    @admin.action(description="Revoke the selected access tokens", permissions=["change"])
    def revoke(self, request, queryset):
        number = sum(services.revoke_token(token, by=request.user) for token in queryset)
        self.message_user(
            request,
            f"{count(number, 'access token')} revoked: whatever still uses them is refused from "
            "now on. Those that were revoked before were left alone.",
            messages.SUCCESS if number else messages.WARNING,
        )
