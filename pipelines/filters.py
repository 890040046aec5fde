from collections.abc import Callable, Collection
from datetime import date
from typing import TypeVar

import django_filters
from django import forms
from django.core.exceptions import ValidationError
from django.db.models import Exists, OuterRef, Q
from django.http import QueryDict

from counterparties.filters import CounterpartyNameFilter
from counterparties.querysets import filter_links
from oegen import asof, audit
from oegen.core import clock
from oegen.core.caching import keep
from oegen.core.compiled import compiled, one_of
from oegen.core.sql import fetch
from oegen.models import User
from oegen.pages.filters import (
    MINE,
    AmountFilter,
    DayFilter,
    DefaultFilter,
    NameFilter,
    PageFilterSet,
    RecordFilter,
    RecordsFilter,
    TextFilter,
    WholeNumberFilter,
    countries_named,
    countries_of,
    is_person,
    queryset_method,
)
from oegen.pages.selection import ALL, NOTHING, Choice, SelectionFilter
from pipelines import vocabulary
from pipelines.choices import ON_HOLD, RAG, FindingKind, Outcome, Reason
from pipelines.facts.kept import facts_and_others_version
from pipelines.models import (
    Facility,
    Fact,
    Pipeline,
    PipelineCounterparty,
    Stage,
    Technology,
)
from pipelines.querysets import (
    ALL_KINDS,
    ANY_FINDING,
    ANY_REASON,
    BETTER,
    HELD,
    IN_TIME,
    NO_DATE,
    NO_FACILITY,
    ON_COURSE,
    OPEN,
    OVERDUE,
    WORSE,
)
from pipelines.stays import ENDED, ENTERED, SOLD, THERE, UNDECIDED, WENT_ON

T = TypeVar("T")

NOT_RATED = "none"

#: Code for no one; the space keeps it from being a username.
NOBODY = "no one"
YES = "yes"

#: The default filter of the list and the map.
OPEN_BY_DEFAULT = DefaultFilter("status", OPEN, "open")

RAGS = [*RAG.choices, (NOT_RATED, "Not rated")]

RAG_MOVES = [(WORSE, "Worse"), (BETTER, "Better")]

#: Results of a stage; see ``PipelineQuerySet.with_stage_result``.
STAGE_RESULTS = {
    ENTERED: "entered",
    WENT_ON: "moved on",
    SOLD: "sold there",
    ENDED: "given up there",
    UNDECIDED: "still undecided",
    THERE: "still there",
}


def statuses(stages: Collection[Stage]) -> list[tuple[str, str]]:
    """Codes and names in the order in which a project goes through them."""
    return [
        *((stage.code, stage.name) for stage in stages if not stage.is_terminal),
        (HELD, ON_HOLD),
        *((stage.code, stage.name) for stage in stages if stage.is_terminal),
        *((code, str(label)) for code, label in Outcome.choices if code != Outcome.ACTIVE),
    ]


def status_choices() -> list[Choice]:
    stages = vocabulary.stages()
    known = statuses(stages)
    open_codes = tuple(stage.code for stage in stages if not stage.is_terminal)
    return [
        Choice(ALL, "All, ended ones too", parts=(OPEN, *(code for code, _ in known))),
        Choice(OPEN, "Open, all stages", parts=open_codes),
        *(Choice(code, name) for code, name in known),
    ]


def _read(records: Callable[[], T], kind: str) -> T:
    """Of a past day, which takes long to read, they are cached until a write is dated before."""
    if not clock.past_day():
        return records()
    return keep(records, "choices", kind, facts_and_others_version())


def _active_or_in_use() -> list[Technology]:
    if clock.past_day():
        technologies = asof.table(Technology)
        history = asof.stored_table(audit.history_model(Facility))
        used = f"""
            SELECT 1 FROM {technologies} AS technology WHERE NOT is_active
            AND EXISTS (SELECT 1 FROM {history} WHERE technology_id = technology.id) LIMIT 1
        """  # noqa: S608
        if not fetch(used):
            # None was ever used: no need to make the table of the facilities of that day.
            return list(Technology.objects.filter(is_active=True))
    return vocabulary.technologies_to_choose()


