"""The page of a record's whole history, and of its state at one entry."""

from datetime import UTC, date, datetime
from uuid import uuid4

import pytest
from django.urls import reverse

from oegen import audit
from oegen.models import Comment
from pipelines.models import CounterpartyRole, Pipeline, Stage
from tests.support.builders import (
    make_contact,
    make_counterparty,
    make_facility,
    make_information_point,
    make_pipeline,
)
from tests.support.readers import entry_page, history_page, parsed, words

pytestmark = pytest.mark.django_db


@pytest.fixture
def pipeline(portfolio_manager):
    """Three changes of its own, a facility, a counterparty with a share, and a comment."""
    with audit.change_set(person=portfolio_manager, reason="Signed the option"):
        pipeline = make_pipeline("Kestrel Moor", rtb_date=date(2027, 3, 14), capacity_mw=40)
    acme = make_counterparty("Acme")
    with audit.change_set(person=portfolio_manager, reason="They came in"):
        pipeline.counterparty_links.create(
            counterparty=acme, role=CounterpartyRole.objects.get(code="owner"), share_pct=40
        )
    with audit.change_set(person=portfolio_manager, reason="Grid date moved"):
        pipeline.rtb_date = date(2027, 5, 14)
        pipeline.ownership_pct = 60
        pipeline.save()
    Comment.objects.create(subject=pipeline, author=portfolio_manager, text="Spoke to the council")
    pipeline.stage = Stage.objects.get(code="procurement")
    pipeline.save()
    return pipeline


def row_of(record, version):
    return record.history.get(version=version)


def test_every_entry_stands_newest_first_with_when_who_why_and_its_change_set(as_manager, pipeline):
    response = as_manager.get(history_page(pipeline))

    phrases = [entry.phrase for entry in response.context["entries"]]
    assert phrases == [
        "moved from Design to Procurement",
        "commented “Spoke to the council”",
        "RTB date from 14 Mar 2027 to 14 May 2027, 61 days later; Ownership from 100 % to 60 %",
        "Acme as Owner added",
        "facility Kestrel Moor added",
        "added as a facility",
        "added as a pipeline",
    ]
    moved = row_of(pipeline, 2)
    number = moved.change_set.number
    when = moved.history_date.strftime("%-d %b %Y, %H:%M:%S")
    assert f"{when} : this entry Priya Shah Version 2 · change set {number}" in words(response)
    assert f'href="{reverse("change-set", args=[number])}"' in response.content.decode()
    assert "Why: Grid date moved" in words(response)


def test_old_and_new_values_stand_in_a_table_with_names_and_units(as_manager, pipeline):
    text = words(as_manager.get(history_page(pipeline)))

    assert "Field Before After RTB date 14 Mar 2027 14 May 2027 Ownership 100 % 60 %" in text
    assert "Stage Design Procurement" in text


@pytest.mark.parametrize(
    ("query", "phrases"),
    [
        ({"field": "ownership_pct"}, ["RTB date from"]),
        ({"field": "stage"}, ["moved from"]),
        ({"field": "oegen.comment"}, ["commented"]),
        ({"field": "pipelines.pipelinecounterparty"}, ["Acme as Owner added"]),
        ({"person": "system"}, ["moved from", "commented"]),
        ({"field": "rag_status"}, []),
        ({"since": "2020-01-01", "until": "2020-12-31"}, []),
    ],
)
def test_filters_pick_entries_by_field_person_and_dates(as_manager, pipeline, query, phrases):
    shown = as_manager.get(history_page(pipeline), query).context["entries"]

    assert len(shown) == len(phrases)
    for entry, phrase in zip(shown, phrases, strict=True):
        assert entry.phrase.startswith(phrase)


def test_person_filter_offers_those_in_the_history_alone(
    as_manager, pipeline, portfolio_manager, administrator
):
    response = as_manager.get(history_page(pipeline), {"person": portfolio_manager.pk})

    choices = response.context["filter"].form.fields["person"].labels
    assert set(choices.values()) == {"The system", "Priya Shah"}
    assert {entry.person for entry in response.context["entries"]} == {"Priya Shah"}


