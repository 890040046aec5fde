"""The feed of changes: every change set in the order of its number, with its entries.

Numbers have no gaps, and a change set gets its own when it is committed. So a reader that remembers
the last position it has read keeps an exact copy, whatever happens in between.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ValidationError
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.response import Response
from rest_framework.reverse import reverse
from rest_framework.views import APIView

from oegen.api.rest.access import TokenView, may_read_personal
from oegen.api.rest.entries import EntryReader, EntrySerializer, Range, models_of
from oegen.api.rest.problems import CONTENT_TYPE
from oegen.api.rest.registry import readable_by
from oegen.api.rest.schema import ProblemSerializer
from oegen.api.scopes import Scope
from oegen.audit.changesets import ChangeSet

#: The number of entries on a page, at most; change sets without any count as one.
MAX_ENTRIES = 1_000


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
    """Reads pages for somebody who may see ``entries``."""

    entries: EntryReader
    may_read_personal: bool

    def read(self, after: Position, limit: int) -> tuple[list[dict[str, Any]], Position, bool]:
        """The change sets of the page, the position after it, and whether there are more by now."""
        numbers = {"number__gte": after.number} if after.entry is not None else {}
        found = ChangeSet.objects.filter(**(numbers or {"number__gt": after.number}))
        found = found.select_related("person", "undoes").order_by("number")
        parts: list[Part] = []
        room = limit
        for change_set in found[: limit + 1]:
            if room <= 0:
                break
            start = after.entry or 0 if change_set.number == after.number else 0
            part = Part.of(change_set, start, room)
            parts.append(part)
            room -= max(1, part.last - part.first)
        if not parts:
            return [], after, False
        entries = self.entries.read([one for part in parts for one in part.ranges])
        results = [self._tell(part, entries.get(part.change_set.pk, [])) for part in parts]
        end = parts[-1]
        position = Position(end.change_set.number, None if end.is_whole else end.last)
        newest = ChangeSet.objects.order_by("-number").values_list("number", flat=True).first()
        return results, position, not end.is_whole or bool(newest and newest > position.number)

    def _tell(self, part: Part, entries: list[dict[str, Any]]) -> dict[str, Any]:
        change_set = part.change_set
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
            "withheld": part.last - part.first - len(entries),
            "complete": part.is_whole,
        }


@dataclass(frozen=True)
class Part:
    """The entries ``first`` up to ``last`` of a change set."""

    change_set: ChangeSet
    first: int
    last: int
    is_whole: bool
    ranges: list[Range]

    @classmethod
    def of(cls, change_set: ChangeSet, start: int, room: int) -> Part:
        """Up to ``room`` entries after the first ``start``."""
        ranges = []
        place, end = 0, start + room
        for model, number in models_of(change_set):
            first, last = max(start - place, 0), min(number, end - place)
            if first < last:
                ranges.append(Range(model, change_set, first, last, number, place))
            place += number
        return cls(change_set, min(start, place), min(end, place), end >= place, ranges)


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


class Feed(TokenView, APIView):
    """Every change in its order."""

    route = "changes"

    def scopes_for(self, request):
        return [Scope.FEED]

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
        personal = may_read_personal(request)
        reader = Reader(EntryReader(readable_by(request.user, personal=personal)), personal)
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
