from django.db.models import Prefetch
from django.http import JsonResponse
from django.views import View

from counterparties.filters import CURRENT, ContactFilter, CounterpartyFilter
from counterparties.models import Contact, Counterparty
from counterparties.tables import ContactTable, CounterpartyTable
from oegen.history.duplicates import DuplicatesPage, count_of
from oegen.history.merge import MergePage
from oegen.pages.filters import DefaultFilter
from oegen.pages.lists import ListPage
from oegen.pages.records import RecordPage
from oegen.search.ordering import natural

SHOWN_PIPELINES = 100

#: The number of names suggested while a filter is typed.
MAX_SUGGESTIONS = 12


class ListWithDuplicates(ListPage):
    """A list with a link to its possible duplicates, if there are any."""

    template_name = "counterparties/list.html"
    duplicates = ""

    def get_context_data(self, **kwargs):
        is_part = self.request.headers.get("HX-Request") == "true"
        count = 0 if is_part else count_of(self.queryset.model)
        return super().get_context_data(**kwargs) | {
            "duplicate_count": count,
            "duplicates": self.duplicates,
        }


class CounterpartyList(ListWithDuplicates):
    queryset = Counterparty.objects.order_by(natural("name"), "pk")
    filterset_class = CounterpartyFilter
    table_class = CounterpartyTable
    section = "counterparties"
    duplicates = "counterparty-duplicates"
    default_filter = DefaultFilter("kind", CURRENT, "current")
    empty_text = "A counterparty is a company you develop, own, finance or trade projects with."


class CounterpartyNames(View):
    """JSON with the names that contain ``q``, those that start with it first, for the filters."""

    def get(self, request):
        text = request.GET.get("q", "").strip()
        if not text or "\x00" in text:
            return JsonResponse({"names": []})
        found = Counterparty.objects.recorded().name_contains(text).starting_first(text)
        return JsonResponse({"names": list(found.values_list("name", flat=True)[:MAX_SUGGESTIONS])})


class ContactList(ListWithDuplicates):
    queryset = Contact.objects.order_by(natural("name"), "pk")
    filterset_class = ContactFilter
    table_class = ContactTable
    section = "contacts"
    duplicates = "contact-duplicates"
    empty_text = "A contact is a person, with a role at one counterparty or several."


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
            .order_by(natural("project_name"), "pk")[:SHOWN_PIPELINES]
        )
        return super().get_context_data(**kwargs) | {
            "contact_links": counterparty.contact_links.with_current()
            .select_related("contact", "role")
            .order_by("-is_current", "role__order", natural("contact__name")),
            "pipelines": shown,
            "pipeline_count": pipelines.count(),
            "capacity": pipelines.capacity(),
            "led_count": led.count(),
            "led_capacity": led.capacity(),
            "points": counterparty.information_points.by_rating(),
            "points_meta": counterparty.information_points.model._meta,
        }


class CounterpartyMerge(MergePage):
    model = Counterparty
    section = "counterparties"


class CounterpartyDuplicates(DuplicatesPage):
    model = Counterparty
    section = "counterparties"
    compared_by = "name, other names, LEI and company number"


class ContactPage(RecordPage):
    model = Contact
    section = "contacts"

    def get_context_data(self, **kwargs):
        roles = self.object.counterparty_links.with_current().select_related("counterparty", "role")
        return super().get_context_data(**kwargs) | {
            "roles": roles.order_by("-is_current", "role__order", natural("counterparty__name"))
        }


class ContactMerge(MergePage):
    model = Contact
    section = "contacts"


class ContactDuplicates(DuplicatesPage):
    model = Contact
    section = "contacts"
    compared_by = "name and other names"
