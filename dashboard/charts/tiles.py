"""The figures at the top of the page."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from dashboard.charts.parts import Link, Lists, mw, percent
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


@dataclass(frozen=True)
class Tile:
    """``amount`` is the figure; if it is None, ``missing`` gives the reason. ``total`` is what the
    linked list shows. ``change_mw`` and ``change_count`` are since the comparison day."""

    key: str
    title: str
    amount: Megawatts | None
    total: Total
    link: Link
    change_mw: Decimal
    change_count: int
    detail: str = ""
    missing: str = ""
    warns: bool = False

    @property
    def is_more(self) -> bool:
        return (self.change_mw or self.change_count) > 0

    @property
    def change(self) -> str:
        """The change in words; empty for none."""
        parts = [f"{signed(self.change_mw)} MW"] if self.change_mw else []
        if self.change_count:
            noun = noun_of(Pipeline, abs(self.change_count))
            parts.append(f"{signed(self.change_count, 0)} {noun}")
        return ", ".join(parts)


def tiles(now: Headline, before: Headline, lists: Lists) -> list[Tile]:
    days = UNCONFIRMED_DAYS

    def capacity_tile(key: str, title: str, **filters) -> Tile:
        total, earlier = getattr(now, key), getattr(before, key)
        return Tile(
            key=key,
            title=title,
            amount=total.capacity,
            total=total,
            link=lists.pipelines(total, **filters),
            change_mw=total.capacity.mw - earlier.capacity.mw,
            change_count=total.pipelines - earlier.pipelines,
            warns=key == "overdue" and total.pipelines > 0,
        )

    return [
        capacity_tile("open", "Open", status=OPEN),
        Tile(
            key="net",
            title="Net",
            amount=now.open.net,
            total=now.open,
            link=lists.pipelines(now.open, status=OPEN, columns=NET_COLUMNS),
            change_mw=now.open.net.mw - before.open.net.mw,
            change_count=0,
            detail=_net_detail(now.open),
        ),
        _weighted("weighted", "Gross weighted", now.open, before.open, lists),
        _weighted("net_weighted", "Net weighted", now.open, before.open, lists),
        capacity_tile("on_hold", "On hold", status=HELD),
        capacity_tile("overdue", "Overdue", rtb=OVERDUE),
        capacity_tile("completed", "Completed", status=COMPLETED),
        capacity_tile("unconfirmed", f"Not confirmed, over {days} days", not_confirmed=days),
    ]


def _net_detail(total: Total) -> str:
    if not total.capacity.mw:
        return "What is ours of the open capacity"
    return f"Ours: {percent(total.net.mw / total.capacity.mw)} of {mw(total.capacity)}"


def _weighted(key: str, title: str, now: Total, before: Total, lists: Lists) -> Tile:
    share = now.share_with_probability
    amount = getattr(now, key)
    return Tile(
        key=key.replace("_", "-"),
        title=title,
        amount=amount if share else None,
        total=now,
        link=lists.pipelines(now, status=OPEN, columns=WEIGHTED_COLUMNS),
        change_mw=amount.mw - getattr(before, key).mw,
        change_count=0,
        detail=f"{percent(share)} of the open MW have a probability" if share else "",
        missing="" if share else "No probability is set",
    )
