"""The registry of what the palette (Ctrl-K) offers beside records.

A ``commands.py`` of each package registers its own; ``AppConfig.ready`` imports it. A Command has a
title and is found by the words of it. A function with ``@answers`` reads the typed text itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from django.http import HttpRequest, QueryDict
from django.urls import Resolver404, resolve, reverse

from oegen import asof
from oegen.core import clock
from oegen.core.folding import fold
from oegen.pages.admin_links import form_url
from oegen.search.spelling import nearest

if TYPE_CHECKING:
    from oegen.audit.audited import AuditedModel

#: Words that say nothing of what is wanted.
FILLERS = frozenset({"a", "an", "the", "to", "go", "open", "show", "me", "my", "all"})


@dataclass(frozen=True)
class Question:
    """What somebody typed, and the page on which they did."""

    request: HttpRequest
    text: str
    #: The path and the query string of that page.
    path: str
    query: str

    @property
    def user(self) -> Any:
        return self.request.user

    @cached_property
    def words(self) -> list[str]:
        return fold(self.text).replace(",", " ").split()

    @property
    def page(self) -> str:
        return f"{self.path}?{self.query}" if self.query else self.path

    @cached_property
    def view_class(self) -> Any:
        """The view of that page; None if there is no such page."""
        try:
            return getattr(resolve(self.path).func, "view_class", None)
        except Resolver404:
            return None

    def page_with(self, name: str, value: str) -> str:
        """The address of that page, relative to it, with another value of a parameter, or without
        it."""
        query = QueryDict(self.query, mutable=True)
        for one in (name, "page"):
            query.pop(one, None)
        if value:
            query[name] = value
        return f"?{query.urlencode()}"


@dataclass(frozen=True)
class Suggestion:
    """A line of the palette: it leads to ``url``, or presses the control of the page that the CSS
    selector ``press`` names."""

    title: str
    icon: str
    url: str = ""
    detail: str = ""
    press: str = ""
    #: After everything else that is suggested.
    is_last: bool = False


@dataclass(frozen=True)
class Command:
    """``address`` gives the URL, which is empty for those who may not use it; ``words`` are others
    by which it is found."""

    title: str
    icon: str
    address: Callable[[Question], str] = lambda question: ""
    words: str = ""
    press: str = ""
    #: Its place among others that the words name as well.
    order: int = 99
    #: Offered before anything is typed.
    is_usual: bool = False

    @cached_property
    def all_words(self) -> list[str]:
        return fold(f"{self.title} {self.words}").split()

    def matches(self, words: Iterable[str]) -> bool:
        """Whether each of the words begins one of the command's."""
        return all(any(own.startswith(word) for own in self.all_words) for word in words)

    def suggestion(self, question: Question) -> Suggestion | None:
        url = self.address(question)
        if not (url or self.press):
            return None
        return Suggestion(self.title, self.icon, url, press=self.press)


Answers = Callable[[Question], Iterable[Suggestion]]

_commands: list[Command] = []
_answers: list[Answers] = []


def register(*commands: Command) -> None:
    _commands.extend(commands)


def answers(function: Answers) -> Answers:
    """Register a function that gives suggestions for a text; without a text, the usual ones."""
    _answers.append(function)
    return function


def go_to(title: str, name: str, icon: str, words: str = "", section: int = 0) -> Command:
    """A command that opens the page of this URL name. ``section`` is its place in the menu, if it
    has one."""
    command = Command(title, icon, lambda question: reverse(name), words)
    return replace(command, order=section, is_usual=True) if section else command


def add(model: type[AuditedModel], words: str = "") -> Command:
    """A command that opens the form for a new record. Nothing is added in the past."""

    def address(question: Question) -> str:
        if clock.past_day():
            return ""
        return form_url(question.request, model._meta, "add", back=question.page)

    noun = str(model._meta.verbose_name)
    article = "an" if noun[0] in "aeiou" else "a"
    title, words = f"Add {article} {noun}", f"new create enter {words}"
    return Command(title, "plus", address, words, order=model.SEARCH_ORDER)


def answers_to(question: Question) -> list[Suggestion]:
    """What the registered functions make of the text."""
    return [one for function in _answers for one in function(question)]


def commands_for(question: Question) -> list[Suggestion]:
    """The commands that the words name, those whose titles begin with them first; without words,
    the usual ones."""
    words = [word for word in question.words if word not in FILLERS]
    if not question.words:
        usual = [command for command in _commands if command.is_usual]
        found = sorted(usual, key=lambda command: command.order)
    else:
        found = _named(words)
    suggestions = [command.suggestion(question) for command in found]
    return [one for one in suggestions if one]


def commands_meant(question: Question) -> list[Suggestion]:
    """The commands that the words may have been meant to name."""
    known = {own for command in _commands for own in command.all_words}
    words = [word for word in question.words if word not in FILLERS]
    meant = [
        word if any(one.startswith(word) for one in known) else (nearest(word, known) or [word])[0]
        for word in words
    ]
    found = [] if meant == words else [command.suggestion(question) for command in _named(meant)]
    return [one for one in found if one]


def _named(words: list[str]) -> list[Command]:
    if not words:
        return []
    text = " ".join(words)
    found = [command for command in _commands if command.matches(words)]
    return sorted(
        found, key=lambda command: (not fold(command.title).startswith(text), command.order)
    )


def parse_page(address: str) -> tuple[str, str]:
    """The path and the query string of an address of this site, without the day."""
    path, _, query = address.partition("?")
    values = QueryDict(query, mutable=True)
    values.pop(asof.PARAMETER, None)
    return path, values.urlencode()