def technology_choices() -> list[Choice]:
    """The technologies that are active or in use, each followed by its kinds."""
    known = _read(_active_or_in_use, "technologies")
    choices = []
    for parent in (technology for technology in known if technology.parent_id is None):
        kinds = [(kind.code, kind.name) for kind in known if kind.parent_id == parent.pk]
        if kinds:
            parts = (parent.code, *(code for code, _ in kinds))
            family = f"{parent.code}{ALL_KINDS}"
            choices.append(Choice(family, f"{parent.name}, all kinds", parts=parts))
            choices.append(Choice(parent.code, f"{parent.name}, kind not given"))
        else:
            choices.append(Choice(parent.code, parent.name))
        choices += [Choice(code, name) for code, name in kinds]
    return choices


def pipeline_technology_choices() -> list[Choice]:
    return [*technology_choices(), Choice(NO_FACILITY, "No facility yet")]


def is_technology_family(code: str) -> bool:
    """Whether the choice stands for several technologies."""
    return code.endswith(ALL_KINDS)


def responsible_choices() -> list[tuple[str, str]]:
    """Everybody who may sign in, and whoever is responsible for a pipeline."""
    return [
        (MINE, "Me"),
        *((person.username, str(person)) for person in _people()),
        (NOBODY, "Nobody"),
    ]


def _people():
    if not clock.past_day():
        return _people_now()
    return _people_then(in_charge={person for _, person in _of_facts() if person is not None})


@compiled
def _people_now():
    in_charge = Exists(Pipeline.objects.filter(responsible=OuterRef("pk")).order_by())
    return User.objects.filter(Q(is_active=True) | Q(in_charge))


@compiled
def _people_then(*, in_charge):
    return User.objects.filter(Q(is_active=True) | Q(pk__in=one_of(in_charge, User)))


def reader_key(query: QueryDict, reader: User) -> tuple[str, int | None]:
    """The filters, and their reader if what they mean depends on who that is: for cache keys."""
    is_personal = any(MINE in value for _, values in query.lists() for value in values)
    return query.urlencode(), reader.pk if is_personal else None


def name_reader(query: QueryDict, reader: User) -> QueryDict:
    """The filters with the reader's username where they mean whoever reads."""
    named = query.copy()
    for parameter, values in query.lists():
        if parameter == "also":
            named.setlist(
                "also", [name_reader(QueryDict(value), reader).urlencode() for value in values]
            )
        else:
            named.setlist(parameter, [reader.username if one == MINE else one for one in values])
    return named


def _of_facts() -> list[tuple[str, int | None]]:
    """Each country with each person responsible, of the facts of a past day: the tables of the
    facilities and the pipelines as of that day would take longer to make."""
    pairs = Fact.objects.now().order_by().values_list("country", "responsible_id").distinct()
    return _read(lambda: list(pairs), "countries and people")


def attention_choices() -> list[Choice]:
    reasons = tuple(map(str, Reason))
    return [
        Choice(ANY_REASON, "For any reason", parts=reasons),
        *(Choice(str(reason), str(reason.label)) for reason in Reason),
    ]


def finding_choices() -> list[Choice]:
    kinds = tuple(FindingKind.values)
    return [
        Choice(ANY_FINDING, "Say anything otherwise", parts=kinds),
        *(Choice(str(kind), str(kind.label)) for kind in FindingKind),
    ]


def role_choices() -> list[tuple[str, str]]:
    return [(role.code, role.name) for role in vocabulary.roles()]


def _with_status(pipelines, filters):
    return pipelines.with_status()


def _with_counterparty_links(pipelines, filters):
    """Restrict the links that are grouped to those of the counterparties filtered by."""
    name = filters.form.cleaned_data.get("counterparty")
    if not name:
        return pipelines
    links = filter_links(PipelineCounterparty.objects.order_by(), name, ())
    return pipelines.filter(counterparty_links__in=links)


