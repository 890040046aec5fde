"""Saving the form of a record that somebody removed while it was open."""

import re
from html import unescape

import pytest

from counterparties.models import Counterparty
from pipelines.models import CounterpartyRole, Pipeline, Stage
from tests.support.builders import make_counterparty, make_information_point, make_pipeline

pytestmark = pytest.mark.django_db

UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-")


def entered(response) -> dict[str, str]:
    """What the page lists, by label."""
    assert response.status_code == 409
    html = response.content.decode()
    rows = re.findall(r'<th scope="row">(.*?)</th><td>(.*?)</td>', html, re.S)
    return {unescape(label): unescape(re.sub(r"<[^>]*>", "", words)) for label, words in rows}


@pytest.fixture
def pipeline():
    return make_pipeline(
        "Kestrel Moor", capacity_mw=40, lead_developer=make_counterparty("Larch"), rag_status="red"
    )


def send_after_removal(desk, record, **changes):
    data = desk.open(record)
    type(record).objects.get(pk=record.pk).delete()
    return desk.send(record, data | changes)


def test_only_what_was_changed_is_listed_in_words(desk, pipeline):
    found = entered(
        send_after_removal(
            desk,
            pipeline,
            project_name="Kestrel Moor North",
            stage=str(Stage.objects.get(code="construction").pk),
            rag_status="amber",
            rtb_date="2027-03-14",
            on_hold="on",
            change_reason="Consent came",
            **{"facility_links-0-capacity_mw": "45"},
        )
    )

    assert found == {
        "Project name": "Kestrel Moor North",
        "Stage": "Construction",
        "RAG": "Amber",
        "RTB date": "14 Mar 2027",
        "On hold": "ticked",
        "Reason": "Consent came",
        "Facility of a pipeline 1: Capacity in MW or MWp": "45",
    }


def test_new_row_is_listed_without_a_key(desk, pipeline):
    owner = CounterpartyRole.objects.get(code="owner")
    response = send_after_removal(
        desk,
        pipeline,
        **{
            "counterparty_links-TOTAL_FORMS": "2",
            "counterparty_links-1-counterparty": str(make_counterparty("Elm").pk),
            "counterparty_links-1-role": str(owner.pk),
        },
    )

    found = entered(response)
    assert sorted(found.values()) == ["Elm", "Owner"]
    assert not any(UUID.search(text) for pair in found.items() for text in pair)


def test_untouched_form_lists_nothing(desk):
    for record in (make_information_point(), make_counterparty(), make_pipeline()):
        response = send_after_removal(desk, record)

        assert entered(response) == {}
        assert "You had not changed anything." in response.content.decode()


def test_field_that_others_changed_is_none_of_what_was_typed(desk, pipeline):
    data = desk.open(pipeline) | {"project_name": "Mine"}
    newer = Pipeline.objects.get()
    newer.rag_comment = "Theirs"
    newer.save()
    newer.delete()

    assert entered(desk.send(pipeline, data)) == {"Project name": "Mine"}


def test_emptied_field_and_vanished_choice_are_reported(desk):
    record = make_counterparty("Larch", strategy="Grow")
    assert entered(send_after_removal(desk, record, strategy="")) == {
        "Strategy": "nothing: you emptied it"
    }
    pipeline = make_pipeline()
    gone = make_counterparty().pk
    found = entered(send_after_removal(desk, pipeline, stage=str(gone)))
    assert found == {"Stage": "something that is not on offer any more"}


@pytest.mark.parametrize("changes", [{"guard": "{"}, {"facility_links-TOTAL_FORMS": "many"}])
def test_damaged_form_is_still_reported(desk, pipeline, changes):
    assert (
        "Mine"
        in entered(send_after_removal(desk, pipeline, project_name="Mine", **changes)).values()
    )


def test_a_key_that_never_was_is_reported_too(desk):
    record = Counterparty(name="Never saved")
    response = desk.client.post(desk.url(record), {"name": "Typed"})

    assert response.status_code == 409
    assert "There is no such record any more." in response.content.decode()
