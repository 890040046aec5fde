"""The history of the sample equals that of the audited manager, record by record."""

import itertools
from collections import defaultdict
from datetime import UTC, datetime, time, timedelta
from random import Random
from zoneinfo import ZoneInfo

import pytest

from dashboard.sample.history import History
from oegen import audit
from oegen.models import ChangeSet, User
from pipelines.models import Pipeline, StageTransition
from tests.dashboard.sample.conftest import TODAY

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("sample")]

NOT_IN_THE_SAMPLE = (
    *("contactrole", "technology", "stage", "counterpartyrole", "alertrule", "schedule"),
    *("accountrecord", "grouprecord", "acknowledgement", "frozenreport"),
    *("milestonekind", "gateset", "gate", "externalreference"),
    *("register", "edition", "match"),
)
SAMPLE_MODELS = [
    model for model in audit.tracked_models() if model._meta.model_name not in NOT_IN_THE_SAMPLE
]
London = ZoneInfo("Europe/London")


def chains(model):
    """The history rows of each record, oldest first."""
    rows = defaultdict(list)
    for row in model.history.order_by("history_date", "history_id"):
        rows[row.id].append(row)
    return rows


@pytest.mark.parametrize("model", SAMPLE_MODELS, ids=lambda model: model._meta.model_name)
def test_every_record_equals_its_last_history_row(model):
    history = chains(model)
    live = {record.pk: record for record in model._base_manager.all()}
    assert live, "the sample has at least one of everything"
    assert set(live) == set(history)
    for key, record in live.items():
        last = history[key][-1]
        for field in model._meta.concrete_fields:
            assert getattr(last, field.attname) == getattr(record, field.attname), field.name


@pytest.mark.parametrize("model", SAMPLE_MODELS, ids=lambda model: model._meta.model_name)
def test_every_chain_starts_with_a_creation_and_counts_its_versions(model):
    for rows in chains(model).values():
        first = rows[0]
        assert [row.history_type for row in rows] == ["+"] + ["~"] * (len(rows) - 1)
        assert [row.version for row in rows] == list(range(1, len(rows) + 1))
        for row in rows:
            assert row.created_at == first.history_date
            assert row.modified_at == row.history_date
        days = [row.history_date for row in rows]
        assert days == sorted(set(days))


@pytest.mark.parametrize("model", SAMPLE_MODELS, ids=lambda model: model._meta.model_name)
def test_every_change_changes_something(model):
    bookkeeping = {*model.BOOKKEEPING}
    names = [f.attname for f in model._meta.concrete_fields if f.name not in bookkeeping]
    for rows in chains(model).values():
        for before, after in itertools.pairwise(rows):
            assert any(getattr(before, name) != getattr(after, name) for name in names)


def test_every_history_row_has_the_person_time_and_reason_of_its_change_set():
    for model in SAMPLE_MODELS:
        for row in model.history.select_related("change_set"):
            assert row.history_user_id == row.change_set.person_id
            assert row.history_date == row.change_set.recorded_at
            assert row.history_change_reason == row.change_set.reason


def test_no_change_set_is_without_rows():
    sets = set(ChangeSet.objects.filter(source=audit.Source.SAMPLE).values_list("pk", flat=True))
    for model in SAMPLE_MODELS:
        sets -= set(model.history.values_list("change_set", flat=True))
    assert not sets


def test_everything_happened_in_office_hours_of_the_last_24_months():
    moments = ChangeSet.objects.filter(source=audit.Source.SAMPLE).values_list(
        "recorded_at", flat=True
    )
    for moment in moments:
        local = moment.astimezone(London)
        assert TODAY - timedelta(days=731) < local.date() < TODAY
        assert local.weekday() < 5
        assert time(9) <= local.time() <= time(17, 30)
    assert min(moments) < datetime.combine(TODAY - timedelta(700), time(), UTC)
    assert max(moments) > datetime.combine(TODAY - timedelta(10), time(), UTC)


def test_the_users_of_the_sample_cannot_sign_in(client):
    people = User.objects.filter(change_sets__source=audit.Source.SAMPLE).distinct()
    assert people.count() == 5
    for person in people:
        assert not person.is_active
        assert not person.has_usable_password()


def test_every_stage_hold_or_outcome_change_has_its_transition():
    transitions = defaultdict(list)
    for row in StageTransition.objects.order_by("recorded_at"):
        transitions[row.pipeline_id].append(row)
    for key, rows in chains(Pipeline).items():
        changes = []
        for row in rows:
            status = (row.stage_id, row.on_hold, row.outcome)
            if not changes or changes[-1][:3] != status:
                changes.append((*status, row.history_date, row.history_user_id))
        assert changes == [
            (row.stage_id, row.on_hold, row.outcome, row.recorded_at, row.recorded_by_id)
            for row in transitions[key]
        ]


def test_transitions_took_effect_in_their_order_and_never_after_they_were_recorded():
    by_pipeline = defaultdict(list)
    back_dated = 0
    for row in StageTransition.objects.order_by("recorded_at"):
        recorded_on = row.recorded_at.astimezone(London).date()
        assert row.effective_on <= recorded_on
        back_dated += row.effective_on < recorded_on
        by_pipeline[row.pipeline_id].append(row.effective_on)
    assert back_dated
    for days in by_pipeline.values():
        assert days == sorted(set(days))


def test_a_change_of_stage_rating_date_or_capacity_says_why():
    from pipelines.models import Facility

    for model, names in (
        (Pipeline, ("stage_id", "on_hold", "outcome", "rag_status", "rtb_date")),
        (Facility, ("capacity_mw",)),
    ):
        for rows in chains(model).values():
            for before, after in itertools.pairwise(rows):
                if any(getattr(before, name) != getattr(after, name) for name in names):
                    assert after.history_change_reason


def test_event_refuses_a_value_of_no_column():
    event = History(Random(1), TODAY).event(0)
    with pytest.raises(TypeError, match="Pipeline has no name"):
        event.add(Pipeline, name="Not its project_name")
