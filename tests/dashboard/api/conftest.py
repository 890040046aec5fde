from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from django.core.cache import cache
from django.utils import timezone
from rest_framework.test import APIClient

from oegen.people import roles
from pipelines.models import CounterpartyRole, Facility, Pipeline, Stage
from tests.dashboard.api.support import SINCE, client_of
from tests.support.builders import (
    make_counterparty,
    make_information_point,
    make_milestone,
    make_pipeline,
    make_user,
)
from tests.support.portfolios import TODAY, make_awkward_portfolio


@pytest.fixture(scope="module")
def clock():
    """Sets the clock to noon of a day."""
    with pytest.MonkeyPatch.context() as patch:

        def at(day: date):
            moment = datetime(day.year, day.month, day.day, 12, tzinfo=UTC)
            patch.setattr(timezone, "now", lambda: moment)

        yield at


@pytest.fixture(scope="module")
def reader(module_db, clock):
    """A manager, and the portfolio that the tests read: facilities shared between stages, and what
    has changed since the comparison day, the last of it today."""
    clock(SINCE - timedelta(days=1))
    for code, share in {"discovery": 10, "design": 40, "procurement": 70}.items():
        Stage.objects.filter(code=code).update(default_probability_pct=share)
    make_awkward_portfolio()
    reader = make_user(roles.MANAGERS, "morgan")
    Facility.objects.filter(technology__code="solar").update(country="GB")
    solar, twin = (
        Pipeline.objects.get(project_name=n) for n in ("Solar and storage", "Twin of it")
    )
    lead, owner = CounterpartyRole.objects.filter(code__in=["lead-developer", "owner"])
    solar.counterparty_links.create(counterparty=make_counterparty("Larch"), role=lead)
    twin.counterparty_links.create(
        counterparty=make_counterparty("Rowan"), role=owner, share_pct=Decimal("66.67")
    )
    for number in range(11):
        one = make_counterparty(f"Company {number}")
        make_pipeline(f"Led {number}", capacity_mw=5 + number, lead_developer=one, ownership_pct=50)
    for impact in (20, 90):
        make_information_point(f"Point {impact}", impact=impact).pipelines.add(solar, twin)
    make_information_point("Closed", status="closed").pipelines.add(solar)
    make_milestone(kind="rtb", pipeline=twin, baseline_on="2027-06-01")
    clock(TODAY - timedelta(days=3))
    change("Solar and storage", rtb_date=date(2027, 8, 1), rag_status="amber")
    change("Same battery, later", rag_status="red", stage=Stage.objects.get(code="procurement"))
    change("Late but building", stage=Stage.objects.get(code="completed"))
    person = make_user(roles.PORTFOLIO_MANAGERS, "zebedee", first_name="Zebedee", last_name="Fox")
    change("Unknown size", responsible=person)
    make_pipeline("New", technology="bess", capacity_mw=20, rag_status="green")
    clock(TODAY)
    change("No date", on_hold=True, on_hold_reason="Grid")
    change("Overdue", rag_status="red")
    return reader


@pytest.fixture
def api(reader, client) -> APIClient:
    cache.clear()
    client.force_login(reader)
    return client_of(reader)


def change(name: str, **values) -> None:
    pipeline = Pipeline.objects.get(project_name=name)
    for field, value in values.items():
        setattr(pipeline, field, value)
    pipeline.save()
