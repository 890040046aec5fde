"""Questions whose answer is a list."""

from __future__ import annotations

from dashboard.ask.grammar.lexicon import Kind
from dashboard.ask.grammar.question import Question, iso, used
from dashboard.ask.grammar.reading import RECORDS, Reading
from dashboard.ask.grammar.tags import Tag
from dashboard.ask.grammar.wanted import (
    add_days,
    collect,
    is_plural,
    metric,
    order_of,
    records,
)
from oegen.core.fields import country_name
from pipelines.querysets.milestone import AHEAD, DONE, MISSED


def information_points(q: Question) -> Reading | None:
    """Risks: by rating, of a technology, due for review, or that expose most."""
    nouns = q.find(Kind.NOUN, "informationpoint")
    if q.has(Kind.FIGURE, "exposure") or (nouns and q.has(Kind.TOPIC, "expose")):
        q.take_all(Kind.FIGURE, "exposure")
        q.take_all(Kind.NOUN, "informationpoint", "pipeline")
        q.take_all(Kind.TOPIC, "expose")
        q.take_all(Kind.ASK, "most", "many", "much")
        q.take_all(Kind.ORDER, "largest", "highest")
        q.take_all(Kind.UNIT, "mw")
        q.take_all(Kind.BY)
        collect(q)
        q.drop_open()
        return metric(q, "exposure")
    if not nouns:
        return _exposed(q)
    used(nouns)
    order, limit = order_of(q, "informationpoint", is_one=not is_plural(nouns[0]))
    counts = q.take(Kind.ASK, "many")
    q.take_all(Kind.NOUN, "pipeline")
    is_due = q.take(Kind.TOPIC, "review") or _take_review(q)
    q.collect("technology")
    for tag in q.find(Kind.FILTER):
        name, _, code = tag.senses[Kind.FILTER].partition("=")
        if name == "country":
            tag.is_used = True
            q.add("q", country_name(code))
        elif tag.has(Kind.FILTER, "status=open"):
            tag.is_used = True
    _collect_rating(q)
    if q.take(Kind.TOPIC, "mine"):
        q.add("owner", "~me")
    if is_due:
        q.add("review", "due")
    about = [tag for tag in q.find(Kind.UNKNOWN) if q.before(tag) is not None]
    if about and not q.filters.get("q"):
        # What they are about, in their own words.
        used(about)
        q.add("q", " ".join(tag.text for tag in about))
    if counts and not q.filters:
        return metric(q, "information-points")
    default = "" if is_due else "-rating"
    return records(q, "informationpoint", order=order or default, limit=limit)


def _take_review(q: Question) -> Tag | None:
    return q.take(Kind.TOPIC, "due") if any(tag.text == "review" for tag in q.tags) else None


def _collect_rating(q: Question) -> None:
    for tag in q.find(Kind.NUMBER):
        before = q.before(tag)
        if before and before.has(Kind.BOUND, "min", "max") and tag.number is not None:
            q.add(f"rating_{before.senses[Kind.BOUND]}", f"{tag.number:g}")
            tag.is_used = before.is_used = True
            q.take(Kind.ASPECT, "rag")


def _exposed(q: Question) -> Reading | None:
    """Which projects are exposed to something: the information points that tell of it."""
    topics = q.find(Kind.TOPIC, "exposed")
    if not topics:
        return None
    place = next(place for place, tag in enumerate(q.tags) if tag is topics[0])
    rest = [tag for tag in q.tags[place + 1 :] if not (tag.is_optional and not tag.has(Kind.NOT))]
    if not rest or topics[0].words[-1] not in ("to", "by", "from"):
        return None
    if all(tag.has(Kind.NAME) for tag in rest):
        return None
    used([topics[0], *rest])
    q.take_all(Kind.NOUN, "pipeline")
    q.take_all(Kind.ASK, "many", "much")
    q.take_all(Kind.UNIT, "mw")
    q.add("q", " ".join(word for tag in rest for word in tag.words))
    return records(q, "informationpoint", order="-rating")


