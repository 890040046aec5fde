"""The stream of changes and comments on a record's page."""

import pytest
from django.urls import reverse

from oegen import audit
from oegen.audit.narrative.timeline import entries_of
from oegen.core.bidi import isolated
from oegen.models import Comment
from oegen.pages.records import TIMELINE_STEP
from pipelines.models import Stage, Technology
from tests.support.builders import make_facility, make_pipeline
from tests.support.readers import parsed


def words(response) -> str:
    return " ".join(parsed(response).text.split())


def test_timeline_of_every_record_tells_how_it_came_to_be(as_manager, record):
    assert "added as a" in words(as_manager.get(record.get_absolute_url()))


@pytest.fixture
def talked_about(portfolio_manager):
    pipeline = make_pipeline("Kestrel Moor")
    Comment.objects.create(subject=pipeline, author=portfolio_manager, text="Spoke to them.")
    return pipeline


def test_timeline_can_be_narrowed_to_comments(as_manager, talked_about):
    text = words(as_manager.get(talked_about.get_absolute_url(), {"show": "comments"}))

    assert "Spoke to them." in text
    assert "added as a pipeline" not in text


def test_timeline_can_be_narrowed_to_changes(as_manager, talked_about):
    text = words(as_manager.get(talked_about.get_absolute_url(), {"show": "changes"}))

    assert "Spoke to them." not in text
    assert "added as a pipeline" in text


@pytest.mark.parametrize(
    "query", [{"show": "nonsense"}, {"entries": "many"}, {"entries": "-1"}, {"entries": "9" * 40}]
)
def test_nonsense_in_the_address_shows_the_usual_timeline(as_manager, talked_about, query):
    response = as_manager.get(talked_about.get_absolute_url(), query)

    assert response.status_code == 200
    assert len(response.context["timeline"]) == 2


def test_no_comment_yet_says_what_to_do(as_editor, records):
    response = as_editor.get(records["facility"].get_absolute_url(), {"show": "comments"})

    assert "Write the first comment above." in parsed(response).text


def test_older_entries_are_one_link_away(as_manager, talked_about):
    for count in range(TIMELINE_STEP):
        talked_about.rag_comment = f"Comment {count}"
        talked_about.save()
    response = as_manager.get(talked_about.get_absolute_url())

    assert len(response.context["timeline"]) == TIMELINE_STEP
    assert "added as a pipeline" not in parsed(response).text
    more = response.context["timeline_more"]
    assert f"entries={more}" in response.content.decode()
    older = as_manager.get(talked_about.get_absolute_url(), {"entries": more})
    assert "added as a pipeline" in parsed(older).text
    assert "Show more" not in parsed(older).text


def test_short_change_is_shown_by_its_sentence_alone(as_manager, talked_about):
    talked_about.stage = Stage.objects.get(code="procurement")
    talked_about.save()

    text = words(as_manager.get(talked_about.get_absolute_url()))

    assert "moved from Design to Procurement" in text
    assert "Before and after" not in text


def test_capacity_is_shown_in_the_unit_of_the_technology_that_it_had(as_manager, db):
    facility = make_facility("Rowan Down", "solar", capacity_mw=50)
    facility.capacity_mw = 60
    facility.save()
    facility.technology, facility.capacity_mw = Technology.objects.get(code="bess"), 70
    facility.save()

    text = words(as_manager.get(facility.get_absolute_url()))
    assert "capacity up from 50 MWp to 60 MWp" in text
    assert "capacity up from 60 MWp to 70 MW" in text
    first = facility.history.earliest("history_id").history_id
    then = words(as_manager.get(reverse("history-entry", args=["facility", facility.pk, first])))
    assert "Capacity 50 MWp" in then


def test_long_change_has_its_values_before_and_after(as_manager, talked_about):
    for comment in ("The grid offer is late.", "The grid offer came."):
        talked_about.rag_comment = comment
        talked_about.save()

    text = words(as_manager.get(talked_about.get_absolute_url()))

    assert "RAG comment The grid offer is late. The grid offer came." in text


def test_reason_and_exact_time_stand_with_the_change(as_manager, talked_about, portfolio_manager):
    with audit.change_set(person=portfolio_manager, reason="Council said yes"):
        talked_about.rag_status = "green"
        talked_about.save()

    response = as_manager.get(talked_about.get_absolute_url(), {"show": "changes"})

    assert "RAG set to Green Before and after" in words(response)
    assert "Council said yes Priya Shah · " in words(response)
    assert '" title="' in response.content.decode()


def test_reason_of_one_change_set_is_given_once(as_manager, talked_about, portfolio_manager):
    with audit.change_set(person=portfolio_manager, reason="Council said yes"):
        for status in ("green", "amber", "red"):
            talked_about.rag_status = status
            talked_about.save()

    text = words(as_manager.get(talked_about.get_absolute_url(), {"show": "changes"}))

    assert text.count("RAG ") >= 3
    assert text.count("Council said yes") == 1


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("Kestrel Moor – 2", "Kestrel Moor – 2"),
        ("مشروع", "\u2068مشروع\u2069"),
        ("\u202enever closed", "\u2068\u202enever closed\u2069"),
        ("\u2067open", "\u2068\u2067open\u2069\u2069"),
        ("closed\u2069 twice", "\u2068closed twice\u2069"),
    ],
)
def test_text_that_could_turn_a_sentence_round_is_isolated(text, kept):
    assert isolated(text) == kept


def test_a_value_that_overrides_its_direction_is_isolated_in_the_phrase(talked_about):
    talked_about.rag_comment = "\u202enever closed"
    talked_about.save()

    phrase = entries_of(talked_about, limit=1)[0].phrase

    assert phrase == "RAG comment now “\u2068\u202enever closed\u2069”"
