"""The record of a question: what ``AskedQuestion`` stores of how it was answered."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, TypeVar
from uuid import UUID, uuid4

from django.utils import timezone

from dashboard.ask.events import Done, ReadingShown, Refused, Sentence
from dashboard.ask.findings import Findings
from dashboard.ask.lookups import Asker
from dashboard.ask.results import clean
from dashboard.models import QUESTIONS_KEPT_FOR, AskedQuestion
from oegen.jobs.tidying import tidies
from oegen.models import User

T = TypeVar("T")


@dataclass
class Recording:
    """Collects what ``save`` writes in one row, also of an answer that broke off."""

    question: str
    asker: Asker
    via: str
    conversation: UUID = field(default_factory=uuid4)
    key: UUID = field(default_factory=uuid4)
    findings: Findings = field(default_factory=Findings)
    #: The lookups that were asked for: name, arguments, and why one was refused.
    lookups: list[dict[str, Any]] = field(default_factory=list)
    reading: dict[str, Any] = field(default_factory=dict)
    sentences: list[str] = field(default_factory=list)
    written: list[str] = field(default_factory=list)
    dropped: list[dict[str, str]] = field(default_factory=list)
    refusal: str = ""
    answered_by: str = ""
    input_tokens: int = 0
    output_tokens: int = 0
    _began: float = field(default_factory=time.monotonic)

    @property
    def tokens(self) -> int:
        return self.input_tokens + self.output_tokens

    def note(self, event: object) -> None:
        if isinstance(event, Sentence):
            self.sentences.append(event.text)
        elif isinstance(event, ReadingShown):
            self.reading = event.reading
        elif isinstance(event, Refused):
            self.refusal = event.text

    def of(self, events: Iterator[T]) -> Iterator[T | Done]:
        """The events as they come, recorded once they end, also when the reader stops listening;
        then Done, unless the reader stopped."""
        try:
            for event in events:
                self.note(event)
                yield event
        finally:
            self.save()
        yield Done(self.key, self.conversation, self.answered_by)

    def save(self) -> AskedQuestion:
        return AskedQuestion.objects.create(
            id=self.key,
            conversation=self.conversation,
            person=self.asker.person,
            via=self.via,
            question=clean(self.question),
            page=self.asker.page,
            day=self.asker.as_of,
            reading=self.reading,
            lookups=self.lookups or self._lookups_found(),
            figures=self.findings.as_json(),
            sentences=self.sentences,
            written=self.written,
            dropped=self.dropped,
            refusal=clean(self.refusal),
            answered_by=self.answered_by,
            input_tokens=self.input_tokens,
            output_tokens=self.output_tokens,
            milliseconds=round(1000 * (time.monotonic() - self._began)),
        )

    def _lookups_found(self) -> list[dict[str, Any]]:
        return [
            {
                "name": one.lookup,
                "arguments": {name: _plain(value) for name, value in one.arguments.items()},
            }
            for one in self.findings.found
        ]


def _plain(value: Any) -> Any:
    return value if isinstance(value, str | int) else str(value)


def rate(key: UUID, person: User, thumbs: str) -> bool:
    """Store what the person thinks of the answer to a question of theirs; whether there is one."""
    return bool(AskedQuestion.objects.filter(pk=key, person=person).update(thumbs=thumbs))


@tidies
def forget_old_questions() -> None:
    AskedQuestion.objects.filter(created_at__lt=timezone.now() - QUESTIONS_KEPT_FOR).delete()
