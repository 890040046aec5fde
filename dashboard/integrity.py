"""Integrity check of frozen reports: the history that their figures were taken from."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from dashboard.models import FrozenReport
from dashboard.services import seal_of_number
from oegen.audit.integrity import Finding, register_check


@register_check("the frozen reports")
def frozen_report_findings(counts: Counter[str]) -> Iterator[Finding]:
    """A frozen report says which seal was the newest: a history that was written anew has
    another."""
    for frozen in FrozenReport.objects.order_by("created_at", "pk").defer("content"):
        counts["frozen reports"] += 1
        if seal_of_number(frozen.data_number) != frozen.data_seal:
            yield Finding(
                f"Frozen report “{frozen}” ({frozen.pk})",
                f"change set {frozen.data_number} has another seal than when it was frozen",
                evidence=frozen.data_seal,
            )
