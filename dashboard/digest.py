"""Daily and weekly digests, sent by oegen.alerts.

A digest covers whole days up to the end of yesterday and reads the data as of then, so building it
twice gives the same digest.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from itertools import chain
from typing import Any
from urllib.parse import urlencode

from django.http import QueryDict
from django.template.defaultfilters import pluralize
from django.urls import reverse
from django.utils.formats import date_format

from dashboard import metrics
from dashboard.ask.briefs import brief_of_pipelines
from dashboard.ask.lookups import Asker
from dashboard.ask.rendering import as_pieces
from dashboard.change_words import ChangeWords
from dashboard.metrics.portfolio import Portfolio
from oegen.alerts import delivery, outbox, preferences
from oegen.alerts.events import Event
from oegen.asof import as_of, keep_day
from oegen.audit.narrative import news
from oegen.core import clock
from oegen.core.words import count, number, signed
from oegen.models import ChangeSet, Channel, User
from oegen.pages.filters import MINE
from oegen.search.ordering import natural
from pipelines.choices import UNCONFIRMED_DAYS
from pipelines.models import Pipeline
from pipelines.querysets import ANY_REASON, OVERDUE, Megawatts, PipelineQuerySet

#: The number of lines in each part; nobody reads a longer e-mail.
LINES = 10


@dataclass(frozen=True)
class Period:
    event: Event
    days: int


PERIODS = {
    "day": Period(Event("digest-day", "Daily digest", "when anything happened", is_digest=True), 1),
    "week": Period(
        Event(
            *("digest-week", "Weekly digest", "when anything happened"),
            is_digest=True,
            has_brief=True,
        ),
        7,
    ),
}


def write_digest(period: Period, today: date) -> int | None:
    """Write the digest to the outbox. The number of new messages, or None if nothing happened."""
    until = today - timedelta(days=1)
    payload = digest_of(period, until)
    if payload is None:
        return None
    narrow = preferences.users_of_own_digest(period.event)
    briefed = User.objects.in_bulk(preferences.users_with_brief(period.event))

    def payload_for(person: int | None) -> dict[str, Any] | None:
        own = digest_of(period, until, person) if person in narrow else payload
        if own is None or person is None or person not in briefed or not own["parts"]:
            return own
        return {**own, "brief": brief_for(period, until, briefed[person], person in narrow)}

    return outbox.write_digest(period.event, str(until), payload_for)


def brief_for(period: Period, until: date, person: User, is_own: bool) -> list[dict[str, Any]]:
    """The written brief of the days up to ``until``, of all projects or of the person's own: the
    sections, each with sentences of pieces that have a text and may have an address."""
    asker = Asker(person, as_of=until)
    query = QueryDict(urlencode({"responsible": MINE}) if is_own else "")
    brief = brief_of_pipelines(asker, query, until - timedelta(days=period.days))
    return [
        {
            "title": section.title,
            "sentences": [as_pieces(one, brief.findings.items) for one in section.sentences],
        }
        for section in brief.sections()
    ]


def reason_for_none(period: Period) -> str:
    """The reason, for users, why ``write_digest`` wrote no new message."""
    if number := len(outbox.digest_receivers(period.event)):
        return f"this one was written before, for {count(number, 'receiver')}"
    if Channel.EMAIL not in delivery.configured_channels():
        return "neither Slack nor e-mail is set up"
    return (
        f"Slack is not set up, and nobody who can be mailed has ticked “{period.event.name}” on "
        "their page “E-mail alerts”"
    )


def digest_of(period: Period, until: date, person: int | None = None) -> dict[str, Any] | None:
    """The digest of the days up to ``until``, as templates and Slack messages need it; None if
    nothing was changed and no RTB date passed. With the key of a person it is of the projects that
    they were responsible for at the end, and of the net changes of these."""
    since = until - timedelta(days=period.days)
    first = since + timedelta(days=1)
    mine = {"responsible": MINE} if person else {}
    with as_of(until):
        recorded = Pipeline.objects.recorded().filter(responsible=person)
        own = list(recorded.values_list("pk", flat=True)) if person else []
    if person and not own:
        return _nothing_of_own(period, first, until)

    def pipelines() -> PipelineQuerySet:
        return Pipeline.objects.filter(pk__in=own) if person else Pipeline.objects.all()

    with (
        metrics.portfolio(pipelines, since) as before,
        metrics.portfolio(pipelines, until, before=before) as now,
    ):
        walk, slippage = metrics.walk(before, now), metrics.slippage(now)
        needing = metrics.attention(now, LINES)
        changes = _own_changes(before, now, since, until) if person else {}
    with as_of(until):
        changes = changes or _changes(since)
        recorded = pipelines().recorded()
        overdue = _overdue(recorded, until, mine)
        unconfirmed = _unconfirmed(recorded, until, mine)
        newly_overdue = recorded.overdue(until).filter(rtb_date__gte=since).exists()
    if not changes["number"] and not newly_overdue:
        return None
    slips = [slip for slip in slippage.slips if slip.days > 0]
    parts = [
        changes,
        {
            "title": "RTB dates that slipped",
            "short": "slipped",
            "number": slippage.later,
            "url": f"{reverse('dashboard')}?{urlencode({'compare': since, **mine})}",
            "lines": [
                _line(
                    slip.name,
                    slip.pipeline_id,
                    f"{date_format(slip.start)} → {date_format(slip.end)}, "
                    f"{count(slip.days, 'day')} later",
                )
                for slip in slips[:LINES]
            ],
        },
        {
            "title": "Needs attention, the urgent first",
            "short": "need attention",
            "number": needing.pipelines,
            "url": _pipelines_url(until, attention=ANY_REASON, **mine),
            "lines": [
                _line(one.name, one.pipeline_id, ", ".join(reason.chip for reason in one.reasons))
                for one in needing.first
            ],
        },
        overdue,
        unconfirmed,
    ]
    counted = ", ".join(f"{part['number']:,} {part['short']}" for part in parts if part["number"])
    return {
        "name": _name(period, person),
        "title": f"{_name(period, person)}, {_span(first, until)}: {counted}",
        "span": _span(first, until),
        "sentence": _sentence(walk, "Your open pipeline" if person else "The open pipeline"),
        "url": f"{reverse('dashboard')}?{urlencode(mine)}".rstrip("?"),
        "steps": [
            {"label": step.label, "change": signed(step.change.mw) or "0"}
            for step in walk.steps
            if step.facilities
        ],
        "opening": _with_unit(walk.opening),
        "closing": _with_unit(walk.closing),
        "parts": parts,
    }


def _name(period: Period, person: int | None) -> str:
    return f"{period.event.name} of your projects" if person else period.event.name


def _nothing_of_own(period: Period, first: date, until: date) -> dict[str, Any]:
    """The digest of somebody who is responsible for no project."""
    return {
        "name": _name(period, 1),
        "title": f"{_name(period, 1)}, {_span(first, until)}: none",
        "span": _span(first, until),
        "sentence": "You are responsible for no project, so there is nothing to tell. To get the "
        f"digest of all projects, untick “only” at “{period.event.name}” on your page “Alerts”.",
        "url": reverse("my-alerts"),
        "steps": [],
        "opening": "",
        "closing": "",
        "parts": [],
    }


def _own_changes(before: Portfolio, now: Portfolio, since: date, until: date) -> dict[str, Any]:
    """The net changes, in the order of the page of changes."""
    with metrics.changes(before, now) as found:
        number = sum(total.pipelines for total in found.totals().values())
        first = list(chain.from_iterable(found.first(LINES).values()))[:LINES]
    words = ChangeWords()
    query = urlencode({"from": since, "to": until, "responsible": MINE})
    lines = []
    for change in first:
        write = change.last_write
        by = f" ({write.author})" if write and write.person else ""
        why = f": {write.reason}" if write and write.reason else ""
        text = f"{words.phrase(change)}{by}{why}"
        lines.append(_line(change.shown_state.name, change.pipeline_id, text))
    return {
        "title": "Changes",
        "short": f"change{pluralize(number)}",
        "number": number,
        "url": f"{reverse('changes')}?{query}",
        "lines": lines,
    }


def _changes(since: date) -> dict[str, Any]:
    """The latest change sets, newest first."""
    made = ChangeSet.objects.in_feed()
    made = made.filter(recorded_at__gte=clock.end_of(since))
    total = made.count()
    lines = []
    for batch in news.latest(limit=min(total, LINES)) if total else []:
        by = f" ({batch.change_set.person})" if batch.change_set.person else ""
        why = f": {batch.change_set.reason}" if batch.change_set.reason else ""
        if not batch.entries:
            counts = ", ".join(f"{count:,} {what}" for what, count in batch.counts)
            source = batch.change_set.get_source_display()
            url = reverse("change-set", args=[batch.change_set.number])
            lines.append({"name": source.capitalize(), "url": url, "text": f"{counts}{by}{why}"})
            continue
        entry = batch.entries[0]
        more = f" and {len(batch.entries) - 1:,} more" if len(batch.entries) > 1 else ""
        lines.append(
            {"name": entry.subject, "url": entry.url, "text": f"{entry.phrase}{more}{by}{why}"}
        )
    return {
        "title": "Changes",
        "short": f"change{pluralize(total)}",
        "number": total,
        "url": reverse("changes"),
        "lines": lines,
    }


def _overdue(pipelines: PipelineQuerySet, until: date, mine: dict[str, str]) -> dict[str, Any]:
    found = pipelines.overdue(until).order_by("-rtb_date", natural("project_name"))
    return {
        "title": "RTB date overdue",
        "short": "overdue",
        "number": found.count(),
        "url": _pipelines_url(until, rtb=OVERDUE, **mine),
        "lines": [
            _line(
                one.project_name,
                one.pk,
                f"since {date_format(one.rtb_date)}, {count((until - one.rtb_date).days, 'day')}",
            )
            for one in found[:LINES]
        ],
    }


def _unconfirmed(pipelines: PipelineQuerySet, until: date, mine: dict[str, str]) -> dict[str, Any]:
    found = pipelines.not_confirmed_since(clock.days_ago(UNCONFIRMED_DAYS))
    found = found.order_by("rag_confirmed_at", natural("project_name"))
    return {
        "title": f"RAG that nobody confirmed for more than {UNCONFIRMED_DAYS} days",
        "short": "not confirmed",
        "number": found.count(),
        "url": _pipelines_url(until, not_confirmed=UNCONFIRMED_DAYS, **mine),
        "lines": [
            _line(
                one.project_name,
                one.pk,
                f"since {date_format(one.rag_confirmed_at)}"
                if one.rag_confirmed_at
                else "never rated",
            )
            for one in found[:LINES]
        ],
    }


def _pipelines_url(day: date, **filters) -> str:
    """The filtered list of pipelines as of the end of the day."""
    return keep_day(f"{reverse('pipelines')}?{urlencode(filters)}", day)


def _line(name: str, key: Any, text: str) -> dict[str, str]:
    return {"name": name, "url": reverse("pipeline", args=[key]), "text": text}


def _sentence(walk: metrics.Walk, subject: str) -> str:
    change = walk.closing - walk.opening
    moved = "as before"
    if change.mw:
        moved = f"{'up' if change.mw > 0 else 'down'} {number(abs(change.mw))} {change.unit}"
    return f"{subject} is {_with_unit(walk.closing)}: {moved}."


def _with_unit(capacity: Megawatts) -> str:
    return f"{number(capacity.mw)} {capacity.unit}"


def _span(first: date, last: date) -> str:
    return date_format(first) if first == last else f"{date_format(first)} to {date_format(last)}"
