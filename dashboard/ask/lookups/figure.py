"""Reading one figure of ``dashboard.figures`` for filtered pipelines, and its measures."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from functools import partial
from typing import Any

from django.http import QueryDict

from dashboard import metrics
from dashboard.ask.lookups.base import Asker, LookupRefusedError
from dashboard.charts import Lists
from dashboard.figures import Compared, Figure
from dashboard.figures.figure import Finding, Parts, Source
from dashboard.figures.kept import read_kept
from dashboard.views import selection_of
from oegen.core import clock
from oegen.core.caching import keep
from pipelines.filtered import select_pipelines
from pipelines.querysets import ConditionsQuerySet

#: The measure that a figure's own value is.
VALUE = "value"

#: Measures with a unit that their name does not end in.
_UNITS = {"storage_mwh": "MWh", "pipelines": "pipelines", "facilities": "facilities"}

_SUFFIXES = (
    ("_mwp_dc", "MWp"),
    ("_mw_ac", "MW"),
    ("_mwh", "MWh"),
    ("_mw", "MW"),
    ("_days", "days"),
    ("_pct", "%"),
)

#: The keys of rows that say what a row is of.
CODES = (
    "status",
    "stage",
    "rag",
    "technology",
    "country",
    "bucket",
    "kind",
    "step",
    "reason",
    "line",
)


def codes_of(row: Parts) -> list[str]:
    return [str(row[name]) for name in CODES if row.get(name)]


@dataclass(frozen=True)
class Wanted:
    """Which figure, of which pipelines; ``query`` has the filters alone."""

    figure: Figure
    measure: str
    query: QueryDict
    asker: Asker
    words: str

    @property
    def lists(self) -> Lists:
        return Lists(dict(self.query.lists()))

    @property
    def unit(self) -> str:
        return unit_of(self.measure, self.figure.unit)

    def of(self, query: QueryDict) -> Wanted:
        return replace(self, query=query)

    def read(self, since: date) -> tuple[Finding, Finding | None]:
        """The figure on the day that is read and, if it has that, at the end of ``since``. Cached
        like those of the API."""
        filters = dict(self.query.lists())
        return read_kept(self.figure, self._select(), since, filters, self.asker.person)

    def _select(self) -> Callable[[], ConditionsQuerySet]:
        return partial(select_pipelines, self.query, self.asker.request(self.query))

    def read_now(self) -> Finding:
        """The figure on the day that is read alone, which takes less."""
        if self.figure.compared is Compared.CHANGE:
            return self.read(default_comparison())[0]
        select = self._select()
        since = default_comparison()
        key = metrics.overview_key(
            since, filters=selection_of(dict(self.query.lists()), self.asker.person)
        )

        def read() -> Finding:
            with metrics.portfolio(select) as now:
                return self.figure.read(Source(now, None, since, self.lists, select))

        return keep(read, "figure of a day", self.figure.name, *key)


def default_comparison() -> date:
    return clock.a_month_before(clock.today())


def unit_of(measure: str, own: str) -> str:
    if measure == VALUE:
        return own
    if measure in _UNITS:
        return _UNITS[measure]
    return next((unit for suffix, unit in _SUFFIXES if measure.endswith(suffix)), "pipelines")


def value_of(found: Finding, measure: str, part: str = "") -> Any:
    """Raises LookupRefusedError for a measure or a part that the figure does not have."""
    if part:
        rows = [row for row in found.rows or [] if part in codes_of(row)]
        if not rows:
            parts = sorted({code for row in found.rows or [] for code in codes_of(row)})
            raise LookupRefusedError(
                f"This figure has no part “{part}” here; it has: {', '.join(parts) or 'none'}."
            )
        row = rows[0]
        if measure not in row:
            raise LookupRefusedError(f"A part of this figure has no “{measure}”.")
        return row[measure]
    if measure == VALUE:
        return found.value
    if measure not in found.parts:
        known = ", ".join((VALUE, *found.parts))
        raise LookupRefusedError(f"This figure has no “{measure}”; it has: {known}.")
    return found.parts[measure]


def exact_unit(found: Finding, measure: str, unit: str) -> str:
    """MWp if all of it is DC, “MW, mixed” if both; the unit itself of anything else."""
    if unit != "MW" or measure not in (VALUE, "capacity_mw"):
        return unit
    stem = next((name[:-7] for name in found.parts if name.endswith("_mwp_dc")), None)
    if stem is None:
        return unit
    dc, ac = Decimal(found.parts[f"{stem}_mwp_dc"]), Decimal(found.parts[f"{stem}_mw_ac"])
    if dc and ac:
        return "MW, mixed"
    return "MWp" if dc else "MW"
