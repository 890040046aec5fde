"""A run of the check of the history, for ``audit_check`` and for the job of each night.

It stands beside the anchors, because it can compare the history with one and the next anchor tells
its result.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from django.db import DEFAULT_DB_ALIAS

from oegen.alerts.anchors import MAX_LISTED, Anchor
from oegen.audit.integrity import Check, Finding
from oegen.audit.integrity.models import Acknowledgement, IntegrityCheck
from oegen.audit.integrity.remarks import remarks
from oegen.core.database import snapshot
from oegen.core.processes import can_share_snapshots
from oegen.core.words import count


@dataclass
class Checked:
    """What a check found, by fingerprint, and what of it is acknowledged."""

    known: dict[str, Acknowledgement]
    found: dict[str, str] = field(default_factory=dict)
    remarks: list[str] = field(default_factory=list)
    newest: Anchor | None = None
    #: What was read: “12 change sets, 40 history rows”.
    read: str = ""

    @property
    def open_findings(self) -> list[str]:
        return [fingerprint for fingerprint in self.found if fingerprint not in self.known]

    def store(self) -> None:
        """Keep the numbers for the audit page and the next anchor."""
        IntegrityCheck.objects.create(
            open_count=len(self.open_findings),
            acknowledged_count=len(self.found) - len(self.open_findings),
            open_findings=self.open_findings[:MAX_LISTED],
        )

    @property
    def summary(self) -> str:
        number = len(self.open_findings)
        acknowledged = len(self.found) - number
        if number:
            more = f"; {acknowledged:,} acknowledged besides" if acknowledged else ""
            return f"{count(number, 'finding')} in {self.read}{more}."
        if acknowledged:
            return f"{count(acknowledged, 'finding')} in {self.read}, all acknowledged."
        return f"Nothing found in {self.read}."


def check_history(
    anchored: Anchor | None = None,
    public_key: str = "",
    on_finding: Callable[[Finding, Acknowledgement | None], None] = lambda finding, known: None,
    *,
    processes: int = 1,
) -> Checked:
    """Check the history in one snapshot and compare it with an anchor, if one is given.
    ``on_finding`` is called with each finding, and its acknowledgement, as it is found; with
    several ``processes``, where the database allows them, part by part."""
    check = Check(processes if can_share_snapshots() else 1)
    with snapshot(DEFAULT_DB_ALIAS):
        checked = Checked({one.fingerprint: one for one in Acknowledgement.objects.all()})

        def add(finding: Finding) -> None:
            checked.found[finding.fingerprint] = str(finding)
            on_finding(finding, checked.known.get(finding.fingerprint))

        for finding in check.findings():
            add(finding)
        for finding in anchored.findings(public_key) if anchored else ():
            add(finding)
        checked.newest = Anchor.newest()
        checked.remarks = list(remarks())
    read = ", ".join(f"{number:,} {what}" for what, number in check.counts.items())
    checked.read = read or "an empty history"
    return checked
