"""A change set taken back as a whole, except for what was changed since."""

import pytest
from django.core.exceptions import PermissionDenied

from counterparties.models import Contact, Counterparty
from oegen import audit
from oegen.audit.revert.undoing import CannotUndoError, plan_undo, undo
from oegen.models import ChangeSet, Comment
from pipelines.models import Facility, Pipeline, PipelineFacility, Stage, StageTransition
from tests.support.builders import make_counterparty, make_facility, make_pipeline

pytestmark = pytest.mark.django_db


def newest() -> ChangeSet:
    return ChangeSet.objects.latest("number")


def undo_as(change_set, person):
    return undo(change_set=change_set, reason="The wrong file", person=person)


def test_what_an_import_added_is_removed_and_what_it_changed_set_back(portfolio_manager, findings):
    old = make_facility("Old", capacity_mw=10)
    with audit.change_set(reason="Import", source=audit.Source.IMPORT) as imported:
        make_pipeline("New", capacity_mw=5, lead_developer=make_counterparty("Acme"))
        Facility.objects.filter(pk=old.pk).update(capacity_mw=99)

    new, skipped = undo_as(imported, portfolio_manager)

    old.refresh_from_db()
    assert (old.capacity_mw, skipped) == (10, [])
    assert not Pipeline.objects.exists()
    assert not Counterparty.objects.exists()
    assert (new.undoes, new.source) == (imported, audit.Source.UNDO)
    assert list(imported.undone_by.all()) == [new]
    assert findings() == []


def test_what_was_removed_comes_back_with_its_links(portfolio_manager, findings):
    pipeline = make_pipeline("Kestrel", capacity_mw=5)
    Comment.objects.create(subject=pipeline, text="Good", author=portfolio_manager)
    Pipeline.objects.all().delete()
    _, skipped = undo_as(newest(), portfolio_manager)
    back = Pipeline.objects.get()
    assert (back.pk, skipped) == (pipeline.pk, [])
    assert back.facilities.count() == back.comments.count() == back.transitions.count() == 1
    assert findings() == []


def test_a_record_changed_since_is_left_and_listed(portfolio_manager, findings):
    with audit.change_set(reason="Import") as imported:
        Contact.objects.bulk_create(Contact(name=f"Contact {n}") for n in range(3))
    with audit.change_set(person=portfolio_manager):
        changed = Contact.objects.get(name="Contact 1")
        changed.phone = "1"
        changed.save()

    _, skipped = undo_as(imported, portfolio_manager)

    assert [contact.name for contact in Contact.objects.all()] == ["Contact 1"]
    assert [one.name for one in skipped] == ["Contact 1"]
    assert skipped[0].why.startswith("changed since, by Priya Shah, ")
    assert skipped[0].url == changed.get_absolute_url()
    assert findings() == []


def test_what_a_kept_record_needs_stays_with_it(portfolio_manager, findings):
    with audit.change_set() as imported:
        make_pipeline("Kestrel", capacity_mw=5)
        make_pipeline("Rowan", capacity_mw=7)
    kestrel = Pipeline.objects.get(project_name="Kestrel")
    kestrel.rag_comment = "Ours"
    kestrel.save()

    _, skipped = undo_as(imported, portfolio_manager)

    assert Pipeline.objects.get() == kestrel
    assert kestrel.facilities.count() == 1
    assert Facility.objects.count() == 1
    assert "Kestrel" in {one.name for one in skipped}
    assert findings() == []


def test_a_record_in_use_since_is_left_and_says_by_what(portfolio_manager):
    with audit.change_set() as imported:
        facility = make_facility("Plant")
    PipelineFacility.objects.create(pipeline=make_pipeline("Kestrel"), facility=facility)
    with pytest.raises(CannotUndoError, match="nothing left to undo"):
        undo_as(imported, portfolio_manager)
    assert plan_undo(imported).skipped[0].why == (
        "in use since: facility of a pipeline “Plant in Kestrel”"
    )


def test_a_link_removed_since_is_shown_by_name_though_its_facility_goes(
    portfolio_manager, findings
):
    pipeline = make_pipeline("Kestrel")
    with audit.change_set() as imported:
        link = PipelineFacility.objects.create(pipeline=pipeline, facility=make_facility("Plant"))
    link.delete()
    _, skipped = undo_as(imported, portfolio_manager)
    assert [one.name for one in skipped] == ["Kestrel: facility Plant"]
    assert not Facility.objects.exists()
    assert findings() == []


def test_a_comment_written_since_keeps_its_record(portfolio_manager):
    with audit.change_set() as imported:
        first, _ = make_facility("One"), make_facility("Two")
    Comment.objects.create(subject=first, text="Keep it", author=portfolio_manager)
    undo_as(imported, portfolio_manager)
    assert Facility.objects.get() == first
    assert Comment.objects.exists()


def test_a_move_in_bulk_is_undone_without_a_trace_in_the_stages(portfolio_manager, findings):
    for name in ("Kestrel", "Rowan"):
        make_pipeline(name, stage="discovery")
    with audit.change_set() as moved:
        Pipeline.objects.update(stage=Stage.objects.get(code="design"))
    assert StageTransition.objects.count() == 4
    undo_as(moved, portfolio_manager)
    assert set(Pipeline.objects.values_list("stage__code", flat=True)) == {"discovery"}
    assert StageTransition.objects.count() == 2
    assert findings() == []


def test_a_name_taken_since_keeps_the_record_out_and_says_so(portfolio_manager):
    make_counterparty("Acme")
    make_counterparty("Other")
    Counterparty.objects.all().delete()
    removed = newest()
    make_counterparty("Acme")
    _, skipped = undo_as(removed, portfolio_manager)
    assert Counterparty.objects.filter(name="Other").exists()
    assert [one.name for one in skipped] == ["Acme"]
    assert "There is already a counterparty called “Acme”" in skipped[0].why


def test_an_undone_change_set_can_be_redone(portfolio_manager, findings):
    facility = make_facility(capacity_mw=10)
    Facility.objects.update(capacity_mw=20)
    undone, _ = undo_as(newest(), portfolio_manager)
    undo_as(undone, portfolio_manager)
    facility.refresh_from_db()
    assert facility.capacity_mw == 20
    assert findings() == []


def test_undoing_twice_says_there_is_nothing_left(portfolio_manager):
    make_facility()
    change_set = newest()
    undo_as(change_set, portfolio_manager)
    with pytest.raises(CannotUndoError, match="nothing left to undo"):
        undo_as(change_set, portfolio_manager)


def test_the_set_up_cannot_be_undone(portfolio_manager):
    with pytest.raises(CannotUndoError, match="set-up"):
        undo_as(ChangeSet.objects.filter(source="migration").first(), portfolio_manager)


def test_a_reader_cannot_undo(manager):
    make_facility()
    with pytest.raises(PermissionDenied):
        undo_as(newest(), manager)
    assert Facility.objects.exists()


def test_a_reason_is_required(portfolio_manager):
    make_facility()
    with pytest.raises(CannotUndoError, match="Say why"):
        undo(change_set=newest(), reason=" ", person=portfolio_manager)
