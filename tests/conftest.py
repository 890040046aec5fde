import pytest
from django.db import DEFAULT_DB_ALIAS, connections

from oegen import roles
from tests.builders import make_user
from tests.chromium import REMEDY, find_chromium, is_required


def pytest_terminal_summary(terminalreporter):
    if find_chromium() is None and not is_required():
        terminalreporter.write_line(
            f"THE BROWSER TESTS WERE SKIPPED: there is no Chromium. To run them, {REMEDY}.",
            red=True,
            bold=True,
        )


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup, django_db_blocker):
    """Let every connection restore the rows that migrations made.

    Django keeps them on the connection that set the database up. Playwright's event loop gives
    its tests another connection object, which would find nothing to restore.
    """
    with django_db_blocker.unblock():
        wrapper = connections[DEFAULT_DB_ALIAS]
        rows = getattr(wrapper, "_test_serialized_contents", None)
        if rows is not None:
            type(wrapper)._test_serialized_contents = rows


@pytest.fixture
def portfolio_manager(db):
    return make_user(roles.PORTFOLIO_MANAGERS, "priya", first_name="Priya", last_name="Shah")


@pytest.fixture
def manager(db):
    return make_user(roles.MANAGERS, "morgan", first_name="Morgan", last_name="Reid")


@pytest.fixture
def administrator(db):
    return make_user(roles.ADMINISTRATORS, "ada", first_name="Ada", last_name="Okafor")
