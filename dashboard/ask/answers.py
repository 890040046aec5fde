"""The events of an answer, whatever is asked: a question, one read in another way, or a brief."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from uuid import UUID

from django.utils import timezone

from dashboard.ask import answering, asking, briefs, provider, sharing
from dashboard.ask.briefs import Heading
from dashboard.ask.events import (
    GRAMMAR,
    Done,
    Event,
    ReadingShown,
    Refused,
    Status,
    sentence,
)
from dashboard.ask.grammar import Reading
from dashboard.ask.lookups import Asker, LookupRefusedError
from dashboard.ask.recording import Recording
from dashboard.models import AskedQuestion

Events = Iterator[Event | Heading]


def answer_to(
    question: str, asker: Asker, conversation: UUID | None, reading: Reading | None
) -> Events:
    """``reading`` is that of the question, if somebody changed it."""
    yield Status("Looking it up")
    if reading:
        write = _read_as(reading)
    elif briefs.asks_for_brief(question):
        write = _brief
    else:
        yield from asking.ask(question, asker, conversation)
        return
    recording = Recording(question, asker, AskedQuestion.Via.PAGE)
    recording.conversation = conversation or recording.conversation
    yield from recording.of(write(recording))


def answer_again(asked: AskedQuestion, reader: Asker) -> Events:
    """What the reader may see of an answer that was given before, as of its day. A brief is written
    from its templates again."""
    answered_by = asked.answered_by
    if briefs.asks_for_brief(asked.question):
        answered_by = GRAMMAR
        day = sharing.day_of(asked)
        as_of = None if day >= timezone.localdate() else day
        yield from _brief_of(replace(reader, as_of=as_of, page=asked.page))
    else:
        yield from sharing.look_up_again(asked, reader)
    yield Done(asked.pk, asked.conversation, answered_by)


def _read_as(reading: Reading) -> Callable[[Recording], Events]:
    def write(recording: Recording) -> Events:
        yield ReadingShown(asking.stored_reading(reading))
        said = answering.answer_reading(
            recording.question, reading, recording.asker, recording.findings
        )
        recording.answered_by = GRAMMAR
        if said.reading.is_read:
            yield from asking.of_grammar(said)
        else:
            yield Refused(" ".join(said.sentences))

    return write


def _brief(recording: Recording) -> Events:
    recording.answered_by = GRAMMAR
    yield from _brief_of(recording.asker, recording)


def _brief_of(asker: Asker, recording: Recording | None = None) -> Events:
    try:
        brief = briefs.brief_of(asker)
        if recording:
            recording.findings = brief.findings
        if recording and provider.is_configured():
            for section in brief.sections():
                yield Heading(section.title)
                yield from provider.retell(recording, section.sentences)
            return
        for line in brief.lines:
            yield line if isinstance(line, Heading) else sentence(line, brief.findings)
    except LookupRefusedError as error:
        yield Refused(str(error))
