"""The inline rows of a pipeline's form: its facilities and its counterparties.

A row can create its facility or counterparty, so that a new project is entered in one form.
"""

from collections import defaultdict
from decimal import Decimal
from typing import cast

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError

from counterparties.models import Counterparty
from oegen.admin.forms import (
    GuardedForm,
    LinkFormSet,
    LoadedRecordField,
    RecordSelect,
    has_reason,
    is_removed,
)
from oegen.admin.options import LinkInline, LinkInlineMixin
from oegen.search import keys
from pipelines.models import (
    CounterpartyRole,
    Facility,
    Pipeline,
    PipelineCounterparty,
    PipelineFacility,
    Technology,
)
from pipelines.reference import LEAD_DEVELOPER_ID

FACILITY_FIELDS = (
    "name",
    "technology",
    "capacity_mw",
    "storage_mwh",
    "export_limit_mw",
    "latitude",
    "longitude",
    "country",
    "region",
)


class FacilityLinkForm(GuardedForm):
    """An existing facility, whose fields can be edited in the row, or a new one."""

    #: Set by LinkFormSet.
    owner: Pipeline

    name = Facility._meta.get_field("name").formfield(required=False)
    technology = LoadedRecordField(
        queryset=Technology.objects.all(),
        required=False,
        widget=RecordSelect(Facility._meta.get_field("technology"), admin.site),
    )
    capacity_mw = Facility._meta.get_field("capacity_mw").formfield(label="Capacity in MW or MWp")
    storage_mwh = Facility._meta.get_field("storage_mwh").formfield(label="Storage in MWh")
    export_limit_mw = Facility._meta.get_field("export_limit_mw").formfield(
        label="Export limit in MW"
    )
    latitude = Facility._meta.get_field("latitude").formfield()
    longitude = Facility._meta.get_field("longitude").formfield()
    country = Facility._meta.get_field("country").formfield()
    region = Facility._meta.get_field("region").formfield()

    class Meta:
        model = PipelineFacility
        fields = ("facility",)

    def __init__(self, *args, instance=None, **kwargs):
        initial = kwargs.pop("initial", None) or {}
        if instance is not None and not instance._state.adding:
            initial |= {name: getattr(instance.facility, name) for name in FACILITY_FIELDS}
        super().__init__(*args, instance=instance, initial=initial, **kwargs)
        if self._is_change:
            technology = self.instance.facility.technology
            field = cast("LoadedRecordField", self.fields["technology"])
            field.records = {technology.pk: technology}
        self.fields["facility"].required = False
        self.fields["facility"].disabled = self._is_change
        self.fields["name"].help_text = "Empty: the project's name."

    def guarded_rows(self):
        return [self.instance, self.instance.facility]

    def sources(self):
        sources = super().sources()
        if self._is_change:
            sources |= {name: (self.instance.facility, name) for name in FACILITY_FIELDS}
            sources["technology"] = (self.instance.facility, "technology_id")
        return sources

    @property
    def changes_capacity(self) -> bool:
        """Whether saving this row changes the pipeline's capacity."""
        return self.has_changed() and (
            not self._is_change or bool(set(self.changed_data) & set(Facility.REASON_FIELDS))
        )

    def clean(self):
        cleaned = super().clean()
        described = {
            name: cleaned.get(name)
            for name in FACILITY_FIELDS
            if cleaned.get(name) not in (None, "")
        }
        if self._is_change:
            if self.has_changed():
                self._update_facility(
                    self.instance.facility, {name: cleaned.get(name) for name in FACILITY_FIELDS}
                )
        elif cleaned.get("facility") and described:
            self.add_error(
                "facility", "Choose an existing facility or describe a new one, not both."
            )
        elif not cleaned.get("facility") and not self.errors:
            if not cleaned.get("technology"):
                self.add_error(
                    "technology", "Choose the new facility's technology, or an existing facility."
                )
            else:
                self._update_facility(Facility(), described)
        return cleaned

    def _update_facility(self, facility: Facility, values: dict) -> None:
        """Set the values on the facility and validate it; its errors become the row's."""
        if self.errors:
            return
        if not values.get("name"):
            values["name"] = self.owner.project_name
        for name, value in values.items():
            setattr(facility, name, value)
        try:
            facility.full_clean(exclude=["id"])
        except ValidationError as error:
            for name, errors in error.error_dict.items():
                self.add_error(name if name in self.fields else None, errors)
        else:
            self.add_questions(facility, self.changed_data if self._is_change else None)
        self._facility = facility

    def save(self, commit=True):
        """Save the facility if it is new or changed, then the link if it is new."""
        facility = getattr(self, "_facility", None)
        if facility and (facility._state.adding or set(self.changed_data) & set(FACILITY_FIELDS)):
            facility.save()
        if self._is_change:
            self.record_answers()
            return self.instance
        if facility:
            self.instance.facility = facility
        return super().save(commit=commit)

    def save_m2m(self):
        """Called by the formset for each row, also for one whose link ``save`` did not write."""


class FacilityFormSet(LinkFormSet):
    def clean(self):
        super().clean()
        if self.instance._state.adding or has_reason(self.data):
            return
        if any(
            form.changes_capacity or (is_removed(form) and form._is_change) for form in self.forms
        ):
            raise ValidationError("Say why in “Reason”: you changed the project's capacity.")


