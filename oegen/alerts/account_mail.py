"""Mandatory e-mail to users about their own account. Imported in ``AppConfig.ready``."""

from __future__ import annotations

from django.dispatch import receiver
from django.utils import timezone

from oegen.alerts.channels import configured_channels
from oegen.alerts.models import Alert, Channel
from oegen.people.models import User
from oegen.people.passwords import password_changed

ACCOUNT = "account"


@receiver(password_changed, dispatch_uid="oegen.alerts.account_mail")
def mail_password_notice(sender, user: User, by: User, **kwargs) -> None:
    """Queue the e-mail; do nothing while e-mail is not configured, because it would come late."""
    if not user.email or Channel.EMAIL not in configured_channels():
        return
    now = timezone.now()
    Alert.objects.create(
        unique_key=f"{ACCOUNT}:password:{user.pk}:{now.isoformat()}",
        event=ACCOUNT,
        channel=Channel.EMAIL,
        recipient=user,
        payload={
            "kind": ACCOUNT,
            "title": "Your password was changed",
            "codes": [],
            "who": "yourself" if by == user else str(by),
            "when": now.isoformat(),
        },
    )
