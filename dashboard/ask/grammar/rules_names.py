"""Questions about named records: a project, a counterparty, a facility."""

from __future__ import annotations

from collections.abc import Sequence

from dashboard.ask.grammar.lexicon import Kind
from dashboard.ask.grammar.question import Question, iso, used
from dashboard.ask.grammar.reading import (
    ASKS,
    FIND,
    METRIC,
    RECORD,
    RECORDS,
    Choice,
    Reading,
)
from dashboard.ask.grammar.tags import Tag
from dashboard.ask.grammar.wanted import collect, counts_pipelines, records, take_figure
from dashboard.ask.names import Named
from oegen.core.text import likeness_key

#: Aspects in the order in which one is chosen where several are named.
_FIRST = ("history", "next_step", "responsible")

#: The aspect that a filter is of: "is it red?"
_STATES = {
    "rag": "rag",
    "rtb": "rtb",
    "status": "status",
    "country": "place",
    "region": "place",
    "technology": "technology",
    "not_confirmed": "rag",
}

#: Aspects that other words of the question are part of.
_ALSO = {"rag": ("rag=red", "rag=amber", "rag=green")}


def named(q: Question) -> Reading | None:
    tags = q.find(Kind.NAME)
    if not tags:
        return None
    if len(tags) > 1 and (merged := _merged(tags)):
        tags = [merged]
    if len(tags) != 1:
        return None
    [tag] = tags
    found = _candidates(q, tag)
    if len(found) > 1:
        return _ask(tag, found)
    [one] = found
    tag.is_used = True
    if q.tags[0].words[0] in ("find", "search", "lookup") and not _others(q):
        return Reading(FIND, name=tag.text)
    if one.kind == "counterparty":
        return _counterparty(q, one)
    return _record(q, one)


def _merged(tags: Sequence[Tag]) -> Tag | None:
    """One name in several parts: the records that all parts have in common."""
    keys = set.intersection(*({one.pk for one in tag.named} for tag in tags))
    if not keys:
        return None
    used(tags)
    first = tags[0]
    first.named = tuple(one for one in first.named if one.pk in keys)
    first.is_used = False
    return first


def _others(q: Question) -> list[Tag]:
    return [tag for tag in q.left if not tag.has(Kind.NAME)]


def _candidates(q: Question, tag: Tag) -> list[Named]:
    """The records that may be meant, after what else the question says."""
    found = list(tag.named)
    wants_company = (
        q.has(Kind.NOUN, "contact", "counterparty")
        or q.has(Kind.TOPIC, "business")
        or any(
            tag.has(Kind.ROLE) and tag.senses[Kind.ROLE].startswith("contact:") for tag in q.tags
        )
        or (q.has(Kind.TOPIC, "related") and q.has(Kind.NOUN, "pipeline"))
        or (q.has(Kind.NOUN, "pipeline") and q.has(Kind.ROLE))
        or _is_with(q, tag)
    )
    companies = [one for one in found if one.kind == "counterparty"]
    if wants_company and companies:
        found = companies
    elif q.has(Kind.NOUN, "facility") and any(one.kind == "facility" for one in found):
        found = [one for one in found if one.kind == "facility"]
    else:
        pipelines = [one for one in found if one.kind == "pipeline"]
        found = pipelines or companies or found
    if len(found) > 1:
        found = _narrowed(q, tag, found)
    return found


def _is_with(q: Question, tag: Tag) -> bool:
    before = q.before(tag)
    return bool(before and before.words[-1] in ("with",)) and q.has(Kind.NOUN, "pipeline")


def _narrowed(q: Question, tag: Tag, found: list[Named]) -> list[Named]:
    """By words of the question that only some of the names have, as “battery”."""
    for other in q.tags:
        if other is tag or not (other.has(Kind.FILTER) or other.has(Kind.UNKNOWN)):
            continue
        words = set(other.words)
        having = [one for one in found if words <= set(likeness_key(one.name).split())]
        if having and len(having) < len(found):
            other.is_used = True
            found = having
    exact = [one for one in found if one.is_exact]
    return exact if len(exact) == 1 else found


def _ask(tag: Tag, found: Sequence[Named]) -> Reading:
    choices = tuple(Choice(one.kind, one.pk, one.name) for one in found)
    return Reading(ASKS, name=tag.typed, choices=choices)


# A counterparty ----------------------------------------------------------------------------------


