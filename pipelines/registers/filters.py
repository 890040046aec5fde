from collections import Counter, defaultdict
from collections.abc import Iterable
from datetime import MAXYEAR, MINYEAR
from decimal import Decimal
from functools import cached_property, reduce
from operator import itemgetter, or_
from uuid import UUID

from django.db.models import Count, Q

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
from oegen.pages.selection import ALL, Choice, Selection, SelectionFilter
from pipelines.models import Stage, Technology
from pipelines.registers.choices import Phase, RegisterOutcome
from pipelines.registers.licences import registers_shown
from pipelines.registers.models import Edition, Register, RegisterProject
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

#: Of each country the register with the most projects; no code of a register has the tilde.
MAIN = "~main"

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


def register_choices() -> list[Choice]:
    known = [(one.code, one.name) for one in registers_shown()]
    return [
        Choice(ALL, "All registers", parts=(MAIN, *(code for code, _ in known))),
        Choice(MAIN, "Largest of each country"),
        *(Choice(code, name) for code, name in known),
    ]


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


def main_registers() -> dict[str, UUID]:
    """For each country the key of the register with the most projects there: registers of one
    country list the same plants."""

    def read():
        found = RegisterProject.objects.in_newest().order_by()
        rows = found.values_list("country", "register").annotate(Count("pk"))
        return {country: register for country, register, _ in sorted(rows, key=itemgetter(2))}

    return _kept("main", read)


def registers_of(selected: Selection | None) -> list[Register]:
    """Those whose projects a filter by register takes."""
    found = list(registers_shown())
    if not selected:
        return found
    main = set(main_registers().values())

    def is_among(codes: Iterable[str], one: Register) -> bool:
        return ALL in codes or one.code in codes or (MAIN in codes and one.pk in main)

    return [
        one
        for one in found
        if (not selected.included or is_among(selected.included, one))
        and not is_among(selected.excluded, one)
    ]


def of_one_country(registers: Iterable[Register]) -> list[Register]:
    """Those that may list the same plants as another of them."""
    registers = list(registers)
    countries = Counter(one.country for one in registers)
    return [one for one in registers if countries[one.country] > 1]


def chosen_registers(projects: Iterable[RegisterProject]) -> dict[str, UUID]:
    """For each country the key of its main register if that has any of the projects there, else of
    the one with most of them."""
    numbers = Counter((one.country, one.register_id) for one in projects)
    main = main_registers()
    ranked = sorted(numbers, key=lambda one: (main.get(one[0]) == one[1], numbers[one]))
    return dict(ranked)


def in_main_registers() -> Q:
    """The condition that a project is of its country's main register."""
    countries: dict[UUID, list[str]] = defaultdict(list)
    for country, register in main_registers().items():
        countries[register].append(country)
    return reduce(
        or_,
        (Q(register=key, country__in=several) for key, several in countries.items()),
        Q(pk__in=[]),
    )


class ProjectFilters(PageFilterSet):
    """The filters that the list of projects and the ranking of their companies have in common."""

    q = TextFilter()
    register = SelectionFilter(
        "Register",
        register_choices,
        group_by="register__code",
        is_combined=lambda code: code == MAIN,
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
        condition = Q(register__code__in=codes)
        return queryset.filter(condition | in_main_registers() if MAIN in codes else condition)

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


class CompanyFilter(ProjectFilters):
    """Which projects of the companies count."""

    primary = ("q", "register", "technology", "country", "region")
    ranges = (("year_from", "year_to"),)

    @cached_property
    def registers(self) -> list[Register]:
        """Those whose projects count."""
        return registers_of(self._selected)

    @property
    def may_count_twice(self) -> list[Register]:
        """Those of the registers, chosen by themselves, that may list the same plants."""
        selected = self._selected
        is_main = selected is not None and selected.included == (MAIN,)
        return [] if is_main else of_one_country(self.registers)

    @property
    def _selected(self) -> Selection | None:
        return self.form.cleaned_data.get("register") if self.is_valid() else None
