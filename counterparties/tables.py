import django_tables2 as tables

from counterparties.models import Counterparty
from oegen.tables import NumberColumn, PartColumn, RecordTable


class CounterpartyTable(RecordTable):
    name = PartColumn("counterparties/parts/name.html", "Counterparty")
    country = tables.Column(accessor="country_name", order_by=("country",))
    strategy = PartColumn("oegen/parts/one_line.html")
    contact_count = NumberColumn("Contacts")

    class Meta(RecordTable.Meta):
        model = Counterparty
        fields = ("name", "country", "strategy", "contact_count")
