"""The pipelines that the filters in the address pick: what the board and the map show."""

from oegen.pages.lists import FilteredPage
from pipelines.filters import PipelineFilter
from pipelines.models import Pipeline


class FilteredPipelines(FilteredPage):
    """A page over ``object_list``, the filtered pipelines."""

    queryset = Pipeline.objects.all()
    filterset_class = PipelineFilter
    section = "pipelines"
    switch_template_name = "pipelines/parts/view_switch.html"
