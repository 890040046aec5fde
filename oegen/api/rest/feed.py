"""The feed of changes: every change set in the order of its number, with its entries.

Numbers have no gaps, and a change set gets its own when it is committed. So a reader that remembers
the last position it has read keeps an exact copy, whatever happens in between.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import models
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.response import Response
from rest_framework.reverse import reverse
from rest_framework.views import APIView

from oegen import audit
from oegen.api.rest.problems import CONTENT_TYPE
from oegen.api.rest.registry import VIEWSETS
from oegen.api.rest.schema import ProblemSerializer
from oegen.api.rest.viewsets import RecordViewSet
from oegen.audit.audited import AuditedModel
from oegen.audit.changesets import ChangeSet
from oegen.audit.narrative.timeline import rows_and_previous
from oegen.audit.reference import ReferenceModel

#: The number of entries on a page, at most; change sets without any count as one.
MAX_ENTRIES = 1_000

ACTIONS = {audit.CREATED: "created", audit.CHANGED: "changed", audit.REMOVED: "removed"}


@dataclass(frozen=True)
class Position:
    """After the entry of a change set; without one, after the change set as a whole."""

    number: int
    entry: int | None = None

    @classmethod
    def parse(cls, text: str) -> Position:
        """Raises ValidationError."""
        found = re.fullmatch(r"([0-9]{1,15})(?:\.([0-9]{1,9}))?", text)
        if not found:
            raise ValidationError(
                {"after": "Give the number of a change set, such as 1200, or what “next” says."}
            )
        number, entry = found.groups()
        return cls(int(number), int(entry) if entry else None)

    def __str__(self) -> str:
        return str(self.number) if self.entry is None else f"{self.number}.{self.entry}"


@dataclass
class Reader:
    """Reads pages for somebody who may see the records of ``views``, by model."""

    views: dict[type[AuditedModel], type[RecordViewSet]]
    may_read_personal: bool
    _codes: dict[type[models.Model], dict[Any, str]] = field(default_factory=dict)

    def read(self, after: Position, limit: int) -> tuple[list[dict[str, Any]], Position, bool]:
        """The change sets of the page, the position after it, and whether there are more by now."""
        results: list[dict[str, Any]] = []
        position, room = after, limit
        numbers = {"number__gte": after.number} if after.entry is not None else {}
        found = ChangeSet.objects.filter(**(numbers or {"number__gt": after.number}))
        found = found.select_related("person", "undoes").order_by("number")
        for change_set in found[: limit + 1]:
            if room <= 0:
                return results, position, True
            start = after.entry or 0 if change_set.number == after.number else 0
            one = self._change_set(change_set, start, room)
            results.append(one)
            read = len(one["entries"]) + one["withheld"]
            room -= max(1, read)
            is_whole = one["complete"]
            position = Position(change_set.number, None if is_whole else start + read)
        return results, position, bool(results) and not results[-1]["complete"]

    def _change_set(self, change_set: ChangeSet, start: int, room: int) -> dict[str, Any]:
        """The change set with up to ``room`` entries after the first ``start``."""
        entries: list[dict[str, Any]] = []
        withheld = place = 0
        for model in audit.tracked_models():
            history = audit.history_model(model)
            counted = (change_set.contents or {}).get(history._meta.label_lower)
            number = counted[0] if counted else 0
            first, last = max(start - place, 0), min(number, start + room - place)
            if first < last and model in self.views:
                entries += self._entries(model, change_set, first, last, place)
            elif first < last:
                withheld += last - first
            place += number
        who = {"person": change_set.person_name} if self.may_read_personal else {}
        return {
            "number": change_set.number,
            "recorded_at": change_set.recorded_at,
            "source": change_set.source,
            "person_id": change_set.person_id,
            **who,
            "reason": change_set.reason,
            "undoes": change_set.undoes.number if change_set.undoes else None,
            "entries": entries,
            "withheld": withheld,
            "complete": start + room >= place,
        }

    def _entries(
        self, model: type[AuditedModel], change_set: ChangeSet, first: int, last: int, place: int
    ) -> Iterator[dict[str, Any]]:
        history = audit.history_model(model).objects.filter(change_set=change_set.pk)
        rows, previous = rows_and_previous(history.order_by("history_id")[first:last])
        view = self.views[model]
        names = view.serializer_class.NAMES
        for offset, row in enumerate(rows, start=first + 1):
            before = previous.get(row.previous_id) if row.history_type != audit.CREATED else None
            after = row if row.history_type != audit.REMOVED else None
            values = {}
            for one in model._meta.concrete_fields:
                if one.name in model.BOOKKEEPING:
                    continue
                old = self._value(one, getattr(before, one.attname)) if before else None
                new = self._value(one, getattr(after, one.attname)) if after else None
                if old != new or (before is None and after is not None):
                    values[names.get(one.name, one.name)] = {"old": old, "new": new}
            yield {
                "entry": place + offset,
                "kind": view.route,
                "id": row.id,
                "action": ACTIONS[row.history_type],
                "version": row.version,
                "values": values,
            }

    def _value(self, one: models.Field[Any, Any], value: Any) -> Any:
        """A stored value as the API has it: rows of reference tables by their code."""
        if value is None:
            return None
        target = one.remote_field.model if one.remote_field else None
        if isinstance(target, type) and issubclass(target, ReferenceModel):
            if target not in self._codes:
                rows = target._base_manager.values_list("pk", "code")
                self._codes[target] = dict(rows)
            return self._codes[target].get(value, str(value))
        if isinstance(value, Decimal):
            return f"{value:f}"
        if isinstance(value, datetime | date):
            return value.isoformat()
        return str(value) if isinstance(value, UUID) else value


class EntrySerializer(serializers.Serializer):
    entry = serializers.IntegerField(help_text="Its place in the change set, from 1.")
    kind = serializers.CharField(help_text="The kind of record: `pipelines`.")
    id = serializers.UUIDField()
    action = serializers.ChoiceField(list(ACTIONS.values()))
    version = serializers.IntegerField(
        help_text="The record's version after it; 0 of imported history."
    )
    values = serializers.DictField(
        child=serializers.DictField(), help_text="By field: `old` and `new`."
    )


class ChangeSetSerializer(serializers.Serializer):
    number = serializers.IntegerField()
    recorded_at = serializers.DateTimeField()
    source = serializers.CharField()
    person_id = serializers.IntegerField(allow_null=True)
    person = serializers.CharField(required=False, help_text="With the scope `personal` only.")
    reason = serializers.CharField()
    undoes = serializers.IntegerField(
        allow_null=True, help_text="The number of the change set that this one took back."
    )
    entries = EntrySerializer(many=True)
    withheld = serializers.IntegerField(
        help_text="Entries on this page that the reader may not see."
    )
    complete = serializers.BooleanField(
        help_text="False: the rest of its entries is on the next page."
    )


class FeedSerializer(serializers.Serializer):
    """A page of the feed."""

    results = ChangeSetSerializer(many=True)
    next = serializers.CharField(help_text="Where to go on, now or later.")
    more = serializers.BooleanField(help_text="Whether there is more by now.")


class Feed(APIView):
    """Every change in its order."""

    route = "changes"

    @extend_schema(
        operation_id="read_changes",
        summary="Read what changed, in order",
        description="Change sets by their numbers, which have no gaps, each with its entries: old "
        "and new values. Keep `next` and ask again from there. A page may end inside a change set; "
        "`complete` says when one is whole.",
        tags=["changes"],
        parameters=[
            OpenApiParameter(
                "after",
                str,
                description="What was read last: the number of a change set, or the position that "
                "`next` gave. 0: from the beginning.",
            ),
            OpenApiParameter(
                "limit", OpenApiTypes.INT, description=f"Entries on a page, up to {MAX_ENTRIES:,}."
            ),
        ],
        responses={
            200: FeedSerializer,
            **{
                (status, CONTENT_TYPE): OpenApiResponse(ProblemSerializer)
                for status in (400, 401, 403, 429, 503)
            },
        },
    )
    def get(self, request):
        unknown = set(request.query_params) - {"after", "limit"}
        if unknown:
            names = dict.fromkeys(unknown, "There is no such parameter here: after, limit.")
            raise ValidationError(names)
        after = Position.parse(request.query_params.get("after", "0"))
        limit = _limit(request.query_params.get("limit", str(MAX_ENTRIES)))
        reader = Reader(_readable(request.user), may_read_personal=True)
        results, position, more = reader.read(after, limit)
        address = reverse("api-changes", request=request)
        return Response(
            {
                "results": results,
                "next": f"{address}?after={position}&limit={limit}",
                "more": more,
            }
        )


def _limit(text: str) -> int:
    """Raises ValidationError."""
    if not text.isascii() or not text.isdigit() or not 1 <= int(text[:9]) <= MAX_ENTRIES:
        raise ValidationError({"limit": f"Give a number from 1 to {MAX_ENTRIES:,}."})
    return int(text)


def _readable(person) -> dict[type[AuditedModel], type[RecordViewSet]]:
    """The view sets of the records that the person may read, by model."""
    return {
        view.queryset.model: view
        for view in VIEWSETS.values()
        if not view.read_permission or person.has_perm(view.read_permission)
    }
