from functools import reduce
from operator import or_

from django.apps import apps
from django.urls import reverse_lazy

from counterparties.models import Contact, ContactRole, Counterparty
from oegen.pages.filters import NameFilter, PageFilterSet, TextFilter, countries_of
from oegen.pages.selection import ALL, Choice, SelectionFilter

CURRENT, PLACEHOLDER, ARCHIVED = "current", "placeholder", "archived"


def pipeline_role_choices() -> list[tuple[str, str]]:
    """Gets the model by name, because ``pipelines`` imports this package."""
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
    primary = ("q", "country", "role", "kind")

    q = TextFilter()
    country = SelectionFilter(
        "Country", country_choices, group_by="country", empty_label="Any country"
    )
    role = SelectionFilter(
        "Role in a pipeline", pipeline_role_choices, select="in_role", empty_label="Any role"
    )
    kind = SelectionFilter(
        "Kind",
        [
            Choice(ALL, "All, archived ones too", parts=(CURRENT, PLACEHOLDER, ARCHIVED)),
            Choice(CURRENT, "Current"),
            Choice(PLACEHOLDER, "Placeholder"),
            Choice(ARCHIVED, "Archived"),
        ],
        pick="of_kind",
        empty_label="Any kind",
    )

    class Meta:
        model = Counterparty
        fields: list[str] = []

    def of_kind(self, queryset, codes):
        kinds = {
            CURRENT: queryset.current,
            PLACEHOLDER: queryset.placeholders,
            ARCHIVED: queryset.archived,
        }
        return reduce(or_, [kinds[code]() for code in codes])


class ContactFilter(PageFilterSet):
    primary = ("q", "counterparty", "role")

    q = TextFilter()
    counterparty = CounterpartyNameFilter(method="filter_counterparty")
    role = SelectionFilter("Role", contact_role_choices, pick="in_role", empty_label="Any role")

    class Meta:
        model = Contact
        fields: list[str] = []

    def filter_counterparty(self, queryset, name, value):
        """Does nothing if a role is selected: ``in_role`` then applies both."""
        role = self.form.cleaned_data.get("role")
        return queryset if role and role.included else queryset.at_counterparty(value)

    def in_role(self, queryset, codes):
        """Applies the counterparty filter too: the role has to be one at that counterparty."""
        name = self.form.cleaned_data.get("counterparty", "")
        return queryset.at_counterparty(name, roles=codes)
