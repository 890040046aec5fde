"""What the palette suggests: commands for those who may, filters and days from words, records."""

import re
from datetime import timedelta
from html import unescape
from urllib.parse import parse_qs, urlsplit

import pytest
from django.urls import reverse

from oegen import audit
from oegen.core import clock
from oegen.models import Comment
from oegen.pages.commands import _commands
from oegen.pages.models import SavedView
from oegen.people import roles
from pipelines.commands import phrases, read_filters
from tests.support.builders import make_counterparty, make_facility, make_pipeline, make_user

pytestmark = pytest.mark.django_db

YESTERDAY = clock.today() - timedelta(days=1)


def suggested(client, text: str, on: str = "/", **query) -> dict[str, str]:
    """The addresses of the suggestions, by what is written on them. Without the last, which asks
    the text as a question: tests/dashboard/ask/test_pages.py."""
    answer = client.get(reverse("suggest"), {"q": text, "on": on, **query})
    assert answer.status_code == 200
    html = re.sub(r"</?(?:bdi|mark)>", "", answer.text)
    options = re.findall(r'(?s)<a [^>]*role="option"[^>]*href="([^"]*)"[^>]*>(.*?)</a>', html)
    found = {
        re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", text))).strip(): unescape(url)
        for url, text in options
    }
    return {text: url for text, url in found.items() if not text.startswith("Ask: ")}


def test_records_say_what_tells_them_apart(as_manager):
    moor = make_pipeline("Kestrel Moor", capacity_mw=40, rag_status="red")
    Comment.objects.create(subject=moor, text="kestrel")
    assert suggested(as_manager, "kestrel") == {
        "Kestrel Moor Pipeline Design R Red 40.0 MWp": moor.get_absolute_url(),
        "Kestrel Moor Facility Solar 40.0 MWp": moor.facilities.get().get_absolute_url(),
        "All results for “kestrel” 3": "/search/?q=kestrel",
    }


def test_names_that_start_with_the_text_come_first_whatever_their_kind(as_manager):
    make_pipeline("Great Kestrel")
    make_facility("Kestrel Array")
    make_counterparty("Kestrel Power")
    found = [one.split()[:2] for one in suggested(as_manager, "kestrel")]
    assert found[:3] == [["Kestrel", "Array"], ["Kestrel", "Power"], ["Great", "Kestrel"]]


def test_many_records_are_ordered_like_few(as_manager, monkeypatch):
    for name in ("Great Kestrel", "Kestrel Moor", "Kestrel Down"):
        make_pipeline(name)
        make_facility(name)
    make_pipeline("Rowan", rag_status="red", rag_comment="Like Kestrel")
    few = suggested(as_manager, "kestrel")
    monkeypatch.setattr("oegen.search.query.FEW_OF_ALL", 3)
    assert list(suggested(as_manager, "kestrel")) == list(few)
    assert len(few) == 8


def test_what_was_meant_is_shown_and_said(as_manager):
    moor = make_pipeline("Kestrelmoor")
    assert moor.get_absolute_url() in suggested(as_manager, "kestrlmoor").values()
    html = as_manager.get(reverse("suggest"), {"q": "kestrlmoor"}).text
    assert "Nothing has “<bdi>kestrlmoor</bdi>” in it. Showing “<bdi>kestrelmoor</bdi>”" in html
    make_pipeline("Down", rag_status="red", rag_comment="Kestrlmoor, he wrote")
    found = suggested(as_manager, "kestrlmoor")
    assert found["Did you mean “kestrelmoor”? 1 result"] == "/search/?q=kestrelmoor"


@pytest.mark.parametrize("text", ["add", "add pip", "new project pipeline", "ad pipline"])
def test_adding_is_offered_to_those_who_may_and_returns_to_the_page(as_editor, as_manager, text):
    url = suggested(as_editor, text, on="/pipelines/?rag=red")["Add a pipeline"]
    assert parse_qs(urlsplit(url).query) == {"next": ["/pipelines/?rag=red"]}
    assert not [one for one in suggested(as_manager, text) if one.startswith("Add")]
    past = suggested(as_editor, text, as_of=YESTERDAY)
    assert not [one for one in past if one.startswith("Add")]


def test_the_admin_is_offered_to_those_who_may_enter_it(as_administrator, as_manager):
    assert suggested(as_administrator, "admin")["Admin"] == "/admin/"
    assert "Admin" not in suggested(as_manager, "admin")


def test_every_command_leads_to_a_page(as_administrator):
    for command in _commands:
        url = suggested(as_administrator, command.title)[command.title]
        assert url == "#" if command.press else as_administrator.get(url).status_code == 200


def test_before_anything_is_typed_there_are_sections_and_usual_filters(as_manager):
    make_pipeline("Late", rtb_date="2020-01-01")
    found = suggested(as_manager, "")
    assert found["Pipelines: overdue 1 pipeline"] == "/pipelines/?rtb=overdue"
    assert "Pipelines: mine 0 pipelines" not in found
    assert [one for one in found if ":" not in one] == [
        *("Dashboard", "Pipelines", "Counterparties", "Contacts", "Facilities"),
        *("Information points", "Changes"),
    ]


def test_records_changed_last_come_first(as_editor, portfolio_manager):
    with audit.change_set(person=portfolio_manager):
        moor = make_pipeline("Kestrel Moor")
    make_pipeline("Somebody else's")
    found = list(suggested(as_editor, "").items())
    assert found[0] == ("Kestrel Moor Pipeline", moor.get_absolute_url())
    assert "Somebody else's" not in str(found)


