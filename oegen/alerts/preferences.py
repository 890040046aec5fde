"""What each person wants to be mailed about, and the signed links that end it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

from django.core import signing
from django.db import transaction

from oegen.alerts.events import EVENTS, Event
from oegen.alerts.models import AlertPreference, AlertRule, Channel
from oegen.people.models import User

_SALT = "oegen.alerts.unsubscribe"

#: How long an unsubscribe link works.
WORKS_FOR = timedelta(days=180)


class BadLinkError(Exception):
    """An unsubscribe link that is too old, not one of ours, or whose person is gone; says so to
    people."""

    def __init__(self):
        super().__init__(
            "This link is not complete, or older than six months, so nothing was changed. Open the "
            "newest e-mail and choose its link again, or sign in and untick the e-mail on your own "
            "page."
        )


@dataclass(frozen=True)
class Choice:
    """An event as a person may choose it. ``detail`` says what its rules let through."""

    event: Event
    is_wanted: bool
    detail: str


@dataclass(frozen=True)
class Audience:
    """Who chose each event, by its code, and who of all can be mailed: keys of active people."""

    chosen: dict[str, frozenset[int]]
    mailable: frozenset[int]

    def mailed(self, code: str) -> frozenset[int]:
        """Those who can be mailed and want to be about the event."""
        return self.chosen[code] & self.mailable


def audience_of(codes: Iterable[str]) -> Audience:
    """Two queries."""
    codes = set(codes)
    usual = {code for code in codes if EVENTS[code].usually_mailed}
    said: dict[str, dict[int, bool]] = {code: {} for code in codes}
    rows = AlertPreference.objects.filter(event__in=codes)
    for code, user, is_wanted in rows.values_list("event", "user", "is_wanted"):
        said[code][user] = is_wanted
    wanting = {user for code in codes for user, wants in said[code].items() if wants}
    people = User.objects.filter(is_active=True)
    if not usual:
        people = people.filter(pk__in=wanting)
    emails = dict(people.values_list("pk", "email")) if usual or wanting else {}
    return Audience(
        {
            code: frozenset(key for key in emails if said[code].get(key, code in usual))
            for code in codes
        },
        frozenset(key for key, email in emails.items() if email),
    )


def choices_of(user: User) -> list[Choice]:
    """Every event that a rule in force can mail, and the digests, which need none."""
    rules: dict[str, list[AlertRule]] = {}
    for rule in AlertRule.objects.active().filter(channel=Channel.EMAIL):
        rules.setdefault(rule.event, []).append(rule)
    said = dict(user.alert_preferences.values_list("event", "is_wanted"))
    return [
        Choice(
            event,
            said.get(event.code, event.usually_mailed),
            _detail(event, rules.get(event.code, [])),
        )
        for event in EVENTS.values()
        if event.code in rules or event.needs_no_rule
    ]


def _detail(event: Event, rules: list[AlertRule]) -> str:
    limits = sorted({rule.threshold for rule in rules if rule.threshold is not None})
    if not event.unit or not limits:
        return event.detail
    number = f"{limits[0].normalize():,f} {event.unit}".replace(" %", "%")
    return f"{number} or more" if event.is_reached else f"more than {number}"


@transaction.atomic
def choose(*, user: User, wanted: Iterable[str]) -> None:
    """Want e-mail about these of the events that can be chosen, and about no other of them."""
    wanted = set(wanted)
    for choice in choices_of(user):
        AlertPreference.objects.update_or_create(
            user=user,
            event=choice.event.code,
            defaults={"is_wanted": choice.event.code in wanted},
        )


def unsubscribe_token(user: User, codes: list[str]) -> str:
    return signing.dumps([user.pk, *codes], salt=_SALT)


def read_token(token: str) -> tuple[User, list[Event]]:
    """Raises BadLinkError."""
    try:
        key, *codes = signing.loads(token, salt=_SALT, max_age=WORKS_FOR)
        return User.objects.get(pk=key), [EVENTS[code] for code in codes]
    except (signing.BadSignature, User.DoesNotExist, KeyError) as error:
        raise BadLinkError from error


@transaction.atomic
def unsubscribe(*, user: User, events: list[Event]) -> None:
    for event in events:
        AlertPreference.objects.update_or_create(
            user=user, event=event.code, defaults={"is_wanted": False}
        )
