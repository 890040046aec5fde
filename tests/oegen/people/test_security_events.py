"""Sign-ins, failures, sign-outs and downloads leave a sealed entry; runs of failures one."""

import logging
from datetime import timedelta

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.urls import reverse
from django.utils import timezone

from oegen.models import ChangeSet, FailureRun, SecurityAddress, SecurityEvent
from oegen.people import security
from tests.support.builders import PASSWORD

pytestmark = pytest.mark.django_db

Kind = SecurityEvent.Kind


@pytest.fixture
def visit(client, django_capture_on_commit_callbacks):
    """A request whose transactions are taken for committed, as outside of a test."""

    def visit(method, address, data=None, **extra):
        with django_capture_on_commit_callbacks(execute=True):
            return getattr(client, method)(address, data, **extra)

    return visit


@pytest.fixture
def fail(visit):
    def fail(username="nobody", address="192.0.2.7", times=1):
        data = {"username": username, "password": "wrong"}
        for _ in range(times):
            visit("post", reverse("login"), data, REMOTE_ADDR=address)

    return fail


def kinds() -> list[str]:
    return list(SecurityEvent.objects.order_by("number").values_list("kind", flat=True))


def test_sign_in_download_and_sign_out_are_recorded_in_the_chain(visit, manager):
    newest = ChangeSet.objects.latest("number").number
    visit("post", reverse("login"), {"username": "morgan", "password": PASSWORD})
    visit("get", reverse("pipelines"), {"download": "csv", "q": "wind"})
    visit("get", reverse("counterparties"), {"download": "xlsx"})
    visit("post", reverse("logout"))
    assert kinds() == [Kind.SIGN_IN, Kind.EXPORT, Kind.EXPORT, Kind.SIGN_OUT]
    events = list(SecurityEvent.objects.order_by("number"))
    assert {(one.account_id, one.username) for one in events} == {(manager.pk, "morgan")}
    assert events[1].details == {
        "list": "pipelines", "file": "csv", "query": "download=csv&q=wind"
    }  # fmt: skip
    previous = "0" * 64
    for number, event in enumerate(events, start=1):
        assert (event.number, event.seal) == (number, security.seal_of(event, previous))
        previous = event.seal
    assert ChangeSet.objects.latest("number").number == newest


def test_a_run_of_failures_is_counted_and_sealed_in_steps(django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        for _ in range(12):
            security.record_security_event(Kind.FAILURE, username="nobody")
    assert list(SecurityEvent.objects.order_by("number").values_list("count", flat=True)) == [1, 10]
    security.tidy(timezone.now() + timedelta(hours=1))
    newest = SecurityEvent.objects.latest("number")
    assert (newest.kind, newest.count) == (Kind.FAILURE, 12)
    assert SecurityEvent.objects.values("run").distinct().count() == 1
    assert not FailureRun.objects.exists()


def test_other_names_and_addresses_and_later_failures_are_other_runs(fail):
    fail("nobody")
    fail("nobody", address="192.0.2.8")
    fail("somebody")
    FailureRun.objects.update(last_at=timezone.now() - timedelta(hours=1))
    fail("nobody")
    assert list(SecurityEvent.objects.values_list("count", flat=True)) == [1, 1, 1, 1]
    assert SecurityEvent.objects.values("run").distinct().count() == 4


def test_what_is_refused_unseen_is_a_run_of_its_own(fail):
    fail(times=5)
    counts = dict(FailureRun.objects.values_list("kind", "count"))
    assert counts == {Kind.FAILURE: 3, Kind.DELAY: 2}


def test_an_unknown_username_is_nowhere_in_clear(fail):
    fail("my-secret-password")
    fail("MY-SECRET-PASSWORD")
    event = SecurityEvent.objects.get()
    assert (event.account_id, event.username) == (None, "")
    assert FailureRun.objects.get().count == 2
    for model in (SecurityEvent, FailureRun, SecurityAddress):
        assert "secret" not in str(list(model.objects.values())).lower()


def test_a_known_account_is_named(fail, manager):
    fail("morgan")
    assert SecurityEvent.objects.get().username == "morgan"


def test_addresses_expire_and_the_seals_still_fit(fail):
    fail()
    event = SecurityEvent.objects.get()
    assert event.origin.address == "192.0.2.7"
    security.tidy(timezone.now() + timedelta(days=91))
    assert not SecurityAddress.objects.exists()
    first = SecurityEvent.objects.get(number=1)
    assert first.seal == security.seal_of(first, "0" * 64)


def test_the_database_refuses_to_change_an_event(fail):
    fail()
    with pytest.raises(IntegrityError), transaction.atomic():
        SecurityEvent.objects.update(username="somebody else")
    with pytest.raises(IntegrityError), transaction.atomic():
        SecurityEvent.objects.all().delete()


def test_a_busy_database_keeps_nobody_from_signing_in(visit, manager, monkeypatch, caplog):
    def busy(*args, **kwargs):
        raise DatabaseError("database is locked")

    monkeypatch.setattr(security, "_seal", busy)
    with caplog.at_level(logging.ERROR):
        answer = visit("post", reverse("login"), {"username": "morgan", "password": PASSWORD})
    assert answer.status_code == 302
    assert "security event (sign-in) could not be recorded" in caplog.text


@pytest.mark.skipif(connection.vendor != "sqlite", reason="PostgreSQL has no busy timeout")
def test_the_wait_for_a_busy_database_is_short_and_put_back():
    from oegen.core.database import lock_timeout

    def wait() -> int:
        with connection.cursor() as cursor:
            return cursor.execute("PRAGMA busy_timeout").fetchone()[0]

    before = wait()
    with lock_timeout(seconds=2):
        assert wait() == 2_000
    assert wait() == before == 20_000
