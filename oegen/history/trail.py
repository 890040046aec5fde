"""The stream over all history tables, newest first, with filters."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from typing import Self

from django.contrib.contenttypes.models import ContentType
from django.db.models import Q, QuerySet

from oegen import audit, search
from oegen.audit.audited import AuditedModel
from oegen.audit.changesets import ChangeSet
from oegen.audit.narrative import timeline
from oegen.core.fields import own_field
from oegen.history.stream import changing, entries, recorded_between, stream
from oegen.pages.selection import NOTHING, Selection
from oegen.people.comments import Comment

#: The code for changes without a person.
THE_SYSTEM = "system"

#: Up to this many change sets, keys are looked up first; for more, rows are scanned.
MAX_KEYS = 200


@dataclass(frozen=True)
class Trail:
    """A filter over all entries; None and empty values match all. ``field`` requires exactly one
    model, which has that field.

    ``after`` is a KEY of the stream: only older entries match.
    """

    models: tuple[type[AuditedModel], ...] | None = None
    field: str = ""
    #: Some of audit.CREATED, audit.CHANGED and audit.REMOVED.
    kinds: tuple[str, ...] | None = None
    #: Keys of people, and THE_SYSTEM.
    people: Selection = NOTHING
    sources: Selection = NOTHING
    since: date | None = None
    until: date | None = None
    reason: str = ""
    name: str = ""
    without_set_up: bool = False
    #: The number of a change set.
    number: int | None = None
    after: tuple | None = None

    def positions(self, limit: int) -> list[tuple]:
        """The KEYs of the newest entries, in one query that reads only the start of each table."""
        return list(stream(self._sources())[:limit])

    def entries_at(self, positions: list[tuple]) -> list[timeline.Entry]:
        return entries(positions, [model.history.all() for model in self._models()])

    def after_position(self, position: tuple | None) -> Self:
        return replace(self, after=position)

    def position_of(self, model_name: str, history_id: int) -> tuple | None:
        """The KEY of a history row of the model with that name, if it exists."""
        for number, model in enumerate(self._models()):
            if model._meta.model_name == model_name:
                row = model.history.filter(history_id=history_id).first()
                return row and (row.history_date, history_id, _is_part(model), number)
        return None

    def chunks(self, size: int) -> Iterator[list[timeline.Entry]]:
        """All entries, in lists of ``size``."""
        rest = self
        while positions := rest.positions(size):
            yield rest.entries_at(positions)
            rest = rest.after_position(positions[-1])

    def _models(self) -> list[type[AuditedModel]]:
        return list(self.models or audit.tracked_models())

    def _sources(self) -> list[QuerySet]:
        in_change_sets = self._in_change_sets()
        return [
            self._rows(model, number).filter(in_change_sets)
            for number, model in enumerate(self._models())
        ]

    def _rows(self, model: type[AuditedModel], number: int) -> QuerySet:
        rows = recorded_between(model.history.all(), self.since, self.until)
        if self.kinds is not None:
            rows = rows.filter(history_type__in=self.kinds)
        rows = written_by(rows, self.people)
        for word in self.reason.split():
            rows = rows.filter(history_change_reason__icontains=word)
        if self.name:
            rows = rows.filter(_matches_name(model, self.name))
        if self.field:
            rows = changing(rows, own_field(model, self.field).attname)
        if self.after is not None:
            rows = rows.filter(_after(self.after, _is_part(model), number))
        return rows

    def _in_change_sets(self) -> Q:
        """The condition for a row's change set. A few keys are passed as a list, so that the
        database uses the index instead of scanning all rows."""
        known = ChangeSet.objects.order_by()
        if self.without_set_up:
            set_up = known.filter(source=audit.Source.MIGRATION).values_list("pk", flat=True)
            return ~Q(change_set__in=list(set_up))
        if not self.sources and self.number is None:
            return Q()
        condition = Q(source__in=self.sources.included) if self.sources.included else Q()
        condition &= ~Q(source__in=self.sources.excluded)
        known = known.filter(condition)
        if self.number is not None:
            known = known.filter(number=self.number)
        keys = list(known.values_list("pk", flat=True)[: MAX_KEYS + 1])
        if len(keys) <= MAX_KEYS:
            return Q(change_set__in=keys)
        return Q(change_set__in=known)


def written_by(rows: QuerySet, people: Selection) -> QuerySet:
    """The history rows written by the selected users (keys or THE_SYSTEM)."""
    if people.included:
        rows = rows.filter(_written_by(people.included))
    return rows.filter(~_written_by(people.excluded)) if people.excluded else rows


def _written_by(people: tuple[str, ...]) -> Q:
    by_people = Q(history_user__in=[key for key in people if key != THE_SYSTEM])
    return by_people | Q(history_user=None) if THE_SYSTEM in people else by_people


def _is_part(model: type[AuditedModel]) -> int:
    return int(bool(model.PARENT_FIELD))


def _after(position: tuple, is_part: int, number: int) -> Q:
    """The condition for the rows of a source that follow the KEY in the stream."""
    when, history_id, after_is_part, after_number = position
    earlier = Q(history_date__lt=when)
    at_most = Q(history_date__lte=when)  # A separate condition, so that the index is used.
    if is_part != after_is_part:
        return at_most if is_part < after_is_part else earlier
    same = Q(history_id__lte=history_id) if number > after_number else Q(history_id__lt=history_id)
    return at_most & (earlier | same)


def _matches_name(model: type[AuditedModel], text: str) -> Q:
    """The condition for rows of records whose current name contains the text, or a former one its
    words; for links and comments, the name of their parent or subject."""
    if model is Comment:
        condition = Q(pk__in=[])
        for subject in audit.tracked_models():
            if hasattr(subject, "comments"):
                content_type = ContentType.objects.get_for_model(subject)
                condition |= Q(
                    content_type=content_type, object_id__in=_keys_matching_name(subject, text)
                )
        return condition
    if owner := model.parent_field():
        return Q(**{f"{owner.attname}__in": _keys_matching_name(model.parent_model(), text)})
    return Q(id__in=_keys_matching_name(model, text))


def _keys_matching_name(model: type[AuditedModel], text: str) -> QuerySet:
    rows = model.history.order_by()
    for word in text.split():
        rows = rows.filter(**{f"{model.name_field()}__icontains": word})
    keys = rows.values("id")
    if not model.SEARCH_FIELDS:
        return keys
    # The search index has the current names, without accents.
    return keys.union(search.keys_containing(model, text), all=True)
