"""The audit page: everything that was recorded, filtered, paged and as a file."""

import csv
from datetime import UTC, datetime

import pytest
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format

from counterparties.models import Contact, Counterparty
from oegen import audit
from oegen.history import audit as audit_views
from oegen.history.filters import THE_SYSTEM, AuditFilter
from oegen.history.trail import MAX_KEYS
from oegen.models import ChangeSet, Comment, User
from pipelines.models import Facility, Pipeline, Stage
from tests.oegen.pages.test_junk import JUNK
from tests.support.builders import make_contact, make_counterparty, make_facility, make_pipeline
from tests.support.readers import words

pytestmark = pytest.mark.django_db

URL = "/audit/"


@pytest.fixture
def as_manager(client, manager):
    client.force_login(manager)
    return client


@pytest.fixture
def moved(portfolio_manager) -> Pipeline:
    """A pipeline that Priya moved and renamed, each with a reason."""
    pipeline = make_pipeline("Kestrel Moor", stage="discovery")
    with audit.change_set(person=portfolio_manager, reason="Board decided", source="board"):
        pipeline.stage = Stage.objects.get(code="design")
        pipeline.save()
    with audit.change_set(person=portfolio_manager, reason="Spelt wrongly", source="form"):
        pipeline.project_name = "Kestrel Down"
        pipeline.save()
    return pipeline


def listed(client, **query) -> list[tuple[str, str]]:
    """Type and phrase of each entry on the page."""
    response = client.get(URL, query)
    assert response.status_code == 200
    return [(entry.noun, entry.phrase) for entry in response.context["page"].entries]


def test_every_history_row_is_listed_newest_first(as_manager, moved):
    written = sum(model.history.count() for model in audit.tracked_models())

    entries = as_manager.get(URL, {"set_up": "shown"}).context["page"].entries

    assert len(entries) == min(written, audit_views.PAGE_SIZE)
    moments = [entry.when for entry in entries]
    assert moments == sorted(moments, reverse=True)


def test_the_set_up_of_the_database_is_left_out_until_asked_for(as_manager, moved):
    def sources(**query) -> set[str]:
        return {one.source for one in as_manager.get(URL, query).context["page"].entries}

    assert audit.Source.MIGRATION not in sources()
    assert "show it" in as_manager.get(URL).text
    assert audit.Source.MIGRATION in sources(set_up="shown")
    assert sources(source="migration") == {audit.Source.MIGRATION}
    assert audit.Source.MIGRATION in sources(type="stage")


def test_a_line_says_when_who_what_from_what_to_what_and_why(as_manager, moved):
    page = as_manager.get(URL, {"type": "pipeline", "field": "pipeline.project_name"})

    html = " ".join(page.content.decode().split())
    number = ChangeSet.objects.latest("number").number
    assert "Priya Shah" in html
    assert f'<a href="/history/pipeline/{moved.pk}/"><bdi>Kestrel Down</bdi></a>' in html
    assert "<del><bdi>Kestrel Moor</bdi></del>" in html
    assert "<ins><bdi>Kestrel Down</bdi></ins>" in html
    assert "Spelt wrongly" in html
    assert f'href="/audit/{number}/"' in html


def test_links_and_moves_are_described_in_words(as_manager, manager):
    pipeline = make_pipeline("Kestrel Moor", capacity_mw=40, stage="design")
    pipeline.on_hold = True
    pipeline.save()
    pipeline.on_hold, pipeline.outcome = False, "sold"
    pipeline.save()
    pipeline.transitions.first().delete()

    text = words(as_manager.get(URL))
    today = date_format(timezone.localdate())
    for reported in (
        "Pipeline Kestrel Moor Facility Kestrel Moor added",
        f"Pipeline Kestrel Moor Moved to Design on {today}",
        f"Pipeline Kestrel Moor Put on hold in Design on {today}",
        f"Pipeline Kestrel Moor Marked sold in Design on {today}",
        f"Pipeline Kestrel Moor “marked sold in Design on {today}” taken back",
    ):
        assert reported in text
    Comment.objects.create(subject=pipeline, author=manager, text="Good")
    latest = words(as_manager.get(reverse("latest-changes")))
    assert "Kestrel Moor : facility Kestrel Moor added" in latest
    assert "Kestrel Moor : commented “Good”" in latest
    kept = {(row["Record type"], row["New value"]) for row in csv_of(as_manager)}
    assert ("facility of a pipeline", "facility Kestrel Moor added") in kept
    assert ("stage transition", "the move to Design added") in kept


