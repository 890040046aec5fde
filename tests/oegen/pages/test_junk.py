"""No address of a list is an error: what a filter can't understand is told beside it."""

import pytest
from django.urls import reverse

from counterparties.filters import ContactFilter, CounterpartyFilter
from infopoints.filters import InformationPointFilter
from oegen.pages.filters import TextFilter
from pipelines.filters import FacilityFilter, PipelineFilter
from pipelines.registers.filters import CompanyFilter, RegisterProjectFilter
from tests.support.builders import (
    make_contact,
    make_counterparty,
    make_information_point,
    make_pipeline,
)

FILTERS = {
    "pipelines": PipelineFilter,
    "facilities": FacilityFilter,
    "counterparties": CounterpartyFilter,
    "contacts": ContactFilter,
    "infopoints": InformationPointFilter,
    "register-projects": RegisterProjectFilter,
}
SIMILAR = {"board": PipelineFilter, "map": PipelineFilter, "competitors": CompanyFilter}

#: For each kind of value something that is not quite one.
JUNK = [
    "a\x00b",
    "2027-02-30",
    "0000-00-00",
    "99999999999999999999",
    "-1",
    "1e999",
    "Infinity",
    "٣",
    "½",
    "' OR 1=1 --",
    "%00",
    "123e4567-e89b-12d3-a456-42661417400",
    "<script>alert(1)</script>",
    "\ud7ff🔥",
    "x" * 5_000,
]


@pytest.fixture(scope="module")
def portfolio(module_db):
    make_pipeline("Kestrel Moor", capacity_mw=4, lead_developer=make_counterparty("Larch"))
    make_contact("Ana Ruiz")
    make_information_point("Queue reform")


@pytest.mark.parametrize("junk", JUNK)
@pytest.mark.parametrize("name", FILTERS | SIMILAR)
def test_junk_in_all_filters_at_once_is_answered(as_manager, portfolio, name, junk):
    filters = (FILTERS | SIMILAR)[name].base_filters

    response = as_manager.get(reverse(name), dict.fromkeys(filters, junk))

    assert response.status_code == 200
    assert "<script>alert(1)" not in response.content.decode()
    form = response.context["filter"].form
    wrong = response.content.decode().count('class="filter-wrong"')
    assert wrong == len([field for field in form if field.errors])


def sentence_beside(field: str, html: str) -> str:
    after = html.split(f'id="id_{field}_error"')[1]
    return after.partition(">")[2].partition("<")[0].strip()


@pytest.mark.parametrize(
    ("name", "field"),
    [(name, field) for name, filterset in FILTERS.items() for field in filterset.base_filters],
)
def test_every_filter_tells_what_is_wrong_with_its_value(as_manager, name, field):
    response = as_manager.get(reverse(name), {field: "a\x00b"})

    html = response.content.decode()
    assert sentence_beside(field, html).endswith(".")
    assert 'class="filter-wrong" id="id_' + field in html
    assert "Nothing is listed" in html


@pytest.mark.parametrize("name", FILTERS)
def test_two_texts_where_one_is_looked_for_are_reported_beside_the_filter(
    as_manager, portfolio, name
):
    response = as_manager.get(f"{reverse(name)}?q=alpha&q=bravo")

    html = response.content.decode()
    assert response.status_code == 200
    assert response.context["is_wrong"]
    assert sentence_beside("q", html).startswith("This takes one value")
    assert "Nothing is listed" in html


@pytest.mark.parametrize("name", FILTERS)
@pytest.mark.parametrize(
    "query",
    [
        "page=abc",
        "page=1e9",
        "page=99999999999999999999",
        "page=%00",
        "per_page=7",
        "sort=junk",
        "sort=--name&sort=&sort=-",
        "sort=%00",
        "columns=%00,,junk",
        "columns=",
        "download=pdf",
        "page=1&page=2",
        "&&=&q=&=x",
        "unknown=1",
    ],
)
def test_odd_addresses_still_list(as_manager, portfolio, name, query):
    response = as_manager.get(f"{reverse(name)}?{query}")

    assert response.status_code == 200
    assert not response.context["is_wrong"]


@pytest.mark.parametrize("name", FILTERS)
@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_no_file_is_made_of_filters_that_are_wrong(as_manager, name, kind):
    response = as_manager.get(reverse(name), {"q": "a\x00b", "download": kind})

    assert response.status_code == 200
    assert "Nothing is listed" in response.content.decode()


def test_every_list_has_a_text_filter():
    for filterset in FILTERS.values():
        assert isinstance(filterset.base_filters["q"], TextFilter)
