import django_filters
from django.apps import apps
from django.urls import reverse_lazy

from counterparties.models import Contact, ContactRole, Counterparty
from oegen.filters import NameFilter, PageFilterSet, TextFilter, countries_of

CURRENT, PLACEHOLDER, ARCHIVED = "current", "placeholder", "archived"


def pipeline_role_choices() -> list[tuple[str, str]]:
    """By name: pipelines build on counterparties, so their module can't be imported here."""
    roles = apps.get_model("pipelines", "CounterpartyRole")
    return list(roles.objects.values_list("code", "name"))


def contact_role_choices() -> list[tuple[str, str]]:
    return list(ContactRole.objects.values_list("code", "name"))


def country_choices() -> list[tuple[str, str]]:
    return countries_of(Counterparty.objects.all())


class CounterpartyNameFilter(NameFilter):
    def __init__(self, **kwargs):
        super().__init__("Counterparty", reverse_lazy("counterparty-names"), **kwargs)


class CounterpartyFilter(PageFilterSet):
    usual = ("q", "country", "role", "kind")

    q = TextFilter()
    country = django_filters.ChoiceFilter(
        label="Country", choices=country_choices, empty_label="Any country"
    )
    role = django_filters.ChoiceFilter(
        label="Role in a pipeline",
        choices=pipeline_role_choices,
        method="filter_role",
        empty_label="Any role",
    )
    kind = django_filters.ChoiceFilter(
        label="Kind",
        choices=[
            (CURRENT, "Current"),
            (PLACEHOLDER, "Placeholder"),
            (ARCHIVED, "Archived"),
        ],
        method="filter_kind",
        empty_label="Any kind",
    )

    class Meta:
        model = Counterparty
        fields: list[str] = []

    def filter_role(self, queryset, name, value):
        return queryset.in_role(value)

    def filter_kind(self, queryset, name, value):
        kinds = {
            CURRENT: queryset.current,
            PLACEHOLDER: queryset.placeholders,
            ARCHIVED: queryset.archived,
        }
        return kinds[value]()


class ContactFilter(PageFilterSet):
    usual = ("q", "counterparty", "role")

    q = TextFilter()
    counterparty = CounterpartyNameFilter(method="filter_counterparty")
    role = django_filters.ChoiceFilter(
        label="Role",
        choices=contact_role_choices,
        method="filter_role",
        empty_label="Any role",
    )

    class Meta:
        model = Contact
        fields: list[str] = []

    def filter_counterparty(self, queryset, name, value):
        return queryset.at_counterparty(value, role=self.form.cleaned_data.get("role", ""))

    def filter_role(self, queryset, name, value):
        """With a counterparty named, the role is the one held there."""
        if self.form.cleaned_data.get("counterparty"):
            return queryset
        return queryset.at_counterparty(role=value)
