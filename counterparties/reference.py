"""The reference rows that every installation has."""

CONTACT_ROLES = [
    ("ceo", "CEO"),
    ("strategy-lead", "Strategy lead"),
    ("platform-lead", "Platform lead"),
    ("deal-lead", "Deal lead"),
    ("finance-lead", "Finance lead"),
]