def milestones(q: Question) -> Reading | None:
    """Milestones that are missed, due, or done, of a kind and between days."""
    tags = q.find(Kind.MILESTONE)
    nouns = q.find(Kind.NOUN, "milestone")
    spans = [span for span in q.spans() if span.role != "versus"]
    missed = q.has(Kind.TOPIC, "missed")
    done = q.has(Kind.TOPIC, "done")
    due = q.has(Kind.TOPIC, "due")
    if not (tags or nouns) or not (nouns or spans or missed or done or due or q.has(Kind.NOUN)):
        return None
    used([*tags, *nouns])
    for tag in tags:
        if tag.senses[Kind.MILESTONE] not in q.filters.get("kind", []):
            q.add("kind", tag.senses[Kind.MILESTONE])
    q.take_all(Kind.ASK, "many", "when")
    q.take_all(Kind.NOUN, "pipeline")
    if missed:
        q.take_all(Kind.TOPIC, "missed")
        q.take_all(Kind.FILTER, "rtb=overdue")
        q.add("state", MISSED)
    elif done or any(_is_with(q, tag) for tag in tags):
        q.take_all(Kind.TOPIC, "done", "related")
        q.add("state", DONE)
    if spans:
        q.take_all(Kind.TOPIC, "due")
        for span in spans[:1]:
            q.use_span(span)
            is_past = done or span.role == "since"
            add_days(q, span, "day_from", "day_to", is_past=is_past)
    elif due or any(tag.words[0] == "what" for tag in nouns):
        q.take_all(Kind.TOPIC, "due")
        q.add("state", AHEAD)
    order = q.find(Kind.ORDER, "soonest")
    limit = ""
    if order:
        used(order)
        numbers = q.find(Kind.NUMBER)
        limit = f"{numbers[0].number:g}" if numbers else "1"
        used(numbers[:1])
        if not spans:
            q.add("state", AHEAD)
    q.collect("status", "responsible")
    q.collect_people()
    return records(q, "milestone", limit=limit)


def _is_with(q: Question, tag: Tag) -> bool:
    """“Projects with planning”."""
    before = q.before(tag)
    return bool(before and before.words == ("with",))


def other_kinds(q: Question) -> Reading | None:
    """Facilities, counterparties, contacts."""
    if q.has(Kind.NOUN, "facility"):
        nouns = q.take_all(Kind.NOUN, "facility", "pipeline")
        counts = q.take(Kind.ASK, "many")
        order, limit = order_of(q, "facility", is_one=not counts and not is_plural(nouns[0]))
        q.collect_bounds()
        q.collect("technology", "country", "region")
        return q.reading(RECORDS, kind="facility", order=order, limit=limit)
    roles = [tag for tag in q.find(Kind.ROLE) if not tag.senses[Kind.ROLE].startswith("contact:")]
    if q.has(Kind.NOUN, "counterparty") or (roles and not q.has(Kind.NOUN, "pipeline")):
        nouns = q.take_all(Kind.NOUN, "counterparty")
        used(roles)
        for tag in roles:
            q.add("role", tag.senses[Kind.ROLE])
        q.take_all(Kind.ASK, "many", "who")
        order, limit = order_of(q, "counterparty", is_one=bool(nouns) and not is_plural(nouns[0]))
        q.collect("country")
        return q.reading(RECORDS, kind="counterparty", order=order, limit=limit)
    contact_roles = [tag for tag in q.find(Kind.ROLE) if tag not in roles]
    if q.has(Kind.NOUN, "contact") or contact_roles:
        q.take_all(Kind.NOUN, "contact")
        q.take_all(Kind.ASK, "many", "who")
        used(contact_roles)
        for tag in contact_roles:
            q.add("role", tag.senses[Kind.ROLE].removeprefix("contact:"))
        return q.reading(RECORDS, kind="contact")
    return None


def pipelines(q: Question) -> Reading | None:
    """The list of pipelines with the filters that the question names."""
    named = bool(q.find(Kind.NOUN, "pipeline"))
    nouns = q.find(Kind.NOUN, "pipeline")
    technologies = [
        tag for tag in q.find(Kind.FILTER) if tag.senses[Kind.FILTER].startswith("technology=")
    ]
    is_one = bool(nouns) and not is_plural(nouns[-1])
    if not nouns and technologies:
        is_one = technologies[-1].words == ("battery",)
    collect(q)
    order, limit = order_of(q, "pipeline", is_one=is_one)
    q.take_all(Kind.NOUN, "pipeline")
    _take_ownership(q)
    day = q.take_past_day()
    if not (named or q.filters or order):
        return None
    if q.take(Kind.ASK, "why"):
        # "and why": the list has the reasons of holds and the comments.
        pass
    q.take_all(Kind.EVENT, "turned") if q.filters.get("rag") else None
    q.take_all(Kind.UNIT, "mw") if order else None
    if "q" in q.filters:
        return None
    return records(q, "pipeline", order=order, limit=limit, as_of=iso(day))


def _take_ownership(q: Question) -> None:
    """Projects of which we own less than half."""
    aspect = q.find(Kind.ASPECT, "ownership")
    if not aspect:
        return
    for tag in q.tags:
        share = _percent(tag, q)
        bound = q.before(tag)
        if share is None or bound is None or not bound.has(Kind.BOUND, "min", "max"):
            continue
        q.add(f"ownership_{bound.senses[Kind.BOUND]}", f"{share:g}")
        used([*aspect, tag, bound])
        return


def _percent(tag: Tag, q: Question) -> float | None:
    if tag.words == ("half",):
        return 50
    if tag.number is None or tag.is_used:
        return None
    after = q.after(tag)
    if (after and after.words == ("%",)) or (after and after.words[0] in ("percent", "pct")):
        after.is_used = True
        return tag.number
    return None
