"""The pipelines that the filters in the address pick: what the board and the map show."""

from django_filters.views import FilterView

from pipelines.filters import PipelineFilter
from pipelines.models import Pipeline


class FilteredPipelines(FilterView):
    """A page over ``object_list``, the filtered pipelines; a filter value that can't be
    understood picks none and is told beside the filter."""

    queryset = Pipeline.objects.all()
    filterset_class = PipelineFilter

    def get_context_data(self, **kwargs):
        return super().get_context_data(**kwargs) | {
            "section": "pipelines",
            "is_wrong": self.filterset.is_bound and not self.filterset.is_valid(),
            "is_filtered": any(self.request.GET.get(name) for name in self.filterset.filters),
        }
