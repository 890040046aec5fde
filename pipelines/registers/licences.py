"""Licence and attribution, which every page that shows data of registers has at its foot."""

from __future__ import annotations

from django.db.models import QuerySet

from pipelines.registers.models import Register
from pipelines.registers.models.edition import registers_with_editions


def registers_shown(*codes: str) -> QuerySet[Register]:
    """The registers with editions, of these codes if some are given."""
    found = registers_with_editions()
    return found.filter(code__in=codes) if codes else found
