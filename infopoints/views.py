from infopoints.filters import InformationPointFilter
from infopoints.models import InformationPoint
from infopoints.tables import InformationPointTable
from oegen.views import ListPage, RecordPage


class InformationPointList(ListPage):
    queryset = InformationPoint.objects.select_related("owner").by_rating()
    filterset_class = InformationPointFilter
    table_class = InformationPointTable
    section = "infopoints"
    empty_text = "An information point is something you learnt about the market, rated."


class InformationPointPage(RecordPage):
    queryset = InformationPoint.objects.select_related("owner")
    section = "infopoints"

    def get_context_data(self, **kwargs):
        point = self.object
        return super().get_context_data(**kwargs) | {
            "technologies": point.technologies.all(),
            "counterparties": point.counterparties.all(),
            "pipelines": point.pipelines.select_related("stage").with_capacity().with_overdue(),
            "capacity": point.pipelines.capacity(),
        }
