import base64
from urllib.parse import urlsplit

import pytest
from django.test import Client

from oegen.api.scopes import Scope
from tests.support.builders import make_token

ROOT = "/odata/v1/"


def basic(secret: str, username: str = "anybody") -> dict[str, str]:
    """The header of Basic authentication."""
    return {"Authorization": f"Basic {base64.b64encode(f'{username}:{secret}'.encode()).decode()}"}


def follow(client, address: str):
    """The answer at an absolute address."""
    parts = urlsplit(address)
    return client.get(f"{parts.path}?{parts.query}")


def read_all(client, address: str, **options) -> list[dict]:
    answer = client.get(address, options)
    rows = []
    while True:
        assert answer.status_code == 200, answer.text
        rows += answer.json()["value"]
        if "@odata.nextLink" not in answer.json():
            return rows
        answer = follow(client, answer.json()["@odata.nextLink"])


@pytest.fixture
def odata_of():
    """A function of a person and scopes that gives a client of the feed, by a token of theirs."""

    def odata_of(person, *scopes: Scope) -> Client:
        _, secret = make_token(person, scopes=[Scope.ODATA, *scopes])
        return Client(headers=basic(secret))

    return odata_of


@pytest.fixture
def odata(odata_of, portfolio_manager) -> Client:
    return odata_of(portfolio_manager, Scope.PERSONAL)
