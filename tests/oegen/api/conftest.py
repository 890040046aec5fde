import pytest
from rest_framework.test import APIClient

from oegen.api.scopes import Scope
from tests.support.builders import make_token


@pytest.fixture
def api_of():
    """A client of the API for a person, by a token of theirs."""

    def api_of(person, scopes=tuple(Scope)) -> APIClient:
        _, secret = make_token(person, scopes=scopes)
        client = APIClient()
        client.credentials(HTTP_AUTHORIZATION=f"Bearer {secret}")
        return client

    return api_of


@pytest.fixture
def api(api_of, portfolio_manager) -> APIClient:
    return api_of(portfolio_manager)
