"""Names sort as people expect, in every list and on both databases, and on past pages too."""

from datetime import timedelta

import pytest
from django.apps import apps
from django.core.management import call_command
from django.db import connection, models
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from counterparties.models import Contact, Counterparty
from oegen import audit, search
from oegen.core.text import sort_key
from oegen.models import SortKey
from oegen.search import ordering
from pipelines.map import sites
from pipelines.models import Facility, Pipeline, PipelineFacility
from tests.support.builders import (
    make_contact,
    make_counterparty,
    make_facility,
    make_pipeline,
    make_portfolio,
    make_user,
)

pytestmark = pytest.mark.django_db

NAMES = [
    "'t Hart",
    "[Test]",
    "2 Rivers",
    "10 Rivers",
    "acme",
    "Ärger",
    "Beta",
    "Işık",
    "İstanbul",
    "O'Neil",
    "O’Neil",
    "Ørsted",
    "Oslo",
    "Site",
    "Site 2",
    "Site 002b",
    "Site 10",
    "STRASSE A",
    "Straße B",
    "Üçgöz",
    "zeta",
]


def test_the_key_puts_names_in_order():
    assert [sort_key(name) for name in NAMES] == sorted(map(sort_key, NAMES))


def shown(client, url: str, table_column: str) -> list[str]:
    table = client.get(url).context["table"]
    return [getattr(row.record, table_column) for row in table.paginated_rows]


@pytest.mark.parametrize(
    ("list_name", "make", "column"),
    [
        ("counterparties", make_counterparty, "name"),
        ("contacts", make_contact, "name"),
        ("pipelines", make_pipeline, "project_name"),
    ],
)
def test_lists_sort_by_it(list_name, make, column, as_manager):
    for name in reversed(NAMES):
        make(name)
    for query in ("", f"?sort={column}", "?created=x"):
        assert shown(as_manager, reverse(list_name) + query, column) == NAMES
    descending = shown(as_manager, reverse(list_name) + f"?sort=-{column}", column)
    assert descending == NAMES[::-1]


def test_hits_sites_and_offers_that_are_equal_sort_by_it(client, portfolio_manager):
    client.force_login(portfolio_manager)
    names = ["Site 2", "site 3", "Site 10"]
    for name in reversed(names):
        make_counterparty(name)
        make_facility(name, latitude=52, longitude=0, capacity_mw=5)
        PipelineFacility.objects.create(
            pipeline=make_pipeline(name), facility=Facility.objects.get(name=name)
        )
    for model in (Counterparty, Facility, Pipeline):
        hits = search.SearchResults("site").group(model, limit=9).hits
        assert [str(hit.record) for hit in hits] == names
    assert [site.name for site in sites(Pipeline.objects.all(), Facility.objects.all())] == names
    page = client.get(reverse("map"))
    assert [site.name for site in page.context["sites"]] == names
    other = make_counterparty("Site")
    offered = client.get(reverse("counterparty-merge", args=[other.pk])).context["offered"]
    assert [one.name for one in offered] == names


def test_the_first_of_many_hits_are_those_of_all(monkeypatch):
    """Whether all hits are ranked at once or, of many, the first rank by rank."""
    names = ["Site 2", "Site 10", "Site 10 b", "site1", "A site", "Old Site 3", "X", "!Site 1", "٣"]
    for name in names:
        make_pipeline(name, rag_status="red", rag_comment="A site 10 1 ٣")
    for text in ("site", "site 1", "site 10", "1", "a", "!", "٣", "10 site"):
        ways = []
        for few in (0, 1000):
            monkeypatch.setattr("oegen.search.query.FEW", few)
            hits = search.SearchResults(text).group(Pipeline, limit=9).hits
            ways.append([str(hit.record) for hit in hits])
        assert ways[0] == ways[1]
        assert len(ways[0]) == (1 if text == "!" else 9)


def test_lists_sort_by_linked_names_and_short_texts(as_manager):
    for number, name in enumerate(reversed(NAMES)):
        lead = make_counterparty(name)
        make_pipeline(f"P{number:02}", lead_developer=lead)
        make_contact(f"C{number:02}", job_title=name)
    pipelines = reverse("pipelines")
    by_lead = shown(as_manager, pipelines + "?sort=lead_developer", "project_name")
    by_any = shown(
        as_manager, pipelines + "?sort=counterparties&columns=counterparties", "project_name"
    )
    by_title = shown(as_manager, reverse("contacts") + "?sort=job_title", "job_title")
    backwards = [f"P{number:02}" for number in reversed(range(len(NAMES)))]
    assert (by_lead, by_any, by_title) == (backwards, backwards, NAMES)


def test_the_admin_s_lists_choosers_and_rows_sort_by_it(desk):
    for name in reversed(NAMES):
        make_counterparty(name)
    url = reverse("admin:counterparties_counterparty_changelist")
    for query in ("", "?o=1"):
        found = desk.client.get(url + query).context["cl"].result_list
        assert [one.name for one in found] == NAMES
    offered = desk.client.get(
        reverse("admin:autocomplete"),
        {
            "term": "",
            "app_label": "pipelines",
            "model_name": "pipelinecounterparty",
            "field_name": "counterparty",
        },
    ).json()["results"]
    assert [one["text"] for one in offered] == NAMES[: len(offered)]


def test_a_past_page_sorts_by_the_names_of_its_day(as_manager):
    long_ago = timezone.now() - timedelta(days=30)
    with audit.change_set(recorded_at=long_ago):
        first, second = make_counterparty("Site 2"), make_counterparty("Site 10")
        gone = make_counterparty("Ärger")
    first.name = "Zeta"
    first.save()
    gone.delete()
    day = (timezone.localdate() - timedelta(days=10)).isoformat()
    url = reverse("counterparties")
    assert shown(as_manager, url, "name") == ["Site 10", "Zeta"]
    past = shown(as_manager, f"{url}?as_of={day}", "name")
    assert past == ["Ärger", "Site 2", "Site 10"]
    assert second.name == "Site 10"


def test_every_name_there_is_or_was_has_a_key_and_a_rebuild_gives_the_same():
    make_portfolio(make_user())
    one = make_counterparty("Larch")
    one.name = "Rowan"
    one.save()
    Contact.objects.bulk_create([Contact(name="Jo")])
    Facility.objects.update(region="Fife")
    kept = set(SortKey.objects.values_list("text", "key"))
    assert {"Larch", "Rowan", "Jo", "Fife"} <= {text for text, _ in kept}
    call_command("rebuild_search", verbosity=0)
    assert set(SortKey.objects.values_list("text", "key")) == kept
    SortKey.objects.all().delete()
    ordering.index_missing(sender=apps.get_app_config("oegen"), using="default")
    assert set(SortKey.objects.values_list("text", "key")) == kept
    models.QuerySet(Counterparty).filter(pk=one.pk).update(name="Past the program")
    ordering.index_missing(sender=apps.get_app_config("oegen"), using="default")
    assert SortKey.objects.filter(text="Past the program").exists()


def test_a_name_that_is_known_costs_one_query_in_writing():
    one = make_counterparty("Larch")
    with CaptureQueriesContext(connection) as queries:
        one.save()
    assert len([q for q in queries if "oegen_sortkey" in q["sql"]]) == 1


def test_no_field_of_a_record_is_the_relation_to_the_key():
    for model in audit.tracked_models():
        fields = {field.name for field in model._meta.fields}
        assert not {name for name in fields if name.endswith("_order")}
    assert Pipeline.objects.order_by(ordering.natural("project_name")).count() == 0
