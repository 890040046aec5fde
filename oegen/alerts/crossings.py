"""What has begun to hold of records: events that are neither one change nor one date.

What ``events.stands`` registers is compared once a day: what held at the start of the day, of the
records as they were then, with the start of the last day that was compared (``StandingCheck``).
Whatever holds at the second and did not at the first has begun in between, however long that was.

Both ends are read from the history as it is known now. So what a back-dated import tells of the
first end is nothing new, and neither is what a new release finds to hold at both; what is written
and taken back on the same day never began, and what ends and begins again on a later day did.

The first day only starts the comparison. A rule never tells what held when it was switched on, or
when the kind was added to it: for a rule of the last day, that moment is compared, too.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from uuid import UUID

from django.db.models import F, Q
from django.utils import timezone

from oegen import audit
from oegen.alerts import events
from oegen.alerts.events import Held, Occurrence, Standing
from oegen.alerts.models import AlertRule, StandingCheck
from oegen.asof import as_of
from oegen.core import clock

#: A change set that was sealed so long after the time it was recorded at was back-dated.
LONGEST_WRITE = timedelta(hours=1)

#: The fields of a rule that say what it is about: a rule that gets others is a new one.
ABOUT = ("event", "channel", "technology_id", "counterparty_id", "country")


def crossings_up_to(day: date) -> Iterator[Occurrence]:
    """What has begun to hold between the last day that was compared and the start of ``day``, which
    becomes the last one. To be called in a transaction: it locks out others until its end."""
    for standing in events.standings():
        checks = StandingCheck.objects.select_for_update()
        check, is_first = checks.get_or_create(event=standing.event.code, defaults={"day": day})
        if is_first or check.day >= day:
            continue
        since, until = clock.start_of(check.day), clock.start_of(day)
        check.day = day
        check.save()
        yield from _crossings(standing, since, until, moment=f"{standing.event.code}:{day}")


def _crossings(
    standing: Standing, since: datetime, until: datetime, moment: str
) -> Iterator[Occurrence]:
    rules = {
        rule.pk: _in_force(rule, standing, since)
        for rule in AlertRule.objects.active_for([standing.event.code])
    }
    starts = {start for kinds in rules.values() for start in kinds.values() if start < until}
    if not starts:
        return
    earlier = [
        (start, _held(standing, start, counting=False)) for start in sorted({since} | starts)
    ]
    begun: dict[UUID, dict[str, datetime]] = {}
    for key, kinds in _held(standing, until, counting=True).items():
        # The last of the moments at which it did not hold.
        last = {
            kind: start for start, held in earlier for kind in kinds - held.get(key, frozenset())
        }
        if last:
            begun[key] = last
    for key in _written_silently(standing, since, until):
        begun.pop(key, None)
    # By record, the rules that report it, each with the kinds that it does.
    reported = {
        key: {
            rule: found
            for rule, kinds in rules.items()
            if (found := {one for one, start in last.items() if kinds.get(one, until) <= start})
        }
        for key, last in begun.items()
    }
    keys = sorted(key for key, by in reported.items() if by)
    facts = standing.facts(keys)
    for key in keys:
        named = set().union(*reported[key].values())
        words = [label for kind, label in standing.event.kinds if kind in named]
        yield Occurrence(
            standing.event,
            standing.model,
            key,
            new=", ".join(words),
            rules=frozenset(reported[key]),
            facts=facts.get(key, ()),
            moment=moment,
        )


def _held(standing: Standing, moment: datetime, *, counting: bool) -> Held:
    with as_of(timezone.localdate(moment), moment):
        return standing.held(counting)


def _in_force(rule: AlertRule, standing: Standing, since: datetime) -> dict[str, datetime]:
    """Since when the rule has been about each of its kinds without a break, from ``since`` on."""
    rows = audit.history_model(AlertRule).objects.filter(id=rule.pk)
    newest_first = list(rows.order_by("-history_date", "-history_id"))

    def start_of(kind: str) -> datetime:
        start = timezone.now()
        for row in newest_first:
            is_same = all(getattr(row, name) == getattr(rule, name) for name in ABOUT)
            if not (row.is_active and is_same and (not row.kinds or kind in row.kinds.split())):
                break
            start = row.history_date
        return max(since, start)

    chosen = rule.kinds.split() or [kind for kind, _ in standing.event.kinds]
    return {kind: start_of(kind) for kind in chosen}


def _written_silently(standing: Standing, since: datetime, until: datetime) -> set[UUID]:
    """The records that were written in between by what sends no alerts."""
    is_back_dated = Q(change_set__sealed_at__gt=F("change_set__recorded_at") + LONGEST_WRITE)
    rows = audit.history_model(standing.model).objects.filter(
        is_back_dated | Q(change_set__source__in=events.SILENT_SOURCES),
        history_date__gte=since,
        history_date__lt=until,
    )
    return set(rows.order_by().values_list("id", flat=True))
