from collections.abc import Iterable
from copy import copy
from typing import cast

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.utils import timezone

from oegen.admin import AuditedAdmin
from oegen.admin.forms import LoadedRecordField, RecordForm, RowForm
from oegen.core.days import DayField
from oegen.core.words import count, number
from pipelines.admin.filters import OverdueFilter, StatusFilter, TechnologyFilter
from pipelines.admin.links import CounterpartiesInline, FacilitiesInline
from pipelines.admin.milestone import MilestonesInline
from pipelines.models import Pipeline, Stage
from pipelines.querysets import PipelineQuerySet
from pipelines.services import check_effective_day


class PipelineForm(RecordForm):
    confirm_rag = forms.BooleanField(
        label="Still right",
        required=False,
        help_text="Tick to confirm RAG and comment as they stand today.",
    )
    status_effective_on = DayField(
        label="Status since",
        required=False,
        help_text="The day a change of stage, hold or outcome took effect, if not today.",
    )

    class Media:
        css = {"all": ["vendor/leaflet/leaflet.css"]}
        js = [
            "vendor/leaflet/leaflet.js",
            "oegen/basemap.js",
            "oegen/admin/coordinates.js",
        ]

    @property
    def model_changes(self):
        confirms = ["confirm_rag"] if "confirm_rag" in self.changed_data else []
        return super().model_changes + confirms

    def clean(self):
        cleaned = super().clean()
        self.instance.status_effective_on = cleaned.get("status_effective_on")
        if self.instance.status_effective_on and not {"stage", "outcome"} & self.errors.keys():
            self._check_effective_day()
        if cleaned.get("confirm_rag") and not cleaned.get("rag_status"):
            self.add_error("confirm_rag", "There is no rating to confirm: choose one instead.")
        elif cleaned.get("confirm_rag"):
            self.instance.rag_confirmed_at = timezone.now()
        return cleaned

    def _check_effective_day(self) -> None:
        # The instance gets the values of the form only after this.
        moved = copy(self.instance)
        fields = ("stage", "on_hold", "outcome")
        for name in fields:
            setattr(moved, name, self.cleaned_data[name])
        changed = self.changed_data if self._is_change else fields
        try:
            check_effective_day(moved, changed)
        except ValidationError as error:
            self.add_error(None, error)


class PipelineRowForm(RowForm):
    """A row of the editable table."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        stage_field = cast("LoadedRecordField", self.fields["stage"])
        stages = cast("Iterable[Stage]", stage_field.records.values())
        stage_field.widget.choices = [
            (stage.pk, stage.name)
            for stage in stages
            if stage.is_active or stage.pk == self.instance.stage_id
        ]

    def clean(self):
        cleaned = super().clean()
        if not cleaned.get("on_hold"):
            # The table does not show the reason, and it is only allowed with the hold.
            self.instance.on_hold_reason = ""
        return cleaned


@admin.register(Pipeline)
class PipelineAdmin(AuditedAdmin):
    form = PipelineForm
    row_form = PipelineRowForm
    list_display = [
        "project_name",
        "stage",
        "on_hold",
        "rtb_date",
        "rag_status",
        "rag_comment",
        "capacity",
        "lead_developer",
    ]
    list_editable = ["stage", "on_hold", "rtb_date", "rag_status", "rag_comment"]
    list_filter = [
        StatusFilter,
        "rag_status",
        OverdueFilter,
        ("facilities__technology", TechnologyFilter),
        ("rtb_date", admin.DateFieldListFilter),
    ]
    search_fields = ["project_name", "rag_comment", "counterparties__name", "facilities__name"]
    search_help_text = "Project, facility, counterparty or RAG comment"
    autocomplete_fields = ["stage", "responsible"]
    actions = ["confirm_rag"]
    fieldsets = [
        (None, {"fields": ["project_name"]}),
        (
            "Status",
            {
                "fields": [
                    ("stage", "outcome"),
                    ("on_hold", "on_hold_reason"),
                    "status_effective_on",
                ]
            },
        ),
        ("RAG", {"fields": [("rag_status", "confirm_rag"), "rag_comment"]}),
        ("Dates", {"fields": [("rtb_date", "cod_date")]}),
        ("Who and what next", {"fields": ["responsible", ("next_step", "next_step_on")]}),
        (
            "Share and probability",
            {
                "fields": [
                    "ownership_pct",
                    ("probability_pct", "probability_expires_on"),
                    "probability_reason",
                ]
            },
        ),
    ]
    inlines = [FacilitiesInline, CounterpartiesInline, MilestonesInline]

    def get_queryset(self, request):
        return super().get_queryset(request).select_related("stage", "responsible")

    def with_columns(self, queryset):
        pipelines = cast("PipelineQuerySet", queryset)
        return pipelines.with_capacity().with_lead_developer().with_lead_developer_order()

    @admin.display(description="MW", ordering="capacity_mw")
    def capacity(self, pipeline):
        return number(pipeline.capacity_mw)

    @admin.display(description="Lead developer", ordering="lead_developer_order")
    def lead_developer(self, pipeline):
        return pipeline.lead_developer

    @admin.action(description="Confirm the RAG of the selected pipelines", permissions=["change"])
    def confirm_rag(self, request, queryset):
        number = queryset.exclude(rag_status="").update(rag_confirmed_at=timezone.now())
        self.message_user(
            request,
            f"Confirmed the RAG of {count(number, 'pipeline')}; those without "
            "a rating were left alone.",
            messages.SUCCESS,
        )