def stage_result_choices() -> list[tuple[str, str]]:
    return [
        (f"{code}:{result}", f"{name}: {label}")
        for code, name in open_stage_choices()
        for result, label in STAGE_RESULTS.items()
    ]


def open_stage_choices() -> list[tuple[str, str]]:
    return [(stage.code, stage.name) for stage in vocabulary.open_stages()]


def validate_not_in_future(day: date) -> None:
    if day > clock.today():
        raise ValidationError("This day is in the future: choose today or an earlier day.")


class NestedFilterField(forms.CharField):
    """A query string; cleans to a valid, bound PipelineFilter."""

    def clean(self, value):
        text = super().clean(value)
        if not text:
            return None
        found = PipelineFilter(QueryDict(text))
        if not found.is_valid():
            raise ValidationError("The nested filters of this address are not valid.")
        return found


class NestedFilter(django_filters.Filter):
    """A nested query string of filters, combined with the page's own by AND. Links behind figures
    use it for a second condition on a filter that the page already has."""

    field_class = NestedFilterField

    def __init__(self):
        super().__init__(label="And", max_length=3000, widget=forms.HiddenInput)

    def filter(self, queryset, value):
        if not value:
            return queryset
        value.request = self.parent.request
        return value.filter_queryset(queryset)


def facility_country_choices() -> list[tuple[str, str]]:
    return _read(lambda: countries_of(Facility.objects.all()), "countries")


def pipeline_country_choices() -> list[tuple[str, str]]:
    if clock.past_day():
        return countries_named({country for country, _ in _of_facts()})
    return facility_country_choices()


