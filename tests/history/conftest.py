import pytest
from django.test import Client


def signed_in(user) -> Client:
    """A client of its own, so that a test can look as two people."""
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def as_manager(manager):
    return signed_in(manager)


@pytest.fixture
def as_editor(portfolio_manager):
    return signed_in(portfolio_manager)


@pytest.fixture
def as_administrator(administrator):
    return signed_in(administrator)
