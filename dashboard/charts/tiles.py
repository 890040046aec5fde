"""The key figures in the strip of the dashboard, with their change."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from dashboard.charts.parts import Link, Lists, difference, percent, plain_size
from dashboard.metrics import Total
from dashboard.metrics.totals import Headline
from oegen.core.words import noun_of, signed
from pipelines.choices import UNCONFIRMED_DAYS
from pipelines.models import Pipeline
from pipelines.querysets import HELD, OPEN, OVERDUE, Megawatts
from pipelines.reference import COMPLETED

#: The columns shown by the lists behind the tiles of net and weighted capacity.
NET_COLUMNS = "project_name,status,capacity_mw,ownership_pct,net_mw"
WEIGHTED_COLUMNS = "project_name,status,capacity_mw,gross_weighted_mw,ownership_pct,net_weighted_mw"

#: The filters of the list behind each tile.
FILTERS: dict[str, dict[str, Any]] = {
    "open": {"status": OPEN},
    "net": {"status": OPEN, "columns": NET_COLUMNS},
    "weighted": {"status": OPEN, "columns": WEIGHTED_COLUMNS},
    "net_weighted": {"status": OPEN, "columns": WEIGHTED_COLUMNS},
    "on_hold": {"status": HELD},
    "completed": {"status": COMPLETED},
    "overdue": {"rtb": OVERDUE},
    "unconfirmed": {"not_confirmed": UNCONFIRMED_DAYS},
}

#: Of the open MW, the part that must have a probability for weighted capacity to say something.
ENOUGH_PROBABILITIES = Decimal("0.5")

#: Where more is bad or good; of the others it is neither.
_MORE_IS = {"on_hold": "bad", "overdue": "bad", "unconfirmed": "bad", "completed": "good"}
_OPPOSITE = {"bad": "good", "good": "bad"}


@dataclass(frozen=True)
class Tile:
    """``amount`` is the figure. ``total`` is what the linked list shows. ``change_mw`` and
    ``change_count`` are since the comparison day; ``judgement`` of them is "good", "bad" or
    empty."""

    key: str
    title: str
    amount: Megawatts
    total: Total
    link: Link
    change_mw: Decimal
    change_count: int = 0
    detail: str = ""

    @property
    def size(self) -> str:
        return plain_size(self.amount)

    @property
    def is_more(self) -> bool:
        return (self.change_mw or self.change_count) > 0

    @property
    def judgement(self) -> str:
        more_is = _MORE_IS.get(self.key, "")
        is_both = self.change_mw * self.change_count < 0
        if not self.change or is_both:
            return ""
        return more_is if self.is_more else _OPPOSITE.get(more_is, "")

    @property
    def change(self) -> str:
        """The change in words; empty for none."""
        sign = "+" if self.change_mw > 0 else "−"
        parts = [f"{sign}{difference(self.change_mw)}"] if self.change_mw else []
        if self.change_count:
            noun = noun_of(Pipeline, abs(self.change_count))
            parts.append(f"{signed(self.change_count, 0)} {noun}")
        return ", ".join(parts)


def tiles(now: Headline, before: Headline, lists: Lists) -> list[Tile]:
    """Those of weighted capacity only if ``has_weighted``."""

    def capacity_tile(key: str, title: str) -> Tile:
        total, earlier = getattr(now, key), getattr(before, key)
        return Tile(
            key=key,
            title=title,
            amount=total.capacity,
            total=total,
            link=lists.pipelines(total, **FILTERS[key]),
            change_mw=total.capacity.mw - earlier.capacity.mw,
            change_count=total.pipelines - earlier.pipelines,
        )

    def share_tile(key: str, title: str, detail: str) -> Tile:
        amount = getattr(now.open, key)
        return Tile(
            key=key,
            title=title,
            amount=amount,
            total=now.open,
            link=lists.pipelines(now.open, **FILTERS[key]),
            change_mw=amount.mw - getattr(before.open, key).mw,
            detail=detail,
        )

    weighted = []
    if has_weighted(now):
        share = now.open.share_with_probability or 0
        detail = f"{percent(share)} of the open MW have a probability"
        weighted = [
            share_tile("weighted", "Gross weighted", detail),
            share_tile("net_weighted", "Net weighted", detail),
        ]
    return [
        capacity_tile("open", "Open"),
        share_tile("net", "Net", _net_detail(now.open)),
        *weighted,
        capacity_tile("on_hold", "On hold"),
        capacity_tile("completed", "Completed"),
        capacity_tile("overdue", "Overdue"),
        capacity_tile("unconfirmed", f"Not confirmed in {UNCONFIRMED_DAYS} days"),
    ]


def has_weighted(now: Headline) -> bool:
    """Whether more than half of the open MW have a probability."""
    share = now.open.share_with_probability
    return share is not None and share > ENOUGH_PROBABILITIES


def _net_detail(total: Total) -> str:
    if not total.capacity.mw:
        return ""
    return f"{percent(total.net.mw / total.capacity.mw)} of it is ours"