def _counterparty(q: Question, one: Named) -> Reading | None:
    role = q.take(Kind.ROLE)
    code = role.senses[Kind.ROLE] if role else ""
    if q.has(Kind.NOUN, "contact") or code.startswith("contact:"):
        q.take_all(Kind.NOUN, "contact")
        q.take_all(Kind.ASK, "who")
        q.add("counterparty", one.name)
        if code:
            q.add("role", code.removeprefix("contact:"))
        return q.reading(RECORDS, kind="contact")
    if q.take(Kind.NOUN, "informationpoint"):
        q.add("counterparty", one.name)
        return records(q, "informationpoint", order="-rating")
    holds = q.has(Kind.TOPIC, "holding") or q.has(Kind.ASPECT, "held")
    business = q.has(Kind.TOPIC, "business", "exposed")
    amount = q.has(Kind.UNIT) or q.has(Kind.ASK, "much", "many")
    if not code and (business or holds) and not counts_pipelines(q):
        q.take_all(Kind.TOPIC, "business", "holding", "exposed")
        q.take_all(Kind.ASPECT, "held")
        q.take_all(Kind.ASK, "much", "many", "share")
        q.take_all(Kind.UNIT, "mw")
        q.take_all(Kind.NOUN, "pipeline")
        collect(q)
        q.drop_open()
        q.add("held_by", one.pk)
        day = q.take_past_day()
        return q.reading(METRIC, metric="capacity-by-counterparty:held_mw", as_of=iso(day))
    q.take_all(Kind.TOPIC, "related", "business", "holding")
    if amount or q.has(Kind.NOUN, "pipeline") or code:
        q.take_all(Kind.ASK, "who") if code else None
        collect(q)
        q.add("counterparty", one.name)
        if code:
            q.add("role", code)
        if amount:
            name = take_figure(q)
            return q.reading(METRIC, metric=name, as_of=iso(q.take_past_day()))
        q.take_all(Kind.NOUN, "pipeline")
        return records(q, "pipeline")
    return _record(q, one)


# Any record --------------------------------------------------------------------------------------


def _record(q: Question, one: Named) -> Reading | None:
    q.take_all(Kind.NOUN, "pipeline", "facility", "counterparty")
    day = q.take_past_day()
    span = next((span for span in q.spans() if span.role == "since"), None)
    if span and q.has(Kind.EVENT, "changed") and day is None:
        q.use_span(span)
        q.take_all(Kind.EVENT, "changed")
        q.add("name", one.name)
        q.add("since", iso(span.period.first))
        return q.reading(RECORDS, kind="audit")
    term = _aspect(q)
    if one.kind != "pipeline" and term in ("on_track", "status"):
        term = ""
    if one.kind == "counterparty" and term == "ownership":
        term = "held"
    return Reading(RECORD, kind=one.kind, name=one.name, pk=one.pk, term=term, as_of=iso(day))


def _aspect(q: Question) -> str:
    """What is asked of the record; empty for all of it."""
    if q.take(Kind.TOPIC, "known") and not q.has(Kind.ASPECT):
        return ""
    role = q.take(Kind.ROLE)
    if role:
        q.take_all(Kind.ASK, "who")
        q.take_all(Kind.ASPECT, "counterparties", "responsible")
        return f"role:{role.senses[Kind.ROLE]}"
    milestone = q.find(Kind.MILESTONE)
    if milestone and not milestone[0].has(Kind.ASPECT, "cod"):
        used(milestone)
        q.take_all(Kind.TOPIC, "due", "done", "missed")
        q.take_all(Kind.ASK, "when")
        return f"milestone:{milestone[0].senses[Kind.MILESTONE]}"
    if q.has(Kind.ASK, "why"):
        rag = [tag for tag in q.find(Kind.FILTER) if tag.senses[Kind.FILTER].startswith("rag=")]
        held = q.find(Kind.FILTER, "status=on-hold")
        if rag or held:
            q.take_all(Kind.ASK, "why")
            used([*rag, *held])
            return "comment" if rag else "on_hold"
    if q.has(Kind.ASK, "who") and q.has(Kind.EVENT, "changed"):
        q.take_all(Kind.ASK, "who")
        q.take_all(Kind.EVENT, "changed")
        q.take_all(Kind.ORDER, "latest", "newest")
        return "history"
    if q.has(Kind.EVENT, "changed") and not q.has(Kind.ASK):
        q.take_all(Kind.EVENT, "changed")
        q.take_all(Kind.ORDER, "latest", "newest")
        return "history"
    if q.take(Kind.TOPIC, "exposed", "expose"):
        q.take_all(Kind.NOUN, "informationpoint")
        q.take_all(Kind.ASPECT, "infopoints")
        return "infopoints"
    if q.take(Kind.TOPIC, "attention"):
        q.take_all(Kind.ASPECT, "attention")
        return "attention"
    states = q.find(Kind.FILTER)
    if states and not q.has(Kind.ASPECT):
        return _state(q, states)
    tags = q.find(Kind.ASPECT)
    q.take_all(Kind.ASK, "who", "when", "where", "much", "many", "late")
    names = list(dict.fromkeys(tag.senses[Kind.ASPECT] for tag in tags))
    used(tags)
    q.take_all(Kind.UNIT, "mw") if names == ["capacity"] else None
    if "history" in names:
        q.take_all(Kind.ORDER, "latest", "newest")
    for name in names:
        for code in _ALSO.get(name, ()):
            q.take(Kind.FILTER, code)
    q.take_all(Kind.FILTER, "status=on-hold") if "on_hold" in names else None
    q.take_all(Kind.FIGURE, "rtb-slippage") if "slip" in names else None
    q.take_all(Kind.FIGURE, "net-capacity") if "ownership" in names else None
    if not names and q.take(Kind.UNIT, "mw"):
        return "capacity"
    chosen = [name for name in _FIRST if name in names] or names
    return ",".join(chosen)


def _state(q: Question, states: Sequence[Tag]) -> str:
    """Is it red, overdue, on hold, in construction? The aspect that says so."""
    name = states[0].senses[Kind.FILTER].partition("=")[0]
    aspect = _STATES.get(name)
    if aspect is None:
        return ""
    used(states)
    q.take_all(Kind.ASK, "when", "why") if name == "status" and q.has(Kind.ASK, "when") else None
    return aspect
