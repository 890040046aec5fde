"""The template context of a removed record's page."""

from __future__ import annotations

from typing import Any

from django.urls import reverse

from oegen.audit.audited import AuditedModel
from oegen.audit.narrative import timeline
from oegen.audit.revert import merging


def removed_context(model: type[AuditedModel], key: Any) -> dict[str, Any] | None:
    """The context for ``oegen/record_removed.html``; None if the record was not removed."""
    removal = timeline.removal_of(model, key)
    if not removal:
        return None
    return {
        "noun": model._meta.verbose_name,
        "removal": removal[0],
        "survivor": merging.survivor_of(model, key),
        "history": reverse("history", args=[model._meta.model_name, key]),
    }
