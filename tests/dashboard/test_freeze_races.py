"""Somebody writes while a report is being frozen, or freezes it at the same moment."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from uuid import uuid4

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse

from dashboard import metrics
from dashboard.models import FrozenReport
from dashboard.services import proof_of
from oegen.audit.integrity import Check
from oegen.models import ChangeSet
from tests.support.builders import make_pipeline, make_user
from tests.support.databases import elsewhere

pytestmark = pytest.mark.usefixtures("transactional_db")


def test_a_report_is_of_one_moment_and_says_of_which(monkeypatch):
    make_pipeline("First", capacity_mw=40)
    client = Client()
    client.force_login(make_user("Managers"))
    client.get(reverse("report"))  # Keeps what could be kept.
    newest = ChangeSet.objects.latest("number").number
    overview = metrics.overview

    def read_then_written(*args, **kwargs):
        found = overview(*args, **kwargs)
        elsewhere(lambda: make_pipeline("Second", capacity_mw=60))
        return found

    monkeypatch.setattr(metrics, "overview", read_then_written)
    key = uuid4()
    response = client.post(reverse("report"), {"key": key, "name": "One moment"})

    assert response.status_code == 302
    frozen = FrozenReport.objects.get(pk=key)
    assert [one["name"] for one in frozen.content["projects"]] == ["First"]
    assert frozen.content["figures"]["countries"][0]["mw"] == "40.000"
    assert (frozen.open_mw, frozen.data_number) == (40, newest)
    assert proof_of(frozen).change_set.number > newest + 1
    assert proof_of(frozen).problems == ()
    assert list(Check().findings()) == []


@pytest.mark.skipif(connection.vendor == "sqlite", reason="SQLite has one writer at a time")
def test_two_clicks_at_once_freeze_one_report():
    make_pipeline("First", capacity_mw=40)
    person, key, barrier = make_user("Managers"), uuid4(), Barrier(2)

    def click(_):
        try:
            client = Client()
            client.force_login(person)
            barrier.wait(timeout=60)
            return client.post(reverse("report"), {"key": key, "name": "Twice"}).status_code
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(click, range(2))) == [302, 302]
    assert FrozenReport.objects.get().pk == key
