"""The cost of a page must not grow with its rows: 3 and 60 of everything, the same queries."""

import json
import re
from collections import Counter
from datetime import date
from pathlib import Path

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from counterparties.models import ContactRole, CounterpartyContact
from infopoints.models import (
    InformationPointCounterparty,
    InformationPointPipeline,
    InformationPointTechnology,
)
from oegen import audit
from oegen.models import Comment
from pipelines.models import PipelineCounterparty, PipelineFacility, Technology
from pipelines.models.reference import CounterpartyRole
from tests.builders import (
    make_contact,
    make_counterparty,
    make_facility,
    make_information_point,
    make_pipeline,
)

BUDGET = json.loads((Path(__file__).parents[1] / "query_budgets.json").read_text())


def add_rows(records: dict, number: int) -> None:
    """To each of the four records that many of every related record."""
    role = CounterpartyRole.objects.get(code="owner")
    lead = CounterpartyRole.objects.get(code="lead-developer")
    for count in range(number):
        with audit.change_set(reason=f"Row {count}"):
            pipeline = make_pipeline(
                capacity_mw=count, rag_status="red", rtb_date=date(2020 + count % 12, 1, 1)
            )
            company = make_counterparty()
            point = make_information_point(owner=None)
            facility = make_facility(technology="bess", capacity_mw=3)
            PipelineFacility.objects.create(pipeline=pipeline, facility=records["facility"])
            PipelineFacility.objects.create(pipeline=records["pipeline"], facility=facility)
            PipelineCounterparty.objects.create(
                pipeline=pipeline, counterparty=records["counterparty"], role=lead
            )
            PipelineCounterparty.objects.create(
                pipeline=records["pipeline"], counterparty=company, role=role
            )
            InformationPointPipeline.objects.create(
                information_point=records["informationpoint"], pipeline=pipeline
            )
            InformationPointPipeline.objects.create(
                information_point=point, pipeline=records["pipeline"]
            )
            InformationPointCounterparty.objects.create(
                information_point=point, counterparty=records["counterparty"]
            )
            CounterpartyContact.objects.create(
                counterparty=records["counterparty"],
                contact=make_contact(),
                role=ContactRole.objects.get(code="ceo"),
            )
            for record in records.values():
                Comment.objects.create(subject=record, text=f"Said {count}")


def _most_frequent(queries: list[str]) -> str:
    """The shape of the query that is most often there, to say which read grows."""
    shapes = Counter(re.sub(r"'[^']*'|\b\d+\b", "?", query) for query in queries)
    shape, times = shapes.most_common(1)[0]
    return f"{times} times {shape}"


@pytest.mark.parametrize("name", BUDGET)
def test_page_costs_the_same_at_3_and_at_60_rows(as_manager, full_record, manager, name):
    InformationPointTechnology.objects.create(
        information_point=full_record["informationpoint"],
        technology=Technology.objects.get(code="solar"),
    )
    record = full_record.get(name)
    address = record.get_absolute_url() if record else reverse(name)

    def queries() -> list[str]:
        with CaptureQueriesContext(connection) as captured:
            assert as_manager.get(address).status_code == 200
        return [query["sql"] for query in captured]

    add_rows(full_record, 3)
    as_manager.get(address)
    few = queries()
    add_rows(full_record, 57)
    many = queries()

    assert len(many) <= len(few), _most_frequent(many)
    assert len(few) <= BUDGET[name]
