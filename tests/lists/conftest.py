import pytest


@pytest.fixture
def as_manager(client, manager):
    """A client signed in as a Manager, who may read and change nothing."""
    client.force_login(manager)
    return client
