"""Restoring a record on its pages: preview, reason, guard, refusals in words, and who may."""

import pytest
from django.db import connection
from django.urls import reverse

from counterparties.models import Counterparty
from oegen import audit
from oegen.core.fields import REASON_LIMIT
from oegen.models import Comment
from pipelines.models import CounterpartyRole, Pipeline, Stage
from tests.support.builders import make_counterparty, make_facility, make_pipeline
from tests.support.readers import entry_page, history_page, restore_page, words

pytestmark = pytest.mark.django_db


@pytest.fixture
def pipeline():
    """Renamed, moved and without its owner since its first version."""
    pipeline = make_pipeline("Kestrel Moor")
    link = pipeline.counterparty_links.create(
        counterparty=make_counterparty("Acme"), role=CounterpartyRole.objects.get(code="owner")
    )
    pipeline.rag_comment = "Then"
    pipeline.save()
    link.delete()
    pipeline.project_name, pipeline.stage = "Kestrel II", Stage.objects.get(code="procurement")
    pipeline.save()
    return pipeline


def then(record):
    return record.history.get(version=2)


def form_of(response, reason="Entered by mistake") -> dict:
    return {"reason": reason, "version": response.context["form"]["version"].value()}


def test_preview_shows_now_and_then_of_fields_and_links(as_editor, pipeline):
    text = words(as_editor.get(restore_page(then(pipeline))))

    assert "Field Now Restored Project name Kestrel II Kestrel Moor" in text
    assert "Stage Procurement Design" in text
    assert "Links that would change 1 Acme as Owner back" in text
    pipeline.refresh_from_db()
    assert pipeline.project_name == "Kestrel II"


def test_restoring_is_one_new_change_and_leads_to_the_record(
    as_editor, pipeline, portfolio_manager
):
    page = restore_page(then(pipeline))

    response = as_editor.post(page, form_of(as_editor.get(page)), follow=True)

    assert response.redirect_chain == [(pipeline.get_absolute_url(), 302)]
    assert "“Kestrel II” is again as it was on" in words(response)
    pipeline.refresh_from_db()
    assert (pipeline.project_name, pipeline.stage.code) == ("Kestrel Moor", "design")
    assert pipeline.counterparty_links.get().counterparty.name == "Acme"
    change_set = pipeline.history.latest("history_id").change_set
    assert (change_set.person, change_set.reason) == (portfolio_manager, "Entered by mistake")
    assert change_set.source == audit.Source.RESTORE


@pytest.mark.parametrize("reason", ["", "   ", "x" * (REASON_LIMIT + 1), "be\x00fore"])
def test_nothing_is_restored_without_a_proper_reason(as_editor, pipeline, reason):
    page = restore_page(then(pipeline))

    response = as_editor.post(page, form_of(as_editor.get(page), reason=reason))

    assert response.context["form"].errors["reason"]
    assert "Project name Kestrel II Kestrel Moor" in words(response)
    pipeline.refresh_from_db()
    assert pipeline.project_name == "Kestrel II"


def test_change_since_the_preview_stops_it_and_sending_again_is_a_decision(as_editor, pipeline):
    page = restore_page(then(pipeline))
    form = form_of(as_editor.get(page))
    pipeline.project_name = "Kestrel III"
    pipeline.save()

    response = as_editor.post(page, form)

    text = words(response)
    assert "Somebody changed it meanwhile. Look at the differences again." in text
    assert "your reason is kept" in text
    assert "Project name Kestrel III Kestrel Moor" in text
    assert response.context["form"]["reason"].value() == "Entered by mistake"
    assert as_editor.post(page, form_of(response)).status_code == 302
    pipeline.refresh_from_db()
    assert pipeline.project_name == "Kestrel Moor"


@pytest.mark.parametrize("version", ["", "x", "-1", "9" * 20])
def test_damaged_guard_is_refused_in_words(as_editor, pipeline, version):
    page = restore_page(then(pipeline))

    response = as_editor.post(page, {"reason": "Mistake", "version": version})

    assert "note of what it was opened on is damaged" in words(response)
    pipeline.refresh_from_db()
    assert pipeline.project_name == "Kestrel II"


