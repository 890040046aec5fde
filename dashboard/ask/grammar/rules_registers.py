"""Questions about public registers: their projects, and the companies ranked by them."""

from __future__ import annotations

from dashboard.ask.grammar.lexicon import Kind
from dashboard.ask.grammar.question import Question, Span, iso, used
from dashboard.ask.grammar.reading import REGISTERS, Reading, refuse
from dashboard.ask.grammar.register_words import is_place
from dashboard.ask.grammar.tags import Tag, words_of
from dashboard.ask.lookups.registers import COMPANIES, MOST, PROJECTS
from pipelines.registers.choices import Phase

#: Marks of a question that name no register.
_ALL, _COMPETITORS, _MARKET, _OWN = "", "competitors", "market", "own"

#: The filters that projects and companies have, and those of projects alone.
_OF_BOTH = ("technology", "country", "region")
_OF_PROJECTS = ("phase", "outcome", "seen")

NOT_KNOWN = (
    "Of public registers a question can name the register, technology, phase, outcome, region, "
    "country, a company, the capacity, and what is new or vanished."
)

NOT_OURS = (
    "Public registers say nothing of our own pipeline: ask for the companies of the market, or for "
    "our open MW."
)

ONE_PHASE = "Companies are ranked by one phase: in planning, consented, in construction or built."


def companies(q: Question) -> Reading | None:
    """Who is the largest: of the market, or of a register."""
    if q.has(Kind.REGISTER, _OWN):
        return refuse(*words_of(q.find(Kind.REGISTER, _OWN)), why=NOT_OURS)
    is_ranked = (
        q.has(Kind.REGISTER, _COMPETITORS, _MARKET)
        or q.has(Kind.NOUN, "counterparty")
        or q.has(Kind.ASK, "who")
    )
    if not is_ranked or q.has(Kind.NAME):
        return None
    _take_registers(q)
    q.take_all(Kind.NOUN, "counterparty", "pipeline")
    if q.take(Kind.EVENT, "movers"):
        q.add("by", "change")
    _take_words(q)
    phases = [tag for tag in q.find(Kind.FILTER) if tag.senses[Kind.FILTER].startswith("phase=")]
    if len(phases) > 1:
        return refuse(*words_of(phases[1:]), why=ONE_PHASE)
    for tag in phases:
        if not _is_negated(q, tag):
            tag.is_used = True
            code = tag.senses[Kind.FILTER].removeprefix("phase=")
            q.add("of", code if code in Phase.values else "open")
    q.collect(*_OF_BOTH)
    _take_place(q)
    _take_years(q, has_phase=bool(phases))
    return q.reading(REGISTERS, kind=COMPANIES, limit=_limit(q), as_of=iso(q.take_past_day()))


def projects(q: Question) -> Reading | None:
    """How many projects and MW, and which."""
    names = q.find(Kind.NAME)
    _take_registers(q, names)
    q.take_all(Kind.NOUN, "pipeline")
    if names:
        q.take_all(Kind.NOUN, "counterparty")
    q.collect_bounds()
    _take_words(q)
    q.collect(*_OF_BOTH, *_OF_PROJECTS)
    if len(names) == 1 and not _is_negated(q, names[0]):
        used(names)
        q.add("company", names[0].senses[Kind.NAME])
    _take_place(q)
    _take_years(q, has_phase="phase" in q.filters)
    return q.reading(REGISTERS, kind=PROJECTS, limit=_limit(q), as_of=iso(q.take_past_day()))


RULES = (companies, projects)


def _take_registers(q: Question, names: list[Tag] | None = None) -> None:
    """The registers by name. A market has no one company; a competitor may be one."""
    for tag in q.find(Kind.REGISTER):
        code = tag.senses[Kind.REGISTER]
        if code == _MARKET and names:
            continue
        tag.is_used = True
        if code not in (_ALL, _COMPETITORS, _MARKET):
            q.add("register", code)


def _take_words(q: Question) -> None:
    """The largest come first anyway, with number, MW and share."""
    q.take_all(Kind.ASK, "who", "many", "much", "share", "most", "where")
    q.take_all(Kind.ORDER, "largest")
    q.take_all(Kind.UNIT, "mw")


def _limit(q: Question) -> str:
    numbers = [one for one in q.find(Kind.NUMBER) if one.number and 1 <= one.number <= MOST]
    used(numbers[:1])
    return f"{numbers[0].number:g}" if numbers else ""


def _is_negated(q: Question, tag: Tag) -> bool:
    before = q.before(tag)
    return bool(before and before.has(Kind.NOT))


def _take_place(q: Question) -> None:
    """A place that is no region, after “in”: as the register writes it."""
    for tag in q.find(Kind.UNKNOWN):
        if tag.is_used:
            continue
        before = q.before(tag)
        if before is None or not before.has(Kind.PREPOSITION, "in"):
            continue
        start = next(place for place, one in enumerate(q.tags) if one is tag)
        words = [tag]
        for one in q.tags[start + 1 :]:
            if not one.has(Kind.UNKNOWN):
                break
            words.append(one)
        text = " ".join(one.typed for one in words)
        if is_place(text):
            used(words)
            q.add("q", text)
            return


def _take_years(q: Question, *, has_phase: bool) -> None:
    """Since when they are in their phase, by years."""
    spans = [span for span in q.spans() if span.period.year]
    if not (has_phase and spans):
        return
    if len(spans) == 2 and spans[0].role == "from":
        _add_year(q, spans[0], "year_from", spans[0].period.year)
        _add_year(q, spans[1], "year_to", spans[1].period.year)
        return
    span = spans[0]
    year = span.period.year or 0
    if span.role in ("since", "from"):
        _add_year(q, span, "year_from", year)
    elif span.role == "after":
        _add_year(q, span, "year_from", year + 1)
    elif span.role == "before":
        _add_year(q, span, "year_to", year - 1)
    elif span.role in ("in", ""):
        _add_year(q, span, "year_from", year)
        _add_year(q, span, "year_to", year)


def _add_year(q: Question, span: Span, name: str, year: int | None) -> None:
    q.use_span(span)
    q.add(name, str(year))
