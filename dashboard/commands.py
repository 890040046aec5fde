"""What the palette offers of the pages over the whole portfolio, and of questions."""

from collections.abc import Iterator

from django.urls import reverse

from dashboard.ask import changing
from dashboard.ask.briefs import BRIEF_ME, has_brief
from dashboard.ask.grammar import read
from dashboard.ask.lookups import Asker
from oegen.core import clock
from oegen.pages.commands import Command, Question, Suggestion, answers, go_to, register


def _asker(question: Question) -> Asker:
    return Asker(question.user, as_of=clock.past_day(), page=question.page)


def _brief(question: Question) -> str:
    if not has_brief(_asker(question)):
        return ""
    return changing.address_of(BRIEF_ME, question.page)


def _warehouse(question: Question) -> str:
    may_see = question.user.has_perm("dashboard.view_warehouserun")
    return reverse("warehouse") if may_see else ""


register(
    go_to("Dashboard", "dashboard", "layout-dashboard", "home overview", section=1),
    go_to("Changes", "changes", "history", "what changed walk", section=7),
    go_to("Committee report", "report", "file-text", "print paper"),
    go_to("Search", "search", "search", "find"),
    Command("Warehouse", "database", _warehouse, "delta tables databricks power bi"),
    Command("Brief me", "file-description", _brief, "summary summarise briefing ask"),
    Command(
        "Ask about this page",
        "message-question",
        words="question answer chat",
        press="[data-ask-open]",
    ),
)


@answers
def ask(question: Question) -> Iterator[Suggestion]:
    """What was typed, as a question, with how the grammar reads it: the last suggestion. A single
    word is searched for."""
    if len(question.words) < 2:
        return
    asker = _asker(question)
    reading = read(question.text, asker)
    detail = ""
    if reading.is_read:
        chips = changing.chips_of(reading.as_json(), question.text, asker)
        detail = " · ".join(f"{chip.label} {chip.text}".strip() for chip in chips)
    url = changing.address_of(question.text, question.page)
    yield Suggestion(f"Ask: {question.text}", "message-question", url, detail, is_last=True)
