"""One request to the server of a model, streamed, with a deadline that holds in any case.

It is read in a thread of its own: a server that hangs, or sends a byte now and then, keeps that
thread busy and nobody else.
"""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from typing import Any

from django.conf import settings

logger = logging.getLogger(__name__)

#: The most characters of one answer, of its text and of each tool call; what is longer is cut off
#: as if the stream had ended.
MOST_CHARACTERS = 20_000

#: The most tool calls of one answer.
MOST_CALLS = 10

#: The longest time to wait for a connection, in seconds.
CONNECT_SECONDS = 5

#: The most tokens of one answer.
MOST_TOKENS = 4_000


class ModelError(Exception):
    """The model gave no answer, or not the whole of it; the text says why to whoever asked."""


@dataclass(frozen=True)
class Text:
    """The next piece of prose."""

    text: str


@dataclass(frozen=True)
class ToolCall:
    """``arguments`` is what should be JSON."""

    id: str
    name: str
    arguments: str


@dataclass(frozen=True)
class Ended:
    """``is_whole``: the model came to its end, and the stream did not break off. Tokens as the
    server counts them; None if it does not."""

    is_whole: bool
    input_tokens: int | None
    output_tokens: int | None


Part = Text | ToolCall | Ended


@cache
def _library(name: str) -> Any:
    """Imported with the first question: 0.8 s and 45 MB that a site without a key never needs."""
    return import_module(name)


def stream(
    messages: list[dict[str, Any]], tools: list[dict[str, Any]], deadline: float
) -> Iterator[Part]:
    """The parts of the model's answer; the last is Ended. ``deadline`` is a time of
    ``time.monotonic``. Raises ModelError."""
    if time.monotonic() >= deadline:
        raise _too_slow()
    parts: queue.Queue[Part | Exception] = queue.Queue(maxsize=1000)
    stopped = threading.Event()
    reader = threading.Thread(
        target=_read, args=(messages, tools, deadline, parts, stopped), daemon=True
    )
    reader.start()
    try:
        while True:
            try:
                part = parts.get(timeout=max(deadline - time.monotonic(), 0))
            except queue.Empty as error:
                raise _too_slow() from error
            if isinstance(part, Exception):
                raise _in_words(part) from part
            yield part
            if isinstance(part, Ended):
                return
    finally:
        stopped.set()


def _read(
    messages: list[dict[str, Any]],
    tools: list[dict[str, Any]],
    deadline: float,
    parts: queue.Queue[Part | Exception],
    stopped: threading.Event,
) -> None:
    try:
        for part in _parts(messages, tools, deadline, stopped):
            parts.put(part, timeout=max(deadline - time.monotonic(), 0))
    except queue.Full:
        logger.info("The answer of a model came after its deadline.")
    except Exception as error:  # It is raised again where the parts are read.
        if not stopped.is_set():
            parts.put(error)


def _parts(
    messages: list[dict[str, Any]],
    tools: list[dict[str, Any]],
    deadline: float,
    stopped: threading.Event,
) -> Iterator[Part]:
    left = max(deadline - time.monotonic(), 0.1)
    timeout = _library("httpx2").Timeout(left, connect=min(left, CONNECT_SECONDS))
    client = _library("openai").OpenAI(
        api_key=settings.OPENAI_API_KEY,
        base_url=settings.OPENAI_BASE_URL or None,
        timeout=timeout,
        max_retries=0,
    )
    calls: dict[int, dict[str, str]] = {}
    reason, usage, length = "", None, 0
    with (
        client,
        client.chat.completions.create(
            model=settings.ASK_MODEL,
            messages=messages,
            stream=True,
            stream_options={"include_usage": True},
            max_completion_tokens=MOST_TOKENS,
            **({"tools": tools} if tools else {}),
        ) as chunks,
    ):
        for chunk in chunks:
            if stopped.is_set():
                return
            usage = chunk.usage or usage
            for choice in chunk.choices[:1]:
                reason = choice.finish_reason or reason
                delta = choice.delta
                if delta is None:
                    continue
                for piece in delta.tool_calls or ():
                    _add(calls, piece)
                if delta.content:
                    length += len(delta.content)
                    yield Text(delta.content)
            if length > MOST_CHARACTERS:
                reason = "length"
                break
    if reason == "tool_calls" or (reason == "stop" and calls):
        for place in sorted(calls)[:MOST_CALLS]:
            yield ToolCall(**calls[place])
    yield Ended(
        reason in ("stop", "tool_calls"),
        usage and usage.prompt_tokens,
        usage and usage.completion_tokens,
    )


def _add(calls: dict[int, dict[str, str]], piece: Any) -> None:
    call = calls.setdefault(piece.index, {"id": "", "name": "", "arguments": ""})
    call["id"] = call["id"] or piece.id or f"call-{piece.index}"
    if piece.function:
        call["name"] = (call["name"] + (piece.function.name or ""))[:200]
        more = piece.function.arguments or ""
        call["arguments"] = (call["arguments"] + more)[:MOST_CHARACTERS]


def _too_slow() -> ModelError:
    return ModelError(
        f"The model did not answer within {settings.ASK_SECONDS} seconds. Ask again, or ask in the "
        "words of this tool, which it answers without the model."
    )


def _in_words(error: Exception) -> Exception:
    """What whoever asked is told; the log has the rest. An error of our own stays what it is."""
    library = _library("openai")
    network = (_library("httpx2").HTTPError, library.OpenAIError, ValueError)
    if not isinstance(error, network):
        return error
    logger.warning("The model “%s” did not answer: %s", settings.ASK_MODEL, _without_key(error))
    if isinstance(error, library.APITimeoutError | _library("httpx2").TimeoutException):
        return _too_slow()
    status = getattr(error, "status_code", None)
    if status in (401, 403):
        return ModelError(
            "The server of the model refused this site’s key. Ask an administrator to check "
            "OPENAI_API_KEY."
        )
    if status == 429:
        return ModelError(
            "The server of the model has too much to do, or this site’s quota there is used up. "
            "Ask again in a minute."
        )
    if status is not None and status < 500:
        return ModelError(
            f"The server of the model refused the question ({status}). Ask an administrator to "
            "check ASK_MODEL and OPENAI_BASE_URL."
        )
    if status is not None:
        return ModelError(f"The server of the model failed ({status}). Ask again in a minute.")
    if isinstance(error, library.APIConnectionError):
        return ModelError("The server of the model can’t be reached. Ask again in a minute.")
    return ModelError("The answer of the model broke off. Ask again.")


def _without_key(error: Exception) -> str:
    text = f"{type(error).__name__}: {error}"[:500]
    key = settings.OPENAI_API_KEY
    return text.replace(key, "…") if key else text
