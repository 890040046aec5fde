"""The filters of a page of pipelines as ``$filter``, as far as the columns of a set allow."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from oegen.models import User
from oegen.pages.filters import MINE
from oegen.pages.selection import ALL, Selection
from pipelines.filters import NOBODY, NOT_RATED, PipelineFilter
from pipelines.models import Technology
from pipelines.querysets import ALL_KINDS, IN_TIME, NO_DATE, NO_FACILITY, OPEN, OVERDUE

#: A filter's value as a condition; empty: it asks for nothing; None: there is no column for it.
Translate = Callable[[Any], str | None]


@dataclass(frozen=True)
class Translation:
    """``text`` is what goes into $filter; ``left_out`` are the labels of the page's filters that
    are not in it."""

    text: str
    left_out: tuple[str, ...]


def translate(filters: PipelineFilter, translators: dict[str, Translate]) -> Translation:
    """``filters`` are valid, and ``translators`` are by the name of the filter."""
    conditions, left_out = [], []
    for field in filters.form:
        value = filters.form.cleaned_data.get(field.name)
        if value is None or value == "" or value == Selection() or value == []:
            continue
        translator = translators.get(field.name)
        condition = translator(value) if translator else None
        if condition is None:
            left_out.append(str(field.label))
        elif condition:
            conditions.append(condition)
    return Translation(" and ".join(conditions), tuple(left_out))


def translators_for_pipelines(reader: User) -> dict[str, Translate]:
    return _of_both(reader) | {
        "status": _selection(
            lambda code: "open eq true" if code == OPEN else f"status eq {_text(code)}"
        ),
        "capacity_min": lambda amount: f"capacity_mw ge {amount:f}",
        "capacity_max": lambda amount: f"capacity_mw le {amount:f}",
    }


def translators_for_open_capacity(reader: User) -> dict[str, Translate]:
    """Technology and country choose facilities, not projects that have such ones."""
    return _of_both(reader) | {
        "status": _selection(lambda code: "true" if code == OPEN else f"stage eq {_text(code)}"),
        "technology": _selection(_technology),
        "country": _selection(lambda code: f"country eq {_text(code)}"),
    }


def _of_both(reader: User) -> dict[str, Translate]:
    return {
        "rag": _selection(lambda code: f"rag_status eq {_text('' if code == NOT_RATED else code)}"),
        "rtb": _selection(_RTB.get),
        "responsible": _selection(lambda code: _responsible(code, reader)),
        "rtb_from": lambda day: f"rtb_date ge {day}",
        "rtb_to": lambda day: f"rtb_date le {day}",
        "rtb_year": lambda year: f"year(rtb_date) eq {year}",
    }


#: "Reached or scheduled" has no column.
_RTB = {
    OVERDUE: "overdue eq true",
    IN_TIME: "(rtb_date ne null and overdue eq false)",
    NO_DATE: "rtb_date eq null",
}


def _text(value: str) -> str:
    return "'{}'".format(value.replace("'", "''"))


def _selection(condition_of: Callable[[str], str | None]) -> Translate:
    def translate(selection: Selection) -> str | None:
        if selection.included == (ALL,):
            selection = Selection((), selection.excluded)
        included = [condition_of(code) for code in selection.included]
        excluded = [condition_of(code) for code in selection.excluded]
        if None in included or None in excluded:
            return None
        parts = [] if "true" in included or not included else [_any_of(included)]
        parts += [f"not ({condition})" for condition in excluded]
        return " and ".join(parts)

    return translate


def _any_of(conditions: Iterable[str | None]) -> str:
    known = [one for one in conditions if one]
    return known[0] if len(known) == 1 else f"({' or '.join(known)})"


def _responsible(code: str, reader: User) -> str | None:
    if code == NOBODY:
        return "responsible_id eq null"
    if code == MINE:
        return f"responsible_id eq {reader.pk}"
    key = User.objects.filter(username=code).values_list("pk", flat=True).first()
    return f"responsible_id eq {key}" if key else None


def _technology(code: str) -> str | None:
    if code == NO_FACILITY:
        return None
    if not code.endswith(ALL_KINDS):
        return f"technology eq {_text(code)}"
    parent = code.removesuffix(ALL_KINDS)
    kinds = Technology.objects.filter(parent__code=parent).values_list("code", flat=True)
    return f"technology in ({', '.join(map(_text, [parent, *kinds]))})"
