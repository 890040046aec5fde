from typing import ClassVar

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.formats import date_format

from counterparties.models import Counterparty
from oegen import audit
from oegen.core.fields import choices_constraint, range_constraint, range_validators
from oegen.models import AuditedModel
from pipelines.choices import Outcome
from pipelines.models.facility import Facility
from pipelines.models.pipeline import Pipeline, status_label_of
from pipelines.models.reference import CounterpartyRole, Stage
from pipelines.querysets import PipelineCounterpartyQuerySet
from pipelines.reference import LEAD_DEVELOPER_ID


class PipelineFacility(AuditedModel):
    pipeline = models.ForeignKey(Pipeline, on_delete=models.CASCADE, related_name="facility_links")
    facility = models.ForeignKey(Facility, on_delete=models.PROTECT, related_name="pipeline_links")

    PARENT_FIELD = "pipeline"

    class Meta:
        verbose_name = "facility of a pipeline"
        verbose_name_plural = "facilities of pipelines"
        ordering = ["facility__name"]
        constraints = [
            models.UniqueConstraint(
                fields=["pipeline", "facility"],
                name="pipelinefacility_unique",
                violation_error_message="This facility is already part of the pipeline.",
            )
        ]

    def __str__(self):
        return f"{self.facility} in {self.pipeline}"

    @classmethod
    def describe_link(cls, row, names):
        return f"facility {names.get(Facility, row.facility_id)}"


class PipelineCounterparty(AuditedModel):
    pipeline = models.ForeignKey(
        Pipeline, on_delete=models.CASCADE, related_name="counterparty_links"
    )
    counterparty = models.ForeignKey(
        Counterparty, on_delete=models.PROTECT, related_name="pipeline_links"
    )
    role = models.ForeignKey(CounterpartyRole, on_delete=models.PROTECT, related_name="+")
    share_pct = models.DecimalField(
        "share",
        max_digits=9,
        decimal_places=2,
        null=True,
        blank=True,
        validators=range_validators(0, 100, "%"),
        help_text="In %, 0 to 100.",
    )

    objects: ClassVar = PipelineCounterpartyQuerySet.as_manager()

    PARENT_FIELD = "pipeline"

    class Meta:
        verbose_name = "counterparty of a pipeline"
        verbose_name_plural = "counterparties of pipelines"
        ordering = ["role__order", "counterparty__name"]
        constraints = [
            models.UniqueConstraint(
                fields=["pipeline", "counterparty", "role"],
                name="pipelinecounterparty_unique",
                violation_error_message="This counterparty already has this role here.",
            ),
            models.UniqueConstraint(
                fields=["pipeline"],
                condition=Q(role=LEAD_DEVELOPER_ID),
                name="pipelinecounterparty_one_lead_developer",
                violation_error_message="A pipeline has one Lead developer: give the other "
                "another role.",
            ),
            range_constraint("pipelinecounterparty", "share_pct", 0, 100),
        ]

    def __str__(self):
        return f"{self.counterparty} as {self.role} of {self.pipeline}"

    def combined_with(self, other):
        """The sum of the shares; None if one is unknown or the sum exceeds 100 %."""
        shares = [self.share_pct, other.share_pct]
        if None in shares or sum(shares) > 100:
            return None
        return {"share_pct": sum(shares)}

    @classmethod
    def describe_link(cls, row, names):
        return (
            f"{names.get(Counterparty, row.counterparty_id)} "
            f"as {names.get(CounterpartyRole, row.role_id)}"
        )


class StageTransition(AuditedModel):
    """A pipeline's move into a stage, hold or outcome.

    ``effective_on`` is the day it happened and may be back-dated; ``recorded_at`` is the time it
    was entered.
    """

    pipeline = models.ForeignKey(Pipeline, on_delete=models.CASCADE, related_name="transitions")
    stage = models.ForeignKey(Stage, on_delete=models.PROTECT, related_name="+")
    on_hold = models.BooleanField()
    outcome = models.CharField(max_length=12, choices=Outcome)
    effective_on = models.DateField(
        help_text="The day it happened; may be earlier than the day you enter it."
    )
    recorded_at = models.DateTimeField(default=timezone.now, editable=False)
    recorded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        editable=False,
        on_delete=models.PROTECT,
        related_name="+",
    )

    PARENT_FIELD = "pipeline"
    SHOW_IN_FEED = False
    REASON_FIELDS = ("effective_on",)

    class Meta:
        ordering = ["pipeline", "-recorded_at"]
        indexes = [
            models.Index(fields=["pipeline", "recorded_at"]),
            # Covers the query of pipelines/stays.py, in its order.
            models.Index(
                fields=["pipeline", "effective_on", "recorded_at", "id", "stage", "outcome"],
                name="stagetransition_stays",
            ),
        ]
        constraints = [choices_constraint("stagetransition", "outcome", Outcome)]

    def __str__(self):
        return f"{self.pipeline} to {self.status_label} on {date_format(self.effective_on)}"

    @classmethod
    def describe_link(cls, row, names):
        return f"the move to {names.get(Stage, row.stage_id)}"

    @classmethod
    def link_phrase(cls, row, names):
        stage, day = names.get(Stage, row.stage_id), date_format(row.effective_on)
        if row.outcome != Outcome.ACTIVE:
            what = f"marked {Outcome(row.outcome).label.lower()} in {stage}"
        else:
            what = f"put on hold in {stage}" if row.on_hold else f"moved to {stage}"
        what = f"{what} on {day}"
        return what if row.history_type == audit.CREATED else f"“{what}” taken back"

    @property
    def status_label(self) -> str:
        return status_label_of(self)

    @property
    def event(self) -> str:
        """What happened, as in “it moved into Construction”."""
        if self.outcome != Outcome.ACTIVE:
            return f"was {self.get_outcome_display().lower()}"
        return "was put on hold" if self.on_hold else f"moved into {self.stage}"

    @property
    def event_noun(self) -> str:
        if self.outcome != Outcome.ACTIVE:
            return f"the day it was {self.get_outcome_display().lower()}"
        return "the hold" if self.on_hold else f"the move into {self.stage}"

    def clean(self) -> None:
        """The effective date is not in the future, and lies between those of the transitions
        recorded before and after this one."""
        if not self.effective_on:
            return
        if self.effective_on > timezone.localdate():
            self._refuse_day("A change that has taken place can't lie in the future.")
        if self.pipeline._state.adding:
            return  # A new pipeline has no others.
        others = StageTransition.objects.filter(pipeline=self.pipeline_id).exclude(pk=self.pk)
        others = others.select_related("stage").order_by("recorded_at", "pk")
        before = others.filter(recorded_at__lte=self.recorded_at).last()
        if before and self.effective_on < before.effective_on:
            self._refuse_day(
                f"It {before.event} on {date_format(before.effective_on)}; {self.event_noun} can't "
                "be before that."
            )
        after = others.filter(recorded_at__gt=self.recorded_at).first()
        if after and self.effective_on > after.effective_on:
            self._refuse_day(
                f"It {after.event} on {date_format(after.effective_on)}; {self.event_noun} can't "
                "be after that."
            )

    @staticmethod
    def _refuse_day(sentence: str):
        raise ValidationError({"effective_on": sentence})
