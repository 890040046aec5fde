from django.db import models

#: Days after which a rating that nobody set or confirmed counts as unconfirmed.
UNCONFIRMED_DAYS = 60


class RAG(models.TextChoices):
    RED = "red", "Red"
    AMBER = "amber", "Amber"
    GREEN = "green", "Green"


class Outcome(models.TextChoices):
    ACTIVE = "active", "Active"
    WITHDRAWN = "withdrawn", "Withdrawn"
    REFUSED = "refused", "Refused"
    SOLD = "sold", "Sold"


class CapacityBasis(models.TextChoices):
    """Where capacity is measured: DC is module peak power, AC the power at the grid side."""

    DC = "dc", "DC (MWp)"
    AC = "ac", "AC (MW)"


#: The label of the ``on_hold`` flag where it is offered as a status beside the stages.
ON_HOLD = "On hold"
