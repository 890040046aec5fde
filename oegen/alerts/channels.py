"""The channels that messages go out by, and how a message that did not go out says so."""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings

from oegen.alerts.models import Channel


def configured_channels() -> list[Channel]:
    """Those that this site has been told how to reach."""
    known = {Channel.SLACK: settings.SLACK_WEBHOOK_URL, Channel.EMAIL: settings.SENDS_EMAIL}
    return [channel for channel, is_known in known.items() if is_known]


def one_line(text: str, longest: int = 500) -> str:
    """Without control characters, which no mail head and not every database takes."""
    text = " ".join("".join(sign if sign.isprintable() else " " for sign in text).split())
    return text if len(text) <= longest else f"{text[: longest - 1]}…"


class SendError(Exception):
    """A message was not sent, or nobody knows; the text says why to people and holds no secret.

    ``retry_after``: the receiver asked for that pause of everybody. ``is_final``: no further try
    can do better. ``may_have_arrived``: there was no answer that says it did not.
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
