"""Writes alerts, and the notices in people's bells, in the transaction of the change that they tell
of. Nothing is sent here."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING, Any

from django.contrib.contenttypes.models import ContentType
from django.db import transaction
from django.utils import timezone

from oegen import audit
from oegen.alerts import events, preferences
from oegen.alerts.channels import configured_channels
from oegen.alerts.events import Changes, Event, Occurrence, Subject
from oegen.alerts.models import Alert, AlertRule, Channel, Notice

if TYPE_CHECKING:
    from oegen.audit.changesets import ChangeSet
    from oegen.people.models import User

#: One receiver gets so many messages of one change set at most; of more, one that sums them up.
SUMMED_UP_FROM = 10

#: So many records of each event are named in a summary.
NAMED = 5

#: What nobody did, or long ago.
QUIET = frozenset({audit.Source.MIGRATION, audit.Source.SAMPLE})

SUMMARY = "summary"

#: Beside the channels: a notice on the site, which nobody has to deliver.
BELL = "bell"

RuleMatch = tuple[Occurrence, AlertRule | None]


def write_alerts(change_set: ChangeSet) -> None:
    """The alerts of a change set that is about to be closed, into its transaction.

    Without a row of a model that events are about it costs nothing; without a rule in force, or
    with nothing that happened, a query or three; else a number of queries that does not grow with
    its rows, but for those of rules with filters, which grow by the batch.
    """
    if change_set.back_dated or change_set.source in QUIET:
        return
    detectors = events.detectors_of(change_set)
    if not detectors:
        return
    codes = frozenset().union(*(detector.codes for detector in detectors))
    rules = list(AlertRule.objects.in_force(codes))
    wanted = {rule.event for rule in rules} | {
        code for code in codes if events.EVENTS[code].always_noticed
    }
    changes = Changes(change_set)
    found = [
        occurrence
        for detector in detectors
        if detector.codes & wanted
        for occurrence in detector.find(changes)
        if occurrence.event.code in wanted
    ]
    matches = _matches(found, rules)
    noticed = [(one, None) for one in found if one.event.always_noticed]
    story = {
        "who": str(change_set.person) if change_set.person_id else "",
        "why": change_set.reason,
        "source": str(audit.Source(change_set.source).label),
        "when": change_set.recorded_at.isoformat(),
    }
    _write(
        matches,
        noticed=noticed,
        story=story,
        change_set=change_set,
        author=change_set.person,
        sums_up=change_set.source == audit.Source.IMPORT,
    )


@transaction.atomic
def write_timed_alerts(day: date) -> None:
    """The alerts of what time alone brought about by the beginning of the day. Those that were
    written before are not written again."""
    found = events.occurrences_by(day)
    rules = list(AlertRule.objects.in_force({one.event.code for one in found}))
    story = {"who": "", "why": "", "source": "", "when": timezone.now().isoformat()}
    by_moment: dict[str, list[RuleMatch]] = {}
    for match in _matches(found, rules):
        by_moment.setdefault(match[0].moment, []).append(match)
    for moment, matches in by_moment.items():
        _write(matches, story=story, moment=moment)


def digest_receivers(event: Event) -> list[tuple[Channel, int | None]]:
    """Each channel that is set up; e-mail for each person who wants it."""
    receivers: list[tuple[Channel, int | None]] = []
    channels = configured_channels()
    if Channel.SLACK in channels:
        receivers.append((Channel.SLACK, None))
    if Channel.EMAIL in channels:
        people = preferences.audience_of([event.code]).mailed(event.code)
        receivers += [(Channel.EMAIL, person) for person in sorted(people)]
    return receivers


def write_digest(event: Event, moment: str, payload: dict[str, Any]) -> int:
    """A digest for each of its receivers, once for that moment; gives the number of new ones. An
    old digest is worth nothing to a channel that is set up later, so none is kept for it."""
    receivers = digest_receivers(event)
    keys = [f"{event.code}:{moment}:{channel}:{person or ''}" for channel, person in receivers]
    known = set(Alert.objects.filter(unique_key__in=keys).values_list("unique_key", flat=True))
    alerts = [
        Alert(
            unique_key=key,
            event=event.code,
            channel=channel,
            recipient_id=person,
            payload={"kind": "digest", "when": timezone.now().isoformat(), **payload},
        )
        for key, (channel, person) in zip(keys, receivers, strict=True)
        if key not in known
    ]
    Alert.objects.bulk_create(alerts, ignore_conflicts=True)
    return len(alerts)


def _matches(found: list[Occurrence], rules: list[AlertRule]) -> list[RuleMatch]:
    """Each occurrence once for each channel that a rule lets it out by, with that rule."""
    by_event: dict[str, list[AlertRule]] = {}
    for rule in rules:
        by_event.setdefault(rule.event, []).append(rule)
    passed = [
        (occurrence, rule)
        for occurrence in found
        for rule in by_event.get(occurrence.event.code, ())
        if occurrence.event.passes(rule.threshold, occurrence)
    ]
    filtered = [occurrence for occurrence, rule in passed if rule.has_filter]
    subjects = events.subjects_of(filtered)
    matches: dict[tuple, RuleMatch] = {}
    for occurrence, rule in passed:
        subject = subjects.get((occurrence.model, occurrence.key))
        if rule.has_filter and not (subject and rule.lets_through(subject)):
            continue
        matches.setdefault((id(occurrence), rule.channel), (occurrence, rule))
    return list(matches.values())


def _write(
    matches: list[RuleMatch],
    *,
    story: dict[str, str],
    noticed: Sequence[RuleMatch] = (),
    change_set: ChangeSet | None = None,
    author: User | None = None,
    sums_up: bool = False,
    moment: str = "",
) -> None:
    """``noticed`` are for the bell whatever the rules say. ``moment`` stands for the change set
    where there is none."""
    if not (matches or noticed):
        return
    by_receiver = _by_receiver(matches, noticed, author)
    named: dict[int, Occurrence] = {}
    bundles = []
    for (channel, recipient), received in by_receiver.items():
        summed_up = sums_up or len(received) > SUMMED_UP_FROM
        groups = _grouped(received) if summed_up else {}
        tell = [one for group in groups.values() for one in group[:NAMED]]
        named |= {id(one): one for one in tell or [one for one, _ in received]}
        bundles.append((channel, recipient, received, groups))
    subjects = events.subjects_of(named.values())
    alerts: list[Alert] = []
    notices: list[Notice] = []
    for channel, recipient, received, groups in bundles:
        common = {"recipient_id": recipient, "change_set": change_set}
        to = f"{channel}:{recipient or ''}"
        if groups:
            key = f"{change_set.pk if change_set else moment}:{SUMMARY}:{to}"
            payload = _summary(groups, subjects) | story | {"codes": list(groups)}
            values = common | {"unique_key": key, "event": SUMMARY, "payload": payload}
            if channel == BELL:
                notices.append(Notice(**values))
            else:
                alerts.append(Alert(channel=channel, **values))
            continue
        for occurrence, rule in received:
            subject = subjects.get((occurrence.model, occurrence.key))
            if subject is None:
                continue  # Removed in the same go, so there is nothing to tell of.
            event = occurrence.event
            row = occurrence.row_key or occurrence.key
            moment = occurrence.moment or f"{change_set.pk}:{event.code}"
            values = common | {
                "unique_key": f"{moment}:{row}:{to}",
                "event": event.code,
                "payload": _message(occurrence, subject, rule) | story,
            }
            if channel == BELL:
                notices.append(Notice(**values))
                continue
            content_type = ContentType.objects.get_for_model(occurrence.model)
            values |= {"content_type": content_type, "object_id": occurrence.key}
            alerts.append(Alert(channel=channel, **values))
    for model, rows in ((Alert, alerts), (Notice, notices)):
        if rows:
            model.objects.bulk_create(rows, ignore_conflicts=True, batch_size=audit.BATCH_SIZE)


def _by_receiver(
    matches: list[RuleMatch], noticed: Sequence[RuleMatch], author: User | None
) -> dict[tuple, list[RuleMatch]]:
    """The letters by channel and, for e-mail and the bell, person. Whoever chose an event that a
    rule mails finds it in the bell too, with an e-mail address or without. Nobody is told what
    they did themselves."""
    mailed = {one.event.code for one, rule in matches if rule.channel == Channel.EMAIL}
    audience = preferences.audience_of(mailed) if mailed else None
    always = {id(occurrence) for occurrence, _ in noticed}
    received: dict[tuple, list[RuleMatch]] = {}

    def give(channel: str, people: frozenset[int], match: RuleMatch) -> None:
        if match[0].people is not None:
            people = people & match[0].people
        for person in sorted(people - {author.pk if author else None}):
            received.setdefault((channel, person), []).append(match)

    for match in matches:
        occurrence, rule = match
        if rule.channel == Channel.SLACK:
            received.setdefault((Channel.SLACK, None), []).append(match)
            continue
        code = occurrence.event.code
        give(Channel.EMAIL, audience.mailed(code), match)
        if id(occurrence) not in always:
            give(BELL, audience.chosen[code], match)
    for match in noticed:
        give(BELL, match[0].people or frozenset(), match)
    return received


def _grouped(received: list[RuleMatch]) -> dict[str, list[Occurrence]]:
    groups: dict[str, list[Occurrence]] = {}
    for occurrence, _ in received:
        groups.setdefault(occurrence.event.code, []).append(occurrence)
    return groups


def _message(occurrence: Occurrence, subject: Subject, rule: AlertRule | None) -> dict[str, Any]:
    return {
        "kind": "event",
        "title": f"{occurrence.event.name}: {subject.name}",
        "event": occurrence.event.name,
        "subject": subject.name,
        "noun": subject.noun,
        "url": subject.url,
        "technology": subject.technology,
        "capacity": subject.capacity,
        "old": occurrence.old,
        "new": occurrence.new,
        "note": occurrence.note,
        "anchor": occurrence.anchor,
        "rule": rule.name if rule else "",
    }


def _summary(groups: dict[str, list[Occurrence]], subjects: dict) -> dict[str, Any]:
    told = []
    for group in groups.values():
        named = [subjects.get((one.model, one.key)) for one in group[:NAMED]]
        told.append(
            {
                "event": group[0].event.name,
                "number": len(group),
                "records": [{"name": one.name, "url": one.url} for one in named if one],
            }
        )
    counted = ", ".join(f"{group['event']}: {group['number']:,}" for group in told)
    return {"kind": SUMMARY, "title": f"Many changes at once: {counted}", "groups": told}
