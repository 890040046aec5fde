from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import date
from typing import ClassVar

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.formats import date_format

from oegen import audit
from oegen.core.fields import ProseField, own_field
from oegen.models import AuditedModel, User
from pipelines.models.pipeline import Pipeline
from pipelines.models.reference import MilestoneKind
from pipelines.querysets import MilestoneQuerySet
from pipelines.reference import FIELD_OF_KIND


class Milestone(AuditedModel):
    """When an event of a pipeline was planned, is expected or took place, and what proves it.

    The day of RTB and COD is the pipeline's ``rtb_date`` and ``cod_date``; their milestones add the
    baseline, whether that day is the actual one, and the evidence.
    """

    pipeline = models.ForeignKey(Pipeline, on_delete=models.CASCADE, related_name="milestones")
    kind = models.ForeignKey(
        MilestoneKind, on_delete=models.PROTECT, related_name="milestones", verbose_name="milestone"
    )
    baseline_on = models.DateField(
        "baseline",
        null=True,
        blank=True,
        help_text="The day last approved, from which slippage counts.",
    )
    forecast_on = models.DateField(
        "forecast", null=True, blank=True, help_text="When it is expected."
    )
    actual_on = models.DateField("actual", null=True, blank=True, help_text="When it happened.")
    is_actual = models.BooleanField(
        "has happened",
        default=False,
        help_text="For RTB and COD: the date of the project is the day it happened.",
    )
    evidence_url = models.URLField(
        "link to the evidence", max_length=500, blank=True, help_text="Where the document is."
    )
    evidence_note = ProseField(
        "evidence", blank=True, help_text="What proves it, such as the number of the permit."
    )
    confirmed_by = models.ForeignKey(
        User,
        null=True,
        blank=True,
        editable=False,
        on_delete=models.PROTECT,
        related_name="+",
        help_text="Who said last that it happened, or what proves it.",
    )

    objects: ClassVar = MilestoneQuerySet.as_manager()

    PARENT_FIELD = "pipeline"
    FIELD_PERMISSIONS: ClassVar[Mapping[str, str]] = {"baseline_on": "pipelines.approve_baseline"}

    SEARCH_FIELDS = ("evidence_note", "evidence_url")
    SEARCH_FACTS_TEMPLATE = "pipelines/parts/milestone_found.html"
    SEARCH_ORDER = 6

    class Meta:
        ordering = ["pipeline", "kind__order"]
        permissions = [("approve_baseline", "Can set and change baselines")]
        indexes = [models.Index(fields=["forecast_on"]), models.Index(fields=["actual_on"])]
        constraints = [
            models.UniqueConstraint(
                fields=["pipeline", "kind"],
                name="milestone_unique",
                violation_error_message="The pipeline has this milestone already.",
            ),
            models.CheckConstraint(
                condition=~Q(kind__in=list(FIELD_OF_KIND)) | Q(forecast_on=None, actual_on=None),
                name="milestone_day_on_the_pipeline",
                violation_error_message="The day of RTB and COD stands on the pipeline.",
            ),
            models.CheckConstraint(
                condition=Q(kind__in=list(FIELD_OF_KIND)) | Q(is_actual=False),
                name="milestone_actual_by_its_day",
                violation_error_message="Give the day it happened.",
            ),
        ]

    def __str__(self):
        return f"{self.kind} of {self.pipeline}"

    def result_page_record(self):
        return self.pipeline

    @classmethod
    def describe_link(cls, row, names):
        return f"milestone {names.get(MilestoneKind, row.kind_id)}"

    @classmethod
    def link_phrase(cls, row, names):
        phrase = super().link_phrase(row, names)
        if row.history_type == audit.CREATED:
            words = {"baseline_on": "baseline", "forecast_on": "expected", "actual_on": "happened"}
            days = ((word, getattr(row, name)) for name, word in words.items())
            phrase += "".join(f", {word} {date_format(day)}" for word, day in days if day)
        return phrase

    @property
    def pipeline_field(self) -> str:
        """The field of the pipeline that has its day; empty if the milestone has its own."""
        return FIELD_OF_KIND.get(self.kind_id, "")

    @property
    def forecast(self) -> date | None:
        """The day it is expected; None once it happened."""
        if self.pipeline_field:
            return None if self.is_actual else getattr(self.pipeline, self.pipeline_field)
        return None if self.actual_on else self.forecast_on

    @property
    def actual(self) -> date | None:
        """The day it happened."""
        if self.pipeline_field:
            return getattr(self.pipeline, self.pipeline_field) if self.is_actual else None
        return self.actual_on

    @property
    def has_evidence(self) -> bool:
        return bool(self.evidence_url or self.evidence_note)

    @property
    def is_proven(self) -> bool:
        return self.actual is not None and self.has_evidence

    def confirm(self, person: User | None, changed: Collection[str]) -> None:
        """Record who said that it happened, if that or the evidence is ``changed``."""
        if not (self.is_actual or self.actual_on):
            self.confirmed_by = None
        elif {"actual_on", "is_actual", "evidence_url", "evidence_note"} & set(changed):
            self.confirmed_by = person

    def clean(self) -> None:
        errors = {}
        today = timezone.localdate()
        if name := self.pipeline_field:
            label = own_field(Pipeline, name).verbose_name
            for field in ("forecast_on", "actual_on"):
                if getattr(self, field):
                    errors[field] = f"Give its day as the project's {label}, and leave this empty."
            if self.is_actual and self.pipeline_id:
                day = getattr(self.pipeline, name)
                if day is None:
                    errors["is_actual"] = f"The project has no {label}: give the day it was first."
                elif day > today:
                    errors["is_actual"] = (
                        f"The {label} of the project, {date_format(day)}, lies in the future: give "
                        "the day it was first."
                    )
        elif self.is_actual:
            errors["is_actual"] = "Give the day it happened instead."
        if self.actual_on and self.actual_on > today:
            errors["actual_on"] = (
                f"What happened can't lie in the future: give a day up to {date_format(today)}, or "
                "a forecast."
            )
        if errors:
            raise ValidationError(errors)
