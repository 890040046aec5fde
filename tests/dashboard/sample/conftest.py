from datetime import date

import pytest

from dashboard.sample.services import load_sample

TODAY = date(2025, 7, 15)


@pytest.fixture(scope="module")
def sample(django_db_setup, django_db_blocker):
    """The default portfolio as of TODAY, loaded once per module and removed afterwards."""
    from django.db import transaction

    with django_db_blocker.unblock(), transaction.atomic():
        yield load_sample(today=TODAY)
        transaction.set_rollback(True)
