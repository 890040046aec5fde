"""Choosers, admin lists and filter suggestions find like the search page."""

import pytest
from django.urls import reverse

from counterparties.models import Contact, Counterparty
from oegen.models import User
from pipelines.models import Technology
from tests.support.builders import make_contact, make_counterparty, make_pipeline, make_user

pytestmark = pytest.mark.django_db

#: What is typed, and the name or other name that it finds.
FOUND = {
    "orsted": "Ørsted Vind",
    "ØRSTED vind": "Ørsted Vind",
    "isik": "Üçgöz Enerji Işık",
    "istanbul": "İstanbul Rüzgâr",
    "STRASSE": "Straße Energie",
    "o’neil": "O'Neil Power",
    "o'neil": "O’Neil Power",
}


def offered(desk, term: str, field: tuple[str, str, str]) -> list[str]:
    app_label, model_name, field_name = field
    answer = desk.client.get(
        reverse("admin:autocomplete"),
        {
            "term": term,
            "app_label": app_label,
            "model_name": model_name,
            "field_name": field_name,
        },
    )
    return [one["text"] for one in answer.json()["results"]]


COUNTERPARTY = ("pipelines", "pipelinecounterparty", "counterparty")


def listed(desk, model, term: str) -> list[str]:
    opts = model._meta
    url = reverse(f"admin:{opts.app_label}_{opts.model_name}_changelist")
    return [str(one) for one in desk.client.get(url, {"q": term}).context["cl"].result_list]


def suggested(desk, term: str) -> list[str]:
    return desk.client.get(reverse("counterparty-names"), {"q": term}).json()["names"]


@pytest.mark.parametrize("term", FOUND)
def test_a_name_or_other_name_is_found_however_it_is_typed(desk, term):
    make_counterparty("Birch")
    make_counterparty(FOUND[term])
    for names in (
        offered(desk, term, COUNTERPARTY),
        listed(desk, Counterparty, term),
        suggested(desk, term),
    ):
        assert names == [FOUND[term]]
    Counterparty.objects.filter(name=FOUND[term]).update(name="Rowan", aliases=FOUND[term])
    for names in (
        offered(desk, term, COUNTERPARTY),
        listed(desk, Counterparty, term),
        suggested(desk, term),
    ):
        assert names == ["Rowan"]


def test_choosers_offer_names_that_start_with_the_text_first(desk):
    make_counterparty("Birch", aliases="Larch Holding")
    make_counterparty("Old Lärch")
    for number in (10, 2):
        make_counterparty(f"LÄRCH {number}")
    assert offered(desk, "larch", COUNTERPARTY) == ["LÄRCH 2", "LÄRCH 10", "Old Lärch", "Birch"]


@pytest.mark.parametrize("term", ["+442079460123", "79460123", "+44 20 7946", "0123"])
def test_a_phone_number_is_found_by_its_digits(desk, term):
    make_contact("Jo Lark", phone="+44 20 7946 0123")
    make_contact("Al Finch", phone="+44 20 7946 9999"[:-4] + "8888")
    expected = ["Jo Lark"] if term != "+44 20 7946" else ["Al Finch", "Jo Lark"]
    assert listed(desk, Contact, term) == expected
    page = desk.client.get("/search/", {"q": term}).content.decode()
    assert "/contacts/" in page


def test_pipelines_are_found_by_their_counterparties_in_the_admin(desk):
    pipeline = make_pipeline("Kettleby", lead_developer=make_counterparty("Ørsted"))
    make_pipeline("Birch")
    assert listed(desk, type(pipeline), "orsted") == ["Kettleby"]


def test_vocabularies_and_people_are_found_too(desk, administrator):
    Technology.objects.create(code="gezeiten", name="Große Flut", capacity_basis="ac")
    make_user("Managers", username="zoe", first_name="Zoë", last_name="Brontë")
    assert offered(desk, "GROSSE", ("pipelines", "facility", "technology")) == ["Große Flut"]
    assert offered(desk, "zoe bronte", ("infopoints", "informationpoint", "owner")) == [
        "Zoë Brontë"
    ]
    desk.client.force_login(administrator)
    assert listed(desk, User, "bronte") == ["Zoë Brontë"]
