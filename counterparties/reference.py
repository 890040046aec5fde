"""The reference rows that every installation starts with."""

from typing import Any

CONTACT_ROLES = [
    ("ceo", "CEO"),
    ("strategy-lead", "Strategy lead"),
    ("platform-lead", "Platform lead"),
    ("deal-lead", "Deal lead"),
    ("finance-lead", "Finance lead"),
]


def contact_role_rows() -> list[dict[str, Any]]:
    return [
        {"code": code, "name": name, "order": order}
        for order, (code, name) in enumerate(CONTACT_ROLES, start=1)
    ]
