"""History entries for display: who changed what, when and why, with formatted values.

Applications register phrases for changes of a field with ``register_phrase``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from decimal import Decimal
from functools import cache
from itertools import chain
from typing import Any

from django.contrib.auth import get_user_model
from django.db import models
from django.utils import formats, timezone

from oegen import audit
from oegen.audit.audited import AuditedModel
from oegen.audit.changesets import author_of
from oegen.audit.narrative.names import NOTHING, NameCache, subject_model
from oegen.audit.narrative.rows import (
    Written,
    change_sets_of,
    rows_and_previous,
    rows_of,
    with_notes,
)
from oegen.audit.registry import Row
from oegen.core.bidi import isolated
from oegen.core.compiled import compiled
from oegen.core.pointers import target_of

#: The units of number fields, by the suffix of the field's name.
UNITS = {"_mw": "MW", "_mwh": "MWh", "_pct": "%"}


@dataclass(frozen=True)
class FieldChange:
    """The change of one field. ``old`` and ``new`` are formatted, ``raw_old`` and ``raw_new`` are
    the values of the model."""

    name: str
    label: str
    old: str
    new: str
    raw_old: Any
    raw_new: Any
    phrase: str

    @property
    def names_both_values(self) -> bool:
        """Whether the phrase contains the old and the new value."""
        return self.old in self.phrase and self.new in self.phrase and len(self.phrase) <= 200


@dataclass(frozen=True)
class Entry:
    """A history row for display, with the record that it is about."""

    history_id: int
    model: type[AuditedModel]
    record_id: Any
    subject: str
    subject_model: type[models.Model]
    subject_id: Any
    kind: str
    when: datetime
    person: str
    reason: str
    change_set_id: Any
    change_set_number: int
    source: str
    version: int
    phrase: str
    #: The name of the access token by which it was written, if by one.
    token_name: str = ""
    changes: tuple[FieldChange, ...] = field(default=())
    #: For a link row: the name of the other record.
    link: str = ""
    #: The text of the questions about the record that were answered with "save anyway".
    answers: tuple[str, ...] = ()
    #: The text of a comment since this entry.
    comment: str = ""
    #: For the entry that created a comment: that comment's newest entry, which may be itself.
    latest: Entry | None = None

    #: Reads the URL of the subject's page lazily: downloads do not need it.
    names: NameCache | None = field(default=None, repr=False, compare=False)

    @property
    def author(self) -> str:
        """The person and the token, for display."""
        return author_of(self.person, self.token_name)

    @property
    def url(self) -> str:
        """The URL of the subject's page; empty if it has none or was removed."""
        return self.names.url(self.subject_model, self.subject_id) if self.names else ""

    @property
    def noun(self) -> str:
        return str(self.model._meta.verbose_name)

    @property
    def subject_noun(self) -> str:
        return str(self.subject_model._meta.verbose_name)

    @property
    def subject_kind(self) -> str:
        """The subject's model name, as in the URL of its history."""
        return str(self.subject_model._meta.model_name)

    @property
    def is_comment(self) -> bool:
        return self.model.IS_COMMENT

    @property
    def is_access_entry(self) -> bool:
        """Whether the entry is about an account or a group, whose phrases compare whole lists."""
        return self.model.IS_COPY

    @property
    def shows_values(self) -> bool:
        """Whether to show a table of old and new values, because the phrases omit some."""
        return not self.is_comment and not all(change.names_both_values for change in self.changes)

    @property
    def former_comment(self) -> str:
        """The text of a comment before this entry changed it."""
        return self.changes[0].old if self.is_comment and self.changes else ""

    def sort_key(self) -> tuple[datetime, bool, int]:
        """The key to sort entries by: the time, with records before their links."""
        return self.when, bool(self.model.PARENT_FIELD), self.history_id


Phrase = Callable[[str, str, Any, Any], str]
_phrases: dict[tuple[type[models.Model], str], tuple[Phrase, frozenset[str]]] = {}


def register_phrase(
    model: type[models.Model], field_name: str, unless: Iterable[str] = ()
) -> Callable[[Phrase], Phrase]:
    """Register the phrase for changes of a field: a function of (old, new, raw old, raw new). Its
    text follows the record's name, as in "moved from Design to Procurement". An empty text omits
    the change; so does a simultaneous change of a field in ``unless``."""

    def register(phrase: Phrase) -> Phrase:
        _phrases[model, field_name] = phrase, frozenset(unless)
        return phrase

    return register


Unit = Callable[[Any, NameCache], str]
_units: dict[tuple[type[models.Model], str], Unit] = {}


