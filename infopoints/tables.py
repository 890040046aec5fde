from operator import attrgetter, methodcaller

from django.db.models import Model

from infopoints.choices import Status
from infopoints.models import (
    InformationPoint,
    InformationPointCounterparty,
    InformationPointPipeline,
    InformationPointTechnology,
)
from oegen.pages.columns import (
    ChoiceColumn,
    Column,
    MomentColumn,
    NullsLastPartColumn,
    NumberColumn,
    RecordColumn,
    TextColumn,
    order_by_first_link,
)
from oegen.pages.tables import RecordTable


def technologies_of(point: InformationPoint) -> str:
    return ", ".join(technology.name for technology in point.technologies.all())


def counterparties_of(point: InformationPoint) -> str:
    return "; ".join(counterparty.name for counterparty in point.counterparties.all())


def pipelines_of(point: InformationPoint) -> str:
    return "; ".join(pipeline.project_name for pipeline in point.pipelines.all())


class LinkedColumn(TextColumn):
    """The names of linked records; rows sort by the first value of the lookup ``first``."""

    def __init__(self, linked: str, links: type[Model], first: str, export_value):
        self.links = links
        self.first = first
        super().__init__(
            annotate=methodcaller("prefetch_related", linked), export_value=export_value
        )

    def order(self, queryset, is_descending):
        return order_by_first_link(
            queryset, self.links, "information_point", self.first, is_descending
        )


class InformationPointTable(RecordTable):
    default_columns = ("rating", "impact", "likelihood", "status", "market", "owner", "review_on")

    title = RecordColumn("Information point")
    rating = NumberColumn()
    impact = NumberColumn()
    likelihood = NumberColumn()
    status = ChoiceColumn(
        "infopoints/parts/status.html",
        Status,
        cache_key=attrgetter("status"),
        export_value=methodcaller("get_status_display"),
    )
    market = TextColumn()
    technologies = LinkedColumn(
        "technologies", InformationPointTechnology, "technology__order", technologies_of
    )
    counterparties = LinkedColumn(
        "counterparties", InformationPointCounterparty, "counterparty__name", counterparties_of
    )
    pipelines = LinkedColumn(
        "pipelines", InformationPointPipeline, "pipeline__project_name", pipelines_of
    )
    owner = Column(order_by=("owner__username",), annotate=methodcaller("select_related", "owner"))
    review_on = NullsLastPartColumn(
        "infopoints/parts/review.html",
        "Review",
        cache_key=attrgetter("review_on", "is_review_overdue"),
        empty_values=(None,),
    )
    description = TextColumn()
    created_at = MomentColumn("Added")
    modified_at = MomentColumn("Last changed")
