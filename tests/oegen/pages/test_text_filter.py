"""What the box "Search" above a list finds: the same words as the search of everything."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from infopoints.models import InformationPoint
from oegen.models import SearchDocument
from pipelines.models import CounterpartyRole, PipelineCounterparty, PipelineFacility
from tests.support.builders import (
    make_contact,
    make_counterparty,
    make_facility,
    make_information_point,
    make_pipeline,
)


def listed(client, name: str, text: str) -> set[str]:
    response = client.get(reverse(name), {"q": text})
    return {str(row.record) for row in response.context["table"].paginated_rows}


@pytest.fixture
def pipelines(db):
    strom = make_counterparty("Ærø Strøm", aliases="Windfall", strategy="Sells early")
    alpha = make_pipeline("Sólheimar Alpha", rag_comment="Grid offer is late")
    make_pipeline("100% Beta_one", lead_developer=strom)
    PipelineFacility.objects.create(
        pipeline=alpha, facility=make_facility("Çınar Hill", region="Highland")
    )


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("solheimar", {"Sólheimar Alpha"}),
        ("SÓLHEIMAR", {"Sólheimar Alpha"}),
        ("grid late", {"Sólheimar Alpha"}),
        ("cinar hill", {"Sólheimar Alpha"}),
        ("hill alpha GRID", {"Sólheimar Alpha"}),
        ("aero strom", {"100% Beta_one"}),
        ("strom beta", {"100% Beta_one"}),
        ("strom alpha", set()),
        ("beta_one", {"100% Beta_one"}),
        ("beta%one", set()),
        ("0% be", {"100% Beta_one"}),
        ("   ", {"Sólheimar Alpha", "100% Beta_one"}),
    ],
)
def test_every_word_is_in_the_pipeline_or_in_a_linked_name(as_manager, pipelines, text, found):
    assert listed(as_manager, "pipelines", text) == found


@pytest.mark.parametrize("text", ["highland", "early", "windfall"])
def test_only_the_names_of_linked_records_count(as_manager, pipelines, text):
    assert listed(as_manager, "pipelines", text) == set()


def test_a_counterparty_in_two_roles_finds_its_pipeline_once(as_manager):
    larch = make_counterparty("Larch")
    pipeline = make_pipeline("Larch Moor", lead_developer=larch)
    PipelineCounterparty.objects.create(
        pipeline=pipeline,
        counterparty=larch,
        role=CounterpartyRole.objects.get(code="owner"),
    )

    response = as_manager.get(reverse("pipelines"), {"q": "larch"})

    assert response.context["total"] == 1


def test_other_lists_are_searched_without_accents_too(as_manager):
    make_facility("Élan", region="Powys", country="GB")
    make_counterparty("Łódź Power", aliases="Old Łódź", lei="")
    make_contact("Zoë Ruiz", job_title="Head of deals")
    make_information_point("Façade", description="Über alles", market="España")

    assert listed(as_manager, "facilities", "elan powys united kingdom") == {"Élan"}
    assert listed(as_manager, "counterparties", "lodz old") == {"Łódź Power"}
    assert listed(as_manager, "contacts", "zoe HEAD") == {"Zoë Ruiz"}
    assert listed(as_manager, "infopoints", "facade uber espana") == {"Façade"}


def test_a_changed_record_is_found_by_its_new_words_alone(as_manager):
    point = make_information_point("Queue reform")
    InformationPoint.objects.filter(pk=point.pk).update(title="Panel prices")

    assert listed(as_manager, "infopoints", "reform") == set()
    assert listed(as_manager, "infopoints", "panel") == {"Panel prices"}


def test_a_text_is_looked_up_once_and_what_columns_need_read_for_the_page_only(as_manager):
    make_pipeline("Alpha", capacity_mw=4)

    with CaptureQueriesContext(connection) as captured:
        as_manager.get(reverse("pipelines"), {"q": "alpha", "sort": "rtb_date"})

    filtered = [query["sql"] for query in captured if SearchDocument._meta.db_table in query["sql"]]
    # For the page, the number of rows and their capacity in one go.
    assert len(filtered) == 1
    assert not any('AS "lead_developer"' in sql for sql in filtered)


@pytest.mark.parametrize("shown", ["1", "7", "last"])
def test_a_filtered_list_counts_a_shared_facility_once_on_whatever_page(as_manager, shown):
    alpha = make_pipeline("Larch Alpha", capacity_mw=4)
    beta = make_pipeline("Larch Beta", capacity_mw=6)
    make_pipeline("Alder", capacity_mw=100)
    PipelineFacility.objects.create(pipeline=beta, facility=alpha.facilities.get())

    context = as_manager.get(reverse("pipelines"), {"q": "larch", "page": shown}).context

    assert [str(row.record) for row in context["table"].paginated_rows] == [str(alpha), str(beta)]
    assert (context["total"], context["capacity"].mw, context["capacity"].facilities) == (2, 10, 2)


def test_a_list_of_nothing_found_has_no_capacity(as_manager):
    make_pipeline("Alder", capacity_mw=100)

    context = as_manager.get(reverse("pipelines"), {"q": "larch"}).context

    assert (context["total"], context["capacity"].mw, context["capacity"].facilities) == (0, 0, 0)
