from django.db import models

#: A rating is stale when nobody has set or confirmed it for more than so many days: on the 61st.
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
    """What a technology's MW measure: module peak power, or power at the grid side."""

    DC = "dc", "DC (MWp)"
    AC = "ac", "AC (MW)"


#: How the flag is called where people pick one status; it never is a stage.
ON_HOLD = "On hold"
