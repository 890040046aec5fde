"""How long one stays signed in, and what a browser may keep."""

from datetime import timedelta

import pytest
from django.conf import settings
from django.contrib.sessions.models import Session
from django.db import OperationalError, connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from tests.support.builders import PASSWORD, make_pipeline

pytestmark = pytest.mark.django_db


@pytest.fixture
def at(monkeypatch):
    """at(delta): the time since the test began."""
    start = timezone.now()

    def set_clock(**delta):
        monkeypatch.setattr(timezone, "now", lambda: start + timedelta(**delta))

    set_clock()
    return set_clock


@pytest.fixture
def signed_in(client, manager, at):
    client.post(reverse("login"), {"username": manager.username, "password": PASSWORD})
    return client


def is_in(client) -> bool:
    return client.get(reverse("my-alerts")).status_code == 200


def test_a_session_ends_after_eight_hours_without_use(signed_in, at):
    at(hours=7)
    assert is_in(signed_in)
    at(hours=14)
    assert is_in(signed_in)
    at(hours=22, minutes=1)
    assert not is_in(signed_in)


def test_a_session_ends_after_fourteen_days_of_use(signed_in, at):
    for hours in range(0, 14 * 24, 7):
        at(hours=hours)
        assert is_in(signed_in)
    at(days=14, minutes=1)
    assert not is_in(signed_in)


def test_that_it_was_used_is_written_every_five_minutes_at_most(signed_in, at):
    def writes(**delta) -> int:
        at(**delta)
        with CaptureQueriesContext(connection) as captured:
            assert is_in(signed_in)
        return sum(query["sql"].startswith("UPDATE") for query in captured)

    assert [writes(minutes=minutes) for minutes in (4, 6, 10, 12)] == [0, 1, 0, 1]


def test_a_page_is_shown_when_the_use_can_t_be_written(signed_in, at, monkeypatch, caplog):
    def refuse(*args, **kwargs):
        raise OperationalError("database is locked")

    monkeypatch.setattr(Session, "save", refuse)
    at(hours=1)
    assert is_in(signed_in)
    assert "database is locked" in caplog.text
    # What else is in a session is not lost without a word.
    session = signed_in.session
    session["more"] = 1
    with pytest.raises(OperationalError):
        session.save()


def test_sessions_that_ended_are_cleared_by_the_next_sign_in(client, manager):
    ended = timezone.now() - timedelta(minutes=1)
    Session.objects.create(session_key="x" * 32, session_data="", expire_date=ended)
    client.post(reverse("login"), {"username": manager.username, "password": PASSWORD})
    assert not Session.objects.filter(expire_date=ended).exists()


@pytest.mark.parametrize("name", ["dashboard", "pipelines", "my-alerts", "admin:index", "nowhere"])
def test_pages_behind_the_sign_in_are_kept_nowhere(client, portfolio_manager, name):
    client.force_login(portfolio_manager)
    address = "/nowhere/" if name == "nowhere" else reverse(name)
    assert "no-store" in client.get(address)["Cache-Control"]
    record = client.get(make_pipeline().get_absolute_url())
    assert "no-store" in record["Cache-Control"]
    download = client.get(reverse("pipelines"), {"download": "csv"})
    assert "no-store" in download["Cache-Control"]


def test_what_the_map_shows_may_be_kept_by_the_browser_alone(client, manager):
    client.force_login(manager)
    kept = client.get(reverse("map-data"))["Cache-Control"]
    assert "private" in kept
    assert "no-store" not in kept


@pytest.mark.parametrize("name", ["logout", "admin:logout"])
def test_a_sign_out_empties_the_browser_s_cache(client, portfolio_manager, name):
    client.force_login(portfolio_manager)
    response = client.post(reverse(name))
    assert (response.status_code, response["Clear-Site-Data"]) == (302, '"cache"')
    assert settings.SESSION_COOKIE_NAME not in client.cookies or not is_in(client)
