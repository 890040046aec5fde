"""Information points and what they are about in the API."""

from infopoints.filters import InformationPointFilter
from infopoints.models import (
    InformationPoint,
    InformationPointCounterparty,
    InformationPointPipeline,
    InformationPointTechnology,
)
from oegen.api.rest.filters import filterset_for
from oegen.api.rest.registry import register
from oegen.api.rest.serializers import PersonNameField, RecordSerializer, serializer_for
from oegen.api.rest.viewsets import RecordViewSet


class InformationPointSerializer(RecordSerializer):
    """What managers learnt about the market."""

    owner_name = PersonNameField(source="owner")

    PERSONAL = frozenset({"owner_name"})

    class Meta:
        model = InformationPoint


class InformationPointViewSet(RecordViewSet):
    queryset = InformationPoint.objects.select_related("owner")
    serializer_class = InformationPointSerializer
    filterset_class = InformationPointFilter


class InformationPointTechnologyViewSet(RecordViewSet):
    queryset = InformationPointTechnology.objects.all()
    serializer_class = serializer_for(InformationPointTechnology)
    filterset_class = filterset_for(InformationPointTechnology)


class InformationPointCounterpartyViewSet(RecordViewSet):
    queryset = InformationPointCounterparty.objects.all()
    serializer_class = serializer_for(InformationPointCounterparty)
    filterset_class = filterset_for(InformationPointCounterparty)


class InformationPointPipelineViewSet(RecordViewSet):
    queryset = InformationPointPipeline.objects.all()
    serializer_class = serializer_for(InformationPointPipeline)
    filterset_class = filterset_for(InformationPointPipeline)


register("information-points", InformationPointViewSet)
register("information-point-technologies", InformationPointTechnologyViewSet)
register("information-point-counterparties", InformationPointCounterpartyViewSet)
register("information-point-pipelines", InformationPointPipelineViewSet)
