"""Checks of the database triggers."""

from __future__ import annotations

from collections.abc import Iterator

from django.db import DEFAULT_DB_ALIAS

from oegen.audit import triggers
from oegen.audit.integrity.finding import Finding


def trigger_findings() -> Iterator[Finding]:
    for table, name in triggers.missing_triggers(DEFAULT_DB_ALIAS):
        yield Finding(
            f"Table {table}",
            f"its trigger {name} is missing or was altered; `manage.py migrate` makes it again",
        )
    for table, name, made in triggers.unknown_triggers(DEFAULT_DB_ALIAS):
        yield Finding(
            f"Table {table}",
            f"its trigger {name} is none of this program's; it may change what is written",
            evidence=made,
        )
