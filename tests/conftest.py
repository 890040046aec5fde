import pytest

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


@pytest.fixture
def portfolio_manager(db):
    return make_user(roles.PORTFOLIO_MANAGERS, "priya", first_name="Priya", last_name="Shah")


@pytest.fixture
def manager(db):
    return make_user(roles.MANAGERS, "morgan", first_name="Morgan", last_name="Reid")


@pytest.fixture
def administrator(db):
    return make_user(roles.ADMINISTRATORS, "ada", first_name="Ada", last_name="Okafor")
