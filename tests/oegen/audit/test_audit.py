"""Every way of writing that the models offer leaves history, in one change set."""

import uuid
from datetime import date

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from counterparties.models import Contact, Counterparty
from infopoints.models import InformationPointTechnology
from oegen import audit
from oegen.audit.narrative import news, timeline
from oegen.core.exceptions import StaleRecordError
from oegen.models import ChangeSet, Comment
from pipelines.models import (
    CounterpartyRole,
    Pipeline,
    PipelineFacility,
    Stage,
    StageTransition,
    Technology,
)
from tests.support.builders import (
    make_counterparty,
    make_facility,
    make_information_point,
    make_pipeline,
)

pytestmark = pytest.mark.django_db


def test_a_save_by_a_person_leaves_who_and_why(portfolio_manager):
    pipeline = make_pipeline(stage="design")
    with audit.change_set(person=portfolio_manager, reason="Planning consent granted"):
        pipeline.stage = Stage.objects.get(code="procurement")
        pipeline.save()
    entry = timeline.entries_since(pipeline, version=1)[0]
    assert entry.phrase == "moved from Design to Procurement"
    assert entry.person == "Priya Shah"
    assert entry.reason == "Planning consent granted"


def test_a_bulk_update_leaves_history_and_raises_the_version():
    pipelines = [make_pipeline(rag_status="green") for _ in range(3)]
    assert Pipeline.objects.filter(rag_status="green").update(rag_status="red") == 3
    for pipeline in pipelines:
        pipeline.refresh_from_db()
        assert pipeline.version == 2
        newest = pipeline.history.first()
        assert (newest.history_type, newest.rag_status, newest.version) == ("~", "red", 2)


def test_a_bulk_update_of_the_stage_leaves_transitions():
    pipeline = make_pipeline(stage="design")
    Pipeline.objects.update(stage=Stage.objects.get(code="construction"))
    assert [row.stage.code for row in pipeline.transitions.all()] == ["construction", "design"]


def test_bulk_create_leaves_history():
    contacts = Contact.objects.bulk_create(Contact(name=f"Contact {n}") for n in range(5))
    rows = Contact.history.all()
    assert {row.id for row in rows} == {contact.pk for contact in contacts}
    assert {row.history_type for row in rows} == {"+"}
    assert len({row.change_set_id for row in rows}) == 1


def test_bulk_create_refuses_what_it_could_not_record():
    with pytest.raises(ValueError, match="can't ignore or update conflicts"):
        Contact.objects.bulk_create([Contact(name="x")], ignore_conflicts=True)


def test_bulk_update_of_objects_leaves_history_and_the_objects_can_be_saved():
    counterparties = [make_counterparty() for _ in range(3)]
    for counterparty in counterparties:
        counterparty.strategy = f"Strategy of {counterparty.name}"
    Counterparty.objects.bulk_update(counterparties, ["strategy"])
    assert Counterparty.history.filter(history_type="~").count() == 3
    counterparties[0].country = "GB"
    counterparties[0].save()
    assert counterparties[0].version == 3


def test_many_to_many_managers_leave_history():
    pipeline, first, second = make_pipeline(), make_facility(), make_facility()
    pipeline.facilities.add(first)
    pipeline.facilities.set([second])
    pipeline.facilities.clear()
    kinds = PipelineFacility.history.order_by("history_id").values_list("history_type", flat=True)
    assert list(kinds) == ["+", "-", "+", "-"]


def test_a_cascade_leaves_history():
    point = make_information_point()
    point.technologies.add(Technology.objects.get(code="solar"))
    point.delete()
    row = InformationPointTechnology.history.first()
    assert row.history_type == "-"
    assert row.change_set == type(point).history.first().change_set


def test_get_or_create_and_update_or_create_leave_history():
    made, created = Counterparty.objects.get_or_create(name="Acme")
    assert created
    Counterparty.objects.update_or_create(name="Acme", defaults={"country": "GB"})
    assert made.history.count() == 2
    made.refresh_from_db()
    assert made.version == 2


def test_a_stale_save_is_refused_and_writes_nothing():
    mine = make_pipeline()
    theirs = Pipeline.objects.get(pk=mine.pk)
    theirs.rag_comment = "theirs"
    theirs.save()
    mine.rag_comment = "mine"
    with pytest.raises(StaleRecordError):
        mine.save()
    mine.refresh_from_db()
    assert mine.rag_comment == "theirs"
    assert mine.history.count() == 2


def test_a_save_that_the_database_refuses_leaves_the_record_usable():
    pipeline = make_pipeline()
    pipeline.ownership_pct = 400
    with pytest.raises(Exception, match=r"(?i)constraint"), transaction.atomic():
        pipeline.save()
    pipeline.ownership_pct = 40
    pipeline.save()
    assert pipeline.history.count() == 2
    assert pipeline.version == 2


def test_a_change_set_lands_whole_or_not_at_all():
    with pytest.raises(RuntimeError), audit.change_set(reason="half"):
        make_counterparty("Acme")
        raise RuntimeError
    assert not Counterparty.objects.exists()
    assert not Counterparty.history.exists()
    assert not ChangeSet.objects.filter(reason="half").exists()


def test_a_change_set_that_wrote_nothing_leaves_no_row():
    with audit.change_set(reason="nothing"):
        pass
    assert not ChangeSet.objects.filter(reason="nothing").exists()


def test_an_inner_change_set_joins_the_outer_one():
    with audit.change_set(reason="outer"):
        make_counterparty("A")
        with audit.change_set(reason="inner"):
            make_counterparty("B")
    rows = Counterparty.history.all()
    assert {row.history_change_reason for row in rows} == {"outer"}
    assert len({row.change_set_id for row in rows}) == 1


