"""Questions: warnings about unusual values, which the user can confirm.

A rule rejects a value; a question asks for confirmation. Models return questions from
``AuditedModel.questions``; forms, editable lists, the board and imports ask them. Confirmed
questions are stored in the change set and so appear in the history.
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
    """A question about some fields of a record.

    It is asked if one of ``fields`` is written, at the first of them. ``text`` must quote their
    values: an answer is valid for exactly that text, so other values ask again.
    """

    kind: str
    fields: tuple[str, ...]
    text: str
    #: The record that the text names last; pages render it as a link.
    other: AuditedModel | None = field(default=None, compare=False)

    @property
    def as_html(self) -> SafeString:
        """The text, in which the other record's name is a link that opens in a new tab."""
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
        """The form value that confirms the question."""
        digest = hashlib.sha256(self.text.encode()).hexdigest()
        return f"{self.kind}-{digest[:20]}"


class QuestionError(ValidationError):
    """An unanswered question. ``html_name`` is the name of the check box that confirms it."""

    def __init__(self, question: Question, html_name: str = "save_anyway"):
        super().__init__(question.text, code="question")
        self.question = question
        self.html_name = html_name


def about(record: AuditedModel, changed: Collection[str] | None) -> list[Question]:
    """The questions about the ``changed`` fields; None: about all fields."""
    return [
        question
        for question in record.questions()
        if changed is None or not set(question.fields).isdisjoint(changed)
    ]


def split(
    record: AuditedModel, *, changed: Collection[str] | None, answers: Collection[str]
) -> tuple[list[Question], list[Question]]:
    """(unanswered, answered) questions about the changed fields; ``answers`` are keys."""
    asked = about(record, changed)
    unanswered = [question for question in asked if question.key not in answers]
    return unanswered, [question for question in asked if question.key in answers]


def require_answers(
    record: AuditedModel, *, changed: Collection[str] | None, answers: Collection[str]
) -> list[Question]:
    """The answered questions. Raises ValidationError, by field, if any is unanswered."""
    unanswered, answered = split(record, changed=changed, answers=answers)
    if unanswered:
        errors: dict[str, list[QuestionError]] = {}
        for question in unanswered:
            errors.setdefault(question.fields[0], []).append(QuestionError(question))
        raise ValidationError(errors)
    return answered


def record_answers(record: AuditedModel, answered: Iterable[Question]) -> None:
    """Store in the open change set that these questions about the record were confirmed."""
    for question in answered:
        open_change_set().add_answer(record, question)
