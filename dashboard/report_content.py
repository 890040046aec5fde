"""What a committee report shows, as plain data that can be stored as JSON.

The live report and the frozen ones are drawn from the same content by the same templates. Frozen
content is kept for ever, so ``SHAPE`` and the builders below are a format: what a later release
needs beside it gets a new ``FORMAT``, and its templates go on drawing the older ones.

Decimals and dates are texts in it; ``drawable`` reads those that ``NUMBERS`` and ``DAYS`` name.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from datetime import date
from decimal import Decimal
from typing import Any

from django.urls import reverse
from django.utils.formats import date_format

from dashboard import charts
from dashboard.charts.parts import technology_code, technology_name
from dashboard.metrics import Overview
from dashboard.metrics.sums import Total
from oegen import asof
from oegen.core import clock
from oegen.core.fields import country_name
from oegen.core.words import number, signed
from oegen.search.ordering import natural
from pipelines.models import Pipeline
from pipelines.querysets import OPEN, Capacity, Megawatts, PipelineQuerySet

FORMAT = 1

#: The most projects in the table; the list has them all.
MOST = 500

#: The report in plain data.
Content = dict[str, Any]

LINK = {"url": None}
_SEGMENT = {
    "rag": None,
    "label": None,
    "start": None,
    "width": None,
    "link": LINK,
    "pipelines": None,
    "size": None,
    "share": None,
}
_PHRASE = {"text": None, "link": LINK, "judgement": None}

#: The attributes of the dashboard's answer that a report has; a list is of its one element.
SHAPE: dict[str, Any] = {
    "sentence": {"now": [_PHRASE], "moves": [_PHRASE], "basis": None},
    "rag_bar": [_SEGMENT],
    "rag_note": None,
    "tiles": [
        {
            "key": None,
            "title": None,
            "size": None,
            "change": None,
            "is_more": None,
            "judgement": None,
            "detail": None,
            "link": LINK,
        }
    ],
    "has_weighted": None,
    "funnel": [
        {
            "label": None,
            "link": LINK,
            "pipelines": None,
            "size": None,
            "segments": [_SEGMENT],
            "width": None,
            "moves_on": None,
            "is_open": None,
        }
    ],
    "funnel_note": None,
    "rag_rows": [
        {
            "label": None,
            "cells": [
                {
                    "total": {"pipelines": None, "capacity": {"mw": None, "unit": None}},
                    "link": LINK,
                    "direction": None,
                }
            ],
        }
    ],
    "rag_finding": None,
    "rag_known": None,
}

#: The names of numbers and of days in the content.
NUMBERS = {"mw", "mwp_dc", "mw_ac", "storage_mw", "storage_mwh"}
DAYS = {"day", "since", "rtb_date", "next_step_on"}

#: The groups of figures, with their titles.
GROUPS = {
    "key": "Key figures",
    "rag": "Open, by RAG",
    "stages": "By status",
    "technologies": "Open, by technology",
    "countries": "Open, by country",
}


def report_content(
    *,
    found: Overview,
    answer: Mapping[str, Any],
    walk: charts.Chart,
    opened: PipelineQuerySet,
    since: date,
    query: str,
    filters: Iterable[Any],
    lists: charts.Lists,
) -> Content:
    """``found`` has the figures of the tab Capacity, ``opened`` the open pipelines; ``query`` has
    the ``filters`` as in an address. ``others`` of the content is the number of projects that its
    table leaves out."""
    return {
        "day": str(clock.today()),
        "since": str(since),
        "query": query,
        "filters": [{"label": str(one.label), "text": str(one.text)} for one in filters],
        **_pick(answer, SHAPE),
        "walk": _walk(found, walk),
        "figures": _figures(found, opened, lists),
        "attention": _attention(answer["attention"]),
        "projects": [project_row(one) for one in in_order(opened)[:MOST]],
        "others": max(found.answer.headline.open.pipelines - MOST, 0),
    }


class _Part(Content):
    """A part of the content, with its parts as attributes: what draws figures takes it for one."""

    def __getattr__(self, name: str) -> Any:
        try:
            return self[name]
        except KeyError as error:
            raise AttributeError(name) from error


def drawable(content: Content, *, day: date | None = None) -> Content:
    """The content with numbers and days as such. With the ``day`` of a frozen report, its links
    lead to the lists of that day."""
    past = day if day != clock.today() else None

    def read(name: str, value: Any) -> Any:
        if isinstance(value, dict):
            return _Part({key: read(key, one) for key, one in value.items()})
        if isinstance(value, list):
            return [read(name, one) for one in value]
        if not value:
            return value
        if name == "url":
            return asof.keep_day(value, past)
        if name in NUMBERS:
            return Decimal(value)
        return date.fromisoformat(value) if name in DAYS else value

    drawn: Content = read("", content)
    return drawn


def _pick(value: Any, shape: Any) -> Any:
    if isinstance(shape, list):
        return [_pick(one, shape[0]) for one in value]
    if isinstance(shape, dict):
        read = (
            value.__getitem__ if isinstance(value, Mapping) else lambda name: getattr(value, name)
        )
        return {name: _pick(read(name), part) for name, part in shape.items()}
    return str(value) if isinstance(value, Decimal | str) else value


def _walk(found: Overview, drawn: charts.Chart) -> Content:
    walk = found.tab.walk
    amounts: list[tuple[int | None, Megawatts]] = [
        (None, walk.opening),
        *((step.facilities, step.change) for step in walk.steps if step.facilities),
        (None, walk.closing),
    ]
    labels = [row.label for row in drawn.rows]
    if labels:
        labels[-1] = date_format(clock.today())  # Not "Today", which would not last.
    return {
        "title": drawn.title,
        "finding": drawn.finding,
        "rows": [
            {
                "label": label,
                "url": row.link.url if row.link else "",
                "facilities": facilities,
                "mw": str(amount.mw),
                "text": number(amount.mw) if facilities is None else signed(amount.mw) or "0",
            }
            for label, row, (facilities, amount) in zip(labels, drawn.rows, amounts, strict=False)
        ],
    }


def _figures(
    found: Overview, opened: PipelineQuerySet, lists: charts.Lists
) -> dict[str, list[Content]]:
    """By group: rows with a key that lasts, a label and amounts."""
    answer = found.answer
    now = answer.headline
    key_figures = [
        _figure("open", "Open", now.open),
        _figure("net", "Net", now.open.net),
        *(
            [
                _figure("weighted", "Gross weighted", now.open.weighted),
                _figure("net_weighted", "Net weighted", now.open.net_weighted),
            ]
            if charts.has_weighted(now)
            else []
        ),
        _figure("on_hold", "On hold", now.on_hold),
        _figure("completed", "Completed", now.completed),
        _figure("overdue", "Overdue", now.overdue),
        _figure("unconfirmed", "Not confirmed", now.unconfirmed),
    ]
    technologies = [
        _figure(
            technology_code(one.technology),
            technology_name(one.technology),
            one.total,
            lists.pipelines(status=OPEN, technology=technology_code(one.technology)).url,
        )
        for one in found.tab.technologies
    ]
    return {
        "key": key_figures,
        "rag": [_figure(one.rag or "none", one.label, one.total) for one in answer.rag],
        "stages": [_figure(one.code, one.label, one.total) for one in answer.statuses],
        "technologies": technologies,
        "countries": [_figure(*country) for country in by_country(opened)],
    }


def by_country(opened: PipelineQuerySet) -> list[tuple[str, str, Capacity]]:
    """The code, the name and the capacity of each country with a facility, the largest first. The
    code is empty for facilities whose country is not given."""
    countries = opened.capacity_by("facility_links__facility__country")
    named = [(code, country_name(code) or "No country", one) for code, one in countries.items()]
    return sorted(named, key=lambda row: (-row[2].mw, row[1]))


def _figure(key: str, label: str, amount: Total | Megawatts, url: str = "") -> Content:
    """Of what has no number of pipelines, or no storage, it has none."""
    capacity = amount.capacity if isinstance(amount, Total) else amount
    parts = asdict(capacity)
    known = {name: str(parts[name]) for name in parts.keys() & NUMBERS}
    pipelines = amount.pipelines if isinstance(amount, Total) else None
    figure = {"key": key, "label": label, "pipelines": pipelines, "mw": str(capacity.mw), **known}
    return figure | ({"url": url} if url else {})


def _attention(found: Any) -> Content:
    keys = [row.needing.pipeline_id for row in found.rows]
    comments = dict(Pipeline.objects.filter(pk__in=keys).values_list("pk", "rag_comment"))
    return {
        "pipelines": found.pipelines,
        "rows": [
            {
                "id": str(row.needing.pipeline_id),
                "name": row.needing.name,
                "rag": row.needing.rag,
                "rag_label": row.rag_label,
                "mw": None if row.needing.mw is None else str(row.needing.mw),
                "reasons": [
                    {"code": str(one), "label": str(one.label), "chip": one.chip}
                    for one in row.needing.reasons
                ],
                "comment": comments.get(row.needing.pipeline_id, ""),
            }
            for row in found.rows
        ],
    }


def in_order(opened: PipelineQuerySet) -> PipelineQuerySet:
    """Open pipelines with what ``project_row`` reads, in the order of their stages."""
    found = opened.select_related("stage", "responsible").with_capacity().with_overdue()
    return found.order_by("stage__order", natural("project_name"), "pk")


def project_row(one: Pipeline) -> Content:
    mw = one.capacity_mw  # type: ignore[attr-defined]  # annotated
    return {
        "id": str(one.pk),
        "name": str(one),
        "stage": one.stage.name,
        "stage_code": one.stage.code,
        "rag": one.rag_status,
        "rag_label": one.get_rag_status_display() or "Not rated",
        "mw": None if mw is None else str(mw),
        "rtb_date": str(one.rtb_date) if one.rtb_date else None,
        "is_overdue": one.is_overdue,  # type: ignore[attr-defined]  # annotated
        "responsible": str(one.responsible or ""),
        "next_step": one.next_step,
        "next_step_on": str(one.next_step_on) if one.next_step_on else None,
    }


def url_of(project: Content) -> str:
    """The page of a project of the content, as it is now."""
    return reverse("pipeline", args=[project["id"]])