def register_unit(model: type[models.Model], field_name: str) -> Callable[[Unit], Unit]:
    """Register the unit of a number field whose name has no unit suffix: a function of the row and
    the NameCache."""

    def register(unit: Unit) -> Unit:
        _units[model, field_name] = unit
        return unit

    return register


class Show(models.TextChoices):
    """A filter for the entries of a timeline."""

    ALL = "all", "All"
    CHANGES = "changes", "Changes"
    COMMENTS = "comments", "Comments"


def entries_of(
    record: AuditedModel,
    limit: int = 200,
    show: str = Show.ALL,
    known: Iterable[models.Model] = (),
) -> list[Entry]:
    """The newest ``limit`` entries of the record, its links and its comments, newest first. The
    names of records that are ``known``, as they are stored, are not read again.

    The number of queries depends on the number of link models, not on the number of entries.
    """
    model = type(record)
    newest = [
        _newest(model, number, limit, key=record.pk)
        for number, source in enumerate(_models_of_sources(model))
        if show == Show.ALL or (show == Show.COMMENTS) == source.IS_COMMENT
    ]
    entries = list(chain(*entries_of_each(newest, known)))
    entries.sort(key=Entry.sort_key, reverse=True)
    return _with_latest_of_comments(entries[:limit])


@cache
def _models_of_sources(model: type[AuditedModel]) -> list[type[AuditedModel]]:
    return [source.model.instance_type for source in model().timeline_sources()]


@compiled
def _newest(
    model: type[AuditedModel], number: int, limit: int, *, key: Any
) -> models.QuerySet[Any]:
    """The newest rows of one of the sources of the timeline of the model's record."""
    rows = model(id=key).timeline_sources()[number]
    return with_notes(rows.order_by("-history_date", "-history_id")[:limit])


def _with_latest_of_comments(entries: list[Entry]) -> list[Entry]:
    """Set ``latest`` on the entries that created comments. ``entries`` are newest first."""
    newest: dict[Any, Entry] = {}
    for entry in entries:
        if entry.is_comment:
            newest.setdefault(entry.record_id, entry)
    return [
        replace(entry, latest=newest[entry.record_id])
        if entry.is_comment and entry.kind == audit.CREATED
        else entry
        for entry in entries
    ]


def entries_since(record: AuditedModel, version: int) -> list[Entry]:
    """What was written of the record itself after the given version, newest first."""
    rows = type(record).history.filter(id=record.pk, version__gt=version).exclude(history_type="-")
    return entries_of_rows(rows.order_by("-history_date", "-history_id"))


def entries_by_ids(model: type[AuditedModel], history_ids: Iterable[int]) -> list[Entry]:
    """The entries of these history rows of one model, in no particular order."""
    return entries_of_each([rows_of(audit.history_model(model), list(history_ids))])[0]


def removal_of(model: type[AuditedModel], key: Any) -> list[Entry]:
    """The entry of the record's removal; an empty list if it was not removed."""
    rows = model.history.filter(id=key, history_type="-")
    return entries_of_rows(rows.order_by("-history_id")[:1])


def entries_of_rows(queryset: models.QuerySet[Any]) -> list[Entry]:
    """The entries of a queryset of history rows of one model, in the queryset's order."""
    return entries_of_each([with_notes(queryset)])[0]


def entries_of_each(
    sources: Iterable[Iterable[Row]], known: Iterable[models.Model] = ()
) -> list[list[Entry]]:
    """The entries of several sources, each of rows of one model ``with_notes``, which share the
    queries for names, people and change sets; those of ``known`` records are not read."""
    found = rows_and_previous(sources)
    names = NameCache(known)
    for rows, previous in found:
        for row in {row.history_id: row for row in [*rows, *previous.values()]}.values():
            names.prefetch_for(row.instance_type, row)
        for row in rows:
            names.prefetch(get_user_model(), row.history_user_id)
    change_sets = change_sets_of(row.change_set_id for rows, _ in found for row in rows)
    return [
        [
            _entry(row, previous.get(row.history_id), change_sets[row.change_set_id], names)
            for row in rows
        ]
        for rows, previous in found
    ]


