from __future__ import annotations

from typing import Any

from django.contrib.contenttypes.fields import GenericForeignKey
from django.contrib.contenttypes.models import ContentType
from django.db import models
from django.db.models import Q

from oegen.core.fields import choices_constraint
from oegen.models import AuditedModel
from pipelines.registers.models.company import RegisterCompany
from pipelines.registers.models.project import RegisterProject


class MatchState(models.TextChoices):
    ACCEPTED = "accepted", "The same"
    REFUSED = "refused", "Another"


#: Either a project or a company of a register.
_ONE_SOURCE = Q(project__isnull=True, company__isnull=False) | Q(
    project__isnull=False, company__isnull=True
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


class Proposal(models.Model):
    """A pair that matching found and nobody has decided yet. Made anew with each run.

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

    unaudited = "Derived from registers and our records; a decision about it is a match."

    class Meta:
        default_permissions = ()
        indexes = [models.Index(fields=["content_type", "object_id"], name="proposal_of_record")]
        constraints = [models.CheckConstraint(condition=_ONE_SOURCE, name="proposal_one_source")]

    def __str__(self) -> str:
        return f"{self.project_id or self.company_id}: {self.score}"
