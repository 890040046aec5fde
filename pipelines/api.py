"""Pipelines, facilities, their links and reference tables in the API."""

from rest_framework import serializers

from oegen.api.rest.filters import filterset_for
from oegen.api.rest.registry import register
from oegen.api.rest.serializers import PersonNameField, RecordSerializer, serializer_for
from oegen.api.rest.viewsets import RecordViewSet
from pipelines.filters import FacilityFilter, PipelineFilter
from pipelines.milestone_list import MilestoneFilter
from pipelines.models import (
    CounterpartyRole,
    Facility,
    Gate,
    GateSet,
    Milestone,
    MilestoneKind,
    Pipeline,
    PipelineCounterparty,
    PipelineFacility,
    Stage,
    StageTransition,
    Technology,
)
from pipelines.services import check_effective_day


class PipelineSerializer(RecordSerializer):
    """A project."""

    status = serializers.CharField(
        source="status_label", read_only=True, help_text="Stage, hold or outcome, as pages show it."
    )
    status_effective_on = serializers.DateField(
        write_only=True,
        required=False,
        allow_null=True,
        help_text="The day a change of stage, hold or outcome took effect, if not today.",
    )
    responsible_name = PersonNameField(source="responsible")

    PERSONAL = frozenset({"responsible_name"})

    class Meta:
        model = Pipeline


class PipelineViewSet(RecordViewSet):
    queryset = Pipeline.objects.select_related("responsible")
    serializer_class = PipelineSerializer
    filterset_class = PipelineFilter

    def prepare(self, record, changed):
        if record.status_effective_on and "status_effective_on" in changed:
            check_effective_day(record, changed)


class FacilityViewSet(RecordViewSet):
    queryset = Facility.objects.all()
    serializer_class = serializer_for(
        Facility, NAMES={"latitude": "latitude_deg", "longitude": "longitude_deg"}
    )
    filterset_class = FacilityFilter


class PipelineFacilityViewSet(RecordViewSet):
    queryset = PipelineFacility.objects.all()
    serializer_class = serializer_for(PipelineFacility)
    filterset_class = filterset_for(PipelineFacility)


class PipelineCounterpartyViewSet(RecordViewSet):
    queryset = PipelineCounterparty.objects.all()
    serializer_class = serializer_for(PipelineCounterparty)
    filterset_class = filterset_for(PipelineCounterparty)


class StageTransitionViewSet(RecordViewSet):
    """Moves between stages, holds and outcomes. Changing a pipeline's status writes one; only its
    day can be corrected."""

    queryset = StageTransition.objects.all()
    serializer_class = serializer_for(
        StageTransition, READ_ONLY=frozenset({"pipeline", "stage", "on_hold", "outcome"})
    )
    filterset_class = filterset_for(StageTransition)
    offers = frozenset({"change"})


class MilestoneViewSet(RecordViewSet):
    queryset = Milestone.objects.all()
    serializer_class = serializer_for(Milestone)
    filterset_class = MilestoneFilter

    def prepare(self, record, changed):
        record.confirm(self.request.user, changed)


class TechnologyViewSet(RecordViewSet):
    queryset = Technology.objects.all()
    serializer_class = serializer_for(Technology)
    filterset_class = filterset_for(Technology)


class StageViewSet(RecordViewSet):
    queryset = Stage.objects.all()
    serializer_class = serializer_for(Stage)


class CounterpartyRoleViewSet(RecordViewSet):
    queryset = CounterpartyRole.objects.all()
    serializer_class = serializer_for(CounterpartyRole)


class MilestoneKindViewSet(RecordViewSet):
    queryset = MilestoneKind.objects.all()
    serializer_class = serializer_for(MilestoneKind)


class GateSetViewSet(RecordViewSet):
    queryset = GateSet.objects.all()
    serializer_class = serializer_for(GateSet)
    filterset_class = filterset_for(GateSet)


class GateViewSet(RecordViewSet):
    queryset = Gate.objects.all()
    serializer_class = serializer_for(Gate)
    filterset_class = filterset_for(Gate)


register("pipelines", PipelineViewSet)
register("facilities", FacilityViewSet)
register("pipeline-facilities", PipelineFacilityViewSet)
register("pipeline-counterparties", PipelineCounterpartyViewSet)
register("stage-transitions", StageTransitionViewSet)
register("milestones", MilestoneViewSet)
register("technologies", TechnologyViewSet)
register("stages", StageViewSet)
register("counterparty-roles", CounterpartyRoleViewSet)
register("milestone-kinds", MilestoneKindViewSet)
register("gate-sets", GateSetViewSet)
register("gates", GateViewSet)