def test_filter_by_person(as_manager, moved, portfolio_manager):
    assert len(listed(as_manager, person=portfolio_manager.pk)) == 3  # Two saves, one transition.
    by_nobody = listed(as_manager, person=THE_SYSTEM, type="pipeline")
    assert by_nobody == [("pipeline", "added as a pipeline")]


def test_filter_by_type_and_action(as_manager, moved):
    make_contact("Ann")
    Contact.objects.all().delete()
    assert [one for one, _ in listed(as_manager, type="contact")] == ["contact", "contact"]
    assert listed(as_manager, type="contact", action="removed") == [("contact", "removed")]
    assert [one for one, _ in listed(as_manager, action="removed")] == ["contact"]


def test_filter_by_field_finds_the_entries_that_changed_it(as_manager, moved):
    assert len(listed(as_manager, field="pipeline.stage")) == 1
    assert len(listed(as_manager, field="pipeline.project_name")) == 1
    assert listed(as_manager, field="pipeline.rtb_date") == []


def test_filter_by_field_finds_what_became_empty_or_was(as_manager):
    facility = make_facility(capacity_mw=None)
    for capacity in (5, None, None):
        facility.capacity_mw = capacity
        facility.save()
    assert len(listed(as_manager, field="facility.capacity_mw")) == 2


def test_a_field_of_another_type_is_refused_beside_the_field(as_manager, moved):
    html = as_manager.get(URL, {"type": "contact", "field": "pipeline.stage"}).content.decode()
    assert "That is a field of pipelines: choose these as type, or any type." in html
    assert "Nothing is listed" in html


def test_filter_by_source(as_manager, moved):
    assert {one for one, _ in listed(as_manager, source="board")} == {
        "pipeline",
        "stage transition",
    }
    assert listed(as_manager, source="import") == []


def test_filter_by_a_source_of_many_change_sets(as_manager, moved):
    for number in range(MAX_KEYS + 1):
        with audit.change_set(source=audit.Source.COMMAND):
            make_contact(f"Contact {number}")
    page = as_manager.get(URL, {"source": "command"}).context["page"]
    assert page.total == MAX_KEYS + 1
    assert {entry.source for entry in page.entries} == {"command"}


def test_filter_by_words_of_the_reason(as_manager, moved):
    assert len(listed(as_manager, reason="DECIDED board")) == 2
    assert listed(as_manager, reason="board wrongly") == []


def test_filter_by_a_name_borne_today_or_once(as_manager, moved):
    make_counterparty("Other")
    for name in ("kestrel", "moor kestrel", "KESTREL down"):
        assert {one for one, _ in listed(as_manager, name=name)} == {
            "pipeline",
            "stage transition",
        }, name


def test_filter_by_name_finds_links_comments_and_what_is_removed(as_manager, manager):
    pipeline = make_pipeline("Rowan Hill", lead_developer=make_counterparty("Larch"))
    Comment.objects.create(subject=pipeline, author=manager, text="Good")
    Pipeline.objects.all().delete()
    found = listed(as_manager, name="rowan")
    assert {one for one, _ in found} == {
        "pipeline",
        "counterparty of a pipeline",
        "stage transition",
        "comment",
    }
    assert ("pipeline", "removed") in found


def test_name_is_found_without_its_accents(as_manager):
    make_counterparty("Énergie Ärlig")
    assert len(listed(as_manager, name="energie arlig")) == 1


def test_days_are_days_in_london(as_manager):
    """Half past midnight in London in June is the evening before by UTC."""
    with audit.change_set(recorded_at=datetime(2025, 6, 14, 23, 30, tzinfo=UTC)):
        make_contact("Ann")
    for since, until, found in (
        ("2025-06-15", "2025-06-15", 1),
        ("2025-06-14", "2025-06-14", 0),
        ("2025-06-16", "", 0),
        ("", "2025-06-14", 0),
    ):
        assert len(listed(as_manager, since=since, until=until, type="contact")) == found


def test_until_before_from_is_reported_beside_the_field(as_manager):
    html = as_manager.get(URL, {"since": "2026-02-01", "until": "2026-01-01"}).content.decode()
    assert "This lies below “From”: swap the two." in html