def _entry(row: Row, previous: Row | None, written: Written, names: NameCache) -> Entry:
    model = row.instance_type
    changes = tuple(differences(model, row, previous, names)) if row.history_type == "~" else ()
    subject_model, subject_id, subject = _subject(model, row, names)
    return Entry(
        history_id=row.history_id,
        model=model,
        record_id=row.id,
        subject=subject,
        subject_model=subject_model,
        subject_id=subject_id,
        kind=row.history_type,
        when=row.history_date,
        person=str(names.record(get_user_model(), row.history_user_id) or ""),
        reason=row.history_change_reason or "",
        change_set_id=row.change_set_id,
        change_set_number=written.number,
        source=written.source,
        token_name=written.token_name,
        version=row.version,
        phrase=_phrase(model, row, changes, names),
        changes=changes,
        link=model.describe_link(row, names) if model.parent_field() else "",
        answers=tuple(
            answer["text"]
            for answer in (written.details or {}).get("asked", ())
            if answer["record"] == f"{model._meta.label_lower}:{row.id}"
        ),
        comment=row.text if model.IS_COMMENT else "",
        names=names,
    )


def _subject(
    model: type[AuditedModel], row: Row, names: NameCache
) -> tuple[type[models.Model], Any, str]:
    """The record that the row is about; for a link or comment, its parent or subject."""
    target: type[models.Model]
    if model.IS_COMMENT:
        target, key = subject_model(row.content_type_id), row.object_id
    elif owner := model.parent_field():
        target, key = owner.remote_field.model, getattr(row, owner.attname)
    else:
        return model, row.id, str(row.instance)
    return target, key, names.get(target, key)


def _phrase(
    model: type[AuditedModel], row: Row, changes: tuple[FieldChange, ...], names: NameCache
) -> str:
    noun = str(model._meta.verbose_name)
    if model.IS_COMMENT:
        verb = {"+": "commented", "~": "comment changed to", "-": "comment removed:"}
        was = f" (it was “{isolated(changes[0].old)}”)" if changes else ""
        return f"{verb[row.history_type]} “{isolated(row.text)}”{was}"
    if model.parent_field():
        if row.history_type == "~":
            return f"{model.describe_link(row, names)}: {_join_phrases(changes)}"
        return model.link_phrase(row, names)
    if row.history_type == "-":
        return "removed"
    added = row.history_type == "+"
    creation = model.CREATION_PHRASE or f"added as {_article(noun)} {noun}"
    what = creation if added else _join_phrases(changes)
    return ", ".join(filter(None, [what, model.entry_note(row)]))


def _join_phrases(changes: Iterable[FieldChange]) -> str:
    return "; ".join(filter(None, (change.phrase for change in changes))) or "saved again as it was"


def _article(noun: str) -> str:
    return "an" if noun[0].lower() in "aeiou" else "a"


def differences(
    model: type[AuditedModel], row: Row, previous: Row | None, names: NameCache
) -> Iterable[FieldChange]:
    """The field changes from ``previous`` to ``row``, which are history rows or records."""
    if previous is None:
        return
    changed = [
        model_field
        for model_field in model._meta.concrete_fields
        if model_field.name not in model.BOOKKEEPING
        and getattr(previous, model_field.attname) != getattr(row, model_field.attname)
    ]
    changed_names = {model_field.name for model_field in changed}
    for model_field in changed:
        raw_old = getattr(previous, model_field.attname)
        raw_new = getattr(row, model_field.attname)
        label = str(model_field.verbose_name)
        label = label[:1].upper() + label[1:]
        old, new = (display(model_field, version, names) for version in (previous, row))
        phrase, unless = _phrases.get((model, model_field.name), (None, frozenset()))
        if phrase is None:
            words = f"{label} from {isolated(old)} to {isolated(new)}"
        elif unless & changed_names:
            words = ""
        else:
            words = phrase(isolated(old), isolated(new), raw_old, raw_new)
        yield FieldChange(model_field.name, label, old, new, raw_old, raw_new, words)


def display(model_field: models.Field[Any, Any], row: Row, names: NameCache) -> str:
    """Format a field's value of a record or history row, with its unit."""
    value = getattr(row, model_field.attname)
    if value is None or value == "":
        return NOTHING
    if target := target_of(model_field):
        return names.get(target, value)
    if model_field.choices:
        return str(dict(model_field.flatchoices).get(value, value))
    if words_for := getattr(model_field, "words_for", None):
        return str(words_for(value))
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, datetime):
        return formats.date_format(timezone.localtime(value), "DATETIME_FORMAT")
    if isinstance(value, date):
        return formats.date_format(value, "DATE_FORMAT")
    if isinstance(value, Decimal):
        if unit_of := _units.get((model_field.model, model_field.name)):
            unit = unit_of(row, names)
        else:
            suffixes = (suffix for suffix in UNITS if model_field.name.endswith(suffix))
            unit = UNITS.get(next(suffixes, ""), "")
        number = formats.number_format(value.normalize() + 0, use_l10n=True, force_grouping=True)
        return f"{number} {unit}".strip()
    return str(value)
