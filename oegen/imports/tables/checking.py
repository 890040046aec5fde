"""The rules, permissions and questions for everything that an import writes, and what is refused
together."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from functools import partial
from typing import Any

from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import NON_FIELD_ERRORS, PermissionDenied, ValidationError
from django.db import models
from django.utils.text import capfirst

from oegen.audit import questions
from oegen.audit.audited import AuditedModel
from oegen.audit.choices import BATCH_SIZE, CHANGED, REMOVED
from oegen.audit.questions import Question
from oegen.audit.revert.steps import permission_for
from oegen.core.fields import own_field
from oegen.core.record_keys import Key
from oegen.imports.tables.asking import KEEP, TAKE, About, Asked, Option
from oegen.imports.tables.kinds import KINDS, ImportKind
from oegen.imports.tables.plans import Origin, Planned, Problem, RowPlan, RowState
from oegen.people import writing
from oegen.people.models import User
from oegen.search.models import RecordKey


class Checker:
    """``person`` None: a command, which may write everything."""

    def __init__(
        self,
        rows: dict[int, RowPlan],
        person: User | None,
        reason: str,
        choices: dict[str, str],
        *,
        save_anyway: bool,
    ):
        self.rows = rows
        self.person = person
        self.reason = reason
        self.choices = choices
        self.save_anyway = save_anyway
        self._kinds: dict[type[AuditedModel], ImportKind] = {
            kind.model: kind for kind in reversed(KINDS.values())
        }
        self._permissions: dict[str, bool] = {}

    def check(self, planned: Iterable[Planned]) -> None:
        """Add what stands against the records to their rows."""
        effective = [one for one in planned if one.has_effect]
        self._prefetch(effective)
        for one in effective:
            self._check_one(one)
        self._check_keys(effective)
        asking = self._may_ask(effective)
        for one in effective:
            if one.action != REMOVED and one.record.pk in asking:
                self._ask(one)

    def _prefetch(self, planned: list[Planned]) -> None:
        """Read what the rules need of changed records, a batch of them at a time."""
        for model, kind in self._kinds.items():
            if kind.prefetch:
                changed = [
                    one.record
                    for one in planned
                    if one.action == CHANGED and type(one.record) is model
                ]
                for start in range(0, len(changed), BATCH_SIZE):
                    models.prefetch_related_objects(
                        changed[start : start + BATCH_SIZE], *kind.prefetch
                    )

    def _check_one(self, one: Planned) -> None:
        needed = permission_for(type(one.record), one.action)
        if not self._may(needed):
            verb = {CHANGED: "change", REMOVED: "remove"}.get(one.action, "add")
            noun = one.record._meta.verbose_name_plural
            self._refuse(one, {NON_FIELD_ERRORS: [f"You may not {verb} {noun}."]})
        if one.action == REMOVED:
            return
        kind = self._kinds.get(type(one.record))
        try:
            if self.person is not None:
                writing.require_field_permissions(one.record, one.changed, self.person)
            prepare = (
                (lambda record, changed: None)
                if kind is None
                else partial(_prepare, kind, self.person)
            )
            if one.is_new:
                writing.check_new(one.record, one.changed, prepare=prepare, clean=_clean)
            else:
                writing.check_change(
                    one.record, one.changed, reason=self.reason, prepare=prepare, clean=_clean
                )
        except ValidationError as error:
            self._refuse(one, error.update_error_dict({}))
        except PermissionDenied as error:
            self._refuse(one, {NON_FIELD_ERRORS: [str(error)]})

    def _may(self, permission: str) -> bool:
        if self.person is None:
            return True
        if permission not in self._permissions:
            self._permissions[permission] = self.person.has_perm(permission)
        return self._permissions[permission]

    def _refuse(self, one: Planned, errors: dict[str, list[Any]]) -> None:
        """Add the errors, by attribute, at the cells that the values came from."""
        one.is_refused = True
        first = min(one.setters or one.users)
        for name, messages in errors.items():
            if name in one.unreadable:
                continue
            origin = one.origins.get(name) or Origin(first, None, _label(one.record, name), "")
            row = self.rows[origin.row if origin.row in self.rows else first]
            for message in ValidationError(messages).messages:
                problem = Problem(origin.place, origin.heading, origin.text, message)
                if problem not in row.problems:
                    row.problems.append(problem)

    # Names and numbers ------------------------------------------------------------------------

    def _check_keys(self, planned: list[Planned]) -> None:
        """Refuse unique names and numbers that another record has, here or in the file."""
        by_model: dict[type[AuditedModel], list[Planned]] = defaultdict(list)
        for one in planned:
            if one.action != REMOVED and one.record.HAS_KEYS:
                by_model[type(one.record)].append(one)
        for model, several in by_model.items():
            keys = {one.record.pk: _unique_keys(one.record) for one in several}
            first: dict[tuple[str, str], AuditedModel] = {}
            for one in several:
                for key in keys[one.record.pk]:
                    first.setdefault(key, one.record)
            stored = self._holders(model, [key for _, key in first])
            for one in several:
                for key, found in keys[one.record.pk].items():
                    other: Any = first[key]
                    holder = stored.get(key)
                    # A record that gives the name up in the same import does not have it any more.
                    if holder is not None and key in keys.get(holder, {key: None}):
                        other = one.record if holder == one.record.pk else holder
                    if other == one.record:
                        continue
                    if not isinstance(other, AuditedModel):
                        other = model._base_manager.get(pk=other)
                    self._refuse(one, {found.field_name: [found.message % {"other": other}]})

    def _holders(self, model: type[AuditedModel], keys: list[str]) -> dict[tuple[str, str], Any]:
        found = {}
        rows = RecordKey.objects.filter(
            content_type=ContentType.objects.get_for_model(model), number__isnull=False
        )
        for start in range(0, len(keys), 1000):
            some = rows.filter(key__in=keys[start : start + 1000])
            for kind, key, record in some.values_list("kind", "key", "object_id"):
                found[kind, key] = record
        return found

    # Questions --------------------------------------------------------------------------------

    def _may_ask(self, planned: list[Planned]) -> set[Any]:
        """The records whose model may have a question: where it asks about names alone, those that
        share one with another record."""
        asking = set()
        by_model: dict[type[AuditedModel], list[Planned]] = defaultdict(list)
        for one in planned:
            kind = self._kinds.get(type(one.record))
            if kind is not None and kind.asks_by_keys:
                by_model[type(one.record)].append(one)
            else:
                asking.add(one.record.pk)
        for model, several in by_model.items():
            keys: dict[str, set[Any]] = defaultdict(set)
            for one in several:
                for own in one.record.record_keys():
                    keys[own.key].add(one.record.pk)
                    keys[own.likeness].add(one.record.pk)
            keys.pop("", None)
            rows = RecordKey.objects.filter(content_type=ContentType.objects.get_for_model(model))
            texts = list(keys)
            for start in range(0, len(texts), 500):
                some = texts[start : start + 500]
                found = rows.filter(models.Q(key__in=some) | models.Q(likeness__in=some))
                for key, likeness, record in found.values_list("key", "likeness", "object_id"):
                    asking |= (keys.get(key, set()) | keys.get(likeness, set())) - {record}
        return asking

    def _ask(self, one: Planned) -> None:
        changed = None if one.is_new else one.changed
        row = self.rows[min(one.setters or one.users)]
        for question in questions.about(one.record, changed):
            asked = _asked(question, row.number)
            answer = asked.answer(self.choices) or (TAKE if self.save_anyway else "")
            if answer == TAKE:
                one.answered.append(question)
                continue
            one.is_refused = True
            if answer == KEEP:
                row.state = RowState.LEFT_OUT
            elif asked not in row.asked:
                row.asked.append(asked)


def _unique_keys(record: AuditedModel) -> dict[tuple[str, str], Key]:
    return {(key.kind, key.key): key for key in record.record_keys() if key.is_unique}


def _asked(question: Question, row: int) -> Asked:
    return Asked(
        key=question.key,
        about=About.RECORD,
        text=question.text,
        options=(Option(TAKE, "Yes, as in the file"), Option(KEEP, "No, leave the row out")),
        row=row,
    )


def _prepare(
    kind: ImportKind | None, person: User | None, record: AuditedModel, changed: set[str]
) -> None:
    if kind is not None:
        kind.prepare(record, changed, person)


def _label(record: AuditedModel, name: str) -> str:
    if name in (NON_FIELD_ERRORS, "reason"):
        return ""
    return capfirst(str(own_field(type(record), name).verbose_name))


def _clean(record: AuditedModel) -> None:
    """Apply the rules of the fields and the record, without a query for each foreign key and
    constraint: keys come from look-ups, and the database checks constraints when the import is
    tried."""
    errors: dict[str, list[Any]] = {}
    keys = [one for one in record._meta.concrete_fields if isinstance(one, models.ForeignKey)]
    for one in keys:
        if not one.null and getattr(record, one.attname) is None:
            noun = record._meta.verbose_name
            errors[one.name] = [f"Give the {one.verbose_name}: a new {noun} needs one."]
    record.round_numbers()
    try:
        record.clean_fields(exclude={*record.BOOKKEEPING, *(one.name for one in keys)})
    except ValidationError as error:
        error.update_error_dict(errors)
    try:
        record.clean()
    except ValidationError as error:
        error.update_error_dict(errors)
    if errors:
        raise ValidationError(errors)


def close_refusals(planned: Iterable[Planned], refused: set[int]) -> set[int]:
    """The rows that can't be written without the refused ones, with the refused ones.

    A record that several rows change is written as a whole or not at all. One that a refused row
    makes and others only use is still made for those, unless something stands against it.
    """
    several = [one for one in planned if len(one.users | one.setters) > 1 and one.has_effect]
    refused = set(refused)
    for one in several:
        if one.is_refused:
            refused |= one.users | one.setters
    size = -1
    while size != len(refused):
        size = len(refused)
        for one in several:
            if one.setters & refused and len(one.setters) > 1:
                refused |= one.setters
    return refused
