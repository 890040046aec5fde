"""Questions about what happened between two days."""

from __future__ import annotations

from datetime import date

from dashboard.ask.grammar.lexicon import Kind
from dashboard.ask.grammar.question import Question, iso, used
from dashboard.ask.grammar.reading import EXPLAIN, METRIC, RECORDS, Reading
from dashboard.ask.grammar.wanted import collect, metric, records, take_figure
from oegen.core import clock
from oegen.models import User
from pipelines.querysets import BETTER, WORSE

#: Kinds of changes that are asked for by a verb, and the statuses that narrow them down.
_EVENTS = {
    "new": ("new", ""),
    "moved": ("moved", ""),
    "completed": ("completed", ""),
    "withdrawn": ("ended", "withdrawn"),
    "refused": ("ended", "refused"),
    "ended": ("ended", ""),
    "sold": ("sold", ""),
    "held": ("on-hold", ""),
    "released": ("off-hold", ""),
    "reopened": ("reopened", ""),
    "removed": ("removed", ""),
    "renamed": ("renamed", ""),
    "resized": ("resized", ""),
    "restored": ("restored", ""),
    "earlier": ("earlier", ""),
    "rated": ("rated", ""),
}

#: The figure has so many of the largest delays.
MOST_SLIPS = 10

_RAG = Kind.FILTER, "rag=red", "rag=amber", "rag=green"


def _overdue(q: Question) -> bool:
    return q.has(Kind.FILTER, "rtb=overdue")


def a_month_ago(q: Question) -> date:
    return clock.a_month_before(q.today)


def explain(q: Question) -> Reading | None:
    """Why the open capacity changed; the MW walk."""
    is_walk = q.take(Kind.FIGURE, "mw-walk")
    if not is_walk:
        moved = q.has(Kind.EVENT, "rose", "fell", "changed")
        if not (q.has(Kind.ASK, "why") and moved):
            return None
    q.take_all(Kind.ASK, "why")
    q.take_all(Kind.EVENT, "rose", "fell", "changed")
    q.take_all(Kind.UNIT, "mw")
    q.take_all(Kind.NOUN, "pipeline")
    between = q.take_range()
    collect(q)
    q.drop_open()
    start, end = between or (a_month_ago(q), q.today)
    return q.reading(EXPLAIN, start=iso(start), end=iso(end))


def slippage(q: Question) -> Reading | None:
    """RTB dates against those of an earlier day, or against their baselines."""
    if q.has(Kind.FIGURE, "baselines"):
        return _baselines(q)
    is_event = q.has(Kind.EVENT, "slipped")
    is_figure = q.has(Kind.FIGURE, "rtb-slippage") or q.has(Kind.ORDER, "largest_slip")
    if not (is_event or is_figure):
        return None
    wants_count = q.has(Kind.ASK, "many") and not q.has(Kind.ASK, "long")
    used(
        tag
        for tag in q.tags
        if tag.has(Kind.EVENT, "slipped")
        or tag.has(Kind.FIGURE, "rtb-slippage")
        or tag.has(Kind.ORDER, "largest_slip")
    )
    q.take_all(Kind.ASK, "average", "much", "many", "most", "late")
    q.take(Kind.ORDER, "largest")
    q.take_all(Kind.NOUN, "pipeline")
    q.take_all(Kind.ASPECT, "rtb")
    q.take_all(Kind.TOPIC, "due")
    between = q.take_range()
    collect(q)
    q.drop_open()
    if "rtb_from" in q.filters or "rtb_year" in q.filters:
        return None
    start, end = between or (a_month_ago(q), q.today)
    name = "rtb-slippage:later" if wants_count else "rtb-slippage"
    as_of = "" if end == q.today else iso(end)
    limit = ""
    for tag in q.find(Kind.NUMBER):
        if tag.number and tag.number <= MOST_SLIPS and not wants_count:
            tag.is_used = True
            limit = f"{tag.number:g}"
    return metric(q, name, compare=iso(start), as_of=as_of, limit=limit)


def _baselines(q: Question) -> Reading | None:
    q.take_all(Kind.FIGURE, "baselines", "rtb-slippage")
    q.take_all(Kind.EVENT, "slipped")
    durations = q.find(Kind.DURATION)
    is_amount = q.has(Kind.ASK, "late", "average", "much") or not q.has(Kind.NOUN, "pipeline")
    lists = bool(durations) or q.has(Kind.ASK, "many") or not is_amount
    q.take_all(Kind.ASK, "late", "average", "much")
    q.take_all(Kind.TOPIC, "missed")
    q.take_all(Kind.ASPECT, "rtb", "slip")
    nouns = q.take_all(Kind.NOUN, "pipeline")
    if durations:
        bound = q.before(durations[0])
        durations[0].is_used = True
        if bound and bound.has(Kind.BOUND, "min"):
            bound.is_used = True
    collect(q)
    if not lists:
        q.drop_open()
        return metric(q, "baselines")
    days = durations[0].number if durations else 1
    q.add("late_days", f"{days:g}")
    if q.take(Kind.ASK, "many"):
        used(nouns)
        return metric(q, take_figure_of_count(q))
    return records(q, "pipeline")


