"""The import of comments on records."""

from __future__ import annotations

from typing import Any

from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import ValidationError

from oegen.audit.audited import AuditedModel
from oegen.imports.cells import quote
from oegen.imports.tables.kinds import KINDS, ImportField, ImportKind, Sets, register
from oegen.imports.tables.lookups import Lookups
from oegen.imports.tables.reading import Value
from oegen.imports.tables.readings import Reading, text_of
from oegen.imports.tables.values import Reads
from oegen.people.comments import Comment
from oegen.people.models import User


class Subject(Reads):
    """The record that a comment is about, by id or name. A name has to be that of one record alone,
    whichever its type."""

    def read(self, value: Value, reading: Reading, lookups: Lookups) -> AuditedModel:
        found: list[AuditedModel] = []
        messages: list[str] = []
        for kind in KINDS.values():
            if not (hasattr(kind.model, "comments") and kind.name_field):
                continue
            try:
                found.append(lookups.one(kind.name, text_of(value)))
            except ValidationError as error:
                messages += error.messages
        if len(found) == 1:
            return found[0]
        if found:
            nouns = ", ".join(str(record._meta.verbose_name) for record in found)
            raise ValidationError(
                f"{quote(text_of(value))} is the name of several records ({nouns}): write the ID."
            )
        several = [message for message in messages if " is the name of " in message]
        raise ValidationError(
            several[:1]
            or f"There is no record {quote(text_of(value))}. Write the name or the ID of one that "
            "is here."
        )


def _set_subject(comment: Comment, record: Any) -> Sets:
    if record is None:
        return []
    values = {
        "content_type": ContentType.objects.get_for_model(type(record)),
        "object_id": record.pk,
    }
    return [(comment, values)]


def _subject_of(comment: Comment) -> Any:
    return comment.subject if comment.object_id else None


def _sign(comment: Comment, changed: set[str], person: User | None) -> None:
    """A new comment is by whoever imports it; a stored one stays with its record and author."""
    if comment._state.adding:
        comment.author = person
    elif {"content_type", "object_id"} & changed:
        raise ValidationError({"object_id": "A comment stays with its record: add another one."})
    elif person is not None and comment.author_id != person.pk and not person.is_superuser:
        raise ValidationError({"text": "Only its author and administrators change a comment."})


COMMENTS = register(
    ImportKind(
        name="comments",
        model=Comment,
        name_field="",
        key_fields=("record", "text"),
        prepare=_sign,
        computed=frozenset({"Author", "Added", "Last changed"}),
        own_fields=(
            ImportField(
                name="record",
                label="Record",
                reads=Subject(),
                other_names=("About", "Record ID", "Record name"),
                attribute="object_id",
                get=_subject_of,
                set=_set_subject,
            ),
            ImportField(name="text", label="Comment", other_names=("Text", "Note", "Remark")),
        ),
    )
)
