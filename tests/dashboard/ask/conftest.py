from datetime import UTC, date, datetime

import pytest
from django.utils import timezone

from dashboard.ask.lookups import Asker
from tests.dashboard.ask.support import load_portfolio


@pytest.fixture(scope="module")
def asker(module_db):
    """Who asks, on the fixed day, with the sample loaded once for the module."""
    with pytest.MonkeyPatch.context() as patch:

        def at(day: date):
            moment = datetime(day.year, day.month, day.day, 12, tzinfo=UTC)
            patch.setattr(timezone, "now", lambda: moment)

        yield Asker(load_portfolio(at), may_read_personal=True)
