from django.contrib import admin
from django.core.exceptions import ValidationError

from infopoints.models import (
    InformationPoint,
    InformationPointCounterparty,
    InformationPointPipeline,
    InformationPointTechnology,
)
from oegen.admin import AuditedAdmin, LinkInline


class SubjectInline(LinkInline):
    """Links that the address of an empty form may begin with: ``?pipeline=`` and its key."""

    def get_extra(self, request, obj=None, **kwargs):
        return 1 if self.key_in(request, obj) else super().get_extra(request, obj, **kwargs)

    def key_in(self, request, obj) -> str:
        """The key named in the address of an empty form; only when it is opened, because a row
        that is as it was filled in would not be saved."""
        if request.method != "GET" or obj is not None:
            return ""
        (name,) = self.fields
        key = request.GET.get(name, "")
        related = self.model._meta.get_field(name).remote_field.model
        try:
            return key if key and related.objects.filter(pk=key).exists() else ""
        except ValidationError:
            return ""


class TechnologiesInline(LinkInline):
    model = InformationPointTechnology
    fk_name = "information_point"
    fields = ["technology"]
    autocomplete_fields = ["technology"]
    verbose_name = "technology"
    verbose_name_plural = "technologies it concerns"


class CounterpartiesInline(SubjectInline):
    model = InformationPointCounterparty
    fk_name = "information_point"
    fields = ["counterparty"]
    autocomplete_fields = ["counterparty"]
    verbose_name = "counterparty"
    verbose_name_plural = "counterparties it concerns"


class PipelinesInline(SubjectInline):
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

    def get_formset_kwargs(self, request, obj, inline, prefix):
        kwargs = super().get_formset_kwargs(request, obj, inline, prefix)
        is_new = obj is None or obj._state.adding
        if isinstance(inline, SubjectInline) and is_new and (key := inline.key_in(request, None)):
            kwargs["initial"] = [{inline.fields[0]: key}]
        return kwargs
