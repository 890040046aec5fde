"""The milestones of a pipeline as rows of its form, and the tables that administrators set up."""

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.utils.formats import date_format

from oegen import audit
from oegen.admin import LinkInline, ReferenceAdmin
from oegen.admin.forms import GuardedForm, LinkFormSet, has_reason, is_removed
from pipelines.models import Gate, GateSet, Milestone, MilestoneKind

APPROVE = Milestone.FIELD_PERMISSIONS["baseline_on"]


class MilestoneForm(GuardedForm):
    evidence_note = Milestone._meta.get_field("evidence_note").formfield(
        widget=forms.Textarea(attrs={"rows": 2, "cols": 24})
    )
    evidence_url = Milestone._meta.get_field("evidence_url").formfield(assume_scheme="https")

    class Meta:
        model = Milestone
        fields = (
            *("kind", "baseline_on", "forecast_on", "actual_on", "is_actual"),
            *("evidence_note", "evidence_url"),
        )

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        # Another kind would take the baseline and the evidence with it.
        self.fields["kind"].disabled = self._is_change

    def save(self, commit=True):
        change_set = audit.current_change_set()
        self.instance.confirm(change_set.person if change_set else None, self.changed_data)
        return super().save(commit=commit)


class MilestoneFormSet(LinkFormSet):
    #: Set by MilestonesInline: whether the person may set and change baselines.
    may_approve = False

    def clean(self):
        super().clean()
        removed = [form.instance for form in self.initial_forms if is_removed(form)]
        baselines = [one for one in removed if one.baseline_on]
        if baselines and not self.may_approve:
            first = baselines[0]
            raise ValidationError(
                f"“{first.kind}” has a baseline, {date_format(first.baseline_on)}: only those who "
                "may change baselines can remove it."
            )
        changed = baselines or any("baseline_on" in form.changed_data for form in self.forms)
        if changed and not has_reason(self.data):
            raise ValidationError("Say why in “Reason”: you changed a baseline.")


class MilestonesInline(LinkInline):
    model = Milestone
    fk_name = "pipeline"
    adds_related = False
    form = MilestoneForm
    formset = MilestoneFormSet
    fields = list(MilestoneForm.Meta.fields)
    autocomplete_fields = ["kind"]
    select_related = ("kind", "pipeline")

    def get_formset(self, request, obj=None, **kwargs):
        formset = super().get_formset(request, obj, **kwargs)
        may_approve = request.user.has_perm(APPROVE)
        return type(formset.__name__, (formset,), {"may_approve": may_approve})

    def get_readonly_fields(self, request, obj=None):
        readonly = super().get_readonly_fields(request, obj)
        return readonly if request.user.has_perm(APPROVE) else [*readonly, "baseline_on"]


class GatesInline(LinkInline):
    model = Gate
    fk_name = "gate_set"
    adds_related = False
    fields = ["kind"]
    autocomplete_fields = ["kind"]
    select_related = ("kind", "gate_set")


admin.site.register(MilestoneKind, ReferenceAdmin)


@admin.register(GateSet)
class GateSetAdmin(ReferenceAdmin):
    list_display = ["name", "technology", "country", "is_active"]
    list_select_related = ["technology"]
    autocomplete_fields = ["technology"]
    inlines = [GatesInline]
