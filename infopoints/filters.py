from functools import reduce
from operator import or_

from counterparties.filters import CounterpartyNameFilter
from infopoints.choices import Status
from infopoints.models import InformationPoint
from infopoints.querysets import LIVE
from oegen.core import clock
from oegen.models import User
from oegen.pages.filters import (
    MINE,
    NameFilter,
    PageFilterSet,
    TextFilter,
    WholeNumberFilter,
    is_person,
    queryset_method,
)
from oegen.pages.selection import ALL, Choice, SelectionFilter
from pipelines.filters import is_technology_family, technology_choices

DUE, LATER, NO_DATE = "due", "later", "none"

#: Code for no owner; the space keeps it from being a username.
NOBODY = "no owner"


def owner_choices() -> list[tuple[str, str]]:
    owners = User.objects.filter(information_points__isnull=False).distinct()
    return [
        (MINE, "Me"),
        *((owner.username, str(owner)) for owner in owners),
        (NOBODY, "Nobody"),
    ]


class InformationPointFilter(PageFilterSet):
    primary = ("q", "status", "technology", "review", "owner")
    ranges = (
        ("rating_min", "rating_max"),
        ("impact_min", "impact_max"),
        ("likelihood_min", "likelihood_max"),
    )

    q = TextFilter()
    status = SelectionFilter(
        "Status",
        [
            Choice(ALL, "All, closed ones too", parts=(LIVE, *Status.values)),
            Choice(LIVE, "Live: open or watching", parts=(Status.OPEN, Status.WATCHING)),
            *Status.choices,
        ],
        select="of_status",
        group_by="status",
        is_combined=lambda code: code == LIVE,
        empty_label="Any status",
    )
    technology = SelectionFilter(
        "Technology",
        technology_choices,
        select="of_technology",
        group_by="technologies__code",
        is_combined=is_technology_family,
        empty_label="Any technology",
    )
    review = SelectionFilter(
        "Review",
        [(DUE, "Due by today"), (LATER, "Due later"), (NO_DATE, "No date")],
        pick="of_review",
        empty_label="Any review date",
    )
    owner = SelectionFilter(
        "Owner",
        owner_choices,
        pick="of_owner",
        group_by="owner__username",
        buckets={NOBODY: None},
        is_combined=lambda code: code == MINE,
        empty_label="Any owner",
    )
    rating_min = WholeNumberFilter("rating", "gte", "Rating from", example=2500)
    rating_max = WholeNumberFilter("rating", "lte", "Rating to", example=10000)

    impact_min = WholeNumberFilter("impact", "gte", "Impact from", example=70)
    impact_max = WholeNumberFilter("impact", "lte", "Impact to", example=100)
    likelihood_min = WholeNumberFilter("likelihood", "gte", "Likelihood from", example=70)
    likelihood_max = WholeNumberFilter("likelihood", "lte", "Likelihood to", example=100)
    counterparty = CounterpartyNameFilter(method=queryset_method("about_counterparty"))
    pipeline = NameFilter("Pipeline", method=queryset_method("about_pipeline"))

    class Meta:
        model = InformationPoint
        fields: list[str] = []

    def of_review(self, queryset, codes):
        today = clock.today()
        picks = {
            DUE: lambda: queryset.review_due(today),
            LATER: lambda: queryset.filter(review_on__gt=today),
            NO_DATE: lambda: queryset.filter(review_on=None),
        }
        return reduce(or_, [picks[code]() for code in codes])

    def of_owner(self, queryset, codes):
        return queryset.filter(is_person("owner", codes, self.request.user, nobody=NOBODY))
