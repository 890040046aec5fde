"""Choosing columns and rows a page: kept for each person, and read only when shown."""

from decimal import Decimal

import pytest
from django.core.cache import cache
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from counterparties.models import (
    Contact,
    ContactRole,
    Counterparty,
    CounterpartyContact,
)
from counterparties.tables import ContactTable, CounterpartyTable
from infopoints.models import (
    InformationPoint,
    InformationPointCounterparty,
    InformationPointPipeline,
    InformationPointTechnology,
)
from infopoints.tables import InformationPointTable
from oegen.models import ListPreference
from pipelines.models import (
    CounterpartyRole,
    Facility,
    Pipeline,
    PipelineCounterparty,
    PipelineFacility,
    Stage,
    Technology,
)
from pipelines.tables import FacilityTable, PipelineTable
from tests.support.builders import make_counterparty, make_information_point, make_pipeline

TABLES = {
    "pipelines": PipelineTable,
    "facilities": FacilityTable,
    "counterparties": CounterpartyTable,
    "contacts": ContactTable,
    "infopoints": InformationPointTable,
}


def shown(client, name: str, **query) -> list[str]:
    return client.get(reverse(name), query).context["table"].columns.names()


@pytest.mark.parametrize("name", TABLES)
def test_usual_columns_are_columns(name):
    assert set(TABLES[name].default_columns) < set(TABLES[name].base_columns)


def test_chosen_columns_are_kept_in_their_order_for_the_person(as_manager, client, administrator):
    address = reverse("pipelines") + "?rag=red&page=3&columns=status"

    response = as_manager.post(
        address, {"do": "columns", "columns": ["rtb_date", "region", "nope"]}
    )

    assert response.url == reverse("pipelines") + "?rag=red"
    assert shown(as_manager, "pipelines") == ["project_name", "rtb_date", "region"]
    client.force_login(administrator)
    assert shown(client, "pipelines")[1:] == list(PipelineTable.default_columns)


def test_no_column_leaves_the_name(as_manager):
    as_manager.post(reverse("pipelines"), {"do": "columns"})

    assert shown(as_manager, "pipelines") == ["project_name"]


def test_usual_columns_come_back(as_manager):
    as_manager.post(reverse("contacts"), {"do": "columns", "columns": ["phone"]})
    as_manager.post(reverse("contacts"), {"do": "usual-columns"})

    assert shown(as_manager, "contacts") == ["name", *ContactTable.default_columns]


def test_columns_in_the_address_win(as_manager):
    as_manager.post(reverse("pipelines"), {"do": "columns", "columns": ["rtb_date"]})

    assert shown(as_manager, "pipelines", columns="stage,stage,x,country") == [
        "project_name",
        "stage",
        "country",
    ]


def test_rows_a_page_are_kept(as_manager):
    for _ in range(30):
        make_pipeline()

    as_manager.post(reverse("pipelines"), {"do": "page-size", "page_size": "25"})

    table = as_manager.get(reverse("pipelines")).context["table"]
    assert len(table.paginated_rows) == 25
    assert ListPreference.objects.get().page_size == 25


@pytest.mark.parametrize("size", ["26", "0", "", "x", "1000000"])
def test_other_numbers_of_rows_are_refused(as_manager, size):
    response = as_manager.post(reverse("pipelines"), {"do": "page-size", "page_size": size})

    assert response.status_code == 400
    assert not ListPreference.objects.exists()


def test_address_cannot_ask_for_more_rows_a_page(as_manager):
    for _ in range(60):
        make_pipeline()

    response = as_manager.get(reverse("pipelines"), {"per_page": "1000"})

    assert len(response.context["table"].paginated_rows) == 50


def test_unknown_form_is_refused(as_manager):
    assert as_manager.post(reverse("pipelines"), {"do": "nothing"}).status_code == 400


@pytest.mark.parametrize(
    "name",
    # The two with the most kinds of column; the others are made of the same.
    [
        name if name in ("pipelines", "contacts") else pytest.param(name, marks=pytest.mark.heavy)
        for name in TABLES
    ],
)
def test_list_sorts_by_every_column_both_ways(as_manager, name):
    add_rows(2)
    table = TABLES[name]
    everything = ",".join(table.base_columns)
    for column in [name for name, one in table.base_columns.items() if one.orderable]:
        for sort in (column, f"-{column}"):
            response = as_manager.get(reverse(name), {"columns": everything, "sort": sort})
            assert response.context["table"].columns[column].is_ordered
            assert len(response.context["table"].paginated_rows) == 2


