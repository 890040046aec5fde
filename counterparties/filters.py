from counterparties.models import Counterparty
from oegen.filters import PageFilterSet, TextFilter


class CounterpartyFilter(PageFilterSet):
    q = TextFilter()

    class Meta:
        model = Counterparty
        fields: list[str] = []
