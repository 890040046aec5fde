"""An answer that was given before, for a reader who may be another person."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from functools import cached_property
from typing import Any

from django.http import QueryDict
from django.utils import timezone

from dashboard.ask import lookups
from dashboard.ask.events import Done, Event, Refused, Sentence, Shown
from dashboard.ask.findings import (
    Comparison,
    Day,
    Figure,
    Finding,
    Findings,
    Found,
    Record,
)
from dashboard.ask.lookups import Asker, LookupRefusedError
from dashboard.ask.rendering import PLACEHOLDER
from dashboard.models import AskedQuestion
from oegen.models import User
from oegen.pages.filters import MINE

_TYPES: dict[str, type[Any]] = {
    "figure": Figure,
    "record": Record,
    "day": Day,
    "comparison": Comparison,
}


class Earlier:
    """What the reader may see of the answer.

    Its lookups are done again, as the reader and as of the day of the answer. The figures are shown
    as they were stored, if all lookups are allowed; else only those that the allowed ones find.
    """

    def __init__(self, asked: AskedQuestion, reader: User):
        self.asked = asked
        asked_on = timezone.localdate(asked.created_at)
        day = asked.day or (asked_on if asked_on < timezone.localdate() else None)
        self.asker = Asker(reader, as_of=day, page=asked.page)

    @cached_property
    def _again(self) -> tuple[list[Found], bool]:
        """What the lookups find for the reader, and whether one was refused."""
        found, is_refused, findings = [], False, Findings()
        for one in self.asked.lookups:
            arguments = dict(one["arguments"])
            if "filters" in arguments and self.asked.person:
                arguments["filters"] = _of_person(arguments["filters"], self.asked.person)
            try:
                found.append(lookups.run(one["name"], arguments, self.asker, findings))
            except LookupRefusedError:
                # One that was refused when it was asked found nothing that could be shown.
                is_refused = is_refused or not one.get("refused")
        return found, is_refused

    @cached_property
    def findings(self) -> dict[str, Finding]:
        """The stored findings that the reader may see, by reference."""
        stored = {ref: _finding(values) for ref, values in self.asked.figures.items()}
        found, is_refused = self._again
        if not is_refused:
            return stored
        allowed = {_identity(item) for one in found for item in one.items}
        return {ref: one for ref, one in stored.items() if _identity(one) in allowed}

    @cached_property
    def _sentences(self) -> list[str]:
        """Those of which the reader may see every part."""
        return [
            text
            for text in self.asked.sentences
            if all(ref in self.findings for ref in PLACEHOLDER.findall(text))
        ]

    @property
    def is_withheld(self) -> bool:
        return len(self._sentences) < len(self.asked.sentences)

    def events(self) -> Iterator[Event]:
        for text in self._sentences:
            yield Sentence(text, self.findings)
        if self.asked.refusal:
            yield Refused(self.asked.refusal)
        for found in self._again[0]:
            if found.table:
                yield Shown(found)
        yield Done(self.asked.pk, self.asked.conversation, self.asked.answered_by)


def _of_person(filters: str, person: User) -> str:
    """The filters with the person's name for “mine”."""
    query = QueryDict(filters, mutable=True)
    for name in ("responsible", "responsible__not"):
        if MINE in query.getlist(name):
            names = [person.username if one == MINE else one for one in query.getlist(name)]
            query.setlist(name, names)
    return query.urlencode()


def _finding(values: dict[str, Any]) -> Finding:
    kept = {name: value for name, value in values.items() if name != "type"}
    if "day" in kept:
        kept["day"] = date.fromisoformat(kept["day"])
    finding: Finding = _TYPES[values["type"]](**kept)
    return finding


def _identity(one: Finding) -> Any:
    """What it is of, whatever its value."""
    if isinstance(one, Record):
        return (one.kind, one.pk)
    if isinstance(one, Day):
        return one.day
    if isinstance(one, Figure):
        return (one.label, one.unit, one.day)
    return replace(one, ref="", text="", value=None)