class FacilitiesInline(LinkInlineMixin, admin.StackedInline):
    model = PipelineFacility
    adds_related = False
    fk_name = "pipeline"
    form = FacilityLinkForm
    formset = FacilityFormSet
    fields = [
        "facility",
        ("name", "technology"),
        ("capacity_mw", "storage_mwh", "export_limit_mw"),
        ("latitude", "longitude"),
        ("country", "region"),
    ]
    autocomplete_fields = ["facility"]
    select_related = ("facility__technology", "pipeline")
    verbose_name = "facility"
    verbose_name_plural = "facilities"

    def formfield_for_foreignkey(self, db_field, request, **kwargs):
        field = super().formfield_for_foreignkey(db_field, request, **kwargs)
        if field is not None:
            field.label = "Existing facility"
        return field


class CounterpartyLinkForm(GuardedForm):
    """A role of an existing counterparty, or of a new one given by its name."""

    new_counterparty = forms.CharField(label="or a new one’s name", required=False, max_length=200)

    class Meta:
        model = PipelineCounterparty
        fields = ("counterparty", "role", "share_pct")

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["counterparty"].required = False
        self.fields["new_counterparty"].disabled = self._is_change

    def _get_validation_exclusions(self):
        """Skip the unique constraints: the formset checks them for all rows together."""
        # The stubs leave out this hook of Django's.
        return super()._get_validation_exclusions() | {"pipeline"}  # type: ignore[misc]

    def clean(self):
        cleaned = super().clean()
        name = (cleaned.get("new_counterparty") or "").strip()
        chosen = cleaned.get("counterparty")
        if name and chosen:
            self.add_error(
                "new_counterparty", "Choose an existing counterparty or name a new one, not both."
            )
        elif name:
            counterparty = keys.same_name(Counterparty, name).first() or Counterparty(name=name)
            if counterparty._state.adding:
                try:
                    counterparty.full_clean()
                except ValidationError as error:
                    self.add_error("new_counterparty", error.messages)
                else:
                    self.add_questions(counterparty, None, {"name": "new_counterparty"})
            self._counterparty = counterparty
        elif not chosen:
            self.add_error("counterparty", "Choose a counterparty, or name a new one.")
        return cleaned

    def save(self, commit=True):
        counterparty = getattr(self, "_counterparty", None)
        if counterparty:
            # Two rows of one form may name the same new counterparty.
            found = keys.same_name(Counterparty, counterparty.name).first()
            if counterparty._state.adding and found:
                counterparty = found
                self._answered.clear()
            elif counterparty._state.adding:
                counterparty.save()
            self.instance.counterparty = counterparty
        return super().save(commit=commit)


class CounterpartyFormSet(LinkFormSet):
    def clean(self):
        super().clean()
        if any(self.errors):
            return
        shown = {form.instance.pk for form in self.forms if form._is_change}
        others = [link for link in self.get_queryset() if link.pk not in shown]
        added = {(link.counterparty, link.role) for link in others}
        remaining = self.remaining_forms()
        for form in remaining:
            if self.linked_records(form) in added:
                self.add_duplicate_error(form, "was added since you opened this form")
        self._check(
            [(form.cleaned_data["role"], form.cleaned_data["share_pct"]) for form in remaining]
            + [(link.role, link.share_pct) for link in others]
        )

    def linked_records(self, form):
        counterparty, role = super().linked_records(form)
        return counterparty or getattr(form, "_counterparty", None), role

    def save_existing_objects(self, commit=True):
        """Replace the link of a row whose counterparty or role changed. Old links are deleted
        before new ones are saved, so that two rows can swap theirs."""
        existing = [form for form in self.initial_forms if form._is_change]
        removed = [form for form in existing if form in self.deleted_forms]
        replaced = [
            form
            for form in existing
            if form not in removed and {"counterparty", "role"} & set(form.changed_data)
        ]
        for form in removed:
            self.delete_existing(form.instance)
        for form in replaced:
            PipelineCounterparty.objects.get(pk=form.instance.pk).delete()
            form.instance.assign_new_id()
        saved = super().save_existing_objects(commit)
        for form in replaced:
            self.changed_objects.append((form.instance, form.changed_data))
            saved.append(self.save_existing(form, form.instance, commit=commit))
        return saved

    @staticmethod
    def _check(rows: list[tuple[CounterpartyRole, Decimal | None]]) -> None:
        """Raise ValidationError for a second lead developer or shares above 100 % in a role."""
        shares: defaultdict[CounterpartyRole, Decimal] = defaultdict(Decimal)
        for role, share_pct in rows:
            shares[role] += share_pct or 0
        if sum(role.pk == LEAD_DEVELOPER_ID for role, _ in rows) > 1:
            raise ValidationError(
                "A pipeline has one Lead developer: give the others another role, such as "
                "Co-developer."
            )
        for role, total in shares.items():
            if total > 100:
                raise ValidationError(
                    f"The shares as {role} add up to {total.normalize():f} %: give 100 % or less."
                )


class CounterpartiesInline(LinkInline):
    model = PipelineCounterparty
    adds_related = False
    fk_name = "pipeline"
    form = CounterpartyLinkForm
    formset = CounterpartyFormSet
    fields = ["counterparty", "new_counterparty", "role", "share_pct"]
    autocomplete_fields = ["counterparty", "role"]
    select_related = ("counterparty", "role", "pipeline")
    verbose_name = "counterparty"
    verbose_name_plural = "counterparties"
