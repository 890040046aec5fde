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
    """Links whose first row the address of an empty form can fill in: ``?pipeline=<key>``."""

    #: The foreign key to the record that the point concerns, and the name of the parameter.
    subject: str

    def get_extra(self, request, obj=None, **kwargs):
        return 1 if self.key_in(request, obj) else super().get_extra(request, obj, **kwargs)

    def key_in(self, request, obj) -> str:
        """The key in the address of an empty form. Only for a GET: a row that equals its initial
        values counts as unchanged and would not be saved."""
        if request.method != "GET" or obj is not None:
            return ""
        key = request.GET.get(self.subject, "")
        related = self.model._meta.get_field(self.subject).remote_field.model
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
    subject = "counterparty"
    fk_name = "information_point"
    fields = ["counterparty"]
    autocomplete_fields = ["counterparty"]
    verbose_name = "counterparty"
    verbose_name_plural = "counterparties it concerns"


class PipelinesInline(SubjectInline):
    model = InformationPointPipeline
    subject = "pipeline"
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
            kwargs["initial"] = [{inline.subject: key}]
        return kwargs
