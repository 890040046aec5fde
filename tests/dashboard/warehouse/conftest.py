import pytest

from dashboard.warehouse import capacity, figures, syncing
from dashboard.warehouse.delta import Destination
from pipelines.models import (
    Facility,
    Pipeline,
    PipelineCounterparty,
    PipelineFacility,
    Stage,
    StageTransition,
    Technology,
)
from tests.dashboard.warehouse.tables import Warehouse

#: What facts follow from: enough for most tests, and written in half the time.
FEW = [
    *(Stage, Technology, Facility, Pipeline, PipelineFacility, PipelineCounterparty),
    StageTransition,
]


@pytest.fixture
def few_models(monkeypatch) -> None:
    """Only these records, and no figures of past days, which take longest."""
    monkeypatch.setattr(syncing, "leaving_models", lambda: FEW)
    monkeypatch.setattr(figures, "DAYS_KEPT", 0)
    monkeypatch.setattr(capacity, "DAYS_KEPT", 0)


@pytest.fixture
def warehouse(tmp_path) -> Warehouse:
    return Warehouse(Destination(str(tmp_path / "warehouse")), syncing.sync)
