"""The key figures: one number each, compared with the other day."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from dashboard import metrics
from dashboard.charts.parts import rag_code
from dashboard.charts.tiles import FILTERS
from dashboard.figures.figure import (
    Compared,
    Figure,
    Finding,
    Source,
    fixed,
    megawatts_parts,
    of_total,
    share_pct,
    total_parts,
)
from dashboard.metrics import Portfolio, Total
from dashboard.metrics.totals import Headline
from pipelines.choices import RAG, UNCONFIRMED_DAYS
from pipelines.querysets import OPEN

GROSS = "Distinct facilities, gross; MWp (DC) and MW (AC) added, the parts have each."
PIPELINES, PROJECTS = "pipelines", "Projects, each once."


def _headline(found: Portfolio) -> Headline:
    """Cached for a past day."""
    return found.keep(metrics.headline, "headline")


class _Part(NamedTuple):
    """A part of the portfolio. ``definition`` begins with the projects that are in it; ``filters``
    are those of their list."""

    name: str
    title: str
    definition: str
    anchor: str
    filters: dict[str, Any]
    total: Callable[[Portfolio], Total]

    def figure(self, kind: str, unit: str, basis: str, definition: str) -> Figure:
        def read(source: Source) -> Finding:
            found = self.total(source.now)
            if unit == PIPELINES:
                return Finding(found.pipelines, total_parts(found))
            return of_total(found)

        return Figure(
            f"{self.name}-{kind}",
            f"{self.title}: {kind}",
            unit,
            basis,
            definition,
            self.anchor,
            lambda lists, since: lists.pipelines(**self.filters),
            read,
            Compared.LEVEL,
        )

    def capacity(self) -> Figure:
        definition = f"The capacity of {self.definition[0].lower()}{self.definition[1:]}"
        return self.figure("capacity", "MW", GROSS, definition)

    def pipelines(self) -> Figure:
        return self.figure("pipelines", PIPELINES, PROJECTS, self.definition)


_PARTS = (
    _Part(
        "open",
        "Open",
        "Projects whose outcome is active, in a stage before the end, and not on hold.",
        "the-words",
        FILTERS["open"],
        lambda found: _headline(found).open,
    ),
    _Part(
        "on-hold",
        "On hold",
        "Projects that are on hold and have not ended; no part of what is open.",
        "the-words",
        FILTERS["on_hold"],
        lambda found: _headline(found).on_hold,
    ),
    _Part(
        "completed",
        "Completed",
        "Projects at the end of the pipeline; no part of what is open.",
        "the-words",
        FILTERS["completed"],
        lambda found: _headline(found).completed,
    ),
    _Part(
        "overdue",
        "Overdue",
        "Open projects before Construction whose RTB date has passed; a part of what is open.",
        "the-words",
        FILTERS["overdue"],
        lambda found: _headline(found).overdue,
    ),
    _Part(
        "unconfirmed",
        f"Not confirmed in {UNCONFIRMED_DAYS} days",
        "Open projects whose RAG rating nobody has set or confirmed for more than "
        f"{UNCONFIRMED_DAYS} days, or ever; a part of what is open.",
        "the-words",
        FILTERS["unconfirmed"],
        lambda found: _headline(found).unconfirmed,
    ),
    _Part(
        "red",
        "Red",
        "Open projects that are rated Red; a part of what is open.",
        "what-needs-attention",
        {"status": OPEN, "rag": rag_code(RAG.RED)},
        lambda found: next(one.total for one in metrics.by_rag(found) if one.rag == RAG.RED),
    ),
)


def _share_figure(key: str, title: str, basis: str, definition: str) -> Figure:
    """A share of the open capacity, an attribute of ``Total``."""

    def read(source: Source) -> Finding:
        total = _headline(source.now).open
        amount = getattr(total, key)
        parts = {
            "pipelines": total.pipelines,
            **megawatts_parts(amount, key),
            "capacity_mw": fixed(total.capacity.mw),
        }
        if key != "net":
            parts["with_probability_mw"] = fixed(total.with_probability.mw)
            parts["with_probability_pct"] = share_pct(total.with_probability.mw, total.capacity.mw)
        return Finding(fixed(amount.mw), parts)

    return Figure(
        f"{key.replace('_', '-')}-capacity",
        title,
        "MW",
        basis,
        definition,
        "capacity",
        lambda lists, since: lists.pipelines(**FILTERS[key]),
        read,
        Compared.LEVEL,
    )


TOTALS: tuple[Figure, ...] = (
    *(part.capacity() for part in _PARTS),
    *(part.pipelines() for part in _PARTS),
    _share_figure(
        "net",
        "Open, net",
        "Distinct facilities, net: × our ownership, the highest of a shared facility's projects.",
        "The open capacity × our ownership.",
    ),
    _share_figure(
        "weighted",
        "Open, gross weighted",
        "Distinct facilities, gross × probability, of those that have one.",
        "The open capacity × probability, the project's own until it expires, else its stage's.",
    ),
    _share_figure(
        "net_weighted",
        "Open, net weighted",
        "Distinct facilities, × our ownership × probability, of those that have one.",
        "The open capacity × our ownership × probability.",
    ),
)