def take_figure_of_count(q: Question) -> str:
    q.drop_open()
    return "open-pipelines"


def ratings(q: Question) -> Reading | None:
    """Which got worse or better, turned red, went from amber to green."""
    if q.take(Kind.FIGURE, "rag-movement"):
        q.take_all(Kind.NOUN, "pipeline")
        start, end = q.take_range() or (a_month_ago(q), q.today)
        collect(q)
        q.drop_open()
        as_of = "" if end == q.today else iso(end)
        return metric(q, "rag-movement", compare=iso(start), as_of=as_of)
    for event, direction, name in (
        ("worse", WORSE, "worsened-pipelines"),
        ("better", BETTER, "improved-pipelines"),
    ):
        if not q.has(Kind.EVENT, event):
            continue
        used(q.find(Kind.EVENT, event))
        q.take_all(Kind.ASPECT, "rag")
        q.take_all(Kind.NOUN, "pipeline")
        counts = q.take(Kind.ASK, "many")
        start, end = q.take_range() or (a_month_ago(q), q.today)
        collect(q)
        if counts:
            q.drop_open()
            as_of = "" if end == q.today else iso(end)
            return metric(q, name, compare=iso(start), as_of=as_of)
        q.add("rag_moved", direction)
        q.add("since", iso(start))
        as_of = "" if end == q.today else iso(end)
        return records(q, "pipeline", as_of=as_of)
    return _turned(q)


def _turned(q: Question) -> Reading | None:
    """From amber to green; turned red."""
    found = q.find(*_RAG)
    if len(found) == 2:
        first, last = found
        roles = [one.senses.get(Kind.PREPOSITION) if one else "" for one in map(q.before, found)]
        if roles != ["from", "to"]:
            return None
        used(found)
        was, now = (tag.senses[Kind.FILTER].partition("=")[2] for tag in (first, last))
        moved = ""
    else:
        events = q.find(Kind.EVENT, "turned")
        before = q.before(found[0]) if len(found) == 1 else None
        if not events and before and before.has(Kind.PREPOSITION, "to"):
            events = q.find(Kind.EVENT, "moved", "slipped", "fell", "rose", "changed")
        if len(found) != 1 or not events or not _turns(q):
            return None
        found[0].is_used = True
        was, now = "", found[0].senses[Kind.FILTER].partition("=")[2]
        moved = {"red": WORSE, "green": BETTER}.get(now, "")
        if not moved:
            return None
    q.take_all(Kind.EVENT, "turned", "moved", "slipped", "fell", "rose", "changed")
    q.take_all(Kind.NOUN, "pipeline")
    q.take_all(Kind.ASPECT, "rag")
    start, end = q.take_range() or (a_month_ago(q), q.today)
    collect(q)
    if q.take(Kind.ASK, "many"):
        # Shown by the list, which says how many.
        pass
    q.add("rag", now)
    if was:
        q.add("rag_was", was)
    if moved:
        q.add("rag_moved", moved)
    q.add("since", iso(start))
    return records(q, "pipeline", as_of="" if end == q.today else iso(end))


def _turns(q: Question) -> bool:
    """Whether it is about what happened: with days, or with a verb that says so."""
    plain = ("now", "gone", "went")
    return bool(q.spans()) or any(tag.words[0] not in plain for tag in q.find(Kind.EVENT, "turned"))


def entries(q: Question) -> Reading | None:
    """What a person changed: entries of the history."""
    people = [tag for tag in q.find(Kind.PERSON) if len(tag.person) == 1]
    has_event = q.has(Kind.EVENT, "changed", "rated", "moved", "new")
    if not people or not (has_event or q.has(Kind.TOPIC, "did")):
        return None
    key = User.objects.filter(username=people[0].person[0]).values_list("pk", flat=True).first()
    people[0].is_used = True
    q.take_all(Kind.EVENT, "changed", "rated", "moved", "new")
    q.take_all(Kind.TOPIC, "did")
    span = next(iter(q.spans()), None)
    if span:
        q.use_span(span)
        first = span.period.first
        if span.period.is_rolling or first <= q.today:
            q.add("since", iso(first))
        if not span.period.is_rolling and span.role != "since" and span.period.last < q.today:
            q.add("until", iso(span.period.last))
    q.add("person", str(key))
    return q.reading(RECORDS, kind="audit")


