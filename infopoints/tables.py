from operator import methodcaller

from infopoints.models import InformationPoint
from oegen.tables import (
    Column,
    MomentColumn,
    NumberColumn,
    PartColumn,
    RecordColumn,
    RecordTable,
    TextColumn,
    UnknownLastColumn,
)


def technologies_of(point: InformationPoint) -> str:
    return ", ".join(technology.name for technology in point.technologies.all())


def counterparties_of(point: InformationPoint) -> str:
    return "; ".join(counterparty.name for counterparty in point.counterparties.all())


def pipelines_of(point: InformationPoint) -> str:
    return "; ".join(pipeline.project_name for pipeline in point.pipelines.all())


class LinkedColumn(TextColumn):
    """The names of linked records in one line."""

    def __init__(self, linked: str, told):
        super().__init__(orderable=False, reads=methodcaller("prefetch_related", linked), told=told)

    def cell(self, record, value):
        return super().cell(record, self.told(record))


class InformationPointTable(RecordTable):
    usual = ("rating", "impact", "likelihood", "status", "market", "owner", "review_on")

    title = RecordColumn("Information point")
    rating = NumberColumn()
    impact = NumberColumn()
    likelihood = NumberColumn()
    status = PartColumn("infopoints/parts/status.html", told=methodcaller("get_status_display"))
    market = TextColumn()
    technologies = LinkedColumn("technologies", technologies_of)
    counterparties = LinkedColumn("counterparties", counterparties_of)
    pipelines = LinkedColumn("pipelines", pipelines_of)
    owner = Column(order_by=("owner__username",), reads=methodcaller("select_related", "owner"))
    review_on = UnknownLastColumn("Review")
    description = TextColumn()
    created_at = MomentColumn("Added")
    modified_at = MomentColumn("Last changed")
