"""The questions that are offered before anything is asked, by the page."""

from __future__ import annotations

from dataclasses import dataclass

from django.urls import Resolver404, resolve

from dashboard.ask import changing
from dashboard.ask.briefs import BRIEF_ME, has_brief
from dashboard.ask.lookups import Asker
from dashboard.ask.lookups.base import sorted_query
from dashboard.ask.lookups.screen import filters_of_page
from dashboard.ask.names import MODELS
from oegen.pages.commands import parse_page

#: By the name of the page. ``{name}`` is the record's.
_QUESTIONS: dict[str, tuple[str, ...]] = {
    "dashboard": (
        "What needs attention?",
        "What changed since last month?",
        "Open MW by stage",
        "Who holds most of our open MW?",
    ),
    "report": ("What changed since last month?", "Open MW by technology", "What slipped most?"),
    "changes": ("What slipped most since last month?", "Why did open MW change this year?"),
    "pipeline": ("Is {name} on track?", "What changed on {name}?"),
    "counterparty": ("How many MW does {name} hold?", "Who holds most of our open MW?"),
    "facility": ("Open MW by technology", "Open MW by country"),
    "informationpoint": ("Which information points expose most MW?", "What needs attention?"),
    "contact": ("Who holds most of our open MW?", "What needs attention?"),
    "counterparties": ("Who holds most of our open MW?", "Who holds most of our solar?"),
    "facilities": ("Open MW by technology", "Open MW by country"),
    "infopoints": ("Which information points expose most MW?", "What needs attention?"),
    "competitors": (
        "Who are the largest competitors in solar?",
        "Largest competitors under construction",
    ),
    "register-projects": ("What is new in public registers?", "Largest projects in registers"),
    "milestones": ("Projects ready to build next year", "What is overdue?"),
}

#: Of the pages of filtered pipelines, and of all others.
_OF_PIPELINES = ("What is overdue?", "Biggest five projects", "Open MW by stage")
_OTHERS = ("How many MW are open?", "What needs attention?", "What does overdue mean?")

#: Pages that show filtered pipelines.
_LISTS = frozenset({"pipelines", "board", "timeline", "map"})


@dataclass(frozen=True)
class Starter:
    """``reading`` is there if the question means the filters of the page."""

    question: str
    url: str
    reading: changing.Reading | None = None

    @property
    def is_brief(self) -> bool:
        return self.question == BRIEF_ME


def starters(asker: Asker) -> list[Starter]:
    try:
        match = resolve(parse_page(asker.page or "/")[0])
    except Resolver404:
        return _starters(_OTHERS, asker)
    name = str(match.url_name)
    questions = _QUESTIONS.get(name) or (_OF_PIPELINES if name in _LISTS else _OTHERS)
    if name in MODELS and any("{name}" in one for one in questions):
        record = MODELS[name].objects.filter(pk=match.kwargs["pk"]).first()
        questions = tuple(one.replace("{name}", str(record)) for one in questions) if record else ()
    filtered = _of_filters(asker)
    if filtered:
        questions = ()
    if has_brief(asker):
        questions = (BRIEF_ME, *questions)
    return _starters(questions, asker) + filtered


def _starters(questions: tuple[str, ...], asker: Asker) -> list[Starter]:
    return [Starter(one, changing.address_of(one, asker.page)) for one in questions]


def _of_filters(asker: Asker) -> list[Starter]:
    """Questions about what is filtered on the page; none if nothing is."""
    filters = filters_of_page(asker)
    if not filters:
        return []
    query = sorted_query(filters)
    return [
        Starter(question, changing.address_of(question, asker.page, reading), reading)
        for question, reading in (
            ("What is on this page?", {"lookup": "screen"}),
            ("What needs attention here?", {"lookup": "attention", "filters": query}),
            (
                "Open MW by stage here",
                {
                    "lookup": "metric",
                    "metric": "open-capacity",
                    "group_by": "stage",
                    "filters": query,
                },
            ),
            ("Why did open MW change here?", {"lookup": "explain", "filters": query}),
        )
    ]
