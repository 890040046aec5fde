"""What several rules want of a question: which figure, which order, which kind of list."""

from __future__ import annotations

from datetime import timedelta

from dashboard.ask.grammar.lexicon import Kind
from dashboard.ask.grammar.periods import Period
from dashboard.ask.grammar.question import Question, Span, iso, used
from dashboard.ask.grammar.reading import METRIC, RECORDS, Reading
from dashboard.ask.grammar.tags import Tag
from pipelines.choices import UNCONFIRMED_DAYS
from pipelines.models import Stage
from pipelines.querysets import HELD, OPEN, OVERDUE
from pipelines.reference import COMPLETED

#: The filters of pipelines that phrases stand for.
OF_PIPELINES = (
    *("rag", "rtb", "status", "technology", "country", "region", "responsible", "attention"),
    *("not_confirmed", "held_by_nobody"),
)

#: Statuses with figures of their own, and the beginnings of these names.
_OWN_FIGURES = {HELD: "on-hold", COMPLETED: "completed"}


def collect(q: Question) -> None:
    """The filters of pipelines: phrases, sizes, people, RTB dates, ages of ratings."""
    q.collect_bounds()
    _collect_confirmed(q)
    _collect_rtb(q)
    q.collect(*OF_PIPELINES)
    q.collect_people()
    if q.filters.keys() & {"not_confirmed", "rag", "rag__not"}:
        q.take_all(Kind.ASPECT, "rag")


def _collect_confirmed(q: Question) -> None:
    """Ratings that are older than so many days."""
    durations = q.find(Kind.DURATION)
    if not durations:
        return
    is_named = q.has(Kind.FILTER, "not_confirmed=60")
    is_older = q.has(Kind.ASPECT, "rag") and q.has(Kind.BOUND, "min")
    if not (is_named or is_older):
        return
    tag = durations[0]
    tag.is_used = True
    q.take(Kind.FILTER, "not_confirmed=60")
    q.take(Kind.BOUND, "min")
    q.take(Kind.ASPECT, "rag")
    before = q.before(tag)
    if before and before.has(Kind.PREPOSITION):
        before.is_used = True
    q.add("not_confirmed", f"{tag.number:g}")


def _collect_rtb(q: Question) -> None:
    """RTB dates in a year, between days, before or after one."""
    aspect = next(iter(q.find(Kind.ASPECT, "rtb")), None)
    spans = [span for span in q.spans() if span.role not in ("since", "versus")]
    if aspect is None or not spans:
        return
    aspect.is_used = True
    q.take_all(Kind.TOPIC, "due")
    if len(spans) == 2 and _are_next_to_each_other(spans):
        for span in spans:
            q.use_span(span)
        q.add("rtb_from", iso(spans[0].period.first))
        q.add("rtb_to", iso(spans[1].period.last))
        return
    if len(spans) == 2 and spans[0].role == "from":
        first, last = (span.period for span in spans)
        for span in spans:
            q.use_span(span)
        if first.year and last.year and last.year < first.year:
            first, last = last, first
        q.add("rtb_from", iso(first.first))
        q.add("rtb_to", iso(last.last))
        return
    span = spans[0]
    q.use_span(span)
    add_days(q, span, "rtb_from", "rtb_to", year="rtb_year")


def _are_next_to_each_other(spans: list[Span]) -> bool:
    """“In 2026 or 2027”."""
    first, last = spans
    follows = last.period.first == first.period.last + timedelta(days=1)
    return follows and first.role in ("in", "", "by") and last.role in ("in", "", "to")


def add_days(
    q: Question, span: Span, first: str, last: str, *, year: str = "", is_past: bool = False
) -> None:
    """The filters of days in, before or after a span of days, which is ahead unless ``is_past``."""
    period: Period = span.period if is_past else span.period.ahead_of(q.today)
    if span.role == "before":
        q.add(last, iso(period.before))
    elif span.role in ("by", "until"):
        q.add(last, iso(period.last))
    elif span.role == "after":
        q.add(first, iso(period.last + timedelta(days=1)))
    elif span.role in ("from", "since"):
        q.add(first, iso(period.first))
    elif year and period.year:
        q.add(year, str(period.year))
    else:
        q.add(first, iso(period.first))
        q.add(last, iso(period.last))


# Figures -----------------------------------------------------------------------------------------


def is_plural(tag: Tag) -> bool:
    return tag.words[-1].endswith("s") and tag.words[-1] not in ("bess", "mws")


def counts_pipelines(q: Question) -> bool:
    """Whether the question is how many projects, and not how many MW."""
    if q.has(Kind.UNIT):
        return False
    nouns = q.find(Kind.NOUN, "pipeline")
    if q.has(Kind.ASK, "much"):
        return False
    return q.has(Kind.ASK, "many") or any(is_plural(tag) for tag in nouns)


