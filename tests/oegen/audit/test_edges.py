"""Odd people, texts, hours and transactions: the history holds, or what is odd is refused."""

from datetime import UTC, date, datetime, timedelta

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.models import ProtectedError
from django.utils import timezone

from oegen import audit
from oegen.core.exceptions import RuleBrokenError
from oegen.history.trail import Trail
from oegen.models import ChangeSet, User
from pipelines.models import Facility, Pipeline, Technology
from tests.support.builders import make_facility, make_pipeline, make_user
from tests.support.tracked import nothing_written

pytestmark = pytest.mark.django_db


# People -------------------------------------------------------------------------------------------


def test_whoever_has_changed_something_cannot_be_removed_by_code_or_sql(findings):
    person = make_user(first_name="Priya")
    with audit.change_set(person=person):
        make_facility("Plant")
    with pytest.raises(ProtectedError):
        person.delete()
    with pytest.raises(ProtectedError):
        User.objects.filter(pk=person.pk).delete()
    with pytest.raises(IntegrityError), transaction.atomic():
        User.objects.filter(pk=person.pk)._raw_delete("default")
        connection.check_constraints()
    assert Facility.history.get().history_user == person
    assert findings() == []


def test_somebody_inactive_is_still_named(findings):
    person = make_user(first_name="Priya", last_name="Shah")
    with audit.change_set(person=person):
        make_facility("Plant")
    person.is_active = False
    person.save()
    (entry,) = Trail(models=(Facility,)).entries_at(Trail(models=(Facility,)).positions(1))
    assert entry.person == "Priya Shah"
    assert findings() == []


# Texts --------------------------------------------------------------------------------------------


def writes_of(text):
    """A text in a record by each kind of write, and in the reason."""
    facility = make_facility("Plant")
    facility.region = text

    def with_a_reason():
        with audit.change_set(reason=text):
            Facility.objects.update(region="South")

    yield facility.save
    yield lambda: Facility.objects.update(region=text)
    yield lambda: Facility.objects.bulk_create([a_facility(text)])
    yield with_a_reason


def a_facility(region) -> Facility:
    return Facility(name="Two", technology=Technology.objects.first(), region=region)


@pytest.mark.parametrize(
    ("text", "fault"),
    [("No\ud800rth", "Half a character can't be kept"), ("No\x00rth", "A null character can't")],
)
def test_what_no_text_can_keep_is_refused_whole_and_leaves_nothing(findings, text, fault):
    for write in writes_of(text):
        with nothing_written(), pytest.raises(RuleBrokenError, match=fault), transaction.atomic():
            write()
    assert findings() == []


def test_texts_of_all_writing_are_sealed_as_they_are_kept(findings):
    odd = "Ærøskøbing 東京 \U0001f343 e\u0301 \u202e\u200f\t\r\n\u2028'\"\\%_"
    line = "Ærøskøbing 東京 \U0001f343 é '\"\\%_"
    prose = "Ærøskøbing 東京 \U0001f343 é \u202e\u200f\t\n\n'\"\\%_"
    with audit.change_set(reason=odd):
        facility = make_facility("Plant", region=odd)
        pipeline = make_pipeline(rag_comment=odd)
    assert Facility.objects.get().region == facility.history.get().region == line
    assert Pipeline.objects.get().rag_comment == pipeline.history.get().rag_comment == prose
    assert facility.history.get().history_change_reason == prose
    assert findings() == []


# Hours --------------------------------------------------------------------------------------------


def moments_of(**asked) -> list[datetime]:
    trail = Trail(models=(Facility,), **asked)
    return [entry.when for entry in trail.entries_at(trail.positions(50))]


def test_the_hour_that_occurs_twice_keeps_its_order_and_its_day(findings):
    """On 25 October 2026 it is half past one in London twice, and the day has 25 hours."""
    first = datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    moments = [first + timedelta(hours=hours) for hours in (-2, 0, 1, 23, 23.6)]
    for moment in moments:
        with audit.change_set(recorded_at=moment, source=audit.Source.SAMPLE):
            make_facility()
    local = [timezone.localtime(moment) for moment in moments]
    assert [f"{one:%d %H:%M}" for one in local] == [
        "24 23:30",
        "25 01:30",
        "25 01:30",
        "25 23:30",
        "26 00:06",
    ]
    assert moments_of() == moments[::-1]
    day = date(2026, 10, 25)
    assert moments_of(since=day, until=day) == moments[3:0:-1]
    assert findings() == []


def test_the_day_without_its_second_hour_has_its_own_bounds():
    """29 March 2026 in London has 23 hours."""
    start = datetime(2026, 3, 29, 0, 0, tzinfo=UTC)
    for minutes in (-1, 0, 23 * 60 - 1, 23 * 60):
        moment = start + timedelta(minutes=minutes)
        with audit.change_set(recorded_at=moment, source=audit.Source.SAMPLE):
            make_facility()
    day = date(2026, 3, 29)
    reported = moments_of(since=day, until=day)
    assert reported == [start + timedelta(hours=22, minutes=59), start]


# Transactions -------------------------------------------------------------------------------------


def test_a_durable_transaction_goes_around_a_change_set_and_not_into_one(findings):
    before = ChangeSet.objects.count()
    with transaction.atomic(durable=True), audit.change_set():
        make_pipeline()
    with pytest.raises(RuntimeError, match="durable"), audit.change_set():
        make_pipeline()
        with transaction.atomic(durable=True):
            make_pipeline()
    assert Pipeline.objects.count() == 1
    assert ChangeSet.objects.count() == before + 1
    assert findings() == []
