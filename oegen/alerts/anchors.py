"""Anchors: signed copies of the newest seals, stored out of reach of anybody who can write to the
database.

The job ``anchor`` writes one every hour to a file in ANCHOR_DIR and sends it by mail and Slack if
configured. ``audit_check --against`` compares the history with an anchor, and so
finds one that was truncated or rewritten. The signing key is the file ``anchor-key`` in VAR_DIR, or
ANCHOR_KEY. The administrators of this host can read it and sign.
"""

from __future__ import annotations

import base64
import json
import logging
import os
import smtplib
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.mail import EmailMessage
from django.utils import timezone

from oegen.alerts import slack
from oegen.alerts.anchor_keys import AnchorError, encoded, is_signed, signing_key
from oegen.alerts.channels import SendError
from oegen.audit import seals
from oegen.audit.changesets import ChangeSet
from oegen.audit.integrity.finding import Finding
from oegen.audit.integrity.models import Acknowledgement, IntegrityCheck, KeptAnchor
from oegen.people import security
from oegen.people.models import SecurityEvent

logger = logging.getLogger(__name__)

#: The age from which the newest anchor counts as late.
LATE = timedelta(hours=2)

#: The length to which a Slack message is truncated; the file has all of it.
MAX_MESSAGE_LENGTH = 30_000

#: The number of open findings that an anchor lists; it counts the rest.
MAX_LISTED = 100


@dataclass(frozen=True)
class Anchor:
    """The newest seals at one time. ``facts`` is the content of the file."""

    number: int
    seal: str
    event: int = 0
    event_seal: str = ""
    facts: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def newest(cls) -> Anchor:
        newest = ChangeSet.objects.order_by("-number").values_list("number", "seal").first()
        return cls(*(newest or (0, seals.START)), *security.newest_seal())

    @classmethod
    def read(cls, path: Path) -> Anchor:
        """Read an anchor's file. Raises AnchorError."""
        try:
            facts = json.loads(path.read_text(encoding="utf-8"))
            return cls(
                number=int(facts["change_set"]),
                seal=str(facts["seal"]),
                event=int(facts.get("security_event", 0)),
                event_seal=str(facts.get("security_seal", "")),
                facts=facts,
            )
        except OSError as error:
            raise AnchorError(f"{path} can't be read: {error.strerror}.") from error
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise AnchorError(
                f"{path} is no anchor: it should hold what --anchor wrote, such as "
                '{"change_set": 12, "seal": "…"}.'
            ) from error

    def signed(self, now: datetime | None = None) -> dict[str, Any]:
        """The content of the anchor's file: the seals and the open findings, signed."""
        check = IntegrityCheck.objects.order_by("-checked_at").first()
        facts = {
            "site": settings.BASE_URL,
            "made_at": (now or timezone.now()).astimezone(UTC).isoformat(),
            "change_set": self.number,
            "seal": self.seal,
            "security_event": self.event,
            "security_seal": self.event_seal,
            "checked_at": check and check.checked_at.astimezone(UTC).isoformat(),
            "open_count": check and check.open_count,
            "open_findings": check.open_findings if check else [],
            "acknowledged": [
                {"fingerprint": one.fingerprint, "finding": one.finding, "reason": one.reason}
                for one in Acknowledgement.objects.order_by("created_at", "pk")
            ],
        }
        key = signing_key()
        facts["public_key"] = encoded(key.public_key())
        facts["signature"] = base64.b64encode(key.sign(_signed_text(facts))).decode()
        return facts

    def findings(self, public_key: str = "") -> Iterator[Finding]:
        """The differences between the anchor and the history. ``public_key`` is the expected key
        of the signature and defaults to that of this site."""
        yield from self._chain_findings(
            "Change set", self.number, self.seal, ChangeSet.objects.all(), "the history"
        )
        yield from self._chain_findings(
            "Security event",
            self.event,
            self.event_seal,
            SecurityEvent.objects.all(),
            "the record of security events",
        )
        if "signature" in self.facts:
            yield from self._signature_findings(public_key or encoded(signing_key().public_key()))

    @staticmethod
    def _chain_findings(noun, number, anchored, rows, what) -> Iterator[Finding]:
        if not number:
            return
        seal = rows.filter(number=number).values_list("seal", flat=True).first()
        if seal is None:
            yield Finding(
                f"{noun} {number}",
                f"it is in the anchor and no longer here: the end of {what} was removed",
            )
        elif seal != anchored:
            yield Finding(
                f"{noun} {number}",
                f"its seal is not the anchor's: {what} up to here was written anew",
                "seal",
                seal,
                anchored,
            )

    def _signature_findings(self, public_key: str) -> Iterator[Finding]:
        if self.facts.get("public_key") != public_key:
            yield Finding(
                "The anchor",
                "it is signed with another key",
                "key",
                str(self.facts.get("public_key")),
                public_key,
            )
            return
        text = _signed_text(self.facts)
        if not is_signed(text, self.facts["signature"], public_key):
            yield Finding("The anchor", "its signature does not fit what it says")


