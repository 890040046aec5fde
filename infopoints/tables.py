from operator import attrgetter, methodcaller

from django.db.models import Model, Prefetch, QuerySet

from infopoints.choices import Status
from infopoints.models import (
    InformationPoint,
    InformationPointCounterparty,
    InformationPointPipeline,
    InformationPointTechnology,
)
from oegen.exports import FileValue, LinkedRows
from oegen.pages.columns import (
    ChoiceColumn,
    MomentColumn,
    NullsLastPartColumn,
    NumberColumn,
    PersonColumn,
    RecordColumn,
    TextColumn,
    order_by_first_link,
)
from oegen.pages.tables import RecordTable


class LinkedColumn(TextColumn):
    """The names of linked records; rows sort by the first value of the lookup ``first``."""

    def __init__(
        self, linked: str, name: str, links: type[Model], first: str, separator: str = "; "
    ):
        self.links = links
        self.first = first
        records: QuerySet = getattr(InformationPoint, linked).rel.model._default_manager.all()
        prefetch = Prefetch(linked, records, to_attr=f"listed_{linked}")
        rows = LinkedRows(prefetch, owner="information_points")
        super().__init__(
            annotate=methodcaller("prefetch_related", prefetch),
            file_value=FileValue((name,), separator.join, rows),
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
        file_value=FileValue(("status",), lambda code: Status(code).label),
    )
    market = TextColumn()
    technologies = LinkedColumn(
        "technologies", "name", InformationPointTechnology, "technology__order", separator=", "
    )
    counterparties = LinkedColumn(
        "counterparties", "name", InformationPointCounterparty, "counterparty__name"
    )
    pipelines = LinkedColumn(
        "pipelines", "project_name", InformationPointPipeline, "pipeline__project_name"
    )
    owner = PersonColumn("owner")
    review_on = NullsLastPartColumn(
        "infopoints/parts/review.html",
        "Review",
        cache_key=attrgetter("review_on", "is_review_overdue"),
        empty_values=(None,),
    )
    description = TextColumn()
    created_at = MomentColumn("Added")
    modified_at = MomentColumn("Last changed")
