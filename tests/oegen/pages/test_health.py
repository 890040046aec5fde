"""The address that says whether people can work, to whoever watches over the site."""

import pytest
from django.db import DatabaseError, OperationalError
from django.urls import reverse

from oegen.alerts import anchors, delivery
from oegen.jobs import status
from oegen.models import Heartbeat
from oegen.pages import health

pytestmark = pytest.mark.django_db

FROM_ELSEWHERE = {"REMOTE_ADDR": "203.0.113.7"}
BEHIND_A_PROXY = {"headers": {"X-Forwarded-For": "203.0.113.7"}}


@pytest.fixture(autouse=True)
def anew(monkeypatch):
    monkeypatch.setattr(health, "_result", health._CachedResult())


@pytest.mark.parametrize("client_is", [FROM_ELSEWHERE, BEHIND_A_PROXY], ids=["far", "proxied"])
def test_who_is_not_signed_in_hears_that_it_is_well_and_no_more(client, manager, client_is):
    answer = client.get("/healthz", **client_is)
    assert (answer.status_code, answer.text) == (200, "ok\n")
    assert "no-store" in answer["Cache-Control"]
    client.force_login(manager)
    assert client.get("/healthz", **client_is).text == "ok\n"


def test_administrators_and_this_machine_hear_of_the_alerts(client, administrator):
    expected = [
        "ok",
        *delivery.status_lines(),
        anchors.status_line(),
        *status.status_lines(),
    ]
    assert client.get("/healthz").text.splitlines() == expected
    client.force_login(administrator)
    assert client.get("/healthz", **FROM_ELSEWHERE).text.splitlines() == expected


def fail(error):
    def raise_it(*args, **kwargs):
        raise error

    return raise_it


@pytest.mark.parametrize(
    ("target", "does", "sentence"),
    [
        ("oegen.pages.health.is_migrated", lambda using: False, "Migrations are missing"),
        ("oegen.pages.health.is_migrated", fail(DatabaseError("gone")), "does not answer"),
        (
            "oegen.models.Heartbeat.objects.update_or_create",
            fail(OperationalError("database or disk is full")),
            "can't be written to: nothing that people enter is saved",
        ),
    ],
)
def test_what_is_wrong_is_a_503_in_words(client, monkeypatch, target, does, sentence):
    monkeypatch.setattr(target, does)
    answer = client.get(reverse("healthz"), **FROM_ELSEWHERE)
    assert answer.status_code == 503
    assert sentence in answer.text


def test_a_process_writes_no_more_often_than_it_looks(client):
    client.get("/healthz")
    first = Heartbeat.objects.get().written_at
    client.get("/healthz")
    assert Heartbeat.objects.get().written_at == first
