"""What search finds, in which order, and how it says where."""

import re

import pytest
from django.urls import reverse
from django.utils import timezone

from oegen import audit, search
from oegen.models import Comment
from tests.support.builders import (
    make_contact,
    make_counterparty,
    make_facility,
    make_information_point,
    make_pipeline,
)

pytestmark = pytest.mark.django_db


def names(text: str, kind: str = "pipeline") -> list[str]:
    finding = search.SearchResults(text)
    for model in finding.totals:
        if model._meta.model_name == kind:
            return [str(hit.record) for hit in finding.group(model, limit=50).hits]
    return []


def page(client, **query) -> str:
    response = client.get(reverse("search"), query)
    assert response.status_code == 200
    return response.content.decode()


def shown(html: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html))


def test_every_kind_of_record_is_found_and_counted():
    pipeline = make_pipeline("Kestrel Moor")
    make_facility("Kestrel Moor array")
    make_counterparty("Larch Power", aliases="Kestrel Holdings\nOld Larch")
    make_contact("Kes", email="kes@kestrel.example")
    make_information_point("Panel prices fall", description="So Kestrel gets cheaper.")
    Comment.objects.create(subject=pipeline, text="Spoke to the kestrel people.")
    assert [
        (model._meta.model_name, number)
        for model, number in search.SearchResults("kestrel").totals.items()
    ] == [
        ("pipeline", 1),
        ("facility", 1),
        ("counterparty", 1),
        ("contact", 1),
        ("informationpoint", 1),
        ("comment", 1),
    ]


def test_all_words_must_be_there_in_whatever_field():
    make_pipeline("Kestrel Moor", rag_status="red", rag_comment="The grid offer is late.")
    make_pipeline("Kestrel Down")
    assert names("late kestrel grid") == ["Kestrel Moor"]
    assert names("kestrel hydro") == []


def test_a_word_may_be_part_of_one_but_not_reach_into_the_next_field():
    make_pipeline("Moor", rag_status="red", rag_comment="land dispute")
    assert names("oo") == ["Moor"]
    assert names("moorland") == []


@pytest.mark.parametrize("text", ["ÆRØ strøm", "aero strom", "Ærø", "STROM"])
def test_accents_and_case_make_no_difference(text):
    make_pipeline("Ærø Strøm")
    assert names(text) == ["Ærø Strøm"]


@pytest.mark.parametrize("text", ["%", "_", "100%", "a_c", "\\", "' OR 1=1 --", "x\x00y", '"'])
def test_signs_that_mean_something_to_a_database_mean_themselves(text):
    make_pipeline("abc")
    assert names(text) == []
    make_pipeline(f"Odd {text.replace(chr(0), ' ')} name")
    assert len(names(text)) == 1


def test_best_first():
    make_pipeline("Zebra", rag_status="red", rag_comment="Next to Moor.")
    make_pipeline("Great moor")
    make_pipeline("Moorland")
    make_pipeline("A moor")
    assert names("moor") == ["Moorland", "A moor", "Great moor", "Zebra"]


def test_the_place_of_a_match_is_named_and_marked(as_manager):
    make_counterparty("Larch Power", aliases="Ærø Holdings")
    html = page(as_manager, q="aero")
    assert "Other names:</span> <bdi><mark>Ærø</mark> Holdings</bdi>" in html


def test_a_comment_leads_to_the_record_it_is_about(as_manager):
    pipeline = make_pipeline("Kestrel Moor")
    Comment.objects.create(subject=pipeline, text="Spoke to the <b>council</b>.")
    html = page(as_manager, q="council")
    link = rf'<a [^>]*href="{pipeline.get_absolute_url()}"[^>]*><bdi>Kestrel Moor</bdi></a>'
    assert re.search(link, html)
    assert "Spoke to the &lt;b&gt;<mark>council</mark>&lt;/b&gt;." in html


def test_eight_of_a_kind_and_the_rest_one_click_away(as_manager):
    for number in range(60):
        make_pipeline(f"Moor {number:02}")
    html = page(as_manager, q="moor")
    assert html.count('class="hit ') == 8
    assert "All 60" in shown(html)
    whole = page(as_manager, q="moor", kind="pipeline")
    assert whole.count('class="hit ') == 50
    second = page(as_manager, q="moor", kind="pipeline", page=2)
    assert second.count('class="hit ') == 10
    assert "Page 2 of 2" in shown(second)


@pytest.mark.parametrize("wrong", ["0", "99", "-1", "x"])
def test_a_page_there_is_not_shows_one_there_is(as_manager, wrong):
    make_pipeline("Moor")
    assert 'class="hit ' in page(as_manager, q="moor", kind="pipeline", page=wrong)


def test_an_unknown_kind_is_named_and_everything_is_shown(as_manager):
    make_pipeline("Moor")
    html = page(as_manager, q="moor", kind="<castle>")
    assert "There is no kind of record called “&lt;castle&gt;”" in html
    assert 'class="hit ' in html


def test_a_kind_without_a_match_leads_back_to_the_others(as_manager):
    make_pipeline("Moor")
    assert "Nothing of this kind" in page(as_manager, q="moor", kind="contact")


def test_no_match_says_what_to_try(as_manager):
    assert "Search for fewer words" in page(as_manager, q="moor hydro")


def test_hostile_text_comes_back_as_text(as_manager):
    hostile = "<script>alert(1)</script> \u202e' OR 1=1 -- 🦅"
    make_pipeline(hostile)
    html = page(as_manager, q=hostile)
    assert "<script>alert" not in html
    assert "<mark>&lt;script&gt;alert(1)&lt;/script&gt;</mark>" in html


def test_a_query_of_ten_thousand_characters_is_cut_and_says_so(as_manager):
    make_pipeline("Moor")
    assert "Only the first 200 characters" in page(as_manager, q="moor " * 2000)


def test_without_words_search_shows_what_the_person_changed_last(client, portfolio_manager):
    client.force_login(portfolio_manager)
    with audit.change_set(person=portfolio_manager):
        mine = make_pipeline("Kestrel Moor")
    make_pipeline("Somebody else's")
    with audit.change_set(person=portfolio_manager):
        make_contact("Newest")
        make_facility("Gone").delete()
    html = page(client)
    assert re.findall(r"<bdi>([^<]*)</bdi>", html) == [
        "Newest",
        str(mine),
    ]
    assert "Pipelines, facilities, counterparties, contacts" in shown(html)


def test_search_needs_a_sign_in(client):
    response = client.get(reverse("search"))
    assert response.status_code == 302
    assert response.url.startswith(reverse("login"))


def test_hits_show_what_tells_records_of_one_name_apart(client, manager):
    client.force_login(manager)
    moor = make_pipeline("Kestrel", technology="wind", capacity_mw=40, rag_status="red")
    moor.facilities.update(country="ES")
    make_pipeline("Kestrel Sold", outcome="sold", capacity_mw=5)
    make_counterparty("Kestrel Ltd", country="GB", archived_at=timezone.now())
    make_information_point("Kestrel risk", 80, 50)

    text = shown(page(client, q="kestrel"))

    for reported in (
        "Kestrel Pipeline Design R Red 40.0 &nbsp;MW Spain",
        "Kestrel Sold Pipeline Sold Not rated 5.0 &nbsp;MWp",
        "Kestrel Facility Wind 40.0 &nbsp;MW Spain",
        "Kestrel Ltd Counterparty United Kingdom archived",
        "Kestrel risk Information point Open rated 4,000",
    ):
        assert reported in text