def events(q: Question) -> Reading | None:
    """What was added, moved, completed, refused, sold, put on hold."""
    found = q.find(Kind.EVENT, *_EVENTS)
    if not found:
        return None
    tag = found[0]
    event = tag.senses[Kind.EVENT]
    has_status = tag.has(Kind.FILTER)
    past = [span for span in q.spans() if span.period.first <= q.today]
    is_rtb = q.has(Kind.ASPECT, "rtb")
    if has_status and (not past or is_rtb):
        return None
    if event == "completed" and not past:
        return None
    kind, status = _EVENTS[event]
    tag.is_used = True
    between = q.take_range()
    if between is None and past:
        return None
    if between is None and event not in ("new", "moved", "earlier", "rated", "released", "resized"):
        return None
    q.take_all(Kind.NOUN, "pipeline")
    q.take_all(Kind.ASK, "many", "much")
    q.take_all(Kind.UNIT, "mw")
    q.take_all(Kind.TOPIC, "did")
    q.take_all(Kind.EVENT, event)
    if event == "moved":
        _moved_between(q)
        if "stage_was" in q.filters:
            # The list of those that were there then, and where they are now.
            start, end = between or (a_month_ago(q), q.today)
            collect(q)
            q.add("since", iso(start))
            if "status" not in q.filters:
                q.add("status__not", *q.filters["stage_was"])
            return records(q, "pipeline", as_of="" if end == q.today else iso(end))
        if _stages_left(q):
            return None
    if event == "earlier":
        q.take_all(Kind.ASPECT, "rtb")
    if event == "rated":
        q.take_all(Kind.ASPECT, "rag")
    collect(q)
    q.drop_open()
    q.add("kind", kind)
    if status:
        q.add("status", status)
    start, end = between or (a_month_ago(q), q.today)
    return q.reading(RECORDS, kind="changes", start=iso(start), end=iso(end))


def _moved_between(q: Question) -> None:
    """From one stage to another: those that were in the one, and are in the other now."""
    for tag in q.find(Kind.FILTER):
        name, _, code = tag.senses[Kind.FILTER].partition("=")
        before = q.before(tag)
        if name != "status" or before is None or not before.has(Kind.PREPOSITION):
            continue
        role = before.senses[Kind.PREPOSITION]
        if role == "from":
            q.add("stage_was", code)
        elif role in ("to", "in"):
            q.add("status", code)
        else:
            continue
        tag.is_used = before.is_used = True


def _stages_left(q: Question) -> bool:
    """Whether a stage is named of which it is not said whether it is the one before or after."""
    return any(tag.senses[Kind.FILTER].startswith("status=") for tag in q.find(Kind.FILTER))


def changed(q: Question) -> Reading | None:
    """What changed, what is new: the changes of all kinds."""
    if not q.has(Kind.EVENT, "changed") or q.has(Kind.UNIT) or q.has(Kind.FIGURE):
        return None
    if q.has(Kind.ASK, "who", "when", "why"):
        return None
    q.take_all(Kind.EVENT, "changed")
    q.take_all(Kind.NOUN, "pipeline")
    q.take_all(Kind.ASK, "many")
    q.take_all(Kind.ORDER, "latest", "newest")
    start, end = q.take_range() or (a_month_ago(q), q.today)
    collect(q)
    q.drop_open()
    as_of = "" if end == q.today else iso(end)
    return metric(q, "changes", compare=iso(start), as_of=as_of)


def growth(q: Question) -> Reading | None:
    """Whether it grew: against an earlier day, a year ago if none is given."""
    is_topic = q.has(Kind.TOPIC, "growth")
    is_event = q.has(Kind.EVENT, "rose", "fell")
    is_amount = q.has(Kind.UNIT) or q.has(Kind.FIGURE)
    # "How has red changed since March" is how much of it there is.
    is_amount = is_amount or (q.tags[0].words[0] == "how" and bool(q.find(*_RAG) or _overdue(q)))
    if is_amount and q.spans() and q.has(Kind.EVENT, "changed", "moved"):
        is_event = True
    if not (is_topic or is_event):
        return None
    if q.has(Kind.ASK, "why") or (is_event and not is_topic and not q.spans()):
        return None
    q.take_all(Kind.TOPIC, "growth")
    q.take_all(Kind.EVENT, "rose", "fell", "changed", *(["moved"] if is_amount else []))
    between = q.take_range()
    collect(q)
    name = take_figure(q)
    default = clock.months_before(q.today, 12)
    start, end = between or (default, q.today)
    as_of = "" if end == q.today else iso(end)
    return q.reading(METRIC, metric=name, compare=iso(start), as_of=as_of)