def take_figure(q: Question) -> str:
    """The figure of the question, of the filters that were collected, which some figures imply."""
    counts = counts_pipelines(q)
    kind = "pipelines" if counts else "capacity"
    q.take_all(Kind.NOUN, "pipeline")
    q.take_all(Kind.ASK, "many", "much")
    measure = ""
    if q.has(Kind.UNIT, "mwh"):
        measure = ":storage_mwh"
        if q.filters.get("technology") == ["bess"]:
            # Nothing else has any.
            del q.filters["technology"]
    q.take_all(Kind.UNIT)
    for name in ("net-weighted-capacity", "net-capacity", "weighted-capacity"):
        if q.take(Kind.FIGURE, name):
            q.take_all(Kind.FIGURE, "net-capacity", "weighted-capacity")
            q.take(Kind.ASK, "share")
            q.drop_open()
            return name
    if q.filters.get("held_by_nobody") and not counts:
        q.drop_open()
        return "capacity-by-counterparty:held_mw"
    if OPEN in q.filters.get("status__not", []):
        return "capacity-by-status:pipelines" if counts else "capacity-by-status"
    statuses = q.filters.get("status", [])
    if len(statuses) == 1 and statuses[0] in _OWN_FIGURES:
        del q.filters["status"]
        return f"{_OWN_FIGURES[statuses[0]]}-{kind}"
    if q.filters.get("rtb") == [OVERDUE]:
        del q.filters["rtb"]
        q.drop_open()
        return f"overdue-{kind}{measure}"
    if q.filters.get("not_confirmed") == [str(UNCONFIRMED_DAYS)]:
        del q.filters["not_confirmed"]
        q.drop_open()
        return f"unconfirmed-{kind}"
    if statuses and not _are_open(statuses):
        # The figure of all statuses, filtered.
        return "capacity-by-status:pipelines" if counts else "capacity-by-status"
    q.drop_open()
    return f"open-{kind}{measure}"


def _are_open(statuses: list[str]) -> bool:
    open_codes = {OPEN, *Stage.objects.filter(is_terminal=False).values_list("code", flat=True)}
    return set(statuses) <= open_codes


def take_groups(q: Question) -> str:
    """What to group by, at most two, in the order of the question; empty if nothing."""
    bys = q.find(Kind.BY)
    dimensions = q.find(Kind.DIMENSION)
    if not (bys and dimensions):
        return ""
    found: list[str] = []
    for tag in dimensions:
        name = tag.senses[Kind.DIMENSION]
        if name not in found and len(found) < 2:
            found.append(name)
            tag.is_used = True
    for tag in bys:
        tag.is_used = True
    q.take(Kind.ASK, "most")
    q.take(Kind.ORDER, "largest")
    q.take(Kind.ASK, "share")
    return ",".join(found)


def metric(q: Question, figure: str, **values: str) -> Reading:
    return q.reading(METRIC, metric=figure, **values)


# Lists -------------------------------------------------------------------------------------------


def take_order(q: Question, kind: str) -> tuple[str, str]:
    """The column to sort by and the number of rows; empty if the question says neither."""
    nouns = [*q.find(Kind.NOUN), *q.find(Kind.FILTER)]
    is_one = bool(nouns) and any(
        (tag.has(Kind.NOUN) and not is_plural(tag)) or tag.words == ("battery",) for tag in nouns
    )
    return _order(q, kind, is_one=is_one)


def order_of(q: Question, kind: str, *, is_one: bool) -> tuple[str, str]:
    return _order(q, kind, is_one=is_one)


def _order(q: Question, kind: str, *, is_one: bool) -> tuple[str, str]:
    tag = next(iter(q.find(Kind.ORDER)), None)
    if tag is None:
        return "", ""
    order = _column(q, tag, kind)
    if not order:
        return "", ""
    used(one for one in q.find(Kind.ORDER) if one.senses[Kind.ORDER] == tag.senses[Kind.ORDER])
    limit = ""
    numbers = [one for one in q.find(Kind.NUMBER) if one.number and one.number < 51]
    if numbers:
        numbers[0].is_used = True
        limit = f"{numbers[0].number:g}"
    elif is_one:
        limit = "1"
    q.take(Kind.UNIT, "mw")
    return order, limit


def _column(q: Question, tag: Tag, kind: str) -> str:
    value = tag.senses[Kind.ORDER]
    if value == "newest":
        return "-created_at"
    if kind == "informationpoint":
        return "-rating" if value in ("highest", "largest") else ""
    if value in ("soonest", "latest") and kind == "pipeline":
        rtb = q.take(Kind.ASPECT, "rtb")
        if rtb is None and not q.filters.keys() & {"rtb_from", "rtb_to", "rtb_year"}:
            return ""
        if value == "soonest" and "rtb_from" not in q.filters and "rtb_year" not in q.filters:
            q.add("rtb_from", iso(q.today))
        return "rtb_date" if value == "soonest" else "-rtb_date"
    if value == "oldest" and kind == "pipeline":
        return "rag_confirmed_at" if q.take(Kind.ASPECT, "rag") else ""
    if kind == "counterparty":
        return "-pipeline_count" if value == "largest" else ""
    if kind in ("pipeline", "facility"):
        return {"largest": "-capacity_mw", "smallest": "capacity_mw"}.get(value, "")
    return ""


def records(q: Question, kind: str, **values: str) -> Reading:
    """The list, with what its page leaves out by default."""
    if kind == "pipeline" and not q.filters.keys() & {"status", "status__not"}:
        q.add("status", OPEN)
    if kind == "pipeline" and q.filters.get("status", []) not in ([OPEN], []):
        q.filters["status"] = [one for one in q.filters["status"] if one != OPEN] or [OPEN]
    if kind == "milestone" and "status" not in q.filters:
        q.add("status", OPEN)
    if kind == "informationpoint" and "status" not in q.filters:
        q.add("status", "live")
    return q.reading(RECORDS, kind=kind, **values)
