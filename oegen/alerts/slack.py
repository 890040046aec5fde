"""Alerts as Slack messages: https://docs.slack.dev/reference/block-kit"""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any
from urllib.error import URLError

from django.conf import settings
from django.utils import formats, timezone

from oegen.alerts.channels import SendError
from oegen.alerts.models import Alert

if TYPE_CHECKING:
    from slack_sdk.webhook import WebhookResponse

TIMEOUT_SECONDS = 10

#: Slack allows 3,000 escaped characters per text block; longer input is truncated.
MAX_TEXT_LENGTH = 500
MAX_NAME_LENGTH = 100
MAX_LINE_LENGTH = 250

#: Lines per section of a digest; the e-mail has more.
DIGEST_LINES = 5

REPEAT = "This may be a repeat: an earlier try ended without an answer."

#: The client's log messages would contain the webhook's URL, which is a secret.
_silent = logging.getLogger("oegen.alerts.slack.client")
_silent.setLevel(logging.CRITICAL)


def send(alert: Alert) -> None:
    """Send the alert, without retrying. Raises SendError."""
    post(settings.SLACK_WEBHOOK_URL, message_of(alert))


def post(url: str, message: dict[str, Any], variable: str = "SLACK_WEBHOOK_URL") -> None:
    """Post a message, without retrying; ``variable`` is the setting that holds the URL. Raises
    SendError."""
    # Only here: it takes 2 MB, and servers of pages send nothing.
    from slack_sdk.errors import SlackRequestError
    from slack_sdk.webhook import WebhookClient

    client = WebhookClient(url, timeout=TIMEOUT_SECONDS, logger=_silent, retry_handlers=[])
    try:
        response = client.send_dict(message)
    except URLError as error:
        raise SendError(f"Slack could not be reached: {error.reason}.") from error
    except SlackRequestError as error:
        raise SendError(f"{variable} is no address that can be posted to.") from error
    # Anything else is an invalid response: truncated, late, not HTTP, or undecodable.
    except Exception as error:
        raise SendError(
            f"Slack gave no answer that can be read ({type(error).__name__}: {error}).",
            may_have_arrived=True,
        ) from error
    _check(response, variable)


def _check(response: WebhookResponse, variable: str) -> None:
    """Raise SendError unless Slack accepted the message, with the body "ok"."""
    code, body = response.status_code, " ".join(response.body.split())[:200]
    if code == 200 and body == "ok":
        return
    if code == 200:
        raise SendError(
            f"What answered was not Slack: “{body}”. Look at {variable}.",
            may_have_arrived=True,
        )
    if code == 429:
        pause = _pause(response.headers.get("Retry-After", ""))
        raise SendError("Slack asked for a pause (429).", retry_after=pause)
    is_final = code == 400  # The message itself is invalid: retrying is useless.
    raise SendError(f"Slack answered {code}: “{body}”.", is_final=is_final)


def _pause(text: str) -> timedelta | None:
    """The pause that a Retry-After header asks for, given in seconds or as a date."""
    text = text.strip()
    if text.isdecimal():
        return timedelta(seconds=min(int(text), 24 * 3600))
    try:
        return max(parsedate_to_datetime(text) - timezone.now(), timedelta(0))
    except (ValueError, TypeError):
        return None


def message_of(alert: Alert) -> dict[str, Any]:
    """The message: blocks, and a plain text for notifications."""
    blocks, text = _BUILDERS[alert.payload["kind"]](alert)
    if alert.may_be_repeat:
        blocks.append(_context(REPEAT))
        text = f"{text} ({REPEAT})"
    return {"text": text, "blocks": blocks, "unfurl_links": False, "unfurl_media": False}


def escaped(text: str, max_length: int = MAX_TEXT_LENGTH) -> str:
    """Escape links, mentions and commands for Slack, and truncate to ``max_length`` escaped
    characters."""
    characters, length = [], 0
    for character in text:
        character = _ESCAPES.get(character, character)
        if length + len(character) >= max_length:
            characters.append("…")
            break
        characters.append(character)
        length += len(character)
    return "".join(characters)


_ESCAPES = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}


