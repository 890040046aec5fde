"""The one way in for questions, of pages and programs::

    for event in ask("how many MW are red?", Asker(request.user, page="/")):
        ...  # dashboard.ask.events

Every question is recorded once its answer ends, also when the reader stops listening.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from uuid import UUID

from dashboard.ask import answering, provider
from dashboard.ask.events import GRAMMAR, Event, ReadingShown, Refused, Shown, sentence
from dashboard.ask.grammar import ASKS, Reading, read
from dashboard.ask.lookups import Asker
from dashboard.ask.recording import Recording
from dashboard.ask.results import clean
from dashboard.models import AskedQuestion

#: The most characters of a question.
MOST_ASKED = 1000


def ask(
    question: str,
    asker: Asker,
    conversation: UUID | None = None,
    via: str = AskedQuestion.Via.PAGE,
) -> Iterator[Event]:
    """Answer a question. ``conversation`` is that of an earlier Done of the same person, of which
    this is a follow-up. The last event is Done, unless the caller stops."""
    asker = replace(asker, page=clean(asker.page))
    recording = Recording(clean(question).strip(), asker, via)
    earlier: list[AskedQuestion] = []
    if conversation:
        earlier = list(_earlier(asker, conversation))
        if earlier:
            recording.conversation = conversation
    yield from recording.of(_answer(recording, earlier))


def _answer(recording: Recording, earlier: list[AskedQuestion]) -> Iterator[Event]:
    question = recording.question
    if not question:
        yield Refused("Type a question, such as “How many MW of solar are red in Spain?”.")
        return
    if len(question) > MOST_ASKED:
        yield Refused(
            f"This question has {len(question):,} characters. Ask in {MOST_ASKED:,} at most."
        )
        recording.question = question[:MOST_ASKED]
        return
    reading = read(question, recording.asker)
    # At once, because what it looks up can take a moment.
    yield ReadingShown(stored_reading(reading), unread=reading.unread, choices=reading.choices)
    said = answering.answer_reading(question, reading, recording.asker, recording.findings)
    if said.reading.is_read or said.reading.lookup == ASKS:
        recording.answered_by = GRAMMAR
        yield from of_grammar(said)
    elif provider.is_configured():
        yield from provider.answer(recording, earlier)
    else:
        yield Refused(" ".join(said.sentences))


def of_grammar(said: answering.Answer) -> Iterator[Event]:
    for text in said.sentences:
        yield sentence(text, said.findings)
    for found in said.found:
        if found.table:
            yield Shown(found)


def stored_reading(reading: Reading) -> dict[str, str]:
    """The reading as ``manage.py ask --json`` prints it, and the key of its record."""
    return reading.as_json() | ({"pk": reading.pk} if reading.pk else {})


#: The questions of a conversation that a follow-up builds on.
MOST_EARLIER = 4


def _earlier(asker: Asker, conversation: UUID) -> list[AskedQuestion]:
    """The last questions of the person's own conversation, the oldest first."""
    newest = AskedQuestion.objects.filter(conversation=conversation, person=asker.person)
    return list(reversed(newest[:MOST_EARLIER]))
