"""What begins to hold is told once, the morning after, and never what held before."""

from datetime import UTC, date, datetime, timedelta

import pytest
from django.db import transaction
from django.utils import timezone

from oegen import audit
from oegen.alerts import outbox
from oegen.models import Alert, AlertPreference, AlertRule
from pipelines.models import Facility, Pipeline
from tests.support.builders import make_pipeline, make_user

pytestmark = pytest.mark.django_db

#: Later than the rules, which the database of the tests is made with.
FIRST = date(2040, 6, 4)


@pytest.fixture
def at(monkeypatch):
    """Set the clock to an hour of a day, counted from FIRST."""

    def at(day: int, hour: int = 12) -> None:
        moment = datetime(FIRST.year, FIRST.month, FIRST.day, hour, tzinfo=UTC)
        monkeypatch.setattr(timezone, "now", lambda: moment + timedelta(days=day))

    at(0, 6)
    AlertRule.objects.exclude(event="needs-attention").update(is_active=False)
    AlertRule.objects.filter(channel="email").update(is_active=False)
    return at


@pytest.fixture
def told():
    """What the job of the day has told since it was last asked, by the pipeline."""
    seen = set()

    def told() -> dict[str, str]:
        outbox.write_timed_alerts(timezone.localdate())
        new = list(Alert.objects.exclude(pk__in=seen))
        seen.update(alert.pk for alert in new)
        return {alert.payload["subject"]: alert.payload["new"] for alert in new}

    return told


def sound(name: str, **values) -> Pipeline:
    """A pipeline that needs no attention."""
    usual = {"rag_status": "green", "rtb_date": date(2050, 1, 1), "capacity_mw": 10}
    return make_pipeline(name, **usual | values)


def save(pipeline: Pipeline, **values) -> None:
    pipeline = Pipeline.objects.get(pk=pipeline.pk)
    for name, value in values.items():
        setattr(pipeline, name, value)
    pipeline.save()


def test_what_begins_is_told_once_the_morning_after_and_again_when_it_begins_again(at, told):
    at(-1)
    larch, rowan = sound("Larch"), sound("Rowan")
    sound("Stood before", rag_status="")
    at(0)
    assert told() == {}, "the first day starts the comparison"

    at(1)
    person = make_user(None, "priya", first_name="Priya")
    save(larch, rag_status="", rtb_date=None, responsible=person)
    save(rowan, rag_status="red", rtb_date=FIRST)
    assert told() == {}, "not while somebody may still be at it"
    at(2, 1)
    assert told() == {"Larch": "Not rated, No RTB date"}, "of the others nobody was before, either"
    assert told() == {}
    payload = Alert.objects.get(payload__subject="Larch").payload
    assert payload["title"] == "Begins to need attention: Larch"
    assert payload["facts"] == [
        ["Stage", "Design"],
        ["RAG", "Not rated"],
        ["RTB date", "None"],
        ["Responsible", "Priya"],
    ]
    save(larch, on_hold=True, on_hold_reason="Grid")
    save(larch, on_hold=False, on_hold_reason="")
    at(3)
    assert told() == {}, "put on hold and back on the same day"
    save(larch, rag_status="green", on_hold=True, on_hold_reason="Grid")
    at(4)
    assert told() == {}
    save(larch, rag_status="", on_hold=False, on_hold_reason="")
    at(5)
    sound("Came with nobody")
    assert told() == {"Larch": "Not rated, No RTB date"}
    at(6)
    assert told() == {"Came with nobody": "No one responsible"}


def test_the_date_alone_begins_it_and_a_week_without_a_worker_loses_nothing(at, told):
    _, rowan, alder = sound("Larch"), sound("Rowan"), sound("Alder")
    told()
    at(1)
    save(rowan, rtb_date=None)
    save(alder, rtb_date=None)
    at(3)
    save(alder, rtb_date=date(2051, 1, 1))
    at(8)
    assert told() == {"Rowan": "No RTB date"}
    assert told() == {}
    at(60)
    save(rowan, rag_confirmed_at=timezone.now())
    assert told() == {}
    at(61)
    assert told() == dict.fromkeys(("Larch", "Alder"), "RAG not confirmed for over 60 days"), (
        "on the first day that lists show it"
    )
    assert Pipeline.objects.needing_attention("unconfirmed").count() == 2


def test_a_rule_never_tells_what_stood_when_it_was_switched_on_or_got_the_reason(at, told):
    larch, rowan, alder = sound("Larch"), sound("Rowan"), sound("Alder")
    told()
    rule = AlertRule.objects.get(code="slack-needs-attention")
    rule.is_active = False
    rule.save()
    at(1, 9)
    save(larch, rtb_date=None)
    at(1, 10)
    rule.is_active = True
    rule.save()
    at(1, 11)
    save(rowan, rtb_date=None)
    at(2)
    assert told() == {"Rowan": "No RTB date"}

    rule.kinds = "no-capacity"
    rule.save()
    at(3, 9)
    Facility.objects.filter(pipelines=larch).update(capacity_mw=None)
    save(alder, rag_status="")
    at(3, 10)
    rule.kinds = "unrated no-capacity"
    rule.save()
    at(3, 11)
    save(rowan, rag_status="")
    at(4)
    assert told() == {"Larch": "No capacity", "Rowan": "Not rated"}
    rule.is_active = False
    rule.save()
    save(larch, rag_status="")
    at(5)
    assert told() == {}
    rule.is_active = True
    rule.save()
    at(6)
    assert told() == {}


def test_histories_samples_and_what_is_rolled_back_tell_nothing(at, told):
    larch = sound("Larch")
    told()
    at(1)
    for days, source in ((400, ""), (0.5, ""), (0, audit.Source.SAMPLE)):
        moment = timezone.now() - timedelta(days=days)
        with audit.change_set(recorded_at=moment, source=source or audit.Source.IMPORT):
            make_pipeline(f"Came {days} days before", rag_status="")
    at(2)
    assert told() == {}

    save(larch, rag_status="")
    at(3)
    with transaction.atomic():
        outbox.write_timed_alerts(timezone.localdate())
        assert Alert.objects.count() == 1
        transaction.set_rollback(True)
    assert told() == {"Larch": "Not rated"}, "a worker that died has told nothing"


def test_many_on_one_day_are_one_message_with_the_list_and_each_person_chooses_it(at, told):
    person = make_user(None, "priya", email="priya@oegen.example")
    AlertPreference.objects.create(user=person, event="needs-attention", is_wanted=True)
    AlertRule.objects.filter(code="email-needs-attention").update(is_active=True)
    pipelines = [sound(f"Larch {number}") for number in range(11)]
    told()
    for pipeline in pipelines:
        save(pipeline, rtb_date=None)
    at(1)
    outbox.write_timed_alerts(timezone.localdate())
    assert sorted(Alert.objects.values_list("channel", flat=True)) == ["email", "slack"]
    for alert in Alert.objects.all():
        assert alert.payload["title"] == "Many changes at once: Begins to need attention: 11"
        assert alert.payload["url"] == "/pipelines/?attention=any"
    assert person.notices.get().url == "/pipelines/?attention=any"
