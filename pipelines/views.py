from django.db.models import Prefetch

from oegen.views import ListPage, RecordPage
from pipelines.filters import FacilityFilter, PipelineFilter
from pipelines.models import Facility, Pipeline
from pipelines.tables import FacilityTable, PipelineTable

FACILITIES = Prefetch(
    "facilities",
    # In this order the templates can name each technology once.
    Facility.objects.select_related("technology")
    .with_pipeline_count()
    .order_by("technology__order", "name"),
)


class PipelineList(ListPage):
    queryset = (
        Pipeline.objects.select_related("stage")
        .prefetch_related(FACILITIES)
        .with_capacity()
        .with_lead_developer()
        .with_overdue()
        .order_by("project_name", "pk")
    )
    filterset_class = PipelineFilter
    table_class = PipelineTable
    section = "pipelines"
    empty_text = "A pipeline is a project on its way from Discovery to Completed."


class PipelinePage(RecordPage):
    queryset = Pipeline.objects.select_related("stage").prefetch_related(FACILITIES).with_overdue()
    section = "pipelines"

    def get_context_data(self, **kwargs):
        pipeline = self.object
        itself = Pipeline.objects.filter(pk=pipeline.pk)
        return super().get_context_data(**kwargs) | {
            "capacity": itself.capacity(),
            "points": pipeline.information_points.by_rating(),
            "counterparty_links": pipeline.counterparty_links.select_related(
                "counterparty", "role"
            ),
        }


class FacilityList(ListPage):
    queryset = (
        Facility.objects.select_related("technology").with_pipeline_count().order_by("name", "pk")
    )
    filterset_class = FacilityFilter
    table_class = FacilityTable
    section = "facilities"
    empty_text = "A facility is one plant at one place; a pipeline is made of them."


class FacilityPage(RecordPage):
    queryset = Facility.objects.select_related("technology")
    section = "facilities"

    def get_context_data(self, **kwargs):
        pipelines = self.object.pipelines.select_related("stage").with_capacity().with_overdue()
        return super().get_context_data(**kwargs) | {"pipelines": pipelines}
