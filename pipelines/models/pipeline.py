from __future__ import annotations

from collections.abc import Collection
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, ClassVar, Self, cast

from django.contrib.contenttypes.fields import GenericRelation
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import F, OuterRef, Q, Subquery
from django.db.models.functions import Coalesce
from django.db.models.lookups import Exact
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.functional import cached_property

from counterparties.models import Counterparty
from oegen import audit
from oegen.core import clock
from oegen.core.addresses import address_of
from oegen.core.constraints import name_present
from oegen.core.fields import (
    LineField,
    ProseField,
    choices_constraint,
    range_constraint,
    range_validators,
)
from oegen.core.triggers import Trigger, register_trigger
from oegen.models import AuditedModel, Comment, User
from pipelines.choices import ON_HOLD, RAG, Outcome
from pipelines.models.facility import Facility
from pipelines.models.reference import Stage
from pipelines.querysets import Megawatts, PipelineQuerySet
from pipelines.reference import FIELD_OF_KIND

if TYPE_CHECKING:
    from pipelines.models.links import PipelineCounterparty, PipelineFacility, StageTransition


def status_label(outcome: str, on_hold: bool, stage: str, is_terminal: bool) -> str:
    """The stage's name, "On hold", or the label of the outcome that ended the project."""
    if outcome != Outcome.ACTIVE:
        return str(Outcome(outcome).label)
    return ON_HOLD if on_hold and not is_terminal else stage


def status_label_of(record: Pipeline | StageTransition) -> str:
    stage = record.stage
    return status_label(record.outcome, record.on_hold, stage.name, stage.is_terminal)


