"""A reading as chips, and what else may stand in the place of each.

A reading is the plain data of ``manage.py ask --json``. In an address it is one parameter, a query
string of its own, so that ``as_of`` in it is not taken for the day of the page.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields
from datetime import date
from typing import Any
from urllib.parse import parse_qsl, urlencode

from django.http import QueryDict
from django.urls import reverse
from django.utils.formats import date_format
from django.utils.text import capfirst

from dashboard.ask.grammar import Reading as GrammarReading
from dashboard.ask.lookups import LOOKUPS, Asker, registers
from dashboard.ask.lookups.base import in_words, sorted_query
from dashboard.ask.lookups.grouping import DIMENSIONS
from dashboard.ask.lookups.listing import PAGES
from dashboard.ask.lookups.screen import filters_of_page
from dashboard.figures import FIGURES, Compared
from dashboard.metrics.kinds import KINDS as CHANGE_KINDS
from oegen.core import clock
from oegen.pages.columns import DayColumn
from oegen.pages.filters import PageFilterSet
from oegen.pages.selection import NOT, SelectionField
from pipelines.filters import PipelineFilter
from pipelines.registers.market import MEASURES

#: The most choices that a chip offers.
MOST = 14

#: The longest reading that is taken from an address.
LONGEST = 2_000

Reading = dict[str, Any]


@dataclass(frozen=True)
class Other:
    """Another reading: what it is called, and its address."""

    label: str
    url: str


@dataclass(frozen=True)
class Chip:
    """A part of a reading for people, and what may stand in its place."""

    label: str
    text: str
    others: tuple[Other, ...] = ()


def encoded(reading: Reading) -> str:
    """The parts of the reading that say something, as a query string."""
    return urlencode(
        {
            name: value
            for name, value in reading.items()
            if isinstance(value, str) and value and name not in ("unread", "choices")
        }
    )


def decoded(text: str) -> GrammarReading | None:
    """The reading in a query string; None if it says no lookup that there is."""
    values = dict(parse_qsl(text[:LONGEST]))
    if values.get("lookup") not in LOOKUPS:
        return None
    known = {one.name for one in fields(GrammarReading)} - _NOT_TEXT
    own = {_FIELDS.get(name, name): value for name, value in values.items()}
    texts: dict[str, Any] = {name: value for name, value in own.items() if name in known}
    return GrammarReading(**texts)


#: The fields of a reading whose keys are no names in Python, and those that are no texts.
_FIELDS = {"from": "start", "to": "end"}
_NOT_TEXT = {"unread", "choices", "corrected"}


def address_of(question: str, page: str, reading: Reading | None = None) -> str:
    """The address at which the question is asked, from that page and in that reading."""
    query = {"q": question, "on": page, "reading": encoded(reading or {})}
    return f"{reverse('ask')}?{urlencode({name: value for name, value in query.items() if value})}"


#: What else may stand in the place of a part: labels, and the readings with them.
Others = Iterator[tuple[str, Reading]]


def chips_of(reading: Reading, question: str, asker: Asker) -> list[Chip]:
    """The parts of the reading, in the order in which people say them."""

    def chip(label: str, text: str, others: Others) -> Chip:
        first = tuple(
            Other(name, address_of(question, asker.page, other))
            for _, (name, other) in zip(range(MOST), others, strict=False)
        )
        return Chip(label, text, first)

    found: list[Chip] = []
    for name, (label, words, others) in _PARTS.items():
        value = str(reading.get(name) or "")
        if name == "filters":
            if page := _with_page(reading, asker):
                found.append(chip("of", "the whole portfolio", iter([page])))
            found += [chip(*one) for one in _filter_chips(reading, asker)]
        elif value and (text := words(value)):
            found.append(chip(label, text, others(reading)))
    return found


# Filters -----------------------------------------------------------------------------------------


def _filter_chips(reading: Reading, asker: Asker) -> Iterator[tuple[str, str, Others]]:
    query = QueryDict(str(reading.get("filters") or ""))
    filterset_class = _filterset_class(reading)
    filterset = filterset_class(query, queryset=None, request=asker.request(query))
    filterset.is_valid()
    for parameter, values in query.lists():
        name = parameter.removesuffix(NOT)
        for value in values:
            if name in _OF_COMPANIES and reading.get("lookup") == "registers":
                known = _OF_COMPANIES[name]
                others = _others_of(reading, name, known)
                yield "Ranked by", capfirst(known.get(value, value)), others
                continue
            if name not in filterset.form.fields:
                # The kind of change is a filter of the page of changes alone.
                text = CHANGE_KINDS[value].label if value in CHANGE_KINDS else value
                yield capfirst(name), text, iter(())
                continue
            field = filterset.form[name]
            label = field.label if parameter == name else f"{field.label} is not"
            others = _other_filters(reading, parameter, value, field.field)
            yield str(label), str(filterset.value_label(field, value)), others


#: What companies of registers are ranked by.
_OF_COMPANIES = {registers.OF: MEASURES, registers.BY: registers.RANKED_BY}


def _others_of(reading: Reading, name: str, known: dict[str, str]) -> Others:
    yield "As usual", _with_values(reading, name)
    for code, label in known.items():
        yield capfirst(label), _with_values(reading, name, code)


def _filterset_class(reading: Reading) -> type[PageFilterSet]:
    kind = str(reading.get("kind") or "")
    if reading.get("lookup") == "registers":
        return registers.FILTERS.get(kind, registers.FILTERS[registers.PROJECTS])
    return PAGES[kind].filterset_class if kind in PAGES else PipelineFilter


def _with_page(reading: Reading, asker: Asker) -> tuple[str, Reading] | None:
    """The reading with the filters of the page besides its own, and what these are called; None if
    it has them, or could not."""
    kind = reading.get("kind") or ""
    is_filtered = reading.get("lookup") in _OF_PIPELINES and kind in ("", "pipeline", "changes")
    page = filters_of_page(asker)
    own = QueryDict(str(reading.get("filters") or ""))
    missing = [name for name in page if name not in own]
    if not is_filtered or not missing:
        return None
    query = own.copy()
    for name in missing:
        query.setlist(name, page.getlist(name))
    filterset = PipelineFilter(page, queryset=None, request=asker.request(page))
    if not filterset.is_valid():
        return None
    return f"this page: {in_words(filterset)}", {**reading, "filters": sorted_query(query)}


#: The lookups that take the filters of pipelines.
_OF_PIPELINES = frozenset({"metric", "records", "explain", "attention"})


def _other_filters(reading: Reading, parameter: str, value: str, field: Any) -> Others:
    yield "Any", _with_filter(reading, parameter, value)
    if isinstance(field, SelectionField):
        for one in field.choices:
            if one.code != value:
                yield str(one.label), _with_filter(reading, parameter, value, one.code)


def _with_filter(reading: Reading, parameter: str, value: str, other: str = "") -> Reading:
    """The reading with ``other`` in the place of a value of a filter."""
    query = QueryDict(str(reading.get("filters") or ""))
    values = [one for one in query.getlist(parameter) if one not in (value, other)]
    return _with_values(reading, parameter, *values, *([other] if other else []))


def _with_values(reading: Reading, parameter: str, *values: str) -> Reading:
    query = QueryDict(str(reading.get("filters") or ""), mutable=True)
    query.setlist(parameter, list(values))
    return {**reading, "filters": sorted_query(query)}


# Figures, groups and days ------------------------------------------------------------------------


def _metric_in_words(value: str) -> str:
    name, _, measure = value.partition(":")
    title = FIGURES[name].title if name in FIGURES else name
    return f"{title}, {measure.replace('_', ' ')}" if measure else title


def _metrics(reading: Reading) -> Others:
    """The figures of the same unit, over the same days."""
    now = FIGURES.get(str(reading.get("metric", "")).partition(":")[0])
    if now is None:
        return
    for one in FIGURES.values():
        is_alike = one.unit == now.unit or now.compared is Compared.CHANGE
        if one is not now and one.compared is now.compared and is_alike:
            yield one.title, {**reading, "metric": one.name, "name": ""}


def _groups(reading: Reading) -> Others:
    yield "Not in groups", {**reading, "group_by": ""}
    for name, label in DIMENSIONS.items():
        if name != reading.get("group_by"):
            yield _capital(label), {**reading, "group_by": name}


def _groups_in_words(value: str) -> str:
    return " and ".join(DIMENSIONS.get(one, one) for one in value.split(","))


def _capital(label: str) -> str:
    return label[:1].upper() + label[1:]


def _days_for(name: str) -> Callable[[Reading], Others]:
    def others(reading: Reading) -> Others:
        today = clock.today()
        if name == "compare":
            yield "No comparison", {**reading, name: ""}
        elif name in ("as_of", "to"):
            yield "Today", {**reading, name: ""}
        for label, day in _usual_days(today):
            if str(day) != reading.get(name):
                yield f"{label}, {date_format(day)}", {**reading, name: str(day)}

    return others


def _usual_days(today: date) -> Iterator[tuple[str, date]]:
    yield "A week ago", clock.days_ago(7).date()
    yield "A month ago", clock.months_before(today, 1)
    yield "A quarter ago", clock.months_before(today, 3)
    yield "A year ago", clock.months_before(today, 12)
    yield "End of last year", date(today.year - 1, 12, 31)


def _day_in_words(value: str) -> str:
    try:
        return date_format(date.fromisoformat(value))
    except ValueError:
        return value


def _limits(reading: Reading) -> Others:
    for number in ("1", "3", "5", "10", "20", "50"):
        if number != reading.get("limit"):
            yield number, {**reading, "limit": number}


# Lists and records -------------------------------------------------------------------------------


def _lookup_in_words(value: str) -> str:
    return _LOOKUPS.get(value, "")


#: The lookups that no other part of a reading names.
_LOOKUPS = {
    "attention": "What needs attention",
    "explain": "Why open capacity changed",
    "screen": "This page",
    "define": "Definition",
}


def _kind_in_words(value: str) -> str:
    if value in PAGES:
        return capfirst(str(PAGES[value].filterset_class._meta.model._meta.verbose_name_plural))
    return {"changes": "Changes", "audit": "History", **registers.LABELS}.get(value, "")


def _order_in_words(value: str) -> str:
    """The heading of the column, of whichever list has it."""
    name = value.lstrip("-")
    columns = (view.table_class.base_columns.get(name) for view in PAGES.values())
    column = next((one for one in columns if one is not None), None)
    heading = str(column.verbose_name) if column else name.replace("_", " ")
    low, high = ("earliest", "latest") if isinstance(column, DayColumn) else ("smallest", "largest")
    return f"{heading.partition(',')[0]}, {high if value.startswith('-') else low} first"


def _same(value: str) -> str:
    return value


def _none(reading: Reading) -> Others:
    return iter(())


#: By the key of the reading: the label, its value in words, and what else may stand there.
_PARTS: dict[str, tuple[str, Callable[[str], str], Callable[[Reading], Others]]] = {
    "lookup": ("", _lookup_in_words, _none),
    "metric": ("", _metric_in_words, _metrics),
    "kind": ("", _kind_in_words, _none),
    "name": ("", _same, _none),
    "term": ("", _same, _none),
    "filters": ("", _same, _none),
    "group_by": ("by", _groups_in_words, _groups),
    "order": ("sorted by", _order_in_words, _none),
    "limit": ("first", _same, _limits),
    "from": ("from", _day_in_words, _days_for("from")),
    "to": ("to", _day_in_words, _days_for("to")),
    "as_of": ("as of", _day_in_words, _days_for("as_of")),
    "compare": ("compared with", _day_in_words, _days_for("compare")),
}
