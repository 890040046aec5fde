from collections.abc import Iterable, Sequence
from decimal import Decimal
from operator import attrgetter, methodcaller

from django.db.models import Prefetch
from django.utils.html import format_html

from oegen.core.addresses import address_of
from oegen.core.fields import country_name
from oegen.exports import (
    NUMBER_WIDTH,
    TEXT_WIDTH,
    FileColumn,
    FileValue,
    LinkedRows,
    number_format,
)
from oegen.pages.columns import (
    ChoiceColumn,
    Column,
    CountryColumn,
    DayColumn,
    MomentColumn,
    NullsLastColumn,
    NumberColumn,
    PartColumn,
    PersonColumn,
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
from pipelines.models import (
    Facility,
    PipelineCounterparty,
    PipelineFacility,
    Stage,
    Technology,
)
from pipelines.models.pipeline import status_label
from pipelines.querysets.capacity import ZERO
from pipelines.templatetags.pipelines import rtb_cell

#: Ordered by technology, so that templates can group them. The technologies are prefetched, like
#: the stages below: an instance for each row would take longer than their query.
LISTED_FACILITIES = Prefetch(
    "facilities",
    Facility.objects.prefetch_related("technology").order_by("technology__order", natural("name")),
    to_attr="listed_facilities",
)

FACILITIES = LinkedRows(LISTED_FACILITIES, owner="pipelines")

COUNTERPARTY_LINKS = LinkedRows(
    Prefetch(
        "counterparty_links",
        PipelineCounterparty.objects.select_related("counterparty", "role").order_by(
            "role__order", natural("counterparty__name")
        ),
        to_attr="listed_counterparties",
    ),
    owner="pipeline",
)


def _with_facilities(queryset):
    return queryset.prefetch_related(LISTED_FACILITIES)


def _with_counterparties(queryset):
    return queryset.prefetch_related(COUNTERPARTY_LINKS.prefetch)


_with_shares = methodcaller("with_shares_of_capacity")
_with_baseline = methodcaller("with_baseline")


def _join_distinct(values: Iterable[str]) -> str:
    return ", ".join(dict.fromkeys(filter(None, values)))


def _join_countries(codes: Iterable[str]) -> str:
    return _join_distinct(map(country_name, codes))


def _list_counterparties(names: Sequence[str], roles: Sequence[str]) -> str:
    return "; ".join(f"{name} ({role})" for name, role in zip(names, roles, strict=True))


def _rag_label(code: str) -> str:
    return RAG(code).label if code else "Not rated"


def technology_keys(pipeline) -> tuple:
    return tuple(facility.technology_id for facility in pipeline.listed_facilities)


class FacilityTextColumn(TextColumn):
    """The distinct values of a text field of the pipeline's facilities."""

    def __init__(self, verbose_name: str, field: str, join=_join_distinct):
        self.field = f"facility__{field}"
        value = FileValue((field,), join, FACILITIES)
        super().__init__(verbose_name, annotate=_with_facilities, file_value=value)

    def order(self, queryset, is_descending):
        return order_by_first_link(
            queryset, PipelineFacility, "pipeline", self.field, is_descending
        )


class LeadDeveloperColumn(NullsLastColumn):
    """The lead developer's name, linked to its page."""

    def cell(self, record, value):
        return format_html(
            '<a class="one-line" href="{}" title="{}">{}</a>',
            address_of("counterparty", record.lead_developer_id),
            truncate(value, 300),
            truncate(value, 60),
        )


class RtbColumn(NullsLastColumn):
    def __init__(self):
        super().__init__("RTB date", empty_values=(), annotate=methodcaller("with_overdue"))

    def cell(self, record, value):
        return rtb_cell(record)


class ReasonsColumn(PartColumn):
    """Why the pipeline needs attention."""

    def __init__(self):
        super().__init__(
            "pipelines/parts/reasons.html",
            "Needs attention",
            accessor="reason_codes",
            cache_key=attrgetter("reason_codes"),
            annotate=methodcaller("with_reasons"),
            file_value=FileValue(("reason_codes",), _list_reasons),
            orderable=False,
        )

    def cell(self, record, value):
        return super().cell(record, _reasons(value))


class FindingsColumn(TextColumn):
    """What public registers say otherwise, in sentences."""

    def __init__(self):
        super().__init__(
            "Registers say otherwise",
            accessor="finding_texts",
            annotate=methodcaller("with_findings"),
            file_value=FileValue(("finding_texts",)),
            orderable=False,
        )

    def cell(self, record, value):
        return format_html('<span title="{}">{}</span>', value or "", truncate(value or "", 200))


def _reasons(codes: str | None) -> list[Reason]:
    return [Reason(code) for code in (codes or "").split()]


def _list_reasons(codes: str | None) -> str:
    return "; ".join(reason.label for reason in _reasons(codes))


#: Named, so that columns share the function: RecordTable calls each annotate function once.
_with_technology = methodcaller("prefetch_related", "technology")
_with_stage = methodcaller("prefetch_related", "stage")


def _total(figures: Iterable[Decimal | None]) -> Decimal | None:
    """The sum of the known figures; None if none is known."""
    known = [figure for figure in figures if figure is not None]
    return sum(known, ZERO) if known else None


def _by_basis(heading: str, unit: str, value: FileValue) -> FileOnlyColumn:
    """A column of downloads with the capacity of one basis, which can be added up."""
    column = FileColumn(heading, NUMBER_WIDTH, number_format(unit, places=1))
    return FileOnlyColumn(column, value, "capacity_mw")


#: What the capacities of one basis are chosen by.
CAPACITY_AND_BASIS = ("capacity_mw", "technology__capacity_basis")


def _capacity_of(basis: str):
    """The capacity of a facility of that basis, None for others."""
    return lambda mw, own_basis: mw if own_basis == basis else None


def _total_of(basis: str):
    """The total capacity of the facilities of that basis."""
    capacity = _capacity_of(basis)
    return lambda figures, bases: _total(map(capacity, figures, bases))


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
        file_value=FileValue(
            ("outcome", "on_hold", "stage__name", "stage__is_terminal"), status_label
        ),
    )
    rag_status = ChoiceColumn(
        "pipelines/parts/rag.html",
        RAG,
        "RAG",
        cache_key=attrgetter("rag_status"),
        file_value=FileValue(("rag_status",), _rag_label),
        file_choices=lambda: map(_rag_label, (*RAG.values, "")),
    )
    rag_comment = TextColumn("RAG comment")
    rag_confirmed_at = MomentColumn("RAG confirmed")
    technologies = PartColumn(
        "pipelines/parts/technologies.html",
        cache_key=technology_keys,
        annotate=_with_facilities,
        file_value=FileValue(("technology__name",), _join_distinct, FACILITIES),
    )
    capacity_mw = NumberColumn(
        "Capacity, MW/MWp",
        places=1,
        annotate=methodcaller("with_capacity"),
        file_value=FileValue(("capacity_mw",), _total, FACILITIES),
    )
    rtb_date = RtbColumn()
    rtb_baseline = DayColumn("RTB baseline", annotate=_with_baseline)
    rtb_days_late = NumberColumn("RTB against baseline, days", annotate=_with_baseline)
    attention = ReasonsColumn()
    registers = FindingsColumn()
    responsible = PersonColumn("responsible")
    next_step = TextColumn("Next step")
    next_step_on = DayColumn("Next step due")
    cod_date = DayColumn("COD")
    lead_developer = LeadDeveloperColumn(annotate=methodcaller("with_lead_developer"))
    counterparties = TextColumn(
        annotate=_with_counterparties,
        file_value=FileValue(
            ("counterparty__name", "role__name"), _list_counterparties, COUNTERPARTY_LINKS
        ),
    )
    facilities = FacilityTextColumn("Facilities", "name")
    country = FacilityTextColumn("Country", "country", _join_countries)
    region = FacilityTextColumn("Region", "region")
    stage = Column(
        "Stage",
        order_by=("stage__order",),
        annotate=_with_stage,
        file_value=FileValue(("stage__name",)),
        file_choices=lambda: Stage.objects.values_list("name", flat=True),
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

    file_only = (
        *(
            _by_basis(heading, unit, FileValue(lookups, total, FACILITIES))
            for heading, unit, lookups, total in (
                ("Capacity, MWp DC", "MWp", CAPACITY_AND_BASIS, _total_of(CapacityBasis.DC)),
                ("Capacity, MW AC", "MW", CAPACITY_AND_BASIS, _total_of(CapacityBasis.AC)),
                ("Storage, MWh", "MWh", ("storage_mwh",), _total),
            )
        ),
        FileOnlyColumn(
            FileColumn("Licences of registers", TEXT_WIDTH),
            FileValue(("finding_sources",)),
            "registers",
        ),
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
        file_value=FileValue(("technology__name",)),
        file_choices=lambda: Technology.objects.values_list("name", flat=True),
    )
    capacity_mw = NumberColumn("Capacity, MW/MWp", places=1)
    storage_mwh = NumberColumn("Storage, MWh", places=1, unit="MWh")
    export_limit_mw = NumberColumn("Export limit, MW", places=1, unit="MW")
    country = CountryColumn()
    region = TextColumn()
    latitude = NumberColumn("Latitude, °N", places=4)
    longitude = NumberColumn("Longitude, °E", places=4)
    pipeline_count = NumberColumn("Pipelines", annotate=methodcaller("with_pipeline_count"))
    file_only = tuple(
        _by_basis(heading, unit, FileValue(CAPACITY_AND_BASIS, _capacity_of(basis)))
        for heading, unit, basis in (
            ("Capacity, MWp DC", "MWp", CapacityBasis.DC),
            ("Capacity, MW AC", "MW", CapacityBasis.AC),
        )
    )
    created_at = MomentColumn("Added")
    modified_at = MomentColumn("Last changed")