def test_a_transition_is_written_for_every_move_and_for_nothing_else(portfolio_manager):
    pipeline = make_pipeline(stage="discovery")
    pipeline.rag_comment = "No move"
    pipeline.save()
    pipeline.status_effective_on = date(2026, 1, 15)
    pipeline.stage = Stage.objects.get(code="design")
    with audit.change_set(person=portfolio_manager):
        pipeline.save()
    pipeline.on_hold = True
    pipeline.save()
    moves = StageTransition.objects.order_by("recorded_at")
    assert [move.status_label for move in moves] == ["Discovery", "Design", "On hold"]
    assert moves[1].effective_on == date(2026, 1, 15)
    assert moves[1].recorded_by == portfolio_manager


def test_the_latest_changes_are_grouped_by_change_set_and_a_long_one_is_counted(portfolio_manager):
    with audit.change_set(person=portfolio_manager, reason="Import", source=audit.Source.IMPORT):
        Contact.objects.bulk_create(Contact(name=f"Contact {n}") for n in range(20))
    with audit.change_set(person=portfolio_manager):
        make_pipeline("Kettleby", stage="design")
    newest, imported = news.latest(limit=2)
    assert [entry.phrase for entry in newest.entries] == ["added as a pipeline"]
    assert newest.entries[0].subject == "Kettleby"
    assert (imported.entries, imported.counts) == ((), (("contacts", 20),))


def test_a_long_change_set_counts_records_and_not_their_history_rows():
    with audit.change_set(reason="Import"):
        contacts = Contact.objects.bulk_create(Contact(name=f"Contact {n}") for n in range(20))
        Contact.objects.update(phone="1")
        contacts[0].refresh_from_db()
        contacts[0].delete()
    assert news.latest(limit=1)[0].counts == (("contacts", 19), ("contact removed", 1))


def test_the_latest_changes_cost_the_same_whatever_their_number():
    def cost() -> int:
        with CaptureQueriesContext(connection) as queries:
            news.latest(limit=10)
        return len(queries)

    make_pipeline(capacity_mw=1, lead_developer=make_counterparty())
    before = cost()
    for _ in range(6):
        make_pipeline(capacity_mw=1, lead_developer=make_counterparty())
    assert cost() <= before


class TestWords:
    def phrase(self, record, **values) -> str:
        for name, value in values.items():
            setattr(record, name, value)
        record.save()
        return timeline.entries_since(record, record.version - 1)[0].phrase

    def test_dates_say_how_far(self):
        pipeline = make_pipeline(rtb_date=date(2027, 3, 14))
        assert self.phrase(pipeline, rtb_date=date(2027, 5, 14)) == (
            "RTB date from 14 Mar 2027 to 14 May 2027, 61 days later"
        )
        assert self.phrase(pipeline, rtb_date=date(2027, 5, 13)).endswith("1 day earlier")
        assert self.phrase(pipeline, rtb_date=None) == "RTB date 13 May 2027 cleared"

    def test_a_rating_says_which_way(self):
        pipeline = make_pipeline()
        assert self.phrase(pipeline, rag_status="amber") == "RAG set to Amber"
        assert self.phrase(pipeline, rag_status="red", rag_comment="Refused") == (
            "RAG worsened from Amber to Red; RAG comment now “Refused”"
        )
        assert self.phrase(pipeline, rag_status="green") == "RAG improved from Red to Green"

    def test_a_hold_says_why_and_its_end_does_not(self):
        pipeline = make_pipeline()
        assert self.phrase(pipeline, on_hold=True, on_hold_reason="No grid") == (
            "put on hold; reason for the hold: “No grid”"
        )
        assert self.phrase(pipeline, on_hold=False, on_hold_reason="") == "taken off hold"

    def test_capacity_has_its_unit(self):
        facility = make_facility(capacity_mw=10)
        assert self.phrase(facility, capacity_mw="12.5") == "capacity up from 10 MWp to 12.5 MWp"

    def test_a_foreign_key_is_shown_by_name_also_when_its_record_is_gone(self):
        acme, pipeline = make_counterparty("Acme"), make_pipeline(lead_developer=None)
        owner = CounterpartyRole.objects.get(code="owner")
        pipeline.counterparty_links.create(counterparty=acme, role=owner)
        pipeline.counterparty_links.get().delete()
        acme.delete()
        phrases = [entry.phrase for entry in timeline.entries_of(pipeline)]
        assert phrases[:2] == ["Acme as Owner removed", "Acme as Owner added"]


def plan_for_many_rows() -> None:
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL enable_seqscan = off")


@pytest.mark.parametrize("model", audit.tracked_models(), ids=lambda model: model.__name__)
def test_removals_are_found_without_reading_the_whole_history(model):
    plan_for_many_rows()
    removed = model.history.filter(history_type=audit.REMOVED).order_by()
    assert f"{model.history.model._meta.db_table}_removals" in removed.explain()


def test_comments_of_a_record_are_found_without_reading_all_comments():
    plan_for_many_rows()
    comments = Comment.history.filter(object_id__in=[uuid.uuid4()]).order_by()
    assert "oegen_historicalcomment_subjects" in comments.explain()


@pytest.mark.parametrize("model", audit.tracked_models(), ids=lambda model: model.__name__)
def test_history_row_in_memory_has_every_column(model):
    """A column without a value would be read from the database, where the row is not yet."""
    record = model()
    for field in model._meta.concrete_fields:
        if field.generated:  # Only the database knows it.
            setattr(record, field.attname, None)
    row = audit.history_row(record, audit.CREATED, change_set=ChangeSet())
    assert not row.get_deferred_fields()
    assert row._state.adding
