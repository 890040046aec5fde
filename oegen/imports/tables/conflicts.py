"""What records were like when a file was exported, from the history, for the three-way comparison.

Of a row's own record the file says the version; of what is linked to it, the marker says the last
change set that the file may hold.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from oegen.audit.audited import AuditedModel
from oegen.audit.choices import REMOVED
from oegen.audit.history import instance_from_row
from oegen.audit.registry import history_model


def at_versions(model: type[AuditedModel], versions: Mapping[Any, int]) -> dict[Any, AuditedModel]:
    """The records as they were in these versions, by key; without those that never had it."""
    if not versions:
        return {}
    rows = history_model(model).objects.filter(
        id__in=list(versions), version__in=set(versions.values())
    )
    return {row.id: instance_from_row(row) for row in rows if versions[row.id] == row.version}


def changed_since(
    model: type[AuditedModel], field: str, keys: Collection[Any], change_set: int
) -> set[Any]:
    """Those keys (of ``field``) of which rows were written after the change set of that number."""
    rows = history_model(model).objects.filter(
        **{f"{field}__in": list(keys)}, change_set__number__gt=change_set
    )
    return set(rows.order_by().values_list(field, flat=True).distinct())


def at_change_set(
    model: type[AuditedModel], field: str, keys: Collection[Any], change_set: int
) -> dict[Any, AuditedModel]:
    """The records whose ``field`` (an attribute such as ``pipeline_id``) had one of the keys after
    the change set of that number, as they were then, by their own key."""
    if not keys:
        return {}
    history = history_model(model).objects
    ids = set(history.filter(**{f"{field}__in": list(keys)}).values_list("id", flat=True))
    found: dict[Any, Any] = {}
    rows = history.filter(id__in=ids, change_set__number__lte=change_set)
    for row in rows.order_by("history_id"):
        found[row.id] = row
    return {
        key: instance_from_row(row)
        for key, row in found.items()
        if row.history_type != REMOVED and getattr(row, field) in keys
    }