@pytest.mark.parametrize("junk", JUNK)
def test_junk_in_all_filters_at_once_is_answered(as_manager, moved, junk):
    response = as_manager.get(URL, dict.fromkeys(AuditFilter.base_filters, junk))
    html = response.content.decode()
    assert response.status_code == 200
    assert "<script>alert(1)" not in html
    errors = [field for field in response.context["filter"].form if field.errors]
    assert html.count('class="filter-wrong"') == len(errors)


@pytest.mark.parametrize("name", list(AuditFilter.base_filters))
def test_every_filter_tells_what_is_wrong_with_its_value(as_manager, name):
    html = as_manager.get(URL, {name: "a\x00b"}).content.decode()
    assert f'class="filter-wrong" id="id_{name}_error"' in html
    assert "Nothing is listed" in html


@pytest.mark.parametrize("since", ["0001-01-01", "9999-12-31"])
def test_days_at_the_ends_of_the_calendar_are_answered(as_manager, moved, since):
    assert as_manager.get(URL, {"since": since, "until": "9999-12-31"}).status_code == 200


def test_a_request_by_htmx_gets_the_results_alone(as_manager, moved):
    html = as_manager.get(URL, {"name": "kestrel"}, HTTP_HX_REQUEST="true").content.decode()
    assert html.lstrip().startswith("{#") is False
    assert 'id="results"' in html
    assert "<html" not in html


def test_pages_follow_each_other_without_gap_or_repetition(as_manager):
    """Also where many rows of several tables have one moment."""
    with audit.change_set(recorded_at=datetime(2025, 1, 1, tzinfo=UTC)):
        Contact.objects.bulk_create(Contact(name=f"Contact {n}") for n in range(60))
        Counterparty.objects.bulk_create(Counterparty(name=f"Company {n}") for n in range(60))
        for number in range(10):
            make_pipeline(f"Pipeline {number}", capacity_mw=1)
    expected = {
        (model, key)
        for model in audit.tracked_models()
        for key in model.history.values_list("history_id", flat=True)
    }
    found, query = [], {"set_up": "shown"}
    while True:
        page = as_manager.get(URL, query).context["page"]
        found += [(entry.model, entry.history_id) for entry in page.entries]
        if not page.last:
            break
        query["before"] = page.last
    assert len(found) == len(set(found))
    assert set(found) == expected


def test_more_than_can_be_counted_quickly_is_said_to_be_more(as_manager, monkeypatch):
    monkeypatch.setattr(audit_views, "MAX_COUNTED", 60)
    Contact.objects.bulk_create(Contact(name=f"Contact {n}") for n in range(61))
    page = as_manager.get(URL, {"type": "contact"})
    assert page.context["status_text"] == "More than 60 entries"
    assert as_manager.get(URL, {"type": "counterparty"}).context["status_text"] == "0 entries"


@pytest.mark.parametrize(
    "before", ["x", "pipeline-0", "nothing-1", "pipeline-99999999999999999999"]
)
def test_a_place_that_is_none_is_not_found(as_manager, before):
    assert as_manager.get(URL, {"before": before}).status_code == 404


def csv_of(client, **query) -> list[dict[str, str]]:
    response = client.get(URL, {**query, "download": "csv"})
    assert response["Content-Disposition"].startswith('attachment; filename="audit-')
    text = b"".join(response.streaming_content).decode("utf-8-sig")
    return list(csv.DictReader(text.splitlines()))


def test_file_has_a_line_for_each_field_changed(as_manager, moved, portfolio_manager):
    with audit.change_set(person=portfolio_manager, reason="Both") as both:
        moved.refresh_from_db()
        moved.on_hold, moved.on_hold_reason = True, "Grid"
        moved.save()
    rows = csv_of(as_manager, type="pipeline", reason="both")
    assert [(row["Field"], row["Old value"], row["New value"]) for row in rows] == [
        ("On hold", "no", "yes"),
        ("Why on hold", "", "Grid"),
    ]
    first = rows[0]
    assert first["Change set"] == str(both.number)
    assert (first["Person"], first["Source"], first["Reason"]) == (
        "Priya Shah",
        "program code",
        "Both",
    )
    assert (first["Record type"], first["Record"]) == ("pipeline", "Kestrel Down")
    assert (first["Record id"], first["Version"]) == (str(moved.pk), "4")
    assert first["Action"] == "changed"


