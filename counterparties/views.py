from counterparties.filters import CounterpartyFilter
from counterparties.models import Counterparty
from counterparties.tables import CounterpartyTable
from oegen.views import ListPage, RecordPage


class CounterpartyList(ListPage):
    queryset = Counterparty.objects.with_contact_count().order_by("name", "pk")
    filterset_class = CounterpartyFilter
    table_class = CounterpartyTable
    section = "counterparties"
    empty_text = "A counterparty is a company you develop, own, finance or trade projects with."


class CounterpartyPage(RecordPage):
    model = Counterparty
    section = "counterparties"

    def get_context_data(self, **kwargs):
        counterparty = self.object
        return super().get_context_data(**kwargs) | {
            "contact_links": counterparty.contact_links.select_related("contact", "role"),
        }
