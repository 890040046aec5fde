"""The base of pages over filtered pipelines, such as the board and the map."""

from oegen.pages.lists import FilteredPage
from pipelines.filters import PipelineFilter
from pipelines.models import Pipeline


class FilteredPipelines(FilteredPage):
    """A page whose ``object_list`` is the filtered pipelines."""

    queryset = Pipeline.objects.all()
    filterset_class = PipelineFilter
    section = "pipelines"
    switch_template_name = "pipelines/parts/view_switch.html"
