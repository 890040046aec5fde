import django_filters
from django import forms
from django.db.models import Exists, OuterRef, Q

from oegen.filters import PageFilterSet, TextFilter
from pipelines.choices import ON_HOLD, RAG, Outcome
from pipelines.models import Facility, Pipeline, Stage, Technology
from pipelines.querysets import ALL_KINDS, HELD, NO_DATE, NO_FACILITY, OPEN, OVERDUE

NOT_RATED = "none"
IN_TIME = "due"


def status_choices() -> list[tuple[str, str]]:
    """The labels people know, in the order in which a project meets them."""
    stages = Stage.objects.values_list("code", "name", "is_terminal")
    return [
        (OPEN, "Open, all stages"),
        *((code, name) for code, name, is_terminal in stages if not is_terminal),
        (HELD, ON_HOLD),
        *((code, name) for code, name, is_terminal in stages if is_terminal),
        *(choice for choice in Outcome.choices if choice[0] != Outcome.ACTIVE),
    ]


def technology_choices() -> list[tuple[str, str]]:
    """The technologies on offer or in use, kinds below the technology they belong to."""
    in_use = Exists(Facility.objects.filter(technology=OuterRef("pk")))
    known = list(Technology.objects.filter(Q(is_active=True) | in_use))
    children = {technology.parent_id for technology in known if technology.parent_id}
    choices = []
    for parent in (technology for technology in known if technology.parent_id is None):
        if parent.pk in children:
            choices.append((f"{parent.code}{ALL_KINDS}", f"{parent.name}, all kinds"))
            choices.append((parent.code, f"{parent.name}, kind not given"))
        else:
            choices.append((parent.code, parent.name))
        choices += [(kind.code, kind.name) for kind in known if kind.parent_id == parent.pk]
    return choices


def pipeline_technology_choices() -> list[tuple[str, str]]:
    return [*technology_choices(), (NO_FACILITY, "No facility yet")]


class PipelineFilter(PageFilterSet):
    q = TextFilter()
    status = django_filters.ChoiceFilter(
        label="Status",
        choices=status_choices,
        method="filter_status",
        empty_label="Any status",
    )
    technology = django_filters.ChoiceFilter(
        label="Technology",
        choices=pipeline_technology_choices,
        method="filter_technology",
        empty_label="Any technology",
    )
    rag = django_filters.ChoiceFilter(
        label="RAG",
        choices=[*RAG.choices, (NOT_RATED, "Not rated")],
        method="filter_rag",
        empty_label="Any RAG",
    )
    rtb = django_filters.ChoiceFilter(
        label="RTB date",
        choices=[(OVERDUE, "Overdue"), (IN_TIME, "Not overdue"), (NO_DATE, "No date")],
        method="filter_rtb",
        empty_label="Any RTB date",
    )
    rtb_year = django_filters.NumberFilter(
        label="RTB year",
        field_name="rtb_date",
        lookup_expr="year",
        min_value=1900,
        max_value=2200,
        decimal_places=0,
        error_messages={
            "invalid": "Give a year in digits, such as 2027.",
            "max_decimal_places": "Give a whole year, such as 2027.",
        },
        widget=forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "off"}),
    )

    class Meta:
        model = Pipeline
        fields: list[str] = []

    def filter_status(self, queryset, name, value):
        return queryset.of_status(value)

    def filter_technology(self, queryset, name, value):
        return queryset.of_technology(value)

    def filter_rag(self, queryset, name, value):
        return queryset.filter(rag_status="" if value == NOT_RATED else value)

    def filter_rtb(self, queryset, name, value):
        if value == NO_DATE:
            return queryset.filter(rtb_date=None)
        overdue = queryset.with_overdue().filter(is_overdue=value == OVERDUE)
        return overdue.exclude(rtb_date=None)


class FacilityFilter(PageFilterSet):
    q = TextFilter()
    technology = django_filters.ChoiceFilter(
        label="Technology",
        choices=technology_choices,
        method="filter_technology",
        empty_label="Any technology",
    )

    class Meta:
        model = Facility
        fields: list[str] = []

    def filter_technology(self, queryset, name, value):
        return queryset.of_technology(value)
