"""The parts of charts: colours, numbers in words, links to the records behind a figure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from functools import lru_cache
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.utils.text import Truncator

from dashboard.metrics import Total
from oegen import asof
from oegen.core import clock, words
from oegen.core.addresses import address_of, address_of_page
from oegen.core.bidi import isolated
from oegen.core.words import number, whole
from oegen.pages.selection import ALL, NOT
from pipelines.filters import NOT_RATED
from pipelines.models import Technology
from pipelines.querysets import NO_FACILITY, OPEN, Megawatts

#: Colours are pairs: for the light and for the dark theme.
NEUTRAL = ("#98A2B3", "#667085")
ACCENT = ("#4F46E5", "#818CF8")
PALE = ("#A5A0F5", "#4B4FA8")

TOTAL_COLUMNS = ("Pipelines", "MWp DC", "MW AC", "of which storage", "MWh")

#: The parameters of the filter that a list has by default.
_STATUS = ("status", f"status{NOT}")

#: Placeholder in a link for a value that charts.js fills in.
PLACEHOLDER = "PLACE"


@dataclass(frozen=True)
class Link:
    """A link to the list of the records behind a figure, and what that list should show: the number
    of ``pipelines``, their ``mw`` or the MW of one ``technology`` (its code), and the ``held_mw``
    of a ``holder`` (a key of ``PipelineFilter.holders``). None if the figure does not have it.
    """

    url: str
    pipelines: int | None = None
    mw: Decimal | None = None
    technology: str = ""
    holder: str = ""
    held_mw: Decimal | None = None


@dataclass(frozen=True)
class Cell:
    """``text`` is formatted; ``note`` adds detail."""

    text: str
    link: Link | None = None
    note: str = ""


@dataclass(frozen=True)
class Row:
    """A row of the table behind a chart."""

    label: str
    link: Link | None
    cells: tuple[Cell, ...]


@dataclass(frozen=True)
class Chart:
    """``finding`` is the accessible name. Without rows the page shows ``empty`` in its place."""

    key: str
    title: str
    finding: str
    empty: str
    columns: tuple[str, ...]
    rows: tuple[Row, ...]
    data: dict[str, Any]
    note: str = ""


@dataclass(frozen=True)
class Lists:
    """Builds links to lists that keep the page's ``filters`` (query parameters) and its day."""

    filters: dict[str, list[str]]

    def pipelines(self, total: Total | None = None, **wanted) -> Link:
        """The list with the filters ``wanted`` added; empty values are left out. A filter that the
        page has with another value goes into ``also``, so that both apply.

        With a technology, ``total`` is of that technology's facilities.
        """
        wanted = {name: [str(value)] for name, value in wanted.items() if value}
        [technology] = wanted.get("technology", [""])
        both = {
            name: values
            for name, values in wanted.items()
            if self.filters.get(name, values) != values
        }
        query = {**self.filters, **{name: wanted[name] for name in wanted.keys() - both.keys()}}
        if both:
            if "also" in query:
                both["also"] = query["also"]
            query["also"] = [urlencode(both, doseq=True)]
        if not any(any(query.get(name, ())) for name in _STATUS):
            # Without a status the list would apply its default filter.
            query["status"] = [ALL]
        return Link(
            _address("pipelines", query),
            total.pipelines if total else None,
            total.capacity.mw if total else None,
            technology if technology != NO_FACILITY else "",
        )

    def holding(self, total: Total, held_mw: Decimal, **holder) -> Link:
        """The open pipelines of a ``holder``: one filter, by name, and its value."""
        [(name, value)] = holder.items()
        link = self.pipelines(total, status=OPEN, **holder)
        return replace(link, holder=f"{name}={value}", held_mw=held_mw)

    def changes(self, since: date, **step) -> Link:
        """The changes since that day: all, or those of one ``step`` or ``kind``."""
        span = {"from": since, "to": clock.today(), **step}
        return Link(_address("changes", {**span, **self.filters}))

    def tab(self, tab: str, since: date) -> Link:
        """A tab of the dashboard, with the same comparison day."""
        return Link(f"{_address('dashboard', {**self.filters, 'tab': tab, 'compare': since})}#tabs")

    def dashboard(self, since: date, **filters: str) -> Link:
        """The dashboard with these filters in place of its own, which an empty value takes away."""
        kept = {name: values for name, values in self.filters.items() if name not in filters}
        wanted = {name: [value] for name, value in filters.items() if value}
        return Link(_address("dashboard", {**kept, **wanted, "compare": since}))

    @staticmethod
    def pipeline(key: UUID) -> Link:
        """The page of one pipeline."""
        return Link(asof.keep_day(address_of("pipeline", key), clock.past_day()))

    @staticmethod
    def points(**wanted) -> Link:
        return Link(_address("infopoints", wanted))