class Pipeline(AuditedModel):
    """A project on its way from Discovery to Completed.

    ``on_hold`` keeps the stage. A pipeline with an ``outcome`` other than active has ended, in any
    stage.
    """

    project_name = LineField(max_length=200)
    stage = models.ForeignKey(Stage, on_delete=models.PROTECT, related_name="pipelines")
    on_hold = models.BooleanField(default=False)
    on_hold_reason = ProseField("why on hold", blank=True)
    outcome = models.CharField(max_length=12, choices=Outcome, default=Outcome.ACTIVE)
    rtb_date = models.DateField(
        "RTB date",
        null=True,
        blank=True,
        help_text="Ready to build: every right and permit is in hand. Expected, or when it was.",
    )
    cod_date = models.DateField(
        "COD",
        null=True,
        blank=True,
        help_text="Commercial operation date: first full export. Expected, or when it was.",
    )
    rag_status = models.CharField(
        "RAG",
        max_length=5,
        choices=RAG,
        blank=True,
        help_text="Red: it will not make its date as things stand. Amber: it may not. "
        "Green: on track. Empty: nobody has rated it.",
    )
    rag_comment = ProseField("RAG comment", blank=True, help_text="Why, in a sentence.")
    rag_confirmed_at = models.DateTimeField(
        "RAG confirmed",
        null=True,
        blank=True,
        editable=False,
        help_text="When somebody last set or confirmed the rating.",
    )
    ownership_pct = models.DecimalField(
        "ownership",
        max_digits=9,
        decimal_places=2,
        default=Decimal(100),
        validators=range_validators(0, 100, "%"),
        help_text="Our share in %, 0 to 100.",
    )
    probability_pct = models.DecimalField(
        "probability",
        max_digits=9,
        decimal_places=2,
        null=True,
        blank=True,
        validators=range_validators(0, 100, "%"),
        help_text="Chance of completion in %, where it differs from the stage's own.",
    )
    probability_reason = ProseField(
        "why this probability", blank=True, help_text="Needed with a probability of its own."
    )
    probability_expires_on = models.DateField(
        "probability valid until",
        null=True,
        blank=True,
        help_text="After this day the stage's own probability counts again.",
    )
    responsible = models.ForeignKey(
        User,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="pipelines",
        help_text="Who moves it forward, and is asked about it.",
    )
    next_step = LineField(
        max_length=200, blank=True, help_text="What has to happen next, in a few words."
    )
    next_step_on = models.DateField("next step due", null=True, blank=True)
    facilities: models.ManyToManyField[Facility, PipelineFacility] = models.ManyToManyField(
        Facility, through="PipelineFacility", related_name="pipelines"
    )
    counterparties: models.ManyToManyField[Counterparty, PipelineCounterparty] = (
        models.ManyToManyField(
            Counterparty, through="PipelineCounterparty", related_name="pipelines"
        )
    )
    comments = GenericRelation(Comment)

    objects: ClassVar = PipelineQuerySet.as_manager()

    REASON_FIELDS = ("stage", "on_hold", "outcome", "rag_status", "rtb_date")
    SEARCH_FIELDS = (
        *("project_name", "rag_comment", "on_hold_reason", "probability_reason", "next_step"),
    )
    SEARCH_FACTS_TEMPLATE = "pipelines/parts/pipeline_found.html"
    SEARCH_ORDER = 1

    #: The day a change of stage, hold or outcome took effect, if not today; ``next_transition``
    #: reads it.
    status_effective_on: date | None = None

    _stored_rating: tuple[Any, ...] = ("", "", None)
    _stored_dates: tuple[Any, ...] = (None, None)

    class Meta:
        ordering = ["project_name"]
        indexes = [
            models.Index(fields=["stage", "outcome", "on_hold"]),
            models.Index(fields=["rtb_date"]),
            models.Index(fields=["project_name"]),
        ]
        constraints = [
            name_present("pipeline", "project_name"),
            choices_constraint("pipeline", "outcome", Outcome),
            models.CheckConstraint(
                condition=Q(rag_status__in=["", *RAG.values]),
                name="pipeline_rag_status_known",
                violation_error_message="RAG is Red, Amber, Green or empty.",
            ),
            range_constraint("pipeline", "ownership_pct", 0, 100),
            range_constraint("pipeline", "probability_pct", 0, 100),
            models.CheckConstraint(
                condition=Q(probability_pct=None) | ~Q(probability_reason=""),
                name="pipeline_probability_explained",
                violation_error_message="Say why the probability differs from the stage's own.",
            ),
            models.CheckConstraint(
                condition=Q(next_step_on=None) | ~Q(next_step=""),
                name="pipeline_next_step_described",
                violation_error_message="Say what the next step is, or leave its day empty.",
            ),
            models.CheckConstraint(
                condition=Q(on_hold=True) | Q(on_hold_reason=""),
                name="pipeline_hold_reason_only_on_hold",
                violation_error_message="A reason for the hold needs the hold.",
            ),
            models.CheckConstraint(
                condition=Q(cod_date__gte=F("rtb_date")),
                name="pipeline_rtb_before_cod",
                violation_error_message="Commercial operation lies before ready to build.",
            ),
        ]

    def __str__(self):
        return self.project_name

    def get_absolute_url(self):
        return address_of("pipeline", self.pk)

    @property
    def status_label(self) -> str:
        return status_label_of(self)

    @property
    def is_open(self) -> bool:
        """As ``PipelineQuerySet.open``; loads the stage."""
        is_active = self.outcome == Outcome.ACTIVE and not self.on_hold
        return is_active and not self.stage.is_terminal

    @property
    def is_next_step_late(self) -> bool:
        return self.next_step_on is not None and self.next_step_on < clock.today()

    @cached_property
    def listed_facilities(self) -> list[Facility]:
        """Its facilities; lists and the search prefetch them into this attribute."""
        return list(self.facilities.all())

    @property
    def country_names(self) -> list[str]:
        """The distinct countries of its facilities; prefetch the facilities."""
        names = (facility.country_name for facility in self.listed_facilities)
        return list(dict.fromkeys(filter(None, names)))

    @property
    def capacity_unit(self) -> str:
        """The unit of its capacity; prefetch the facilities and their technologies."""
        return sum((one.megawatts for one in self.listed_facilities), Megawatts()).unit

    def clean(self) -> None:
        errors = {}
        today = timezone.localdate()
        if self.stage_id and self.stage.is_terminal:
            if self.rtb_date and self.rtb_date > today:
                errors["rtb_date"] = (
                    f"A {self.stage.name.lower()} project was ready to build in the past: give "
                    f"the day it was, up to {date_format(today)}, or choose an earlier stage."
                )
            if self.on_hold:
                errors["on_hold"] = (
                    f"A {self.stage.name.lower()} project can't be on hold: untick this, or "
                    "choose the stage it is held in."
                )
        if self.on_hold_reason and not self.on_hold:
            errors["on_hold_reason"] = "Tick “on hold” as well, or clear this reason."
        if self.probability_pct is not None and not self.probability_reason.strip():
            errors["probability_reason"] = "Say why the probability differs from the stage's own."
        if self.next_step_on and not self.next_step.strip():
            errors["next_step"] = "Say what the next step is, or clear its day."
        if self.rtb_date and self.cod_date and self.cod_date < self.rtb_date:
            errors["cod_date"] = (
                f"Commercial operation can't come before ready to build: give a day from "
                f"{date_format(self.rtb_date)} on."
            )
        errors = self._errors_of_actual_dates(today) | errors
        if errors:
            raise ValidationError(errors)

    def _errors_of_actual_dates(self, today: date) -> dict[str, str]:
        """RTB and COD that have happened keep a day that is not in the future."""
        changed = {
            kind: name
            for (kind, name), stored in zip(FIELD_OF_KIND.items(), self._stored_dates, strict=True)
            if stored != (day := getattr(self, name)) and (day is None or day > today)
        }
        if not changed or self._state.adding:
            return {}
        return {
            changed[milestone.kind_id]: f"{milestone.kind} has happened: give a day up to "
            f"{date_format(today)}, or take that back under Milestones first."
            for milestone in self.milestones.all()
            if milestone.kind_id in changed and milestone.is_actual
        }

    @classmethod
    def from_db(
        cls, db: str | None, field_names: Collection[str], values: Collection[Any], **kwargs: Any
    ) -> Self:
        pipeline = super().from_db(db, field_names, values, **kwargs)
        pipeline._stored_rating = pipeline._rating()
        pipeline._stored_dates = pipeline._dates()
        return pipeline

    def _rating(self) -> tuple[Any, ...]:
        """RAG, comment and confirmation; None for deferred fields."""
        names = ("rag_status", "rag_comment", "rag_confirmed_at")
        return tuple(self.__dict__.get(name) for name in names)

    def _dates(self) -> tuple[Any, ...]:
        return tuple(self.__dict__.get(name) for name in FIELD_OF_KIND.values())

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Changing the rating or its comment confirms the rating."""
        status, comment, confirmed_at = self._stored_rating
        rated = self.rag_status and (self.rag_status, self.rag_comment) != (status, comment)
        if rated and self.rag_confirmed_at == confirmed_at:
            self.rag_confirmed_at = timezone.now()
            if kwargs.get("update_fields") is not None:
                kwargs["update_fields"] = {*kwargs["update_fields"], "rag_confirmed_at"}
        super().save(*args, **kwargs)
        self._stored_rating, self._stored_dates = self._rating(), self._dates()

    @classmethod
    def _transition_model(cls) -> type[StageTransition]:
        """StageTransition, which is defined after this model."""
        return cast("type[StageTransition]", cls.transitions.rel.related_model)

    def next_transition(
        self, *, recorded_at: datetime | None = None, recorded_by: User | None = None
    ) -> StageTransition:
        """An unsaved StageTransition into the pipeline's current status."""
        recorded_at = recorded_at or timezone.now()
        return self._transition_model()(
            pipeline=self,
            stage_id=self.stage_id,
            on_hold=self.on_hold,
            outcome=self.outcome,
            effective_on=self.status_effective_on or timezone.localdate(recorded_at),
            recorded_at=recorded_at,
            recorded_by=recorded_by,
        )

    @classmethod
    def entry_annotations(cls) -> dict[str, Subquery]:
        """``effective_on``: the effective date of the transition written with a history row."""
        moves = cls._transition_model().history.filter(
            history_type=audit.CREATED, pipeline=OuterRef("id"), on_hold=OuterRef("on_hold")
        )
        for name in ("change_set_id", "stage_id", "outcome"):
            # The expression keeps SQLite from using another index than the pipeline's.
            moves = moves.filter(Exact(Coalesce(name, name), OuterRef(name)))
        newest = moves.order_by("-recorded_at", "-history_id").values("effective_on")[:1]
        return {"effective_on": Subquery(newest)}

    @classmethod
    def entry_note(cls, row: Any) -> str:
        # Imported history (version 0) is already dated by the day it happened.
        is_dated = row.version and row.effective_on
        if not is_dated or row.effective_on == timezone.localdate(row.history_date):
            return ""
        return f"effective {date_format(row.effective_on)}"

    def timeline_sources(self) -> list[models.QuerySet[Any]]:
        """Also the history of its facilities, and edits of its transitions."""
        links = self.facility_links.model
        facilities = links.history.filter(pipeline=self.pk).values("facility")
        return [
            *super().timeline_sources(),
            Facility.history.filter(id__in=facilities),
            self._transition_model().history.filter(pipeline=self.pk).exclude(history_type="+"),
        ]


register_trigger(
    Trigger(
        name="pipeline_completed_not_on_hold",
        table="pipelines_pipeline",
        condition="""(NEW.on_hold AND (
            SELECT is_terminal FROM pipelines_stage WHERE id = NEW.stage_id))""",
        message="A completed project is not on hold.",
    )
)
register_trigger(
    Trigger(
        name="stage_ends_come_last",
        table="pipelines_stage",
        condition="""EXISTS (
            SELECT 1 FROM pipelines_stage AS other WHERE other.id <> NEW.id AND (
                (other.is_terminal AND NOT NEW.is_terminal AND other."order" < NEW."order")
                OR (NEW.is_terminal AND NOT other.is_terminal AND NEW."order" < other."order")))""",
        message="The end of the pipeline comes after every other stage.",
        columns=('"order"', "is_terminal"),
    )
)
register_trigger(
    Trigger(
        name="stage_end_without_holds",
        table="pipelines_stage",
        condition="""(NEW.is_terminal AND EXISTS (
            SELECT 1 FROM pipelines_pipeline WHERE stage_id = NEW.id AND on_hold))""",
        message="Projects are on hold in this stage.",
    )
)
