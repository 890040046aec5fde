import django_tables2 as tables
from django.db.models import F

from oegen.tables import NumberColumn, PartColumn, RecordColumn, RecordTable
from pipelines.models import Facility, Pipeline


class PipelineTable(RecordTable):
    project_name = RecordColumn("Pipeline")
    status = PartColumn(
        "pipelines/parts/status.html",
        order_by=("outcome", "stage__is_terminal", "on_hold", "stage__order"),
    )
    rag_status = PartColumn("pipelines/parts/rag.html", "RAG")
    technologies = PartColumn("pipelines/parts/technologies.html", orderable=False)
    capacity_mw = NumberColumn("Capacity, MW/MWp", places=1)
    rtb_date = PartColumn("pipelines/parts/rtb.html", "RTB date")
    lead_developer = PartColumn("pipelines/parts/lead_developer.html")

    class Meta(RecordTable.Meta):
        model = Pipeline
        fields = (
            "project_name",
            "status",
            "rag_status",
            "technologies",
            "capacity_mw",
            "rtb_date",
            "lead_developer",
        )

    def order_capacity_mw(self, queryset, is_descending):
        return _unknown_last(queryset, "capacity_mw", is_descending)

    def order_rtb_date(self, queryset, is_descending):
        return _unknown_last(queryset, "rtb_date", is_descending)


class FacilityTable(RecordTable):
    name = RecordColumn("Facility")
    technology = PartColumn("pipelines/parts/technology.html", order_by=("technology__order",))
    capacity_mw = NumberColumn("Capacity, MW/MWp", places=1)
    storage_mwh = NumberColumn("Storage, MWh", places=1)
    country = tables.Column(accessor="country_name", order_by=("country",))
    region = tables.Column()
    pipeline_count = NumberColumn("Pipelines")

    class Meta(RecordTable.Meta):
        model = Facility
        fields = (
            "name",
            "technology",
            "capacity_mw",
            "storage_mwh",
            "country",
            "region",
            "pipeline_count",
        )

    def order_capacity_mw(self, queryset, is_descending):
        return _unknown_last(queryset, "capacity_mw", is_descending)

    def order_storage_mwh(self, queryset, is_descending):
        return _unknown_last(queryset, "storage_mwh", is_descending)


def _unknown_last(queryset, field: str, is_descending: bool):
    """The databases disagree on where nothing sorts; people look for it at the end."""
    key = F(field)
    order = key.desc(nulls_last=True) if is_descending else key.asc(nulls_last=True)
    return queryset.order_by(order), True
