from django.db import models

#: Days after which a rating that nobody set or confirmed counts as unconfirmed.
UNCONFIRMED_DAYS = 60


#: Days by which an RTB date has to move within a month for the pipeline to need attention.
SLIPPED_DAYS = 30


class RAG(models.TextChoices):
    RED = "red", "Red"
    AMBER = "amber", "Amber"
    GREEN = "green", "Green"


class Outcome(models.TextChoices):
    ACTIVE = "active", "Active"
    WITHDRAWN = "withdrawn", "Withdrawn"
    REFUSED = "refused", "Refused"
    SOLD = "sold", "Sold"


class Reason(models.TextChoices):
    """Why an open pipeline needs attention, the most urgent first; see pipelines/attention.py."""

    RED = "red", "Red"
    WORSENED = "worsened", "Rated worse than a month ago"
    OVERDUE = "overdue", "Overdue"
    SLIPPED = "slipped", f"RTB slipped over {SLIPPED_DAYS} days in a month"
    MISSED = "missed", "Milestone missed"
    ENDED = "register-ended", "A register says it has ended"
    UNRATED = "unrated", "Not rated"
    UNCONFIRMED = "unconfirmed", f"RAG not confirmed for over {UNCONFIRMED_DAYS} days"
    NO_RTB_DATE = "no-rtb-date", "No RTB date"
    NO_CAPACITY = "no-capacity", "No capacity"
    NOBODY = "nobody", "No one responsible"
    UNPROVEN = "unproven", "Ready to build, RTB gates not proven"
    WAITING = "waiting", "In its stage longer than four fifths"
    DIFFERS = "register-differs", "A register says otherwise"

    @property
    def column(self) -> str:
        """Its column in SQL."""
        return self.name.lower()

    @property
    def is_urgent(self) -> bool:
        """Whether it is about the project; the others are about what is known of it."""
        return self in _URGENT

    @property
    def chip(self) -> str:
        """The label for where there is little room."""
        return _CHIPS.get(self, str(self.label))


_URGENT = (
    *(Reason.RED, Reason.WORSENED, Reason.OVERDUE, Reason.SLIPPED, Reason.MISSED),
    Reason.ENDED,
)

_CHIPS = {
    Reason.WORSENED: "Worse",
    Reason.SLIPPED: "Slipped",
    Reason.UNCONFIRMED: "Not confirmed",
    Reason.UNPROVEN: "Gates not proven",
    Reason.WAITING: "Long in stage",
    Reason.ENDED: "Ended in a register",
    Reason.DIFFERS: "Differs from a register",
}


class FindingKind(models.TextChoices):
    """About what a public register says otherwise than we do, the most urgent first."""

    ENDED = "ended", "Refused, withdrawn or gone"
    VANISHED = "vanished", "No longer listed"
    EXPIRY = "expiry", "Consent about to expire"
    STAGE = "stage", "Another stage"
    GRID = "grid", "Grid connection after RTB"
    CAPACITY = "capacity", "Another capacity"
    PLACE = "place", "Another place"


class CapacityBasis(models.TextChoices):
    """Where capacity is measured: DC is module peak power, AC the power at the grid side."""

    DC = "dc", "DC (MWp)"
    AC = "ac", "AC (MW)"


#: The label of the ``on_hold`` flag where it is offered as a status beside the stages.
ON_HOLD = "On hold"