def test_state_that_points_to_something_removed_is_refused_in_words(as_editor, pipeline):
    page = restore_page(then(pipeline))
    form = form_of(as_editor.get(page))
    Counterparty.objects.get(name="Acme").delete()

    preview, response = as_editor.get(page), as_editor.post(page, form)

    why = "Counterparty “Acme”, which it pointed to, has been removed. Bring that back first."
    assert why in words(preview)
    assert why in words(response)
    assert response.context["form"]["reason"].value() == "Entered by mistake"
    pipeline.refresh_from_db()
    assert pipeline.project_name == "Kestrel II"


def test_state_of_now_has_nothing_to_restore(as_editor, pipeline):
    page = restore_page(pipeline.history.get(version=3))

    response = as_editor.get(page)

    assert "It is now just as it was then, so there is nothing to restore." in words(response)
    assert "Restore it" not in words(response)
    assert as_editor.post(page, {"reason": "Why not", "version": 3}).status_code == 200
    assert pipeline.history.count() == 3


def test_reader_may_not_restore_and_nothing_is_written(as_manager, pipeline):
    page = restore_page(then(pipeline))

    assert as_manager.get(page).status_code == 403
    assert as_manager.post(page, {"reason": "Mistake", "version": 3}).status_code == 403
    assert as_manager.get(restore_page(pipeline.history.get(version=3))).status_code == 403
    pipeline.refresh_from_db()
    assert pipeline.project_name == "Kestrel II"


def test_role_that_may_not_change_a_vocabulary_may_not_restore_it(as_editor, as_administrator):
    stage = Stage.objects.get(code="design")
    first = stage.history.latest("history_id")
    stage.name = "Drawing"
    stage.save()

    assert as_editor.get(restore_page(first)).status_code == 403
    page = restore_page(first)
    response = as_administrator.post(page, form_of(as_administrator.get(page)), follow=True)
    assert response.redirect_chain == [(history_page(stage), 302)]
    stage.refresh_from_db()
    assert stage.name == "Design"


# Removed records ---------------------------------------------------------------------------------


@pytest.fixture
def removal(portfolio_manager):
    """The history row of a removed pipeline that had a lead developer and a comment."""
    pipeline = make_pipeline("Kestrel Moor", lead_developer=make_counterparty("Acme"))
    Comment.objects.create(subject=pipeline, author=portfolio_manager, text="Spoke to the council")
    key = pipeline.pk
    with audit.change_set(person=portfolio_manager, reason="Entered twice"):
        pipeline.delete()
    return Pipeline.history.get(id=key, history_type="-")


def test_history_of_a_removed_record_says_who_removed_it_when_and_why(
    as_editor, as_manager, removal
):
    page = history_page(Pipeline(pk=removal.id))
    when = removal.history_date.strftime("%-d %b %Y, %H:%M:%S")

    text = words(as_editor.get(page))

    assert f"This pipeline was removed by Priya Shah on {when}. Entered twice" in text
    assert f'href="{restore_page(removal)}"' in as_editor.get(page).content.decode()
    assert "Bring back" not in words(as_manager.get(page))


def test_removed_record_comes_back_whole_from_its_history(as_editor, removal):
    page = restore_page(removal)
    preview = as_editor.get(page)
    text = words(preview)
    assert "Project name Kestrel Moor" in text
    assert "What comes back with it 2 Acme as Lead developer back" in text
    assert "comment “Spoke to the council” back" in text

    response = as_editor.post(page, form_of(preview, "It was another one"), follow=True)

    pipeline = Pipeline.objects.get(pk=removal.id)
    assert response.redirect_chain == [(pipeline.get_absolute_url(), 302)]
    assert "“Kestrel Moor” is back, as it was on" in words(response)
    assert pipeline.counterparty_links.get().counterparty.name == "Acme"
    assert pipeline.comments.get().text == "Spoke to the council"
    assert "was removed" not in words(as_editor.get(history_page(pipeline)))


def test_entry_of_a_removal_shows_the_links_that_went_with_the_record(as_manager, removal):
    text = words(as_manager.get(entry_page(removal)))

    assert "The pipeline when it was removed" in text
    assert "Counterparties 1 Acme as Lead developer" in text


