"""Mentions of users in comments, by @username. Imported in ``AppConfig.ready``."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator

from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.text import get_text_list

from oegen.alerts.channels import configured_channels
from oegen.alerts.events import Event, Occurrence, detects
from oegen.alerts.models import AlertRule, Channel
from oegen.alerts.preferences import audience_of
from oegen.audit.changes import Changes
from oegen.audit.narrative.names import subject_model
from oegen.core.compiled import compiled
from oegen.core.folding import fold
from oegen.people.comments import Comment
from oegen.people.models import User

MENTIONED = Event(
    "mentioned",
    "Mentioned in a comment",
    "somebody wrote @ and your username; the bell says so in any case",
    mailed_by_default=True,
    always_notifies=True,
)

#: A username consists of letters, digits and @ . + - _ and does not end with punctuation. After a
#: letter or slash, @ is part of an e-mail or web address.
_MENTION = re.compile(r"(?<![\w@.+/-])@([\w@.+-]*\w)")

#: The length to which a comment is truncated in messages.
_MAX_TEXT_LENGTH = 500

#: The maximum number of suggestions.
MAX_SUGGESTIONS = 8


def usernames_in(text: str) -> set[str]:
    return {name.casefold() for name in _MENTION.findall(text)}


def people_named(usernames: Iterable[str]) -> dict[str, User]:
    """Users by casefolded username, in one query; none for no usernames."""
    wanted = {name.casefold() for name in usernames}
    if not wanted:
        return {}
    return {name: person for name, person in _everybody().items() if name in wanted}


def _everybody() -> dict[str, User]:
    return {person.username.casefold(): person for person in _people()}


@compiled
def _people():
    return User.objects.only("username", "first_name", "last_name", "email", "is_active")


def people_by_username(request: HttpRequest) -> dict:
    """Context processor for the tag ``names_in``: all users, read lazily in one query."""
    return {"people_by_username": SimpleLazyObject(_everybody)}


def suggest(text: str) -> list[User]:
    """Active users with a word in their name or username that starts with the text."""
    typed = fold(text)
    people = User.objects.filter(is_active=True).order_by("first_name", "last_name", "username")
    found = [
        person
        for person in people
        if any(f" {typed}" in f" {words}" for words in _words_of(person))
    ]
    return found[:MAX_SUGGESTIONS]


def _words_of(person: User) -> tuple[str, str]:
    return fold(person.get_full_name()), fold(person.username)


def check_mentions(text: str, earlier: str = "") -> None:
    """Raise ValidationError for mentions of unknown or inactive users, unless the ``earlier`` text
    contains them."""
    names = usernames_in(text) - usernames_in(earlier)
    known = people_named(names)
    problems = []
    for name in sorted(names):
        person = known.get(name)
        if person is None:
            problems.append(f"Nobody here is called @{name}{_similar_usernames(name) or '.'}")
        elif not person.is_active:
            problems.append(f"{person} (@{name}) can no longer sign in, so nobody would be told.")
    if problems:
        hint = "To write it without telling anybody, leave a space after the @."
        raise ValidationError(" ".join([*problems, hint]))


def _similar_usernames(name: str) -> str:
    """Suggest users with similar names: “: did you mean @morgan (Morgan Reid)?”."""
    people = {
        words: person
        for person in User.objects.filter(is_active=True)
        for words in (*_words_of(person), *fold(person.get_full_name()).split())
        if words
    }
    similar = difflib.get_close_matches(fold(name), people, n=3, cutoff=0.6)
    suggested = dict.fromkeys(people[words] for words in similar)
    if not suggested:
        return ""
    return (
        f": did you mean {get_text_list([f'@{one.username} ({one})' for one in suggested], 'or')}?"
    )


def describe_recipients(usernames: Iterable[str], author: User) -> str:
    """Who would be notified of a comment with these usernames, and how: “Morgan Reid in the bell
    and by e-mail”. Empty if nobody would."""
    people = [
        person
        for person in people_named(usernames).values()
        if person.is_active and person != author
    ]
    if not people:
        return ""
    rules = set(
        AlertRule.objects.active_for([MENTIONED.code]).values_list("channel", flat=True)
    ) & set(configured_channels())
    mailed = audience_of([MENTIONED.code]).mailed(MENTIONED.code)
    by_channel: dict[str, list[str]] = {}
    for person in sorted(people, key=str):
        by_mail = Channel.EMAIL in rules and person.pk in mailed
        by_channel.setdefault("in the bell and by e-mail" if by_mail else "in the bell", []).append(
            str(person)
        )
    recipients = [
        f"{get_text_list(names, 'and')} {channel}" for channel, names in by_channel.items()
    ]
    if Channel.SLACK in rules:
        recipients.append("everybody in Slack")
    return "; ".join(recipients)


def with_names(text: str, people: dict[str, User]) -> SafeString:
    """The text as escaped HTML, with @username replaced by the names of known users."""
    parts, end = [], 0
    for match in _MENTION.finditer(text):
        person = people.get(match[1].casefold())
        if person is None:
            continue
        parts.append(format_html("{}", text[end : match.start()]))
        parts.append(
            format_html('<span class="mention-name" title="{}">@{}</span>', match[0], person)
        )
        end = match.end()
    parts.append(format_html("{}", text[end:]))
    return mark_safe("".join(parts))  # noqa: S308 - each part is escaped above


@detects(MENTIONED, models=[Comment])
def mentions(changes: Changes) -> Iterator[Occurrence]:
    """Comments that newly mention active users other than their author."""
    named: dict = {}
    for change in changes.of(Comment, "text", "content_type_id", "object_id", "author_id"):
        if change.after:
            earlier = usernames_in(change.before["text"]) if change.before else set()
            if names := usernames_in(change.after["text"]) - earlier:
                named[change.key] = change.after, names
    if not named:
        return
    users = people_named(set().union(*(names for _, names in named.values())))
    for key, (comment, names) in named.items():
        found = [
            person
            for name, person in users.items()
            if name in names and person.is_active and person.pk != comment["author_id"]
        ]
        text = comment["text"]
        if found:
            yield Occurrence(
                MENTIONED,
                subject_model(comment["content_type_id"]),
                comment["object_id"],
                new=", ".join(str(person) for person in found),
                note=text if len(text) <= _MAX_TEXT_LENGTH else f"{text[: _MAX_TEXT_LENGTH - 1]}…",
                row_key=key,
                people=frozenset(person.pk for person in found),
                anchor=f"comment-{key}",
            )
