import pytest
from django.db import DEFAULT_DB_ALIAS, connections, transaction
from django.test import TransactionTestCase

from oegen import database, roles
from tests.builders import make_user
from tests.chromium import REMEDY, find_chromium, is_required
from tests.portfolios import make_awkward_portfolio
from tests.triggers import lifted_triggers


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


@pytest.fixture(scope="session", autouse=True)
def history_can_be_emptied_between_tests():
    """Let Django empty and refill the tables around a test that commits: the database refuses to
    change history as long as its triggers are there."""

    fill, empty = TransactionTestCase._fixture_setup.__func__, TransactionTestCase._fixture_teardown

    def lifted_fill(cls):
        with lifted_triggers(list(database.history_tables())):
            fill(cls)

    def lifted_empty(case):
        with lifted_triggers(list(database.history_tables())):
            empty(case)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TransactionTestCase, "_fixture_setup", classmethod(lifted_fill))
        patch.setattr(TransactionTestCase, "_fixture_teardown", lifted_empty)
        yield


@pytest.fixture(scope="module")
def module_db(django_db_setup, django_db_blocker):
    """The database for what all tests of a module read: made once, taken back at its end. What a
    test of it writes is taken back after that test."""
    with django_db_blocker.unblock(), transaction.atomic():
        yield
        transaction.set_rollback(True)


@pytest.fixture
def awkward_portfolio(db):
    make_awkward_portfolio()


@pytest.fixture
def portfolio_manager(db):
    return make_user(roles.PORTFOLIO_MANAGERS, "priya", first_name="Priya", last_name="Shah")


@pytest.fixture
def manager(db):
    return make_user(roles.MANAGERS, "morgan", first_name="Morgan", last_name="Reid")


@pytest.fixture
def administrator(db):
    return make_user(roles.ADMINISTRATORS, "ada", first_name="Ada", last_name="Okafor")
