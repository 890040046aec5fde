"""Whether figures from the tables are the product's, to the kilowatt, on random days.

The queries are those of ``sql/``, run by the engine that comes with the library of the tables.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import pyarrow as pa
from deltalake import QueryBuilder
from django.db import DEFAULT_DB_ALIAS
from django.db.models import Max
from django.http import QueryDict
from django.utils import timezone

from dashboard import metrics
from dashboard.metrics.columns import Column
from dashboard.warehouse import WarehouseError
from dashboard.warehouse.delta import Destination, is_written, open_table, position
from dashboard.warehouse.syncing import OtherChainError, sync
from dashboard.warehouse.tables import (
    DAYS,
    FACTS_FACILITY,
    FACTS_HOLDER,
    FACTS_PROJECT_FACILITY,
    MANIFEST,
    NOBODY,
)
from oegen.core.caching import uncached
from oegen.core.database import snapshot
from oegen.core.sql import fetch, uuid_of
from oegen.core.words import count
from oegen.models import ChangeSet
from pipelines.filters import PipelineFilter
from pipelines.models import Fact, Pipeline
from pipelines.querysets import IS_OPEN, KILO, PipelineQuerySet

SQL = Path(__file__).parent / "sql"

#: The day that the files in ``SQL`` ask for.
DAY = "DATE '2026-03-31'"

#: The facilities that are named of a figure that differs.
MAX_FACILITIES = 10

#: How often a comparison is begun again because another sync writes newer change sets meanwhile.
ATTEMPTS = 3

_KILOWATT = Decimal("0.001")

#: A figure's name and its MW.
Figures = dict[str, Decimal]


@dataclass
class CheckResult:
    """``differences`` are sentences, one for each figure that differs."""

    days: int = 0
    figures: int = 0
    differences: list[str] = field(default_factory=list)

    @property
    def summary(self) -> str:
        if self.differences:
            return (
                f"Not the product's: {len(self.differences):,} of {self.figures:,} figures from "
                "the tables. Run warehouse_sync with --full; if they still differ, report it."
            )
        return (
            f"{self.figures:,} figures on {count(self.days, 'day')} are the product's, to the "
            "kilowatt."
        )


@dataclass(frozen=True)
class Asked:
    """A filter of pipelines: as the page has it, and as a condition on facts_project_facility
    within the day; both empty for all."""

    query: str = ""
    condition: str = ""

    def pipelines(self) -> PipelineQuerySet:
        if not self.query:
            return Pipeline.objects.all()
        found: PipelineQuerySet = PipelineFilter(QueryDict(self.query)).qs
        return found


class Tables:
    """The tables, for queries in SQL."""

    def __init__(self, destination: Destination) -> None:
        """Raises WarehouseError if one is not there."""
        self._engine = QueryBuilder()
        self._newest = 0
        # The manifest first: a table that is written after it is newer than it says.
        for table in (MANIFEST, DAYS, FACTS_FACILITY, FACTS_HOLDER, FACTS_PROJECT_FACILITY):
            found = open_table(destination, table)
            if not is_written(found):
                raise WarehouseError(f"There is no table {table.name}: run warehouse_sync first.")
            self._newest = max(self._newest, position(found))
            self._engine.register(table.name, found)

    def contain(self, number: int | None) -> bool:
        """Whether they contain all change sets up to this one, and none after it."""
        [manifest] = self.run("SELECT MIN(change_set) AS number FROM manifest")
        return manifest["number"] == number == self._newest

    def run(self, sql: str) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = pa.table(self._engine.execute(sql).read_all()).to_pylist()
        return rows

    def file(
        self, name: str, day: date, change: Callable[[str], str] = str
    ) -> list[dict[str, Any]]:
        """The rows of a file of ``SQL`` for that day; ``change`` changes its text."""
        return self.run(change(text_of(name, day)))


def text_of(name: str, day: date) -> str:
    """The query in a file of ``SQL``, for that day."""
    return (SQL / f"{name}.sql").read_text().replace(DAY, f"DATE '{day}'")


def check(destination: Destination, days: int, seed: int | None = None) -> CheckResult:
    """Compare figures on that many random days, today among them. Raises WarehouseError."""
    rng = random.Random(seed)  # noqa: S311 - no secret
    result = CheckResult()
    for day in _random_days(rng, days):
        result.days += 1
        for choose in (Asked, lambda day=day: _random_filter(rng, day)):
            figures, differences = _compare_in_snapshot(destination, day, choose)
            result.figures += figures
            result.differences += differences
    return result


def _random_days(rng: random.Random, number: int) -> list[date]:
    first = ChangeSet.objects.order_by("recorded_at").values_list("recorded_at", flat=True).first()
    today = timezone.localdate()
    span = (today - timezone.localdate(first)).days if first else 0
    days = [today - timedelta(days=rng.randint(0, span)) for _ in range(number - 1)]
    return [*days, today][:number]


def _random_filter(rng: random.Random, day: date) -> Asked:
    """One that facts can answer: of a value that one of them has."""
    facts = Fact.objects.filter(facility_id__isnull=False).order_by("pk")
    fact = facts[rng.randrange(facts.count())] if facts.exists() else None
    if fact is None:
        return Asked()
    rag = fact.rag_status or "none"
    member = "facts.pipeline_id IN (SELECT pipeline_id FROM facts_project_facility AS others JOIN "
    member += "days AS then ON others.valid_from < then.ends_at AND others.valid_to >= then.ends_at"
    member += f" WHERE then.day = DATE '{day}' AND "
    return rng.choice(
        [
            Asked(
                f"technology={fact.technology.code}",
                f"{member}technology = '{fact.technology.code}')",
            ),
            Asked(f"country={fact.country}", f"{member}country = '{fact.country}')"),
            Asked(f"rag={rag}", f"facts.rag_status = '{fact.rag_status}'"),
            Asked(f"status={fact.stage.code}", f"facts.stage = '{fact.stage.code}'"),
        ]
    )


def _compare_in_snapshot(
    destination: Destination, day: date, choose: Callable[[], Asked]
) -> tuple[int, list[str]]:
    """The number of figures, and what differs: both sides contain the same change sets, whoever
    writes meanwhile. What is cached may be newer than the snapshot."""
    for _ in range(ATTEMPTS):
        with uncached(), snapshot(DEFAULT_DB_ALIAS, read_only=False):
            number = ChangeSet.objects.aggregate(newest=Max("number"))["newest"]
            tables = Tables(destination)
            if not tables.contain(number):
                with suppress(OtherChainError):
                    sync(destination)
                tables = Tables(destination)
            if tables.contain(number):
                return _compare(tables, day, choose())
    # Says so if the database lacks what the tables contain.
    sync(destination)
    raise WarehouseError("The tables are being written by others all the time. Try again later.")


def _compare(tables: Tables, day: date, asked: Asked) -> tuple[int, list[str]]:
    with metrics.portfolio(asked.pipelines, day) as now:
        ours = dict(_of_product(now, asked))
        theirs = dict(_of_tables(tables, day, asked))
        names = sorted(name for name in {*ours, *theirs} if ours.get(name) != theirs.get(name))
        # None where a sum is nothing.
        names = [name for name in names if ours.get(name, 0) != theirs.get(name, 0)]
        about = f"{day}{f', {asked.query}' if asked.query else ''}"
        differences = [
            f"{about}: {name} is {theirs.get(name, 0)} in the tables, {ours.get(name, 0)} here."
            for name in names
        ]
        if differences:
            differences[-1] += _facilities_that_differ(now, tables, day, asked)
    return len({*ours, *theirs}), differences


def _of_product(now: metrics.Portfolio, asked: Asked) -> Iterator[tuple[str, Decimal]]:
    total = metrics.headline(now).open
    yield from _measures("open", total)
    for status in metrics.by_status(now):
        if status.is_open:
            yield from _measures(f"stage {status.code}", status.total)
    for rag in metrics.by_rag(now):
        yield from _measures(f"RAG {rag.rag}", rag.total)
    for year in metrics.by_rtb_year(now):
        yield from _measures(f"RTB {year.bucket}", year.total)
    if asked.query:
        return
    for group in metrics.by_technology(now):
        if group.technology:
            yield from _measures(f"technology {group.technology.code}", group.total)
    held = metrics.by_counterparty(now, limit=100_000)
    for one in (*held.holdings, held.unheld):
        holder = one.counterparty.pk if one.counterparty else NOBODY
        yield f"held_mw of holder {holder}", _kilowatts(one.held_mw)


def _measures(name: str, total: metrics.Total) -> Iterator[tuple[str, Decimal]]:
    for measure, value in (
        ("capacity_mw", total.capacity.mw),
        ("storage_mwh", total.capacity.storage_mwh),
        ("net_mw", total.net.mw),
        ("gross_weighted_mw", total.weighted.mw),
        ("net_weighted_mw", total.net_weighted.mw),
    ):
        yield f"{measure} of {name}", _kilowatts(value)


def _of_tables(tables: Tables, day: date, asked: Asked) -> Iterator[tuple[str, Decimal]]:
    for column, name in (("stage", "stage"), ("rag_status", "RAG"), ("rtb_bucket", "RTB")):

        def change(text: str, column: str = column) -> str:
            text = text.replace("facts.stage", f"facts.{column}")
            return _only(text.replace("grouped.stage", f"grouped.{column}"), asked)

        for row in tables.file("open_capacity_by_stage", day, change):
            yield from _row_measures(f"{name} {row[column]}", row)
    if asked.query:
        [row] = tables.file("open_capacity_by_stage", day, lambda text: _only(_total(text), asked))
        yield from _row_measures("open", row)
        return
    sums: Figures = {}
    for row in tables.file("open_capacity", day):
        yield from _row_measures(f"technology {row['technology']}", row)
        for measure in _MEASURES:
            sums[measure] = sums.get(measure, Decimal(0)) + (row[measure] or 0)
    for measure, value in sums.items():
        yield f"{measure} of open", _kilowatts(value)
    for row in tables.file("open_capacity_by_holder", day):
        yield f"held_mw of holder {row['holder_id']}", _kilowatts(row["held_mw"])


_MEASURES = ("capacity_mw", "storage_mwh", "net_mw", "gross_weighted_mw", "net_weighted_mw")


def _row_measures(name: str, row: dict[str, Any]) -> Iterator[tuple[str, Decimal]]:
    for measure in _MEASURES:
        yield f"{measure} of {name}", _kilowatts(row[measure])


def _only(text: str, asked: Asked) -> str:
    if not asked.condition:
        return text
    return text.replace("facts.is_open", f"facts.is_open AND {asked.condition}")


def _total(text: str) -> str:
    """The query by stage as one group."""
    text = text.replace("GROUP BY facts.stage, facts.facility_id", "GROUP BY facts.facility_id")
    text = text.replace("        facts.stage,\n", "")
    text = text.replace("    grouped.stage,\n", "").replace("ORDER BY grouped.stage", "")
    return text.replace("GROUP BY grouped.stage", "")


def _kilowatts(value: Decimal | None) -> Decimal:
    return Decimal(value or 0).quantize(_KILOWATT, rounding=ROUND_HALF_UP)


def _facilities_that_differ(now: metrics.Portfolio, tables: Tables, day: date, asked: Asked) -> str:
    """The open facilities that are not the same here and there, in words; empty if none."""
    sql, params = now.facts(Column.FACILITY, Column.KW, where=IS_OPEN)
    ours = {
        str(uuid_of(facility)): None if kw is None else Decimal(kw) / KILO
        for facility, kw in fetch(sql, params)
        if facility is not None
    }
    query = _only(
        text_of("open_capacity_by_stage", day).split("FROM (", 1)[1].rsplit(") AS grouped", 1)[0],
        asked,
    )
    theirs = {row["facility_id"]: row["capacity_mw"] for row in tables.run(query)}
    names = [
        f"{key} {theirs.get(key, 'missing')} in the tables, {ours.get(key, 'missing')} here"
        for key in sorted({*ours, *theirs}, key=UUID)
        if ours.get(key, "missing") != theirs.get(key, "missing")
    ]
    if not names:
        return ""
    more = f" and {len(names) - MAX_FACILITIES} more" if len(names) > MAX_FACILITIES else ""
    return f" Facilities, MW: {'; '.join(names[:MAX_FACILITIES])}{more}."
