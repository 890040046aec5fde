"""Making many instances of a model."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

from django.db import models
from django.db.models.base import ModelState

T = TypeVar("T", bound=models.Model)


def instance_of(
    model: type[T], values: Mapping[str, Any] | Iterable[tuple[str, Any]], using: str | None = None
) -> T:
    """An instance with these values of all columns, unsaved or read from the database ``using``.

    At a tenth of the cost of the model's own: no signals, no defaults, and nothing that its
    ``__init__`` or ``from_db`` adds.
    """
    instance = model.__new__(model)
    instance.__dict__.update(values)
    instance._state = ModelState()
    instance._state.adding, instance._state.db = using is None, using
    return instance
