"""The events of an answer, whatever is asked: a question, or a brief of the page."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import UUID

from dashboard.ask import asking, briefs
from dashboard.ask.briefs import Heading
from dashboard.ask.events import GRAMMAR, Done, Event, Refused, Sentence, Status
from dashboard.ask.lookups import Asker, LookupRefusedError
from dashboard.ask.recording import Recording
from dashboard.models import AskedQuestion


def answer_to(
    question: str, asker: Asker, conversation: UUID | None, reading: dict[str, str]
) -> Iterator[Event | Heading]:
    if briefs.asks_for_brief(question):
        yield from _brief(question, asker, conversation)
    else:
        yield from asking.ask(question, asker, conversation)


def _brief(question: str, asker: Asker, conversation: UUID | None) -> Iterator[Event | Heading]:
    recording = Recording(question, asker, AskedQuestion.Via.PAGE)
    recording.conversation = conversation or recording.conversation
    yield Status("Writing the brief")
    try:
        for event in _brief_events(recording, asker):
            if not isinstance(event, Heading):
                recording.note(event)
            yield event
    finally:
        recording.save()
    yield Done(recording.key, recording.conversation, recording.answered_by)


def _brief_events(recording: Recording, asker: Asker) -> Iterator[Event | Heading]:
    try:
        brief = briefs.brief_of(asker)
    except LookupRefusedError as error:
        yield Refused(str(error))
        return
    recording.findings = brief.findings
    recording.answered_by = GRAMMAR
    for section in brief.sections:
        yield Heading(section.title)
        for sentence in section.sentences:
            yield Sentence(sentence, brief.findings.items)