class PipelineFilter(PageFilterSet):
    primary = ("q", "status", "technology", "rag", "rtb", "counterparty")
    ranges = (
        ("capacity_min", "capacity_max"),
        ("rtb_from", "rtb_to"),
        ("ownership_min", "ownership_max"),
    )
    requires = (("rag_was", "since"), ("stage_was", "since"), ("rag_moved", "since"))
    #: The filters that facts can be filtered by, too.
    of_facts = (
        *("status", "technology", "rag", "rtb", "attention", "country"),
        *("capacity_min", "capacity_max", "rtb_from", "rtb_to", "rtb_year", "late_days"),
        *("not_confirmed", "since", "rag_was", "stage_was", "rag_moved", "way"),
    )

    q = TextFilter()
    status = SelectionFilter(
        "Status",
        status_choices,
        select="of_status",
        group_by="status",
        annotate=_with_status,
        is_combined=lambda code: code == OPEN,
        empty_label="Any status",
    )
    technology = SelectionFilter(
        "Technology",
        pipeline_technology_choices,
        select="of_technology",
        group_by="facilities__technology__code",
        buckets={NO_FACILITY: None},
        is_combined=is_technology_family,
        empty_label="Any technology",
    )
    rag = SelectionFilter(
        "RAG",
        RAGS,
        pick="of_rag",
        group_by="rag_status",
        buckets={NOT_RATED: ""},
        empty_label="Any RAG",
    )
    rtb = SelectionFilter(
        "RTB date",
        [
            (OVERDUE, "Overdue"),
            (IN_TIME, "Not overdue"),
            (ON_COURSE, "Reached or scheduled"),
            (NO_DATE, "No date"),
        ],
        select="of_rtb",
        empty_label="Any RTB date",
    )
    attention = SelectionFilter(
        "Needs attention",
        attention_choices,
        select="needing_attention",
        empty_label="Whether or not",
    )
    registers = SelectionFilter(
        "Public registers",
        finding_choices,
        select="with_findings_of",
        empty_label="Whatever they say",
    )
    counterparty = CounterpartyNameFilter(method="filter_counterparty")
    role = SelectionFilter(
        "Counterparty’s role",
        role_choices,
        pick="in_role",
        group_by="counterparty_links__role__code",
        annotate=_with_counterparty_links,
        empty_label="Any role",
    )
    responsible = SelectionFilter(
        "Responsible",
        responsible_choices,
        pick="of_responsible",
        group_by="responsible__username",
        buckets={NOBODY: None},
        is_combined=lambda code: code == MINE,
        empty_label="Anybody",
    )
    country = SelectionFilter(
        "Country",
        pipeline_country_choices,
        select="in_country",
        group_by="facilities__country",
        empty_label="Any country",
    )
    region = NameFilter("Region", method=queryset_method("in_region"))
    capacity_min = AmountFilter(
        "capacity_min", "gte", "Capacity from, MW", method="filter_capacity"
    )
    capacity_max = AmountFilter("capacity_max", "lte", "Capacity to, MW", method="filter_capacity")
    rtb_from = DayFilter("rtb_date", "gte", "RTB from")
    rtb_to = DayFilter("rtb_date", "lte", "RTB to")
    ownership_min = AmountFilter("ownership_pct", "gte", "Our share from, %", max_value=100)
    ownership_max = AmountFilter("ownership_pct", "lte", "Our share to, %", max_value=100)
    late_days = WholeNumberFilter(
        "rtb_days_late",
        "gte",
        "RTB later than its baseline by at least, days",
        method="filter_late_days",
        min_value=1,
        max_value=100_000,
        example=30,
    )
    rtb_year = WholeNumberFilter(
        "rtb_date",
        "year",
        "RTB year",
        example=2027,
        noun="year",
        min_value=1900,
        max_value=2200,
    )
    not_confirmed = WholeNumberFilter(
        "rag_confirmed_at",
        "lt",
        "RAG not confirmed for over, days",
        example=30,
        max_value=36_500,
        method="filter_not_confirmed",
    )
    changed_since = DayFilter("modified_at", "date__gte", "Changed since")
    since = DayFilter(
        "since",
        "exact",
        "Open at the end of",
        method="filter_since",
        validators=[validate_not_in_future],
    )
    rag_was = django_filters.ChoiceFilter(
        label="RAG on that day",
        choices=RAGS,
        method="filter_rag_was",
        empty_label="Any RAG",
    )
    stage_was = django_filters.ChoiceFilter(
        label="Stage on that day",
        choices=open_stage_choices,
        method="filter_stage_was",
        empty_label="Any stage",
    )
    rag_moved = django_filters.ChoiceFilter(
        label="RAG since then",
        choices=RAG_MOVES,
        method="filter_rag_moved",
        empty_label="Any RAG",
    )
    way = django_filters.ChoiceFilter(
        label="Way",
        choices=stage_result_choices,
        method="filter_way",
        widget=forms.HiddenInput,
        error_messages={"invalid_choice": "There is no “%(value)s” here."},
    )
    infopoint = RecordFilter(
        "infopoints.InformationPoint", "About", field_name="information_points"
    )
    counterparty_id = RecordFilter(
        "counterparties.Counterparty", "Counterparty", method=queryset_method("linked_to")
    )
    held_by = RecordFilter(
        "counterparties.Counterparty", "Held by", method=queryset_method("held_by")
    )
    held_by_others = RecordsFilter(
        "counterparties.Counterparty",
        "Held by others than",
        method=queryset_method("held_by_others"),
    )
    held_by_nobody = django_filters.ChoiceFilter(
        label="Held by",
        choices=[(YES, "nobody, in part or whole")],
        method="filter_held_by_nobody",
        widget=forms.HiddenInput,
        error_messages={"invalid_choice": "There is no “%(value)s” here."},
    )
    also = NestedFilter()

    class Meta:
        model = Pipeline
        fields: list[str] = []

    def of_rag(self, queryset, codes):
        ratings = ["" if code == NOT_RATED else code for code in codes]
        return queryset.filter(rag_status__in=ratings)

    def of_responsible(self, queryset, codes):
        reader = self.request.user
        return queryset.filter(is_person("responsible", codes, reader, nobody=NOBODY))

    def in_role(self, queryset, codes):
        """Applies the counterparty filter too: the role has to be that counterparty's."""
        name = self.form.cleaned_data.get("counterparty", "")
        return queryset.with_counterparty(name, roles=codes)

    def filter_counterparty(self, queryset, name, value):
        """Does nothing if a role is selected: ``in_role`` then applies both."""
        role = self.form.cleaned_data.get("role")
        return queryset if role and role.included else queryset.with_counterparty(value)

    def filter_held_by_nobody(self, queryset, name, value):
        return queryset.held_by_nobody()

    def filter_since(self, queryset, name, value):
        rag = self.form.cleaned_data.get("rag_was")
        stage = self.form.cleaned_data.get("stage_was") or ""
        return queryset.open_on(value, rag="" if rag == NOT_RATED else rag or None, stage=stage)

    def filter_rag_was(self, queryset, name, value):
        """Does nothing: ``filter_since`` reads this value."""
        return queryset

    def filter_stage_was(self, queryset, name, value):
        """Does nothing: ``filter_since`` reads this value."""
        return queryset

    def filter_late_days(self, queryset, name, value):
        return queryset.later_than_baseline(int(value))

    def filter_rag_moved(self, queryset, name, value):
        since = self.form.cleaned_data.get("since")
        return queryset.re_rated(since, value) if since else queryset

    def filter_way(self, queryset, name, value):
        return queryset.with_stage_result(*value.split(":"))

    def filter_capacity(self, queryset, name, value):
        end = "at_least" if name == "capacity_min" else "at_most"
        return queryset.of_capacity(**{end: value})

    def filter_not_confirmed(self, queryset, name, value):
        return queryset.not_confirmed_since(clock.days_ago(int(value)))

    @property
    def asks_facts_only(self) -> bool:
        known = {one for name in self.of_facts for one in self._parameters_of(name)}
        return self.active_values.keys() <= known

    @property
    def asks_capacity(self) -> bool:
        """Of all facilities of a pipeline together."""
        return not self.active_values.keys().isdisjoint(("capacity_min", "capacity_max"))

    @property
    def technologies(self) -> dict[str, str]:
        """The names of the technologies filtered by, keyed by their code for ``of_technology``."""
        values = self.form.cleaned_data
        found = values["also"].technologies if values.get("also") else {}
        selection = values.get("technology") or NOTHING
        codes = [code for code in selection.included if code != NO_FACILITY]
        # The labels are read only if there is one to find.
        field = self.form.fields["technology"]
        return found | {code: field.labels[code] for code in codes}

    @property
    def holders(self) -> dict[str, tuple[str, dict]]:
        """The holders filtered by, keyed by query parameter: label and keyword arguments for
        ``held_mw``."""
        values = self.form.cleaned_data
        found = values["also"].holders if values.get("also") else {}
        describe = {
            "held_by": lambda holder: (str(holder), {"by": holder}),
            "held_by_others": lambda holders: ("others", {"by_others_than": holders}),
            "held_by_nobody": lambda _: ("nobody", {}),
        }
        return found | {
            f"{name}={self.data[name]}": describe[name](values[name])
            for name in describe
            if values.get(name)
        }

    @staticmethod
    def value_label(field, value) -> str:
        nested = field.form.cleaned_data.get(field.name)
        if isinstance(nested, PipelineFilter):
            return ", ".join(f"{chip.label} {chip.text}" for chip in nested.chips())
        return PageFilterSet.value_label(field, value)


class FacilityFilter(PageFilterSet):
    primary = ("q", "technology", "country", "region")
    ranges = (("capacity_min", "capacity_max"),)

    q = TextFilter()
    technology = SelectionFilter(
        "Technology",
        technology_choices,
        select="of_technology",
        group_by="technology__code",
        is_combined=is_technology_family,
        empty_label="Any technology",
    )
    country = SelectionFilter(
        "Country", facility_country_choices, group_by="country", empty_label="Any country"
    )
    region = NameFilter("Region", lookup_expr="icontains")
    capacity_min = AmountFilter("capacity_mw", "gte", "Capacity from, MW")
    capacity_max = AmountFilter("capacity_mw", "lte", "Capacity to, MW")

    class Meta:
        model = Facility
        fields: list[str] = []
