"""A question while it is read: its tags, what was taken of them, and the filters that they make."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from typing import Any
from urllib.parse import urlencode

from django.http import QueryDict

from dashboard.ask.grammar.lexicon import BETWEEN_CODES, Kind
from dashboard.ask.grammar.periods import Period
from dashboard.ask.grammar.reading import Reading
from dashboard.ask.grammar.tags import Tag
from dashboard.ask.grammar.vocabulary import (
    stages_before_construction,
    stages_from_construction,
)
from oegen.asof import FIRST_DAY
from oegen.core.clock import months_before
from oegen.pages.filters import MINE
from oegen.pages.selection import NOT
from pipelines.querysets import OPEN

#: Kinds that may stay: nothing turns on them where no rule took them.
_HARMLESS = (Kind.FILLER, Kind.JOINT, Kind.BY)
_HARMLESS_PREPOSITIONS = ("in", "on", "by", "from", "to")
_HARMLESS_ASKS = ("many", "much", "compare")

#: Statuses that are several: code of the phrase to codes.
_SEVERAL = {
    "ended": lambda: ["withdrawn", "refused"],
    "before-construction": stages_before_construction,
    "building": stages_from_construction,
}


@dataclass(frozen=True)
class Span:
    """A span of days with its preposition; empty if it has none."""

    role: str
    period: Period
    tag: Tag


@dataclass
class Question:
    tags: list[Tag]
    today: date
    #: The filters of the page, for questions about what is on it.
    page_filters: QueryDict = field(default_factory=QueryDict)
    filters: dict[str, list[str]] = field(default_factory=dict)
    #: Whether it is about what the page shows, whose filters then apply.
    is_about_page: bool = False

    # Taking ----------------------------------------------------------------------------------

    def find(self, kind: Kind, *values: str) -> list[Tag]:
        return [tag for tag in self.tags if not tag.is_used and tag.has(kind, *values)]

    def has(self, kind: Kind, *values: str) -> bool:
        return bool(self.find(kind, *values))

    def take(self, kind: Kind, *values: str) -> Tag | None:
        """Take the first tag with that sense."""
        tag = next(iter(self.find(kind, *values)), None)
        if tag:
            tag.is_used = True
        return tag

    def take_all(self, kind: Kind, *values: str) -> list[Tag]:
        found = self.find(kind, *values)
        for tag in found:
            tag.is_used = True
        return found

    def reset(self) -> None:
        self.filters = {}
        for tag in self.tags:
            tag.is_used = self.is_about_page and tag.has(Kind.TOPIC, "page")
        if self.is_about_page:
            for name, values in self.page_filters.lists():
                self.add(str(name), *map(str, values))

    @property
    def left(self) -> list[Tag]:
        """What was not taken and can't be left out."""
        return [tag for tag in self.tags if not tag.is_used and not self._is_harmless(tag)]

    def _is_harmless(self, tag: Tag) -> bool:
        if tag.words == ("or",) and not self._joins_alike(tag):
            return False
        if any(kind in tag.senses for kind in _HARMLESS):
            return True
        if tag.has(Kind.TOPIC, "overview") and tag.words in (("how", "is"), ("how", "are")):
            return True
        return tag.has(Kind.PREPOSITION, *_HARMLESS_PREPOSITIONS) or tag.has(
            Kind.ASK, *_HARMLESS_ASKS
        )

    def _joins_alike(self, tag: Tag) -> bool:
        """Whether "or" stands between two of one kind: “red or amber”, and not “red or overdue”,
        which filters can't say."""
        place = self._place(tag)
        first = next((one for one in reversed(self.tags[:place]) if _is_content(one)), None)
        last = next((one for one in self.tags[place + 1 :] if _is_content(one)), None)
        if first is None or last is None:
            return True
        names = {
            one.senses[Kind.FILTER].partition("=")[0] if one.has(Kind.FILTER) else ""
            for one in (first, last)
        }
        return len(names) == 1 and bool(names != {""} or first.senses.keys() & last.senses.keys())

    def before(self, tag: Tag) -> Tag | None:
        """The tag before, beyond fillers."""
        place = self._place(tag) - 1
        while place >= 0:
            one = self.tags[place]
            if not one.is_optional or one.has(Kind.PREPOSITION) or one.has(Kind.NOT):
                return one
            place -= 1
        return None

    def after(self, tag: Tag) -> Tag | None:
        """The tag after, beyond fillers."""
        for one in self.tags[self._place(tag) + 1 :]:
            if not one.is_optional or one.has(Kind.PREPOSITION):
                return one
        return None

    def _place(self, tag: Tag) -> int:
        return next(place for place, one in enumerate(self.tags) if one is tag)

    # Days ------------------------------------------------------------------------------------

    def spans(self) -> list[Span]:
        """The spans of days that are not taken, with their prepositions, which are."""
        found = []
        for tag in self.tags:
            if tag.is_used or tag.period is None:
                continue
            role = self._role(tag)
            found.append(Span(role, tag.period, tag))
        if len(found) == 2 and found[0].period.is_yearless and not found[1].period.is_yearless:
            # "Between March and June 2026": the year is that of both.
            first, last = found
            same = first.period.in_year_of(last.period.last.year)
            if same.first <= last.period.last:
                found[0] = Span(first.role, same, first.tag)
        return found

    def _role(self, tag: Tag) -> str:
        place = self._place(tag) - 1
        while place >= 0:
            one = self.tags[place]
            if one.has(Kind.BOUND, "between"):
                return "from"
            if one.has(Kind.PREPOSITION):
                return one.senses[Kind.PREPOSITION]
            if one.has(Kind.ASK, "compare"):
                return "versus"
            if not one.is_optional:
                return ""
            place -= 1
        return ""

    def use_span(self, span: Span) -> None:
        """Take the span with its preposition."""
        span.tag.is_used = True
        place = self._place(span.tag) - 1
        while place >= 0:
            one = self.tags[place]
            if one.has(Kind.PREPOSITION) or one.has(Kind.BOUND, "between"):
                one.is_used = True
                return
            if one.has(Kind.ASK, "compare"):
                one.is_used = True
            if not one.is_optional:
                return
            place -= 1

    def take_range(self) -> tuple[date, date] | None:
        """From the end of a day to the end of another, of what happened in between; None if the
        question has no days, or days ahead."""
        spans = self.spans()
        if len(spans) == 2 and spans[0].role in ("from", "since", "versus", ""):
            first, last = spans
            if last.role in ("to", "until", "versus", "and", ""):
                start = first.period.first if first.period.is_day else first.period.before
                if first.role == "from" and first.period.is_start:
                    start = first.period.before
                end = min(last.period.last, self.today)
                if start < end:
                    self.use_span(first)
                    self.use_span(last)
                    return start, end
        if len(spans) != 1:
            return None
        [span] = spans
        period, role = span.period, span.role
        if period.first > self.today or role in ("until", "before", "after"):
            return None
        start = self.since(span)
        is_last_year = (period.relative, period.unit) == ("last", "year") and not period.is_day
        if role == "since" and is_last_year:
            start = months_before(self.today, 12)
        end = self.today
        if role in ("in", "on", "", "by", "to") and not period.is_rolling:
            start = period.before
            end = min(period.last, self.today)
            if period.is_day and role != "on":
                start, end = period.first, self.today
        if not FIRST_DAY <= start < end:
            return None
        self.use_span(span)
        return start, end

    @staticmethod
    def since(span: Span) -> date:
        """The day with whose end "since" and "versus" compare."""
        period = span.period
        if period.is_rolling:
            return period.first
        if period.is_day:
            return period.before if period.is_start else period.first
        if span.role == "versus" or (period.relative, period.unit) == ("last", "quarter"):
            return period.last
        return period.before

    def take_compare(self) -> date | None:
        """The day to compare with: since, versus, compared with."""
        for span in self.spans():
            if span.role not in ("since", "versus", "from"):
                continue
            period = span.period
            day = self.since(span)
            is_last_year = period.relative == "last" and period.unit == "year"
            if is_last_year and not period.is_day:
                # A year ago, not the end of the last calendar year.
                day = months_before(self.today, 12)
            if FIRST_DAY <= day < self.today:
                self.use_span(span)
                return day
        return None

    def take_past_day(self) -> date | None:
        """The day as of which to read: on, at, as of, in, a year ago."""
        spans = [span for span in self.spans() if span.role in ("on", "in", "by", "", "until")]
        for span in spans:
            period = span.period
            if period.relative == "this" and period.unit == "day":
                self.use_span(span)
                continue
            day = period.first if period.is_rolling else min(period.last, self.today)
            if period.last < self.today or period.is_rolling:
                self.use_span(span)
                return day if day != self.today else None
        return None

    # Filters ---------------------------------------------------------------------------------

    def add(self, name: str, *values: str) -> None:
        known = self.filters.setdefault(name, [])
        known += [value for value in values if value not in known]

    def collect(self, *names: str) -> None:
        """Take the filters among ``names``, with what negates them."""
        negated_name = ""
        for tag in self.tags:
            if tag.is_used or Kind.FILTER not in tag.senses:
                if not (tag.is_optional or tag.has(Kind.JOINT) or tag.has(Kind.NOT)):
                    negated_name = ""
                continue
            name, _, code = tag.senses[Kind.FILTER].partition("=")
            if name not in names:
                negated_name = ""
                continue
            negation = self._negation(tag)
            if negation:
                negation.is_used = True
            is_not = bool(negation) or negated_name == name
            negated_name = name if is_not else ""
            tag.is_used = True
            self.add_filter(name, code, is_not=is_not)

    def add_filter(self, name: str, code: str, *, is_not: bool = False) -> None:
        codes = _SEVERAL[code]() if code in _SEVERAL else code.split(BETWEEN_CODES)
        if is_not and name not in ("region", "not_confirmed"):
            name = f"{name}{NOT}"
        self.add(name, *codes)

    def _negation(self, tag: Tag) -> Tag | None:
        place = self._place(tag) - 1
        while place >= 0:
            one = self.tags[place]
            if one.has(Kind.NOT) and not one.is_used:
                return one
            if not one.is_optional and not one.has(Kind.PREPOSITION):
                return None
            place -= 1
        return None

    def collect_bounds(self) -> None:
        """Capacities: over 100 MW, between 20 and 50, 50 MW or more."""
        for tag in self.find(Kind.NUMBER):
            if tag.is_used or tag.number is None:
                continue
            before, after = self.before(tag), self.after(tag)
            unit = after if after and after.has(Kind.UNIT, "mw") and not after.is_used else None
            beyond = self.after(unit) if unit else after
            size = _scaled(tag, unit)
            if before and before.has(Kind.BOUND, "between") and not before.is_used:
                self._take_pair(tag, unit, before)
            elif beyond and beyond.has(Kind.PREPOSITION, "to") and self._is_pair(tag, beyond):
                self._take_pair(tag, unit, None)
            elif before and before.has(Kind.BOUND, "min", "max") and not before.is_used:
                name = f"capacity_{before.senses[Kind.BOUND]}"
                self._use(name, size, tag, unit, before)
            elif beyond and beyond.has(Kind.BOUND, "or_more", "or_less") and not beyond.is_used:
                name = "capacity_min" if beyond.has(Kind.BOUND, "or_more") else "capacity_max"
                self._use(name, size, tag, unit, beyond)
            elif before and before.has(Kind.PREPOSITION, "after", "since") and unit:
                self._use("capacity_min", size, tag, unit, before)

    def _use(self, name: str, size: str, *tags: Tag | None) -> None:
        self.add(name, size)
        for tag in tags:
            if tag:
                tag.is_used = True

    def _is_pair(self, tag: Tag, joint: Tag) -> bool:
        other = self.after(joint)
        if other is None or other.number is None or other.has(Kind.DURATION):
            return False
        last = self.after(other)
        first = self.after(tag)
        return any(one is not None and one.has(Kind.UNIT, "mw") for one in (first, last))

    def _take_pair(self, tag: Tag, unit: Tag | None, bound: Tag | None) -> None:
        joint = self.after(unit or tag)
        other = self.after(joint) if joint else None
        if joint is None or other is None or other.number is None:
            return
        last = self.after(other)
        last_unit = last if last and last.has(Kind.UNIT, "mw") else None
        low, high = _scaled(tag, unit or last_unit), _scaled(other, last_unit or unit)
        self.add("capacity_min", low)
        self._use("capacity_max", high, tag, unit, bound, joint, other, last_unit)

    def collect_people(self) -> None:
        """Whose projects: mine, Isla's."""
        if self.take(Kind.TOPIC, "mine"):
            self.add("responsible", MINE)
        for tag in self.find(Kind.PERSON):
            if len(tag.person) == 1:
                tag.is_used = True
                self.add("responsible", tag.person[0])
                self.take(Kind.ASPECT, "responsible")

    def query(self) -> str:
        """The filters as readings have them."""
        pairs = [(name, sorted(values)) for name, values in sorted(self.filters.items())]
        return urlencode(pairs, doseq=True, safe="~,:")

    def reading(self, lookup: str, **values: Any) -> Reading:
        return Reading(lookup, filters=self.query(), **values)

    def drop_open(self) -> None:
        """Of figures of what is open it is no filter."""
        statuses = self.filters.get("status", [])
        if OPEN in statuses:
            others = [one for one in statuses if one != OPEN]
            if others:
                self.filters["status"] = others
            else:
                del self.filters["status"]


def _scaled(tag: Tag, unit: Tag | None) -> str:
    """The number in MW."""
    number = tag.number or 0.0
    if unit and unit.words[0].startswith("g"):
        number *= 1000
    return f"{number:g}"


def _is_content(tag: Tag) -> bool:
    others = (Kind.PREPOSITION, Kind.NOT, Kind.JOINT, Kind.NOUN)
    return not tag.is_optional and not any(kind in tag.senses for kind in others)


def iso(day: date | None) -> str:
    return day.isoformat() if day else ""


def used(tags: Iterable[Tag]) -> None:
    for tag in tags:
        tag.is_used = True
