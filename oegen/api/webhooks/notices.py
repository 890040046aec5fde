"""What owners of webhooks are told: in the bell, and by e-mail if both have an address."""

from __future__ import annotations

from datetime import datetime

from oegen import jobs
from oegen.alerts.channels import configured_channels
from oegen.alerts.delivery import SEND_ALERTS
from oegen.alerts.models import Alert, Channel, Notice
from oegen.api.webhooks.models import Webhook

#: The code in notices and alerts; no event that rules can be about.
SWITCHED_OFF = "webhook-off"


def tell_owner(webhook: Webhook, why: str, now: datetime) -> None:
    """Say in the current transaction that the webhook was switched off, and why. An e-mail is
    written only if e-mail is set up, because it would come late otherwise."""
    values = {
        "event": SWITCHED_OFF,
        "recipient": webhook.owner,
        "payload": {
            "kind": "webhook",
            "title": f"Webhook switched off: {webhook}",
            "event": "Webhook switched off",
            "subject": webhook.name,
            "url": webhook.get_absolute_url(),
            "note": why,
            "codes": [],
            "who": "",
            "when": now.isoformat(),
        },
    }
    key = f"{SWITCHED_OFF}:{webhook.pk}:{now.isoformat()}"
    Notice.objects.create(unique_key=key, **values)
    if webhook.owner.email and Channel.EMAIL in configured_channels():
        Alert.objects.create(unique_key=key, channel=Channel.EMAIL, **values)
        jobs.enqueue(SEND_ALERTS)