@pytest.mark.parametrize(
    ("sort", "names"),
    [("country", "Germany Switzerland UK Nowhere"), ("-country", "UK Switzerland Germany Nowhere")],
)
def test_countries_sort_by_their_names_and_none_comes_last(as_manager, db, sort, names):
    for name, code in (("UK", "GB"), ("Nowhere", ""), ("Switzerland", "CH"), ("Germany", "DE")):
        make_counterparty(name, country=code)
        facility = make_pipeline(name, capacity_mw=1).facilities.get()
        Facility.objects.filter(pk=facility.pk).update(country=code)

    for list_name in ("pipelines", "facilities", "counterparties"):
        response = as_manager.get(reverse(list_name), {"columns": "country", "sort": sort})
        rows = response.context["table"].page.object_list
        assert [str(row.record) for row in rows] == names.split(), list_name


@pytest.fixture
def linked_points(db):
    solar, wind = (Technology.objects.get(code=code) for code in ("solar", "wind"))
    for title, technology, company, project in [
        ("One", wind, "Larch", "Bravo"),
        ("Two", solar, "Rowan", "Alpha"),
        ("Three", None, None, None),
    ]:
        point = make_information_point(title)
        for model, linked in (
            (InformationPointTechnology, {"technology": technology}),
            (
                InformationPointCounterparty,
                {"counterparty": company and make_counterparty(company)},
            ),
            (InformationPointPipeline, {"pipeline": project and make_pipeline(project)}),
        ):
            if technology:
                model.objects.create(information_point=point, **linked)


@pytest.mark.parametrize(
    ("sort", "order"),
    [
        ("technologies", ["Two", "One", "Three"]),
        ("-technologies", ["One", "Two", "Three"]),
        ("counterparties", ["One", "Two", "Three"]),
        ("-counterparties", ["Two", "One", "Three"]),
        ("pipelines", ["Two", "One", "Three"]),
    ],
)
def test_information_points_sort_by_the_first_they_concern(as_manager, linked_points, sort, order):
    query = {"columns": sort.strip("-"), "sort": sort}
    table = as_manager.get(reverse("infopoints"), query).context["table"]

    assert [row.record.title for row in table.paginated_rows] == order


def test_linked_records_are_shown_by_their_names(as_manager, linked_points):
    """Every column at once: what is told in the download stands in the cell."""
    make_pipeline("Charlie", capacity_mw=1, lead_developer=make_counterparty("Birch"))

    def cells(name):
        query = {"columns": ",".join(TABLES[name].base_columns)}
        return "".join(as_manager.get(reverse(name), query).context["table"].rendered_rows())

    assert ">Birch (Lead developer)<" in cells("pipelines")
    assert ">Larch<" in cells("infopoints")
    assert ">Bravo<" in cells("infopoints")
    for name in TABLES:
        assert ".None" not in cells(name), "a manager is no text"


def test_pipelines_sort_by_the_first_of_their_counterparties(as_manager):
    make_pipeline("None")
    first = make_pipeline("First", lead_developer=make_counterparty("Rowan"))
    make_pipeline("Second", lead_developer=make_counterparty("Larch"))
    owner = CounterpartyRole.objects.get(code="owner")
    PipelineCounterparty.objects.create(
        pipeline=first, counterparty=make_counterparty("Birch"), role=owner
    )

    def names(**query):
        query = {"columns": "counterparties,lead_developer", **query}
        table = as_manager.get(reverse("pipelines"), query).context["table"]
        return [row.record.project_name for row in table.paginated_rows]

    assert names(sort="counterparties") == ["First", "Second", "None"]
    assert names(sort="-counterparties") == ["Second", "First", "None"]
    assert names(sort="lead_developer") == ["Second", "First", "None"]
    assert names(sort="-lead_developer") == ["First", "Second", "None"]


