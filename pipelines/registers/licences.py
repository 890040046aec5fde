"""Licence and attribution, which every page that shows data of registers has at its foot."""

from __future__ import annotations

from django.db.models import QuerySet

from pipelines.registers.models import Register


def registers_shown(*codes: str) -> QuerySet[Register]:
    """The registers with editions, of these codes if some are given."""
    found = Register.objects.exclude(editions=None).distinct()
    return found.filter(code__in=codes) if codes else found
