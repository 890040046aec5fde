"""Questions whose answer is a figure: definitions, stages, forecast, holders, amounts."""

from __future__ import annotations

import re
from datetime import date

from dashboard.ask.definitions import define
from dashboard.ask.grammar.lexicon import Kind
from dashboard.ask.grammar.question import Question, iso
from dashboard.ask.grammar.reading import ATTENTION, DEFINE, SCREEN, Reading, refuse
from dashboard.ask.grammar.tags import Tag
from dashboard.ask.grammar.wanted import (
    collect,
    counts_pipelines,
    metric,
    take_figure,
    take_groups,
)

#: Words around a term that is to be defined.
_AROUND = frozenset(
    [
        "what",
        "does",
        "do",
        "is",
        "are",
        "a",
        "an",
        "the",
        "it",
        "we",
        "you",
        "by",
        "how",
        "exactly",
        "please",
        "tell",
        "me",
        "s",
        "term",
        "word",
        "say",
        "can",
        "to",
        "i",
        "mean",
        "means",
        "meaning",
        "of",
        "definition",
        "define",
        "defined",
        "calculated",
        "computed",
        "meant",
        "stand",
        "for",
        "stands",
        "counts",
        "count",
        "as",
        "counted",
        "worked",
        "out",
        "measured",
        "calculate",
        "in",
        "this",
        "tool",
        "here",
        "would",
        "explain",
        "between",
        "difference",
        "and",
    ]
)


def define_term(q: Question) -> Reading | None:
    """What a word means."""
    is_asked = q.has(Kind.TOPIC, "define", "difference")
    words = [word for tag in q.tags for word in tag.words]
    is_plain = words[:2] == ["what", "is"] and words[2:3] not in (["the"], ["our"], ["my"])
    if words[:1] == ["explain"] and define(" ".join(words[1:])):
        return _defined(q, _typed(q, words[1:]))
    if not (is_asked or is_plain):
        return None
    if q.has(Kind.TOPIC, "difference"):
        return _difference(q, words)
    if is_asked:
        term = _typed(q, _stripped(words))
        if not term:
            return None
        if define(term) is None:
            typed = [tag for tag in q.tags if not _AROUND.issuperset(tag.words)]
            return refuse(
                *dict.fromkeys(tag.typed for tag in typed),
                why="There is no definition of that here. Words that have one are those of the "
                "dashboard, such as overdue, net MW, RTB slippage or conversion.",
            )
        return _defined(q, term)
    rest = words[2:]
    while rest[:1] in (["a"], ["an"]):
        rest = rest[1:]
    term = _typed(q, rest)
    is_state = len(q.find(Kind.FILTER)) > 0 or q.has(Kind.NOUN) or q.has(Kind.PERIOD)
    if not rest or is_state or define(term) is None:
        return None
    return _defined(q, term)


def _typed(q: Question, words: list[str]) -> str:
    """The words as they were typed."""
    as_typed = {tag.text: tag.typed for tag in q.tags if not tag.corrected}
    text = " ".join(words)
    for one in sorted(as_typed, key=len, reverse=True):
        if len(one) > 1:
            typed = as_typed[one].replace("\\", "")
            text = re.sub(rf"\b{re.escape(one)}\b", typed, text)
    return text


def _stripped(words: list[str]) -> list[str]:
    while words and words[0] in _AROUND:
        words = words[1:]
    while words and words[-1] in _AROUND:
        words = words[:-1]
    return words


def _difference(q: Question, words: list[str]) -> Reading | None:
    rest = words[words.index("between") + 1 :] if "between" in words else []
    first, _, last = " ".join(rest).partition(" and ")
    terms = [" ".join(_stripped(one.split())) for one in (first, last)]
    if not all(term and define(term) for term in terms):
        return None
    return _defined(q, ", ".join(terms))


def _defined(q: Question, term: str) -> Reading:
    for tag in q.tags:
        tag.is_used = True
    return Reading(DEFINE, term=term)


def page(q: Question) -> Reading | None:
    """A page of the site, or the one that is looked at."""
    tag = q.take(Kind.PAGE)
    if tag:
        name = tag.senses[Kind.PAGE]
        q.take_all(Kind.NOUN, "pipeline")
        day = q.take_past_day()
        collect(q)
        q.drop_open()
        return q.reading(SCREEN, kind=name, as_of=iso(day))
    if q.has(Kind.TOPIC, "page"):
        rest = [one for one in q.left if not one.has(Kind.TOPIC, "page")]
        q.take_all(Kind.TOPIC, "page")
        if not rest:
            return Reading(SCREEN)
        q.is_about_page = True
    return None


