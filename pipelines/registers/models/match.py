from __future__ import annotations

from typing import Any

from django.db import models
from django.db.models import Q

from counterparties.models import Counterparty
from oegen.core.fields import choices_constraint
from oegen.models import AuditedModel
from pipelines.models import Facility, Pipeline
from pipelines.registers.models.company import RegisterCompany
from pipelines.registers.models.project import RegisterProject


class MatchState(models.TextChoices):
    ACCEPTED = "accepted", "The same"
    REFUSED = "refused", "Another"


class Target(models.TextChoices):
    PIPELINE = "pipeline", "Pipeline"
    FACILITY = "facility", "Facility"
    COUNTERPARTY = "counterparty", "Counterparty"
    GROUP = "group", "Company of registers"


def _one_of(*names: str) -> Q:
    """That exactly one of the foreign keys is set."""
    condition = Q()
    for name in names:
        condition |= Q(**{f"{other}__isnull": other != name for other in names})
    return condition


_SOURCES = ("project", "company")
_TARGETS = ("pipeline", "facility", "counterparty", "group")


class Match(AuditedModel):
    """A decision that a project or a company of a register is one of our records, or is not.

    ``score`` is the probability in percent that matching gave it, with its ``reasons``; a decision
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
    pipeline = models.ForeignKey(
        Pipeline, null=True, blank=True, on_delete=models.CASCADE, related_name="register_matches"
    )
    facility = models.ForeignKey(
        Facility, null=True, blank=True, on_delete=models.CASCADE, related_name="register_matches"
    )
    counterparty = models.ForeignKey(
        Counterparty,
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="register_matches",
    )
    group = models.ForeignKey(
        RegisterCompany,
        null=True,
        blank=True,
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        related_name="+",
    )
    state = models.CharField(max_length=10, choices=MatchState)
    score = models.DecimalField(max_digits=5, decimal_places=2, null=True, blank=True)
    reasons: models.JSONField[Any, Any] = models.JSONField(default=list, blank=True)

    SHOW_IN_FEED = False
    SEARCH_FIELDS: tuple[str, ...] = ()

    class Meta:
        verbose_name = "match with a register"
        verbose_name_plural = "matches with registers"
        ordering = ["-created_at"]
        constraints = [
            choices_constraint("match", "state", MatchState),
            models.CheckConstraint(
                condition=_one_of(*_SOURCES),
                name="match_one_source",
                violation_error_message="Give a project or a company of a register.",
            ),
            models.CheckConstraint(
                condition=_one_of(*_TARGETS),
                name="match_one_target",
                violation_error_message="Give one record that it is matched with.",
            ),
            *(
                models.UniqueConstraint(
                    fields=[source, target],
                    name=f"match_{source}_{target}_unique",
                    violation_error_message="There is a decision about this pair already.",
                )
                for source in _SOURCES
                for target in _TARGETS
            ),
        ]

    def __str__(self) -> str:
        return self.get_state_display()

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
    target = models.CharField(max_length=12, choices=Target)
    target_id = models.UUIDField()
    score = models.DecimalField(max_digits=5, decimal_places=2)
    band = models.CharField(max_length=12)
    margin = models.DecimalField(max_digits=5, decimal_places=2, null=True)
    reasons: models.JSONField[Any, Any] = models.JSONField(default=list)

    unaudited = "Derived from registers and our records; a decision about it is a match."

    class Meta:
        default_permissions = ()
        indexes = [models.Index(fields=["target", "target_id"], name="proposal_of_target")]
        constraints = [
            models.CheckConstraint(condition=_one_of(*_SOURCES), name="proposal_one_source"),
        ]

    def __str__(self) -> str:
        return f"{self.target} {self.score}"
