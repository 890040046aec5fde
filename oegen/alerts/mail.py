"""Alerts as e-mail in plain text and HTML, with links to unsubscribe in headers and footer."""

from __future__ import annotations

import smtplib
from datetime import datetime
from typing import Any, cast
from urllib.parse import urlsplit

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone

from oegen.alerts import preferences
from oegen.alerts.channels import SendError, one_line
from oegen.alerts.events import EVENTS
from oegen.alerts.models import Alert
from oegen.people.models import User

MAX_SUBJECT_LENGTH = 150


def send(alert: Alert) -> None:
    """Send the alert, without retrying. Raises SendError."""
    person = _recipient(alert)
    if not person.is_active or not person.email:
        why = "has no e-mail address" if person.is_active else "can no longer sign in"
        raise SendError(f"{person} {why}.", is_final=True)
    try:
        message_of(alert).send()
    except smtplib.SMTPRecipientsRefused as error:
        code, reply = next(iter(error.recipients.values()))
        text = reply.decode(errors="replace") if isinstance(reply, bytes) else reply
        is_final = 500 <= code < 600
        raise SendError(
            f"The mail server refused {person.email}: {code} {text}", is_final=is_final
        ) from error
    except smtplib.SMTPServerDisconnected as error:
        raise SendError(f"The mail server hung up: {error}", may_have_arrived=True) from error
    except TimeoutError as error:
        raise SendError("The mail server did not answer in time.", may_have_arrived=True) from error
    except (smtplib.SMTPException, OSError) as error:
        raise SendError(f"The mail server could not take it: {error}") from error


def _recipient(alert: Alert) -> User:
    """The recipient, which a check constraint requires for e-mail."""
    return cast("User", alert.recipient)


def message_of(alert: Alert) -> EmailMultiAlternatives:
    """The message; its Message-ID is the same for repeats, so that they can be recognized."""
    kind = alert.payload["kind"]
    context = context_of(alert)
    host = urlsplit(settings.BASE_URL).hostname
    headers = {
        "Message-ID": f"<alert-{alert.pk}-{int(alert.created_at.timestamp())}@{host}>",
        "Auto-Submitted": "auto-generated",
    }
    if context["chosen"]:
        headers |= {
            "List-Unsubscribe": f"<{context['unsubscribe_url']}>",
            "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
        }
    message = EmailMultiAlternatives(
        subject=one_line(alert.payload["title"], MAX_SUBJECT_LENGTH),
        body=render_to_string(f"oegen/alerts/{kind}.txt", context),
        to=[_recipient(alert).email],
        headers=headers,
    )
    message.attach_alternative(render_to_string(f"oegen/alerts/{kind}.html", context), "text/html")
    return message


def context_of(alert: Alert) -> dict[str, Any]:
    codes = alert.payload.get("codes", [alert.event])
    token = preferences.unsubscribe_token(_recipient(alert), codes)
    return {
        "payload": alert.payload,
        "when": timezone.localtime(datetime.fromisoformat(alert.payload["when"])),
        "base": settings.BASE_URL,
        "recipient": alert.recipient,
        "may_be_repeat": alert.may_be_repeat,
        "chosen": [EVENTS[code].name for code in codes],
        "changes_url": f"/audit/{alert.change_set.number}/" if alert.change_set else "",
        "choices_url": settings.BASE_URL + reverse("my-alerts"),
        "unsubscribe_url": settings.BASE_URL + reverse("unsubscribe", args=[token]),
    }