def test_days_of_the_filter_are_days_in_london(as_manager):
    """In summer 23:30 in UTC is half past midnight of the next day in London."""
    late = datetime(2026, 7, 1, 23, 30, tzinfo=UTC)
    with audit.change_set(recorded_at=late):
        facility = make_facility("Rowan Down")

    def count(day):
        query = {"since": day, "until": day}
        return len(as_manager.get(history_page(facility), query).context["entries"])

    assert (count("2026-07-01"), count("2026-07-02")) == (0, 1)


def test_wrong_filter_is_reported_beside_it_and_picks_nothing(as_manager, pipeline):
    response = as_manager.get(history_page(pipeline), {"until": "yesterday", "field": "nonsense"})

    assert response.context["entries"] == []
    text = words(response)
    assert "Give a day as year-month-day, such as 2027-03-14." in text
    assert "There is no “nonsense” here" in text


def test_field_that_went_from_empty_to_a_value_and_back_is_found(as_manager):
    pipeline = make_pipeline("Kestrel")
    for value in (date(2027, 1, 1), None):
        pipeline.rtb_date = value
        pipeline.save()
    pipeline.rag_comment = "Something else"
    pipeline.save()

    shown = as_manager.get(history_page(pipeline), {"field": "rtb_date"}).context["entries"]

    assert [entry.version for entry in shown] == [3, 2]


def test_long_history_is_paged(as_manager):
    pipeline = make_pipeline("Kestrel")
    for number in range(50):
        Pipeline.objects.filter(pk=pipeline.pk).update(rag_comment=f"Comment {number}")

    first = as_manager.get(history_page(pipeline))
    second = as_manager.get(history_page(pipeline), {"page": 2})

    assert (first.context["total"], len(first.context["entries"])) == (51, 50)
    assert "Page 1 of 2" in words(first)
    assert [entry.phrase for entry in second.context["entries"]] == ["added as a pipeline"]


def test_number_of_queries_does_not_grow_with_the_history(
    as_manager, django_assert_max_num_queries
):
    pipeline = make_pipeline("Kestrel", capacity_mw=3)
    for number in range(40):
        Pipeline.objects.filter(pk=pipeline.pk).update(rag_comment=f"Comment {number}")
        Comment.objects.create(subject=pipeline, text=f"Said {number}")
    as_manager.get(history_page(pipeline))

    with django_assert_max_num_queries(24):
        as_manager.get(history_page(pipeline))
    with django_assert_max_num_queries(36):
        as_manager.get(entry_page(pipeline.history.latest("history_id")))


def test_history_of_a_link_and_of_a_comment_names_what_they_belong_to(as_manager, pipeline):
    link, comment = pipeline.counterparty_links.get(), pipeline.comments.get()

    of_link = words(as_manager.get(history_page(link)))
    of_comment = words(as_manager.get(history_page(comment)))

    assert "History of Kestrel Moor History History of Acme as Owner" in of_link
    assert "History of Comment “Spoke to the council”" in of_comment


def test_link_whose_end_was_removed_still_has_a_history(as_manager, pipeline):
    link = pipeline.counterparty_links.get()
    company, page = link.counterparty, history_page(link)
    link.delete()
    company.delete()

    response = as_manager.get(page)

    assert "This counterparty of a pipeline was removed" in words(response)


@pytest.mark.parametrize("kind", ["pipeline", "nothing", "user"])
def test_unknown_record_or_kind_is_not_found(as_manager, kind):
    stranger = "5b1a4a52-98a5-4f5c-9f7b-0d9a4a3c7d11"
    assert as_manager.get(f"/history/{kind}/{stranger}/").status_code == 404


def test_entry_of_another_record_is_not_found(as_manager, pipeline):
    other = make_pipeline("Other").history.get()
    for entry in (other.history_id, 10**30):
        address = reverse("history", args=["pipeline", pipeline.pk]) + f"{entry}/"
        assert as_manager.get(address).status_code == 404
        assert as_manager.get(f"{address}restore/").status_code == 404


