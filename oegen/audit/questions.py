"""Questions: findings about what is being written that are unusual and may be right.

A rule refuses; a question asks. A model raises questions in ``AuditedModel.questions``; forms,
editable lists, the board and imports ask them. What is saved all the same is remembered in the
change set, so that the history says what was asked.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from django.core.exceptions import ValidationError
from django.shortcuts import resolve_url
from django.utils.html import conditional_escape, format_html
from django.utils.safestring import SafeString

from oegen.audit.context import open_change_set

if TYPE_CHECKING:
    from oegen.audit.audited import AuditedModel


@dataclass(frozen=True)
class Question:
    """``fields`` are those of the record that it is about, first the one at which it is asked: it
    is asked when one of them is written. ``text`` quotes their values, because the answer holds
    for that very text: other values ask again."""

    kind: str
    fields: tuple[str, ...]
    text: str
    #: The record that the text names last, which a page shows as a link.
    other: AuditedModel | None = field(default=None, compare=False)

    @property
    def as_html(self) -> SafeString:
        """The text with the other record's name as a link, which opens beside what is being
        typed."""
        name = str(self.other) if self.other else ""
        before, found, after = self.text.rpartition(f"“{name}”")
        if not (self.other and found):
            return conditional_escape(self.text)
        return format_html(
            '{}“<a href="{}" target="_blank"><bdi>{}</bdi>'
            '<span class="visually-hidden"> (opens in a new tab)</span></a>”{}',
            before,
            resolve_url(self.other),
            name,
            after,
        )

    @property
    def key(self) -> str:
        """What a form sends back to say that the answer is yes."""
        digest = hashlib.sha256(self.text.encode()).hexdigest()
        return f"{self.kind}-{digest[:20]}"


class QuestionError(ValidationError):
    """A question that nobody has answered yet. ``html_name`` is that of the tick with which a
    form's error answers it."""

    def __init__(self, question: Question, html_name: str = "save_anyway"):
        super().__init__(question.text, code="question")
        self.question = question
        self.html_name = html_name


def about(record: AuditedModel, changed: Collection[str] | None) -> list[Question]:
    """The questions about what is being written: about the ``changed`` fields, None for all."""
    return [
        question
        for question in record.questions()
        if changed is None or not set(question.fields).isdisjoint(changed)
    ]


def split(
    record: AuditedModel, *, changed: Collection[str] | None, answers: Collection[str]
) -> tuple[list[Question], list[Question]]:
    """(unanswered, answered) questions about what is being written; ``answers`` are keys."""
    asked = about(record, changed)
    unanswered = [question for question in asked if question.key not in answers]
    return unanswered, [question for question in asked if question.key in answers]


def settle(
    record: AuditedModel, *, changed: Collection[str] | None, answers: Collection[str]
) -> list[Question]:
    """The answered questions. Raises ValidationError by field while there are others."""
    unanswered, answered = split(record, changed=changed, answers=answers)
    if unanswered:
        errors: dict[str, list[QuestionError]] = {}
        for question in unanswered:
            errors.setdefault(question.fields[0], []).append(QuestionError(question))
        raise ValidationError(errors)
    return answered


def remember(record: AuditedModel, answered: Iterable[Question]) -> None:
    """Keep in the open change set that these were asked about the record, and it was saved all
    the same."""
    for question in answered:
        open_change_set().keep_answer(record, question)
