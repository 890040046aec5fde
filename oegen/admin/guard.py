"""The edit guard: optimistic locking of forms.

A form contains a token with the version of every row it may overwrite. If a version is out of date,
saving is refused, a message says who changed what, and the form is updated: untouched fields take
the newer value, the others keep the user's input. Saving again overwrites knowingly.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django import forms
from django.apps import apps
from django.core.exceptions import ValidationError
from django.db import IntegrityError
from django.utils import formats, timezone
from django.utils.html import format_html, format_html_join

from oegen.audit.audited import AuditedModel
from oegen.audit.changesets import author_of
from oegen.audit.narrative import timeline
from oegen.core.exceptions import StaleRecordError
from oegen.core.triggers import broken_rule

if TYPE_CHECKING:
    from oegen.admin.forms import GuardedForm

#: About ten thousand rows.
MAX_TOKEN_LENGTH = 1_000_000


def token(rows: Iterable[AuditedModel]) -> str:
    """The rows' versions as JSON, {"pipelines.pipeline:<id>": 3, …}."""
    return json.dumps({key_of(row): row.version for row in rows}, sort_keys=True)


def key_of(row: AuditedModel) -> str:
    return f"{row._meta.label_lower}:{row.pk}"


def parse_token(text: str) -> dict[str, int]:
    """The versions in a token. Raises ValidationError for an invalid token."""
    try:
        if len(text) > MAX_TOKEN_LENGTH:
            raise ValueError
        versions = json.loads(text)
        for key, version in versions.items():
            label, _, pk = key.partition(":")
            uuid.UUID(pk)
            if not (isinstance(version, int) and issubclass(apps.get_model(label), AuditedModel)):
                raise ValueError
    except (ValueError, AttributeError, LookupError, RecursionError):
        raise ValidationError(
            "This page's note of what it was opened on is damaged. Nothing was saved: "
            "copy what you typed, open the page again and repeat the change."
        ) from None
    return versions


@dataclass(frozen=True)
class Conflict:
    """Others' changes to the rows of a form since it was opened, newest first."""

    entries: list[timeline.Entry]

    def as_message(self):
        people = sorted({entry.author for entry in self.entries})
        return format_html(
            "{} changed this while you had it open. Nothing was saved, and what you typed is "
            "still here; fields you had not touched now show the newer value. "
            'Look it over, then save again.<ul class="conflict">{}</ul>',
            " and ".join(people),
            format_html_join(
                "",
                "<li><b>{}</b>{} {} <span>by {}, {}{}</span></li>",
                (
                    (
                        entry.subject,
                        ":" if entry.link else "",
                        entry.phrase,
                        author_of(entry.person or "the system", entry.token_name),
                        formats.date_format(timezone.localtime(entry.when), "DATETIME_FORMAT"),
                        f": “{entry.reason}”" if entry.reason else "",
                    )
                    for entry in self.entries
                ),
            ),
        )


def find_conflict(opened: dict[str, int], rows: Iterable[AuditedModel]) -> Conflict | None:
    """Compare the versions that a form was opened on with the current rows."""
    current = {key_of(row): row for row in rows}
    entries: list[timeline.Entry] = []
    for key, version in opened.items():
        row = current.get(key)
        if row is not None and row.version == version:
            continue
        label, _, pk = key.partition(":")
        model = apps.get_model(label)
        entries += timeline.entries_since(row or model(pk=pk), version)
        if row is None:
            entries += timeline.removal_of(model, pk)
    if not entries:
        return None
    entries.sort(key=lambda entry: (entry.when, entry.history_id), reverse=True)
    return Conflict(entries)


def seen_values(record: AuditedModel, version: int):
    """The record's history row at the version that a form was opened on; None if there is none."""
    return type(record).history.filter(id=record.pk, version=version).first()


def write_value(form: GuardedForm, name: str, value) -> None:
    """Set the value of a field in a bound form's data."""
    widget = form.fields[name].widget
    html_name = form.add_prefix(name)
    if isinstance(widget, forms.CheckboxInput):
        form.data.pop(html_name, None)
        if value:
            form.data[html_name] = "on"
        return
    if isinstance(widget, forms.MultiWidget):
        suffixes = widget.widgets_names  # type: ignore[attr-defined]  # not in the stubs
        texts = widget.decompress(value) or []
        for suffix, part, text in zip(suffixes, widget.widgets, texts, strict=True):
            form.data[html_name + suffix] = part.format_value(text) or ""
        return
    text = widget.format_value(form.fields[name].prepare_value(value))
    if isinstance(widget, forms.CheckboxSelectMultiple):
        form.data.setlist(html_name, text)
        return
    if isinstance(text, list | tuple):
        text = text[0] if text else ""
    form.data[html_name] = "" if text is None else text


def refusal_message(error: StaleRecordError | IntegrityError) -> str:
    """The message for a user whose input could not be saved in any attempt."""
    if isinstance(error, StaleRecordError):
        why = "Others keep saving the same record."
    else:
        rule = broken_rule(error)
        why = f"The database refused this: {rule}" if rule else "It breaks a rule of the database."
    return (
        f"{why} Nothing was saved. Look over what you entered and save again; if it happens "
        "twice, tell an administrator what you tried."
    )
