"""Constraints that models share."""

from django.db import models
from django.db.models.functions import Lower, Trim
from django.db.models.lookups import Exact


def unique_name(model_label: str, field: str = "name") -> models.UniqueConstraint:
    """Unique, ignoring case and outer white space."""
    return models.UniqueConstraint(
        Lower(Trim(field)),
        name=f"{model_label}_{field}_unique",
        violation_error_message="There is already one of this name (case does not count).",
    )


def name_present(model_label: str, field: str = "name") -> models.CheckConstraint:
    return models.CheckConstraint(
        condition=~models.Q(Exact(Trim(field), models.Value(""))),
        name=f"{model_label}_{field}_present",
        violation_error_message="Give it a name.",
    )
