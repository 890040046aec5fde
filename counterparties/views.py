from django.db.models import Prefetch

from counterparties.filters import CounterpartyFilter
from counterparties.models import Counterparty
from counterparties.tables import CounterpartyTable
from oegen.views import ListPage, RecordPage

SHOWN_PIPELINES = 100


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
        pipelines = counterparty.pipelines.distinct()
        led = pipelines.led_by(counterparty).open()
        roles_here = counterparty.pipeline_links.select_related("role").order_by("role__order")
        shown = (
            pipelines.select_related("stage")
            .with_capacity()
            .with_overdue()
            .prefetch_related(Prefetch("counterparty_links", roles_here, to_attr="roles_here"))
            .order_by("project_name", "pk")[:SHOWN_PIPELINES]
        )
        return super().get_context_data(**kwargs) | {
            "contact_links": counterparty.contact_links.select_related("contact", "role"),
            "pipelines": shown,
            "pipeline_count": pipelines.count(),
            "capacity": pipelines.capacity(),
            "led_count": led.count(),
            "led_capacity": led.capacity(),
            "points": counterparty.information_points.by_rating(),
        }
