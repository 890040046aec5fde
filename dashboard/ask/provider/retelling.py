"""Sentences of ours in the prose of a model, under the same check."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from typing import Any

from django.conf import settings

from dashboard.ask.events import Event, Note, sentence
from dashboard.ask.lookups import Asker
from dashboard.ask.provider import messages
from dashboard.ask.provider.budget import one_of_few
from dashboard.ask.provider.client import Ended, ModelError, Text
from dashboard.ask.provider.rounds import Writer, for_model, one_round
from dashboard.ask.recording import Recording
from dashboard.ask.results import limited, plain


def retell(recording: Recording, sentences: Sequence[str]) -> Iterator[Event]:
    """The sentences, whose references are of ``recording.findings``, as a model tells them. If it
    can't, or leaves one of their references out, they stay as they are."""
    asker = for_model(recording.asker)
    writer = Writer(recording, asker)
    events: list[Event] = []
    try:
        with one_of_few():
            deadline = time.monotonic() + settings.ASK_SECONDS
            for part in one_round(recording, _told(recording, asker, sentences), [], deadline):
                if isinstance(part, Text):
                    events += writer.write(part.text)
                elif isinstance(part, Ended):
                    events += writer.end(is_whole=part.is_whole)
    except ModelError as error:
        events = [Note(str(error))]
        writer.shown.clear()
    wanted = set(messages.references(sentences))
    if writer.shown and wanted <= set(messages.references(writer.shown)):
        recording.answered_by = settings.ASK_MODEL
        yield from events
        return
    yield from (event for event in events if isinstance(event, Note))
    for text in sentences:
        yield sentence(text, recording.findings)


def _told(recording: Recording, asker: Asker, sentences: Sequence[str]) -> list[dict[str, Any]]:
    about = {
        "sentences": limited(list(sentences), asker),
        "lookups": [plain(found, asker) for found in recording.findings.found],
    }
    request = "Write these sentences as one short text, each reference once, in their order."
    return [
        {"role": "system", "content": messages.RULES},
        {"role": "user", "content": f"{request} As JSON: {messages.as_text(about)}"},
    ]
