"""The transactional outbox: writes alerts and notices in the transaction of the change that they
are about. Sending is a separate step (oegen.alerts.delivery)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from typing import TYPE_CHECKING, Any

from django.contrib.contenttypes.models import ContentType
from django.db import transaction
from django.utils import timezone

from oegen import audit, jobs
from oegen.alerts import crossings, events, preferences
from oegen.alerts.channels import configured_channels
from oegen.alerts.delivery import SEND_ALERTS
from oegen.alerts.events import Event, Occurrence, Subject
from oegen.alerts.models import Alert, AlertRule, Channel, Notice
from oegen.alerts.signals import alerts_written
from oegen.audit.changes import Changes
from oegen.core.compiled import compiled

if TYPE_CHECKING:
    from oegen.audit.changesets import ChangeSet
    from oegen.people.models import User

#: The maximum number of messages to one recipient about a change set; more become one summary.
MAX_MESSAGES = 10

#: The number of records that a summary names for each event.
MAX_LISTED = 5

SUMMARY = "summary"

#: Pseudo-channel of the notices on the site, which need no delivery.
BELL = "bell"

RuleMatch = tuple[Occurrence, AlertRule]

#: An occurrence for one receiver, with the matching rule, if it needs one.
Received = tuple[Occurrence, AlertRule | None]


def write_alerts(change_set: ChangeSet, changes: Changes) -> list[Occurrence]:
    """Write the alerts of a change set that is about to be sealed, in its transaction; returns what
    an active rule reports.

    Queries: none if no detector reads a model that was written; up to three if no rule is active or
    no event occurred; else a fixed number, plus some for each batch of records if a matching rule
    has filters.
    """
    if change_set.back_dated or change_set.source in events.SILENT_SOURCES:
        return []
    detectors = events.detectors_of(change_set)
    if not detectors:
        return []
    codes = frozenset().union(*(detector.codes for detector in detectors))
    rules = _rules_about(codes)
    wanted = {rule.event for rule in rules} | {
        code for code in codes if events.EVENTS[code].always_notifies
    }
    found = [
        occurrence
        for detector in detectors
        if detector.codes & wanted
        for occurrence in detector.find(changes)
        if occurrence.event.code in wanted
    ]
    matches = _matches(found, rules)
    noticed = [occurrence for occurrence in found if occurrence.event.always_notifies]
    header = {
        "who": change_set.author if change_set.person_id else "",
        "why": change_set.reason,
        "source": str(audit.Source(change_set.source).label),
        "when": change_set.recorded_at.isoformat(),
    }
    _write(
        matches,
        noticed=noticed,
        header=header,
        change_set=change_set,
        author=change_set.person,
        always_summarize=change_set.source == audit.Source.IMPORT,
    )
    return _occurrences(matches)


@compiled
def _rules_about(codes):
    return AlertRule.objects.active_for(codes)


@transaction.atomic
def write_timed_alerts(day: date) -> int:
    """Write the alerts for events that the date alone causes, and for what has begun to hold, up
    to the start of ``day``; returns their number."""
    return write_occurrences([*events.occurrences_by(day), *crossings.crossings_up_to(day)])


@transaction.atomic
def write_occurrences(found: list[Occurrence]) -> int:
    """Write the alerts for events that no change set made; returns their number. Idempotent by
    their ``moment``: alerts that exist are not written again."""
    before = Alert.objects.count()
    rules = list(AlertRule.objects.active_for({one.event.code for one in found}))
    header = {"who": "", "why": "", "source": "", "when": timezone.now().isoformat()}
    by_moment: dict[str, list[RuleMatch]] = {}
    matches = _matches(found, rules)
    for match in matches:
        by_moment.setdefault(match[0].moment, []).append(match)
    for moment, group in by_moment.items():
        _write(group, header=header, moment=moment)
    alerts_written.send(Alert, change_set=None, occurrences=_occurrences(matches))
    return Alert.objects.count() - before


def digest_receivers(event: Event) -> list[tuple[Channel, int | None]]:
    """(channel, user key) of each receiver: the configured channels, e-mail once per subscriber."""
    receivers: list[tuple[Channel, int | None]] = []
    channels = configured_channels()
    if Channel.SLACK in channels:
        receivers.append((Channel.SLACK, None))
    if Channel.EMAIL in channels:
        people = preferences.audience_of([event.code]).mailed(event.code)
        receivers += [(Channel.EMAIL, person) for person in sorted(people)]
    return receivers


def write_digest(
    event: Event, moment: str, payload_for: Callable[[int | None], dict[str, Any] | None]
) -> int:
    """Write the digest of ``moment`` for each receiver for whom there is one, by the user's key;
    returns the number of new ones.

    Channels that are not configured get none: an old digest is of no use later.
    """
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
        if key not in known and (payload := payload_for(person))
    ]
    with transaction.atomic():
        _store(alerts)
    return len(alerts)


def _store(alerts: Sequence[Alert]) -> None:
    """Create the alerts, and ask for the job that sends them, in the current transaction."""
    if alerts:
        Alert.objects.bulk_create(alerts, ignore_conflicts=True, batch_size=audit.BATCH_SIZE)
        jobs.enqueue(SEND_ALERTS)


def _matches(found: list[Occurrence], rules: list[AlertRule]) -> list[RuleMatch]:
    """One (occurrence, rule) pair for each occurrence and channel: the first rule that matches."""
    by_event: dict[str, list[AlertRule]] = {}
    for rule in rules:
        by_event.setdefault(rule.event, []).append(rule)
    passed = [
        (occurrence, rule)
        for occurrence in found
        for rule in by_event.get(occurrence.event.code, ())
        if occurrence.event.passes(rule.threshold, occurrence)
        and (occurrence.rules is None or rule.pk in occurrence.rules)
    ]
    filtered = [occurrence for occurrence, rule in passed if rule.has_filter]
    subjects = events.subjects_of(filtered)
    matches: dict[tuple, RuleMatch] = {}
    for occurrence, rule in passed:
        subject = subjects.get((occurrence.model, occurrence.key))
        if rule.has_filter and not (subject and rule.matches(subject)):
            continue
        matches.setdefault((id(occurrence), rule.channel), (occurrence, rule))
    return list(matches.values())


def _occurrences(matches: list[RuleMatch]) -> list[Occurrence]:
    """Each occurrence once, whatever the number of channels."""
    return list({id(occurrence): occurrence for occurrence, _ in matches}.values())


def _write(
    matches: list[RuleMatch],
    *,
    header: dict[str, str],
    noticed: Sequence[Occurrence] = (),
    change_set: ChangeSet | None = None,
    author: User | None = None,
    always_summarize: bool = False,
    moment: str = "",
) -> None:
    """Create the alerts and notices. ``noticed`` become notices regardless of rules. Without a
    change set, ``moment`` takes its place in the unique key."""
    if not (matches or noticed):
        return
    by_receiver = _by_receiver(matches, noticed, author)
    named: dict[int, Occurrence] = {}
    bundles = []
    for (channel, recipient), received in by_receiver.items():
        is_summarized = always_summarize or len(received) > MAX_MESSAGES
        groups = _group_by_event(received) if is_summarized else {}
        listed = [one for group in groups.values() for one in group[:MAX_LISTED]]
        named |= {id(one): one for one in listed or [one for one, _ in received]}
        bundles.append((channel, recipient, received, groups))
    subjects = events.subjects_of(named.values())
    origin = change_set.pk if change_set else moment
    alerts: list[Alert] = []
    notices: list[Notice] = []
    for channel, recipient, received, groups in bundles:
        common = {"recipient_id": recipient, "change_set": change_set}
        to = f"{channel}:{recipient or ''}"
        if groups:
            key = f"{origin}:{SUMMARY}:{to}"
            payload = _summary(groups, subjects) | header | {"codes": list(groups)}
            values = common | {"unique_key": key, "event": SUMMARY, "payload": payload}
            if channel == BELL:
                notices.append(Notice(**values))
            else:
                alerts.append(Alert(channel=channel, **values))
            continue
        for occurrence, rule in received:
            subject = subjects.get((occurrence.model, occurrence.key))
            if subject is None:
                continue  # Removed in the same change set.
            event = occurrence.event
            row = occurrence.row_key or occurrence.key
            key_prefix = occurrence.moment or f"{origin}:{event.code}"
            values = common | {
                "unique_key": f"{key_prefix}:{row}:{to}",
                "event": event.code,
                "payload": _message(occurrence, subject, rule) | header,
            }
            if channel == BELL:
                notices.append(Notice(**values))
                continue
            content_type = ContentType.objects.get_for_model(occurrence.model)
            values |= {"content_type": content_type, "object_id": occurrence.key}
            alerts.append(Alert(channel=channel, **values))
    _store(alerts)
    if notices:
        Notice.objects.bulk_create(notices, ignore_conflicts=True, batch_size=audit.BATCH_SIZE)


def _by_receiver(
    matches: list[RuleMatch], noticed: Sequence[Occurrence], author: User | None
) -> dict[tuple, list[Received]]:
    """Matches by channel and, for e-mail and the bell, user. Users who subscribed to an event that
    a rule mails also get a notice, with or without an e-mail address. The author of the change
    gets neither."""
    mailed = {one.event.code for one, rule in matches if rule.channel == Channel.EMAIL}
    audience = preferences.audience_of(mailed)
    always = {id(occurrence) for occurrence in noticed}
    received: dict[tuple, list[Received]] = {}

    def add(channel: str, people: frozenset[int], match: Received) -> None:
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
        add(Channel.EMAIL, audience.mailed(code), match)
        if id(occurrence) not in always:
            add(BELL, audience.chosen[code], match)
    for occurrence in noticed:
        add(BELL, occurrence.people or frozenset(), (occurrence, None))
    return received


def _group_by_event(received: list[Received]) -> dict[str, list[Occurrence]]:
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
        "facts": occurrence.facts,
        "old": occurrence.old,
        "new": occurrence.new,
        "note": occurrence.note,
        "anchor": occurrence.anchor,
        "rule": rule.name if rule else "",
    }


def _summary(groups: dict[str, list[Occurrence]], subjects: dict) -> dict[str, Any]:
    lines = []
    for group in groups.values():
        named = [subjects.get((one.model, one.key)) for one in group[:MAX_LISTED]]
        lines.append(
            {
                "event": group[0].event.name,
                "number": len(group),
                "records": [{"name": one.name, "url": one.url} for one in named if one],
            }
        )
    counted = ", ".join(f"{group['event']}: {group['number']:,}" for group in lines)
    [first, *others] = (group[0].event for group in groups.values())
    return {
        "kind": SUMMARY,
        "title": f"Many changes at once: {counted}",
        "groups": lines,
        "url": first.list_url() if first.list_url and not others else "",
    }
