from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from django.contrib.contenttypes.models import ContentType

from infopoints.models import InformationPoint
from pipelines.models import CounterpartyRole, Pipeline, Stage, Technology
from pipelines.reference import STAGES


@dataclass(frozen=True)
class Vocabulary:
    """Ids of the reference rows by code; ``stages`` in the order of development."""

    stages: list[UUID]
    technologies: dict[str, UUID]
    roles: dict[str, UUID]
    pipeline_type: int
    information_point_type: int

    @classmethod
    def read(cls) -> Vocabulary:
        stages = dict(Stage.objects.values_list("code", "pk"))
        return cls(
            stages=[stages[code] for code, *_ in STAGES],
            technologies=dict(Technology.objects.values_list("code", "pk")),
            roles=dict(CounterpartyRole.objects.values_list("code", "pk")),
            pipeline_type=ContentType.objects.get_for_model(Pipeline).pk,
            information_point_type=ContentType.objects.get_for_model(InformationPoint).pk,
        )
