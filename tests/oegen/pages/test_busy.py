"""A database that is locked or full: 503, nothing saved, try again."""

import sqlite3

import psycopg
import pytest
from django.db import OperationalError
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from oegen.audit import seals
from oegen.models import Comment
from oegen.pages import busy
from tests.support.builders import make_pipeline

pytestmark = pytest.mark.django_db

BUSY = [
    sqlite3.OperationalError("database is locked"),
    sqlite3.OperationalError("database or disk is full"),
    psycopg.errors.LockNotAvailable("canceling statement due to lock timeout"),
    psycopg.errors.DeadlockDetected("deadlock detected"),
    psycopg.errors.DiskFull("could not extend file"),
    psycopg.OperationalError("connection refused"),
]


def as_django_raises(cause: Exception) -> OperationalError:
    error = OperationalError(str(cause))
    error.__cause__ = cause
    return error


@pytest.fixture
def patient(portfolio_manager):
    client = Client(raise_request_exception=False)
    client.force_login(portfolio_manager)
    return client


@pytest.mark.parametrize("cause", BUSY, ids=str)
def test_what_passes_is_answered_with_503_and_a_way_back(patient, monkeypatch, cause):
    pipeline = make_pipeline()

    def fail(*args):
        raise as_django_raises(cause)

    with monkeypatch.context() as patch:
        patch.setattr(seals, "close", fail)
        address = f"{pipeline.get_absolute_url()}?show=all"
        answer = patient.post(address, {"text": "Well", "draft": "0" * 32})
        moved = patient.post(
            reverse("pipeline-move", args=[pipeline.pk]),
            {
                "version": 1,
                "to": "procurement",
                "reason": "x",
                "effective_on": timezone.localdate(),
            },
        )

    assert (answer.status_code, answer["Retry-After"]) == (503, "10")
    text = answer.content.decode()
    assert "Nothing was saved" in text
    assert f'href="{address}"' in text
    assert "oegen_saved" not in answer.cookies
    assert moved.status_code == 503
    assert not Comment.objects.exists()


@pytest.mark.parametrize(
    "error",
    [
        as_django_raises(sqlite3.OperationalError("no such table: x")),
        as_django_raises(psycopg.errors.UndefinedTable("x")),
        ValueError("database is locked"),
    ],
)
def test_a_fault_of_the_program_stays_one(error):
    assert not busy.is_busy(error)


def test_the_response_names_the_draft_that_was_saved(client, portfolio_manager):
    client.force_login(portfolio_manager)
    address = make_pipeline().get_absolute_url()
    saved = client.post(address, {"text": "Well", "draft": "a" * 32})
    assert saved.cookies["oegen_saved"].value == "a" * 32
    for refused in ({"text": "", "draft": "b" * 32}, {"text": "Well", "draft": "<script>"}):
        client.cookies.pop("oegen_saved", None)
        assert "oegen_saved" not in client.post(address, refused).cookies


def test_a_session_that_ended_is_reported_at_the_sign_in(client):
    address = make_pipeline().get_absolute_url()
    asked = client.post(address, {"text": "Well"})
    page = client.get(asked["Location"]).content.decode()
    assert "You were signed out, so nothing was saved." in page
    assert f'value="{address}"' in page
    assert "unsaved" not in client.get(address)["Location"]
