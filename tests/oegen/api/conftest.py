import pytest
from rest_framework.test import APIClient


@pytest.fixture
def api_of():
    """A client of the API for a person."""

    def api_of(person) -> APIClient:
        client = APIClient()
        client.force_authenticate(person)
        return client

    return api_of


@pytest.fixture
def api(api_of, portfolio_manager) -> APIClient:
    return api_of(portfolio_manager)
