from datetime import date

import pytest

from dashboard.sample.services import load_sample
from tests.support.portfolios import analyze_tables

TODAY = date(2025, 7, 15)


@pytest.fixture(scope="module")
def sample(django_db_setup, django_db_blocker):
    """The default portfolio as of TODAY, loaded once per module and removed afterwards."""
    from django.db import transaction

    with django_db_blocker.unblock(), transaction.atomic():
        loaded = load_sample(today=TODAY)
        analyze_tables()
        yield loaded
        transaction.set_rollback(True)
