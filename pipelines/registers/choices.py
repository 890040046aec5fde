from django.db import models


class RegisterOutcome(models.TextChoices):
    """What became of a project of a register."""

    ACTIVE = "active", "Active"
    ON_HOLD = "on-hold", "On hold"
    REFUSED = "refused", "Refused"
    WITHDRAWN = "withdrawn", "Withdrawn"
    SUPERSEDED = "superseded", "Superseded"
    BUILT = "built", "Built"
    GONE = "gone", "Gone"