def _address(name: str, query: dict) -> str:
    pairs = (_encoded(key, _values(query[key])) for key in sorted(query))
    parameters = "&".join(filter(None, pairs))
    address = address_of_page(name)
    return asof.keep_day(f"{address}?{parameters}" if parameters else address, clock.past_day())


def _values(given: Any) -> tuple[Any, ...]:
    return tuple(given) if isinstance(given, list | tuple) else (given,)


@lru_cache(2000)
def _encoded(key: str, values: tuple[Any, ...]) -> str:
    """A parameter of an address: one by one, because those of the page are in each of its links."""
    return urlencode({key: values}, doseq=True)


# Numbers in words --------------------------------------------------------------------------------


def mw(amount: Megawatts | Decimal | float, unit: str = "") -> str:
    if isinstance(amount, Megawatts):
        return f"{number(amount.mw)} {unit or amount.unit}"
    return f"{number(Decimal(str(amount)))} {unit or 'MW'}"


def size(amount: Megawatts) -> str:
    """An amount with the precision that fits its size: GW from 10,000 MW on, whole MW from 100."""
    if amount.mw >= 10_000:
        return f"{number(amount.mw / 1000)} {amount.unit.replace('MW', 'GW')}"
    return f"{number(amount.mw, 0 if amount.mw >= 100 else 1)} {amount.unit}"


def difference(mw: Decimal) -> str:
    """A difference in capacity without its sign: GW from 10,000 MW on."""
    if abs(mw) >= 10_000:
        return f"{number(abs(mw) / 1000)} GW"
    return f"{number(abs(mw))} MW"


def plain_size(amount: Megawatts) -> str:
    """A ``size`` without the word "mixed", for where the page explains what the MW are made of."""
    return size(amount).replace(", mixed", "")


def pipelines(count: int) -> str:
    return words.count(count, "pipeline")


def percent(share: Decimal | float) -> str:
    """A share of 0 to 1 in per cent; only exact values become 0 % and 100 %."""
    value = float(share) * 100
    if 0 < value < 1:
        return "under 1 %"
    if 99 < value < 100:
        return "over 99 %"
    return f"{value:.0f} %"


def total_cells(total: Total) -> tuple[Cell, ...]:
    capacity = total.capacity
    return (
        Cell(whole(total.pipelines)),
        Cell(number(capacity.mwp_dc)),
        Cell(number(capacity.mw_ac)),
        Cell(number(capacity.storage_mw)),
        Cell(number(capacity.storage_mwh)),
    )


def total_rows(labels: Iterable[str], links: Iterable[Link], groups: Iterable) -> tuple[Row, ...]:
    return tuple(
        Row(label, link, total_cells(group.total))
        for label, link, group in zip(labels, links, groups, strict=True)
    )


# Chart data --------------------------------------------------------------------------------------


def short_name(record) -> str:
    """The record's name, truncated and isolated for right-to-left text."""
    return isolated(Truncator(str(record)).chars(60))


def technology_name(technology: Technology | None) -> str:
    return short_name(technology) if technology else "No facility yet"


def technology_code(technology: Technology | None) -> str:
    return technology.code if technology else NO_FACILITY


def technology_colours(technology: Technology | None) -> tuple[str, str]:
    return (technology.colour, technology.colour_dark) if technology else NEUTRAL


def rag_code(rag: str) -> str:
    return rag or NOT_RATED


def bars(
    labels: Sequence[str],
    values: Sequence[Any],
    colours: Sequence[tuple[str, str]],
    notes: Sequence[str],
    links: Sequence[Link | None],
    axis: str,
) -> dict[str, Any]:
    """Horizontal bars with ``notes`` at their ends. A value is a length, or a pair of ends."""
    return {
        "kind": "bars",
        "labels": list(labels),
        "axis": axis,
        "series": [
            {
                "name": axis,
                "values": list(values),
                "light": [light for light, _ in colours],
                "dark": [dark for _, dark in colours],
            }
        ],
        "notes": list(notes),
        "links": [link.url if link else "" for link in links],
    }


def shared_facilities_note(groups: Iterable, whole_mw: Decimal) -> str:
    """A note if the bars add up to more than the total ``whole_mw``."""
    several = sum(group.total.capacity.mw for group in groups) - whole_mw
    if several <= 0:
        return ""
    return (
        f"Together {difference(several)} more than the total: a facility that projects of "
        "several bars share is in each of them, and once in the total."
    )
