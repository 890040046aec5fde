"""Reading the tables, what the database says that they should have, and writes to follow."""

from collections import Counter
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

from deltalake import DeltaTable

from dashboard.warehouse import syncing
from dashboard.warehouse.columns import columns_of
from dashboard.warehouse.delta import Destination
from oegen import audit
from oegen.audit.revert.undoing import undo
from oegen.core import clock
from oegen.models import ChangeSet
from pipelines.models import Facility, Pipeline, PipelineFacility
from tests.support.builders import make_pipeline

#: What depends on when and how often tables were written.
NOT_COMPARED = {"manifest", "metric_values_daily", "capacity_daily"}


@dataclass
class Warehouse:
    destination: Destination
    _sync: Callable

    def sync(self, **options):
        return self._sync(self.destination, **options)

    def table(self, name: str) -> DeltaTable:
        return DeltaTable(self.destination.of(name))

    def rows(self, name: str) -> list[dict]:
        return self.table(name).to_pyarrow_table().to_pylist()

    def names(self) -> set[str]:
        return {path.name for path in Path(self.destination.url).iterdir()}

    def contents(self, names: Collection[str] = ()) -> dict[str, Counter]:
        """How often each row is in each table, or each of these."""
        return {
            name: Counter(tuple(sorted(row.items(), key=str)) for row in self.rows(name))
            for name in {*(names or self.names())} - NOT_COMPARED
        }


def assert_equals_database(warehouse: Warehouse) -> None:
    """Each entry of the history is there once, and each record as it is."""
    seals = sorted((row["change_set"], row["seal"]) for row in warehouse.rows("change_sets"))
    assert seals == list(ChangeSet.objects.values_list("number", "seal").order_by("number"))
    for model in syncing.leaving_models():
        name, names = model._meta.model_name, [one.column.name for one in columns_of(model)]
        stored = audit.history_model(model).objects.values_list(
            "history_id", "change_set__number", "version"
        )
        found = warehouse.rows(f"history_{name}")
        assert Counter(stored) == Counter(
            (row["history_id"], row["change_set"], row["version"]) for row in found
        ), name
        records = {str(record.pk): record for record in model._base_manager.all()}
        current = {row["id"]: row for row in warehouse.rows(f"current_{name}")}
        assert current.keys() == records.keys(), name
        for key, record in records.items():
            for one, column in zip(columns_of(model), names, strict=True):
                value = getattr(record, one.attname)
                if value is not None and one.column.convert:
                    value = one.column.convert(value)
                assert current[key][column] == value, (name, column)


def change_everything(person) -> None:
    """Writes of every kind that tables follow from: edited, removed, dated back, undone."""
    solar = Pipeline.objects.get(project_name="Solar and storage")
    solar.rag_status, solar.ownership_pct = "amber", Decimal("40")
    solar.probability_reason = "Grid offer"
    solar.probability_pct, solar.probability_expires_on = 35, clock.today() + timedelta(days=40)
    solar.save()
    battery = Facility.objects.get(name="Shared battery")
    battery.capacity_mw = Decimal("12.345")
    battery.save()
    PipelineFacility.objects.filter(pipeline=solar, facility=battery).delete()
    removed = make_pipeline("Soon gone", capacity_mw=3)
    removed.delete()
    past = datetime(2026, 2, 3, 12, tzinfo=UTC)
    with audit.change_set(source=audit.Source.IMPORT, recorded_at=past):
        make_pipeline("Known long ago", capacity_mw=77, stage="design")
    solar.on_hold = True
    solar.on_hold_reason = "Grid"
    solar.save()
    newest = ChangeSet.objects.order_by("-number")[0]
    undo(change_set=newest, reason="Mistaken", person=person)
