import pytest

from tests.admin.conftest import desk

__all__ = ["desk"]


@pytest.fixture
def reader_client(client, manager):
    client.force_login(manager)
    return client