def test_file_tells_what_was_added_and_removed(as_manager):
    pipeline = make_pipeline("Rowan", lead_developer=make_counterparty("Larch"))
    pipeline.counterparty_links.all().delete()
    rows = csv_of(as_manager, type="pipelinecounterparty")
    assert [(row["Action"], row["Old value"], row["New value"]) for row in rows] == [
        ("removed", "Larch as Lead developer removed", ""),
        ("added", "", "Larch as Lead developer added"),
    ]
    assert csv_of(as_manager, type="counterparty")[0]["New value"] == "Larch"


def test_file_is_of_all_pages_and_of_the_filters(as_manager):
    Contact.objects.bulk_create(Contact(name=f"Contact {n}") for n in range(120))
    make_counterparty("Acme")
    assert len(csv_of(as_manager, type="contact")) == 120
    assert {row["Record"] for row in csv_of(as_manager, type="counterparty")} == {"Acme"}


def test_file_is_put_together_in_chunks(as_manager, monkeypatch):
    monkeypatch.setattr(audit_views.exports, "CHUNK", 7)
    Contact.objects.bulk_create(Contact(name=f"Contact {n}") for n in range(30))
    rows = csv_of(as_manager, type="contact")
    assert [row["Record"] for row in rows] == [f"Contact {n}" for n in range(29, -1, -1)]


def test_no_file_is_made_of_filters_that_are_wrong(as_manager):
    response = as_manager.get(URL, {"type": "nonsense", "download": "csv"})
    assert "Nothing is listed" in response.content.decode()


@pytest.mark.parametrize("text", ['=HYPERLINK("http://x","y")', "+1", "-1", "@SUM(1)"])
def test_formulas_are_harmless_in_the_file(as_manager, text):
    with audit.change_set(reason=text):
        make_counterparty(text)
    row = csv_of(as_manager, type="counterparty")[0]
    assert (row["Record"], row["Reason"], row["New value"]) == (f"'{text}",) * 3


def test_hostile_text_is_shown_as_text(as_manager):
    text = '"><script>alert(1)</script>'
    with audit.change_set(reason=text):
        make_counterparty(text)
    Counterparty.objects.update(strategy=text)
    html = as_manager.get(URL, {"name": "script"}).content.decode()
    assert "<script>alert(1)" not in html
    assert html.count("&lt;script&gt;alert(1)") >= 4


def test_a_page_takes_as_many_queries_for_many_entries_as_for_few(
    as_manager, moved, django_assert_max_num_queries
):
    with audit.change_set():
        Facility.objects.bulk_create(
            Facility(name=f"F {n}", technology_id=make_facility().technology_id) for n in range(40)
        )
    Facility.objects.update(capacity_mw=3)
    as_manager.get(URL)
    with django_assert_max_num_queries(15):
        assert len(as_manager.get(URL, {"type": "facility"}).context["page"].entries) == 50


def test_people_without_a_change_are_no_choice(as_manager, moved, portfolio_manager, administrator):
    form = as_manager.get(URL).context["filter"].form
    assert list(form.fields["person"].labels.values()) == ["The system", "Priya Shah"]
    assert User.objects.count() > 1


def test_changes_page_leads_to_the_audit_and_to_each_change_set(as_manager, moved):
    html = as_manager.get(reverse("latest-changes")).content.decode()
    assert 'href="/audit/"' in html
    assert f'href="/audit/{ChangeSet.objects.latest("number").number}/"' in html


def test_timeline_leads_to_the_change_set_of_each_entry(as_manager, moved):
    html = as_manager.get(moved.get_absolute_url()).content.decode()
    assert f'href="/audit/{ChangeSet.objects.latest("number").number}/"' in html


def test_filters_include_and_exclude_several_kinds_and_people(as_manager, portfolio_manager):
    make_counterparty("Acme")
    with audit.change_set(person=portfolio_manager):
        make_counterparty("Larch")
        Contact.objects.create(name="Ana")

    def reported(query: str) -> set[str]:
        page = as_manager.get(f"{URL}?{query}").context["page"]
        return {entry.subject for entry in page.entries}

    both = "type=counterparty&type=contact"
    assert reported(both) == {"Acme", "Larch", "Ana"}
    assert reported(f"{both}&type__not=contact") == {"Acme", "Larch"}
    assert reported(f"{both}&person__not=system") == {"Larch", "Ana"}
    assert reported(f"{both}&person={portfolio_manager.pk}&person=system") == {
        "Acme",
        "Larch",
        "Ana",
    }
    assert reported(f"{both}&action=removed&action=changed") == set()
    assert reported("type=contact&type__not=contact") == set()
