from collections.abc import Sequence
from operator import methodcaller

from django.db.models import Prefetch

from counterparties.models import CounterpartyContact
from oegen.core.text import split_lines
from oegen.exports import FileValue, LinkedRows
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


class AliasesColumn(TextColumn):
    """Other names: one a line in the field and in downloads, so that they can be imported again."""

    def cell(self, record, value):
        return super().cell(record, "; ".join(split_lines(value)))


class CounterpartyTable(RecordTable):
    default_columns = ("country", "strategy", "contact_count", "pipeline_count")

    name = PartColumn("counterparties/parts/name.html", "Counterparty")
    country = CountryColumn()
    strategy = TextColumn()
    contact_count = NumberColumn("Contacts", annotate=methodcaller("with_contact_count"))
    pipeline_count = NumberColumn("Pipelines", annotate=methodcaller("with_pipeline_count"))
    aliases = AliasesColumn("Other names")
    website = TextColumn()
    company_number = TextColumn()
    lei = Column("LEI")
    archived_at = MomentColumn("Archived")
    created_at = MomentColumn("Added")
    modified_at = MomentColumn("Last changed")


ROLE_LINKS = LinkedRows(
    Prefetch(
        "counterparty_links",
        CounterpartyContact.objects.select_related("counterparty", "role").order_by(
            "role__order", natural("counterparty__name")
        ),
        to_attr="listed_roles",
    ),
    owner="contact",
)


def _with_roles(queryset):
    return queryset.prefetch_related(ROLE_LINKS.prefetch)


def list_roles(roles: Sequence[str], counterparties: Sequence[str]) -> str:
    pairs = zip(roles, counterparties, strict=True)
    return "; ".join(f"{role} at {counterparty}" for role, counterparty in pairs)


class ContactTable(RecordTable):
    default_columns = ("job_title", "roles", "email", "phone")

    name = RecordColumn("Contact")
    job_title = TextColumn()
    roles = PartColumn(
        "counterparties/parts/roles.html",
        annotate=_with_roles,
        file_value=FileValue(("role__name", "counterparty__name"), list_roles, ROLE_LINKS),
    )
    email = PartColumn("counterparties/parts/email.html", "E-mail")
    phone = PartColumn("counterparties/parts/phone.html")
    aliases = AliasesColumn("Other names")
    created_at = MomentColumn("Added")
    modified_at = MomentColumn("Last changed")

    def order_roles(self, queryset, is_descending):
        """By the first counterparty of each."""
        field = "counterparty__name"
        return order_by_first_link(queryset, CounterpartyContact, "contact", field, is_descending)
