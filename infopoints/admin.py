from django.contrib import admin

from infopoints.models import (
    InformationPoint,
    InformationPointCounterparty,
    InformationPointPipeline,
    InformationPointTechnology,
)
from oegen.admin import AuditedAdmin, LinkInline


class TechnologiesInline(LinkInline):
    model = InformationPointTechnology
    fk_name = "information_point"
    fields = ["technology"]
    autocomplete_fields = ["technology"]
    verbose_name = "technology"
    verbose_name_plural = "technologies it concerns"


class CounterpartiesInline(LinkInline):
    model = InformationPointCounterparty
    fk_name = "information_point"
    fields = ["counterparty"]
    autocomplete_fields = ["counterparty"]
    verbose_name = "counterparty"
    verbose_name_plural = "counterparties it concerns"


class PipelinesInline(LinkInline):
    model = InformationPointPipeline
    fk_name = "information_point"
    fields = ["pipeline"]
    autocomplete_fields = ["pipeline"]
    verbose_name = "pipeline"
    verbose_name_plural = "pipelines it concerns"


@admin.register(InformationPoint)
class InformationPointAdmin(AuditedAdmin):
    list_display = ["title", "market", "impact", "likelihood", "rating", "status", "review_on"]
    list_editable = ["impact", "likelihood", "status", "review_on"]
    list_filter = [
        "status",
        ("technologies", admin.RelatedOnlyFieldListFilter),
        ("owner", admin.RelatedOnlyFieldListFilter),
        ("review_on", admin.DateFieldListFilter),
    ]
    search_fields = ["title", "description", "market"]
    autocomplete_fields = ["owner"]
    fieldsets = [
        (None, {"fields": ["title", "description", "market"]}),
        ("Rating", {"fields": [("impact", "likelihood"), "rating"]}),
        ("Follow-up", {"fields": ["status", "owner", "review_on"]}),
    ]
    readonly_fields = ["rating"]
    inlines = [TechnologiesInline, CounterpartiesInline, PipelinesInline]
