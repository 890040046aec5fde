"""Reading the tables, and what the database says that they should have."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from deltalake import DeltaTable

from dashboard.warehouse import syncing
from dashboard.warehouse.columns import columns_of
from dashboard.warehouse.delta import Destination
from oegen import audit
from oegen.models import ChangeSet

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

    def contents(self) -> dict[str, Counter]:
        """How often each row is in each table."""
        return {
            name: Counter(tuple(sorted(row.items(), key=str)) for row in self.rows(name))
            for name in self.names() - NOT_COMPARED
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
