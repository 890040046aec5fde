from django.contrib import admin

from oegen.admin import ReferenceAdmin
from pipelines.admin import facility, milestone, pipeline, transition  # noqa: F401
from pipelines.models import CounterpartyRole, Stage, Technology

admin.site.register(CounterpartyRole, ReferenceAdmin)


@admin.register(Stage)
class StageAdmin(ReferenceAdmin):
    list_display = ["name", "order", "is_terminal", "default_probability_pct", "is_active"]


@admin.register(Technology)
class TechnologyAdmin(ReferenceAdmin):
    list_display = ["name", "parent", "unit_label", "capacity_basis", "is_storage", "is_active"]
    list_select_related = ["parent"]
    search_fields = ["name", "code", "aliases"]
    autocomplete_fields = ["parent"]
