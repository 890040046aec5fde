"""From a question to its reading: the first rule that takes every word of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from dashboard.ask.grammar import (
    rules_changes,
    rules_figures,
    rules_lists,
    rules_names,
    rules_registers,
)
from dashboard.ask.grammar.lexicon import Kind
from dashboard.ask.grammar.question import Question
from dashboard.ask.grammar.reading import ASKS, REFUSED, Reading, refuse
from dashboard.ask.grammar.tags import Tag, Tagger, words_of
from dashboard.ask.lookups.base import Asker
from dashboard.ask.lookups.screen import filters_of_page
from dashboard.ask.names import MODELS, closest
from oegen.asof import FIRST_DAY
from oegen.core import clock

#: In this order; a rule that leaves a word gives way to the next.
RULES: tuple[Callable[[Question], Reading | None], ...] = (
    rules_figures.define_term,
    rules_figures.page,
    rules_names.named,
    rules_changes.explain,
    rules_figures.stages,
    rules_lists.information_points,
    rules_changes.slippage,
    rules_changes.ratings,
    rules_changes.entries,
    rules_lists.milestones,
    rules_figures.attention,
    rules_changes.events,
    rules_figures.forecast,
    rules_figures.holders,
    rules_figures.compared,
    rules_figures.overview,
    rules_changes.growth,
    rules_changes.changed,
    rules_figures.amounts,
    rules_lists.other_kinds,
    rules_lists.pipelines,
)

#: Words before what somebody wants done.
POLITE = frozenset(
    [
        "please",
        "can",
        "could",
        "would",
        "will",
        "you",
        "i",
        "we",
        "want",
        "need",
        "like",
        "to",
        "let",
        "us",
        "me",
        "just",
        "now",
        "then",
        "and",
        "kindly",
        "hi",
        "hello",
        "hey",
        "ok",
        "okay",
    ]
)

AHEAD = "Of days ahead it knows RTB dates, milestones such as COD, and the forecast: say which."

READS_ONLY = "This tool reads and shows; it changes, sends and writes nothing."

NOT_KNOWN = "A question can be about figures, filters, dates and names of this site."

EXAMPLE = "Ask about the portfolio, such as: how many MW of solar are red in Spain?"

NO_MEASURE = "Say by what: by capacity, RAG, RTB date, slippage or rating."


def read(question: str, asker: Asker) -> Reading:
    with asker.reading():
        tagger = Tagger(question, clock.today(), names_people=asker.may_read_personal)
        tags = tagger.tags()
        if not tags:
            return refuse(why=EXAMPLE)
        if refusal := _refused_at_once(tags):
            return refusal
        asked = Question(tags, clock.today(), filters_of_page(asker))
        reading = _by_rules(asked, is_of_registers=tagger.is_of_registers)
        corrected = tuple((tag.corrected, _meant(tag)) for tag in tags if tag.corrected)
        return reading.with_(corrected=corrected)


def _meant(tag: Tag) -> str:
    return tag.named[0].name if tag.named else tag.text


def _refused_at_once(tags: Sequence[Tag]) -> Reading | None:
    """What asks for an act, or for a day that has no past."""
    first = next((tag for tag in tags if not POLITE.issuperset(tag.words)), tags[0])
    if first.has(Kind.ACTION) and not (first.has(Kind.EVENT) and len(tags) == 1):
        return refuse(first.typed.split()[0].lower(), why=READS_ONLY)
    for tag in tags:
        if tag.period and tag.period.last < FIRST_DAY:
            return refuse(tag.typed, why="Nothing is known from so long ago.")
    return None


def _by_rules(q: Question, *, is_of_registers: bool) -> Reading:
    fewest: list[Tag] | None = None
    asks: Reading | None = None
    unknown = [tag for tag in q.tags if tag.has(Kind.UNKNOWN)]
    for rule in rules_registers.RULES if is_of_registers else RULES:
        q.reset()
        reading = rule(q)
        if reading is None:
            continue
        if reading.lookup == REFUSED:
            return reading
        if reading.lookup == ASKS:
            asks = asks or reading
            if not unknown:
                return reading
            continue
        left = q.left
        if not left:
            return reading
        if fewest is None or len(left) < len(fewest):
            fewest = left
    if asks and not unknown:
        return asks
    if is_of_registers:
        return refuse(*words_of(fewest or _content(q)), why=rules_registers.NOT_KNOWN)
    return _refusal(q, unknown or fewest or _content(q))


def _content(q: Question) -> list[Tag]:
    q.reset()
    return q.left or q.tags


def _refusal(q: Question, stopped: Sequence[Tag]) -> Reading:
    judged = [tag for tag in q.tags if tag.has(Kind.JUDGEMENT) and not tag.is_optional]
    if judged and not any(tag.has(Kind.UNKNOWN) for tag in stopped):
        return refuse(*words_of(judged), why=NO_MEASURE)
    why = NOT_KNOWN
    if all(tag.is_optional for tag in q.tags):
        why = EXAMPLE
    elif any(tag.period and tag.period.first > q.today for tag in stopped):
        why = AHEAD
    names = [
        name
        for tag in stopped
        if tag.has(Kind.UNKNOWN)
        for name in closest(tag.text, [kind for kind in MODELS if kind != "contact"])
    ]
    if names:
        why = f"{why} Names that come close: {', '.join(dict.fromkeys(names))}."
    return refuse(*words_of(stopped), why=why)
