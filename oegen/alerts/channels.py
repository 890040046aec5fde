"""The configured channels, and the error of a failed delivery."""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings

from oegen.alerts.models import Channel


def configured_channels() -> list[Channel]:
    """The channels for which this site has settings."""
    configured = {Channel.SLACK: settings.SLACK_WEBHOOK_URL, Channel.EMAIL: settings.SENDS_EMAIL}
    return [channel for channel, value in configured.items() if value]


def one_line(text: str, max_length: int = 500) -> str:
    """Strip control characters, which mail headers and PostgreSQL's text don't allow, collapse
    white space and truncate."""
    text = " ".join(
        "".join(character if character.isprintable() else " " for character in text).split()
    )
    return text if len(text) <= max_length else f"{text[: max_length - 1]}…"


class SendError(Exception):
    """A message was not sent, or its delivery is unknown. The text is shown to users and must not
    contain secrets.

    ``retry_after``: the pause that the receiver requested for all messages. ``is_final``: retrying
    is useless. ``may_have_arrived``: there was no response that rules it out.
    """

    def __init__(
        self,
        text: str,
        *,
        retry_after: timedelta | None = None,
        is_final: bool = False,
        may_have_arrived: bool = False,
    ):
        super().__init__(one_line(text))
        self.retry_after = retry_after
        self.is_final = is_final
        self.may_have_arrived = may_have_arrived
