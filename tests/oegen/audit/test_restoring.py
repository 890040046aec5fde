"""A record, its links included, brought back to an earlier entry of its history."""

from datetime import date

import pytest
from django.core.exceptions import PermissionDenied

from counterparties.models import Counterparty
from oegen import audit
from oegen.audit.revert.restoring import CannotRestoreError, plan_restore, restore
from oegen.models import Comment
from pipelines.models import CounterpartyRole, Pipeline, Stage, StageTransition
from tests.support.builders import make_counterparty, make_facility, make_pipeline

pytestmark = pytest.mark.django_db


def go_back(record, entry, person, reason="Entered by mistake", version=None):
    plan = plan_restore(model=type(record), key=record.pk, history_id=entry.history_id)
    return restore(
        model=type(record),
        key=record.pk,
        history_id=entry.history_id,
        version=plan.version if version is None else version,
        reason=reason,
        person=person,
    )


def first_entry(record):
    return type(record).history.filter(id=record.pk).earliest("history_id")


def test_a_record_gets_its_earlier_values_as_one_new_change(portfolio_manager, findings):
    pipeline = make_pipeline("Kestrel", rtb_date=date(2027, 3, 14), rag_status="green")
    then = first_entry(pipeline)
    pipeline.project_name, pipeline.rtb_date = "Kestrel II", date(2028, 1, 1)
    pipeline.save()

    change_set = go_back(pipeline, then, portfolio_manager)

    pipeline.refresh_from_db()
    assert (pipeline.project_name, pipeline.rtb_date) == ("Kestrel", date(2027, 3, 14))
    assert pipeline.version == 3
    newest = pipeline.history.latest("history_id")
    assert (newest.change_set, newest.history_change_reason) == (change_set, "Entered by mistake")
    assert (change_set.source, change_set.person) == (audit.Source.RESTORE, portfolio_manager)
    assert findings() == []


def test_the_plan_tells_the_differences_in_words(portfolio_manager):
    with audit.change_set():
        pipeline = make_pipeline("Kestrel", capacity_mw=50)
    acme = make_counterparty("Acme")
    with audit.change_set():
        pipeline.rag_comment = "Late"
        pipeline.save()
        pipeline.facility_links.get().delete()
        pipeline.counterparty_links.create(
            counterparty=acme, role=CounterpartyRole.objects.get(code="owner")
        )
    entry = first_entry(pipeline)
    plan = plan_restore(model=Pipeline, key=pipeline.pk, history_id=entry.history_id)
    assert [change.label for change in plan.changes] == ["RAG comment"]
    assert plan.links == ("Acme as Owner removed", "facility Kestrel back")
    assert plan.refusals == ()


def test_links_go_back_with_their_record(portfolio_manager, findings):
    pipeline = make_pipeline("Kestrel")
    owner = CounterpartyRole.objects.get(code="owner")
    acme, other = make_counterparty("Acme"), make_counterparty("Other")
    link = pipeline.counterparty_links.create(counterparty=acme, role=owner, share_pct=40)
    pipeline.rag_comment = "Then"
    pipeline.save()
    then, key = pipeline.history.latest("history_id"), link.pk
    link.delete()
    pipeline.counterparty_links.create(counterparty=other, role=owner)

    go_back(pipeline, then, portfolio_manager)

    back = pipeline.counterparty_links.get()
    assert (back.pk, back.counterparty, back.share_pct) == (key, acme, 40)
    assert back.version == 2
    assert findings() == []


def test_a_removed_record_comes_back_with_links_comments_and_transitions(
    portfolio_manager, findings
):
    pipeline = make_pipeline("Kestrel", stage="discovery", lead_developer=make_counterparty("A"))
    pipeline.stage = Stage.objects.get(code="design")
    pipeline.save()
    comment = Comment.objects.create(subject=pipeline, text="Looks good", author=portfolio_manager)
    key = pipeline.pk
    Pipeline.objects.get(pk=key).delete()
    removal = Pipeline.history.filter(id=key).latest("history_id")
    assert (Comment.objects.count(), StageTransition.objects.count()) == (0, 0)

    record = Pipeline(pk=key)
    go_back(record, removal, portfolio_manager)

    back = Pipeline.objects.get(pk=key)
    assert back.project_name == "Kestrel"
    assert back.counterparty_links.get().counterparty.name == "A"
    assert back.comments.get() == comment
    stages = back.transitions.order_by("recorded_at").values_list("stage__code", flat=True)
    assert list(stages) == ["discovery", "design"]
    assert findings() == []


def test_a_record_that_came_back_keeps_its_links_when_restored_to_its_removal(portfolio_manager):
    pipeline = make_pipeline("Kestrel", lead_developer=make_counterparty("A"))
    key = pipeline.pk
    Pipeline.objects.get(pk=key).delete()
    removal = Pipeline.history.filter(id=key).latest("history_id")
    go_back(Pipeline(pk=key), removal, portfolio_manager)
    back = Pipeline.objects.get(pk=key)
    back.rag_comment = "Since"
    back.save()

    go_back(back, removal, portfolio_manager)

    back.refresh_from_db()
    assert back.rag_comment == ""
    assert back.counterparty_links.get().counterparty.name == "A"


def test_a_state_that_points_to_something_removed_is_refused(portfolio_manager):
    pipeline = make_pipeline("Kestrel")
    acme = make_counterparty("Acme")
    link = pipeline.counterparty_links.create(
        counterparty=acme, role=CounterpartyRole.objects.get(code="owner")
    )
    pipeline.rag_comment = "Then"
    pipeline.save()
    then = pipeline.history.latest("history_id")
    link.delete()
    Counterparty.objects.get(pk=acme.pk).delete()
    with pytest.raises(CannotRestoreError, match="Counterparty “Acme”, which it pointed to, has"):
        go_back(pipeline, then, portfolio_manager)
    assert not pipeline.counterparty_links.exists()


def test_a_name_that_is_taken_by_now_is_refused_in_words(portfolio_manager):
    acme = make_counterparty("Acme")
    then = first_entry(acme)
    acme.name = "Acme old"
    acme.save()
    make_counterparty("ACME")
    with pytest.raises(CannotRestoreError, match="There is already a counterparty called “ACME”"):
        go_back(acme, then, portfolio_manager)


def test_a_change_since_the_preview_stops_it(portfolio_manager):
    facility = make_facility(capacity_mw=10)
    then = first_entry(facility)
    facility.capacity_mw = 20
    facility.save()
    with pytest.raises(CannotRestoreError, match="Somebody changed it meanwhile"):
        go_back(facility, then, portfolio_manager, version=1)


def test_nothing_to_restore_is_reported(portfolio_manager):
    facility = make_facility()
    with pytest.raises(CannotRestoreError, match="nothing to restore"):
        go_back(facility, first_entry(facility), portfolio_manager)


def test_a_reason_is_required(portfolio_manager):
    facility = make_facility(capacity_mw=10)
    facility.capacity_mw = 20
    facility.save()
    with pytest.raises(CannotRestoreError, match="Say why"):
        go_back(facility, first_entry(facility), portfolio_manager, reason="  ")


def test_a_reader_cannot_restore(manager):
    facility = make_facility(capacity_mw=10)
    facility.capacity_mw = 20
    facility.save()
    with pytest.raises(PermissionDenied):
        go_back(facility, first_entry(facility), manager)
    facility.refresh_from_db()
    assert facility.capacity_mw == 20
