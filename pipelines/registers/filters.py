from collections.abc import Iterable
from datetime import MAXYEAR, MINYEAR
from decimal import Decimal
from functools import cached_property

from django.db.models import Count

from oegen.pages.filters import (
    AmountFilter,
    NameFilter,
    PageFilterSet,
    RecordFilter,
    TextFilter,
    WholeNumberFilter,
    countries_of,
    queryset_method,
)
from oegen.pages.selection import ALL, Choice, SelectionFilter
from pipelines.models import Stage, Technology
from pipelines.registers.choices import Phase, RegisterOutcome
from pipelines.registers.models import Edition, Register, RegisterProject
from pipelines.registers.models.edition import registers_with_editions
from pipelines.registers.phases import year_of_phase
from pipelines.registers.querysets import (
    CAME_BACK,
    IN_NEWEST,
    MOVED,
    NEW,
    VANISHED,
    WENT_BACK,
)
from pipelines.registers.version import keep_with_editions

#: Of a technology or a region that a register does not say, or that we have no code for.
NONE = "none"

SEEN = [
    Choice(ALL, "All, vanished ones too", parts=(IN_NEWEST, VANISHED)),
    Choice(IN_NEWEST, "In the newest edition", parts=(NEW, MOVED, CAME_BACK, WENT_BACK)),
    Choice(NEW, "New in it"),
    Choice(MOVED, "Moved to another phase"),
    Choice(WENT_BACK, "Went back a stage"),
    Choice(CAME_BACK, "Came back"),
    Choice(VANISHED, "Vanished"),
]


def _kept(kind: str, read):
    """Choices by what occurs among all projects take a scan of them."""
    return keep_with_editions(read, "register choices", kind)


def register_choices() -> list[tuple[str, str]]:
    return list(registers_with_editions().values_list("code", "name"))


def technology_choices() -> list[tuple[str, str]]:
    def read():
        used = RegisterProject.objects.present().order_by().values("technology").distinct()
        known = Technology.objects.filter(pk__in=list(used.values_list("technology", flat=True)))
        return list(known.values_list("code", "name"))

    return [*_kept("technologies", read), (NONE, "Another, or not known")]


def country_choices() -> list[tuple[str, str]]:
    return _kept("countries", lambda: countries_of(RegisterProject.objects.present()))


def region_choices() -> list[tuple[str, str]]:
    def read():
        regions = RegisterProject.objects.present().exclude(region="").order_by()
        return [(one, one) for one in sorted(set(regions.values_list("region", flat=True)))]

    return _kept("regions", read)


def stage_choices() -> list[tuple[str, str]]:
    return [*Stage.objects.values_list("code", "name"), (NONE, "No stage")]


def edition_choices() -> list[tuple[str, str]]:
    editions = Edition.objects.select_related("register").order_by("register__order", "-date")
    return [(f"{one.register.code}:{one.date}", str(one)) for one in editions]


def _or_null(codes: Iterable[str], field: str, path: str, queryset):
    """Those with one of the codes at the path; NONE stands for an empty field."""
    known = [code for code in codes if code != NONE]
    found = queryset.filter(**{f"{path}__in": known})
    return found | queryset.filter(**{field: None}) if NONE in codes else found


def _year(value: Decimal) -> int:
    """The year, or the nearest one that a date can have."""
    return min(max(int(value), MINYEAR), MAXYEAR)


