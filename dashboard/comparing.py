"""A frozen report beside the same report now."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from dashboard.report_content import (
    GROUPS,
    MOST,
    Content,
    drawable,
    in_order,
    project_row,
    url_of,
)
from oegen.core.words import number
from pipelines.models import Pipeline
from pipelines.querysets import PipelineQuerySet

#: What the two columns of a change hold, by the name in the content.
_COMPARED = {"stage": "Stage", "rag": "RAG", "mw": "MW", "rtb_date": "RTB date"}


@dataclass(frozen=True)
class FigureChange:
    """A figure then and now; None where it has none, or where there was or is no such group."""

    label: str
    then: Content
    now: Content

    @property
    def mw(self) -> Decimal:
        return _mw(self.now) - _mw(self.then)

    @property
    def pipelines(self) -> int:
        return (self.now.get("pipelines") or 0) - (self.then.get("pipelines") or 0)


def _mw(figure: Content) -> Decimal:
    return figure.get("mw") or Decimal(0)


@dataclass(frozen=True)
class FigureGroup:
    title: str
    has_pipelines: bool
    rows: tuple[FigureChange, ...]


def figure_groups(then: Content, now: Content) -> list[FigureGroup]:
    """The figures of two drawable contents side by side, by their keys, with the labels of now."""
    return [
        FigureGroup(title, has_pipelines=group != "countries", rows=tuple(_side_by_side(*pair)))
        for group, title in GROUPS.items()
        if any(pair := (then["figures"][group], now["figures"][group]))
    ]


def _side_by_side(then: list[Content], now: list[Content]) -> Iterator[FigureChange]:
    before, after = ({row["key"]: row for row in rows} for rows in (then, now))
    # Those of now in their order, then those that are no more.
    for key in dict.fromkeys((*after, *before)):
        labelled = after.get(key) or before[key]
        yield FigureChange(labelled["label"], before.get(key, {}), after.get(key, {}))


@dataclass(frozen=True)
class Change:
    """``then`` and ``now`` are formatted."""

    label: str
    then: str
    now: str


@dataclass(frozen=True)
class ProjectChange:
    """A project whose entry in the report is new, gone or another. ``what`` says why it is gone."""

    name: str
    url: str
    kind: str
    what: str
    changes: tuple[Change, ...]


def project_changes(then: Content, selected: PipelineQuerySet) -> list[ProjectChange]:
    """How the open projects of the drawable content ``then`` differ from those that are open among
    the ``selected`` now: first those that changed, then up to ``MOST`` new ones, then the gone.

    Where the report left projects out, none can be told to be new.
    """
    before = {row["id"]: row for row in then["projects"]}
    opened = selected.open()
    after = {row["id"]: row for row in _rows(opened.filter(pk__in=before))}
    changed = [
        ProjectChange(row["name"], url_of(row), "changed", "", changes)
        for key, row in after.items()
        if (changes := tuple(_changes(before[key], row)))
    ]
    new = [] if then["others"] else _rows(opened.exclude(pk__in=before))
    return [
        *changed,
        *(ProjectChange(row["name"], url_of(row), "new", row["stage"], ()) for row in new),
        *_gone([row for key, row in before.items() if key not in after], selected),
    ]


def _rows(opened: PipelineQuerySet) -> list[Content]:
    found = [project_row(one) for one in in_order(opened)[:MOST]]
    rows: list[Content] = drawable({"projects": found})["projects"]
    return rows


def _changes(then: Content, now: Content) -> Iterator[Change]:
    # Not the name of a stage, which may be renamed.
    codes = {"stage": "stage_code"}
    for name, label in _COMPARED.items():
        key = codes.get(name, name)
        if then[key] != now[key]:
            yield Change(label, _words(name, then), _words(name, now))


def _words(name: str, project: Content) -> str:
    value: Any = project["rag_label" if name == "rag" else name]
    if isinstance(value, date):
        return f"{value:%-d %b %Y}"
    if isinstance(value, Decimal):
        return number(value)
    return str(value or "none")


def _gone(rows: list[Content], selected: PipelineQuerySet) -> Iterator[ProjectChange]:
    known = Pipeline.objects.select_related("stage").in_bulk([row["id"] for row in rows])
    still_open = set(Pipeline.objects.filter(pk__in=known).open().values_list("pk", flat=True))
    for row in rows:
        one = known.get(UUID(row["id"]))
        if one is None:
            why = "removed"
        elif one.pk in still_open:
            why = "no longer within the filters"
        else:
            why = one.status_label
        yield ProjectChange(row["name"], url_of(row), "gone", why, ())