@pytest.mark.parametrize(
    ("text", "query"),
    [
        ("red", "rag=red"),
        ("red and overdue", "rag=red&rtb=overdue"),
        ("Red, amber in Spain", "rag=red&rag=amber&country=ES"),
        ("solar projects on hold", "technology=solar&status=on-hold"),
        ("wind", "technology=wind-all"),
        ("needs attention", "attention=any"),
        ("mine not green", "responsible=~me&rag__not=green"),
        ("not rated", "rag=none"),
        ("design, construction", "status=design&status=construction"),
        # Unfinished.
        ("red and overd", "rag=red&rtb=overdue"),
        ("no one resp", "attention=nobody"),
    ],
)
def test_words_are_put_together_into_filters(as_manager, text, query):
    make_facility("Sol", country="ES")
    found = [url for one, url in suggested(as_manager, text).items() if one.startswith("Pipelines")]
    assert found == [f"/pipelines/?{query}"]
    assert as_manager.get(found[0]).status_code == 200


def test_a_filter_says_how_many_it_lists(as_manager):
    for number in range(3):
        make_pipeline(f"Row {number}", rag_status="red")
    make_pipeline("Sold", rag_status="red", outcome="sold")
    assert "Pipelines: red 3 pipelines" in suggested(as_manager, "red")
    assert "Pipelines: red, all 4 pipelines" in suggested(as_manager, "red all")
    assert "Pipelines: red 0 pipelines" in suggested(as_manager, "red", as_of=YESTERDAY)


@pytest.mark.parametrize("text", ["kestrel", "red kestrel", "and", "re", "", "red\x00"])
def test_other_words_are_no_filter(text):
    assert read_filters(text, phrases()) == []


def test_days_lead_to_the_page_they_are_typed_on(as_manager):
    day = f"{YESTERDAY:%-d %b %Y}"
    page = "/pipelines/?rag=red&page=2&as_of=2026-01-01"
    assert suggested(as_manager, "as of yesterday", on=page) == {
        f"As of {day} this page": f"?rag=red&as_of={YESTERDAY}"
    }
    assert suggested(as_manager, str(YESTERDAY), on="/?tab=risks") == {
        f"As of {day} this page": f"?tab=risks&as_of={YESTERDAY}",
        f"Compare with {day} this page": f"?tab=risks&compare={YESTERDAY}",
    }
    assert suggested(as_manager, f"compare with {day}", on="/pipelines/") == {
        f"Compare with {day} the dashboard": f"/?compare={YESTERDAY}"
    }
    assert suggested(as_manager, f"as of {day}", on="/notices/") == {
        f"As of {day} the dashboard": f"/?as_of={YESTERDAY}"
    }


def test_from_the_past_a_day_leads_back_or_to_another(as_manager):
    today = clock.today()
    before = YESTERDAY - timedelta(days=3)
    query = {"on": f"/?as_of={YESTERDAY}", "as_of": YESTERDAY}
    assert suggested(as_manager, "today", **query) == {"Back to today": "?"}
    assert suggested(as_manager, f"compare {before}", **query) == {
        f"Compare with {before:%-d %b %Y} this page": f"?compare={before}&as_of={YESTERDAY}"
    }
    assert suggested(as_manager, str(today + timedelta(days=9)), **query) == {}


@pytest.mark.parametrize(
    "on", ["", "//evil.example/", "https://evil.example/", "/nowhere/", "?q=x"]
)
def test_a_page_that_is_none_leads_nowhere_else(as_manager, on):
    for text in ("as of yesterday", "compare yesterday", "add", "dash"):
        urls = suggested(as_manager, text, on=on).values()
        assert not [url for url in urls if "evil" in url.partition("?")[0]]


def test_links_keep_the_past_day(as_manager):
    make_pipeline("Kestrel Moor")
    found = suggested(as_manager, "map", as_of=YESTERDAY)
    assert found == {"Map": f"/pipelines/map/?as_of={YESTERDAY}"}
    assert "Kestrel" not in str(suggested(as_manager, "kestrel", as_of=YESTERDAY))


def test_views_are_found_by_their_names_by_those_who_may_see_them(as_manager, manager):
    other = make_user(roles.MANAGERS, "other")
    for owner, name, is_shared in (
        *((manager, "Late in Spain", False), (other, "Late and shared", True)),
        (other, "Late and private", False),
    ):
        SavedView.objects.create(
            owner=owner, list_name="pipelines", name=name, query="rag=red", is_shared=is_shared
        )
    SavedView.objects.create(owner=manager, list_name="gone", name="Late and gone")
    assert suggested(as_manager, "late") == {
        "Late and shared view of pipelines, by other": "/pipelines/?rag=red",
        "Late in Spain view of pipelines": "/pipelines/?rag=red",
    }


def test_hostile_text_comes_back_as_text(as_manager):
    hostile = "<script>alert(1)</script> \u202e' OR 1=1 -- 🦅"
    make_pipeline(hostile)
    html = as_manager.get(reverse("suggest"), {"q": hostile}).text
    assert "<script" not in html
    assert "<mark>&lt;script&gt;alert(1)&lt;/script&gt;</mark>" in html
    for text in ("\x00", "%", "a" * 5000, "\ud800", "'", "as of \x00"):
        assert (
            as_manager.get(reverse("suggest"), {"q": text.encode("utf-8", "replace")}).status_code
            == 200
        )
