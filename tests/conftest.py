import pytest

from oegen import roles
from tests.builders import make_user


@pytest.fixture
def portfolio_manager(db):
    return make_user(roles.PORTFOLIO_MANAGERS, "priya", first_name="Priya", last_name="Shah")


@pytest.fixture
def manager(db):
    return make_user(roles.MANAGERS, "morgan", first_name="Morgan", last_name="Reid")


@pytest.fixture
def administrator(db):
    return make_user(roles.ADMINISTRATORS, "ada", first_name="Ada", last_name="Okafor")
