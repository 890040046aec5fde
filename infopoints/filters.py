import django_filters

from counterparties.filters import CounterpartyNameFilter
from infopoints.choices import Status
from infopoints.models import InformationPoint
from infopoints.querysets import LIVE
from oegen import clock
from oegen.filters import NameFilter, PageFilterSet, TextFilter, WholeNumberFilter
from oegen.models import User
from pipelines.filters import technology_choices

DUE, LATER, NO_DATE = "due", "later", "none"

#: No username: the characters of those don't include a blank.
NOBODY = "no owner"


def owner_choices() -> list[tuple[str, str]]:
    owners = User.objects.filter(information_points__isnull=False).distinct()
    return [*((owner.username, str(owner)) for owner in owners), (NOBODY, "Nobody")]


class InformationPointFilter(PageFilterSet):
    usual = ("q", "status", "technology", "review", "owner")
    ranges = (
        ("rating_min", "rating_max"),
        ("impact_min", "impact_max"),
        ("likelihood_min", "likelihood_max"),
    )

    q = TextFilter()
    status = django_filters.ChoiceFilter(
        label="Status",
        choices=[(LIVE, "Live: open or watching"), *Status.choices],
        method="filter_status",
        empty_label="Any status",
    )
    technology = django_filters.ChoiceFilter(
        label="Technology",
        choices=technology_choices,
        method="filter_technology",
        empty_label="Any technology",
    )
    review = django_filters.ChoiceFilter(
        label="Review",
        choices=[(DUE, "Due by today"), (LATER, "Due later"), (NO_DATE, "No date")],
        method="filter_review",
        empty_label="Any review date",
    )
    owner = django_filters.ChoiceFilter(
        label="Owner", choices=owner_choices, method="filter_owner", empty_label="Any owner"
    )
    rating_min = WholeNumberFilter("rating", "gte", "Rating from", such_as=2500)
    rating_max = WholeNumberFilter("rating", "lte", "Rating to", such_as=10000)

    impact_min = WholeNumberFilter("impact", "gte", "Impact from", such_as=70)
    impact_max = WholeNumberFilter("impact", "lte", "Impact to", such_as=100)
    likelihood_min = WholeNumberFilter("likelihood", "gte", "Likelihood from", such_as=70)
    likelihood_max = WholeNumberFilter("likelihood", "lte", "Likelihood to", such_as=100)
    counterparty = CounterpartyNameFilter(method="filter_counterparty")
    pipeline = NameFilter("Pipeline", method="filter_pipeline")

    class Meta:
        model = InformationPoint
        fields: list[str] = []

    def filter_status(self, queryset, name, value):
        return queryset.of_status(value)

    def filter_technology(self, queryset, name, value):
        return queryset.of_technology(value)

    def filter_review(self, queryset, name, value):
        today = clock.today()
        if value == NO_DATE:
            return queryset.filter(review_on=None)
        if value == DUE:
            return queryset.review_due(today)
        return queryset.filter(review_on__gt=today)

    def filter_counterparty(self, queryset, name, value):
        return queryset.about_counterparty(value)

    def filter_pipeline(self, queryset, name, value):
        return queryset.about_pipeline(value)

    def filter_owner(self, queryset, name, value):
        if value == NOBODY:
            return queryset.filter(owner=None)
        return queryset.filter(owner__username=value)
