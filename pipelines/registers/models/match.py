from __future__ import annotations

from collections.abc import Collection
from typing import Any, ClassVar, Self
from uuid import UUID

from django.contrib.contenttypes.fields import GenericForeignKey
from django.contrib.contenttypes.models import ContentType
from django.db import models
from django.db.models import Exists, F, FloatField, OuterRef, Q, QuerySet, Subquery, Sum, Value
from django.db.models.expressions import BaseExpression
from django.db.models.functions import Abs, Cast, Coalesce

from oegen.audit.querysets import AuditedQuerySet
from oegen.core.fields import choices_constraint
from oegen.models import AuditedModel
from pipelines.models import Facility, Pipeline, PipelineFacility
from pipelines.registers.choices import RegisterOutcome
from pipelines.registers.models.company import ProjectCompany, RegisterCompany
from pipelines.registers.models.project import RegisterProject


class MatchState(models.TextChoices):
    ACCEPTED = "accepted", "The same"
    REFUSED = "refused", "Another"


#: Either a project or a company of a register.
_ONE_SOURCE = Q(project__isnull=True, company__isnull=False) | Q(
    project__isnull=False, company__isnull=True
)


#: The outcomes after which a site may come again as another project of the register.
ENDED = (
    RegisterOutcome.REFUSED,
    RegisterOutcome.WITHDRAWN,
    RegisterOutcome.SUPERSEDED,
    RegisterOutcome.GONE,
)


class MatchQuerySet(AuditedQuerySet):
    def accepted(self) -> Self:
        return self.filter(state=MatchState.ACCEPTED)

    def standing(self) -> Self:
        """Accepted ones with a project that its register still has, and that has not ended: such a
        record of ours needs no other project of that register."""
        return (
            self.accepted().filter(project__is_vanished=False).exclude(project__outcome__in=ENDED)
        )

    def of_pipelines(self, pipelines: Collection[UUID] | BaseExpression) -> Self:
        """Those of the pipelines themselves, and of their facilities."""
        types = ContentType.objects.get_for_models(Pipeline, Facility)
        links = PipelineFacility.objects.filter(pipeline__in=pipelines).order_by()
        return self.filter(
            Q(content_type=types[Pipeline], object_id__in=pipelines)
            | Q(content_type=types[Facility], object_id__in=links.values("facility_id"))
        )


class Match(AuditedModel):
    """A decision that a project or a company of a register is one of our records, or is not.

    ``record`` is a pipeline, a facility or a counterparty, or the company of registers that a
    company belongs to. It takes its matches with it when it is removed (editions/receivers.py).
    ``score`` is the probability in percent that matching gave, with its ``reasons``; a decision
    without one was made by a person alone. A refused pair is not proposed again.
    """

    project = models.ForeignKey(
        RegisterProject,
        null=True,
        blank=True,
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        related_name="matches",
    )
    company = models.ForeignKey(
        RegisterCompany,
        null=True,
        blank=True,
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        related_name="matches",
    )
    content_type = models.ForeignKey(ContentType, on_delete=models.PROTECT, editable=False)
    object_id = models.UUIDField(editable=False)
    record = GenericForeignKey("content_type", "object_id")
    state = models.CharField(max_length=10, choices=MatchState)
    score = models.DecimalField(max_digits=5, decimal_places=2, null=True, blank=True)
    reasons: models.JSONField[Any, Any] = models.JSONField(default=list, blank=True)

    objects: ClassVar = MatchQuerySet.as_manager()

    SHOW_IN_FEED = False
    SEARCH_FIELDS: tuple[str, ...] = ()

    class Meta:
        verbose_name = "match with a register"
        verbose_name_plural = "matches with registers"
        ordering = ["-created_at"]
        indexes = [models.Index(fields=["content_type", "object_id"], name="match_of_record")]
        constraints = [
            choices_constraint("match", "state", MatchState),
            models.CheckConstraint(
                condition=_ONE_SOURCE,
                name="match_one_source",
                violation_error_message="Give a project or a company of a register.",
            ),
            *(
                models.UniqueConstraint(
                    fields=[source, "content_type", "object_id"],
                    name=f"match_{source}_unique",
                    violation_error_message="There is a decision about this pair already.",
                )
                for source in ("project", "company")
            ),
        ]

    def __str__(self) -> str:
        return f"{self.project or self.company}: {self.get_state_display()}"

    @classmethod
    def name_field(cls) -> str:
        return "state"