def test_choices_sort_as_people_count_them_and_texts_with_the_empty_last(as_manager):
    for rag, comment in (("green", "b"), ("", ""), ("red", "c"), ("amber", "a")):
        make_pipeline(rag or "none", rag_status=rag, rag_comment=comment)

    def names(sort):
        query = {"columns": "rag_status,rag_comment", "sort": sort}
        table = as_manager.get(reverse("pipelines"), query).context["table"]
        return [row.record.project_name for row in table.paginated_rows]

    assert names("rag_status") == ["red", "amber", "green", "none"]
    assert names("-rag_status") == ["green", "amber", "red", "none"]
    assert names("rag_comment") == ["amber", "green", "red", "none"]
    assert names("-rag_comment") == ["red", "green", "amber", "none"]


def test_records_that_look_alike_are_told_apart_where_they_differ(as_manager):
    """Cells drawn once for many rows are those of the row."""
    make_pipeline("A", stage="design", capacity_mw=1, rag_status="red")
    make_pipeline("B", stage="design", capacity_mw=1, technology="bess", rag_status="green")
    make_pipeline("C", stage="design", on_hold=True)
    make_pipeline("D", stage="design", outcome="sold")

    everything = as_manager.get(reverse("pipelines"), {"status": "all"})
    lines = list(everything.context["table"].rendered_rows())

    for line, words in zip(
        lines,
        [
            ("Design", "Red", "Solar"),
            ("Design", "Green", "BESS"),
            ("On hold", "Not rated", "no facility"),
            ("Sold", "Not rated", "no facility"),
        ],
        strict=True,
    ):
        assert all(f">{word}<" in line for word in words), line


def test_information_points_come_best_rated_first_whatever_their_impact(as_manager):
    make_information_point("Sure", 60, 100)
    make_information_point("Grave", 100, 10)
    make_information_point("Grave too", 100, 10)

    def titles(**query) -> list[str]:
        table = as_manager.get(reverse("infopoints"), query).context["table"]
        return [row.record.title for row in table.paginated_rows]

    assert titles() == ["Sure", "Grave", "Grave too"]
    assert titles(sort=["-impact", "-title"]) == ["Grave too", "Grave", "Sure"]


def add_rows(number: int) -> None:
    """That many more of every record, with a facility, a role and a contact to each."""
    start = Pipeline.objects.count()
    names = [f"Row {start + place}" for place in range(number)]
    solar = Technology.objects.get(code="solar")
    stage = Stage.objects.get(code="design")
    ceo = ContactRole.objects.get(code="ceo")
    pipelines = Pipeline.objects.bulk_create(
        [Pipeline(project_name=name, stage=stage) for name in names]
    )
    facilities = Facility.objects.bulk_create(
        [Facility(name=name, technology=solar, capacity_mw=Decimal(5)) for name in names]
    )
    PipelineFacility.objects.bulk_create(
        [
            PipelineFacility(pipeline=pipeline, facility=facility)
            for pipeline, facility in zip(pipelines, facilities, strict=True)
        ]
    )
    counterparties = Counterparty.objects.bulk_create([Counterparty(name=name) for name in names])
    contacts = Contact.objects.bulk_create([Contact(name=name) for name in names])
    CounterpartyContact.objects.bulk_create(
        [
            CounterpartyContact(counterparty=counterparty, contact=contact, role=ceo)
            for counterparty, contact in zip(counterparties, contacts, strict=True)
        ]
    )
    InformationPoint.objects.bulk_create(
        [InformationPoint(title=name, impact=50, likelihood=50) for name in names]
    )


@pytest.mark.heavy
def test_lists_cost_the_same_at_10_and_at_1000_rows(as_manager):
    """With the usual columns, and with every column there is."""

    def queries() -> dict[str, tuple[int, int]]:
        counts = {}
        for name, table in TABLES.items():
            both = []
            for columns in ("", ",".join(table.base_columns)):
                cache.clear()
                with CaptureQueriesContext(connection) as captured:
                    as_manager.get(reverse(name), {"columns": columns})
                both.append(len(captured))
            counts[name] = tuple(both)
        return counts

    add_rows(10)
    queries()
    few = queries()
    add_rows(990)

    assert queries() == few


def test_what_is_not_shown_is_not_read(as_manager):
    add_rows(3)
    with CaptureQueriesContext(connection) as captured:
        as_manager.get(reverse("pipelines"), {"columns": "rag_status"})

    rows = [query["sql"] for query in captured if 'AS "lead_developer"' in query["sql"]]
    prefetched = [query["sql"] for query in captured if "_prefetch_related_val" in query["sql"]]
    assert (rows, prefetched) == ([], [])
