from operator import attrgetter, methodcaller

from django.db.models import Prefetch
from django.urls import reverse
from django.utils.html import format_html

from oegen.exports import NUMBER_WIDTH, FileColumn, number_format
from oegen.pages.columns import (
    ChoiceColumn,
    Column,
    CountryColumn,
    DayColumn,
    MomentColumn,
    NullsLastColumn,
    NullsLastPartColumn,
    NumberColumn,
    PartColumn,
    RecordColumn,
    TextColumn,
    country_rank,
    order_by_first_link,
    order_nulls_last,
    truncate,
)
from oegen.pages.tables import FileOnlyColumn, RecordTable
from oegen.search.ordering import natural
from pipelines.choices import RAG, CapacityBasis, Reason
from pipelines.models import Facility, PipelineCounterparty, PipelineFacility

#: Ordered by technology, so that templates can group them. The technologies are prefetched, like
#: the stages below: an instance for each row would take longer than their query.
LISTED_FACILITIES = Prefetch(
    "facilities",
    Facility.objects.prefetch_related("technology").order_by("technology__order", natural("name")),
)


def _with_facilities(queryset):
    return queryset.prefetch_related(LISTED_FACILITIES)


_with_shares = methodcaller("with_shares_of_capacity")


def _with_counterparties(queryset):
    links = PipelineCounterparty.objects.select_related("counterparty", "role")
    links = links.order_by("role__order", natural("counterparty__name"))
    return queryset.prefetch_related(Prefetch("counterparty_links", links))


def _join_distinct(values) -> str:
    return ", ".join(dict.fromkeys(value for value in values if value))


def technologies_of(pipeline) -> str:
    return _join_distinct(facility.technology.name for facility in pipeline.facilities.all())


def technology_keys(pipeline) -> tuple:
    return tuple(facility.technology_id for facility in pipeline.facilities.all())


def countries_of(pipeline) -> str:
    return ", ".join(pipeline.country_names)


def regions_of(pipeline) -> str:
    return _join_distinct(facility.region for facility in pipeline.facilities.all())


def facility_names_of(pipeline) -> str:
    return _join_distinct(facility.name for facility in pipeline.facilities.all())


def counterparties_of(pipeline) -> str:
    return "; ".join(
        f"{link.counterparty} ({link.role})" for link in pipeline.counterparty_links.all()
    )


class FacilityTextColumn(TextColumn):
    """The distinct values of a text field of the pipeline's facilities."""

    def __init__(self, verbose_name: str, field: str, export_value):
        self.field = f"facility__{field}"
        super().__init__(verbose_name, annotate=_with_facilities, export_value=export_value)

    def order(self, queryset, is_descending):
        return order_by_first_link(
            queryset, PipelineFacility, "pipeline", self.field, is_descending
        )


class LeadDeveloperColumn(NullsLastColumn):
    """The lead developer's name, linked to its page."""

    def cell(self, record, value):
        return format_html(
            '<a class="one-line" href="{}" title="{}">{}</a>',
            reverse("counterparty", args=[record.lead_developer_id]),
            truncate(value, 300),
            truncate(value, 60),
        )


class ReasonsColumn(PartColumn):
    """Why the pipeline needs attention."""

    def __init__(self):
        super().__init__(
            "pipelines/parts/reasons.html",
            "Needs attention",
            accessor="reason_codes",
            cache_key=attrgetter("reason_codes"),
            annotate=methodcaller("with_reasons"),
            export_value=lambda pipeline: "; ".join(reason.label for reason in _reasons(pipeline)),
            orderable=False,
        )

    def cell(self, record, value):
        return super().cell(record, _reasons(record))


def _reasons(pipeline) -> list[Reason]:
    return [Reason(code) for code in (pipeline.reason_codes or "").split()]


#: Named, so that columns share the function: RecordTable calls each annotate function once.
_with_bases = methodcaller("with_capacity_by_basis")
_with_technology = methodcaller("prefetch_related", "technology")
_with_stage = methodcaller("prefetch_related", "stage")


def _by_basis(heading: str, unit: str, value, annotate=None) -> FileOnlyColumn:
    """A column of downloads with the capacity of one basis, which can be added up."""
    column = FileColumn(heading, NUMBER_WIDTH, number_format(unit, places=1))
    return FileOnlyColumn(column, value, "capacity_mw", annotate)


def _capacity_of(basis: str):
    """The capacity of a facility of that basis, None for others."""
    return lambda one: one.capacity_mw if one.technology.capacity_basis == basis else None


