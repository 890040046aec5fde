from infopoints.filters import DUE, InformationPointFilter
from infopoints.matrix import matrix_around
from infopoints.models import InformationPoint
from infopoints.querysets import LIVE
from infopoints.tables import InformationPointTable
from oegen.pages.filters import MINE, DefaultFilter
from oegen.pages.lists import ListPage
from oegen.pages.records import RecordPage
from oegen.search.ordering import natural


class InformationPointList(ListPage):
    queryset = InformationPoint.objects.by_rating()
    filterset_class = InformationPointFilter
    table_class = InformationPointTable
    section = "infopoints"
    default_filter = DefaultFilter("status", LIVE, "live")
    empty_text = "An information point is something you learnt about the market, rated."

    def usual_filters(self):
        return {
            "Live": {},
            "Mine": {"owner": [MINE]},
            "Review due": {"review": [DUE]},
        }


class InformationPointPage(RecordPage):
    queryset = InformationPoint.objects.select_related("owner")
    section = "infopoints"

    def get_context_data(self, **kwargs):
        point = self.object
        open_pipelines = point.pipelines.open()
        return super().get_context_data(**kwargs) | {
            "technologies": point.technologies.all(),
            "counterparties": point.counterparties.order_by(natural("name")),
            "pipelines": point.pipelines.select_related("stage")
            .with_capacity()
            .with_overdue()
            .order_by(natural("project_name")),
            "capacity": point.pipelines.capacity(),
            "open_count": open_pipelines.count(),
            "open_capacity": open_pipelines.capacity(),
            "matrix": matrix_around(point),
        }