def _signed_text(facts: dict[str, Any]) -> bytes:
    facts = {name: value for name, value in facts.items() if name != "signature"}
    return json.dumps(facts, sort_keys=True, separators=(",", ":")).encode()


def write(facts: dict[str, Any], path: Path) -> None:
    """Write the file atomically. Raises AnchorError."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(json.dumps(facts, indent=1) + "\n")
        os.replace(name, path)  # noqa: PTH105 - name is a str
    except OSError as error:
        raise AnchorError(f"{path} can't be written: {error.strerror}.") from error


# Every hour -------------------------------------------------------------------------------------


def write_if_due(now: datetime | None = None) -> KeptAnchor | None:
    """Write the anchor of this hour, unless there is one; returns it if it was written.

    Called by the job "anchor", which never runs twice at once. Raises AnchorError if the file can't
    be written; an anchor that could not be sent says so in its ``problem``.
    """
    now = now or timezone.now()
    row, _ = KeptAnchor.objects.get_or_create(hour=now.replace(minute=0, second=0, microsecond=0))
    if row.made_at:
        return None
    anchor = Anchor.newest()
    path = settings.ANCHOR_DIR / f"anchor-{row.hour.astimezone(UTC):%Y-%m-%dT%H%MZ}.json"
    try:
        facts = anchor.signed(now)
        write(facts, path)
    except AnchorError as error:
        row.problem = str(error)
        row.save(update_fields=["problem"])
        raise
    row.made_at, row.change_set, row.seal = timezone.now(), anchor.number, anchor.seal
    row.file = str(path)
    row.problem = " ".join(_send(json.dumps(facts, indent=1), row))
    row.save()
    return row


def _send(text: str, row: KeptAnchor) -> Iterator[str]:
    """Send the anchor by mail and Slack, as configured; yields error messages."""
    title = f"Anchor of the history at {row.hour:%Y-%m-%d %H:%M} UTC, change set {row.change_set}"
    if settings.ANCHOR_EMAIL:
        try:
            EmailMessage(subject=title, body=text, to=settings.ANCHOR_EMAIL).send()
        except (smtplib.SMTPException, OSError) as error:
            logger.error("The anchor was not sent by mail: %s", error)
            yield f"Mail: {error}."
    if settings.ANCHOR_SLACK_WEBHOOK_URL:
        try:
            message = {"text": f"{title}\n```{slack.escaped(text, MAX_MESSAGE_LENGTH)}```"}
            slack.post(settings.ANCHOR_SLACK_WEBHOOK_URL, message, "ANCHOR_SLACK_WEBHOOK_URL")
        except SendError as error:
            logger.error("The anchor was not sent to Slack: %s", error)
            yield f"Slack: {error}"


def newest_anchor() -> KeptAnchor | None:
    return KeptAnchor.objects.exclude(made_at=None).order_by("-made_at").first()


def status_line() -> str:
    """The line about anchors for /healthz."""
    newest = newest_anchor()
    if newest is None or newest.made_at is None:
        return "anchor: none made yet (the worker makes one every hour)"
    late = "late, " if newest.made_at < timezone.now() - LATE else ""
    return f"anchor: {late}the last was made at {newest.made_at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
