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


class Phase(models.TextChoices):
    """How far a project is that goes on, or was built."""

    PLANNING = "planning", "In planning"
    CONSENTED = "consented", "Consented"
    CONSTRUCTION = "construction", "In construction"
    BUILT = "built", "Built"
