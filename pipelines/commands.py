"""What the palette offers of pipelines: pages, and filters of the list put together from words."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.http import QueryDict
from django.urls import reverse

from oegen import asof
from oegen.core.caching import keep
from oegen.core.folding import fold
from oegen.core.words import noun_of
from oegen.pages.commands import Question, Suggestion, add, answers, go_to, register
from oegen.pages.filters import MINE
from oegen.pages.selection import NOT
from pipelines.choices import RAG, Reason
from pipelines.filters import (
    NOT_RATED,
    OPEN_BY_DEFAULT,
    PipelineFilter,
    facility_country_choices,
    is_technology_family,
    reader_key,
    status_choices,
    technology_choices,
)
from pipelines.models import Facility, Pipeline
from pipelines.querysets import ANY_REASON, IN_TIME, NO_DATE, OVERDUE

#: Words between filters, which say nothing.
JOINTS = frozenset({"and", "or", "in", "with", "the", "are", "that", "pipelines", "projects"})

#: The filters whose pipelines take long to count.
SLOW = frozenset({"attention"})

#: The most words of a filter, and the fewest letters by which one is known while it is typed.
MOST_WORDS, FEWEST_LETTERS = 7, 3

register(
    go_to("Pipelines", "pipelines", "list-details", "projects list", section=2),
    go_to("Board", "board", "layout-kanban", "pipelines stages"),
    go_to("Timeline", "timeline", "timeline", "pipelines gantt schedule dates"),
    go_to("Map", "map", "map", "pipelines places"),
    go_to("Milestones", "milestones", "calendar-event", "dates baselines gates"),
    go_to("Facilities", "facilities", "map-pin", "plants sites", section=5),
    add(Pipeline, "project"),
    add(Facility),
)


@dataclass(frozen=True)
class Phrase:
    """What a filter is called: its parameter, its code and its label."""

    name: str
    code: str
    label: str


def phrases() -> dict[str, Phrase]:
    """The filters by their folded names. A name of two keeps the first."""
    found: dict[str, Phrase] = {}
    for name, code, label in _named_filters():
        found.setdefault(fold(label), Phrase(name, str(code), label))
    return found


def _named_filters() -> Iterator[tuple[str, Any, str]]:
    for code, label in RAG.choices:
        yield "rag", code, str(label).lower()
    yield from [("rag", NOT_RATED, "not rated"), ("rag", NOT_RATED, "unrated")]
    yield from [("rtb", OVERDUE, "overdue"), ("rtb", IN_TIME, "not overdue")]
    yield from [("rtb", NO_DATE, "no date"), ("responsible", MINE, "mine")]
    for label in ("needs attention", "need attention", "needing attention", "attention"):
        yield "attention", ANY_REASON, label
    for status in status_choices():
        # "Open, all stages"
        yield "status", status.code, status.label.partition(",")[0].lower()
    for technology in technology_choices():
        # "Wind, all kinds", and not "Wind, kind not given"
        label, _, of_which = technology.label.partition(",")
        if not of_which or is_technology_family(technology.code):
            yield "technology", technology.code, label
    for code, label in facility_country_choices():
        yield "country", code, label
    for reason in Reason:
        yield "attention", reason, str(reason.label).lower()


def read_filters(text: str, known: dict[str, Phrase]) -> list[tuple[str, Phrase]]:
    """Pairs of parameter and phrase, for a folded text that consists of nothing else; the last may
    be unfinished. After "not", the parameter excludes."""
    words = text.replace(",", " ").split()
    found: list[tuple[str, Phrase]] = []
    suffix = ""
    while words:
        length, phrase = _first_phrase(words, known)
        if phrase:
            found.append((f"{phrase.name}{suffix}", phrase))
            suffix = ""
        elif words[0] == "not":
            length, suffix = 1, NOT
        elif words[0] in JOINTS:
            length = 1
        else:
            return []
        words = words[length:]
    return found


def _first_phrase(words: list[str], known: dict[str, Phrase]) -> tuple[int, Phrase | None]:
    for length in range(min(MOST_WORDS, len(words)), 0, -1):
        if phrase := known.get(" ".join(words[:length])):
            return length, phrase
    rest = " ".join(words)
    if len(rest) >= FEWEST_LETTERS and rest not in JOINTS:
        for text, phrase in known.items():
            if text.startswith(rest):
                return len(words), phrase
    return 0, None


@answers
def filtered_pipelines(question: Question) -> Iterator[Suggestion]:
    """The list with the filters that the text names, and how many it has; without a text, the usual
    filters that find any."""
    version = asof.data_version()
    known = keep(phrases, "palette", version)
    texts = (
        [" ".join(question.words)]
        if question.words
        else ["needs attention", "mine", "red", "overdue"]
    )
    for text in texts:
        if found := read_filters(text, known):
            address, number = _list_of(found, question, version)
            if number != 0 or question.words:
                labels = ", ".join(dict.fromkeys(_label(*one) for one in found))
                detail = "" if number is None else f"{number:,} {noun_of(Pipeline, number)}"
                yield Suggestion(f"Pipelines: {labels}", "filter", address, detail)


def _list_of(
    found: list[tuple[str, Phrase]], question: Question, version: str
) -> tuple[str, int | None]:
    """The address of the filtered list, and how many pipelines it has; None if these take long to
    count."""
    query = QueryDict(mutable=True)
    for name, phrase in found:
        if phrase.code not in query.getlist(name):
            query.appendlist(name, phrase.code)
    url = f"{reverse('pipelines')}?{query.urlencode()}"
    if SLOW & {phrase.name for _, phrase in found}:
        return url, None
    key = reader_key(query, question.user)
    return url, keep(lambda: _count(query, question), "palette", *key, version)


def _label(name: str, phrase: Phrase) -> str:
    return f"not {phrase.label}" if name.endswith(NOT) else phrase.label


def _count(query: QueryDict, question: Question) -> int:
    """The number of pipelines on the list with this query string."""
    data = query.copy()
    if not data.keys() & {"status", f"status{NOT}"}:
        data[OPEN_BY_DEFAULT.name] = OPEN_BY_DEFAULT.code
    recorded = Pipeline.objects.recorded()
    found: int = (
        PipelineFilter(data, queryset=recorded, request=question.request).qs.order_by().count()
    )
    return found
