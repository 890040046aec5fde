from operator import methodcaller

from django.db.models import Prefetch

from counterparties.models import Contact, CounterpartyContact
from oegen.pages.columns import (
    Column,
    CountryColumn,
    MomentColumn,
    NumberColumn,
    PartColumn,
    RecordColumn,
    TextColumn,
    order_by_first_link,
)
from oegen.pages.tables import RecordTable
from oegen.search.ordering import natural


def aliases_of(counterparty) -> str:
    return "; ".join(counterparty.alias_list)


class CounterpartyTable(RecordTable):
    default_columns = ("country", "strategy", "contact_count", "pipeline_count")

    name = PartColumn("counterparties/parts/name.html", "Counterparty")
    country = CountryColumn()
    strategy = TextColumn()
    contact_count = NumberColumn("Contacts", annotate=methodcaller("with_contact_count"))
    pipeline_count = NumberColumn("Pipelines", annotate=methodcaller("with_pipeline_count"))
    aliases = TextColumn("Other names", export_value=aliases_of)
    website = TextColumn()
    company_number = TextColumn()
    lei = Column("LEI")
    archived_at = MomentColumn("Archived")
    created_at = MomentColumn("Added")
    modified_at = MomentColumn("Last changed")


def _with_roles(queryset):
    links = CounterpartyContact.objects.select_related("counterparty", "role")
    return queryset.prefetch_related(
        Prefetch("counterparty_links", links.order_by("role__order", natural("counterparty__name")))
    )


def roles_of(contact: Contact) -> str:
    return "; ".join(
        f"{link.role} at {link.counterparty}" for link in contact.counterparty_links.all()
    )


class ContactTable(RecordTable):
    default_columns = ("job_title", "roles", "email", "phone")

    name = RecordColumn("Contact")
    job_title = TextColumn()
    roles = PartColumn(
        "counterparties/parts/roles.html", annotate=_with_roles, export_value=roles_of
    )
    email = PartColumn("counterparties/parts/email.html", "E-mail")
    phone = PartColumn("counterparties/parts/phone.html")
    aliases = TextColumn("Other names", export_value=aliases_of)
    created_at = MomentColumn("Added")
    modified_at = MomentColumn("Last changed")

    def order_roles(self, queryset, is_descending):
        """By the first counterparty of each."""
        field = "counterparty__name"
        return order_by_first_link(queryset, CounterpartyContact, "contact", field, is_descending)
