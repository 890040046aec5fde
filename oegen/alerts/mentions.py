"""Comments that name a person with @username. Loaded when the application starts."""

from __future__ import annotations

import re
from collections.abc import Iterator

from django.contrib.contenttypes.models import ContentType

from oegen.alerts.events import Changes, Event, Occurrence, detects
from oegen.alerts.preferences import people_wanting
from oegen.models import AlertRule, Channel, Comment, User

MENTIONED = Event(
    "mentioned",
    "Mentioned in a comment",
    "somebody wrote @ and your username",
    usually_mailed=True,
)

#: A username has letters, digits and @ . + - _ ; a sign that ends the sentence is not part of it.
_MENTION = re.compile(r"(?<![\w@.+-])@([\w@.+-]*\w)")

#: So much of a comment stands in a message.
_SHOWN = 500


def usernames_in(text: str) -> set[str]:
    return {name.casefold() for name in _MENTION.findall(text)}


def unreached_by(text: str, author: User) -> list[User]:
    """Whom a comment names that no message about it will reach: they have no e-mail address or
    want no mail about mentions, and no rule in force sends mentions to Slack."""
    names = usernames_in(text)
    if not names:
        return []
    rules = AlertRule.objects.in_force([MENTIONED.code])
    if rules.filter(channel=Channel.SLACK).exists():
        return []
    told = people_wanting([MENTIONED.code])[MENTIONED.code]
    people = User.objects.filter(is_active=True).exclude(pk__in=[author.pk, *told])
    return [person for person in people if person.username.casefold() in names]


@detects(MENTIONED, models=[Comment])
def mentions(changes: Changes) -> Iterator[Occurrence]:
    """Each comment that names an active person whom it did not name before, its author aside."""
    named: dict = {}
    for change in changes.of(Comment, "text", "content_type_id", "object_id", "author_id"):
        if change.after:
            earlier = usernames_in(change.before["text"]) if change.before else set()
            if names := usernames_in(change.after["text"]) - earlier:
                named[change.key] = change.after, names
    if not named:
        return
    users = list(User.objects.filter(is_active=True))
    for key, (comment, names) in named.items():
        found = [
            user
            for user in users
            if user.username.casefold() in names and user.pk != comment["author_id"]
        ]
        text = comment["text"]
        if found:
            yield Occurrence(
                MENTIONED,
                ContentType.objects.get_for_id(comment["content_type_id"]).model_class(),
                comment["object_id"],
                new=", ".join(str(person) for person in found),
                note=text if len(text) <= _SHOWN else f"{text[: _SHOWN - 1]}…",
                row_key=key,
                people=frozenset(person.pk for person in found),
            )
