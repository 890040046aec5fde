"""An answer that was given before, for whoever opens its link.

Nothing of it is taken from the record but what was asked for: each figure is looked up again, by
the rights of whoever opens it, at the end of the day of the question.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from typing import Any

from django.utils import timezone

from dashboard.ask import answering
from dashboard.ask.asking import of_grammar
from dashboard.ask.events import GRAMMAR, Event, Note, Refused, named_tables, sentence
from dashboard.ask.findings import PLACEHOLDER, Findings
from dashboard.ask.grammar import Reading
from dashboard.ask.lookups import Asker, LookupRefusedError, run
from dashboard.ask.provider.checking import Checker, DroppedError
from dashboard.models import AskedQuestion
from oegen.core.words import count


def day_of(asked: AskedQuestion) -> date:
    """The day at whose end the answer holds."""
    return asked.day or timezone.localdate(asked.created_at)


def look_up_again(asked: AskedQuestion, asker: Asker) -> Iterator[Event]:
    """The events of the answer for this asker."""
    day = day_of(asked)
    asker = replace(asker, as_of=None if day >= timezone.localdate() else day, page=asked.page)
    if asked.answered_by == GRAMMAR:
        said = answering.answer_reading(asked.question, _reading(asked.reading), asker)
        yield from of_grammar(said)
    elif asked.written or asked.sentences:
        yield from _of_model(asked, asker)
    else:
        yield Refused(asked.refusal)


def _reading(stored: dict[str, Any]) -> Reading:
    names = {"from": "start", "to": "end"}
    return Reading(**{names.get(name, name): value for name, value in stored.items()})


def _of_model(asked: AskedQuestion, asker: Asker) -> Iterator[Event]:
    findings = Findings()
    for one in asked.lookups:
        if not one.get("refused"):
            try:
                run(one["name"], one["arguments"], asker, findings)
            except LookupRefusedError as error:
                yield Note(str(error))
    now = _references(findings.as_json())
    before = {ref: key for key, ref in _references(asked.figures).items()}
    shown: list[str] = []
    for text in asked.written:
        if again := _again(text, before, now, Checker(asked.question, asker, findings)):
            shown.append(again)
            yield sentence(again, findings)
    if left := len(asked.written) - len(shown):
        yield Note(
            f"{count(left, 'sentence')} left out: what {'it says' if left == 1 else 'they say'} is "
            "not so any more, or not for you to see."
        )
    yield from named_tables(shown, findings)


def _again(
    text: str, before: dict[str, tuple[Any, ...]], now: dict[tuple[Any, ...], str], checker: Checker
) -> str:
    """The sentence with the references of today; empty if it can't be said any more."""
    refs = {ref: now.get(before[ref]) for ref in PLACEHOLDER.findall(text) if ref in before}
    if None in refs.values():
        return ""
    try:
        return checker.check(PLACEHOLDER.sub(lambda match: f"{{{refs.get(match[1])}}}", text))
    except DroppedError:
        return ""


def _references(found: dict[str, Any]) -> dict[tuple[Any, ...], str]:
    """References by what they are of, so that another row between does not move them."""
    keys: dict[tuple[Any, ...], str] = {}
    for ref, one in found.items():
        key: tuple[Any, ...]
        if one["type"] == "record":
            key = ("record", one["kind"], one["pk"], one["text"])
        elif one["type"] == "day":
            key = ("day", one["day"])
        elif one["type"] == "figure":
            key = ("figure", one["label"], one["unit"], one["basis"])
        else:
            key = ("comparison", found[one["now"]]["label"], found[one["now"]]["basis"])
        number = 0
        while (*key, number) in keys:
            number += 1
        keys[(*key, number)] = ref
    return keys