def test_record_gone_without_a_trace_is_said_so_and_can_not_be_brought_back(as_editor):
    facility = make_facility("Rowan Down")
    row = facility.history.get()
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM pipelines_facility WHERE name = 'Rowan Down'")

    assert "its history does not say who removed it" in words(
        as_editor.get(history_page(facility, pk=row.id))
    )
    assert as_editor.get(entry_page(row)).status_code == 200
    assert as_editor.get(restore_page(row)).status_code == 404


# The list of removed records ---------------------------------------------------------------------


def removed_names(client, **query) -> list[str]:
    lines = client.get(reverse("removed-records"), query).context["lines"]
    return [line.entry.subject for line in lines]


@pytest.fixture
def lost(portfolio_manager):
    """A counterparty and two facilities that are gone, the last one first in the list."""
    for record, reason in (
        (make_counterparty("Larch Power"), "Dissolved"),
        (make_facility("Rowan Down"), "Entered twice"),
        (make_facility("Élan Ridge"), "Never built"),
    ):
        with audit.change_set(person=portfolio_manager, reason=reason):
            record.delete()


def test_removed_records_are_listed_newest_first_with_who_when_and_why(as_editor, lost):
    make_facility("Still there")

    response = as_editor.get(reverse("removed-records"))

    assert removed_names(as_editor) == ["Élan Ridge", "Rowan Down", "Larch Power"]
    text = words(response)
    assert "3 removed records" in text
    row = make_facility().history.model.objects.filter(name="Rowan Down").latest("history_id")
    when = row.history_date.strftime("%-d %b %Y, %H:%M:%S")
    assert f"Rowan Down Facility {when} Priya Shah Entered twice Bring back Rowan Down" in text
    html = response.content.decode()
    assert f'href="{history_page(make_facility(), pk=row.id)}"' in html
    assert f'href="{restore_page(row)}"' in html


def test_list_of_removed_records_can_be_filtered_by_text_and_kind(as_manager, lost):
    assert removed_names(as_manager, q="rowan") == ["Rowan Down"]
    assert removed_names(as_manager, q="never ridge") == ["Élan Ridge"]
    assert removed_names(as_manager, q="rowan never") == []
    assert removed_names(as_manager, kind="counterparty") == ["Larch Power"]
    assert removed_names(as_manager, kind="facility", q="dissolved") == []
    response = as_manager.get(reverse("removed-records"), {"kind": "ship"})
    assert response.context["lines"] == []
    assert "There is no “ship” here: choose one from the list." in words(response)


def test_reader_sees_what_was_removed_and_no_way_to_bring_it_back(as_manager, lost):
    assert "Bring back" not in words(as_manager.get(reverse("removed-records")))


def test_record_that_came_back_is_listed_no_more(as_editor, removal):
    assert removed_names(as_editor) == ["Kestrel Moor"]
    page = restore_page(removal)
    as_editor.post(page, form_of(as_editor.get(page)))

    assert removed_names(as_editor) == []
    Pipeline.objects.get(pk=removal.id).delete()
    assert removed_names(as_editor) == ["Kestrel Moor"]


def test_comment_is_listed_for_itself_only_while_its_record_is_there(as_editor, removal):
    facility = make_facility("Rowan Down")
    comment = Comment.objects.create(subject=facility, text="Of no use")
    comment.delete()

    lines = as_editor.get(reverse("removed-records")).context["lines"]

    assert [(line.noun, line.entry.comment) for line in lines] == [
        ("comment", "Of no use"),
        ("pipeline", ""),
    ]


def test_nothing_removed_says_what_the_list_is_for(as_manager, db):
    assert "Nothing has been removed." in words(as_manager.get(reverse("removed-records")))


def test_many_removed_records_are_paged(as_manager):
    Counterparty.objects.bulk_create(Counterparty(name=f"C {number}") for number in range(60))
    Counterparty.objects.all().delete()

    response = as_manager.get(reverse("removed-records"), {"page": 2})

    assert (response.context["total"], len(response.context["lines"])) == (60, 10)
