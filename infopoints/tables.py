import django_tables2 as tables

from infopoints.models import InformationPoint
from oegen.tables import NumberColumn, PartColumn, RecordColumn, RecordTable


class InformationPointTable(RecordTable):
    title = RecordColumn("Information point")
    rating = NumberColumn()
    impact = NumberColumn()
    likelihood = NumberColumn()
    status = PartColumn("infopoints/parts/status.html")
    market = tables.Column()
    owner = tables.Column(order_by=("owner__username",))
    review_on = tables.Column("Review")

    class Meta(RecordTable.Meta):
        model = InformationPoint
        fields = (
            "title",
            "rating",
            "impact",
            "likelihood",
            "status",
            "market",
            "owner",
            "review_on",
        )
