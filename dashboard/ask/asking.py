"""The one way in for questions, of pages and programs::

    for event in ask("how many MW are red?", Asker(request.user, page="/")):
        ...  # dashboard.ask.events

Every question is recorded once its answer ends, also when the reader stops listening.
"""

from __future__ import annotations

from collections.abc import Iterator
from uuid import UUID

from dashboard.ask import provider
from dashboard.ask.events import Done, Event, Refused
from dashboard.ask.lookups import Asker
from dashboard.ask.recording import Recording
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
    recording = Recording(question.replace("\x00", "").strip(), asker, via)
    earlier: list[AskedQuestion] = []
    if conversation:
        earlier = list(_earlier(asker, conversation))
        if earlier:
            recording.conversation = conversation
    try:
        for event in _answer(recording, earlier):
            recording.note(event)
            yield event
    finally:
        recording.save()
    yield Done(recording.key, recording.conversation, recording.answered_by)


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
    if provider.is_configured():
        yield from provider.answer(recording, earlier)
        return
    yield Refused("This question was not understood.")


#: The questions of a conversation that a follow-up builds on.
MOST_EARLIER = 4


def _earlier(asker: Asker, conversation: UUID) -> list[AskedQuestion]:
    """The last questions of the person's own conversation, the oldest first."""
    newest = AskedQuestion.objects.filter(conversation=conversation, person=asker.person)
    return list(reversed(newest[:MOST_EARLIER]))
