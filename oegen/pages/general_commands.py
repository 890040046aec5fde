"""Commands of every page: days, saved views, the theme, one's own account, the admin."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from itertools import islice

from django.contrib import admin
from django.urls import NoReverseMatch, reverse
from django.utils import timezone

from oegen import asof
from oegen.asof.middleware import PastMiddleware
from oegen.core import clock
from oegen.core.day_words import parse_day
from oegen.core.folding import fold
from oegen.pages import preferences
from oegen.pages.commands import Command, Question, Suggestion, answers, go_to, register
from oegen.pages.importing.access import kinds_for

#: What may stand before a day.
AS_OF, COMPARE = ("as of", "as at", "asof"), ("compare with", "compare to", "compare", "since")

MAX_VIEWS = 5


def _theme(name: str, icon: str, value: str) -> Command:
    press = f"[data-theme-choice] [value='{value}']"
    return Command(f"{name} theme", icon, words="mode colours", press=press)


register(
    go_to("Alerts", "my-alerts", "bell-cog", "my settings notifications slack mail"),
    go_to("Notices", "notices", "bell"),
    go_to("Change password", "my-password", "key", "my settings account"),
    go_to("Access tokens", "my-tokens", "api", "my settings key secret program"),
    go_to("Connect", "connect", "plug-connected", "power bi excel odata databricks python"),
    Command(
        "Webhooks",
        "webhook",
        lambda question: reverse("webhooks") if question.user.has_perm("oegen.add_webhook") else "",
        words="my settings deliveries receiver program",
    ),
    Command(
        "Import",
        "file-import",
        lambda question: reverse("imports") if kinds_for(question.user) else "",
        words="upload bring back excel csv spreadsheet table paste",
    ),
    go_to("Audit trail", "audit", "history", "change sets history undo"),
    go_to("Removed records", "removed-records", "trash", "deleted restore"),
    Command(
        "Admin",
        "settings",
        lambda question: (
            reverse("admin:index") if admin.site.has_permission(question.request) else ""
        ),
    ),
    _theme("Light", "sun", "light"),
    _theme("Dark", "moon", "dark"),
    _theme("Auto", "device-desktop", "auto"),
    Command("Keys", "keyboard", words="shortcuts help", press="[data-shows-keys]"),
    Command("Sign out", "logout", words="log out leave", press="[data-signs-out]"),
)


@answers
def days(question: Question) -> Iterator[Suggestion]:
    """The page as of a day, and compared with a day."""
    if not question.words and clock.past_day():
        yield _as_of(timezone.localdate(), question)
    text = " ".join(question.words)
    wants_past, rest = _without(text, AS_OF)
    wants_comparison, rest = _without(rest, COMPARE)
    day = parse_day(rest, timezone.localdate())
    if not day or not asof.FIRST_DAY <= day <= timezone.localdate():
        return
    if not wants_comparison and day != clock.today():
        yield _as_of(day, question)
    if not wants_past and day < clock.today():
        yield from _compared(day, question, wants_comparison)


def _without(text: str, starts: tuple[str, ...]) -> tuple[bool, str]:
    for start in starts:
        if text.startswith(f"{start} "):
            return True, text.removeprefix(start).strip()
    return False, text


def _as_of(day: date, question: Question) -> Suggestion:
    if day == timezone.localdate():
        return Suggestion("Back to today", "calendar", question.page_with(asof.PARAMETER, ""))
    title = f"As of {day:%-d %b %Y}"
    if question.path.startswith(tuple(map(reverse, PastMiddleware.PRESENT_ONLY))):
        url = f"{reverse('dashboard')}?{asof.PARAMETER}={day}"
        return Suggestion(title, "calendar-time", url, "the dashboard")
    return Suggestion(
        title, "calendar-time", question.page_with(asof.PARAMETER, str(day)), "this page"
    )


def _compared(day: date, question: Question, is_wanted: bool) -> Iterator[Suggestion]:
    """The comparison on this page, if it has one; else on the dashboard, if that is wanted."""
    title = f"Compare with {day:%-d %b %Y}"
    if "compare" in getattr(question.view_class, "page_parameters", ()):
        url = question.page_with("compare", str(day))
        past = clock.past_day()
        url = f"{url}&{asof.PARAMETER}={past}" if past else url
        yield Suggestion(title, "arrows-diff", url, "this page")
    elif is_wanted:
        url = f"{reverse('dashboard')}?compare={day}"
        yield Suggestion(title, "arrows-diff", url, "the dashboard")


@answers
def saved_views(question: Question) -> Iterator[Suggestion]:
    """The views that the person may open, by their names."""
    if not question.words:
        return
    text = " ".join(question.words)
    views = (one for one in preferences.all_views_of(question.user) if text in fold(one.name))
    for view in islice(views, MAX_VIEWS):
        try:
            url = f"{reverse(view.list_name)}?{view.query}"
        except NoReverseMatch:
            continue
        by = "" if view.owner == question.user else f", by {view.owner}"
        yield Suggestion(view.name, "bookmark", url, f"view of {view.list_name}{by}")
