"""Every page is marked while the database has sample data."""

import pytest
from django.urls import reverse

from dashboard.sample.services import load_sample
from oegen.pages import sample
from pipelines.models import Pipeline
from tests.conftest import find_sample
from tests.dashboard.sample.conftest import TODAY

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def ask(monkeypatch):
    monkeypatch.setattr(sample, "find_sample", find_sample)
    monkeypatch.setattr(sample, "_cached_until", {})


def is_marked(client, address: str, **query) -> bool:
    return "sample-mark" in client.get(address, query).text


def test_every_page_of_the_sample_is_marked_and_no_other(
    client, portfolio_manager, django_assert_num_queries
):
    client.force_login(portfolio_manager)
    admin = reverse("admin:pipelines_pipeline_changelist")
    assert not is_marked(client, reverse("pipelines"))
    assert not is_marked(client, admin)

    load_sample(today=TODAY, pipelines=1)
    sample._cached_until.clear()
    assert is_marked(client, reverse("my-alerts"), as_of="2025-07-01")
    assert is_marked(client, Pipeline.objects.get().get_absolute_url())
    assert is_marked(client, admin)
    with django_assert_num_queries(0):
        assert sample.is_loaded()


def test_what_people_entered_is_not_asked_about_for_each_page(django_assert_max_num_queries):
    with django_assert_max_num_queries(1):
        assert not sample.is_loaded()
        assert not sample.is_loaded()
