"""A record's page costs the same number of queries with 10 and with 1,000 of every related row."""

from datetime import date

from django.contrib.contenttypes.models import ContentType
from django.db import connection
from django.test.utils import CaptureQueriesContext

from counterparties.models import Contact, ContactRole, Counterparty, CounterpartyContact
from infopoints.models import (
    InformationPoint,
    InformationPointCounterparty,
    InformationPointPipeline,
)
from oegen import audit
from oegen.models import Comment
from pipelines.models import (
    CounterpartyRole,
    Facility,
    Pipeline,
    PipelineCounterparty,
    PipelineFacility,
    Stage,
    Technology,
)
from tests.pages.test_query_counts import _most_frequent
from tests.records.conftest import RECORDS

BUDGET = {
    "pipeline": 42,
    "facility": 28,
    "counterparty": 42,
    "contact": 28,
    "informationpoint": 38,
}


def add_rows(records: dict, number: int) -> None:
    """To each record that many of every kind of related record, people and comments included."""
    stage = Stage.objects.get(code="design")
    solar = Technology.objects.get(code="solar")
    owner = CounterpartyRole.objects.get(code="owner")
    ceo = ContactRole.objects.get(code="ceo")
    numbers = range(number)
    start = Counterparty.objects.count()
    with audit.change_set(reason="Many"):
        pipelines = Pipeline.objects.bulk_create(
            Pipeline(project_name=f"Project {n}", stage=stage, rtb_date=date(2030, 1, 1))
            for n in numbers
        )
        facilities = Facility.objects.bulk_create(
            Facility(name=f"Plant {n}", technology=solar, capacity_mw=n, latitude=50, longitude=1)
            for n in numbers
        )
        companies = Counterparty.objects.bulk_create(
            Counterparty(name=f"Company {start + n}") for n in numbers
        )
        people = Contact.objects.bulk_create(Contact(name=f"Person {n}") for n in numbers)
        points = InformationPoint.objects.bulk_create(
            InformationPoint(title=f"Point {n}", impact=n % 100 + 1, likelihood=50) for n in numbers
        )
        here = records
        PipelineFacility.objects.bulk_create(
            [PipelineFacility(pipeline=row, facility=here["facility"]) for row in pipelines]
            + [PipelineFacility(pipeline=here["pipeline"], facility=row) for row in facilities]
        )
        PipelineCounterparty.objects.bulk_create(
            [
                PipelineCounterparty(pipeline=row, counterparty=here["counterparty"], role=owner)
                for row in pipelines
            ]
            + [
                PipelineCounterparty(pipeline=here["pipeline"], counterparty=row, role=owner)
                for row in companies
            ]
        )
        CounterpartyContact.objects.bulk_create(
            [
                CounterpartyContact(counterparty=here["counterparty"], contact=row, role=ceo)
                for row in people
            ]
            + [
                CounterpartyContact(counterparty=row, contact=here["contact"], role=ceo)
                for row in companies
            ]
        )
        InformationPointPipeline.objects.bulk_create(
            [
                InformationPointPipeline(information_point=row, pipeline=here["pipeline"])
                for row in points
            ]
            + [
                InformationPointPipeline(information_point=here["informationpoint"], pipeline=row)
                for row in pipelines
            ]
        )
        InformationPointCounterparty.objects.bulk_create(
            [
                InformationPointCounterparty(
                    information_point=row, counterparty=here["counterparty"]
                )
                for row in points
            ]
            + [
                InformationPointCounterparty(
                    information_point=here["informationpoint"], counterparty=row
                )
                for row in companies
            ]
        )
        Comment.objects.bulk_create(
            Comment(
                content_type=ContentType.objects.get_for_model(record),
                object_id=record.pk,
                text=f"Said {n}",
            )
            for record in records.values()
            for n in numbers
        )


def queries_of(client, address: str) -> list[str]:
    with CaptureQueriesContext(connection) as captured:
        assert client.get(address).status_code == 200
    return [query["sql"] for query in captured]


def test_record_pages_cost_the_same_at_10_and_at_1000_related_rows(as_editor, records):
    addresses = {name: records[name].get_absolute_url() for name in RECORDS}
    add_rows(records, 10)
    for address in addresses.values():
        as_editor.get(address)
    few = {name: queries_of(as_editor, address) for name, address in addresses.items()}
    add_rows(records, 990)
    many = {name: queries_of(as_editor, address) for name, address in addresses.items()}

    for name in RECORDS:
        assert len(many[name]) <= len(few[name]), f"{name}: {_most_frequent(many[name])}"
        assert len(few[name]) <= BUDGET[name], name
