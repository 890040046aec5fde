"""The conversation with a model: it asks for lookups until it answers in sentences."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from django.conf import settings

from dashboard.ask.events import Event, Note, Refused, Sentence, Status, named_tables, sentence
from dashboard.ask.findings import Found
from dashboard.ask.lookups import Asker, LookupRefusedError, run
from dashboard.ask.provider import messages
from dashboard.ask.provider.budget import estimate, one_of_few, require_budget
from dashboard.ask.provider.checking import Checker, DroppedError
from dashboard.ask.provider.client import Ended, ModelError, Text, ToolCall, stream
from dashboard.ask.recording import Recording
from dashboard.ask.results import cut, plain
from dashboard.models import AskedQuestion
from oegen.core.words import count

#: Where a sentence ends: a mark and white space behind it, or a line.
_END = re.compile(r"(?<=[.!?])[\"”’')]*\s+|\n+")

#: The most sentences of an answer.
MOST_SENTENCES = 12

#: The most sentences left out that are recorded.
MOST_DROPPED = 20


def is_configured() -> bool:
    """Whether there is a key for the server of a model."""
    return bool(settings.OPENAI_API_KEY)


def for_model(asker: Asker) -> Asker:
    """Who asks, as far as a model may know."""
    personal = asker.may_read_personal and settings.ASK_PERSONAL
    return replace(asker, may_read_personal=personal)


def answer(recording: Recording, earlier: list[AskedQuestion]) -> Iterator[Event]:
    """Answer by the model, or Refused. Tokens, lookups and sentences left out are recorded."""
    asker = for_model(recording.asker)
    recording.answered_by = settings.ASK_MODEL
    writer = Writer(recording, asker)
    try:
        with one_of_few():
            yield Status(f"Asking {settings.ASK_MODEL} …")
            yield from _rounds(recording, asker, earlier, writer)
    except ModelError as error:
        if not writer.shown:
            recording.answered_by = ""
        yield Refused(str(error))
    if writer.shown:
        yield from writer.tables()


def _rounds(
    recording: Recording, asker: Asker, earlier: list[AskedQuestion], writer: Writer
) -> Iterator[Event]:
    deadline = time.monotonic() + settings.ASK_SECONDS
    told = messages.opening(recording.question, asker, earlier)
    tools = messages.described_tools(asker)
    for _ in range(settings.ASK_ROUNDS):
        calls: list[ToolCall] = []
        for part in one_round(recording, told, tools, deadline):
            if isinstance(part, Text):
                yield from writer.write(part.text)
            elif isinstance(part, ToolCall):
                calls.append(part)
            else:
                yield from writer.end(is_whole=part.is_whole)
        if not calls:
            yield from writer.close()
            return
        told.append(messages.calls_made(calls))
        for call in calls:
            yield Status("Looking it up …")
            told.append(messages.result(call, _look_up(call, asker, recording)))
    raise ModelError(
        f"The model came to no answer within {count(settings.ASK_ROUNDS, 'round')} of lookups. Ask "
        "for one thing at a time."
    )


def one_round(
    recording: Recording,
    told: list[dict[str, Any]],
    tools: list[dict[str, Any]],
    deadline: float,
) -> Iterator[Text | ToolCall | Ended]:
    """One request. What it takes is recorded, also if it breaks off: then, and where the server
    does not count, it is estimated."""
    asked = estimate(messages.as_text([told, tools]))
    require_budget(recording.asker.person, recording.tokens, asked)
    used_in, used_out, length = asked, 0, 0
    try:
        for part in stream(told, tools, deadline):
            if isinstance(part, Text):
                length += len(part.text)
            elif isinstance(part, ToolCall):
                length += len(part.arguments)
            elif part.input_tokens is not None:
                used_in, used_out = part.input_tokens, part.output_tokens or 0
            yield part
    finally:
        recording.input_tokens += used_in
        recording.output_tokens += used_out or length // 4


def _look_up(call: ToolCall, asker: Asker, recording: Recording) -> dict[str, Any]:
    """What the lookup found, or why it was refused. Never raises for what the model wrote."""
    made: dict[str, Any] = {"name": cut(call.name), "arguments": {}}
    recording.lookups.append(made)
    try:
        arguments = _arguments(call.arguments)
        made["arguments"] = arguments
        found = run(call.name, arguments, asker, recording.findings)
    except LookupRefusedError as error:
        made["refused"] = cut(str(error))
        return {"error": made["refused"]}
    return plain(found, asker)


def _arguments(text: str) -> dict[str, Any]:
    try:
        found = json.loads(text or "{}")
    except (ValueError, RecursionError) as error:
        raise LookupRefusedError("The arguments are no JSON: give an object.") from error
    if not isinstance(found, dict):
        raise LookupRefusedError("Give the arguments as an object.")
    try:
        written = json.dumps(found, ensure_ascii=False, allow_nan=False)
        written.encode()
    except (ValueError, RecursionError) as error:
        raise LookupRefusedError("The arguments hold what is no text or number.") from error
    if "\\u0000" in written:
        raise LookupRefusedError("The arguments hold a null character.")
    return found


@dataclass
class Writer:
    """Takes the pieces of prose, and gives the sentences that pass the check."""

    recording: Recording
    asker: Asker
    shown: list[str] = field(default_factory=list)
    _rest: str = ""
    _left_out: int = 0

    def write(self, text: str) -> Iterator[Event]:
        self._rest += text
        *whole, self._rest = _END.split(self._rest)
        for one in whole:
            yield from self._sentence(one)

    def end(self, *, is_whole: bool) -> Iterator[Event]:
        """The model's answer ended. What follows the last whole sentence is one, unless the answer
        broke off inside it."""
        rest, self._rest = self._rest, ""
        if not rest.strip():
            return
        if is_whole:
            yield from self._sentence(rest)
        else:
            self._drop(rest, "The answer broke off here.")

    def close(self) -> Iterator[Event]:
        """Where every sentence was left out, what was looked up is told in our own words."""
        if self._left_out:
            yield Note(
                f"{count(self._left_out, 'sentence')} of the model left out: "
                f"{'it' if self._left_out == 1 else 'they'} said more than was looked up."
            )
        if self.shown:
            return
        for found in self.recording.findings.found:
            if found.main:
                yield self._show(_in_our_words(found))
        if not self.shown:
            raise ModelError(
                "The model looked up nothing that answers this. Ask for figures, projects, "
                "companies or changes, such as “open MW by country”."
            )

    def tables(self) -> Iterator[Event]:
        """The tables of the lookups that the sentences name."""
        yield from named_tables(self.shown, self.recording.findings)

    def _sentence(self, text: str) -> Iterator[Event]:
        if not text.strip():
            return
        if len(self.shown) >= MOST_SENTENCES:
            self._drop(text, "The answer was long enough.")
            return
        try:
            checked = Checker(self.recording.question, self.asker, self.recording.findings).check(
                text
            )
        except DroppedError as error:
            self._drop(text, str(error))
            return
        self.recording.written.append(text)
        yield self._show(checked)

    def _show(self, text: str) -> Sentence:
        self.shown.append(text)
        return sentence(text, self.recording.findings)

    def _drop(self, text: str, why: str) -> None:
        self._left_out += 1
        if len(self.recording.dropped) < MOST_DROPPED:
            self.recording.dropped.append({"sentence": cut(text), "why": why})


def _in_our_words(found: Found) -> str:
    refs = ", ".join(f"{{{one.ref}}}" for one in found.main[:5])
    return f"{found.title.replace('{', '(').replace('}', ')')}: {refs}."
