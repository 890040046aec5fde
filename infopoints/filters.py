import django_filters

from infopoints.choices import Status
from infopoints.models import InformationPoint
from oegen.filters import PageFilterSet, TextFilter


class InformationPointFilter(PageFilterSet):
    q = TextFilter()
    status = django_filters.ChoiceFilter(choices=Status.choices, empty_label="Any status")

    class Meta:
        model = InformationPoint
        fields: list[str] = []