class ProjectFilters(PageFilterSet):
    """The filters that the list of projects and the ranking of their companies have in common."""

    q = TextFilter()
    register = SelectionFilter(
        "Register",
        register_choices,
        group_by="register__code",
        empty_label="Any register",
        pick="of_register",
    )
    technology = SelectionFilter(
        "Technology",
        technology_choices,
        pick="of_technology",
        group_by="technology__code",
        buckets={NONE: None},
        empty_label="Any technology",
    )
    country = SelectionFilter(
        "Country", country_choices, group_by="country", empty_label="Any country"
    )
    region = SelectionFilter("Region", region_choices, group_by="region", empty_label="Any region")
    year_from = WholeNumberFilter(
        "year_from", "gte", "In its phase since, from year", 2023, noun="year", method="since_year"
    )
    year_to = WholeNumberFilter(
        "year_to", "lte", "In its phase since, to year", 2023, noun="year", method="until_year"
    )

    class Meta:
        model = RegisterProject
        fields: list[str] = []

    def of_register(self, queryset, codes):
        return queryset.filter(register__code__in=codes)

    def of_technology(self, queryset, codes):
        return _or_null(codes, "technology", "technology__code", queryset)

    def since_year(self, queryset, name, value):
        return queryset.annotate(phase_year=year_of_phase()).filter(phase_year__gte=_year(value))

    def until_year(self, queryset, name, value):
        return queryset.annotate(phase_year=year_of_phase()).filter(phase_year__lte=_year(value))


class RegisterProjectFilter(ProjectFilters):
    primary = ("q", "register", "technology", "phase", "seen", "company")
    ranges = (("capacity_min", "capacity_max"), ("year_from", "year_to"))

    phase = SelectionFilter("Phase", Phase.choices, group_by="phase", empty_label="Any phase")
    seen = SelectionFilter("Edition", SEEN, select="seen", empty_label="Any, vanished ones too")
    company = NameFilter("Company", method=queryset_method("of_company_named"))
    outcome = SelectionFilter(
        "Outcome", RegisterOutcome.choices, group_by="outcome", empty_label="Any outcome"
    )
    stage = SelectionFilter(
        "Stage",
        stage_choices,
        pick="of_stage",
        group_by="stage__code",
        buckets={NONE: None},
        empty_label="Any stage",
    )
    status = NameFilter("Status as published", field_name="raw_status", lookup_expr="icontains")
    capacity_min = AmountFilter("capacity_mw", "gte", "Capacity from, MW")
    capacity_max = AmountFilter("capacity_mw", "lte", "Capacity to, MW")
    edition = SelectionFilter(
        "First seen in", edition_choices, pick="first_seen_in", empty_label="Any edition"
    )
    owner = RecordFilter("registers.RegisterCompany", "Company", method=queryset_method("of_owner"))

    def of_stage(self, queryset, codes):
        return _or_null(codes, "stage", "stage__code", queryset)

    def first_seen_in(self, queryset, codes):
        found = queryset.none()
        for code in codes:
            register, _, day = code.partition(":")
            found |= queryset.filter(register__code=register, first_seen_on=day)
        return found


def main_registers() -> list[Register]:
    """Of each country the register with the most projects, so that no plant counts twice."""

    def read():
        numbers = dict(
            RegisterProject.objects.in_newest()
            .order_by()
            .values_list("register")
            .annotate(Count("pk"))
        )
        largest: dict[str, Register] = {}
        for register in Register.objects.filter(pk__in=numbers):
            known = largest.get(register.country)
            if known is None or numbers[register.pk] > numbers[known.pk]:
                largest[register.country] = register
        return list(largest.values())

    return _kept("main", read)


class CompanyFilter(ProjectFilters):
    """Which projects of the companies count. Without a register those of ``main_registers``."""

    primary = ("q", "register", "technology", "country", "region")
    ranges = (("year_from", "year_to"),)

    register = SelectionFilter(
        "Register",
        register_choices,
        pick="of_register",
        group_by="register__code",
        empty_label="Largest of each country",
    )

    def filter_queryset(self, queryset):
        found = super().filter_queryset(queryset)
        if self.form.cleaned_data.get("register"):
            return found
        return found.filter(register__in=[one.pk for one in self.registers])

    @cached_property
    def registers(self) -> list[Register]:
        """Those whose projects count."""
        selected = self.form.cleaned_data.get("register") if self.is_valid() else None
        if not selected:
            return main_registers()
        return [one for one in registers_with_editions() if selected.allows(one.code)]
