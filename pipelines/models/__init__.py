from pipelines.facts.models import Fact, FactRevision, ProvenKinds
from pipelines.models.facility import Facility
from pipelines.models.finding import RegisterFinding
from pipelines.models.links import PipelineCounterparty, PipelineFacility, StageTransition
from pipelines.models.milestone import Milestone
from pipelines.models.pipeline import Pipeline
from pipelines.models.reference import (
    CounterpartyRole,
    Gate,
    GateSet,
    MilestoneKind,
    Stage,
    Technology,
)

__all__ = [
    "CounterpartyRole",
    "Facility",
    "Fact",
    "FactRevision",
    "Gate",
    "GateSet",
    "Milestone",
    "MilestoneKind",
    "Pipeline",
    "PipelineCounterparty",
    "PipelineFacility",
    "ProvenKinds",
    "RegisterFinding",
    "Stage",
    "StageTransition",
    "Technology",
]
