"""Signing in, being locked out, and the address that says the site is well."""

import pytest
from django.conf import settings
from django.db import DatabaseError, connection
from django.urls import reverse

from tests.builders import PASSWORD

pytestmark = pytest.mark.django_db


def sign_in(client, username, password):
    return client.post(reverse("login"), {"username": username, "password": password})


def test_a_person_signs_in_and_out(client, manager):
    assert sign_in(client, manager.username, PASSWORD).url == reverse("dashboard")
    assert client.get(reverse("dashboard")).status_code == 200
    client.post(reverse("logout"))
    assert client.get(reverse("dashboard")).url.startswith(reverse("login"))


def test_guessing_is_locked_out_and_said_so(client, manager):
    for _ in range(settings.AXES_FAILURE_LIMIT):
        sign_in(client, manager.username, "wrong")
    response = sign_in(client, manager.username, PASSWORD)
    assert response.status_code == 429
    assert "15 minutes" in response.content.decode()


def test_a_lock_out_is_for_one_account_only(client, manager, portfolio_manager):
    for _ in range(settings.AXES_FAILURE_LIMIT):
        sign_in(client, manager.username, "wrong")
    assert sign_in(client, portfolio_manager.username, PASSWORD).status_code == 302


def test_healthz_needs_no_login(client):
    response = client.get("/healthz")
    assert (response.status_code, response.content.splitlines()[0]) == (200, b"ok")


def test_healthz_fails_while_the_database_does_not_answer(client, monkeypatch):
    def no_answer(*args):
        raise DatabaseError("the database has gone away")

    monkeypatch.setattr(connection, "cursor", no_answer)
    client.raise_request_exception = False
    assert client.get("/healthz").status_code == 500
