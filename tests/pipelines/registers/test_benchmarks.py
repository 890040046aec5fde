"""How long projects take in a register, and ours beside them."""

from datetime import date, timedelta

import pytest
from django.urls import reverse

from pipelines.registers.benchmarks import Group, benchmarks_of
from pipelines.registers.models import Register
from pipelines.registers.survival import Duration
from tests.support.builders import make_milestone, make_pipeline
from tests.support.registers import ingest_repd

APPLIED, STATUS = date(2023, 3, 14), "Development Status (short)"
ON = date(2025, 1, 31)


def row(key: int, days: int, status: str, heading: str, **more: str) -> dict[str, str]:
    day = f"{APPLIED + timedelta(days):%d/%m/%Y}"
    return {"Ref ID": str(key), STATUS: status, heading: day, **more}


@pytest.fixture(scope="module")
def durations(module_db):
    """Ten consents after 100 days, two refusals after 50. Of ours ten after 200, one waits."""
    granted = ("Awaiting Construction", "Planning Permission Granted")
    refused = ("Application Refused", "Planning Permission Refused")
    ingest_repd(
        ON,
        *(row(key, 100, *granted) for key in range(10)),
        *(row(10 + key, 50, *refused, Region="Wales") for key in range(2)),
    )
    for number in range(11):
        pipeline = make_pipeline(technology="solar", capacity_mw=5, stage="design")
        make_milestone(kind="planning-submitted", pipeline=pipeline, actual_on=APPLIED)
        if number:
            granted_on = APPLIED + timedelta(200)
            make_milestone(kind="planning-granted", pipeline=pipeline, actual_on=granted_on)


def test_waiting_and_refused_projects_count_for_as_long_as_they_took(as_manager, durations):
    found = benchmarks_of(Register.objects.get(code="repd"))
    assert found[Group()].to_consent == Duration(12, 10, 100, 100)
    assert found[Group(region="Wales")].to_consent == Duration(2, 0)
    assert found[Group()].to_operation == Duration(10, 0)


def test_ours_stand_beside_those_of_the_technology(as_manager, durations):
    response = as_manager.get(reverse("benchmarks"), {"technology": "solar"})
    [solar] = response.context["by_technology"]
    assert solar.is_current
    assert solar.theirs.to_consent.median_days == 100
    assert solar.ours.to_consent == Duration(11, 10, 200, 200)
    assert [one.label for one in response.context["by_region"]] == ["Yorkshire and Humber"]
    html = response.content.decode()
    assert "get their consent within 100 days" in html
    assert "too few, 0 of" in html


def test_register_that_is_not_there_is_not_found(as_manager, durations):
    assert as_manager.get(reverse("benchmarks"), {"register": "nowhere"}).status_code == 404
