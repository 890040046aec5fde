"""Which models are audited, and their history models."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import cache
from typing import TYPE_CHECKING, Any, cast

from django.apps import apps

from oegen.core import clock
from oegen.core.sql import fetch

if TYPE_CHECKING:
    from oegen.audit.audited import AuditedModel

#: A history row. simple-history creates its model at run time, so its columns have no types.
Row = Any


def tracked_models() -> list[type[AuditedModel]]:
    """Every concrete business, link and reference model, in the order of the applications."""
    audited = [model for model in apps.get_models() if getattr(model, "is_audited", False)]
    return cast("list[type[AuditedModel]]", audited)


def business_models() -> list[type[AuditedModel]]:
    """The tracked models without those of the framework: accounts, groups, comments, alert rules
    and saved views, which no figure and no filter reads."""
    return [model for model in tracked_models() if model._meta.app_label != "oegen"]


def comment_model() -> type[Any]:
    """The comment model, which is defined in a higher layer."""
    return next(model for model in tracked_models() if model.IS_COMMENT)


@cache
def history_model(model: type[AuditedModel]) -> type[Row]:
    """The history model. Cached, because each access to ``model.history`` creates a manager
    class."""
    history: type[Row] = model.history.model
    return history


def known_until(model: type[AuditedModel]) -> datetime:
    """The end of the history that is known on the effective day, where it is read as a whole. That
    of a reference table never is: rows that the set-up wrote later count on every day."""
    return clock.FOREVER if model.is_vocabulary() else clock.past_moment() or clock.FOREVER


def _up_to_the_day(model: type[Any]) -> str:
    """In quotes, so that on a past page it is the history up to that day."""
    return f'"{model._meta.db_table}"'


def table_version(
    *models: type[AuditedModel], table: Callable[[type[Any]], str] = _up_to_the_day
) -> list[object]:
    """What changes with each write of a record of these models, because history only grows: a part
    of cache keys. ``table`` names that of a history model in SQL."""
    columns = []
    for model in models:
        rows = table(history_model(model))
        columns += [
            f"(SELECT COUNT(*) FROM {rows})",  # noqa: S608
            f"(SELECT digest FROM {rows} ORDER BY history_id DESC LIMIT 1)",  # noqa: S608
        ]
    [version] = fetch(f"SELECT {', '.join(columns)}")
    return list(version)