def attention(q: Question) -> Reading | None:
    """What needs attention."""
    if not q.has(Kind.TOPIC, "attention"):
        return None
    q.take_all(Kind.TOPIC, "attention")
    counts = q.take(Kind.ASK, "many")
    q.take_all(Kind.NOUN, "pipeline")
    q.take(Kind.ASK, "most")
    q.take(Kind.ORDER, "soonest")
    day = q.take_past_day()
    collect(q)
    q.drop_open()
    if counts:
        return metric(q, "attention", as_of=iso(day))
    return q.reading(ATTENTION, as_of=iso(day))


def overview(q: Question) -> Reading | None:
    """How the portfolio is doing: the dashboard with its figures."""
    if not q.has(Kind.TOPIC, "overview"):
        return None
    q.take_all(Kind.TOPIC, "overview")
    q.take_all(Kind.NOUN, "pipeline")
    q.take_all(Kind.ASPECT, "on_track")
    day = q.take_past_day()
    collect(q)
    q.drop_open()
    return q.reading(SCREEN, kind="dashboard", as_of=iso(day))


def stages(q: Question) -> Reading | None:
    """How long projects stay in a stage, and how many move on."""
    figures = ("stages:median_days", "stages:p80_days", "stages:conversion_pct")
    found = q.find(Kind.FIGURE, *figures)
    if not found and not (q.has(Kind.ASK, "long") and _stage_tag(q)):
        return None
    name = next(
        (one for one in reversed(figures) if any(tag.has(Kind.FIGURE, one) for tag in found)),
        figures[0],
    )
    is_stage_alone = bool(found) and all(tag.words == ("in", "stage") for tag in found)
    if name == figures[0] and is_stage_alone and not q.has(Kind.ASK):
        return None
    q.take_all(Kind.FIGURE, *figures)
    q.take_all(Kind.ASK, "long", "average", "many", "share", "much")
    q.take_all(Kind.NOUN, "pipeline")
    tag = _stage_tag(q)
    part = ""
    if tag:
        tag.is_used = True
        part = tag.senses[Kind.FILTER].partition("=")[2]
    q.take_all(Kind.BY)
    q.take_all(Kind.DIMENSION, "stage")
    collect(q)
    q.drop_open()
    return metric(q, name, name=part)


def _stage_tag(q: Question) -> Tag | None:
    return next(
        (tag for tag in q.find(Kind.FILTER) if tag.senses[Kind.FILTER].startswith("status=")), None
    )


def forecast(q: Question) -> Reading | None:
    """The cumulative capacity by RTB date, and its trend."""
    if not q.has(Kind.FIGURE, "forecast"):
        return None
    q.take_all(Kind.FIGURE, "forecast")
    q.take_all(Kind.UNIT, "mw")
    q.take_all(Kind.ASK, "many", "much")
    q.take_all(Kind.ASPECT, "rtb")
    q.take_all(Kind.NOUN, "pipeline")
    q.take_all(Kind.TOPIC, "due", "growth")
    q.take_all(Kind.EVENT, "rose")
    end: date | None = None
    for span in q.spans():
        if span.period.last > q.today:
            q.use_span(span)
            end = span.period.last
    collect(q)
    q.drop_open()
    return metric(q, "forecast", end=iso(end))


def holders(q: Question) -> Reading | None:
    """Who holds the open capacity."""
    is_topic = q.has(Kind.TOPIC, "holding") and not q.has(Kind.NAME)
    is_figure = q.has(Kind.FIGURE, "capacity-by-counterparty")
    is_group = q.has(Kind.DIMENSION, "holder") and q.has(Kind.BY)
    if not (is_topic or is_figure) or (is_group and not is_figure and q.has(Kind.UNIT)):
        return None
    if is_topic and not (
        q.has(Kind.ASK, "who")
        or q.has(Kind.ASK, "most")
        or any(len(tag.words) > 1 or tag.words[0].startswith("holder")
               for tag in q.find(Kind.TOPIC, "holding"))
    ):  # fmt: skip
        return None
    q.take_all(Kind.TOPIC, "holding")
    q.take_all(Kind.FIGURE, "capacity-by-counterparty")
    q.take_all(Kind.DIMENSION, "holder")
    q.take_all(Kind.ASK, "who", "most", "many", "much", "share")
    q.take_all(Kind.UNIT, "mw")
    q.take_all(Kind.NOUN, "pipeline", "counterparty")
    q.take_all(Kind.ROLE, "lead-developer")
    q.take_all(Kind.ORDER, "largest")
    q.take_all(Kind.BY)
    for tag in q.find(Kind.NUMBER):
        # "our top ten": there are ten.
        if tag.number == 10:
            tag.is_used = True
    day = q.take_past_day()
    compare = q.take_compare()
    collect(q)
    q.drop_open()
    return metric(q, "open-capacity", group_by="holder", as_of=iso(day), compare=iso(compare))


