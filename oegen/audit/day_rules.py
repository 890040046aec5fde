"""Database triggers for the date range of oegen.core.days, and the rows that violate it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.db import models
from django.db.models import Q
from django.utils.text import capfirst

from oegen.audit.registry import tracked_models
from oegen.core.days import FIRST_DAY, LAST_DAY, bounds, day_fields
from oegen.core.triggers import Trigger


def _all_day_fields() -> Iterator[tuple[type[models.Model], models.DateField[Any, Any]]]:
    for model in tracked_models():
        for field in day_fields(model):
            yield model, field


def triggers() -> Iterator[Trigger]:
    for model, field in _all_day_fields():
        table, column = model._meta.db_table, field.column
        yield Trigger(
            name=f"{table}_{column}_possible",
            table=table,
            condition=f"(NEW.{column} < '{FIRST_DAY}' OR NEW.{column} > '{LAST_DAY}')",
            message=f"{capfirst(field.verbose_name)}: give a day {bounds()}.",
            columns=(column,),
        )


def impossible_days() -> Iterator[str]:
    """A remark for each stored day outside the range, from before the rule existed."""
    for model, field in _all_day_fields():
        outside = Q(**{f"{field.name}__lt": FIRST_DAY}) | Q(**{f"{field.name}__gt": LAST_DAY})
        for record in model._base_manager.filter(outside).order_by("pk").iterator():
            day = getattr(record, field.attname)
            yield (
                f"{capfirst(model._meta.verbose_name)} “{record}”: its {field.verbose_name} is "
                f"{day.isoformat()}, which is not {bounds()}"
            )