def test_entry_shows_all_fields_and_links_as_they_were(as_manager, pipeline):
    row = row_of(pipeline, 2)
    pipeline.counterparty_links.get().delete()
    pipeline.facility_links.get().delete()
    pipeline.project_name = "Kestrel II"
    pipeline.save()

    text = words(as_manager.get(entry_page(row)))

    assert "Entry 2 of 4, version 2. It is different now." in text
    assert "Project name Kestrel Moor Stage Design On hold no" in text
    assert "RTB date 14 May 2027 changed here" in text
    assert "Ownership 60 % changed here" in text
    assert "Probability empty" in text
    assert "Facilities 1 facility Kestrel Moor" in text
    assert "Counterparties 1 Acme as Owner, share 40 %" in text
    assert "What this entry changed Field Before After RTB date 14 Mar 2027 14 May 2027" in text


def test_entry_leads_to_its_neighbours_and_to_what_was_changed_with_it(as_manager, pipeline):
    first, second, third = (row_of(pipeline, version) for version in (1, 2, 3))

    html = as_manager.get(entry_page(second)).content.decode()

    assert f'rel="prev" href="{entry_page(first)}"' in html
    assert f'rel="next" href="{entry_page(third)}"' in html
    assert f'href="{reverse("change-set", args=[second.change_set.number])}"' in html
    assert 'rel="prev"' not in as_manager.get(entry_page(first)).content.decode()
    assert 'rel="next"' not in as_manager.get(entry_page(third)).content.decode()


def test_restoring_is_offered_to_those_who_may_and_not_for_the_state_of_now(
    as_manager, as_editor, pipeline
):
    then, now = row_of(pipeline, 2), row_of(pipeline, 3)

    assert "Restore this state" in words(as_editor.get(entry_page(then)))
    assert "Restore this state" not in words(as_manager.get(entry_page(then)))
    current = words(as_editor.get(entry_page(now)))
    assert "This is how it is now." in current
    assert "Restore this state" not in current


def test_record_s_page_and_its_timeline_lead_to_the_history(as_manager, pipeline):
    html = as_manager.get(pipeline.get_absolute_url()).content.decode()

    assert f'<a href="{history_page(pipeline)}">Whole history</a>' in html
    assert f'href="{entry_page(row_of(pipeline, 3))}"' in html


def test_hostile_name_and_reason_are_shown_as_text(as_manager, portfolio_manager):
    hostile = "<script>alert(1)</script>\"'{{ 7|add:7 }}\u202e"
    with audit.change_set(person=portfolio_manager, reason=hostile):
        pipeline = make_pipeline(hostile, lead_developer=make_counterparty(hostile))
        pipeline.rag_comment = hostile
        pipeline.save()
        row = pipeline.history.latest("history_id")
    pipeline.delete()

    for page in (history_page(pipeline, pk=row.id), entry_page(row), reverse("removed-records")):
        found = parsed(as_manager.get(page))
        assert found.forbidden == [], page
        assert "<script>alert(1)</script>" in found.text, page


def test_the_address_of_a_removed_record_is_a_404_that_leads_to_its_history(
    as_manager, portfolio_manager
):
    makers = (make_pipeline, make_facility, make_counterparty, make_contact, make_information_point)
    for make in makers:
        record = make("Kestrel <i>")
        page, history = record.get_absolute_url(), history_page(record)
        with audit.change_set(person=portfolio_manager, reason="Entered twice"):
            type(record).objects.filter(pk=record.pk).delete()
        response = as_manager.get(page)
        assert response.status_code == 404
        html = " ".join(response.content.decode().split())
        assert "Kestrel &lt;i&gt;" in html
        assert f"Priya Shah removed this {record._meta.verbose_name} on" in html
        assert "Entered twice" in html
        assert f'href="{history}"' in html
        assert as_manager.get(history).status_code == 200
        response = as_manager.get(page.replace(str(record.pk), str(uuid4())))
        assert response.status_code == 404
        assert "removed this" not in response.content.decode()
