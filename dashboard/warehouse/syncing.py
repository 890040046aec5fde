"""Bringing the tables up to date, from the newest change set that each contains to the newest.

All reads are of one snapshot. Change sets are numbered without gaps in the order of their commits,
and history is never changed, so what was written up to a number stays right. The table of change
sets is written first: its newest seal tells whether the database still has the history that the
tables were made from. The manifest is written last.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from functools import partial
from operator import attrgetter
from uuid import UUID

import pyarrow as pa
from deltalake import DeltaTable
from django.db import DEFAULT_DB_ALIAS
from django.utils import timezone

from dashboard.warehouse import WarehouseError, capacity, figures, registers
from dashboard.warehouse.daily import write_days
from dashboard.warehouse.delta import (
    Batches,
    Destination,
    Writer,
    is_written,
    open_table,
    position,
    rows_of,
    select,
)
from dashboard.warehouse.facts import (
    HOLDERS_MADE_FROM,
    MADE_FROM,
    STAYS_MADE_FROM,
    Touched,
    facility_batches,
    holder_batches,
    project_facility_batches,
    stay_batches,
    touched,
)
from dashboard.warehouse.leaving import leaving_models
from dashboard.warehouse.records import (
    batches,
    change_set_batches,
    current_batches,
    history_batches,
    written_after,
    written_keys,
)
from dashboard.warehouse.registers import REGISTER_EDITIONS, REGISTER_PROJECTS
from dashboard.warehouse.tables import (
    CAPACITY_DAILY,
    CHANGE_SETS,
    DAYS,
    FACTS_FACILITY,
    FACTS_HOLDER,
    FACTS_PROJECT_FACILITY,
    MANIFEST,
    METRIC_VALUES_DAILY,
    STAGE_STAYS,
    Table,
    current_table,
    history_table,
)
from oegen import audit
from oegen.core.database import small_caches, snapshot
from oegen.core.words import count
from oegen.models import AuditedModel, ChangeSet
from pipelines.registers.models import Edition, Register

#: The days in the table of days.
FIRST_DAY, LAST_DAY = date(2000, 1, 1), date(2100, 12, 31)

Progress = Callable[[str], object]
Sources = tuple[type[AuditedModel], ...]
KeysOf = Callable[[Touched], set[UUID]]


class OtherChainError(WarehouseError):
    """The tables contain a change set that the database does not have."""


@dataclass
class Result:
    """``number`` is the newest change set of the database, ``before`` that of the tables until now;
    ``rows`` are the numbers of rows by table, of those that were written."""

    before: int
    number: int
    rows: dict[str, int] = field(default_factory=dict)

    @property
    def summary(self) -> str:
        if not self.rows:
            return f"The tables contain everything up to change set {self.number:,}."
        return (
            f"Change sets {self.before + 1:,} to {self.number:,} are in the tables; "
            f"{count(len(self.rows), 'table')} written."
        )


def sync(
    destination: Destination,
    *,
    full: bool = False,
    progress: Progress = lambda table: None,
) -> Result:
    """Bring the tables at the destination up to date; ``full``: write all of them anew. In a
    snapshot, they are what that has.

    Raises WarehouseError, as OtherChainError if the database or the snapshot lacks change sets that
    the tables contain.
    """
    try:
        result = _write(destination, full, progress)
    except OtherChainError:
        # Another sync may have written newer ones after the snapshot began: a new one has them.
        result = _write(destination, full, progress)
    write_daily(destination, result.number, full=full, progress=progress)
    return result


def _write(destination: Destination, full: bool, progress: Progress) -> Result:
    with small_caches(), snapshot(DEFAULT_DB_ALIAS):
        newest = ChangeSet.objects.order_by("-number").values_list("number", "seal").first()
        if newest is None:
            raise WarehouseError("There is nothing to write yet: nothing was ever entered.")
        return _Run(destination, *newest, full=full, progress=progress).write()


class _Run:
    """One sync, up to the change set ``number``."""

    def __init__(
        self, destination: Destination, number: int, seal: str, *, full: bool, progress: Progress
    ) -> None:
        self._destination, self._number, self._seal = destination, number, seal
        self._full, self._progress = full, progress
        self._writer = Writer(destination, number)
        self._written: dict[str, DeltaTable] = {}
        self._touched: dict[int, Touched | None] = {}

    def write(self) -> Result:
        models = leaving_models()
        if not self._full:
            self._require_same_chain()
        manifest = {} if self._full else _manifest(self._destination)
        before = min((number for number, _ in manifest.values()), default=0)
        tables = {table.name for table in all_tables()}
        if before >= self._number and tables <= manifest.keys():
            return Result(before, self._number)
        self._known, self._newest = manifest, written_after(before, self._number)
        self._append(CHANGE_SETS, change_set_batches)
        for model in models:
            if self._is_changed(f"history_{model._meta.model_name}", [model]):
                self._append(history_table(model), partial(history_batches, model))
        for model in models:
            if self._is_changed(f"current_{model._meta.model_name}", [model]):
                self._write_current(model)
        self._write_facts()
        if self._is_changed(STAGE_STAYS.name, STAYS_MADE_FROM):
            self._replace(STAGE_STAYS, "pipeline_id", lambda after: None, stay_batches)
        if self._is_changed(REGISTER_PROJECTS.name, registers.MADE_FROM):
            self._replace(REGISTER_PROJECTS, "id", lambda after: None, registers.project_batches)
        if self._is_changed(REGISTER_EDITIONS.name, registers.MADE_FROM):
            self._replace(
                *(REGISTER_EDITIONS, "edition_id"),
                self._changed_editions,
                registers.edition_batches,
            )
        if self._is_changed(DAYS.name, ()):
            self._replace(DAYS, "day", lambda after: None, _day_batches)
        self._write_manifest()
        rows = {name: rows_of(table) for name, table in self._written.items()}
        return Result(before, self._number, rows)

    def _is_changed(self, table: str, sources: Iterable[type[AuditedModel]]) -> bool:
        """Whether the table, made from these models, is another one since the manifest."""
        labels = (audit.history_model(one)._meta.label_lower for one in sources)
        return table not in self._known or any(label in self._newest for label in labels)

    def _require_same_chain(self) -> None:
        """Raise OtherChainError if the tables contain a change set that the database has not."""
        known = open_table(self._destination, CHANGE_SETS)
        number = position(known)
        if known is None or not number:
            return
        rows = select(known, CHANGE_SETS, "change_set", "seal", number=number)
        found = [row["seal"] for row in rows]
        seals = ChangeSet.objects.filter(number=number).values_list("seal", flat=True)
        if found != list(seals):
            raise OtherChainError(
                f"The tables contain change set {number:,}, which this database does not have, or "
                "has with another seal: it was restored from an older back-up, or the tables are "
                "of another installation. Give --to another, empty place; or, if they are of this "
                "installation and what was written since the back-up is to be forgotten there "
                "too, give --full, which writes all tables anew."
            )

    def _append(self, table: Table, between: Callable[[int, int], Batches]) -> None:
        self._progress(table.name)
        if self._full:
            self._written[table.name] = self._writer.overwrite(
                table, lambda: between(0, self._number)
            )
        else:
            self._written[table.name] = self._writer.append(
                table, lambda after: between(after, self._number)
            )

    def _replace(
        self,
        table: Table,
        key: str,
        changes_after: Callable[[int], tuple[set[str], Batches] | None],
        everything: Callable[[], Batches],
    ) -> None:
        self._progress(table.name)
        if self._full:
            self._written[table.name] = self._writer.overwrite(table, everything)
        else:
            self._written[table.name] = self._writer.replace(table, key, changes_after, everything)

    def _write_current(self, model: type[AuditedModel]) -> None:
        def changes(after: int) -> tuple[set[str], Batches]:
            keys = written_keys(model, after, self._number)
            return set(map(str, keys)), current_batches(model, keys)

        self._replace(current_table(model), "id", changes, partial(current_batches, model))

    def _write_facts(self) -> None:
        tables: tuple[tuple[Table, str, Sources, KeysOf, Callable[..., Batches]], ...] = (
            (
                *(FACTS_PROJECT_FACILITY, "pipeline_id", MADE_FROM),
                *(attrgetter("pipelines"), project_facility_batches),
            ),
            (
                *(FACTS_FACILITY, "facility_id", MADE_FROM),
                *(attrgetter("facilities"), facility_batches),
            ),
            (
                *(FACTS_HOLDER, "facility_id", HOLDERS_MADE_FROM),
                *(attrgetter("held"), holder_batches),
            ),
        )
        for table, key, sources, keys_of, make in tables:
            if self._is_changed(table.name, sources):
                self._replace(table, key, partial(self._changed_facts, keys_of, make), make)

    def _changed_facts(
        self,
        keys_of: KeysOf,
        make: Callable[[Collection[UUID]], Batches],
        after: int,
    ) -> tuple[set[str], Batches] | None:
        if after not in self._touched:
            self._touched[after] = touched(after, self._number)
        found = self._touched[after]
        if found is None:
            return None
        keys = keys_of(found)
        return set(map(str, keys)), make(keys)

    def _changed_editions(self, after: int) -> tuple[set[str], Batches] | None:
        if written_keys(Register, after, self._number):
            return None
        keys = written_keys(Edition, after, self._number)
        return set(map(str, keys)), registers.edition_batches(keys)

    def _write_manifest(self) -> None:
        def rows() -> Iterator[tuple[object, ...]]:
            now = datetime.now(UTC)
            for table in all_tables():
                found = self._written.get(table.name) or open_table(self._destination, table)
                if is_written(found):
                    yield (
                        *(table.name, found.version(), rows_of(found)),
                        *(self._number, self._seal, now),
                    )

        self._replace(MANIFEST, "table_name", lambda after: None, lambda: batches(MANIFEST, rows()))


def all_tables() -> list[Table]:
    """The tables that the manifest names: all that follow from the change sets alone."""
    models = leaving_models()
    return [
        CHANGE_SETS,
        *map(history_table, models),
        *map(current_table, models),
        *(FACTS_PROJECT_FACILITY, FACTS_FACILITY, FACTS_HOLDER, STAGE_STAYS),
        *(REGISTER_PROJECTS, REGISTER_EDITIONS, DAYS),
    ]


def tables_of(destination: Destination) -> list[tuple[str, int]]:
    """The name and the number of rows of each table, but for the manifest."""
    found = open_table(destination, MANIFEST)
    rows = select(found, MANIFEST, "table_name", "rows") if is_written(found) else []
    tables = [(row["table_name"], row["rows"]) for row in rows]
    for one in (CAPACITY_DAILY, METRIC_VALUES_DAILY):
        if (found := open_table(destination, one)) and is_written(found):
            tables.append((one.name, rows_of(found)))
    return sorted(tables)


def _manifest(destination: Destination) -> dict[str, tuple[int, str]]:
    """Each table's newest change set and its seal, as the manifest says; empty without one."""
    found = open_table(destination, MANIFEST)
    if not is_written(found):
        return {}
    rows = select(found, MANIFEST, "table_name", "change_set", "change_set_seal")
    return {row["table_name"]: (row["change_set"], row["change_set_seal"]) for row in rows}


def _day_batches() -> Iterator[pa.RecordBatch]:
    zone, one = timezone.get_default_timezone(), timedelta(days=1)
    number = (LAST_DAY - FIRST_DAY).days + 1
    days = (FIRST_DAY + place * one for place in range(number))
    return batches(DAYS, ((day, datetime.combine(day + one, time.min, zone)) for day in days))


def write_daily(destination: Destination, number: int, *, full: bool, progress: Progress) -> None:
    """Bring the tables with rows of days up to date; the others contain the change sets up to
    ``number``. ``full``: make all days anew."""
    for daily in (capacity.daily(), figures.daily()):
        write_days(destination, daily, number, full=full, progress=progress)