def compared(q: Question) -> Reading | None:
    """Spain against Italy, solar against wind: groups by what differs."""
    if not q.has(Kind.ASK, "compare") and not q.has(Kind.PREPOSITION, "versus"):
        return None
    by_name: dict[str, int] = {}
    for tag in q.find(Kind.FILTER):
        name = tag.senses[Kind.FILTER].partition("=")[0]
        by_name[name] = by_name.get(name, 0) + 1
    dimensions = {"country": "country", "technology": "technology", "status": "stage", "rag": "rag"}
    several = [name for name, number in by_name.items() if number > 1 and name in dimensions]
    if len(several) != 1:
        return None
    q.take_all(Kind.ASK, "compare")
    q.take_all(Kind.PREPOSITION, "versus")
    day = q.take_past_day()
    collect(q)
    name = take_figure(q)
    return metric(q, name, group_by=dimensions[several[0]], as_of=iso(day))


def amounts(q: Question) -> Reading | None:
    """How many MW or projects; by what; on a day; compared with another."""
    has_by = q.has(Kind.BY) and q.has(Kind.DIMENSION) and any(
        not tag.is_optional for tag in q.find(Kind.BY)
    )  # fmt: skip
    most = q.has(Kind.ASK, "most") or q.has(Kind.ORDER, "largest")
    which = q.has(Kind.BY) and q.has(Kind.DIMENSION) and most
    collect_first = not (has_by or which)
    is_share = q.has(Kind.FIGURE, "weighted-capacity:with_probability_pct")
    if is_share:
        return _share(q)
    groups = "" if collect_first else take_groups(q)
    collect(q)
    if not groups and not _is_amount(q):
        return None
    if groups and q.has(Kind.NOUN, "counterparty", "contact", "informationpoint", "milestone"):
        return None
    q.take_all(Kind.EVENT, "changed") if q.spans() else None
    compare = q.take_compare()
    day = q.take_past_day()
    counts_before = counts_pipelines(q)
    name = take_figure(q)
    if compare and day and compare > day:
        # "March against June": the later day is read.
        compare, day = day, compare
    if groups == "holder":
        q.take_all(Kind.TOPIC, "holding")
    if groups and not counts_before and name == "open-pipelines":
        name = "open-capacity"
    q.take_all(Kind.ASPECT, "responsible") if groups == "responsible" else None
    if compare:
        q.take_all(Kind.ASK, "compare")
        q.take_all(Kind.EVENT, "turned")
    return metric(q, name, group_by=groups, as_of=iso(day), compare=iso(compare))


def _is_amount(q: Question) -> bool:
    """Whether an amount is asked for, and not a list."""
    if q.has(Kind.NOUN, "facility", "counterparty", "contact", "informationpoint", "milestone"):
        return False
    figures = ("net-capacity", "weighted-capacity", "net-weighted-capacity")
    if q.has(Kind.UNIT) or q.has(Kind.ASK, "much") or q.has(Kind.FIGURE, *figures):
        return not (q.has(Kind.ORDER) and not q.has(Kind.ASK, "much", "many"))
    if q.has(Kind.ASK, "many"):
        return True
    singular = [tag for tag in q.find(Kind.NOUN, "pipeline") if tag.words == ("pipeline",)]
    if singular and not q.has(Kind.ORDER):
        return True
    is_compared = any(span.role in ("since", "versus") for span in q.spans())
    return is_compared and not q.has(Kind.EVENT)


def _share(q: Question) -> Reading:
    q.take_all(Kind.FIGURE, "weighted-capacity:with_probability_pct", "weighted-capacity")
    q.take_all(Kind.ASK, "share", "many", "much")
    q.take_all(Kind.UNIT, "mw")
    q.take_all(Kind.NOUN, "pipeline")
    q.take_all(Kind.ASPECT, "probability")
    day = q.take_past_day()
    collect(q)
    q.drop_open()
    return metric(q, "weighted-capacity:with_probability_pct", as_of=iso(day))
