"""Figures that the demo also has equal those computed from its file."""

import csv
from collections import Counter
from decimal import Decimal

import pytest
from django.core.management import call_command

from dashboard import metrics
from pipelines.models import Pipeline
from tests.dashboard.demo_import import DEMO

NAMES = {"wind energy": "Wind"}


@pytest.mark.django_db
def test_capacity_by_technology_and_counts_by_status_are_those_of_the_file():
    with (DEMO / "pipelines.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    capacity, statuses = Counter(), Counter(row["ProjectStatus"] for row in rows)
    for row in rows:
        name = NAMES.get(row["Technology"], row["Technology"])
        capacity[name] += Decimal(row["Capacity"])
    call_command("import_demo_csv", DEMO, apply=True, verbosity=0)

    with metrics.portfolio(Pipeline.objects.all) as everything:
        heat = metrics.by_technology_and_status(everything)
        groups = metrics.by_status(everything)

    assert {
        technology.name: sum(cell.capacity.mw for cell in cells) for technology, cells in heat.rows
    } == capacity
    found = {group.label: group.total.pipelines for group in groups if group.total.pipelines}
    assert found == statuses
