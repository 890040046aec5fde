from django.db import models
from django.utils import timezone

from oegen.audit.audited import AuditedModel
from oegen.core.fields import REASON_LIMIT, ProseField


class Acknowledgement(AuditedModel):
    """An administrator's statement that a finding of ``audit_check`` is known, with the reason. It
    is valid for exactly that finding: other evidence is another finding."""

    fingerprint = models.CharField(max_length=64, editable=False)
    finding = models.TextField(editable=False)
    reason = ProseField(limit=REASON_LIMIT)

    SHOW_IN_FEED = False

    class Meta:
        verbose_name = "acknowledged finding"
        ordering = ["-created_at"]
        constraints = [
            models.UniqueConstraint(
                "fingerprint",
                name="acknowledgement_fingerprint_unique",
                violation_error_message="This finding is acknowledged already.",
            )
        ]

    @classmethod
    def name_field(cls) -> str:
        return "finding"

    def __str__(self) -> str:
        return self.finding if len(self.finding) <= 80 else f"{self.finding[:79]}…"


class IntegrityCheck(models.Model):
    """The result of a run of ``audit_check``, for the anchors and the audit page."""

    checked_at = models.DateTimeField(default=timezone.now, db_index=True)
    open_count = models.PositiveIntegerField(help_text="Findings that nobody has acknowledged.")
    acknowledged_count = models.PositiveIntegerField()
    #: Fingerprints, as many as an anchor lists.
    open_findings = models.JSONField(default=list)

    unaudited = "It is about the history, and made by a command."

    def __str__(self) -> str:
        return f"{self.open_count:,} findings"


class KeptAnchor(models.Model):
    """The anchor of an hour; without ``made_at``, it could not be written."""

    hour = models.DateTimeField(unique=True)
    made_at = models.DateTimeField(null=True, db_index=True)
    change_set = models.PositiveBigIntegerField(null=True)
    seal = models.CharField(max_length=64, blank=True)
    file = models.TextField(blank=True)
    problem = models.TextField(blank=True, help_text="Where it could not be sent or written.")

    unaudited = "The anchor itself is kept outside of the database."

    def __str__(self) -> str:
        return f"Anchor of {self.hour:%Y-%m-%d %H:%M} UTC"
