"""Facts say of every day what the records say inside ``as_of``, whatever was written how."""

from datetime import UTC, date, datetime, timedelta

import pytest
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from oegen.audit.integrity import Check
from oegen.core import clock
from pipelines.facts.models import Fact, ProvenKinds
from pipelines.facts.services import wrong_facts
from pipelines.models import Facility, Pipeline, PipelineFacility
from tests.dashboard.demo_import import DEMO
from tests.support.builders import make_facility, make_milestone, make_pipeline
from tests.support.past_rows import rows_by_facts, rows_by_records
from tests.support.player import FIRST_DAY, Clock, Player

pytestmark = pytest.mark.django_db


def days_of_history() -> list:
    moments = Fact.objects.order_by().values_list("valid_from", flat=True).distinct()
    days = {moment.date() + timedelta(days=more) for moment in moments for more in (-1, 0, 1)}
    return sorted(day for day in days if day < clock.today())


def assert_facts_agree(days) -> None:
    for day in [None, *days]:
        assert rows_by_facts(day) == rows_by_records(day), day


def test_any_day_of_a_played_history(monkeypatch, portfolio_manager):
    moments, player = Clock(monkeypatch), Player(11, portfolio_manager)
    for number in range(20):
        moments.begin(FIRST_DAY + timedelta(days=number))
        for _ in range(player.rng.randint(2, 7)):
            player.write()
            moments.tick()
    moments.moment = datetime(2026, 6, 1, 9, tzinfo=UTC)
    assert_facts_agree(days_of_history())
    assert list(wrong_facts()) == []


def test_imported_files_with_a_past_of_their_own():
    call_command("import_demo_csv", DEMO, apply=True, verbosity=0)
    days = days_of_history()
    assert len(days) > 5
    assert_facts_agree(days)


def test_a_write_that_changes_no_fact_makes_none():
    pipeline = make_pipeline(capacity_mw=10)
    before = list(Fact.objects.values())
    pipeline.rag_comment = "Grid offer late."
    pipeline.save()
    assert list(Fact.objects.values()) == before


def test_a_new_rating_ends_the_open_facts_and_begins_others():
    pipeline = make_pipeline(capacity_mw=10, rag_status="green")
    pipeline.rag_status = "red"
    with CaptureQueriesContext(connection) as queries:
        pipeline.save()
    statements = ["read the open facts", "end them"]
    if connection.vendor == "sqlite":
        statements += ["add others"]  # By COPY on PostgreSQL, which is no query here.
    assert sum('"pipelines_fact"' in query["sql"] for query in queries) == len(statements)
    *_, ended, begun = Fact.objects.filter(pipeline_id=pipeline.pk).order_by("valid_from")
    assert (ended.rag_status, begun.rag_status, begun.kw) == ("green", "red", 10_000)
    assert ended.valid_until == begun.valid_from
    assert list(wrong_facts()) == []


def test_rtb_has_happened_only_while_there_is_a_date():
    pipeline = make_pipeline(capacity_mw=10, rtb_date=date(2026, 1, 5))
    make_milestone(kind="rtb", pipeline=pipeline, is_actual=True)
    now = Fact.objects.at(None).filter(pipeline_id=pipeline.pk)
    for day in (None, date(2026, 2, 5)):
        Pipeline.objects.filter(pk=pipeline.pk).update(rtb_date=day)
        assert now.get().is_rtb_actual == (day is not None)
        assert list(wrong_facts()) == []


def test_two_ratings_at_one_moment_make_no_fact_of_no_length(monkeypatch):
    Clock(monkeypatch).begin(FIRST_DAY)
    pipeline = make_pipeline(capacity_mw=10, rag_status="green")
    for rating in ("red", "amber"):
        pipeline.rag_status = rating
        pipeline.save()
    [*_, fact] = Fact.objects.filter(pipeline_id=pipeline.pk).order_by("valid_from")
    assert fact.rag_status == "amber"
    assert list(wrong_facts()) == []


def test_facts_of_a_facility_change_in_every_pipeline_that_shares_it():
    one, other = make_pipeline("One"), make_pipeline("Two")
    facility = make_facility(capacity_mw=40)
    for pipeline in (one, other):
        PipelineFacility.objects.create(pipeline=pipeline, facility=facility)
    facility.capacity_mw = 50
    facility.save()
    now = Fact.objects.at(None)
    assert sorted(now.values_list("pipeline_id", "kw", "is_shared")) == sorted(
        (one.pk, 50_000, True) for one in (one, other)
    )
    other.delete()
    assert list(now.values_list("pipeline_id", "kw", "is_shared")) == [(one.pk, 50_000, False)]


def test_kinds_that_are_proven_are_stored_once_and_checked():
    done = {"actual_on": date(2026, 5, 4)}
    proven = [make_milestone("Offer 12/3", **done).pipeline_id for _ in range(2)]
    make_milestone()
    [kinds] = ProvenKinds.objects.all()
    facts = Fact.objects.filter(proven=kinds, valid_until__year=9999)
    assert set(facts.values_list("pipeline_id", flat=True)) == set(proven)
    assert list(wrong_facts()) == []
    kinds.delete()
    assert {key for key, *_ in wrong_facts()} == set(proven)
    call_command("rebuild_facts", verbosity=0)
    assert list(wrong_facts()) == []


def test_audit_check_finds_facts_that_the_history_does_not_say():
    pipeline = make_pipeline(capacity_mw=10)
    assert not [one for one in Check().findings() if "facts" in one.what]
    fact = Fact.objects.get(pipeline_id=pipeline.pk, valid_until__year=9999)
    Fact.objects.filter(pk=fact.pk).update(kw=11_000)
    [finding] = [one for one in Check().findings() if "facts" in one.what]
    assert str(pipeline.pk) in finding.where
    call_command("rebuild_facts", verbosity=0)
    assert not [one for one in Check().findings() if "facts" in one.what]
    fact = Fact.objects.get(pipeline_id=pipeline.pk, valid_until__year=9999)
    assert fact.kw == 10_000
    # The same fact twice.
    fact.pk = None
    fact.save()
    assert [one for one in Check().findings() if "facts" in one.what]
    call_command("rebuild_facts", verbosity=0)
    assert Fact.objects.filter(pipeline_id=pipeline.pk, valid_until__year=9999).count() == 1
    assert Pipeline.objects.count() == Facility.objects.count() == 1
