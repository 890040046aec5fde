"""The milestones of a pipeline: what its page says of them, and the dialog that changes one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from django import forms
from django.http import QueryDict
from django.shortcuts import get_object_or_404
from django.urls import reverse

from oegen.core import clock
from oegen.core.compiled import compiled
from oegen.core.days import DayField
from oegen.core.fields import PROSE_LIMIT, ReasonFormField, TextFormField
from oegen.models import User
from oegen.pages.forms import DialogForm
from pipelines import vocabulary
from pipelines.editing import MAY_EDIT, EditDialog
from pipelines.gates import Gates
from pipelines.models import Milestone, MilestoneKind, Pipeline
from pipelines.reference import FIELD_OF_KIND, RTB
from pipelines.services import edit_milestone

#: What changing a milestone in its dialog requires.
MAY_EDIT_MILESTONES = (MAY_EDIT, "pipelines.add_milestone", "pipelines.change_milestone")


def is_missed(forecast: date, pipeline_field: str, pipeline: Any) -> bool:
    """Whether a milestone of the pipeline, read ``with_overdue``, is expected in the past and not
    reached; see ``MilestoneQuerySet.with_day``. ``pipeline_field`` as in ``Milestone``."""
    is_rtb = pipeline_field == "rtb_date"
    return forecast < clock.today() and bool(pipeline.is_overdue if is_rtb else pipeline.is_open)


def is_reached(forecast: date, pipeline_field: str, pipeline: Any) -> bool:
    """Whether the stage of the pipeline, read ``with_past_rtb``, says that its RTB or COD took
    place, on a day that has come; marked or not, see ``MilestoneQuerySet.with_day``."""
    stages = {"rtb_date": pipeline.is_past_rtb, "cod_date": pipeline.stage.is_terminal}
    return stages.get(pipeline_field, False) and forecast <= clock.today()


@dataclass(frozen=True)
class Row:
    """A milestone of a pipeline, or what it has instead of one that was never recorded.

    ``first`` is the first day that was recorded for it.
    """

    milestone: Milestone
    first: date | None
    is_gate: bool

    @property
    def kind(self) -> MilestoneKind:
        return self.milestone.kind

    @property
    def baseline(self) -> date | None:
        """The day approved last; until one is, the first recorded."""
        return self.milestone.baseline_on or self.first

    @property
    def day(self) -> date | None:
        return self.milestone.actual or self.milestone.forecast

    @property
    def days_late(self) -> int | None:
        """Slippage against the baseline, in days, late positive."""
        return (self.day - self.baseline).days if self.day and self.baseline else None

    @property
    def is_missed(self) -> bool:
        one = self.milestone
        return one.forecast is not None and is_missed(
            one.forecast, one.pipeline_field, one.pipeline
        )

    @property
    def is_done(self) -> bool:
        """It happened, or the stage says so."""
        one = self.milestone
        if one.forecast is None:
            return one.actual is not None
        return is_reached(one.forecast, one.pipeline_field, one.pipeline)

    @property
    def is_recorded(self) -> bool:
        return not self.milestone._state.adding or self.day is not None


@dataclass(frozen=True)
class Milestones:
    """``rows``: those recorded, and the gates; ``others``: the kinds that can be added."""

    rows: tuple[Row, ...]
    others: tuple[MilestoneKind, ...]

    @property
    def rtb(self) -> Row | None:
        """None without an RTB date, a baseline or evidence."""
        return next((row for row in self.rows if row.kind.code == RTB), None)

    @property
    def gates(self) -> list[Row]:
        return [row for row in self.rows if row.is_gate]

    @property
    def proven(self) -> int:
        return sum(row.milestone.is_proven for row in self.gates)


def milestones_of(pipeline: Pipeline) -> Milestones:
    """The pipeline has to be read ``with_first_dates``, ``with_overdue`` and ``with_past_rtb``, its
    stage and facilities with it."""
    recorded = {one.kind_id: one for one in _recorded(key=pipeline.pk)}
    plants = [(one.technology_id, one.country) for one in pipeline.facilities.all()]
    gates = Gates.load().of_all(plants)
    rows, others = [], []
    for kind in vocabulary.milestone_kinds():
        milestone = recorded.get(kind.pk) or Milestone(pipeline=pipeline, kind=kind)
        # What it says of RTB and COD stands on the pipeline.
        milestone.pipeline = pipeline
        if name := FIELD_OF_KIND.get(kind.pk):
            first = getattr(pipeline, f"first_{name}")
        else:
            first = getattr(milestone, "first_day", None)
        row = Row(milestone, first, kind.pk in gates)
        if row.is_recorded or row.is_gate:
            rows.append(row)
        elif kind.is_active:
            others.append(kind)
    return Milestones(tuple(rows), tuple(others))


@compiled
def _recorded(*, key):
    milestones = Milestone.objects.filter(pipeline=key)
    return milestones.select_related("kind", "confirmed_by").with_first_day()


class MilestoneForm(DialogForm):
    prefix_of_ids = "edit"
    noun = "milestone"

    version = forms.IntegerField(min_value=0, widget=forms.HiddenInput)
    forecast_on = DayField(label="Expected on", required=False)
    actual_on = DayField(label="Happened on", required=False)
    is_actual = forms.BooleanField(label="It has happened", required=False)
    evidence_note = TextFormField(
        label="What proves it",
        required=False,
        limit=PROSE_LIMIT,
        widget=forms.Textarea(attrs={"rows": 2}),
    )
    evidence_url = forms.URLField(
        label="Link to the document", required=False, max_length=500, assume_scheme="https"
    )
    baseline_on = DayField(
        label="Baseline", required=False, help_text="The approved day, from which slippage counts."
    )
    reason = ReasonFormField(label="Why", required=False, widget=forms.Textarea(attrs={"rows": 2}))

    def __init__(self, data: QueryDict | None = None, *, milestone: Milestone, person: User):
        self.milestone = milestone
        fields = [*self.base_fields]
        initial = {name: getattr(milestone, name) for name in fields if name != "reason"}
        super().__init__(data, initial=initial)
        hidden = {"forecast_on", "actual_on"} if milestone.pipeline_field else {"is_actual"}
        hidden |= {
            name
            for name, permission in milestone.FIELD_PERMISSIONS.items()
            if not person.has_perm(permission)
        }
        for name in hidden:
            del self.fields[name]

    @property
    def title(self) -> str:
        return str(self.milestone.kind)

    @property
    def values(self) -> dict[str, Any]:
        names = self.fields.keys() - {"version", "reason"}
        return {name: self.cleaned_data[name] for name in names}

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if "baseline_on" in self.changed_data and not cleaned.get("reason"):
            self.add_error("reason", "Say why the baseline changes: the history keeps it.")
        return cleaned


class EditMilestone(EditDialog):
    permission_required = MAY_EDIT_MILESTONES  # type: ignore[assignment]  # several are allowed
    kind: MilestoneKind

    def prepare(self) -> None:
        super().prepare()
        self.kind = get_object_or_404(MilestoneKind, code=self.kwargs["kind"])

    @property
    def record(self) -> Milestone:
        stored = self.pipeline.milestones.filter(kind=self.kind).first()
        milestone: Milestone = stored or Milestone(pipeline=self.pipeline, version=0)
        milestone.kind, milestone.pipeline = self.kind, self.pipeline
        return milestone

    def form(self, data: QueryDict | None = None) -> MilestoneForm:
        return MilestoneForm(data, milestone=self.record, person=self.request.user)

    def save(self, form: MilestoneForm) -> dict[str, Any]:
        change_set = edit_milestone(
            pipeline_id=self.pipeline.pk,
            kind=self.kind,
            version=form.cleaned_data["version"],
            values=form.values,
            reason=form.cleaned_data["reason"],
            person=self.request.user,
        )
        return {
            "message": f"{self.kind} of {self.pipeline} is saved.",
            "details": reverse("change-set", args=[change_set.number]),
        }
