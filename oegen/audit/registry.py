"""Which models are audited, and their history models."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from django.apps import apps

if TYPE_CHECKING:
    from oegen.audit.audited import AuditedModel


def tracked_models() -> list[type[AuditedModel]]:
    """Every concrete business, link and reference model, in the order of the applications."""
    return [model for model in apps.get_models() if getattr(model, "is_audited", False)]


def comment_model() -> type[AuditedModel]:
    """The model of the comments on records, which a higher layer defines."""
    return next(model for model in tracked_models() if model.IS_COMMENT)


@cache
def history_model(model: type[AuditedModel]) -> type[Any]:
    """Made by simple-history at run time: no type knows its columns.

    Cached, because ``model.history`` makes a manager class each time it is read.
    """
    return model.history.model