class PipelineTable(RecordTable):
    #: The capacity first, because phones show the first column beside the name.
    default_columns = (
        "capacity_mw",
        "status",
        "rag_status",
        "technologies",
        "rtb_date",
        "lead_developer",
    )

    project_name = RecordColumn("Pipeline")
    status = PartColumn(
        "pipelines/parts/status.html",
        accessor="status_label",
        cache_key=attrgetter("outcome", "on_hold", "stage_id"),
        order_by=("outcome", "stage__is_terminal", "on_hold", "stage__order"),
        annotate=_with_stage,
    )
    rag_status = ChoiceColumn(
        "pipelines/parts/rag.html",
        RAG,
        "RAG",
        cache_key=attrgetter("rag_status"),
        export_value=lambda pipeline: pipeline.get_rag_status_display() or "Not rated",
    )
    rag_comment = TextColumn("RAG comment")
    rag_confirmed_at = MomentColumn("RAG confirmed")
    technologies = PartColumn(
        "pipelines/parts/technologies.html",
        cache_key=technology_keys,
        annotate=_with_facilities,
        export_value=technologies_of,
    )
    capacity_mw = NumberColumn("Capacity, MW/MWp", places=1, annotate=methodcaller("with_capacity"))
    rtb_date = NullsLastPartColumn(
        "pipelines/parts/rtb.html", "RTB date", annotate=methodcaller("with_overdue")
    )
    attention = ReasonsColumn()
    responsible = Column(
        order_by=("responsible__username",), annotate=methodcaller("select_related", "responsible")
    )
    next_step = TextColumn("Next step")
    next_step_on = DayColumn("Next step due")
    cod_date = DayColumn("COD")
    lead_developer = LeadDeveloperColumn(annotate=methodcaller("with_lead_developer"))
    counterparties = TextColumn(annotate=_with_counterparties, export_value=counterparties_of)
    facilities = FacilityTextColumn("Facilities", "name", facility_names_of)
    country = FacilityTextColumn("Country", "country", countries_of)
    region = FacilityTextColumn("Region", "region", regions_of)
    stage = Column(
        "Stage",
        order_by=("stage__order",),
        annotate=_with_stage,
    )
    on_hold_reason = TextColumn("Why on hold")
    ownership_pct = NumberColumn("Ownership, %", places=1, unit="%")
    probability_pct = NumberColumn("Own probability, %", places=1, unit="%")
    net_mw = NumberColumn("Net, MW/MWp", places=1, annotate=_with_shares)
    gross_weighted_mw = NumberColumn("Gross weighted, MW/MWp", places=1, annotate=_with_shares)
    net_weighted_mw = NumberColumn("Net weighted, MW/MWp", places=1, annotate=_with_shares)
    storage_mw = NumberColumn(
        "Of which storage, MW", places=1, unit="MW", annotate=methodcaller("with_storage")
    )
    created_at = MomentColumn("Added")
    modified_at = MomentColumn("Last changed")

    file_only = tuple(
        _by_basis(heading, unit, attrgetter(name), _with_bases)
        for heading, unit, name in (
            ("Capacity, MWp DC", "MWp", "capacity_dc"),
            ("Capacity, MW AC", "MW", "capacity_ac"),
            ("Storage, MWh", "MWh", "storage_mwh"),
        )
    )

    def order_technologies(self, queryset, is_descending):
        field = "facility__technology__order"
        return order_by_first_link(queryset, PipelineFacility, "pipeline", field, is_descending)

    def order_country(self, queryset, is_descending):
        field = "facility__country"
        rank = country_rank(field, Facility.objects.all())
        return order_by_first_link(
            queryset, PipelineFacility, "pipeline", field, is_descending, rank=rank
        )

    def order_lead_developer(self, queryset, is_descending):
        found = queryset.with_lead_developer_order()
        return order_nulls_last(found, "lead_developer_order", is_descending)

    def order_counterparties(self, queryset, is_descending):
        field = "counterparty__name"
        return order_by_first_link(queryset, PipelineCounterparty, "pipeline", field, is_descending)


class FacilityTable(RecordTable):
    default_columns = (
        "capacity_mw",
        "technology",
        "storage_mwh",
        "country",
        "region",
        "pipeline_count",
    )

    name = RecordColumn("Facility")
    technology = PartColumn(
        "pipelines/parts/technology.html",
        cache_key=attrgetter("technology_id"),
        order_by=("technology__order",),
        annotate=_with_technology,
    )
    capacity_mw = NumberColumn("Capacity, MW/MWp", places=1)
    storage_mwh = NumberColumn("Storage, MWh", places=1, unit="MWh")
    export_limit_mw = NumberColumn("Export limit, MW", places=1, unit="MW")
    country = CountryColumn()
    region = TextColumn()
    latitude = NumberColumn("Latitude, °N", places=4)
    longitude = NumberColumn("Longitude, °E", places=4)
    pipeline_count = NumberColumn("Pipelines", annotate=methodcaller("with_pipeline_count"))
    file_only = (
        _by_basis("Capacity, MWp DC", "MWp", _capacity_of(CapacityBasis.DC), _with_technology),
        _by_basis("Capacity, MW AC", "MW", _capacity_of(CapacityBasis.AC), _with_technology),
    )
    created_at = MomentColumn("Added")
    modified_at = MomentColumn("Last changed")
