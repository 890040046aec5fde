"""Which records may leave for the warehouse.

Erasing data about a person can't reach files that are only added to, so such records leave only
if WAREHOUSE_PERSONAL says so. Security events are not audited records and never leave.
"""

from __future__ import annotations

from django.conf import settings

from oegen import audit
from oegen.models import AuditedModel

#: Records about people.
PERSONAL = frozenset(
    {
        "counterparties.Contact",
        "counterparties.CounterpartyContact",
        "oegen.Comment",
        "oegen.AccountRecord",
    }
)

#: How this tool is set up and checked, which says nothing about the portfolio.
NEVER = frozenset(
    {"oegen.GroupRecord", "oegen.Schedule", "oegen.AlertRule", "oegen.Acknowledgement"}
)

#: Of accounts, what says who somebody is; not what they may do and when they signed in.
ONLY_FIELDS = {
    "oegen.AccountRecord": frozenset(
        {
            *("id", "created_at", "modified_at", "version"),
            *("account_id", "username", "first_name", "last_name", "email", "is_active"),
        }
    )
}


def leaving_models(*, personal: bool | None = None) -> list[type[AuditedModel]]:
    """The models whose records may leave; ``personal`` is by default what the settings say."""
    if personal is None:
        personal = settings.WAREHOUSE_PERSONAL
    return [
        model
        for model in audit.tracked_models()
        if model._meta.label not in NEVER and (personal or model._meta.label not in PERSONAL)
    ]