class ProposalQuerySet(QuerySet["Proposal"]):
    def of_projects(self) -> Self:
        return self.filter(project__isnull=False)

    def of_companies(self) -> Self:
        return self.filter(company__isnull=False)

    def undecided(self) -> Self:
        """Those that still wait for a decision: not the pair itself was decided, nor was its
        project or company accepted as another record, nor the record as another project of the
        register that stands."""
        decisions = Match.objects.order_by()
        record = {"content_type": OuterRef("content_type"), "object_id": OuterRef("object_id")}
        kind = {"content_type": OuterRef("content_type")}
        same_project = {"project": OuterRef("project")}
        same_company = {"company": OuterRef("company")}
        return self.exclude(
            Exists(decisions.filter(**same_project, **record))
            | Exists(decisions.filter(**same_company, **record))
            | Exists(decisions.accepted().filter(**same_project))
            | Exists(decisions.accepted().filter(**same_company, **kind))
            | Exists(
                decisions.standing().filter(
                    **record, project__register=OuterRef("project__register")
                )
            )
        )

    def with_megawatts(self) -> Self:
        """Adds ``mw``: the capacity of the project, of a company that of its projects; 1 if it is
        not known."""
        sums = (
            ProjectCompany.objects.filter(company=OuterRef("company"), project__is_vanished=False)
            .order_by()
            .values("company")
            .annotate(total=Sum("project__capacity_mw"))
            .values("total")
        )
        known = Coalesce(F("project__capacity_mw"), Subquery(sums), Value(1))
        return self.annotate(mw=Abs(Cast(known, FloatField())))

    def by_doubt(self) -> Self:
        """Those first whose decision may change most: doubt times megawatts. An even chance is the
        most doubt."""
        score = Cast("score", FloatField())
        return (
            self.with_megawatts()
            .annotate(rank=score * (100.0 - score) * F("mw"))
            .order_by("-rank", "pk")
        )


class Proposal(models.Model):
    """A pair that matching found. Made anew with each run; a decision about it is a match.

    ``band`` is one of the calibrated bands of the score, ``margin`` how far the runner-up is
    behind, in points of the score.
    """

    id = models.BigAutoField(primary_key=True)
    project = models.ForeignKey(
        RegisterProject, null=True, on_delete=models.CASCADE, related_name="proposals"
    )
    company = models.ForeignKey(
        RegisterCompany, null=True, on_delete=models.CASCADE, related_name="proposals"
    )
    content_type = models.ForeignKey(ContentType, on_delete=models.CASCADE)
    object_id = models.UUIDField()
    record = GenericForeignKey("content_type", "object_id")
    score = models.DecimalField(max_digits=5, decimal_places=2)
    band = models.CharField(max_length=12)
    margin = models.DecimalField(max_digits=5, decimal_places=2, null=True)
    reasons: models.JSONField[Any, Any] = models.JSONField(default=list)

    objects = ProposalQuerySet.as_manager()

    unaudited = "Derived from registers and our records; a decision about it is a match."

    class Meta:
        default_permissions = ()
        indexes = [models.Index(fields=["content_type", "object_id"], name="proposal_of_record")]
        constraints = [models.CheckConstraint(condition=_ONE_SOURCE, name="proposal_one_source")]

    def __str__(self) -> str:
        return f"{self.project_id or self.company_id}: {self.score}"

    @property
    def source(self) -> RegisterProject | RegisterCompany:
        found = self.project or self.company
        if found is None:
            raise LookupError("A proposal without a project or company of a register.")
        return found

    @property
    def key(self) -> str:
        """Names the pair in addresses: proposals are made anew with each run, which keeps what they
        are about."""
        return pair_key(self.project_id or self.company_id, self.object_id)


def pair_key(source: UUID | None, record: UUID) -> str:
    return f"{source}.{record}"
