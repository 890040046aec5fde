"""Reference rows that a migration creates, with their history."""

import uuid
from typing import Any

from django.db.migrations.state import StateApps
from django.utils import timezone

from oegen.audit import CREATED, Source, seals

NAMESPACE = uuid.UUID("6f1e0b53-0f4f-5a3d-9a51-5c3b0f7c6c11")


def reference_id(model: str, code: str) -> uuid.UUID:
    """The id of a seeded row, derived from its code and so the same in every installation."""
    return uuid.uuid5(NAMESPACE, f"{model}:{code}")


def seed(
    apps: StateApps, app_label: str, model_name: str, rows: list[dict[str, Any]], reason: str = ""
) -> None:
    """Create the rows and one history row each, in a change set of source "set-up".

    For a migration's frozen models, which do not write history.
    """
    model = apps.get_model(app_label, model_name)
    history = apps.get_model(app_label, f"Historical{model_name}")
    now = timezone.now()
    change_sets = apps.get_model("oegen", "ChangeSet")
    change_set = change_sets(
        id=uuid.uuid4(),
        source=Source.MIGRATION,
        reason=reason or f"The usual {model._meta.verbose_name_plural} to start with.",
        recorded_at=now,
    )
    created = model.objects.bulk_create(
        model(created_at=now, modified_at=now, **row) for row in rows
    )
    history.objects.bulk_create(
        history(
            history_date=now,
            history_type=CREATED,
            history_change_reason=change_set.reason,
            change_set_id=change_set.pk,
            **{field.attname: getattr(instance, field.attname) for field in model._meta.fields},
        )
        for instance in created
    )
    seals.close(change_sets, [change_set], [history])
