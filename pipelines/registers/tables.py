from operator import attrgetter, methodcaller

from django.utils.html import format_html
from django.utils.text import Truncator

from oegen.exports import ID_WIDTH, NUMBER_WIDTH, TEXT_WIDTH, FileColumn, FileValue, number_format
from oegen.pages.columns import (
    ChoiceColumn,
    Column,
    CountryColumn,
    DayColumn,
    NumberColumn,
    PartColumn,
    RecordColumn,
    TextColumn,
)
from oegen.pages.tables import FileOnlyColumn, RecordTable
from pipelines.choices import CapacityBasis
from pipelines.models import Stage
from pipelines.registers.choices import Phase, RegisterOutcome

#: Named, so that columns share the function: RecordTable calls each annotate function once.
_with_technology = methodcaller("prefetch_related", "technology")
_with_stage = methodcaller("prefetch_related", "stage")
_with_register = methodcaller("prefetch_related", "register")


def _technology(name: str | None, published: str) -> str:
    return name or published


def _licence(name: str, url: str, attribution: str) -> str:
    return f"{attribution} ({name}, {url})"


def _of_basis(basis: str):
    return lambda mw, own_basis: mw if own_basis == basis else None


class ChoiceLabelColumn(ChoiceColumn):
    """The label of a choice as plain text; in downloads, too."""

    def __init__(self, choices, *args, **kwargs):
        labels = dict(choices.choices)
        value = FileValue((kwargs.pop("field"),), lambda code: str(labels.get(code, "")))
        super().__init__("", choices, *args, file_value=value, **kwargs)

    def cell(self, record, value):
        return str(dict(self.choices.choices).get(value, ""))


class RegisterCodeColumn(Column):
    """The register as people call it, such as REPD; its name on hover and in downloads."""

    def cell(self, record, value):
        short = Truncator(value.short_name).chars(30)
        return format_html('<abbr title="{}">{}</abbr>', value.name, short)


class RegisterProjectTable(RecordTable):
    #: The capacity first, because phones show the first column beside the name.
    default_columns = (
        *("capacity_mw", "raw_status", "technology", "operator", "region"),
        *("register", "submitted_on"),
    )

    name = RecordColumn("Project")
    capacity_mw = NumberColumn("Capacity, MW/MWp", places=1)
    raw_status = TextColumn("Status")
    phase = ChoiceLabelColumn(Phase, field="phase")
    technology = PartColumn(
        "registers/parts/technology.html",
        cache_key=attrgetter("technology_id", "raw_technology"),
        order_by=("technology__order", "raw_technology"),
        annotate=_with_technology,
        file_value=FileValue(("technology__name", "raw_technology"), _technology),
    )
    operator = TextColumn()
    region = TextColumn()
    country = CountryColumn()
    register = RegisterCodeColumn(
        order_by=("register__order",),
        annotate=_with_register,
        file_value=FileValue(("register__name",)),
    )
    submitted_on = DayColumn("Applied")
    consented_on = DayColumn("Consented")
    consent_expires_on = DayColumn("Consent expires")
    construction_on = DayColumn("Construction begun")
    operational_on = DayColumn("In operation")
    refused_on = DayColumn("Refused")
    withdrawn_on = DayColumn("Withdrawn")
    expected_on = DayColumn("Expected in operation")
    grid_on = DayColumn("Grid connection")
    decommissioned_on = DayColumn("Decommissioned")
    outcome = ChoiceLabelColumn(RegisterOutcome, field="outcome")
    stage = Column(
        order_by=("stage__order",),
        annotate=_with_stage,
        file_value=FileValue(("stage__name",)),
        file_choices=lambda: Stage.objects.values_list("name", flat=True),
    )
    raw_technology = TextColumn("Technology as published")
    place = TextColumn()
    latitude = NumberColumn("Latitude, °N", places=4)
    longitude = NumberColumn("Longitude, °E", places=4)
    key = Column("Reference")
    first_seen_on = DayColumn("First edition")
    last_seen_on = DayColumn("Last edition")

    file_only = (
        *(
            FileOnlyColumn(
                FileColumn(heading, NUMBER_WIDTH, number_format(unit, places=1)),
                FileValue(("capacity_mw", "capacity_basis"), _of_basis(basis)),
                "capacity_mw",
            )
            for heading, unit, basis in (
                ("Capacity, MWp DC", "MWp", CapacityBasis.DC),
                ("Capacity, MW AC", "MW", CapacityBasis.AC),
            )
        ),
        FileOnlyColumn(
            FileColumn("Licence and attribution", TEXT_WIDTH),
            FileValue(
                ("register__licence_name", "register__licence_url", "register__attribution"),
                _licence,
            ),
        ),
    )
    file_keys = (FileOnlyColumn(FileColumn("ID", ID_WIDTH, is_grey=True), FileValue(("pk",), str)),)
