"""Typing errors in a search are forgiven where nothing, or little, has the words as typed."""

import re

import pytest
from django.urls import reverse

from oegen import asof, search
from oegen.core import clock
from oegen.search.models import SortKey
from oegen.search.spelling import Vocabulary
from tests.support.builders import make_contact, make_pipeline

pytestmark = pytest.mark.django_db


def meant(text: str) -> str:
    similar = search.SearchResults(text).similar()
    return similar.text if similar else ""


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("kestrelmor", "kestrelmoor"),
        ("ketsrelmoor", "kestrelmoor"),
        ("KÉSTRLMOR", "kestrelmoor"),
        ("kestrelmor solra", "kestrelmoor solar"),
        ("solar kestrlmoor", "solar kestrelmoor"),
        ("gren-energy", "green-energy"),
        # An unfinished word.
        ("kestrlm", "kestrelm"),
        # Too short, too far, in no record together, or numbers.
        ("grx", ""),
        ("kxxtrxlmoor", ""),
        ("kestrelmor green", ""),
        ("2031", ""),
    ],
)
def test_words_a_few_errors_away_are_found(typed, expected):
    make_pipeline("Kestrelmoor Solar 2030")
    make_pipeline("Green-Energy")
    assert meant(typed) == expected


def test_the_word_with_hits_is_taken_of_several_that_are_as_near():
    make_pipeline("Barlow Down")
    make_pipeline("Harlow Down").delete()
    make_pipeline("Farlow Moor")
    assert meant("yarlow moor") == "farlow moor"


def test_words_that_many_records_have_are_no_errors():
    for number in range(3):
        make_pipeline(f"Kestral {number}")
    make_pipeline("Kestrel")
    assert meant("kestral") == ""


def test_new_names_are_known_at_once_and_renumbered_ones_read_anew():
    vocabulary = Vocabulary()
    make_pipeline("Kestrelmoor")
    assert "kestrelmoor" in vocabulary.read().words
    make_pipeline("Larchfield")
    assert {"kestrelmoor", "larchfield"} <= set(vocabulary.read().words)
    SortKey.objects.all().delete()
    make_contact("Rowan Ash")
    assert "rowan" in vocabulary.read().words
    assert "larchfield" not in vocabulary.words


def test_the_past_knows_the_names_of_then():
    with asof.as_of(clock.today()):
        assert meant("kestrelmor") == ""


def test_the_search_page_shows_what_was_meant_and_says_so(as_manager):
    make_pipeline("Kestrelmoor")
    answer = as_manager.get(reverse("search"), {"q": "<b>kestrelmor"})
    assert 'class="hit ' not in answer.text
    answer = as_manager.get(reverse("search"), {"q": "kestrelmor"})
    assert 'class="hit ' in answer.text
    assert re.search(r"Nothing has this word in it\. .*“kestrelmoor”", answer.text)
    make_pipeline("Moor", rag_status="red", rag_comment="Kestrelmor, he wrote")
    answer = as_manager.get(reverse("search"), {"q": "kestrelmor"})
    assert "Nothing has" not in answer.text
