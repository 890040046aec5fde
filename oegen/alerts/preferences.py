"""Users' e-mail preferences for alert events, and signed links to unsubscribe."""

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
TOKEN_MAX_AGE = timedelta(days=180)


class BadLinkError(Exception):
    """An unsubscribe link is too old or invalid, or its user was removed; the text is shown to the
    user."""

    def __init__(self):
        super().__init__(
            "This link is not complete, or older than six months, so nothing was changed. Open the "
            "newest e-mail and choose its link again, or sign in and untick the e-mail on your own "
            "page."
        )


@dataclass(frozen=True)
class Choice:
    """An event on the preferences page. ``detail`` describes the thresholds of its rules;
    ``only_mine`` and ``with_brief`` are of digests."""

    event: Event
    is_wanted: bool
    only_mine: bool
    with_brief: bool
    detail: str


@dataclass(frozen=True)
class Audience:
    """Keys of active users: those who chose each event, by its code, and those with an e-mail
    address."""

    chosen: dict[str, frozenset[int]]
    mailable: frozenset[int]

    def mailed(self, code: str) -> frozenset[int]:
        """The users to whom an e-mail about the event is sent."""
        return self.chosen[code] & self.mailable


def audience_of(codes: Iterable[str]) -> Audience:
    """The audience of the events, in two queries; without codes, in none."""
    codes = set(codes)
    defaults = {code for code in codes if EVENTS[code].mailed_by_default}
    preferences: dict[str, dict[int, bool]] = {code: {} for code in codes}
    rows = AlertPreference.objects.filter(event__in=codes)
    for code, user, is_wanted in rows.values_list("event", "user", "is_wanted"):
        preferences[code][user] = is_wanted
    subscribers = {
        user for code in codes for user, is_wanted in preferences[code].items() if is_wanted
    }
    people = User.objects.filter(is_active=True)
    if not defaults:
        people = people.filter(pk__in=subscribers)
    emails = dict(people.values_list("pk", "email")) if defaults or subscribers else {}
    return Audience(
        {
            code: frozenset(key for key in emails if preferences[code].get(key, code in defaults))
            for code in codes
        },
        frozenset(key for key, email in emails.items() if email),
    )


def choices_of(user: User) -> list[Choice]:
    """The events for which an active rule sends e-mail, and the digests."""
    rules: dict[str, list[AlertRule]] = {}
    for rule in AlertRule.objects.active().filter(channel=Channel.EMAIL):
        rules.setdefault(rule.event, []).append(rule)
    preferences = {one.event: one for one in user.alert_preferences.all()}

    def choice(event: Event) -> Choice:
        detail = _detail(event, rules.get(event.code, []))
        known = preferences.get(event.code)
        if known is None:
            return Choice(event, event.mailed_by_default, False, False, detail)
        return Choice(event, known.is_wanted, known.only_mine, known.with_brief, detail)

    return [choice(event) for event in EVENTS.values() if event.code in rules or event.is_digest]


def _detail(event: Event, rules: list[AlertRule]) -> str:
    if event.kinds:
        chosen = {kind for rule in rules for kind in rule.kinds.split() or dict(event.kinds)}
        labels = [label for kind, label in event.kinds if kind in chosen]
        return f"{event.detail}: {', '.join(labels)}"
    limits = sorted({rule.threshold for rule in rules if rule.threshold is not None})
    if not event.unit or not limits:
        return event.detail
    number = f"{limits[0].normalize():,f} {event.unit}".replace(" %", "%")
    return f"{number} or more" if event.is_reached else f"more than {number}"


@transaction.atomic
def choose(
    *,
    user: User,
    wanted: Iterable[str],
    only_mine: Iterable[str] = (),
    with_brief: Iterable[str] = (),
) -> None:
    """Set the user's preferences: e-mail about the wanted events only, of their own projects only
    in the digests ``only_mine``, and a written brief in those ``with_brief``."""
    wanted, only_mine, with_brief = set(wanted), set(only_mine), set(with_brief)
    for choice in choices_of(user):
        code = choice.event.code
        AlertPreference.objects.update_or_create(
            user=user,
            event=code,
            defaults={
                "is_wanted": code in wanted,
                "only_mine": choice.event.is_digest and code in only_mine,
                "with_brief": choice.event.has_brief and code in with_brief,
            },
        )


def users_of_own_digest(event: Event) -> frozenset[int]:
    """The keys of the users who want the digest of their own projects only."""
    rows = AlertPreference.objects.filter(event=event.code, only_mine=True)
    return frozenset(rows.values_list("user", flat=True))


def users_with_brief(event: Event) -> frozenset[int]:
    """The keys of the users who want a written brief in the digest."""
    rows = AlertPreference.objects.filter(event=event.code, with_brief=True)
    return frozenset(rows.values_list("user", flat=True))


def unsubscribe_token(user: User, codes: list[str]) -> str:
    return signing.dumps([user.pk, *codes], salt=_SALT)


def read_token(token: str) -> tuple[User, list[Event]]:
    """The user and events of an unsubscribe link. Raises BadLinkError."""
    try:
        key, *codes = signing.loads(token, salt=_SALT, max_age=TOKEN_MAX_AGE)
        return User.objects.get(pk=key), [EVENTS[code] for code in codes]
    except (signing.BadSignature, User.DoesNotExist, KeyError) as error:
        raise BadLinkError from error


@transaction.atomic
def unsubscribe(*, user: User, events: list[Event]) -> None:
    for event in events:
        AlertPreference.objects.update_or_create(
            user=user, event=event.code, defaults={"is_wanted": False}
        )