def _event(alert: Alert) -> tuple[list[dict], str]:
    payload = alert.payload
    heading = f"*{escaped(payload['event'])}: {escaped(payload['subject'])}*"
    change = _format_change(payload)
    named = [("Technology", payload["technology"]), ("Capacity", payload["capacity"])]
    facts = [
        f"*{label}*\n{escaped(value)}"
        for label, value in (*named, *payload.get("facts", ()))
        if value
    ]
    blocks = [_section("\n".join(filter(None, [heading, change])))]
    if payload["note"]:
        blocks.append(_section(_quoted(payload["note"])))
    if facts:
        blocks.append({"type": "section", "fields": [_mrkdwn(fact) for fact in facts]})
    blocks.append(_context(_who_and_why(payload)))
    blocks.append(_button(f"View {payload['noun']}", payload["url"]))
    plain = change.replace("*", "")
    text = f"{escaped(payload['title'])}{f', {plain}' if plain else ''}. {_who_and_why(payload)}"
    return blocks, text


def _format_change(payload: dict) -> str:
    old, new = escaped(payload["old"]), escaped(payload["new"])
    return f"{old} → *{new}*" if old and new else (f"*{new}*" if new else "")


def _summary(alert: Alert) -> tuple[list[dict], str]:
    payload = alert.payload
    source = f" ({payload['source']})" if payload["source"] else ""
    blocks = [_section(f"*Many changes at once{escaped(source)}*")]
    for group in payload["groups"]:
        names = [_linked(one) for one in group["records"]]
        beyond = group["number"] - len(names)
        more = f" and {beyond:,} more" if beyond > 0 else ""
        line = f"*{escaped(group['event'])}: {group['number']:,}*\n{', '.join(names)}{more}"
        blocks.append(_section(line))
    blocks.append(_context(_who_and_why(payload)))
    if alert.change_set:
        blocks.append(_button("View all changes", f"/audit/{alert.change_set.number}/"))
    elif url := payload.get("url"):
        blocks.append(_button("View the list", url))
    return blocks, f"{escaped(payload['title'])}. {_who_and_why(payload)}"


def _digest(alert: Alert) -> tuple[list[dict], str]:
    payload = alert.payload
    blocks = [
        _section(f"*{escaped(payload['name'])}, {escaped(payload['span'])}*\n{payload['sentence']}")
    ]
    for part in payload["parts"]:
        if not part["number"]:
            continue
        shown = part["lines"][:DIGEST_LINES]
        lines = [f"*{escaped(part['title'])}: {part['number']:,}*"]
        lines += [f"• {_linked(one)} {escaped(one['text'], MAX_LINE_LENGTH)}" for one in shown]
        beyond = part["number"] - len(shown)
        if beyond > 0:
            lines.append(_link(part["url"], f"and {beyond:,} more"))
        blocks.append(_section("\n".join(lines)))
    blocks.append(_button("Open the dashboard", "/"))
    return blocks, f"{escaped(payload['title'])}."


def _linked(record: dict) -> str:
    """The record's name, as a link if it has a page. A bar would end the URL of a link."""
    name = escaped(record["name"], MAX_NAME_LENGTH).replace("|", "¦")
    return _link(record["url"], name) if record["url"] else name


def _link(address: str, label: str) -> str:
    return f"<{absolute(address).replace('&', '&amp;')}|{label}>"


def _who_and_why(payload: dict) -> str:
    moment = timezone.localtime(datetime.fromisoformat(payload["when"]))
    who = f"{escaped(payload['who'])}, " if payload["who"] else ""
    why = f": “{escaped(payload['why'])}”" if payload["why"] else ""
    return f"{who}{formats.date_format(moment, 'DATETIME_FORMAT')}{why}"


def absolute(address: str) -> str:
    return f"{settings.BASE_URL}{address}"


def _mrkdwn(text: str) -> dict:
    # Verbatim: Slack must not turn names that look like URLs into links.
    return {"type": "mrkdwn", "text": text, "verbatim": True}


def _section(text: str) -> dict:
    return {"type": "section", "text": _mrkdwn(text)}


def _quoted(text: str) -> str:
    return "\n".join(f"> {line}" for line in escaped(text).splitlines() or [""])


def _context(text: str) -> dict:
    return {"type": "context", "elements": [_mrkdwn(text)]}


def _button(label: str, address: str) -> dict:
    text = {"type": "plain_text", "text": label}
    return {
        "type": "actions",
        "elements": [{"type": "button", "text": text, "url": absolute(address)}],
    }


_BUILDERS = {"event": _event, "summary": _summary, "digest": _digest}
